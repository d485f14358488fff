//! Stream mode: a ticket for a WebSocket, then frames that are sent until they are taken.
//!
//! Contract: the vendor's own clients (`dingtalk-stream` on PyPI, dingtalk-stream-sdk-go).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::events::{Event, Signal};
use super::{APP_KEY, APP_SECRET, Company};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    client_id: String,
    client_secret: String,
    subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    #[serde(rename = "type")]
    kind: String,
    topic: String,
}

/// `POST /v1.0/gateway/connections/open`: the app's id and secret stand in the body, not in a token.
pub(super) async fn open(State(company): State<Company>, headers: HeaderMap, Json(ask): Json<Open>) -> Response {
    let refuse = |code: &str| {
        let body = json!({ "code": code, "message": "x", "requestid": "sim" });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    if ask.client_id != APP_KEY || ask.client_secret != APP_SECRET {
        return refuse("authFailed");
    }
    if !ask.subscriptions.iter().any(|s| s.kind == "EVENT" && s.topic == "*") {
        return refuse("subscriptionsEmpty");
    }
    let host = headers["host"].to_str().unwrap();
    let mut state = company.lock().unwrap();
    // With characters that a query must encode.
    let ticket = format!("canary-ticket-{}+/=", state.events.opened + state.events.tickets.len() + 1);
    state.events.tickets.push(ticket.clone());
    Json(json!({ "endpoint": format!("ws://{host}/connect"), "ticket": ticket })).into_response()
}

/// `GET /connect?ticket=`: a ticket opens one connection.
pub(super) async fn connect(
    State(company): State<Company>,
    Query(ask): Query<BTreeMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let known = {
        let mut state = company.lock().unwrap();
        let ticket = ask.get("ticket").cloned().unwrap_or_default();
        let known = state.events.tickets.iter().position(|t| *t == ticket);
        known.map(|at| state.events.tickets.remove(at))
    };
    match known {
        Some(_) => upgrade.on_upgrade(move |socket| serve(company, socket)),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn serve(company: Company, mut socket: WebSocket) {
    let mut news = {
        let mut state = company.lock().unwrap();
        state.events.connections += 1;
        state.events.opened += 1;
        state.events.news.subscribe()
    };
    let _ = talk(&company, &mut socket, &mut news).await;
    company.lock().unwrap().events.connections -= 1;
}

async fn talk(
    company: &Company,
    socket: &mut WebSocket,
    news: &mut tokio::sync::broadcast::Receiver<Signal>,
) -> Result<(), axum::Error> {
    socket.send(system("ping", "ping-1")).await?;
    loop {
        for event in waiting(company) {
            socket.send(frame(&event)).await?;
        }
        tokio::select! {
            signal = news.recv() => match signal {
                Ok(Signal::Disconnect) => socket.send(system("disconnect", "bye-1")).await?,
                Ok(Signal::Cut) => return Ok(()),
                _ => {}
            },
            came = socket.recv() => match came {
                Some(Ok(Message::Text(text))) => answered(company, &text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
        }
    }
}

/// The events that no one has taken, in order. What was sent already waits for its answer, or for another connection.
fn waiting(company: &Company) -> Vec<Event> {
    let mut state = company.lock().unwrap();
    let opened = state.events.opened as u32;
    let waiting = state.events.all.iter_mut().filter(|event| event.taken_by.is_none() && event.sent < opened);
    waiting
        .map(|event| {
            event.sent = opened;
            event.clone()
        })
        .collect()
}

fn answered(company: &Company, text: &str) {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let id = answer["headers"]["messageId"].as_str().unwrap_or_default().to_owned();
    let mut state = company.lock().unwrap();
    state.stream_answers.push(answer.clone());
    if let Some(event) = state.events.all.iter_mut().find(|event| format!("m-{}", event.id) == id) {
        match answer["code"].as_i64() {
            Some(200) => event.taken_by = Some("stream"),
            // Asked to send it later.
            _ => event.sent = 0,
        }
    }
}

fn frame(event: &Event) -> Message {
    let frame = json!({
        "specVersion": "1.0", "type": "EVENT",
        "headers": {
            "appId": "sim", "connectionId": "sim", "contentType": "application/json", "messageId": format!("m-{}", event.id),
            "time": event.born_ms.to_string(), "topic": "*", "eventId": event.id, "eventType": event.kind,
            "eventBornTime": event.born_ms.to_string(), "eventCorpId": "dingsimcorp", "eventUnifiedAppId": "sim",
        },
        "data": event.data.to_string(),
    });
    Message::text(frame.to_string())
}

fn system(topic: &str, id: &str) -> Message {
    let headers = json!({ "messageId": id, "topic": topic, "contentType": "application/json", "time": "0" });
    Message::text(
        json!({ "specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": "{\"opaque\":\"x\"}" }).to_string(),
    )
}
