//! One collection for each canonical entity: the two generic record operations are copied for every entity, with the
//! entity's own JSON Schema as the shape of `body`.

use std::collections::BTreeSet;

use renmen_schema::{EntityKind, ref_places};
use serde_json::{Map, Value, json};

const LIST: &str = "/v1/{collection}";
const GET: &str = "/v1/{collection}/{id}";
const SCHEMAS: &str = "#/components/schemas/";
/// The shapes that hold a record, and so are copied for every entity.
const HOLDERS: [(&str, &str); 5] = [
    ("Record", "Record"),
    ("RecordList", "List"),
    ("RecordDetail", "Detail"),
    ("NewRecord", "New"),
    ("ChangedRecord", "Changed"),
];

/// Replaces the generic record operations by those of every entity.
pub(super) fn expand(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let (mut list, mut get) = (paths.remove(LIST).unwrap_or_default(), paths.remove(GET).unwrap_or_default());
    // What people write is only some entities'.
    let take = |item: &mut Value, method: &str| item.as_object_mut().and_then(|item| item.remove(method));
    let writing = [take(&mut list, "post"), take(&mut get, "put"), take(&mut get, "delete")];
    for kind in EntityKind::ALL {
        let name = pascal(kind.name());
        let collection = format!("/v1/{}", kind.collection());
        // A collection that can be asked for more than others was described by its own handler, and so was what else can be done
        // with it.
        let own = paths.remove(&collection).unwrap_or_default();
        let mut all = operation(if own["get"].is_object() { &own } else { &list }, *kind, &name, "list");
        if let (Some(all), Value::Object(others)) = (all.as_object_mut(), own) {
            all.extend(others.into_iter().filter(|(method, _)| method != "get"));
        }
        let mut one = operation(&get, *kind, &name, "get");
        if kind.is_written_by_people() {
            let [post, put, delete] = &writing;
            all["post"] = written(post, *kind, &name, "create");
            one["put"] = written(put, *kind, &name, "put");
            one["delete"] = written(delete, *kind, &name, "delete");
        }
        paths.insert(collection, all);
        // What else can be done with a record of this entity was described by its own handler.
        let path = format!("/v1/{}/{{id}}", kind.collection());
        if let (Some(one), Some(Value::Object(others))) = (one.as_object_mut(), paths.remove(&path)) {
            one.extend(others);
        }
        paths.insert(path, one);
    }
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for kind in EntityKind::ALL {
        add_shapes(schemas, *kind);
    }
    for (generic, _) in HOLDERS {
        schemas.remove(generic);
    }
}

/// A copy of a generic path for one entity.
fn operation(path: &Value, kind: EntityKind, name: &str, verb: &str) -> Value {
    let mut path = path.clone();
    let get = &mut path["get"];
    let words = if verb == "list" { kind.collection().replace('-', "_") } else { kind.name().to_owned() };
    get["operationId"] = json!(format!("{verb}_{words}"));
    get["summary"] = json!(if verb == "list" {
        format!("Records of `{}`, in the order in which they were stored.", kind.name())
    } else {
        format!("One record of `{}`, with its revisions, lineage and what it refers to on request.", kind.name())
    });
    if let Some(parameters) = get["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"] != "collection");
        let names = parameters.iter_mut().filter(|parameter| parameter["name"] == "expand");
        names.for_each(|parameter| expands(parameter, kind));
    }
    point_to_copies(&mut path, name);
    path
}

/// The references that can be followed out of records of an entity: a list, separated by commas.
fn expands(parameter: &mut Value, kind: EntityKind) {
    let names = ref_places(kind).iter().map(|place| place.name.as_str());
    let names: Vec<&str> = std::iter::once("all").chain(names).collect();
    parameter["style"] = json!("form");
    parameter["explode"] = json!(false);
    parameter["schema"] =
        json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": { "type": "string", "enum": names } });
}

/// What is under `expanded` in a response about records of an entity: records of those that it refers to.
fn meant(kind: EntityKind) -> Value {
    let kinds: BTreeSet<EntityKind> = ref_places(kind).iter().map(|place| place.to).collect();
    let records = kinds.iter().map(|kind| json!({ "$ref": format!("{SCHEMAS}{}Record", pascal(kind.name())) }));
    json!({
        "type": "object",
        "description": "With `expand`: by id, the records that the references mean, each once.",
        "additionalProperties": { "anyOf": records.collect::<Vec<_>>() },
    })
}

/// A copy of an operation that writes, for one entity.
fn written(operation: &Option<Value>, kind: EntityKind, name: &str, verb: &str) -> Value {
    let mut operation = operation.clone().unwrap_or_default();
    operation["operationId"] = json!(format!("{verb}_{}", kind.name()));
    operation["summary"] = json!(match verb {
        "create" => format!("Writes a record of `{}` of your own.", kind.name()),
        "put" => format!("Writes a new revision of a record of `{}` of your own.", kind.name()),
        _ => format!("Deletes a record of `{}` of your own; a tombstone stays.", kind.name()),
    });
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"] != "collection");
    }
    point_to_copies(&mut operation, name);
    operation
}

