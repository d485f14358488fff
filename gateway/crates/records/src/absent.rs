//! What is absent is left out. A `null` would be dropped in silence, and the schema has none.

use renmen_schema::{Defect, text};
use serde_json::Value;

use crate::ask::defect;

/// Every `null` of a body, with its place.
pub(crate) fn nulls(given: &[u8]) -> Vec<Defect> {
    let mut found = Vec::new();
    // What cannot be read was refused before.
    if let Ok(value) = serde_json::from_slice(given) {
        walk(&value, &mut String::new(), &mut found);
    }
    found
}

fn walk(value: &Value, path: &mut String, found: &mut Vec<Defect>) {
    let length = path.len();
    let mut inside = |name: &str, member: &Value, path: &mut String| {
        path.push('/');
        path.push_str(&renmen_schema::pointer::escape(name));
        walk(member, path, found);
        path.truncate(length);
    };
    match value {
        Value::Null => {
            found.push(defect(
                path.as_str(),
                "null_value",
                text!("null; leave the field out where there is nothing", "为 null；没有内容时请省略该字段"),
            ));
        }
        Value::Object(members) => members.iter().for_each(|(name, member)| inside(name, member, path)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| inside(&at.to_string(), item, path)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::nulls;

    #[test]
    fn each_null_is_told_with_its_place_and_nothing_else_is() {
        let body = br#"{"a":null,"b":{"c/d":[1,null]},"e":"null","f":false}"#;
        let places: Vec<_> = nulls(body).into_iter().map(|defect| defect.path).collect();
        assert_eq!(places, ["/a", "/b/c~1d/1"]);
    }
}
