//! JSON with words of a plugin's manifest in it: who looks at the answer on a terminal sees what is there. Its texts are in the
//! language that was asked for.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use renmen_schema::{Language, shown};
use serde::Serialize;

use crate::problem::{Problem, ProblemCode};

/// An answer like `Json`, whose deceptive characters are JSON escapes: it means the same to a program.
pub(crate) struct ShownJson<T>(pub(crate) T, pub(crate) Language);

impl<T: Serialize> IntoResponse for ShownJson<T> {
    fn into_response(self) -> Response {
        match self.1.show(|| serde_json::to_string(&self.0)) {
            Ok(text) => ([(CONTENT_TYPE, "application/json")], shown::json(&text).into_owned()).into_response(),
            Err(_) => Problem::new(ProblemCode::Internal).into_response(),
        }
    }
}
