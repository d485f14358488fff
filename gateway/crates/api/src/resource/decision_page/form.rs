//! What the page's forms send.

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::StreamExt as _;
use renmen_schema::code::OutcomeReason;

use super::Refusal;
use super::words::{self, Text};

const FORM: &str = "application/x-www-form-urlencoded";
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 2_000;

/// What a person sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// A verdict, perhaps one that cannot be taken yet.
    Verdict(Draft),
    /// The wish to undo one.
    Undo,
}

/// A verdict as it was filled in.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) pass: Option<bool>,
    pub(super) reason: String,
    pub(super) code: Option<OutcomeReason>,
}

impl Draft {
    /// What is missing.
    pub(super) fn fault(&self) -> Option<Text> {
        let chars = self.reason.chars().count();
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        if self.pass.is_none() {
            Some(words::CHOOSE)
        } else if self.reason.trim().is_empty() || chars > REASON_CHARS_MAX || self.reason.chars().any(odd) {
            Some(words::GIVE_REASON)
        } else {
            None
        }
    }
}

/// Reads a form of at most so many bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Sent, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case(FORM)) {
        return Err(Refusal::Unreadable);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max as u64) {
        return Err(Refusal::TooLarge);
    }
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::Unreadable)?;
        if whole.len() + chunk.len() > bytes_max {
            return Err(Refusal::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    sent(pairs(whole.into()).await?)
}

async fn pairs(bytes: Bytes) -> Result<Vec<(String, String)>, Refusal> {
    let request = Request::post("/").header(CONTENT_TYPE, FORM).body(Body::from(bytes));
    let request = request.map_err(|_| Refusal::Unreadable)?;
    let Form(pairs) = Form::from_request(request, &()).await.map_err(|_| Refusal::Unreadable)?;
    Ok(pairs)
}

fn sent(pairs: Vec<(String, String)>) -> Result<Sent, Refusal> {
    let mut draft = Draft::default();
    let mut undo = false;
    for (name, value) in pairs {
        match (name.as_str(), value.as_str()) {
            ("verdict", "pass") => draft.pass = Some(true),
            ("verdict", "fail") => draft.pass = Some(false),
            ("undo", "yes") => undo = true,
            // Browsers send line ends as two characters.
            ("reason", _) => draft.reason = value.replace("\r\n", "\n").trim().to_owned(),
            ("code", "") => {}
            ("code", code) => {
                let known = OutcomeReason::from_code(code).filter(|code| *code != OutcomeReason::Other);
                draft.code = Some(known.ok_or(Refusal::Unreadable)?);
            }
            _ => return Err(Refusal::Unreadable),
        }
    }
    Ok(if undo { Sent::Undo } else { Sent::Verdict(draft) })
}
