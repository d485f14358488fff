//! Events over a connection that the gateway opens itself, for vendors that offer one: no address of ours has to be reachable
//! from outside. What is said on it is data here, so that the gateway speaks no vendor's protocol by name: JSON texts, each
//! told by what stands in it and answered by a template. The connector sees the events alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Manifest, ManifestFault};
use crate::id::SlotName;

/// A WebSocket on which the vendor sends its events as JSON texts, and where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSocketManifest {
    /// Where a connection is asked for, by `POST`; may begin with a `{key}` of the configuration.
    pub open_url: String,
    /// The slot whose secret opens it: a JSON object whose members fill `open.body`.
    pub slot: SlotName,
    /// The origins that the WebSocket may lead to, written as in [`HttpWish::hosts`](super::HttpWish::hosts): `https://` also
    /// stands for `wss://`. The connector cannot reach them by this.
    pub hosts: Vec<String>,
    /// How the connection is asked for, and what the answer says.
    pub open: SocketOpenManifest,
    /// How an event is told from other texts, and where its parts stand.
    pub event: SocketEventManifest,
    /// What the vendor is answered to an event.
    pub answers: SocketAnswersManifest,
    /// Texts that are not events and want an answer, in this order: the first that fits counts. Others stay unanswered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<SocketControlManifest>,
}

/// How a connection for events is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocketOpenManifest {
    /// The JSON object that is sent. A text that is `{member}` and nothing else stands for that member of the slot's secret.
    pub body: Value,
    /// JSON Pointer to the URL of the WebSocket in the answer.
    pub endpoint: String,
    /// JSON Pointer to the ticket in the answer, which opens one connection and is kept secret from then on.
    pub ticket: String,
    /// The query parameter of the WebSocket's URL that the ticket goes into.
    pub ticket_query: String,
    /// JSON Pointer to the code of a refusal: it is told to the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Parts of such codes that mean "too often", regardless of the status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow_down_codes: Vec<String>,
}

/// How an event stands in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocketEventManifest {
    /// What tells an event: JSON Pointers, each with the text or number that must stand there.
    pub when: BTreeMap<String, String>,
    /// JSON Pointer to the id by which each text is answered, events and others alike. A text without one stays unanswered.
    pub id: String,
    /// JSON Pointer to an object of texts and numbers: the headers that the connector sees. None: it sees none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<String>,
    /// JSON Pointer to what the connector sees as the body: a text as it is, anything else as JSON.
    pub body: String,
}

/// What the vendor is answered to an event: JSON objects, in which the text `{id}` stands for the event's id, `{body}` for what
/// stands at `event.body`, and `{answer}` for what the connector says to the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocketAnswersManifest {
    /// It is kept: the vendor must not send it again.
    pub taken: Value,
    /// It could not be kept: the vendor must send it again.
    pub later: Value,
    /// It can never be taken: the vendor must not send it again.
    pub refused: Value,
}

/// A text that is not an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocketControlManifest {
    /// What tells it, as for an event; nothing fits every text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, String>,
    /// The answer: a JSON object, in which `{id}` and `{body}` stand for what they do in an event's answer.
    pub answer: Value,
    /// After this text the vendor wants to be asked for another connection.
    #[serde(default)]
    pub goodbye: bool,
}

/// The name in a text that is `{name}` and nothing else; none for any other text.
fn placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    is_name.then_some(name)
}

/// Puts a value in the place of each text that is a `{name}` and nothing else, where `value_of` knows the name.
#[must_use]
pub fn fill_placeholders(template: &Value, value_of: &impl Fn(&str) -> Option<String>) -> Value {
    match template {
        Value::String(text) => match placeholder(text).and_then(value_of) {
            Some(value) => Value::String(value),
            None => template.clone(),
        },
        Value::Array(items) => items.iter().map(|item| fill_placeholders(item, value_of)).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), fill_placeholders(value, value_of))).collect(),
        ),
        plain => plain.clone(),
    }
}

