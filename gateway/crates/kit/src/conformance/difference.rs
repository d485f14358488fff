//! Records next to those that they should be.

use renmen_plugin_host::Envelope;
use renmen_schema::pointer::escape;
use serde_json::{Value, json};

/// As `renmen_plugin::testing` writes it: both compare with the same file.
pub(super) fn readable(records: &[Envelope]) -> Value {
    let one = |record: &Envelope| {
        json!({
            "entity": record.entity,
            "external_id": record.external_id,
            "updated_at_ms": record.updated_at_ms,
            "deleted": record.deleted,
            "exchange": record.exchange,
            "pointer": record.pointer,
            "payload": serde_json::from_slice::<Value>(&record.payload).unwrap_or_default(),
        })
    };
    records.iter().map(one).collect()
}

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 200;

/// The first record that differs, or that only one side has.
pub(super) fn first_difference(kept: &Value, found: &Value) -> Option<String> {
    let list = |records: &'_ Value| records.as_array().map(Vec::len).unwrap_or_default();
    for number in 0..list(kept).max(list(found)) {
        let named =
            |record: &Value| format!("record {} (`{}`)", number + 1, record["external_id"].as_str().unwrap_or("?"));
        match (kept.get(number), found.get(number)) {
            (Some(old), Some(new)) => {
                if let Some((pointer, old_value, new_value)) = differing(old, new, String::new()) {
                    let (old_value, new_value) = (short(old_value), short(new_value));
                    return Some(format!(
                        "{} differs at {pointer}: expected {old_value}, found {new_value}",
                        named(new)
                    ));
                }
            }
            (Some(old), None) => return Some(format!("{} is no longer there", named(old))),
            (None, Some(new)) => return Some(format!("{} is one too many", named(new))),
            (None, None) => {}
        }
    }
    None
}

/// Pointer and both sides of the first leaf that differs; a side without that leaf is `None`.
fn differing<'v>(old: &'v Value, new: &'v Value, at: String) -> Option<(String, Option<&'v Value>, Option<&'v Value>)> {
    let below = |key: &str, old: Option<&'v Value>, new: Option<&'v Value>| {
        let at = format!("{at}/{}", escape(key));
        match (old, new) {
            (Some(old), Some(new)) => differing(old, new, at),
            (None, None) => None,
            (old, new) => Some((at, old, new)),
        }
    };
    match (old, new) {
        (Value::Object(olds), Value::Object(news)) => {
            let added = news.keys().filter(|key| !olds.contains_key(*key));
            olds.keys().chain(added).find_map(|key| below(key, olds.get(key), news.get(key)))
        }
        (Value::Array(olds), Value::Array(news)) => {
            (0..olds.len().max(news.len())).find_map(|at| below(&at.to_string(), olds.get(at), news.get(at)))
        }
        _ => (old != new).then_some((at, Some(old), Some(new))),
    }
}

fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_record_the_place_and_both_values_are_named() {
        let kept = json!([
            { "external_id": "a-1", "payload": { "phones": [{ "number": "5" }] } },
            { "external_id": "a-2", "payload": { "number": "2" } },
        ]);
        let mut found = kept.clone();
        assert_eq!(first_difference(&kept, &found), None);
        found[1]["payload"]["number"] = json!("3");
        let told = first_difference(&kept, &found).unwrap();
        assert_eq!(told, "record 2 (`a-2`) differs at /payload/number: expected \"2\", found \"3\"");
        found[0]["payload"]["phones"] = json!([{ "number": "5" }, { "number": "6" }]);
        let told = first_difference(&kept, &found).unwrap();
        assert_eq!(told, "record 1 (`a-1`) differs at /payload/phones/1: expected nothing, found {\"number\":\"6\"}");
        let fewer = json!([kept[0]]);
        assert_eq!(first_difference(&kept, &fewer).unwrap(), "record 2 (`a-2`) is no longer there");
        assert_eq!(first_difference(&fewer, &kept).unwrap(), "record 2 (`a-2`) is one too many");
    }
}
