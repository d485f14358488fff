//! A made-up HR system such as the first one that an author meets: OAuth2 client credentials, a list of people by page cursor and by time of
//! change, and a second list of those who are gone.
//!
//! `POST /v2/oauth/token` (a form, the client by Basic) → a token for an hour. `GET /v2/people?page_size=&cursor=&changed_since=` →
//! `{"people": […], "meta": {"next": "…" | ""}}`, by id, in no order of time; `GET /v2/people/deletions?cursor=&since=` →
//! `{"deletions": [{"person_id", "deleted_at"}], "meta": …}`. At most 50 in a page, no parameter that it does not know, and both times
//! inclusive. Errors are `{"error": {"code", "message"}}`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What the vendor's console shows.
pub const CLIENT_ID: &str = "oak-client-1";
/// The other half.
pub const CLIENT_SECRET: &str = "made-up-oak-secret-canary-31";

/// People of one page at most, and where nothing is asked for.
const PAGE_MAX: usize = 50;
/// 2025-03-01T00:00:00+08:00, when the first person was changed.
const FROM_S: i64 = 1_740_758_400;

/// The vendor.
#[derive(Debug, Default)]
pub struct Oak {
    people: BTreeMap<usize, Person>,
    gone: Vec<(usize, i64)>,
    /// How many lists each was good for already.
    tokens: HashMap<String, u64>,
    /// A token is taken back after so many lists; none keeps it for its hour.
    pub lists_per_token: Option<u64>,
    /// Seconds since the beginning: each change is one second after the one before.
    clock: i64,
    /// Lists that were answered.
    pub lists: u64,
    /// Tokens that were given out.
    pub given: u64,
}

#[derive(Debug)]
struct Person {
    title: String,
    changed: i64,
}

/// Shared with tests.
pub type Source = Arc<Mutex<Oak>>;

/// `n` people.
#[must_use]
pub fn source(n: usize) -> Source {
    let mut oak = Oak::default();
    for number in 0..n {
        let changed = oak.tick();
        oak.people.insert(number, Person { title: "Analyst".to_owned(), changed });
    }
    Arc::new(Mutex::new(oak))
}

impl Oak {
    fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    /// Gives someone another title.
    pub fn promote(&mut self, number: usize, title: &str) {
        let changed = self.tick();
        if let Some(person) = self.people.get_mut(&number) {
            *person = Person { title: title.to_owned(), changed };
        }
    }

    /// Takes someone off the list.
    pub fn dismiss(&mut self, number: usize) {
        let at = self.tick();
        if self.people.remove(&number).is_some() {
            self.gone.push((number, at));
        }
    }

    /// Is the token good for one more list?
    fn takes(&mut self, token: &str) -> bool {
        let most = self.lists_per_token.unwrap_or(u64::MAX);
        self.tokens.get_mut(token).is_some_and(|used| {
            *used += 1;
            *used <= most
        })
    }
}

/// The vendor's id of a person.
#[must_use]
pub fn id(number: usize) -> String {
    format!("p-{number:05}")
}

fn time(clock: i64) -> String {
    let at = jiff::Timestamp::from_second(FROM_S + clock).unwrap();
    jiff::tz::Offset::from_hours(8).unwrap().to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

fn person(number: usize, person: &Person) -> Value {
    json!({
        "id": id(number), "name": format!("Made Up {number}"), "email": format!("person.{number}@example.test"),
        "title": person.title, "team": { "id": format!("team-{}", number % 4) },
        "state": if number.is_multiple_of(7) { "on_leave" } else { "employed" },
        "started_on": format!("2020-01-{:02}", 1 + number % 28), "changed_at": time(person.changed),
    })
}

/// The vendor's routes.
pub fn router(source: Source) -> Router {
    Router::new()
        .route("/v2/oauth/token", post(token))
        .route("/v2/people", get(people))
        .route("/v2/people/deletions", get(deletions))
        .with_state(source)
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

async fn token(
    State(source): State<Source>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if form.get("grant_type").is_none_or(|kind| kind != "client_credentials") {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "unsupported_grant_type" }))).into_response();
    }
    let wanted = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
    if headers.get(header::AUTHORIZATION).is_none_or(|sent| sent != wanted.as_str()) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    let mut oak = source.lock().unwrap();
    oak.given += 1;
    let token = format!("oak-token-{}", oak.given);
    oak.tokens.insert(token.clone(), 0);
    Json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 })).into_response()
}

/// The page of a list, with where it goes on; or the vendor's refusal.
fn page(
    oak: &mut Oak,
    headers: &HeaderMap,
    ask: &HashMap<String, String>,
    since: &str,
    list: impl FnOnce(&Oak, i64) -> Vec<Value>,
) -> Result<(Vec<Value>, String), Box<Response>> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !bearer.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| oak.takes(token)) {
        return Err(Box::new(refuse(StatusCode::UNAUTHORIZED, "token_invalid", "ask for another token")));
    }
    if let Some(stray) = ask.keys().find(|name| !["page_size", "cursor", since].contains(&name.as_str())) {
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, "unknown_parameter", stray)));
    }
    let size = ask.get("page_size").map_or(Some(PAGE_MAX), |text| text.parse().ok());
    let Some(size) = size.filter(|size| (1..=PAGE_MAX).contains(size)) else {
        return Err(Box::new(refuse(StatusCode::UNPROCESSABLE_ENTITY, "page_size", "1 to 50")));
    };
    let from = ask.get("cursor").map_or(Some(0), |text| text.strip_prefix("at-")?.parse::<usize>().ok());
    let Some(from) = from else { return Err(Box::new(refuse(StatusCode::BAD_REQUEST, "cursor", "not one of ours"))) };
    let since = ask.get(since).map_or(Some(0), |text| Some(text.parse::<jiff::Timestamp>().ok()?.as_second() - FROM_S));
    let Some(since) = since else { return Err(Box::new(refuse(StatusCode::BAD_REQUEST, "since", "RFC 3339"))) };
    oak.lists += 1;
    let rows = list(oak, since);
    let end = rows.len().min(from.saturating_add(size));
    // An empty text is the end of the list.
    let next = if end < rows.len() { format!("at-{end}") } else { String::new() };
    Ok((rows.get(from..end).unwrap_or_default().to_vec(), next))
}

async fn people(
    State(source): State<Source>,
    headers: HeaderMap,
    Query(ask): Query<HashMap<String, String>>,
) -> Response {
    let list = |oak: &Oak, since: i64| {
        let changed = oak.people.iter().filter(|(_, one)| one.changed >= since);
        changed.map(|(number, one)| person(*number, one)).collect()
    };
    match page(&mut source.lock().unwrap(), &headers, &ask, "changed_since", list) {
        Ok((people, next)) => Json(json!({ "people": people, "meta": { "next": next } })).into_response(),
        Err(refusal) => *refusal,
    }
}

async fn deletions(
    State(source): State<Source>,
    headers: HeaderMap,
    Query(ask): Query<HashMap<String, String>>,
) -> Response {
    let list = |oak: &Oak, since: i64| {
        let gone = oak.gone.iter().filter(|(_, at)| *at >= since);
        gone.map(|(number, at)| json!({ "person_id": id(*number), "deleted_at": time(*at) })).collect()
    };
    match page(&mut source.lock().unwrap(), &headers, &ask, "since", list) {
        Ok((gone, next)) => Json(json!({ "deletions": gone, "meta": { "next": next } })).into_response(),
        Err(refusal) => *refusal,
    }
}
