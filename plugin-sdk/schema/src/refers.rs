//! What a reference means: which kind of record, asked of the schema, and which one of them, asked of its JSON.

use serde_json::Value;

use crate::id::ConnectionName;
use crate::json_schema::{Node, json_schema};
use crate::kind::EntityKind;

/// The kind of record that the reference at a place means: an application's `/candidate` means a candidate. A `*` or an index
/// stands for an item of a list. None when there is no such place, or no reference.
#[must_use]
pub fn refers_to(kind: EntityKind, path: &[String]) -> Option<EntityKind> {
    let schema = json_schema(kind);
    let mut node = Node::new(&schema, &schema);
    for segment in path {
        let fits = |(name, _): &(&str, Node<'_>)| *name == segment || *name == "*";
        node = node.children().into_iter().find(fits)?.1;
    }
    EntityKind::from_name(node.get("x-ref-entity")?.as_str()?)
}

/// The id in another system that a reference carries, with the connection whose system gave it: the reference's own, else that of
/// the record it stands in. None for a reference by our id alone, and for a connection that is no name.
#[must_use]
pub fn external_of<'v>(reference: &'v Value, from: &ConnectionName) -> Option<(ConnectionName, &'v str)> {
    let external = &reference["external"];
    let value = external["value"].as_str()?;
    let connection = match external["connection"].as_str() {
        None => from.clone(),
        Some(name) => ConnectionName::new(name).ok()?,
    };
    Some((connection, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::{external_of, refers_to};
    use crate::id::ConnectionName;
    use crate::kind::EntityKind;

    fn asked(kind: EntityKind, pointer: &str) -> Option<EntityKind> {
        refers_to(kind, &pointer.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn an_id_without_a_connection_is_of_the_record_that_holds_it() {
        let name = |text: &str| ConnectionName::new(text).unwrap();
        let here = name("here");
        assert_eq!(external_of(&json!({ "external": { "value": "7" } }), &here), Some((here.clone(), "7")));
        let there = json!({ "external": { "value": "7", "connection": "there" } });
        assert_eq!(external_of(&there, &here), Some((name("there"), "7")));
        let nowhere = json!({ "external": { "value": "7", "connection": "No Name" } });
        for none in [nowhere, json!({ "id": "1" }), json!(null)] {
            assert_eq!(external_of(&none, &here), None);
        }
    }

    #[test]
    fn a_reference_tells_its_kind_and_nothing_else_does() {
        assert_eq!(asked(EntityKind::Application, "/candidate"), Some(EntityKind::Candidate));
        assert_eq!(asked(EntityKind::InterviewResult, "/interview"), Some(EntityKind::Interview));
        assert_eq!(asked(EntityKind::Application, "/stage"), None);
        assert_eq!(asked(EntityKind::Application, "/nobody"), None);
        assert_eq!(asked(EntityKind::Application, ""), None);
    }
}
