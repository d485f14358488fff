//! Units are asked in the same way as people: each operation of `/v1/people` is copied for `/v1/units`, with the words for units.

use serde_json::Value;

const PEOPLE: &str = "/v1/people";
/// In this order.
const WORDS: [(&str, &str); 6] = [
    ("People", "Units"),
    ("people", "units"),
    ("person's", "unit's"),
    ("persons", "units"),
    ("a person", "a unit"),
    ("person", "unit"),
];

/// Adds the operations of units.
pub(super) fn add(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let of_people: Vec<(String, Value)> = paths
        .iter()
        .filter(|(path, _)| path.starts_with(PEOPLE))
        .map(|(path, item)| (path.clone(), item.clone()))
        .collect();
    for (path, mut item) in of_people {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            for member in ["operationId", "summary", "description"] {
                reword(&mut operation[member]);
            }
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                reword(&mut parameter["description"]);
            }
        }
        paths.insert(path.replacen(PEOPLE, "/v1/units", 1), item);
    }
}

fn reword(member: &mut Value) {
    if let Value::String(text) = member {
        *text = WORDS.iter().fold(std::mem::take(text), |text, (people, units)| text.replace(people, units));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_of_people_is_said_of_units() {
        let list = json!({ "get": { "operationId": "list_people", "summary": "The people. A record is a person by itself.",
                                    "parameters": [{ "name": "limit", "description": "People per response" }] } });
        let mut document = json!({ "paths": { "/v1/people": list, "/v1/keys": {} } });
        add(&mut document);
        let get = &document["paths"]["/v1/units"]["get"];
        assert_eq!(get["operationId"], "list_units");
        assert_eq!(get["summary"], "The units. A record is a unit by itself.");
        assert_eq!(get["parameters"][0]["description"], "Units per response");
        assert_eq!(document["paths"].as_object().map(serde_json::Map::len), Some(3));
        assert!(get.get("description").is_none_or(Value::is_null));
    }
}
