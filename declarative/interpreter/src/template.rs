//! Texts with places to fill, for what is sent: `{config/board}`, `{since | less 1d | date}`. A place is a path into named values and any
//! number of named functions, and nothing more: no conditions, no arithmetic, no loops.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renmen_plugin::seal;
use renmen_schema::types::Instant;
use serde_json::Value;

use crate::answer::{Node, Wanted};
use crate::form::odata_ms;
use crate::nearest::known;
use crate::pointer::Pointer;

/// The named values, and what each is.
pub const ROOTS: &[&str] = &[
    "config", "page", "since", "until", "now", "parent", "outer", "id", "ids", "input", "key", "header", "query",
    "body", "at", "each",
];

/// The functions.
pub const FUNCTIONS: &[&str] = &[
    "default",
    "if",
    "join",
    "cut",
    "lower",
    "upper",
    "text",
    "number",
    "json",
    "ms",
    "seconds",
    "date",
    "month",
    "time",
    "format",
    "less",
    "plus",
    "pseudonym",
];

/// A text with places.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Place(Place),
}

/// One place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The named value; none for the item itself.
    pub root: Option<String>,
    /// Where in it.
    pub pointer: Pointer,
    functions: Vec<Function>,
}

#[derive(Debug, Clone, PartialEq)]
enum Function {
    Default(String),
    /// Where the value is the first text, the second; else the third, or nothing.
    If(String, String, Option<String>),
    Join(String),
    Cut(usize),
    Lower,
    Upper,
    Text,
    Number,
    Json,
    Ms,
    Seconds,
    Date,
    Month,
    Time,
    /// As `strftime` writes it, in UTC.
    Format(String),
    Move(i64),
    /// A keyed hash by the key of this slot.
    Pseudonym(String),
}

/// A value in a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Any JSON.
    Json(Value),
    /// A point in time, with the vendor's own words for it where it came from the vendor.
    Time {
        /// Milliseconds since 1970-01-01T00:00Z.
        ms: i64,
        /// As the vendor wrote it.
        words: Option<String>,
    },
}

/// The named values of one request.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    values: BTreeMap<&'static str, Given>,
}

impl Scope {
    /// Names a value.
    pub fn set(&mut self, root: &'static str, value: impl Into<Value>) {
        self.values.insert(root, Given::Json(value.into()));
    }

    /// Names a value, or takes the name away.
    pub fn set_some(&mut self, root: &'static str, value: Option<impl Into<Value>>) {
        match value {
            Some(value) => self.set(root, value),
            None => drop(self.values.remove(root)),
        }
    }