/// Every placeholder of a template.
#[must_use]
pub fn placeholders(template: &Value) -> Vec<&str> {
    match template {
        Value::String(text) => placeholder(text).into_iter().collect(),
        Value::Array(items) => items.iter().flat_map(placeholders).collect(),
        Value::Object(members) => members.values().flat_map(placeholders).collect(),
        _ => Vec::new(),
    }
}

impl Manifest {
    pub(super) fn check_socket(&self, socket: &EventSocketManifest, faults: &mut Vec<ManifestFault>) {
        let mut fault = |key: &str, message: String| {
            faults.push(ManifestFault { key: format!("webhook.socket.{key}"), message });
        };
        if !self.slots.contains_key(&socket.slot) {
            fault("slot", format!("`{0}` is not a declared slot; declare it as [slots.{0}]", socket.slot));
        }
        if !["https://", "http://", "{"].iter().any(|begin| socket.open_url.starts_with(begin)) {
            fault("open_url", format!("`{}` is not absolute; expected https://", socket.open_url));
        }
        if socket.hosts.is_empty() {
            fault("hosts", "nothing; expected the origins that the connection may lead to".to_owned());
        }
        if socket.event.when.is_empty() {
            fault("event.when", "nothing; expected what tells an event from other texts".to_owned());
        }
        for (key, pointer) in socket.pointers() {
            if !pointer.starts_with('/') {
                fault(&key, format!("`{pointer}` is not a JSON Pointer; expected one, such as /data"));
            }
        }
        for (key, template, known) in socket.templates() {
            if !template.is_object() {
                fault(&key, "expected a JSON object, written as a table".to_owned());
            }
            let Some(known) = known else { continue };
            for name in placeholders(template).into_iter().filter(|name| !known.contains(name)) {
                let known = known.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", ");
                fault(&key, format!("`{{{name}}}` stands for nothing here; expected {known}"));
            }
        }
    }
}

impl EventSocketManifest {
    fn pointers(&self) -> Vec<(String, &str)> {
        let mut all = vec![
            ("open.endpoint".to_owned(), self.open.endpoint.as_str()),
            ("open.ticket".to_owned(), self.open.ticket.as_str()),
            ("event.id".to_owned(), self.event.id.as_str()),
            ("event.body".to_owned(), self.event.body.as_str()),
        ];
        all.extend(self.open.error_code.iter().map(|at| ("open.error_code".to_owned(), at.as_str())));
        all.extend(self.event.headers.iter().map(|at| ("event.headers".to_owned(), at.as_str())));
        all.extend(self.event.when.keys().map(|at| ("event.when".to_owned(), at.as_str())));
        for (control, no) in self.controls.iter().zip(0..) {
            all.extend(control.when.keys().map(|at| (format!("controls.{no}.when"), at.as_str())));
        }
        all
    }

    /// Each template with the placeholders that it may have; those of the first are the members of a secret, which only the
    /// operator knows.
    fn templates(&self) -> Vec<(String, &Value, Option<&'static [&'static str]>)> {
        const OF_EVENT: &[&str] = &["id", "body", "answer"];
        const OF_CONTROL: &[&str] = &["id", "body"];
        let mut all = vec![
            ("open.body".to_owned(), &self.open.body, None),
            ("answers.taken".to_owned(), &self.answers.taken, Some(OF_EVENT)),
            ("answers.later".to_owned(), &self.answers.later, Some(OF_EVENT)),
            ("answers.refused".to_owned(), &self.answers.refused, Some(OF_EVENT)),
        ];
        let controls = self.controls.iter().zip(0..);
        all.extend(controls.map(|(control, no)| (format!("controls.{no}.answer"), &control.answer, Some(OF_CONTROL))));
        all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_text_that_is_a_placeholder_and_nothing_else_is_filled() {
        let template =
            json!({ "a": "{id}", "b": ["{gone}", "x {id}", 1], "c": { "d": "{\"id\":\"{id}\"}" }, "e": "{}" });
        let made = fill_placeholders(&template, &|name| (name == "id").then(|| "7".to_owned()));
        assert_eq!(
            made,
            json!({ "a": "7", "b": ["{gone}", "x {id}", 1], "c": { "d": "{\"id\":\"{id}\"}" }, "e": "{}" })
        );
        assert_eq!(placeholders(&template), ["id", "gone"]);
    }
}
