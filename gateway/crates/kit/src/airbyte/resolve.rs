//! A manifest with its references and parameters in their places.
//!
//! `$ref` (and a text that begins with `#/`) stands for what it names, with the keys next to it over it. `$parameters` of a component count for
//! each component below that lacks the key. A component without `type` has the one that its place implies.

use super::yaml::{Kind, NODES_MAX, Node, Unreadable};

/// Replaces every reference below a node.
///
/// # Errors
/// A reference to nothing, or to itself.
pub(super) fn references(root: &Node, node: &Node) -> Result<Node, Unreadable> {
    let mut resolver = Resolver { root, open: Vec::new(), nodes: 0 };
    resolver.node(node)
}

struct Resolver<'r> {
    root: &'r Node,
    open: Vec<String>,
    nodes: usize,
}

impl Resolver<'_> {
    fn node(&mut self, node: &Node) -> Result<Node, Unreadable> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("references make over {NODES_MAX} values of it");
            return Err(Unreadable { line: node.line, message });
        }
        match &node.kind {
            Kind::Text(text) if text.starts_with("#/") => self.named(text, node),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?;
                Ok(Node { kind: Kind::List(items), ..node.clone() })
            }
            Kind::Map(members) => self.map(node, members),
            _ => Ok(node.clone()),
        }
    }

    fn map(&mut self, node: &Node, members: &[(String, Node)]) -> Result<Node, Unreadable> {
        let mut own = Vec::new();
        for (name, member) in members.iter().filter(|(name, _)| name != "$ref") {
            own.push((name.clone(), self.node(member)?));
        }
        let Some((_, reference)) = members.iter().find(|(name, _)| name == "$ref") else {
            return Ok(Node { at: node.at.clone(), line: node.line, kind: Kind::Map(own) });
        };
        let base = self.node(reference)?;
        let Kind::Map(mut merged) = base.kind else { return Ok(base) };
        // A component that is a reference alone stands where it is written.
        let (at, line) = if own.is_empty() { (base.at, base.line) } else { (node.at.clone(), node.line) };
        for (name, member) in own {
            match merged.iter_mut().find(|(known, _)| *known == name) {
                Some((_, place)) => *place = member,
                None => merged.push((name, member)),
            }
        }
        Ok(Node { at, line, kind: Kind::Map(merged) })
    }

    fn named(&mut self, reference: &str, node: &Node) -> Result<Node, Unreadable> {
        let told = |what: &str| Unreadable { line: node.line, message: format!("{}: `{reference}` {what}", node.at) };
        if self.open.iter().any(|open| open == reference) {
            return Err(told("leads back to itself"));
        }
        let found = find(self.root, &reference[2..]).ok_or_else(|| told("leads to nothing"))?;
        self.open.push(reference.to_owned());
        let resolved = self.node(found);
        self.open.pop();
        resolved
    }
}

/// What a path names. A key may contain a slash: the longest one that is there counts.
fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    if path.is_empty() {
        return Some(node);
    }
    let child = |key: &str| match &node.kind {
        Kind::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, node)| node),
        Kind::List(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    };
    if let Some(whole) = child(path) {
        return Some(whole);
    }
    let split = path.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| path.split_at(at));
    split.rev().find_map(|(head, rest)| find(child(head)?, &rest[1..]))
}

/// Parameters that count at a place.
pub(super) type Parameters = Vec<(String, Node)>;

/// Puts parameters and implied types into a component and those below it. Each keeps what counts for it under `$parameters`.
pub(super) fn propagate(node: &Node, place: &str, inherited: &Parameters) -> Node {
    let Kind::Map(members) = &node.kind else { return node.clone() };
    let mut members = members.clone();
    let own = take(&mut members, "$parameters").map(|node| node.members().to_vec()).unwrap_or_default();
    let mut current: Parameters = own.clone();
    current.extend(inherited.iter().filter(|(name, _)| !own.iter().any(|(known, _)| known == name)).cloned());
    let is_custom = members.iter().any(|(name, _)| name == "class_name");
    if !members.iter().any(|(name, _)| name == "type") {
        let implied = if is_custom { Some("Custom") } else { implied(place) };
        if let Some(implied) = implied {
            let kind = Kind::Text(implied.to_owned());
            members.push(("type".to_owned(), Node { at: node.at.clone(), line: node.line, kind }));
        }
    }
    let component = members.iter().find(|(name, _)| name == "type").map(|(_, node)| node.clone());
    let below = |members: Vec<(String, Node)>| Node { at: node.at.clone(), line: node.line, kind: Kind::Map(members) };
    let Some(Kind::Text(component)) = component.map(|node| node.kind) else {
        // Not a component: a table of headers, of authenticators by name.
        let each = |(name, member): (String, Node)| {
            let member = if member.component().is_empty() { member } else { propagate(&member, place, &current) };
            (name, member)
        };
        return below(members.into_iter().map(each).collect());
    };
    // A JSON schema.
    if component == "object" {
        return below(members);
    }
    for (name, value) in &current {
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, member)) if member.is_falsy() => *member = value.clone(),
            Some(_) => {}
            None => members.push((name.clone(), value.clone())),
        }
    }
    let each = |(name, member): (String, Node)| {
        let place = format!("{component}.{name}");
        let passed: Parameters = current.iter().filter(|(known, _)| *known != name).cloned().collect();
        let member = match &member.kind {
            Kind::Map(_) => propagate(&member, &place, &passed),
            Kind::List(items) => {
                let items = items.iter().map(|item| propagate(item, &place, &passed)).collect();
                Node { kind: Kind::List(items), ..member }
            }
            _ => member,
        };
        (name, member)
    };
    let mut members: Vec<(String, Node)> = members.into_iter().map(each).collect();
    if !current.is_empty() {
        members.push(("$parameters".to_owned(), below(current)));
    }
    below(members)
}