    /// Names a point in time.
    pub fn set_time(&mut self, root: &'static str, ms: i64, words: Option<String>) {
        self.values.insert(root, Given::Time { ms, words });
    }
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with a place, and the nearest name that there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut left = text;
        while let Some(at) = left.find(['{', '}']) {
            plain.push_str(&left[..at]);
            let rest = &left[at..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                plain.push_str(&rest[..1]);
                left = after;
                continue;
            }
            let inner = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split_once('}'))
                .ok_or("a brace without its other half; write {{ or }} for a brace itself")?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Place(Place::parse(inner.0)?));
            left = inner.1;
        }
        plain.push_str(left);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// Its places.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(place) => Some(place),
            Piece::Text(_) => None,
        })
    }

    /// The plain text before and behind its places.
    #[must_use]
    pub fn around(&self) -> (String, String) {
        let plain = |piece: Option<&Piece>| match piece {
            Some(Piece::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let behind = if self.pieces.len() > 1 { plain(self.pieces.last()) } else { String::new() };
        (plain(self.pieces.first()), behind)
    }

    /// Notes what of the item is needed.
    pub fn want(&self, item: &mut Wanted) {
        for place in self.places().filter(|place| place.root.is_none()) {
            place.pointer.want(item).all();
        }
    }

    /// The value; `None` where a place has nothing. A text that is one place alone keeps the kind of its value.
    ///
    /// # Errors
    /// A value that a function cannot take.
    pub fn value(&self, scope: &Scope) -> Result<Option<Value>, String> {
        if let [Piece::Place(place)] = self.pieces.as_slice() {
            return Ok(place.given(scope, None)?.map(Given::into_json));
        }
        Ok(self.text(scope)?.map(Value::String))
    }

    /// A point in time: its milliseconds, and the words for it; `None` where a place has nothing.
    ///
    /// # Errors
    /// A value that is not a point in time.
    pub(crate) fn time(&self, scope: &Scope) -> Result<Option<(i64, String)>, String> {
        let Some(value) = self.value(scope)? else { return Ok(None) };
        let words = text_of(&value);
        Ok(Some((Given::Json(value).ms()?, words)))
    }

    /// The text; `None` where a place has nothing.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn text(&self, scope: &Scope) -> Result<Option<String>, String> {
        self.filled(scope, None, |value| Ok(value.to_owned()))
    }

    /// The text, with places that lead into an item.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub fn text_of_item(&self, scope: &Scope, item: &Node<'_>) -> Result<Option<String>, String> {
        self.filled(scope, Some(item), |value| Ok(value.to_owned()))
    }

    /// The text, with each value in a place written by `write`.
    ///
    /// # Errors
    /// As [`Template::value`], and what `write` refuses.
    pub fn text_with(
        &self,
        scope: &Scope,
        write: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Option<String>, String> {
        self.filled(scope, None, write)
    }

    fn filled(
        &self,
        scope: &Scope,
        item: Option<&Node<'_>>,
        write: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Option<String>, String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Place(place) => match place.given(scope, item)? {
                    Some(given) => text.push_str(&write(&text_of(&given.into_json()))?),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(text))
    }
}

/// A value as a text: as it is, numbers in digits, everything else as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Given {
    fn into_json(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Time { words: Some(words), .. } => words.into(),
            Self::Time { ms, words: None } => rfc3339(ms).into(),
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Json(Value::Null)) || matches!(self, Self::Json(Value::String(text)) if text.is_empty())
    }

    fn ms(&self) -> Result<i64, String> {
        const NO_TIME: &str =
            "is not a point in time: `less`, `plus`, `ms`, `seconds`, `date`, `month`, `time` and `format` need one";
        match self {
            Self::Time { ms, .. } => Ok(*ms),
            Self::Json(Value::Number(number)) => number.as_i64().ok_or_else(|| NO_TIME.to_owned()),
            Self::Json(Value::String(text)) => {
                // A day is its first moment in UTC.
                let day = || Instant::parse(&format!("{text}T00:00:00Z")).map(Instant::epoch_ms).ok();
                let at = Instant::parse(text).map(Instant::epoch_ms).ok().or_else(|| odata_ms(text)).or_else(day);
                at.ok_or_else(|| NO_TIME.to_owned())
            }
            Self::Json(_) => Err(NO_TIME.to_owned()),
        }
    }
}

