//! DingTalk's Stream mode: how a connection is asked for, what frames say and how they are answered.
//!
//! Stands on the vendor's own clients, read for facts: `dingtalk-stream` (PyPI; stream.py, frames.py) and
//! dingtalk-stream-sdk-go (payload/connection.go, payload/data_frame.go, event/frame_handler.go, client/client.go).

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{EventVerdict, Frame, SocketEvent};
use crate::credential::Slot;
use crate::token::{member_text, members};
use crate::wire::{Answer, Outgoing, WayOut};
use crate::{Connection, EgressError};

/// Asks for a connection: `POST …/v1.0/gateway/connections/open` with the app's id and secret. Answers the URL with its
/// ticket, which opens one connection and is a secret from then on.
pub(super) async fn ask(connection: &Connection, slot: &Slot, url: Url) -> Result<Url, EgressError> {
    let app = members(slot.secret()?)?;
    let member = |name: &str| {
        member_text(&app, name)
            .ok_or_else(|| EgressError::Auth(format!("slot `{}` must hold JSON with `{name}`", slot.name)))
    };
    let body = json!({
        "clientId": member("client_id")?, "clientSecret": member("client_secret")?,
        "subscriptions": [{ "type": "EVENT", "topic": "*" }],
        "ua": concat!("renmen/", env!("CARGO_PKG_VERSION")), "localIp": "",
    });
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json.clone()), (header::ACCEPT, json)]);
    let outgoing = Outgoing { method: Method::POST, url, headers, body: Some(body.to_string().into()) };
    let (mut url, ticket) = place(&WayOut::send(connection, outgoing).await?)?;
    connection.parts.redactor.learn(&slot.name, &ticket)?;
    url.query_pairs_mut().append_pair("ticket", &ticket);
    Ok(url)
}

/// Where the connection is, and the ticket for it.
fn place(answer: &Answer) -> Result<(Url, String), EgressError> {
    #[derive(Deserialize)]
    struct Place {
        endpoint: String,
        ticket: String,
    }
    #[derive(Default, Deserialize)]
    struct Refusal {
        #[serde(default)]
        code: String,
    }
    let status = answer.status;
    if !(200..300).contains(&status) {
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code: String =
            refusal.code.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).take(80).collect();
        let said = format!("the vendor opens no event connection (status {status}, code `{code}`)");
        // 403 is "not permitted" and "throttled" alike; only its code tells.
        return Err(match status {
            _ if code.contains("QpsLimit") || code.contains("QpmLimit") => {
                EgressError::RateLimited { message: said, retry_after_ms: None }
            }
            400 | 401 | 403 => {
                EgressError::Auth(format!("{said}: is Stream mode on for this app, and its secret right?"))
            }
            _ => EgressError::Unavailable(said),
        });
    }
    let shape = || EgressError::Unavailable("the vendor's answer names no event connection".into());
    let Place { endpoint, ticket } = serde_json::from_slice(&answer.body).map_err(|_| shape())?;
    if ticket.is_empty() {
        return Err(shape());
    }
    Ok((Url::parse(&endpoint).map_err(|_| shape())?, ticket))
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    headers: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    data: String,
}

/// One text message; none when it is no frame.
pub(super) fn read(text: &str) -> Option<Frame> {
    let Wire { kind, headers, data } = serde_json::from_str(text).ok()?;
    // Times come as numbers from some gateways and as texts from others.
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let header = |name: &str| headers.get(name).and_then(plain).unwrap_or_default();
    let message_id = header("messageId");
    match (kind.as_str(), header("topic").as_str()) {
        ("EVENT", _) => {
            let headers = headers.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect();
            Some(Frame::Event(SocketEvent { headers, body: data.into(), message_id }))
        }
        ("SYSTEM", "disconnect") => Some(Frame::Goodbye(frame(200, &message_id, "OK", &data))),
        ("SYSTEM", _) => Some(Frame::Control(frame(200, &message_id, "OK", &data))),
        // Nothing else was subscribed to.
        _ => Some(Frame::Control(frame(404, &message_id, "not subscribed", ""))),
    }
}

/// The answer to an event.
pub(super) fn answer(message_id: &str, verdict: EventVerdict, answer: &[u8]) -> String {
    let said = String::from_utf8_lossy(answer);
    match verdict {
        EventVerdict::Taken => frame(200, message_id, "ok", &said),
        EventVerdict::Later => frame(500, message_id, "later", r#"{"status":"LATER","message":"later"}"#),
        EventVerdict::Refused => frame(400, message_id, "refused", ""),
    }
}

fn frame(code: u16, message_id: &str, message: &str, data: &str) -> String {
    json!({
        "code": code, "headers": { "messageId": message_id, "contentType": "application/json" },
        "message": message, "data": data,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn value(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_event_is_its_headers_and_its_data() {
        let text = r#"{"specVersion":"1.0","type":"EVENT","headers":{"messageId":"m","eventType":"user_add_org","eventBornTime":5},"data":"{\"userId\":[]}"}"#;
        let Some(Frame::Event(event)) = read(text) else { panic!("no event") };
        assert_eq!((&event.body[..], event.message_id.as_str()), (&br#"{"userId":[]}"#[..], "m"));
        assert!(event.headers.contains(&("eventBornTime".into(), "5".into())), "{:?}", event.headers);
    }

    #[test]
    fn system_frames_are_answered_and_a_goodbye_is_one() {
        let system = |topic: &str| {
            read(&format!(r#"{{"type":"SYSTEM","headers":{{"messageId":"m","topic":"{topic}"}},"data":"x"}}"#))
        };
        let Some(Frame::Control(pong)) = system("ping") else { panic!("no control") };
        assert_eq!((&value(&pong)["code"], &value(&pong)["data"]), (&json!(200), &json!("x")));
        assert!(matches!(system("disconnect"), Some(Frame::Goodbye(_))));
        let Some(Frame::Control(unknown)) = read(r#"{"type":"CALLBACK","headers":{"messageId":"m"}}"#) else {
            panic!()
        };
        assert_eq!(value(&unknown)["code"], 404);
        assert!(read("no frame").is_none() && read("{}").is_none());
    }

    #[test]
    fn each_verdict_has_the_code_that_decides_whether_it_comes_again() {
        for (verdict, code) in [(EventVerdict::Taken, 200), (EventVerdict::Later, 500), (EventVerdict::Refused, 400)] {
            let said = value(&answer("m", verdict, b"{}"));
            assert_eq!((&said["code"], &said["headers"]["messageId"]), (&json!(code), &json!("m")));
        }
    }

    #[test]
    fn what_the_vendor_refuses_is_told_by_what_can_be_done() {
        let answer =
            |status: u16, body: &str| Answer { status, headers: HeaderMap::new(), body: body.to_owned().into() };
        let refusal =
            |status: u16, code: &str| place(&answer(status, &json!({ "code": code }).to_string())).unwrap_err();
        assert!(matches!(refusal(400, "authFailed"), EgressError::Auth(_)));
        assert!(matches!(refusal(403, "Forbidden.AccessDenied.QpsLimitForApi"), EgressError::RateLimited { .. }));
        assert!(matches!(refusal(500, "systemError"), EgressError::Unavailable(_)));
        for body in
            ["{}", r#"{"endpoint":"wss://a.test","ticket":""}"#, r#"{"endpoint":"no url","ticket":"t"}"#, "<html>"]
        {
            assert!(matches!(place(&answer(200, body)), Err(EgressError::Unavailable(_))), "{body}");
        }
    }
}
