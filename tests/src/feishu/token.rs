//! Tenant tokens: valid 7,200 s, the same again when asked again.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{APP_ID, APP_SECRET, Tenant, error};

/// The token that is good now.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    current: Option<String>,
    made: u64,
}

impl Tokens {
    fn issue(&mut self) -> String {
        if self.current.is_none() {
            self.made += 1;
            self.current = Some(format!("t-canary-feishu-token-{:06x}", self.made * 7_919));
        }
        self.current.clone().unwrap_or_default()
    }

    pub(super) fn expire(&mut self) {
        self.current = None;
    }
}

#[derive(Deserialize)]
pub(super) struct Login {
    app_id: String,
    app_secret: String,
}

/// `POST /auth/v3/tenant_access_token/internal`: a wrong secret is HTTP 200 with a code. The vendor reads the body
/// regardless of its content-type: lark-oapi sends none here.
pub(super) async fn issue(State(tenant): State<Tenant>, body: Bytes) -> Json<Value> {
    let Ok(login) = serde_json::from_slice::<Login>(&body) else {
        return Json(json!({ "code": 10003, "msg": "invalid param" }));
    };
    let mut state = tenant.lock().unwrap();
    state.token_requests += 1;
    if login.app_id != APP_ID || login.app_secret != APP_SECRET {
        return Json(json!({ "code": 10014, "msg": "app secret invalid" }));
    }
    Json(json!({ "code": 0, "msg": "ok", "tenant_access_token": state.tokens.issue(), "expire": 7200 }))
}

/// Lets a request with a good token pass.
pub(super) async fn guard(State(tenant): State<Tenant>, request: Request, next: Next) -> Response {
    let given = request.headers().get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let refused = {
        let mut state = tenant.lock().unwrap();
        let wanted = state.tokens.current.as_ref().map(|token| format!("Bearer {token}"));
        let good = given.is_some() && given == wanted;
        state.requests += u64::from(good);
        if state.expire_at_request == Some(state.requests) {
            state.expire_at_request = None;
            state.tokens.expire();
        }
        match (good, &given) {
            (true, _) => None,
            (false, None) => Some((99_991_661, "Missing access token for authorization")),
            (false, Some(_)) => Some((99_991_663, "Invalid access token for authorization")),
        }
    };
    match refused {
        None => next.run(request).await,
        Some((code, message)) => error(StatusCode::BAD_REQUEST, code, message),
    }
}
