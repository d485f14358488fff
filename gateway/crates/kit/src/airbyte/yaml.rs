//! A manifest as a tree in which each value knows where it stands: what is told to an author leads back to a line.
//!
//! Owns the reading of YAML: plain scalars as the manifests' own runtime reads them (YAML 1.1), anchors, merge keys, and the limits that keep a
//! small file from becoming a large tree. Must not know what a manifest means.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

/// Bytes of a manifest.
pub const MANIFEST_BYTES_MAX: usize = 4 << 20;
/// Values of a tree, with those that anchors and references repeat.
pub(super) const NODES_MAX: usize = 400_000;
/// Levels of a tree.
pub(super) const DEPTH_MAX: usize = 64;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The keys that lead to it in the file: `definitions.requester.path`.
    pub(super) at: Arc<str>,
    /// From 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
}

type Members = Vec<(String, Node)>;

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Members),
}

/// What is wrong with the text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) message: String,
}

impl Node {
    /// A member that is something.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.members().iter().find(|(name, _)| name == key).map(|(_, node)| node).filter(|node| !node.is_null())
    }

    pub(super) fn members(&self) -> &[(String, Self)] {
        match &self.kind {
            Kind::Map(members) => members,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a member.
    pub(super) fn word(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The component's type.
    pub(super) fn component(&self) -> &str {
        self.word("type").unwrap_or_default()
    }

    pub(super) fn truth(&self, key: &str) -> Option<bool> {
        match self.get(key)?.kind {
            Kind::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// A scalar as a text.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(number) => Some(number.to_string()),
            // As the manifests' own runtime writes it into a request.
            Kind::Bool(truth) => Some(if *truth { "True" } else { "False" }.to_owned()),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// Is it nothing, empty, zero or false?
    pub(super) fn is_falsy(&self) -> bool {
        match &self.kind {
            Kind::Null | Kind::Bool(false) => true,
            Kind::Bool(true) => false,
            Kind::Number(number) => number.as_f64() == Some(0.0),
            Kind::Text(text) => text.is_empty(),
            Kind::List(items) => items.is_empty(),
            Kind::Map(members) => members.is_empty(),
        }
    }

    pub(super) fn json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(truth) => Value::Bool(*truth),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::json).collect(),
            Kind::Map(members) => {
                Value::Object(members.iter().map(|(name, node)| (name.clone(), node.json())).collect::<Map<_, _>>())
            }
        }
    }
}

/// Reads the first document of a text.
///
/// # Errors
/// No YAML, or a text beyond the limits.
pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    if text.len() > MANIFEST_BYTES_MAX {
        let message = format!("{} bytes; expected at most {MANIFEST_BYTES_MAX}", text.len());
        return Err(Unreadable { line: 1, message });
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd | Event::DocumentEnd, span) => {
                return Err(Unreadable { line: span.start.line(), message: "an empty document".to_owned() });
            }
            (event, span) => return reader.node(event, span, "", 0),
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Unreadable> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                Err(Unreadable { line: error.marker().line(), message: format!("not YAML: {}", error.info()) })
            }
            None => Err(Unreadable { line: 1, message: "not YAML: it ends within a value".to_owned() }),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, at: &str, depth: usize) -> Result<Node, Unreadable> {
        let line = span.start.line();
        let beyond = |message: String| Err(Unreadable { line, message });
        self.nodes += 1;
        if depth > DEPTH_MAX {
            return beyond(format!("over {DEPTH_MAX} levels"));
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                (if is_text { Kind::Text(text.into_owned()) } else { plain(&text) }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(at, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(at, depth)?, anchor),
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor).cloned() else {
                    return beyond("an alias without an anchor before it".to_owned());
                };
                self.nodes += count(&known);
                (known.kind, 0)
            }
            _ => return beyond("not YAML: a value is missing".to_owned()),
        };
        if self.nodes > NODES_MAX {
            return beyond(format!("over {NODES_MAX} values"));
        }
        let node = Node { at: at.into(), line, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, at: &str, depth: usize) -> Result<Kind, Unreadable> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::List(items)),
                (event, span) => {
                    items.push(self.node(event, span, &within(at, &items.len().to_string()), depth + 1)?);
                }
            }
        }
    }

    fn map(&mut self, at: &str, depth: usize) -> Result<Kind, Unreadable> {
        let (mut members, mut merged) = (Members::new(), Members::new());
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let line = span.start.line();
            let key = self.node(event, span, at, depth + 1)?;
            let Some(key) = key.scalar() else {
                return Err(Unreadable { line, message: "a key that is not a text".to_owned() });
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, &within(at, &key), depth + 1)?;
            if key == "<<" {
                let sources = if value.items().is_empty() { std::slice::from_ref(&value) } else { value.items() };
                merged.extend(sources.iter().flat_map(|source| source.members().iter().cloned()));
            } else if members.iter().any(|(known, _)| *known == key) {
                return Err(Unreadable { line, message: format!("`{key}` stands here twice") });
            } else {
                members.push((key, value));
            }
        }
        for (key, value) in merged {
            if !members.iter().any(|(known, _)| *known == key) {
                members.push((key, value));
            }
        }
        Ok(Kind::Map(members))
    }
}

