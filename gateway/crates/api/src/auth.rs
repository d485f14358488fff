//! Who is asking. Everything under `/v1` needs `Authorization: Bearer rk_…`; the tenant, the role and a vendor's
//! connection come from the key and from nowhere else, so no request can claim another's. The same layer asks the table
//! of `access` whether this role may call the operation at all.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use renmen_store::{ApiKeyRow, FoundKey};

use crate::access;
use crate::caller::{Asker, Caller};
use crate::guard::{look_up, within};
use crate::instant::now_ms;
use crate::key::ApiKey;
use crate::problem::{Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::AppState;

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
        asker.set(Arc::clone(caller));
    }
    // Every route has its template; a request without one met no route, and no row either.
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    access::check(&caller.role, request.method(), path)
}

/// The caller that the key in these headers belongs to.
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
            let found = look_up(state, sender, state.store.find_api_key(&hash)).await?;
            let key = found.map(served_here).transpose()?;
            key.filter(|key| key.is_good(now_ms())).map(|key| state.keys.keep(key, before))
        }
    };
    let caller = caller.ok_or_else(no_longer)?;
    state.keys.used(&caller, now_ms());
    Ok(caller)
}

/// A request that goes on for long asks again, before it says more, whether its key is still good.
pub(crate) async fn require_still_good(state: &AppState, caller: &Caller) -> Result<(), Problem> {
    let Err(before) = state.keys.find(&caller.hash, now_ms()) else { return Ok(()) };
    let found = within(state.options.deadline, state.store.find_api_key(&caller.hash)).await?;
    let key = found.map(served_here).transpose()?;
    let key = key.filter(|key| key.is_good(now_ms())).ok_or_else(no_longer)?;
    let _again = state.keys.keep(key, before);
    Ok(())
}

/// Refuses the key of a tenant that was moved to another database: only who has such a key is told where.
fn served_here(found: FoundKey) -> Result<ApiKeyRow, Problem> {
    match found.gone_to {
        Some(place) => Err(elsewhere(&place)),
        None => Ok(found.key),
    }
}

/// Says which gateways to ask.
pub(crate) fn elsewhere(place: &str) -> Problem {
    Problem::new(ProblemCode::TenantElsewhere).detail(
        format!("this tenant is served by {place}: send the request there"),
        format!("该租户由 {place} 提供服务：请将请求发往那里"),
    )
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
}
