//! RFC 6901 pointers that write: the last step is made where it is not there.

use serde_json::{Map, Value};

/// The steps of a pointer, unescaped. A pointer that does not begin with `/` has none.
fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// One name as a step of a pointer.
#[must_use]
pub fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Puts a value at a pointer; objects that are missing on the way are made, and a value that is not a container is replaced by one.
/// An index beyond the end of a list changes nothing.
pub fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut at = root;
    for step in steps(pointer) {
        if let Value::Array(_) = at {
            let Some(item) = step.parse::<usize>().ok().and_then(|index| at.get_mut(index)) else { return };
            at = item;
            continue;
        }
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { return };
        at = members.entry(step).or_insert(Value::Null);
    }
    *at = value;
}

/// Takes the member at a pointer away; gives what it was.
pub fn take(root: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, _) = pointer.rsplit_once('/')?;
    let name = steps(pointer).pop()?;
    match root.pointer_mut(parent)? {
        Value::Object(members) => members.remove(&name),
        Value::Array(items) => {
            let index = name.parse::<usize>().ok().filter(|&index| index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

/// A text or number as text; none for all else.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_on_the_way_is_made() {
        let mut root = json!({});
        put(&mut root, "/result/list", json!([1]));
        put(&mut root, "/result/list/0", json!(2));
        put(&mut root, "/a~1b/c~0d", json!(3));
        assert_eq!(root, json!({"result": {"list": [2]}, "a/b": {"c~d": 3}}));
        assert_eq!(step("a/b~c"), "/a~1b~0c");
        put(&mut root, "", json!("all"));
        assert_eq!(root, json!("all"));
    }

    #[test]
    fn a_member_is_taken_and_what_is_not_there_is_not() {
        let mut root = json!({"a": {"b": 1}, "c": [1, 2]});
        assert_eq!(take(&mut root, "/a/b"), Some(json!(1)));
        assert_eq!(take(&mut root, "/c/0"), Some(json!(1)));
        assert_eq!((take(&mut root, "/x/y"), take(&mut root, "/c/9"), take(&mut root, "")), (None, None, None));
        assert_eq!(root, json!({"a": {}, "c": [2]}));
    }
}
