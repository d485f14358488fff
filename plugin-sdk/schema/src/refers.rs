//! What a reference means: which kind of record, asked of the schema, and which one of them, asked of its JSON.

use std::sync::LazyLock;

use serde_json::Value;

use crate::id::ConnectionName;
use crate::json_schema::{Node, json_schema};
use crate::kind::EntityKind;
use crate::pointer::escape;

/// The kind of record that the reference at a place means: an application's `/candidate` means a candidate. A `*` or an
/// index stands for an item of a list. None when the place does not exist, or is not a reference.
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

/// A place where records of a kind refer to others.
#[derive(Debug)]
pub struct RefPlace {
    /// What people call it: the members that lead to it with dots between them, without those that count the items of a list:
    /// `hiring_team.person`.
    pub name: String,
    /// The same as a pointer pattern: `/hiring_team/*/person`.
    pub(crate) pattern: String,
    /// What is meant.
    pub to: EntityKind,
}

/// Of each kind, its references. The schema is asked once.
static PLACES: LazyLock<Vec<Vec<RefPlace>>> = LazyLock::new(|| {
    let places = |kind: &EntityKind| {
        let schema = json_schema(*kind);
        let mut found = Vec::new();
        collect(Node::new(&schema, &schema), &mut String::new(), &mut found);
        found
    };
    EntityKind::ALL.iter().map(places).collect()
});

fn collect(node: Node<'_>, pattern: &mut String, found: &mut Vec<RefPlace>) {
    if let Some(to) = node.get("x-ref-entity").and_then(Value::as_str).and_then(EntityKind::from_name) {
        let members: Vec<&str> = pattern.split('/').filter(|member| !member.is_empty() && *member != "*").collect();
        found.push(RefPlace { name: members.join("."), pattern: pattern.clone(), to });
        return;
    }
    for (segment, child) in node.children() {
        let length = pattern.len();
        pattern.push('/');
        pattern.push_str(segment);
        collect(child, pattern, found);
        pattern.truncate(length);
    }
}

/// Where records of a kind refer to others, in the order of the schema's fields.
#[must_use]
pub fn ref_places(kind: EntityKind) -> &'static [RefPlace] {
    &PLACES[kind as usize]
}

/// A reference in a body.
#[derive(Debug)]
pub struct Reference<'v> {
    /// Where it stands: a JSON Pointer.
    pub pointer: String,
    /// What people call the place: [`RefPlace::name`].
    pub name: &'static str,
    /// What it means.
    pub to: EntityKind,
    /// What it says.
    pub value: &'v Value,
}

/// Every reference in a body, in the order of the schema's fields.
#[must_use]
pub fn references(kind: EntityKind, body: &Value) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for RefPlace { name, pattern, to } in ref_places(kind) {
        each(body, pattern, &mut String::new(), &mut |pointer, value| {
            let names = ["id", "external", "key"].iter().any(|member| !value[member].is_null());
            if names {
                found.push(Reference { pointer: pointer.to_owned(), name, to: *to, value });
            }
        });
    }
    found
}

/// Everything that a pointer pattern leads to, with its pointer; `*` is each item of a list and each member of a map.
pub(crate) fn each<'v>(value: &'v Value, pattern: &str, pointer: &mut String, found: &mut impl FnMut(&str, &'v Value)) {
    let Some(rest) = pattern.strip_prefix('/') else { return found(pointer, value) };
    let (member, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut inside = |name: &str, inner: &'v Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(name);
        each(inner, below, pointer, found);
        pointer.truncate(length);
    };
    match value {
        Value::Array(items) if member == "*" => {
            items.iter().enumerate().for_each(|(at, item)| inside(&at.to_string(), item));
        }
        Value::Object(members) if member == "*" => {
            members.iter().for_each(|(name, inner)| inside(&escape(name), inner));
        }
        Value::Object(members) => {
            if let Some(inner) = members.get(member) {
                inside(member, inner);
            }
        }
        _ => {}
    }
}

