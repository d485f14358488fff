//! The JSON Schema of the entities, made from the types: draft 2020-12.
//!
//! A schema here describes what is read out: an absent field is not there rather than null, and a reader ignores what it does not
//! know. (What is taken in is stricter: unknown fields are refused, see [`crate::canonicalize`].)

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::kind::{Entity, EntityKind, Visit};

/// The release of the canonical schema.
pub const SCHEMA_VERSION: &str = "0.1.0";

/// The schema of one entity, standing alone: what it refers to is in its `$defs`. `x-entity` names the kind, `x-sensitivity` on a
/// field its class (INTERNAL where there is none), `x-ref-entity` the kind that a reference means, `x-open-codes` whether a
/// reader must expect codes that it does not know.
#[must_use]
pub fn json_schema(kind: EntityKind) -> Value {
    let mut schema = kind.visit(Root);
    tidy(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("x-entity".into(), json!(kind.name()));
        root.insert("x-schema-version".into(), json!(SCHEMA_VERSION));
        root.insert("x-sensitivity-default".into(), json!("INTERNAL"));
    }
    schema
}

/// All entities in one document with one set of `$defs`: what a release freezes and [`crate::compat`] compares.
#[must_use]
pub fn all_schemas() -> Value {
    let mut generator = generator();
    let entities: Map<String, Value> =
        EntityKind::ALL.iter().map(|kind| (kind.name().to_owned(), kind.visit(Part(&mut generator)))).collect();
    let mut all = json!({
        "schema_version": SCHEMA_VERSION,
        "entities": entities,
        "$defs": generator.take_definitions(true),
    });
    tidy(&mut all);
    all
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// A further keyword of a field, with its value.
pub(crate) type Keyword = (&'static str, fn() -> Value);

/// A field of a shape, as its schema tells it.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The lines of its documentation.
    pub(crate) about: &'static [&'static str],
    pub(crate) presence: Presence,
    /// Its sensitivity class, where it has one of its own.
    pub(crate) class: Option<&'static str>,
    pub(crate) keywords: &'static [Keyword],
    /// The schema of its type: of an item, for a list.
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Must a field be there?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
    /// It holds any number of items; an empty list is not written.
    List,
}

/// The schema of a shape.
pub(crate) fn object(about: &[&str], fields: &[Field], generator: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = (field.schema)(generator);
        if field.presence == Presence::List {
            schema = schemars::json_schema!({ "type": "array", "items": schema });
        }
        for (keyword, value) in field.keywords {
            schema.insert((*keyword).to_owned(), value());
        }
        if let Some(class) = field.class {
            schema.insert("x-sensitivity".to_owned(), json!(class));
        }
        if !field.about.is_empty() {
            schema.insert("description".to_owned(), json!(description(field.about)));
        }
        properties.insert(field.name.to_owned(), schema.to_value());
    }
    let required: Vec<&str> =
        fields.iter().filter(|field| field.presence == Presence::Required).map(|field| field.name).collect();
    let mut schema = schemars::json_schema!({
        "description": description(about),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// The text of a doc comment out of its lines.
fn description(about: &[&str]) -> String {
    let lines: Vec<&str> = about.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned()
}

struct Root;

impl Visit for Root {
    type Output = Value;
    fn visit<E: Entity>(self) -> Value {
        generator().into_root_schema_for::<E>().to_value()
    }
}

struct Part<'g>(&'g mut SchemaGenerator);

impl Visit for Part<'_> {
    type Output = Value;
    fn visit<E: Entity>(self) -> Value {
        self.0.subschema_for::<E>().to_value()
    }
}

/// Takes out what only tells of the Rust types: null for an absent field, and that unknown fields are refused on the way in.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(node) => {
            if node.get("additionalProperties") == Some(&Value::Bool(false)) {
                node.remove("additionalProperties");
            }
            if let Some(Value::Array(types)) = node.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    node.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(options)) = node.get_mut("anyOf") {
                options.retain(|option| option != &json!({ "type": "null" }));
                if options.len() == 1
                    && let Some(Value::Object(only)) = options.pop()
                {
                    node.remove("anyOf");
                    for (key, value) in only {
                        node.entry(key).or_insert(value);
                    }
                }
            }
            node.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// A node of a schema with what it refers to: its own keywords, then those of its definition.
#[derive(Clone, Copy)]
pub(crate) struct Node<'s> {
    root: &'s Value,
    own: &'s Value,
    definition: Option<&'s Value>,
}

impl<'s> Node<'s> {
    pub(crate) fn new(root: &'s Value, own: &'s Value) -> Self {
        let definition = own["$ref"].as_str().and_then(|reference| root.pointer(reference.strip_prefix('#')?));
        Self { root, own, definition }
    }

    /// A keyword, the node's own before its definition's.
    pub(crate) fn get(self, keyword: &str) -> Option<&'s Value> {
        self.own.get(keyword).or_else(|| self.definition?.get(keyword))
    }

    /// A keyword at both places: classes add up.
    pub(crate) fn both(self, keyword: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
        [self.own.get(keyword), self.definition.and_then(|d| d.get(keyword))]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// What it holds: a segment of a pointer (`*` for a list's items or a map's values) with its schema.
    pub(crate) fn children(self) -> Vec<(&'s str, Node<'s>)> {
        let fields = self.get("properties").and_then(Value::as_object).into_iter().flatten();
        let any = ["items", "additionalProperties"].into_iter().filter_map(|keyword| self.get(keyword));
        fields
            .map(|(name, schema)| (name.as_str(), Node::new(self.root, schema)))
            .chain(any.filter(|schema| schema.is_object()).map(|schema| ("*", Node::new(self.root, schema))))
            .collect()
    }

    /// The name of its definition.
    pub(crate) fn definition_name(self) -> Option<&'s str> {
        self.own["$ref"].as_str()?.rsplit('/').next()
    }

    /// The names that must be there.
    pub(crate) fn required(self) -> Vec<&'s str> {
        self.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}
