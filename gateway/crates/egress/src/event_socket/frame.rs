//! What a text on an event connection is, and how it is answered, as the manifest describes it. Pure: texts in, texts out.

use std::collections::BTreeMap;

use renmen_schema::manifest::{EventSocketManifest, SocketEventManifest, fill_placeholders};
use serde_json::Value;

use super::{EventVerdict, SocketEvent};

/// What one text is.
#[derive(Debug)]
pub(super) enum Frame {
    Event(SocketEvent),
    /// To be answered with this text.
    Control(String),
    /// The same, and then the vendor wants to be asked for a new connection.
    Goodbye(String),
}

/// None when the manifest describes no such text, or when it has no id to be answered by.
pub(super) fn frame_of(text: &str, socket: &EventSocketManifest) -> Option<Frame> {
    let frame: Value = serde_json::from_str(text).ok()?;
    let id = frame.pointer(&socket.event.id).and_then(plain)?;
    if fits(&frame, &socket.event.when) {
        let (headers, body) = (headers_of(&frame, &socket.event), body_of(&frame, &socket.event));
        return Some(Frame::Event(SocketEvent { headers, body: body.into(), message_id: id }));
    }
    let control = socket.controls.iter().find(|control| fits(&frame, &control.when))?;
    let answer = fill_placeholders(&control.answer, &|name| match name {
        "id" => Some(id.clone()),
        "body" => Some(body_of(&frame, &socket.event)),
        _ => None,
    });
    let answer = answer.to_string();
    Some(if control.goodbye { Frame::Goodbye(answer) } else { Frame::Control(answer) })
}

/// The answer to an event. `said` is what the connector says to the vendor.
pub(super) fn answer_to(
    event: &SocketEvent,
    verdict: EventVerdict,
    said: &[u8],
    socket: &EventSocketManifest,
) -> String {
    let template = match verdict {
        EventVerdict::Taken => &socket.answers.taken,
        EventVerdict::Later => &socket.answers.later,
        EventVerdict::Refused => &socket.answers.refused,
    };
    let made = fill_placeholders(template, &|name| match name {
        "id" => Some(event.message_id.clone()),
        "body" => Some(String::from_utf8_lossy(&event.body).into_owned()),
        "answer" => Some(String::from_utf8_lossy(said).into_owned()),
        _ => None,
    });
    made.to_string()
}

fn fits(frame: &Value, when: &BTreeMap<String, String>) -> bool {
    when.iter().all(|(pointer, wanted)| frame.pointer(pointer).and_then(plain).is_some_and(|text| text == *wanted))
}

fn headers_of(frame: &Value, event: &SocketEventManifest) -> Vec<(String, String)> {
    let headers = event.headers.as_ref().and_then(|pointer| frame.pointer(pointer)).and_then(Value::as_object);
    headers.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect()
}

fn body_of(frame: &Value, event: &SocketEventManifest) -> String {
    match frame.pointer(&event.body) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Times come as numbers from some gateways and as texts from others.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_schema::manifest::Manifest;
    use serde_json::json;

    use super::*;

    fn socket() -> EventSocketManifest {
        let text = r#"
name = "staff"
version = "1.0.0"
description = "Staff"
contract = "0.2.0"
[webhook]
description = "Events"
[webhook.socket]
open_url = "https://api.example.com/open"
slot = "app"
hosts = ["https://api.example.com"]
open = { body = {}, endpoint = "/e", ticket = "/t", ticket_query = "t" }
event = { when = { "/type" = "EVENT" }, id = "/headers/messageId", headers = "/headers", body = "/data" }
[webhook.socket.answers]
taken = { code = 200, id = "{id}", data = "{answer}" }
later = { code = 500, id = "{id}", data = '{"status":"LATER"}' }
refused = { code = 400, id = "{id}", data = "{body}" }
[[webhook.socket.controls]]
when = { "/type" = "SYSTEM", "/headers/topic" = "disconnect" }
answer = { code = 200, id = "{id}", data = "{body}" }
goodbye = true
[[webhook.socket.controls]]
when = { "/type" = "SYSTEM" }
answer = { code = 200, id = "{id}", data = "{body}" }
[[webhook.socket.controls]]
answer = { code = 404, id = "{id}" }
"#;
        Manifest::parse(text).unwrap().webhook.unwrap().socket.unwrap()
    }

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_event_is_its_headers_and_its_data() {
        let text = r#"{"specVersion":"1.0","type":"EVENT","headers":{"messageId":"m","eventType":"user_add_org","eventBornTime":5},"data":"{\"userId\":[]}"}"#;
        let Some(Frame::Event(event)) = frame_of(text, &socket()) else { panic!("no event") };
        assert_eq!((&event.body[..], event.message_id.as_str()), (&br#"{"userId":[]}"#[..], "m"));
        assert!(event.headers.contains(&("eventBornTime".into(), "5".into())), "{:?}", event.headers);
        let text = r#"{"type":"EVENT","headers":{"messageId":7},"data":{"userId":["u"]}}"#;
        let Some(Frame::Event(event)) = frame_of(text, &socket()) else { panic!("no event") };
        assert_eq!((&event.body[..], event.message_id.as_str()), (&br#"{"userId":["u"]}"#[..], "7"));
    }

    #[test]
    fn other_texts_are_answered_by_the_first_rule_that_fits_and_a_goodbye_is_one() {
        let system = |topic: &str| {
            let text = json!({ "type": "SYSTEM", "headers": { "messageId": "m", "topic": topic }, "data": "x" });
            frame_of(&text.to_string(), &socket())
        };
        let Some(Frame::Control(pong)) = system("ping") else { panic!("no control") };
        assert_eq!(value(&pong), json!({ "code": 200, "id": "m", "data": "x" }));
        assert!(matches!(system("disconnect"), Some(Frame::Goodbye(_))));
        let unknown = frame_of(r#"{"type":"CALLBACK","headers":{"messageId":"m"}}"#, &socket());
        assert!(matches!(unknown, Some(Frame::Control(said)) if value(&said)["code"] == 404));
        for none in ["no frame", "{}", "[]", r#"{"type":"EVENT","data":"without an id"}"#] {
            assert!(frame_of(none, &socket()).is_none(), "{none}");
        }
        let strict = EventSocketManifest { controls: Vec::new(), ..socket() };
        assert!(frame_of(r#"{"type":"SYSTEM","headers":{"messageId":"m"}}"#, &strict).is_none(), "no rule fits");
    }

    #[test]
    fn each_verdict_has_the_answer_that_decides_whether_it_comes_again() {
        let event = SocketEvent::new(Vec::new(), "b", "m");
        let answer = |verdict| value(&answer_to(&event, verdict, b"{\"id\":\"{id}\"}", &socket()));
        assert_eq!(
            answer(EventVerdict::Taken),
            json!({ "code": 200, "id": "m", "data": "{\"id\":\"{id}\"}" }),
            "what a connector says is not a template"
        );
        assert_eq!(answer(EventVerdict::Later), json!({ "code": 500, "id": "m", "data": "{\"status\":\"LATER\"}" }));
        assert_eq!(answer(EventVerdict::Refused), json!({ "code": 400, "id": "m", "data": "b" }));
    }
}
