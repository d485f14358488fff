//! What is known of a request afterwards: its id, one line in the access log (with the id and role of its key), two metrics. Nothing here sees a query
//! string, a header's value or a body: the log names the route's template, never the path that was typed.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use rand::TryRngCore;

use crate::access;
use crate::auth::Asker;

/// The header that a request's id comes in and goes out with.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 64;

/// The id of a request: the client's own where it sent a harmless one, else ours.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    fn of(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent {
            Some(text) if harmless(text) => Self(text.to_owned()),
            _ => Self::random(),
        }
    }

    fn random() -> Self {
        let mut bytes = [0_u8; 8];
        // An id only helps people to find a line: without randomness a request is still answered.
        if rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err() {
            tracing::warn!("The system provided no random bytes for a request id");
        }
        Self(hex::encode(bytes))
    }
}

/// Nothing that could forge a line of a log or run in a terminal.
fn harmless(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= REQUEST_ID_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Middleware, outermost: gives the request its id, counts it, times it, logs it.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = RequestId::of(&request);
    let method = label(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(id.clone());
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let took = begun.elapsed();
    metrics::counter!("renmen_api_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("renmen_api_request_seconds", "method" => method, "route" => route.clone())
        .record(took.as_secs_f64());
    // The key by its id, which opens nothing: who wrote what can be told afterwards, and by whose right.
    let caller = asker.get();
    let operation = access::operation(method, &route).map(|operation| operation.name);
    let (key, role) = (caller.map(|c| tracing::field::display(c.key)), caller.map(|c| c.role.name()));
    let tenant = caller.map(|c| tracing::field::display(&c.tenant));
    tracing::info!(
        method,
        route,
        operation,
        status,
        took_ms = took.as_millis() as u64,
        request_id = id.0,
        tenant,
        key,
        role,
        "Request completed"
    );
    response
}

/// The method as a metric's label: a client cannot make up new ones.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_not_taken() {
        for good in ["a", "0194-x_Y", &"x".repeat(64)] {
            assert!(harmless(good), "{good}");
        }
        for bad in ["", "a b", "a\nb", "a\u{1b}[2J", "ä", &"x".repeat(65)] {
            assert!(!harmless(bad), "{bad}");
        }
    }

    #[test]
    fn a_made_up_method_is_no_new_label() {
        assert_eq!(label(&Method::GET), "GET");
        assert_eq!(Method::from_bytes(b"BREW").ok().as_ref().map(label), Some("OTHER"));
    }
}