/// Values in a tree.
pub(super) fn count(node: &Node) -> usize {
    1 + node.items().iter().map(count).sum::<usize>()
        + node.members().iter().map(|(_, node)| count(node)).sum::<usize>()
}

/// A key within others.
pub(super) fn within(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// A plain scalar, by the rules of YAML 1.1, which are those that manifests are written by. Dates stay texts.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Kind::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Kind::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = digits.starts_with(|c: char| c.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with("00"));
    if starts && !(digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() > 1) {
        if let Ok(whole) = text.trim_start_matches('+').parse::<i64>() {
            return Kind::Number(whole.into());
        }
        let is_decimal = digits.contains('.') && digits.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        if let Some(number) = text.parse::<f64>().ok().filter(|_| is_decimal).and_then(Number::from_f64) {
            return Kind::Number(number);
        }
    }
    Kind::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_anchors_and_merge_keys_are_read_as_manifests_mean_them() {
        let text =
            "a: &x { n: 1, t: 'yes', b: yes, d: 2024-01-01, f: 1.5, z: ~, v: 010 }\nb: { <<: *x, n: 2 }\nc: [*x]\n";
        let tree = read(text).unwrap();
        let first = json!({ "n": 1, "t": "yes", "b": true, "d": "2024-01-01", "f": 1.5, "z": null, "v": "010" });
        let mut second = first.clone();
        second["n"] = json!(2);
        assert_eq!(tree.json(), json!({ "a": first, "b": second, "c": [first] }));
        let b = tree.get("b").unwrap();
        assert_eq!((b.get("n").unwrap().line, &*b.get("n").unwrap().at), (2, "b.n"));
        assert_eq!(&*b.get("f").unwrap().at, "a.f", "what is merged stands where it was written");
    }

    #[test]
    fn what_is_no_yaml_or_too_much_is_told_with_its_line() {
        assert_eq!(read("a: 1\nb: [1\n").unwrap_err().line, 3);
        assert!(read("a: 1\na: 2\n").unwrap_err().message.contains("twice"));
        assert!(read("").unwrap_err().message.contains("empty"));
        let deep = format!("{}1{}", "[".repeat(DEPTH_MAX + 2), "]".repeat(DEPTH_MAX + 2));
        assert!(read(&deep).unwrap_err().message.contains("levels"));
        let ten = |name: &str, of: &str| format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(","));
        let bomb = format!(
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n{}",
            [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e")].map(|(n, o)| ten(n, o)).concat()
        );
        assert!(read(&bomb).unwrap_err().message.contains("values"));
        assert!(read(&"a".repeat(MANIFEST_BYTES_MAX + 1)).unwrap_err().message.contains("bytes"));
        assert!(read(&format!("a: {}", "b".repeat(MANIFEST_BYTES_MAX - 3))).is_ok());
    }
}
