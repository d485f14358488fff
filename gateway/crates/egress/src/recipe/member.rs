//! The members of a slot's secret that is a JSON object: what token requests and event connections are filled with.

use std::collections::BTreeMap;

use renmen_vault::Secret;

use crate::EgressError;

/// The members of a slot's secret, which must be a JSON object.
///
/// # Errors
/// [`EgressError::Auth`]; the secret is not repeated.
pub(crate) fn members(secret: &Secret) -> Result<BTreeMap<String, serde_json::Value>, EgressError> {
    serde_json::from_str(secret.expose()).map_err(|_| {
        EgressError::Auth("the slot must hold a JSON object such as {\"client_id\": …, \"client_secret\": …}".into())
    })
}

/// A member's text.
pub(crate) fn member_text(members: &BTreeMap<String, serde_json::Value>, name: &str) -> Option<String> {
    match members.get(name)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
