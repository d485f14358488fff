//! Bodies made at random from an entity's own JSON Schema, so that every entity is tried without a list by hand.

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use renmen_schema::{EntityKind, json_schema};
use serde_json::{Map, Value, json};

/// A draw from `0..limit`.
fn below(rng: &mut TestRng, limit: u32) -> u32 {
    rng.next_u32() % limit
}

/// A body that the schema allows. The rules between fields may still refuse it.
pub(crate) fn body(kind: EntityKind, seed: [u8; 32]) -> Value {
    let schema = json_schema(kind);
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    value(&schema, &schema, &mut rng)
}

fn value(root: &Value, schema: &Value, rng: &mut TestRng) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return match reference.rsplit('/').next().unwrap() {
            "Decimal" => json!(format!("{}.{:02}", below(rng, 100), below(rng, 100))),
            "LocalDate" => {
                json!(format!("20{:02}-{:02}-{:02}", below(rng, 100), 1 + below(rng, 12), 1 + below(rng, 28)))
            }
            "Instant" => json!(format!(
                "20{:02}-01-{:02}T0{}:00:00.{:03}Z",
                below(rng, 100),
                1 + below(rng, 28),
                below(rng, 10),
                below(rng, 1000)
            )),
            "ConnectionName" => json!("staff"),
            "Currency" => json!(["CNY", "USD", "JPY"][below(rng, 3) as usize]),
            "Localized" => json!({ "en": text(rng), "zh-CN": text(rng) }),
            _ => value(root, root.pointer(reference.trim_start_matches('#')).unwrap(), rng),
        };
    }
    if let Some(codes) = schema["enum"].as_array() {
        return codes[below(rng, codes.len() as u32) as usize].clone();
    }
    match schema["type"].as_str() {
        Some("object") => object(root, schema, rng),
        Some("array") => (0..below(rng, 3)).map(|_| value(root, &schema["items"], rng)).collect(),
        Some("string") if schema["format"] == "uuid" => json!("018f3c1e-0000-7000-8000-000000000001"),
        Some("string") => json!(text(rng)),
        // Not zero: some numbers must not be, which only their rules know.
        Some("integer") => json!(1 + below(rng, 9_999)),
        Some("boolean") => json!(below(rng, 2) == 0),
        other => panic!("a schema of type {other:?}: {schema}"),
    }
}

fn object(root: &Value, schema: &Value, rng: &mut TestRng) -> Value {
    let mut object = Map::new();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if required.contains(&name.as_str()) || below(rng, 3) > 0 {
            object.insert(name.clone(), value(root, field, rng));
        }
    }
    if schema["additionalProperties"].is_object() {
        for _ in 0..below(rng, 3) {
            object.insert(format!("/{}", text(rng)), value(root, &schema["additionalProperties"], rng));
        }
    }
    Value::Object(object)
}

fn text(rng: &mut TestRng) -> String {
    const TEXTS: [&str; 6] = ["a", "张三", "two words", "\"quoted\" \\ /", "line\nbreak", "😀"];
    TEXTS[below(rng, 6) as usize].to_owned()
}
