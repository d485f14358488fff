//! What is known of a request afterwards: its id, one line in the access log (with the id and role of its key), two metrics. Nothing here sees a query
//! string, a header's value or a body: the log names the route's template, never the path that was typed.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::access;
use crate::caller::Asker;
use crate::request_id::{REQUEST_ID, RequestId};

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
    fn a_made_up_method_is_no_new_label() {
        assert_eq!(label(&Method::GET), "GET");
        assert_eq!(Method::from_bytes(b"BREW").ok().as_ref().map(label), Some("OTHER"));
    }
}