fn rfc3339(ms: i64) -> String {
    Instant::from_epoch_ms(ms).map(|at| at.to_string()).unwrap_or_default()
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = split_functions(text).into_iter();
        let path = parts.next().unwrap_or_default();
        let path = path.trim();
        let (root, pointer) = path.find('/').map_or((path, ""), |at| path.split_at(at));
        if path.is_empty() {
            return Err("an empty place; write {config/name}, or {{ and }} for braces".to_owned());
        }
        if !root.is_empty() {
            known(root, ROOTS, "value")?;
        }
        let functions = parts.map(|part| Function::parse(part.trim())).collect::<Result<Vec<_>, _>>()?;
        let root = Some(root).filter(|root| !root.is_empty()).map(str::to_owned);
        Ok(Self { root, pointer: Pointer::parse(pointer)?, functions })
    }

    /// Has it a value of its own where there is none?
    #[must_use]
    pub fn has_default(&self) -> bool {
        self.functions.iter().any(|function| matches!(function, Function::Default(_)))
    }

    /// The slots by whose keys it makes pseudonyms.
    #[cfg(feature = "author")]
    pub(crate) fn pseudonym_slots(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().filter_map(|function| match function {
            Function::Pseudonym(slot) => Some(slot.as_str()),
            _ => None,
        })
    }

    fn given(&self, scope: &Scope, item: Option<&Node<'_>>) -> Result<Option<Given>, String> {
        let found = match &self.root {
            None => item.and_then(|item| self.pointer.filled(item)).map(|node| Given::Json(node.value())),
            Some(root) => scope.values.get(root.as_str()).and_then(|given| self.inside(given)),
        };
        let mut given = found.filter(|given| !given.is_blank());
        for function in &self.functions {
            given = match (function, given) {
                (Function::Default(text), None) => Some(Given::Json(text.as_str().into())),
                (_, None) => None,
                (Function::If(is, then, otherwise), Some(given)) => {
                    let then = Some(then).filter(|_| text_of(&given.into_json()) == *is).or(otherwise.as_ref());
                    then.map(|text| Given::Json(text.as_str().into()))
                }
                (function, Some(given)) => {
                    Some(function.apply(given).map_err(|why| format!("{}: {why}", self.name()))?)
                }
            };
        }
        Ok(given)
    }

    fn inside(&self, given: &Given) -> Option<Given> {
        let pointer = self.pointer.text();
        match given {
            given if pointer.is_empty() => Some(given.clone()),
            // What is kept of a parent's item stands under its pointer.
            Given::Json(Value::Object(members)) if members.contains_key(pointer) => {
                members.get(pointer).cloned().map(Given::Json)
            }
            Given::Json(value) if self.pointer.is_plain() => value.pointer(pointer).cloned().map(Given::Json),
            Given::Json(value) => self.pointer.find(&Node::from(value)).map(|node| Given::Json(node.value())),
            Given::Time { .. } => None,
        }
    }

    fn name(&self) -> String {
        format!("{{{}{}}}", self.root.as_deref().unwrap_or_default(), self.pointer.text())
    }
}

