//! Which of our languages a client asked for.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use renmen_schema::Language;

/// The language of an answer: what `Accept-Language` asks for, of those that texts have.
pub(crate) fn asked(headers: &HeaderMap) -> Language {
    let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Language::accepted(header)
}
