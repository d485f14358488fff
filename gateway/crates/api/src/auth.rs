//! Who is asking. Everything under `/v1` needs `Authorization: Bearer rk_…`; the tenant comes from the key and from
//! nowhere else, so no request can name somebody else's.
//!
//! A key that was good is believed for a few seconds without asking the store: that is also how long a revoked key
//! still works. A wrong key is not remembered, so that a flood of them cannot push the good ones out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, FORWARDED};
use axum::middleware::Next;
use axum::response::Response;
use renmen_schema::id::TenantId;
use tokio::sync::Mutex;

use crate::guard::within;
use crate::key::ApiKey;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Keys remembered at most.
const CACHED_KEYS_MAX: usize = 4096;

/// Who is asking: what a valid key says.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    /// Tells one key from another; of no use to anybody else.
    pub(crate) key: String,
}

/// Keys that were good a moment ago, by their hash.
pub(crate) struct KeyCache {
    life: Duration,
    known: Mutex<HashMap<[u8; 32], (TenantId, Instant)>>,
}

impl KeyCache {
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, known: Mutex::new(HashMap::new()) }
    }

    async fn find(&self, hash: &[u8; 32]) -> Option<TenantId> {
        let known = self.known.lock().await;
        known.get(hash).filter(|(_, since)| since.elapsed() < self.life).map(|(tenant, _)| tenant.clone())
    }

    async fn keep(&self, hash: [u8; 32], tenant: TenantId) {
        let mut known = self.known.lock().await;
        if known.len() >= CACHED_KEYS_MAX {
            known.retain(|_, (_, since)| since.elapsed() < self.life);
        }
        if known.len() < CACHED_KEYS_MAX {
            known.insert(hash, (tenant, Instant::now()));
        }
    }
}

/// Middleware: lets a request with a valid key through, with its [`Caller`].
pub(crate) async fn require_key(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = caller(&state, request.headers()).await?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Middleware of `/metrics`: a scraper on this machine needs no key (unless switched off), every other one does. A
/// request that a proxy passed on is nobody on this machine, even where the proxy is.
pub(crate) async fn require_key_or_loopback(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let headers = request.headers();
    let passed_on = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    let local = peer.is_some_and(|ip| ip.to_canonical().is_loopback()) && !passed_on;
    if !(state.options.metrics_open_on_loopback && local) {
        caller(&state, headers).await?;
    }
    Ok(next.run(request).await)
}

async fn caller(state: &AppState, headers: &HeaderMap) -> Result<Caller, Problem> {
    let key = bearer(headers).ok_or_else(|| {
        unauthorized(
            "send `Authorization: Bearer rk_…` with a key of this gateway",
            "请发送 `Authorization: Bearer rk_…`",
        )
    })?;
    let hash = key.hash();
    if let Some(tenant) = state.keys.find(&hash).await {
        return Ok(Caller { tenant, key: hex::encode(&hash[..8]) });
    }
    let row = within(state.options.deadline, state.store.api_key(&hash)).await?;
    match row {
        Some(row) if row.revoked_at_ms.is_none() => {
            state.keys.keep(hash, row.tenant.clone()).await;
            Ok(Caller { tenant: row.tenant, key: hex::encode(&hash[..8]) })
        }
        // The same answer for a key that never was: who finds an old key learns nothing.
        _ => Err(unauthorized("this key is not valid, or no longer", "密钥无效或已失效")),
    }
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

    #[tokio::test]
    async fn a_key_is_believed_for_its_life_and_no_longer() {
        let tenant = TenantId::new("acme").unwrap();
        let long = KeyCache::new(Duration::from_secs(60));
        long.keep([1; 32], tenant.clone()).await;
        assert_eq!(long.find(&[1; 32]).await, Some(tenant.clone()));
        assert_eq!(long.find(&[2; 32]).await, None);
        let none = KeyCache::new(Duration::ZERO);
        none.keep([1; 32], tenant).await;
        assert_eq!(none.find(&[1; 32]).await, None);
    }

    #[tokio::test]
    async fn the_cache_has_a_limit() {
        let tenant = TenantId::new("acme").unwrap();
        let cache = KeyCache::new(Duration::from_secs(60));
        for n in 0..=CACHED_KEYS_MAX as u64 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_le_bytes());
            cache.keep(hash, tenant.clone()).await;
        }
        assert_eq!(cache.known.lock().await.len(), CACHED_KEYS_MAX);
    }

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