/// `a | join '|'`: a bar within quotes is part of the text.
fn split_functions(text: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in text.chars() {
        quoted ^= c == '\'';
        match c {
            '|' if !quoted => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
}

impl Function {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, argument) = text.split_once(' ').map_or((text, None), |(name, rest)| (name, Some(rest.trim())));
        known(name, FUNCTIONS, "function")?;
        let unquoted = argument.map(|text| {
            let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            inner.unwrap_or(text).to_owned()
        });
        let wants = || format!("`{name}` needs a text behind it: `{name} '…'`");
        let span = || -> Result<i64, String> { duration_ms(&unquoted.clone().ok_or_else(wants)?) };
        let bare = match name {
            "default" => return unquoted.clone().map(Self::Default).ok_or_else(wants),
            "if" => return Self::parse_if(argument.unwrap_or_default()),
            "join" => return unquoted.clone().map(Self::Join).ok_or_else(wants),
            "cut" => {
                let most = argument.and_then(|text| text.parse().ok()).filter(|most| *most > 0);
                return most
                    .map(Self::Cut)
                    .ok_or_else(|| "`cut` needs how many characters to keep: `cut 50`".to_owned());
            }
            "less" => return span().map(|ms| Self::Move(-ms)),
            "plus" => return span().map(Self::Move),
            "format" => return Self::format(unquoted.clone().ok_or_else(wants)?),
            "pseudonym" => return unquoted.clone().map(Self::Pseudonym).ok_or_else(wants),
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "text" => Self::Text,
            "number" => Self::Number,
            "json" => Self::Json,
            "ms" => Self::Ms,
            "seconds" => Self::Seconds,
            "date" => Self::Date,
            "month" => Self::Month,
            _ => Self::Time,
        };
        match argument {
            None => Ok(bare),
            Some(_) => Err(format!("`{name}` takes nothing behind it")),
        }
    }

    fn parse_if(argument: &str) -> Result<Self, String> {
        const WANTED: &str = "`if` needs two or three texts behind it: `if 'DEBIT' 'S' 'H'`";
        let (mut texts, mut rest) = (Vec::new(), argument.trim());
        while !rest.is_empty() {
            let (text, after) = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).ok_or(WANTED)?;
            texts.push(text.to_owned());
            rest = after.trim_start();
        }
        match <[String; 3]>::try_from(texts) {
            Ok([is, then, otherwise]) => Ok(Self::If(is, then, Some(otherwise))),
            Err(texts) => match <[String; 2]>::try_from(texts) {
                Ok([is, then]) => Ok(Self::If(is, then, None)),
                Err(_) => Err(WANTED.to_owned()),
            },
        }
    }

    /// A form of time that can be written.
    fn format(form: String) -> Result<Self, String> {
        match jiff::fmt::strtime::format(&form, Timestamp::UNIX_EPOCH) {
            Ok(_) => Ok(Self::Format(form)),
            Err(why) => Err(format!("`format '{form}'`: {why}; write it as %Y-%m-%dT%H:%M:%SZ")),
        }
    }

    fn apply(&self, given: Given) -> Result<Given, String> {
        let json = |value: Value| Ok(Given::Json(value));
        match self {
            Self::Default(_) | Self::If(..) => Ok(given),
            Self::Move(by) => Ok(Given::Time { ms: given.ms()?.saturating_add(*by), words: None }),
            Self::Ms => json(given.ms()?.into()),
            Self::Seconds => json(given.ms()?.div_euclid(1000).into()),
            Self::Time => json(rfc3339(given.ms()?).into()),
            Self::Date | Self::Month => {
                let at = Timestamp::from_millisecond(given.ms()?).map_err(|_| "a time that no calendar has")?;
                let form = if *self == Self::Date { "%Y-%m-%d" } else { "%Y-%m" };
                json(at.strftime(form).to_string().into())
            }
            Self::Format(form) => {
                let at = Timestamp::from_millisecond(given.ms()?).map_err(|_| "a time that no calendar has")?;
                json(jiff::fmt::strtime::format(form, at).map_err(|why| why.to_string())?.into())
            }
            Self::Lower => json(text_of(&given.into_json()).to_lowercase().into()),
            Self::Upper => json(text_of(&given.into_json()).to_uppercase().into()),
            Self::Text => json(text_of(&given.into_json()).into()),
            Self::Pseudonym(slot) => {
                let made = seal::pseudonym(slot, &text_of(&given.into_json())).map_err(|failure| failure.message)?;
                json(made.into())
            }
            Self::Json => json(given.into_json().to_string().into()),
            Self::Cut(most) => {
                json(text_of(&given.into_json()).chars().take(*most).collect::<String>().trim_end().into())
            }
            Self::Number => {
                let text = text_of(&given.into_json());
                json(serde_json::from_str::<serde_json::Number>(text.trim()).map_err(|_| "is not a number")?.into())
            }
            Self::Join(between) => match given.into_json() {
                Value::Array(items) => json(items.iter().map(text_of).collect::<Vec<_>>().join(between).into()),
                other => json(other),
            },
        }
    }
}

