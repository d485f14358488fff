//! Who set a tag is the name of the key, never a word of the body.

use renmen_schema::{Defect, text};
use serde_json::Value;

use crate::ask::defect;

/// Writes who set it: as it was, else the writer. Refuses another name.
pub(crate) fn sign(new: &mut Value, old: Option<&Value>, person: &str) -> Vec<Defect> {
    let known = old.and_then(|old| old["set_by"].as_str()).unwrap_or(person).to_owned();
    if new["set_by"].as_str().is_some_and(|given| given != known) {
        return vec![defect(
            "/set_by",
            "not_yours",
            text!(
                "a name; the name of the API key is kept, so leave it out",
                "写了名称；系统保存 API 密钥的名称，请省略"
            ),
        )];
    }
    new["set_by"] = Value::String(known);
    Vec::new()
}
