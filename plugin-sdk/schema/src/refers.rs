//! Which kind of record a reference means, asked of the schema.

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

#[cfg(test)]
mod tests {
    use super::refers_to;
    use crate::kind::EntityKind;

    fn asked(kind: EntityKind, pointer: &str) -> Option<EntityKind> {
        refers_to(kind, &pointer.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>())
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
