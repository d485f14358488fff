//! JSON errors for people: where (RFC 6901 pointer, line and column), what kind of thing was found and what was
//! expected, and never the value itself, which may be a person's.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_path_to_error::Segment;

/// Parses, and on a fault parses once more to learn the path: the good way through pays nothing for it.
///
/// # Errors
/// `/work/hire_date: invalid type: integer …, expected a string at line 3 column 9`.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| with_path::<T>(json).unwrap_or_else(|| describe(&error)))
}

fn with_path<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => _ = write!(pointer, "/{index}"),
            Segment::Map { key } => _ = write!(pointer, "/{}", renmen_schema::pointer::escape(key)),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let place = if pointer.is_empty() { "the top level".to_owned() } else { pointer };
    Some(format!("{place}: {}", describe(error.inner())))
}

/// The error with its line and column, without any value of the document.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = whole.strip_suffix(place.as_str()).unwrap_or(&whole);
    let message = if error.is_data() { without_values(message) } else { message.to_owned() };
    if error.line() == 0 { message } else { format!("{message}{place}") }
}

/// serde words its messages in a few fixed ways: from the first quote or backtick on it is the document's own text,
/// except where the message names a field of our types or says what was expected.
fn without_values(message: &str) -> String {
    if message.starts_with("missing field") || message.starts_with("duplicate field") {
        return message.to_owned();
    }
    let (found, expected) = match message.rfind(", expected ") {
        Some(at) => message.split_at(at),
        None => (message, ""),
    };
    match found.find(['"', '`']) {
        Some(at) => format!("{}…{expected}", &found[..at]),
        None => format!("{found}{expected}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only parsing is looked at")]
    struct Row {
        id: u32,
        #[serde(default)]
        tags: Vec<Tag>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only parsing is looked at")]
    enum Tag {
        Good,
    }

    #[test]
    fn a_fault_names_pointer_types_and_place_without_the_value() {
        let cases = [
            (r#"{"id":"31010119900101"}"#, "/id: invalid type: string …, expected u32"),
            (r#"{"id":1,"tags":["Secret"]}"#, "/tags/0: unknown variant …, expected `Good`"),
            (r#"{"tags":[]}"#, "the top level: missing field `id`"),
            (r#"{"id":-5550100}"#, "/id: invalid value: integer …, expected u32"),
        ];
        for (json, expected) in cases {
            let fault = parse::<Row>(json.as_bytes()).unwrap_err();
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn a_quote_inside_the_value_does_not_let_it_out() {
        let fault = parse::<Row>(r#"{"id":"a\" leaked, expected \"b leaked"}"#.as_bytes()).unwrap_err();
        assert!(!fault.contains("leaked"), "{fault}");
    }
}
