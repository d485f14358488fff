//! A request's body as JSON of a known shape: what it does not know is refused with its place.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::problem::{Problem, ProblemCode};

/// Characters of the reader's own words about a fault.
const FAULT_CHARS_MAX: usize = 200;

/// A body.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            Problem::new(match axum::response::IntoResponse::into_response(rejection).status() {
                StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::BodyTooLarge,
                _ => ProblemCode::BadRequest,
            })
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|fault| {
            let fault: String = fault.to_string().chars().take(FAULT_CHARS_MAX).collect();
            Problem::new(ProblemCode::InvalidBody).detail(
                format!("the body does not match the schema that `/docs` shows for this operation: {fault}"),
                format!("请求体不是此操作在 `/docs` 中所示的 JSON：{fault}"),
            )
        })
    }
}
