//! A ledger over HTTP: it keeps journals, refuses what accountants refuse, and loses answers when told to.
//!
//! `GET /journals?id=` → `{"data": […]}`; `POST /journals` → `{"id", "document", "status"}`. It does not recognise a repeat by itself: the
//! same id twice makes two documents, as with a system that knows no idempotency key. `Authorization: Bearer` is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The token that it takes.
pub const TOKEN: &str = "made-up-ledger-token";

/// The books.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Document number and journal, in the order of posting.
    pub journals: Vec<(String, Value)>,
    /// Accounts that it has; empty: any.
    pub accounts: BTreeSet<String>,
    /// Months that are closed: `2025-03`.
    pub closed: BTreeSet<String>,
    /// So many of the next postings are written, and answered with 504 by what stands in front of it.
    pub lose: u32,
    /// A posting is written, and its answer comes so long after.
    pub wait: Duration,
    /// Requests to look up a journal.
    pub looked_up: u64,
}

/// Shared with tests.
pub type Books = Arc<Mutex<Ledger>>;

/// The simulator's routes.
pub fn router(books: Books) -> Router {
    Router::new().route("/journals", get(find).post(post)).with_state(books)
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": code }))).into_response()
}

fn is_known(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|given| given.as_bytes() == format!("Bearer {TOKEN}").as_bytes())
}

fn shown(document: &str, journal: &Value) -> Value {
    json!({ "id": journal["id"], "document": document, "status": "POSTED" })
}

async fn find(State(books): State<Books>, Query(ask): Query<BTreeMap<String, String>>, headers: HeaderMap) -> Response {
    if !is_known(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, "unknown_token");
    }
    let mut books = books.lock().unwrap();
    books.looked_up += 1;
    let wanted = ask.get("id").cloned().unwrap_or_default();
    let found = books.journals.iter().filter(|(_, journal)| journal["id"] == wanted.as_str());
    let found: Vec<Value> = found.map(|(document, journal)| shown(document, journal)).collect();
    Json(json!({ "data": found })).into_response()
}

async fn post(State(books): State<Books>, headers: HeaderMap, body: String) -> Response {
    if !is_known(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, "unknown_token");
    }
    let Ok(journal) = serde_json::from_str::<Value>(&body) else { return refuse(StatusCode::BAD_REQUEST, "not_json") };
    let (answer, wait) = {
        let mut books = books.lock().unwrap();
        if let Err((status, code)) = check(&books, &journal) {
            return refuse(status, code);
        }
        let document = format!(
            "{}/{}/{:06}",
            journal["ledger"].as_str().unwrap(),
            journal["period"]["year"],
            books.journals.len() + 1
        );
        let answer = shown(&document, &journal);
        books.journals.push((document, journal));
        if books.lose > 0 {
            books.lose -= 1;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        (answer, books.wait)
    };
    tokio::time::sleep(wait).await;
    Json(answer).into_response()
}

/// What an accountant would send back.
fn check(books: &Ledger, journal: &Value) -> Result<(), (StatusCode, &'static str)> {
    let wrong = |code| (StatusCode::UNPROCESSABLE_ENTITY, code);
    let month = journal["date"].as_str().and_then(|date| date.get(..7)).ok_or(wrong("no_date"))?;
    if books.closed.contains(month) {
        return Err((StatusCode::CONFLICT, "period_closed"));
    }
    let lines = journal["lines"].as_array().filter(|lines| lines.len() >= 2).ok_or(wrong("no_lines"))?;
    let (mut debit, mut credit) = (Decimal::ZERO, Decimal::ZERO);
    for line in lines {
        let amount = |side: &str| line[side].as_str().map(str::parse::<Decimal>);
        match (amount("debit"), amount("credit")) {
            (Some(Ok(amount)), None) if amount > Decimal::ZERO => debit += amount,
            (None, Some(Ok(amount))) if amount > Decimal::ZERO => credit += amount,
            _ => return Err(wrong("one_side")),
        }
        let account = line["account"].as_str().ok_or(wrong("no_account"))?;
        if !books.accounts.is_empty() && !books.accounts.contains(account) {
            return Err(wrong("unknown_account"));
        }
    }
    let total = journal["total"].as_str().and_then(|text| text.parse::<Decimal>().ok());
    if debit != credit || total != Some(debit) { Err(wrong("unbalanced")) } else { Ok(()) }
}
