//! The members of an item, as a schema and the transformations over it tell them.

use std::collections::BTreeMap;

use crate::airbyte::jinja::{Piece, parse, path, pointer};
use crate::airbyte::left::Lefts;
use crate::airbyte::translate::{Scope, text};
use crate::airbyte::yaml::Node;

use super::words;

/// A member of an item.
#[derive(Debug, Clone)]
pub(in crate::airbyte) struct Property {
    /// Its name in words.
    pub(in crate::airbyte) name: String,
    /// Where it stands in what the vendor sends.
    pub(in crate::airbyte) from: Origin,
    /// `string`, `array`, …, without `null`.
    pub(in crate::airbyte) types: Vec<String>,
    pub(in crate::airbyte) format: Option<String>,
    /// Its own members, by name.
    pub(in crate::airbyte) members: Vec<(String, Property)>,
    /// What a list holds.
    pub(in crate::airbyte) items: Option<Box<Property>>,
}

/// Where a member comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::airbyte) enum Origin {
    /// A pointer into the item.
    Pointer(String),
    /// A text with places: of the parent, of the configuration.
    Text(String),
}

impl Property {
    pub(in crate::airbyte) fn is(&self, kind: &str) -> bool {
        self.types.iter().any(|known| known == kind)
    }

    /// Is it a single value?
    pub(in crate::airbyte) fn is_scalar(&self) -> bool {
        !self.types.is_empty() && !self.is("object") && !self.is("array")
    }

    pub(in crate::airbyte) fn member(&self, name: &str) -> Option<&Property> {
        self.members.iter().map(|(_, member)| member).find(|member| member.name == name)
    }

    /// The pointer, where it is one.
    pub(in crate::airbyte) fn pointer(&self) -> Option<&str> {
        match &self.from {
            Origin::Pointer(at) => Some(at),
            Origin::Text(_) => None,
        }
    }

    fn of(name: &str, schema: &Node, at: String) -> Self {
        let types = match schema.get("type") {
            Some(one) if one.text().is_some() => vec![one.scalar().unwrap_or_default()],
            Some(several) => several.items().iter().filter_map(Node::scalar).collect(),
            None => Vec::new(),
        };
        let members = schema.get("properties").map(Node::members).unwrap_or_default();
        let members = members.iter().map(|(name, schema)| {
            let at = format!("{at}{}", pointer(std::slice::from_ref(name)));
            (name.clone(), Self::of(name, schema, at))
        });
        let items = schema.get("items").map(|items| Box::new(Self::of("", items, String::new())));
        Self {
            name: words(name),
            types: types.into_iter().filter(|kind| kind != "null").collect(),
            format: schema.word("format").map(str::to_owned),
            members: members.collect(),
            items,
            from: Origin::Pointer(at),
        }
    }
}

/// The members of an item, and the places that transformations gave other names: by the name that the manifest uses.
pub(in crate::airbyte) fn properties(
    schema: Option<&Node>,
    transformations: &[Node],
    scope: &Scope<'_>,
    left: &mut Lefts,
) -> BTreeMap<String, Property> {
    let mut known = BTreeMap::new();
    for (name, property) in schema.and_then(|schema| schema.get("properties")).map(Node::members).unwrap_or_default() {
        let at = pointer(std::slice::from_ref(name));
        known.insert(name.clone(), Property::of(name, property, at));
    }
    for transformation in transformations {
        match transformation.component() {
            "AddFields" => {
                for field in transformation.get("fields").map(Node::items).unwrap_or_default() {
                    added(field, scope, &mut known, left);
                }
            }
            // A mapping takes what it names and nothing else.
            "RemoveFields" => {}
            other => {
                left.add(
                    transformation,
                    other,
                    "names of members are those after it: compare them with what the vendor sends",
                );
                known.clear();
            }
        }
    }
    known
}

/// A member that the manifest makes: where what it is made of stands.
fn added(field: &Node, scope: &Scope<'_>, known: &mut BTreeMap<String, Property>, left: &mut Lefts) {
    let path_of: Vec<String> =
        field.get("path").map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect();
    let [name] = path_of.as_slice() else { return };
    let from = field.get("value").and_then(Node::scalar).and_then(|value| source(&value, known, scope));
    let Some(from) = from else {
        left.add(field, format!("AddFields `{name}`"), "made of more than one place: map it by hand");
        known.remove(name);
        return;
    };
    let types = vec!["string".to_owned()];
    let (members, items) = (Vec::new(), None);
    let kept = known.get(name).map(|property| (property.types.clone(), property.format.clone()));
    let (types, format) = kept.filter(|(types, _)| !types.is_empty()).unwrap_or((types, None));
    known.insert(name.clone(), Property { name: words(name), from, types, format, members, items });
}

fn source(value: &str, known: &BTreeMap<String, Property>, scope: &Scope<'_>) -> Option<Origin> {
    if let [Piece::Expr(expr)] = parse(value).ok()?.as_slice()
        && let Some(("record", members, None)) = path(expr)
    {
        // What was made of something itself stands where that stands.
        let renamed = members.first().and_then(|first| known.get(first)).map(|property| &property.from);
        return match renamed {
            Some(Origin::Text(text)) if members.len() == 1 => Some(Origin::Text(text.clone())),
            Some(Origin::Pointer(at)) => Some(Origin::Pointer(format!("{at}{}", pointer(&members[1..])))),
            _ => Some(Origin::Pointer(pointer(&members))),
        };
    }
    text(value, scope).ok()?.text.map(Origin::Text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::airbyte::translate::Partition;
    use crate::airbyte::yaml::read;

    #[test]
    fn members_are_known_by_where_the_vendor_has_them() {
        let schema = read("properties: { firstName: { type: [string, 'null'] }, tags: { type: array, items: { type: string } }, type: { type: object, properties: { name: { type: string } } } }").unwrap();
        let changes = read("[ { type: AddFields, fields: [ { path: [type], value: \"{{ record['type']['name'] }}\" }, { path: [key], value: '{{ record._id }}' }, { path: [job_id], value: '{{ stream_partition.job }}' }, { path: [odd], value: '{{ record.a }}-{{ record.b }}' } ] }, { type: RemoveFields } ]").unwrap();
        let partition = BTreeMap::from([("job".to_owned(), Partition::Place("parent/id".to_owned()))]);
        let (scope, mut left) = (Scope { partition, ..Scope::default() }, Lefts::default());
        let known = properties(Some(&schema), changes.items(), &scope, &mut left);
        assert_eq!(known["firstName"].name, "first_name");
        assert_eq!(known["type"].from, Origin::Pointer("/type/name".to_owned()));
        assert_eq!(known["key"].from, Origin::Pointer("/_id".to_owned()));
        assert_eq!(known["job_id"].from, Origin::Text("{parent/id}".to_owned()));
        assert!(known["tags"].items.as_ref().unwrap().is("string"));
        assert_eq!((known.contains_key("odd"), left.sorted().len()), (false, 1));
    }

    #[test]
    fn names_after_an_unknown_transformation_are_not_trusted() {
        let schema = read("properties: { first_name: { type: string } }").unwrap();
        let changes = read("[ { type: KeysToSnakeCase } ]").unwrap();
        let mut left = Lefts::default();
        assert!(properties(Some(&schema), changes.items(), &Scope::default(), &mut left).is_empty());
        assert_eq!(left.sorted()[0].what, "KeysToSnakeCase");
    }
}