/// `10m`, `36h`, `7d` in milliseconds.
///
/// # Errors
/// A text that is not a duration.
pub fn duration_ms(text: &str) -> Result<i64, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let found = units.iter().find_map(|(unit, ms)| {
        let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*ms).filter(|ms| *ms >= 0)
    });
    found.ok_or_else(|| format!("`{text}` is not a duration: write 30s, 10m, 36h or 7d"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::shape::Shape;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.set("config", json!({ "board": "a b", "day": "2026-01-01", "ids": [1, 2], "none": null }));
        scope.set("page", json!({ "size": 50 }));
        scope.set_time("since", 1_767_225_600_000, Some("2026-01-01".into()));
        scope.set_time("now", 1_767_225_600_000, None);
        scope
    }

    fn value(text: &str) -> Option<Value> {
        Template::parse(text).unwrap().value(&scope()).unwrap()
    }

    #[test]
    fn a_place_alone_keeps_its_kind_and_one_in_a_text_becomes_text() {
        assert_eq!(value("{page/size}"), Some(json!(50)));
        assert_eq!(value("n={page/size}"), Some(json!("n=50")));
        assert_eq!(value("{config/ids}"), Some(json!([1, 2])));
        assert_eq!(value("{config/ids | join ','}"), Some(json!("1,2")));
        assert_eq!(value("{{{page/size}}}"), Some(json!("{50}")));
    }

    #[test]
    fn what_refers_to_nothing_is_left_out_and_a_default_keeps_it() {
        assert_eq!(value("gte|{page/token}"), None);
        assert_eq!(value("{config/none}"), None);
        assert_eq!(value("{page/token | default 'x|y'}"), Some(json!("x|y")));
        let shape =
            Shape::parse(&json!({ "a": "{page/token}", "b": ["{page/size}", "{page/token}"], "c": 1 })).unwrap();
        assert_eq!(shape.value(&scope()).unwrap(), Some(json!({ "b": [50], "c": 1 })));
    }

    #[test]
    fn times_keep_the_vendors_words_until_a_function_wants_another_form() {
        assert_eq!(value("{since}"), Some(json!("2026-01-01")));
        assert_eq!(value("{since | ms}"), Some(json!(1_767_225_600_000_i64)));
        assert_eq!(value("{since | less 1d | date}"), Some(json!("2025-12-31")));
        assert_eq!(value("{now | plus 90s | time}"), Some(json!("2026-01-01T00:01:30.000Z")));
        assert_eq!(value("{now | seconds}"), Some(json!(1_767_225_600)));
        assert_eq!(value("{now | less 1d | month}"), Some(json!("2025-12")));
        let mut scope = scope();
        scope.set("input", json!({ "day": "2025-11-30", "none": "soon" }));
        assert_eq!(Template::parse("{input/day | month}").unwrap().value(&scope).unwrap(), Some(json!("2025-11")));
        assert!(Template::parse("{input/none | month}").unwrap().value(&scope).is_err());
        assert_eq!(value("{now | plus 1500ms | format '%Y%m%dT%H%M%S.%3fZ'}"), Some(json!("20260101T000001.500Z")));
        assert_eq!(value("{config/day | ms}"), Some(json!(1_767_225_600_000_i64)), "a day is its first moment in UTC");
    }

    #[test]
    fn a_text_is_cut_to_what_the_vendor_takes() {
        let mut scope = scope();
        scope.set("input", json!({ "text": "三月工资 of March", "short": "x" }));
        let cut = |text: &str| Template::parse(text).unwrap().value(&scope).unwrap();
        assert_eq!(
            (cut("{input/text | cut 4}"), cut("{input/text | cut 5}")),
            (Some(json!("三月工资")), Some(json!("三月工资")))
        );
        assert_eq!((cut("{input/short | cut 5}"), cut("{input/none | cut 5}")), (Some(json!("x")), None));
    }

    #[test]
    fn a_time_of_odata_is_a_time() {
        let mut scope = scope();
        for text in ["/Date(1767225600000)/", "/Date(1767225600000+0000)/", "/Date(1767225600000-0530)/"] {
            scope.set("input", json!(text));
            let value = Template::parse("{input | time}").unwrap().value(&scope).unwrap();
            assert_eq!(value, Some(json!("2026-01-01T00:00:00.000Z")), "{text}");
        }
    }

    #[test]
    fn an_unknown_value_or_function_is_told_with_the_nearest_one() {
        for (text, meant) in [("{confg/a}", "`config`"), ("{page/size | jion ','}", "`join`"), ("{sinc}", "`since`")] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(&format!("did you mean {meant}?")), "{text}: {error}");
        }
        for text in [
            "{config/a",
            "a}",
            "{}",
            "{page/size | join}",
            "{page/size | lower x}",
            "{now | less soon}",
            "{now | cut 0}",
            "{now | format '%!'}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
