//! The class of every field, read out of the JSON Schema once: there is no second list that could differ.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::json_schema::{Node, json_schema};
use crate::kind::EntityKind;
use crate::types::Sensitivity;

/// Pointer pattern to class: `/person/emails/*/address`; `*` is any index of a list or any key of a map.
pub type Classes = BTreeMap<String, Sensitivity>;

static ALL: LazyLock<Vec<Classes>> = LazyLock::new(|| EntityKind::ALL.iter().map(|kind| classes(*kind)).collect());

/// The class of every leaf field of an entity. A field has the highest class that stands on it or on what it is in, and INTERNAL
/// where none does.
#[must_use]
pub fn sensitivity(kind: EntityKind) -> &'static Classes {
    &ALL[kind as usize]
}

/// The class of the value at a JSON Pointer, with real indices and keys: the highest of all that is in it. None when the schema
/// has no such place.
#[must_use]
pub fn class_of(kind: EntityKind, pointer: &str) -> Option<Sensitivity> {
    let wanted: Vec<&str> = pointer.split('/').skip(1).collect();
    let below = |pattern: &str| {
        let mut segments = pattern.split('/').skip(1);
        wanted.iter().all(|part| segments.next().is_some_and(|segment| segment == "*" || segment == *part))
    };
    sensitivity(kind).iter().filter(|(pattern, _)| below(pattern)).map(|(_, class)| *class).max()
}

fn classes(kind: EntityKind) -> Classes {
    let schema = json_schema(kind);
    let mut classes = Classes::new();
    collect(Node::new(&schema, &schema), &mut String::new(), None, &mut classes);
    classes
}

fn collect(node: Node<'_>, pointer: &mut String, above: Option<Sensitivity>, classes: &mut Classes) {
    let own = node.both("x-sensitivity").filter_map(|class| Sensitivity::from_code(class.as_str()?)).max();
    let class = above.max(own);
    let children = node.children();
    if children.is_empty() {
        classes.insert(pointer.clone(), class.unwrap_or(Sensitivity::Internal));
    }
    for (segment, child) in children {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(segment);
        collect(child, pointer, class, classes);
        pointer.truncate(length);
    }
}
