//! The answers that a client meets on a bad day, before any other rule.

use std::collections::VecDeque;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::{Tenant, error};

/// One bad answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Throttled with HTTP 429, and the seconds to wait.
    Throttled429,
    /// The same of an older interface: HTTP 400.
    Throttled400,
    /// Throttled for longer than anybody waits within a run.
    ThrottledLong,
    /// A permission that the app has not.
    NoScope,
    /// A permission of CoreHR.
    NoPermission,
    /// HTTP 500 with the vendor's own code.
    SystemError,
    /// The same fault inside HTTP 200.
    ErrorInOk,
    /// A gateway's page instead of an answer.
    Html502,
    /// JSON that ends in the middle.
    CutJson,
    /// JSON of another shape than documented.
    OtherShape,
}

/// Faults waiting for requests.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<Fault>);

impl Queue {
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }
}

pub(super) async fn before(State(tenant): State<Tenant>, request: Request, next: Next) -> Response {
    let fault = {
        let mut state = tenant.lock().unwrap();
        let denied = state.denied.iter().any(|path| request.uri().path().contains(path.as_str()));
        state.faults.0.pop_front().or(denied.then_some(Fault::NoScope))
    };
    match fault {
        None => next.run(request).await,
        Some(fault) => answer(fault),
    }
}

fn answer(fault: Fault) -> Response {
    let throttled = |status: StatusCode, seconds: &'static str| {
        let limits = [("x-ogw-ratelimit-limit", "100"), ("x-ogw-ratelimit-reset", seconds)];
        (limits, error(status, 99_991_400, "request trigger frequency limit")).into_response()
    };
    match fault {
        Fault::Throttled429 => throttled(StatusCode::TOO_MANY_REQUESTS, "1"),
        Fault::Throttled400 => throttled(StatusCode::BAD_REQUEST, "1"),
        Fault::ThrottledLong => throttled(StatusCode::TOO_MANY_REQUESTS, "600"),
        Fault::NoScope => {
            error(StatusCode::BAD_REQUEST, 99_991_672, "Access denied. One of the following scopes is required")
        }
        Fault::NoPermission => error(StatusCode::FORBIDDEN, 1_160_103, "No permission"),
        Fault::SystemError => error(StatusCode::INTERNAL_SERVER_ERROR, 1_002_001, "系统错误"),
        Fault::ErrorInOk => error(StatusCode::OK, 1_002_001, "系统错误"),
        Fault::Html502 => (StatusCode::BAD_GATEWAY, Html("<html>502 Bad Gateway</html>")).into_response(),
        Fault::CutJson => {
            ([(header::CONTENT_TYPE, "application/json")], "{\"code\":0,\"msg\":\"ok\",\"da").into_response()
        }
        Fault::OtherShape => {
            ([(header::CONTENT_TYPE, "application/json")], r#"{"code":0,"data":{"items":"moved","has_more":false}}"#)
                .into_response()
        }
    }
}
