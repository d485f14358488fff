//! The answers that a client meets on a bad day, before any other rule.

use std::collections::VecDeque;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use super::{Company, old_error, old_refusal};

/// One bad answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The per-address limit: an HTML page with status 200, for five minutes.
    BlockedHtml,
    /// The per-address limit in its other shape: JSON `status` 1111 with `wait` seconds.
    Blocked1111,
    /// New generation: HTTP 403 with a throttling code.
    QpsLimit,
    /// Old generation: HTTP 200 with `errcode` 90002: too many calls to the interface, no matter by whom.
    Code90002,
    /// Old generation: too many calls a second of this app to this interface, plain.
    Code90018,
    /// The same, wrapped in `errcode` 88.
    Wrapped90018,
    /// New generation: HTTP 403 without permission. Not a throttle.
    NoPermission,
    /// Old generation: HTTP 200 with `errcode` 60011.
    Code60011,
    /// The same, wrapped in `errcode` 88, with the permission that is missing.
    Wrapped60011,
    /// Old generation: the address is not on the app's list; wrapped in `errcode` 88.
    Wrapped60020,
    /// HTTP 500 without a body.
    Error500,
    /// JSON that ends in the middle.
    CutJson,
    /// JSON of another shape than documented.
    OtherShape,
    /// A body that is not UTF-8.
    InvalidUtf8,
}

/// The vendor's words for 90018.
const TOO_OFTEN: &str = "应用调用该接口次数过多，超出了该接口承受的最大qps";

/// Faults waiting for requests.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<Fault>);

impl Queue {
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }
}

pub(super) async fn before(State(company): State<Company>, request: Request, next: Next) -> Response {
    let fault = company.lock().unwrap().faults.0.pop_front();
    match fault {
        None => next.run(request).await,
        Some(fault) => answer(fault),
    }
}

fn answer(fault: Fault) -> Response {
    let forbidden = |code: &str, message: &str| {
        let body = json!({ "code": code, "message": message, "requestid": "sim" });
        (StatusCode::FORBIDDEN, Json(body)).into_response()
    };
    match fault {
        Fault::BlockedHtml => Html("<html><body>访问被阻断 blocked</body></html>").into_response(),
        Fault::Blocked1111 => {
            Json(json!({ "status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "sim" })).into_response()
        }
        Fault::QpsLimit => forbidden("Forbidden.AccessDenied.QpsLimitForApi", "请求过于频繁"),
        Fault::NoPermission => forbidden("Forbidden.AccessDenied.AccessTokenPermissionDenied", "没有调用该接口的权限"),
        Fault::Code90002 => {
            old_error(90002, "您的服务器调用钉钉开放平台当前接口的所有请求都被暂时禁用了").into_response()
        }
        Fault::Code90018 => old_error(90018, TOO_OFTEN).into_response(),
        Fault::Wrapped90018 => old_refusal(90018, TOO_OFTEN).into_response(),
        Fault::Wrapped60011 => {
            let words = "应用尚未开通所需的权限：[qyapi_get_department_list]，点击链接申请并开通即可";
            old_refusal(60011, &format!("{words}, {{requiredScopes=[qyapi_get_department_list]}}")).into_response()
        }
        Fault::Wrapped60020 => old_refusal(60020, "访问ip不在白名单之中").into_response(),
        Fault::Code60011 => old_error(60011, "没有调用该接口的权限").into_response(),
        Fault::Error500 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::CutJson => {
            ([(header::CONTENT_TYPE, "application/json")], "{\"errcode\":0,\"errmsg\":\"ok\",\"resu").into_response()
        }
        Fault::OtherShape => Json(json!({ "errcode": 0, "result": "moved" })).into_response(),
        Fault::InvalidUtf8 => {
            ([(header::CONTENT_TYPE, "application/json")], b"{\"errcode\":0,\"errmsg\":\"\xff\xfe\"}".to_vec())
                .into_response()
        }
    }
}