/// Members by which a record belongs to another one.
const BELONGS: [&str; 8] = ["candidate", "application", "interview", "order", "offer", "answer", "result", "position"];
/// Members that hold a choice of the above.
const CHOICES: [&str; 2] = ["subject", "on"];
/// Entities whose records the gateway finds by what they belong to.
const FOUND: [EntityKind; 15] = [
    EntityKind::Application,
    EntityKind::InterviewOrder,
    EntityKind::Interview,
    EntityKind::InterviewAnswer,
    EntityKind::InterviewResult,
    EntityKind::DimensionScore,
    EntityKind::EnvironmentEvent,
    EntityKind::ProcessNode,
    EntityKind::Decision,
    EntityKind::Notification,
    EntityKind::Assessment,
    EntityKind::Offer,
    EntityKind::Tag,
    EntityKind::Survey,
    EntityKind::PositionProfile,
];

/// Does a record of one entity belong to one of another, so that the gateway finds it from there: a score to its interview, that to
/// its application, that to its candidate?
#[must_use]
pub fn belongs_to(child: EntityKind, parent: EntityKind) -> bool {
    let means = |path: &[&str]| {
        let path: Vec<String> = path.iter().map(|segment| (*segment).to_owned()).collect();
        refers_to(child, &path) == Some(parent)
    };
    FOUND.contains(&child)
        && BELONGS.iter().any(|member| means(&[member]) || CHOICES.iter().any(|choice| means(&[choice, member])))
}

/// The id in another system that a reference carries, with the connection whose system gave it: the reference's own,
/// else that of the record it stands in. None for a reference by our id alone, and when the connection is not a valid
/// name.
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
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{belongs_to, external_of, ref_places, references, refers_to};
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
    fn a_record_belongs_to_what_it_hangs_on_and_to_nothing_else_that_it_names() {
        for (child, parent) in [
            (EntityKind::DimensionScore, EntityKind::Interview),
            (EntityKind::Decision, EntityKind::InterviewResult),
            (EntityKind::ProcessNode, EntityKind::Application),
            (EntityKind::Tag, EntityKind::Interview),
        ] {
            assert!(belongs_to(child, parent), "{child} of {parent}");
        }
        for (child, parent) in [
            (EntityKind::DimensionScore, EntityKind::Competency),
            (EntityKind::Interview, EntityKind::DimensionScore),
            (EntityKind::PayBand, EntityKind::Job),
        ] {
            assert!(!belongs_to(child, parent), "{child} of {parent}");
        }
    }

    #[test]
    fn every_place_of_a_reference_has_a_name_of_its_own_that_is_no_word_for_all_of_them() {
        for kind in EntityKind::ALL {
            let names: Vec<&str> = ref_places(*kind).iter().map(|place| place.name.as_str()).collect();
            let distinct: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(distinct.len(), names.len(), "{kind}: {names:?}");
            assert!(
                names.iter().all(|name| !name.is_empty() && *name != "all" && !name.contains([',', '*'])),
                "{names:?}"
            );
        }
        let of_a_job: Vec<&str> = ref_places(EntityKind::Job).iter().map(|place| place.name.as_str()).collect();
        assert!(of_a_job.contains(&"org_units") && of_a_job.contains(&"hiring_team.person"), "{of_a_job:?}");
    }

    #[test]
    fn references_are_found_where_the_schema_has_them_and_nowhere_else() {
        let body = json!({
            "position": { "external": { "connection": "hr", "value": "j1" } },
            "competencies": [
                { "competency": { "id": "0190a5d0-7b2c-7000-8000-000000000001" }, "weight": { "bp": 1 },
                  "dimensions": [{ "name": { "id": "bahasa" }, "modality": { "code": "SPEECH" } }] },
                { "competency": {} },
            ],
        });
        let found = references(EntityKind::PositionProfile, &body);
        let mut places: Vec<_> = found.iter().map(|found| (found.pointer.as_str(), found.to)).collect();
        places.sort_unstable();
        assert_eq!(places, [("/competencies/0/competency", EntityKind::Competency), ("/position", EntityKind::Job)]);
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