fn take(members: &mut Vec<(String, Node)>, key: &str) -> Option<Node> {
    let at = members.iter().position(|(name, _)| name == key)?;
    Some(members.remove(at).1)
}

/// The type of a component that names none, by its place.
fn implied(place: &str) -> Option<&'static str> {
    Some(match place {
        "DeclarativeSource.streams" | "ParentStreamConfig.stream" => "DeclarativeStream",
        "DeclarativeStream.retriever" => "SimpleRetriever",
        "DeclarativeStream.schema_loader" => "JsonFileSchemaLoader",
        "DeclarativeStream.incremental_sync" => "DatetimeBasedCursor",
        "SimpleRetriever.requester" => "HttpRequester",
        "SimpleRetriever.record_selector" => "RecordSelector",
        "SimpleRetriever.paginator" => "NoPagination",
        "RecordSelector.extractor" => "DpathExtractor",
        "RecordSelector.record_filter" => "RecordFilter",
        "HttpRequester.error_handler" | "CompositeErrorHandler.error_handlers" => "DefaultErrorHandler",
        "DefaultErrorHandler.response_filters" => "HttpResponseFilter",
        "DefaultPaginator.page_size_option"
        | "DefaultPaginator.page_token_option"
        | "ApiKeyAuthenticator.inject_into"
        | "DatetimeBasedCursor.start_time_option"
        | "DatetimeBasedCursor.end_time_option"
        | "ListPartitionRouter.request_option"
        | "ParentStreamConfig.request_option" => "RequestOption",
        "DatetimeBasedCursor.start_datetime" | "DatetimeBasedCursor.end_datetime" => "MinMaxDatetime",
        "SubstreamPartitionRouter.parent_stream_configs" => "ParentStreamConfig",
        "AddFields.fields" => "AddedFieldDefinition",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::yaml::read;
    use super::*;

    fn resolved(text: &str) -> Result<Node, Unreadable> {
        let root = read(text).unwrap();
        references(&root, root.get("it").unwrap())
    }

    #[test]
    fn what_stands_next_to_a_reference_counts_over_it() {
        let text =
            "a: { x: 1, y: { z: 2 } }\nb/c: { d: 3 }\nit: { $ref: '#/a', x: 4, more: '#/b/c/d', list: ['#/a/y'] }\n";
        let node = resolved(text).unwrap();
        assert_eq!(node.json(), json!({ "x": 4, "y": { "z": 2 }, "more": 3, "list": [{ "z": 2 }] }));
        assert_eq!((&*node.at, &*node.get("y").unwrap().at), ("it", "a.y"));
    }

    #[test]
    fn a_reference_to_nothing_or_to_itself_is_told() {
        assert!(resolved("it: { $ref: '#/none' }").unwrap_err().message.contains("it.$ref: `#/none` leads to nothing"));
        let circle = resolved("a: { $ref: '#/b' }\nb: { c: '#/a' }\nit: '#/a'\n").unwrap_err();
        assert!(circle.message.contains("leads back to itself"), "{}", circle.message);
    }

    #[test]
    fn parameters_fill_what_components_below_lack_and_nothing_else() {
        let text = "it: { $parameters: { name: jobs, path: /jobs }, type: DeclarativeStream, retriever: { requester: { url_base: u, path: '' }, paginator: { page_size_option: { field_name: n } }, record_selector: { extractor: { field_path: [] } } } }";
        let node = propagate(&resolved(text).unwrap(), "DeclarativeSource.streams", &Vec::new());
        assert_eq!(node.word("name"), Some("jobs"));
        let retriever = node.get("retriever").unwrap();
        assert_eq!(retriever.component(), "SimpleRetriever");
        assert_eq!(retriever.get("requester").unwrap().word("path"), Some("/jobs"));
        assert_eq!(retriever.get("paginator").unwrap().component(), "NoPagination");
        assert_eq!(retriever.get("record_selector").unwrap().get("extractor").unwrap().component(), "DpathExtractor");
    }
}
