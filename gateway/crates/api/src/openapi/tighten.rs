//! What the derived descriptions say too loosely: here the document is brought to what the handlers take, so that a request that
//! fits the document is not refused for its form.

use renmen_schema::types::Currency;
use serde_json::{Value, json};

/// Makes the document as strict as the handlers.
pub(super) fn tighten(document: &mut Value) {
    if let Some(paths) = document["paths"].as_object_mut() {
        let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
        let parameters = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut());
        parameters.flatten().filter_map(|parameter| parameter.get_mut("schema")).for_each(without_null);
    }
    let schemas = &mut document["components"]["schemas"];
    // A tagged enum refuses unknown members; its derived description does not say so.
    for variant in schemas["KeyRequest"]["oneOf"].as_array_mut().into_iter().flatten() {
        variant["additionalProperties"] = json!(false);
    }
    let named = ["interview", "order"];
    let named = named.map(|name| json!({ "required": [name], "properties": { name: { "type": "string" } } }));
    schemas["BandMatchRequest"]["oneOf"] = json!(named);
    let pay = &mut schemas["ExpectedPay"]["properties"];
    pay["currency"] =
        json!({ "type": "string", "description": "ISO 4217.", "enum": Currency::codes().collect::<Vec<_>>() });
    pay["per"] = json!({ "$ref": "#/components/schemas/CanonicalPayInterval", "description": "The pay interval." });
}

/// A parameter is given or not; a text that says `null` is a text.
fn without_null(schema: &mut Value) {
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [one] = kinds.as_slice() {
            schema["type"] = one.clone();
        }
    }
    if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice["type"] != "null");
        if let [one] = choices.as_slice() {
            *schema = one.clone();
        }
    }
}
