//! Values as TOML on one line, as a person would write them.

use serde_json::Value;

/// A value within a line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text_of(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{} = {}", key(name), inline(value));
            format!(
                "{{ {} }}",
                members.iter().filter(|(_, value)| !value.is_null()).map(member).collect::<Vec<_>>().join(", ")
            )
        }
        other => other.to_string(),
    }
}

/// A key.
pub(super) fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_bare { name.to_owned() } else { text_of(name) }
}

/// A text. What JSON escapes, TOML escapes in the same way; it wants the character DEL escaped as well.
pub(super) fn text_of(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// A line of a comment.
pub(super) fn comment(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {}", flat.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let value = json!({ "a": "x\"y\\z\n\u{1}\u{7f}{q}", "/b/c": [1, true, 1.5, { "d e": [] }], "": {} });
        let table: toml::Table = toml::from_str(&format!("v = {}", inline(&value))).unwrap();
        assert_eq!(serde_json::to_value(&table["v"]).unwrap(), value);
    }
}
