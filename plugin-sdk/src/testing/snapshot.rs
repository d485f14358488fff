//! Records against a file of the records that they should be.

use std::path::Path;

use serde_json::Value;

use super::readable;
use crate::Envelope;

/// If this variable is set, the snapshot is rewritten.
const UPDATE: &str = "RENMEN_UPDATE_SNAPSHOTS";
/// Characters of a value that are shown.
const SHOWN_MAX: usize = 200;

/// Compares records, as [`readable`] writes them, with a JSON file. `RENMEN_UPDATE_SNAPSHOTS=1 cargo test` rewrites the
/// file; read the difference before you commit it.
///
/// # Panics
/// When they differ: with the file, the first record that differs, where in it, and both values. When the file cannot be read
/// or written.
#[track_caller]
pub fn assert_snapshot(file: impl AsRef<Path>, records: &[Envelope]) {
    let (file, found) = (file.as_ref(), readable(records));
    let shown = file.display();
    if std::env::var_os(UPDATE).is_some() {
        let written = std::fs::write(file, format!("{found:#}\n"));
        return written.unwrap_or_else(|error| panic!("{shown}: {error}"));
    }
    let hint = format!("if this is what you want: {UPDATE}=1 cargo test");
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{shown}: {error}\n{hint}"));
    let kept: Value = crate::locate::parse(&text).unwrap_or_else(|fault| panic!("{shown}: {fault}\n{hint}"));
    if let Some(difference) = first_difference(&kept, &found) {
        panic!("{shown}: {difference}\n{hint}");
    }
}

/// The first record that differs, or that only one side has.
fn first_difference(kept: &Value, found: &Value) -> Option<String> {
    let (kept, found) = (list(kept), list(found));
    for number in 0..kept.len().max(found.len()) {
        let named =
            |record: &Value| format!("record {} (`{}`)", number + 1, record["external_id"].as_str().unwrap_or("?"));
        match (kept.get(number), found.get(number)) {
            (Some(old), Some(new)) => {
                if let Some((pointer, old_value, new_value)) = differing(old, new, String::new()) {
                    let (old_value, new_value) = (short(old_value), short(new_value));
                    let record = named(new);
                    return Some(format!(
                        "{record} differs at {pointer}\n  snapshot: {old_value}\n  now:      {new_value}"
                    ));
                }
            }
            (Some(old), None) => return Some(format!("{} of the snapshot is no longer there", named(old))),
            (None, Some(new)) => return Some(format!("{} is not in the snapshot", named(new))),
            (None, None) => {}
        }
    }
    None
}

fn list(records: &Value) -> &[Value] {
    records.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Pointer and both sides of the first leaf that differs; a side without that leaf is `None`.
fn differing<'v>(old: &'v Value, new: &'v Value, at: String) -> Option<(String, Option<&'v Value>, Option<&'v Value>)> {
    let below = |key: &dyn std::fmt::Display, old: Option<&'v Value>, new: Option<&'v Value>| {
        let at = format!("{at}/{}", renmen_schema::pointer::escape(&key.to_string()));
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
            (0..olds.len().max(news.len())).find_map(|index| below(&index, olds.get(index), news.get(index)))
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
    use serde_json::json;

    use super::*;

    fn records() -> Value {
        json!([
            { "external_id": "a-1", "payload": { "number": "1", "person": { "phones": [{ "number": "5" }] } } },
            { "external_id": "a-2", "payload": { "number": "2" } },
        ])
    }

    #[test]
    fn a_mismatch_names_the_record_the_place_and_both_values() {
        let (kept, mut found) = (records(), records());
        assert_eq!(first_difference(&kept, &found), None);
        found[1]["payload"]["number"] = json!("3");
        let told = first_difference(&kept, &found).unwrap();
        assert_eq!(told, "record 2 (`a-2`) differs at /payload/number\n  snapshot: \"2\"\n  now:      \"3\"");
    }

    #[test]
    fn what_only_one_side_has_is_told_as_nothing() {
        let (kept, mut found) = (records(), records());
        found[0]["payload"]["person"]["phones"] = json!([{ "number": "5" }, { "number": "6" }]);
        let told = first_difference(&kept, &found).unwrap();
        assert!(told.contains("at /payload/person/phones/1\n") && told.contains("snapshot: nothing"), "{told}");
        let told = first_difference(&found, &kept).unwrap();
        assert!(told.contains("now:      nothing"), "{told}");
    }

    #[test]
    fn a_record_too_many_or_too_few_is_named() {
        let (all, mut fewer) = (records(), records());
        fewer.as_array_mut().unwrap().pop();
        assert_eq!(first_difference(&all, &fewer).unwrap(), "record 2 (`a-2`) of the snapshot is no longer there");
        assert_eq!(first_difference(&fewer, &all).unwrap(), "record 2 (`a-2`) is not in the snapshot");
    }
}
