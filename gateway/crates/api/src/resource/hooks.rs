//! What vendors send of their own accord: no key, because the vendor signs. A sender that is not the vendor learns
//! nothing.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use futures_util::StreamExt;
use renmen_schema::id::ConnectionName;

use crate::guard::within;
use crate::hooks::{HookAnswer, HookDelivery, HookRefusal};
use crate::limit::Limit;
use crate::pool::{Owner, Permit};
use crate::problem::{Answered, Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::AppState;

/// Where deliveries arrive.
const PREFIX: &str = "/hooks/";
/// How many bytes a delivery counts for in addition to its body.
const HEAD_BYTES: u64 = 4 * 1024;
/// The headers that an answer may set: what vendors wait for when they prove an address or want to be told to slow
/// down. By name, because what else a header means is up to the proxy in front of this gateway (`x-sendfile`,
/// `x-accel-…`, `x-reproxy-url`) and to the client that reads the answer (`location`, `set-cookie`). The SDK's
/// documentation names them.
const ANSWER_HEADERS: [&str; 6] = [
    "content-type",
    "retry-after",
    "x-hook-secret",
    "webhook-request-origin",
    "webhook-allowed-origin",
    "webhook-allowed-rate",
];

/// `GET` and `POST /hooks/{connection}` and below.
pub(crate) async fn take(
    State(state): State<AppState>,
    Path(parts): Path<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, Problem> {
    let unknown = || of_refusal(HookRefusal::Unknown);
    let hooks = &state.hooks;
    let name = parts.iter().find(|(key, _)| key == "connection").map(|(_, name)| name.as_str()).unwrap_or_default();
    let connection = ConnectionName::new(name).map_err(|_| unknown())?;
    let bytes_max = hooks.body_bytes_max(&connection).ok_or_else(|| match hooks.elsewhere(&connection) {
        Some(place) => crate::auth::elsewhere(&place),
        None => unknown(),
    })?;
    check_head(request.headers(), bytes_max)?;
    let sender = Sender::of_request(&request, &state.options.proxies);
    let owner = Owner { group: connection.to_string(), member: sender.text() };
    let place = state.deliveries.take(owner, HEAD_BYTES).ok_or_else(|| overloaded(&state))?;
    let taken = async {
        let delivery = within(state.options.deadline, read(request, bytes_max, sender, &place, &state)).await?;
        // What was read is bounded by the place; from here on copies of it are held, out of the memory of the process.
        let _reserved = hooks.reserve(delivery.body.len() as u64).map_err(of_refusal)?;
        // Each connection has its own deadline within: see `webhook_deadline`.
        hooks.take_in(&connection, delivery).await.map_err(of_refusal)
    };
    tokio::select! {
        taken = taken => taken.map(answered),
        () = place.lost() => Err(overloaded(&state)),
    }
}

fn overloaded(state: &AppState) -> Problem {
    state.reached.note(Limit::DeliveryBytes, None);
    let (key, max) = (Limit::DeliveryBytes.key(), state.deliveries.max());
    Problem::new(ProblemCode::Overloaded).detail(
        format!("deliveries in progress hold {max} bytes, which is the limit ({key}); send it again later"),
        format!("正在接收的回调已达 {max} 字节（{key}），请稍后重发"),
    )
}

/// What can be refused before a byte of the body is read. A packed body is never unpacked: the signature covers the
/// bytes as they were sent, and a small body that unpacks to a huge one is an attack.
fn check_head(headers: &HeaderMap, bytes_max: usize) -> Result<(), Problem> {
    let packed =
        headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if packed {
        return Err(Problem::new(ProblemCode::UnsupportedEncoding)
            .detail("send the body without content-encoding", "请勿使用 content-encoding 压缩请求体"));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    Ok(())
}

async fn read(
    request: Request,
    bytes_max: usize,
    sender: Sender,
    place: &Permit,
    state: &AppState,
) -> Result<HookDelivery, Problem> {
    let (head, body) = request.into_parts();
    let body = read_body(body.into_data_stream(), bytes_max, place, state).await?;
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Ok(HookDelivery {
        sender,
        method: head.method.as_str().to_owned(),
        path_and_query: behind_name(&head.uri),
        headers: headers.collect(),
        body,
    })
}

/// Reads a body as it comes. What is held is counted before more is read, so that no number of half-sent bodies fills the
/// memory.
async fn read_body(
    mut stream: BodyDataStream,
    bytes_max: usize,
    place: &Permit,
    state: &AppState,
) -> Result<Bytes, Problem> {
    let mut whole = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::new(ProblemCode::BadRequest).detail("the body ended before its time", "请求体不完整")
        })?;
        if whole.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if !place.grow(chunk.len() as u64) {
            return Err(overloaded(state));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

/// What the connector is told of the address: nothing of where this gateway put it.
fn behind_name(uri: &Uri) -> String {
    let whole = uri.path_and_query().map_or("", |both| both.as_str());
    let rest = whole.strip_prefix(PREFIX).unwrap_or(whole);
    rest.find(['/', '?']).map_or_else(String::new, |at| rest[at..].to_owned())
}

fn answered(answer: HookAnswer) -> Response {
    let mut response = Response::new(Body::from(Bytes::clone(&answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) else {
            continue;
        };
        if may_leave(&name) {
            headers.append(name, value);
        }
    }
    // No matter what a connector answers, a browser that was led here does not run it as a page of this gateway.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response.extensions_mut().insert(Answered);
    response
}

fn may_leave(name: &HeaderName) -> bool {
    ANSWER_HEADERS.contains(&name.as_str())
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(ProblemCode::BodyTooLarge)
        .detail(format!("the limit is {bytes_max} bytes"), format!("请求体上限为 {bytes_max} 字节"))
}

fn of_refusal(refusal: HookRefusal) -> Problem {
    match refusal {
        HookRefusal::Unknown => Problem::new(ProblemCode::NotFound)
            .detail("no connection with this name accepts deliveries", "没有接收回调的同名连接"),
        HookRefusal::TooLarge => Problem::new(ProblemCode::BodyTooLarge),
        HookRefusal::TooMany => Problem::new(ProblemCode::TooManyDeliveries)
            .detail("the delivery was not stored; send it again later", "未保存任何内容，请稍后重发"),
        HookRefusal::Forged => Problem::new(ProblemCode::BadSignature).detail(
            "the signature is invalid or too old; the delivery was not stored",
            "签名无效或已过期，未保存任何内容",
        ),
        HookRefusal::Unreadable => Problem::new(ProblemCode::BadRequest)
            .detail("the connector does not recognize this delivery", "连接器无法识别该内容"),
        HookRefusal::Unusable => Problem::new(ProblemCode::BadRequest).detail(
            "the signature is valid, but the content cannot be used; it was stored, so do not send it again",
            "签名有效，但内容无法使用；已保存，请勿重发",
        ),
        HookRefusal::Late => Problem::new(ProblemCode::DeadlineExceeded).detail(
            "send it again; a delivery that was already stored is not processed twice",
            "请重发，已保存的回调不会重复处理",
        ),
        HookRefusal::Unavailable => Problem::new(ProblemCode::StoreUnavailable)
            .detail("the delivery was not stored; send it again later", "未保存任何内容，请稍后重发"),
        HookRefusal::Failed(cause) => Problem::fault(&cause),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_connector_sees_what_stands_behind_its_name_as_it_was_typed() {
        for (uri, seen) in [
            ("/hooks/people", ""),
            ("/hooks/people?timestamp=1&nonce=%41", "?timestamp=1&nonce=%41"),
            ("/hooks/people/", "/"),
            ("/hooks/people/v1/events?x=/y", "/v1/events?x=/y"),
        ] {
            assert_eq!(behind_name(&uri.parse().unwrap()), seen);
        }
    }

    #[test]
    fn only_headers_that_vendors_wait_for_leave() {
        for (name, leaves) in [
            ("content-type", true),
            ("x-hook-secret", true),
            ("webhook-request-origin", true),
            ("webhook-allowed-origin", true),
            ("webhook-allowed-rate", true),
            ("retry-after", true),
            ("x-sendfile", false),
            ("x-lighttpd-send-file", false),
            ("x-reproxy-url", false),
            ("x-accel-buffering", false),
            ("x-frame-options", false),
            ("x-anything", false),
            ("webhook-id", false),
            ("refresh", false),
            ("link", false),
            ("set-cookie", false),
            ("location", false),
            ("content-length", false),
            ("content-encoding", false),
            ("transfer-encoding", false),
            ("access-control-allow-origin", false),
            ("x-accel-redirect", false),
        ] {
            assert_eq!(may_leave(&HeaderName::from_static(name)), leaves, "{name}");
        }
    }
}
