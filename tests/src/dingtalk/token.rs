//! Tokens: one per app and generation, valid 7,200 s, the same again when asked again.

use std::collections::HashSet;
use std::time::Instant;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{APP_KEY, APP_SECRET, Company, old_error, old_refusal, pace};

/// The tokens that are good now.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    good: HashSet<String>,
    made: u64,
    current: Option<String>,
}

impl Tokens {
    fn issue(&mut self) -> String {
        if let Some(token) = &self.current {
            return token.clone();
        }
        self.made += 1;
        let token = format!("canary-ding-token-{:06x}", self.made * 7_919);
        self.good.insert(token.clone());
        self.current = Some(token.clone());
        token
    }

    pub(super) fn expire_all(&mut self) {
        self.good.clear();
        self.current = None;
    }
}

#[derive(Deserialize)]
pub(super) struct OldLogin {
    appkey: String,
    appsecret: String,
}

/// `GET /gettoken?appkey=&appsecret=`.
pub(super) async fn old(State(company): State<Company>, Query(login): Query<OldLogin>) -> Json<Value> {
    let mut state = company.lock().unwrap();
    state.token_requests += 1;
    if login.appkey != APP_KEY || login.appsecret != APP_SECRET {
        return old_error(40089, "不合法的corpid或corpsecret");
    }
    Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": state.tokens.issue(), "expires_in": 7200 }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewLogin {
    app_key: String,
    app_secret: String,
}

/// `POST /v1.0/oauth2/accessToken`.
pub(super) async fn new(State(company): State<Company>, Json(login): Json<NewLogin>) -> Response {
    let mut state = company.lock().unwrap();
    state.token_requests += 1;
    if login.app_key != APP_KEY || login.app_secret != APP_SECRET {
        let body = json!({ "code": "invalidClientIdOrSecret", "message": "无效的clientId或者clientSecret", "requestid": "sim" });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    Json(json!({ "accessToken": state.tokens.issue(), "expireIn": 7200 })).into_response()
}

/// Lets a request with a good token pass: in the query on the old generation, in the header on the new one.
pub(super) async fn guard(State(company): State<Company>, request: Request, next: Next) -> Response {
    let is_new = request.uri().path().starts_with("/v1.0/");
    let token = if is_new {
        request.headers().get("x-acs-dingtalk-access-token").and_then(|v| v.to_str().ok()).map(str::to_owned)
    } else {
        request
            .uri()
            .query()
            .and_then(|q| q.split('&').find_map(|pair| pair.strip_prefix("access_token=")))
            .map(str::to_owned)
    };
    let named = token.is_some();
    let (good, too_many, wrapped) = {
        let mut state = company.lock().unwrap();
        let good = token.is_some_and(|token| state.tokens.good.contains(&token));
        state.requests += u64::from(good);
        if state.expire_at_request == Some(state.requests) {
            state.expire_at_request = None;
            state.tokens.expire_all();
        }
        let too_many = good && state.pace.refuses(request.uri().path(), Instant::now());
        (good, too_many, state.pace.wrapped)
    };
    match (good, is_new) {
        (true, _) if too_many => pace::refusal(is_new, wrapped),
        (true, _) => next.run(request).await,
        (false, true) if !named => {
            bad_request("AuthenticationFailed.MissingParameter", "缺少参数：x-acs-dingtalk-access-token")
        }
        (false, true) => bad_request("InvalidAuthentication", "不合法的access_token"),
        (false, false) if !named => old_refusal(40000, "access_token is blank").into_response(),
        (false, false) => old_refusal(40014, "不合法的access_token").into_response(),
    }
}

fn bad_request(code: &str, message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "code": code, "message": message, "requestid": "sim" }))).into_response()
}
