//! Who is asking. Everything under `/v1` needs `Authorization: Bearer rk_…`; the tenant, the role and a vendor's connection
//! come from the key and from nowhere else, so no request can name somebody else's. The same layer asks the table of
//! `access` whether this role may call the operation at all.

use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use renmen_schema::id::TenantId;
use renmen_store::{ApiKeyRow, KeyId, KeyRole};

use crate::access;
use crate::guard::{look_up, within};
use crate::header::single;
use crate::instant::now_ms;
use crate::key::ApiKey;
use crate::problem::{Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::AppState;

/// Who does something, percent-encoded, where the key may say so.
const PERSON: &str = "renmen-person";

/// Characters of a person's name.
const PERSON_CHARS_MAX: usize = 200;

/// Who is asking: what a valid key says.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    /// Tells one key from another; of no use to anybody else.
    pub(crate) key: KeyId,
    /// What people call it.
    pub(crate) label: String,
    pub(crate) role: KeyRole,
    pub(crate) hash: [u8; 32],
    /// False: a key of this process, which no store knows.
    pub(crate) stored: bool,
    /// Whoever has it says who does something: a command on the gateway's own machine, for the person who typed it.
    pub(crate) names_people: bool,
}

impl Caller {
    pub(crate) fn of(row: ApiKeyRow) -> Self {
        let key = row.id();
        Self {
            key,
            label: row.label,
            tenant: row.tenant,
            role: row.role,
            hash: row.hash,
            stored: true,
            names_people: false,
        }
    }

    /// The name under which people's work is kept that came with this key: its label, or what people call one without.
    pub(crate) fn person(&self) -> String {
        if self.label.trim().is_empty() { format!("key {}", self.key) } else { self.label.clone() }
    }
}

impl Caller {
    /// The same, as the person that the request names, when this key may say so. Anybody else is who the key says.
    fn for_person(&self, headers: &HeaderMap) -> Self {
        let named = single(headers, PERSON).and_then(Result::ok).filter(|_| self.names_people);
        let named = named.and_then(|text| percent_decode_str(text).decode_utf8().ok());
        let fits = |name: &String| {
            let chars = name.chars().count();
            (1..=PERSON_CHARS_MAX).contains(&chars) && !name.trim().is_empty() && !name.chars().any(char::is_control)
        };
        let label = named.map(|name| name.into_owned()).filter(fits).unwrap_or_else(|| self.label.clone());
        Self { label, ..self.clone() }
    }
}

/// Where the layer outside, which logs, learns who asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker(Arc<OnceLock<Arc<Caller>>>);

impl Asker {
    pub(crate) fn get(&self) -> Option<&Caller> {
        self.0.get().map(Arc::as_ref)
    }
}

/// Middleware: lets a request with a valid key through, with its [`Caller`], when the key's role may call the operation.
pub(crate) async fn require_key(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let sender = Sender::of_request(&request, &state.options.proxies);
    let caller = caller(&state, request.headers(), sender).await?;
    admit(&caller, &request)?;
    let caller = caller.for_person(request.headers());
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Refuses what the role of this key may not call.
pub(crate) fn admit(caller: &Arc<Caller>, request: &Request) -> Result<(), Problem> {
    if let Some(asker) = request.extensions().get::<Asker>() {
        let _first = asker.0.set(Arc::clone(caller));
    }
    // Every route has its template; a request without one met no route, and no row either.
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    access::check(&caller.role, request.method(), path)
}

/// Whose key these headers carry.
pub(crate) async fn caller(state: &AppState, headers: &HeaderMap, sender: Sender) -> Result<Arc<Caller>, Problem> {
    let key = bearer(headers).ok_or_else(|| {
        unauthorized(
            "send `Authorization: Bearer rk_…` with a key of this gateway",
            "请发送 `Authorization: Bearer rk_…`",
        )
    })?;
    let hash = key.hash();
    let caller = match state.keys.find(&hash, now_ms()) {
        Ok(caller) => Some(caller),
        Err(before) => {
            let row = look_up(state, sender, state.store.api_key(&hash)).await?;
            row.filter(|row| row.is_good(now_ms())).map(|row| state.keys.keep(row, before))
        }
    };
    let caller = caller.ok_or_else(no_longer)?;
    state.keys.used(&caller, now_ms());
    Ok(caller)
}

/// A request that goes on for long asks again, before it says more, whether its key is still good.
pub(crate) async fn require_still_good(state: &AppState, caller: &Caller) -> Result<(), Problem> {
    let Err(before) = state.keys.find(&caller.hash, now_ms()) else { return Ok(()) };
    let row = within(state.options.deadline, state.store.api_key(&caller.hash)).await?;
    let row = row.filter(|row| row.is_good(now_ms())).ok_or_else(no_longer)?;
    let _again = state.keys.keep(row, before);
    Ok(())
}

/// The same answer for a key that never existed: an old key tells nothing about itself.
fn no_longer() -> Problem {
    unauthorized("this key is unknown, expired or revoked", "密钥无效、已过期或已吊销")
}

fn bearer(headers: &HeaderMap) -> Option<ApiKey> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    ApiKey::parse(key.trim())
}

fn unauthorized(en: &str, zh: &str) -> Problem {
    Problem::new(ProblemCode::Unauthorized).detail(en, zh)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_bearer_key_is_taken() {
        let key = format!("rk_{}", "0".repeat(64));
        let asked = |value: String| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).is_some()
        };
        assert!(asked(format!("Bearer {key}")));
        assert!(asked(format!("bearer {key}")));
        assert!(!asked(key.clone()));
        assert!(!asked(format!("Basic {key}")));
        assert!(!asked("Bearer rk_short".to_owned()));
        assert!(bearer(&HeaderMap::new()).is_none());
    }

    #[test]
    fn only_the_key_of_this_machine_says_who_does_something() {
        let tenant = renmen_schema::id::TenantId::new("acme").unwrap();
        let caller = Caller::of(ApiKeyRow::new([7; 32], "payroll", tenant, KeyRole::Owner, 0));
        let machine = Caller { names_people: true, ..caller.clone() };
        let person = |caller: &Caller, names: &[&str]| {
            let mut headers = HeaderMap::new();
            for name in names {
                headers.append(PERSON, name.parse().unwrap());
            }
            caller.for_person(&headers).person()
        };
        assert_eq!(person(&machine, &["%E6%9D%8E%E6%98%8E"]), "李明");
        assert_eq!(person(&caller, &["mallory"]), "payroll", "any other key is who it is");
        for unfit in [&[][..], &["a", "b"], &["%20"], &["%00x"], &["%FF"], &["x".repeat(201).as_str()]] {
            assert_eq!(person(&machine, unfit), "payroll", "{unfit:?}");
        }
        assert_eq!(person(&machine, &["x".repeat(200).as_str()]).len(), 200);
    }
}