/// The entity's own shape, what it is made of, and copies of what holds a record.
fn add_shapes(schemas: &mut Map<String, Value>, kind: EntityKind) {
    let name = pascal(kind.name());
    let mut body = renmen_schema::json_schema(kind);
    let parts = body.as_object_mut().and_then(|body| body.remove("$defs"));
    let parts = parts.and_then(|parts| if let Value::Object(parts) = parts { Some(parts) } else { None });
    let parts = parts.unwrap_or_default();
    let taken = rename(schemas, &parts, &name);
    let place = |mut schema: Value| {
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$schema");
            schema.remove("$id");
        }
        each_ref(&mut schema, &|reference| {
            let part = reference.strip_prefix("#/$defs/")?;
            Some(format!("{SCHEMAS}{}", taken.iter().find(|(from, _)| from == part)?.1))
        });
        schema
    };
    for (from, part) in parts {
        if let Some((_, to)) = taken.iter().find(|(known, _)| *known == from) {
            schemas.insert(to.clone(), place(part));
        }
    }
    schemas.insert(format!("Canonical{name}"), place(body));
    for (generic, suffix) in HOLDERS {
        let writes = matches!(generic, "NewRecord" | "ChangedRecord");
        if writes && !kind.is_written_by_people() {
            continue;
        }
        let Some(mut copy) = schemas.get(generic).cloned() else { continue };
        point_to_copies(&mut copy, &name);
        if writes {
            copy["properties"]["body"] = json!({ "$ref": format!("{SCHEMAS}Canonical{name}") });
        }
        if matches!(generic, "RecordList" | "RecordDetail") {
            expanded_of(&mut copy, kind);
        }
        if generic == "Record" {
            copy["properties"]["entity"] = json!({ "const": kind.name(), "description": "The canonical entity." });
            copy["properties"]["body"] = json!({
                "description": "The canonical record; null only for a tombstone of a record that was never read.",
                "anyOf": [{ "$ref": format!("{SCHEMAS}Canonical{name}") }, { "type": "null" }],
            });
        }
        schemas.insert(format!("{name}{suffix}"), copy);
    }
}

/// Puts what `expanded` holds for this entity into a shape.
fn expanded_of(shape: &mut Value, kind: EntityKind) {
    let within = |part: &mut Value| {
        if let Some(expanded) = part.pointer_mut("/properties/expanded") {
            *expanded = meant(kind);
        }
    };
    shape.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten().for_each(within);
    within(shape);
}

/// New names for the parts of an entity's schema. Entities share most parts: a part that another entity brought in the
/// same form keeps that one's name, a part of the same name and another form gets the entity's name before it; so does one with the
/// name of an entity.
fn rename(schemas: &Map<String, Value>, parts: &Map<String, Value>, entity: &str) -> Vec<(String, String)> {
    let clean = |name: &str| name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect::<String>();
    let shared = |name: &String| {
        let to = format!("Canonical{}", clean(name));
        let mut part = parts[name].clone();
        each_ref(&mut part, &|reference| {
            Some(format!("{SCHEMAS}Canonical{}", clean(reference.strip_prefix("#/$defs/")?)))
        });
        let of_an_entity = EntityKind::ALL.iter().any(|kind| pascal(kind.name()) == *name);
        let free = !of_an_entity && schemas.get(&to).is_none_or(|known| *known == part);
        if free { to } else { format!("Canonical{entity}{}", clean(name)) }
    };
    parts.keys().map(|name| (name.clone(), shared(name))).collect()
}

/// Makes references to the shapes that hold a record refer to this entity's copies.
fn point_to_copies(value: &mut Value, name: &str) {
    each_ref(value, &|reference| {
        let target = reference.strip_prefix(SCHEMAS)?;
        let (_, suffix) = HOLDERS.iter().find(|(generic, _)| *generic == target)?;
        Some(format!("{SCHEMAS}{name}{suffix}"))
    });
}

/// Passes every `$ref` below `value` through `change`; `None` leaves it.
fn each_ref(value: &mut Value, change: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" => {
                        if let Some(changed) = change(reference) {
                            *reference = changed;
                        }
                    }
                    _ => each_ref(member, change),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_ref(item, change)),
        _ => {}
    }
}

/// `pay_band`: `PayBand`.
fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_type() {
        assert_eq!(pascal("pay_band"), "PayBand");
        assert_eq!(pascal("employee"), "Employee");
    }

    #[test]
    fn parts_of_the_same_name_and_another_form_are_kept_apart() {
        let mut schemas = Map::new();
        schemas.insert("CanonicalMoney".into(), json!({"type": "object"}));
        let same = Map::from_iter([("Money".to_owned(), json!({"type": "object"}))]);
        let other = Map::from_iter([("Money".to_owned(), json!({"type": "string"}))]);
        assert_eq!(rename(&schemas, &same, "Offer")[0].1, "CanonicalMoney");
        assert_eq!(rename(&schemas, &other, "Offer")[0].1, "CanonicalOfferMoney");
    }
}
