//! Step 8: tokens from token endpoints. Owns how long a token is used and that one fetch at a time goes out for a slot; the wire is
//! handed in.

mod around;
mod endpoint;
mod json;
mod jwt;
mod keeper;
mod life;
mod oauth2_answer;
mod oauth2_client;
mod oauth2_form;
mod refresh;
mod refresh_memory;
mod saml;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_vault::Secret;
use tokio::time::Instant;

use crate::EgressError;

pub(crate) use around::Surroundings;
pub(crate) use endpoint::{TokenEndpoint, is_stale};
pub(crate) use keeper::Unkept;
pub use keeper::{HeldRefresh, RefreshTokens, SlotOf};
pub use refresh_memory::RefreshInMemory;

/// A token is used no longer than this long before its end, or a tenth of its life if that is less: it must not run out on
/// the way, nor while a vendor's clock is ahead.
const MARGIN_MAX: Duration = Duration::from_secs(300);

/// Vendors that name no life: seconds.
const LIFE_UNSTATED: Duration = Duration::from_secs(300);

/// A token with its end.
pub(crate) struct Token {
    pub(crate) text: Secret,
    /// What came with it and is as secret.
    pub(crate) refresh: Option<Secret>,
    use_until: Instant,
}

impl Token {
    /// `life`: as the vendor states it, from now.
    pub(crate) fn new(text: String, life: Option<Duration>) -> Self {
        let life = life.unwrap_or(LIFE_UNSTATED).min(Duration::from_secs(365 * 24 * 3600));
        let use_until = Instant::now() + (life - (life / 10).min(MARGIN_MAX));
        Self { text: Secret::new(text), refresh: None, use_until }
    }

    pub(crate) fn with_refresh(self, refresh: Option<String>) -> Self {
        Self { refresh: refresh.map(Secret::new), ..self }
    }
}

/// The token of one slot.
#[derive(Default)]
pub(crate) struct TokenCell {
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// When the last fetch failed, and how: those who waited for it share its fate instead of knocking one after the other.
    failed: Option<(Instant, EgressError)>,
}

impl TokenCell {
    /// The token; fetched when there is none. Fifty who ask at once cause one fetch.
    ///
    /// # Errors
    /// Those of the fetch.
    pub(crate) async fn get<F, Fut>(&self, fetch: F) -> Result<Arc<Token>, EgressError>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Token, EgressError>>,
    {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(token) = state.token.as_ref().filter(|token| Instant::now() < token.use_until) {
            return Ok(token.clone());
        }
        if let Some((at, error)) = &state.failed
            && *at > asked
        {
            return Err(error.clone());
        }
        match fetch().await {
            Ok(token) => {
                let token = Arc::new(token);
                *state = State { token: Some(token.clone()), failed: None };
                Ok(token)
            }
            Err(error) => {
                *state = State { token: None, failed: Some((Instant::now(), error.clone())) };
                Err(error)
            }
        }
    }

    /// The vendor no longer takes this token. A newer one stays.
    pub(crate) async fn forget(&self, stale: &Arc<Token>) {
        let mut state = self.state.lock().await;
        if state.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, stale)) {
            state.token = None;
        }
    }
}

/// The slot that a token belongs to.
type CellKey = (TenantId, ConnectionName, SlotName);

/// The fingerprint of what the token was fetched with, and the token.
type Kept = ([u8; 32], Arc<TokenCell>);

/// The tokens of all connections: a connection that is made again with the same secret keeps its token, because vendors
/// throttle token endpoints.
#[derive(Default)]
pub(crate) struct TokenCache {
    cells: Mutex<HashMap<CellKey, Kept>>,
}

impl TokenCache {
    /// The cell of a slot. `fingerprint` is of secret and recipe: when either changed, an old token is not used.
    pub(crate) fn cell(&self, key: CellKey, fingerprint: [u8; 32]) -> Arc<TokenCell> {
        let mut cells = self.cells.lock();
        let entry = cells.entry(key).or_insert_with(|| (fingerprint, Arc::default()));
        if entry.0 != fingerprint {
            *entry = (fingerprint, Arc::default());
        }
        entry.1.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    async fn get(cell: &TokenCell, fetches: &AtomicUsize, life_s: u64) -> Arc<Token> {
        let fetch = || async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let n = fetches.fetch_add(1, Ordering::SeqCst);
            Ok(Token::new(format!("token-{n}"), Some(Duration::from_secs(life_s))))
        };
        cell.get(fetch).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_used_until_shortly_before_its_end() {
        let (cell, fetches) = (TokenCell::default(), AtomicUsize::new(0));
        get(&cell, &fetches, 7200).await;
        tokio::time::advance(Duration::from_secs(6_890)).await;
        assert_eq!(get(&cell, &fetches, 7200).await.text.expose(), "token-0");
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(get(&cell, &fetches, 7200).await.text.expose(), "token-1");
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_stale_token_itself_is_forgotten() {
        let (cell, fetches) = (TokenCell::default(), AtomicUsize::new(0));
        let old = get(&cell, &fetches, 7200).await;
        cell.forget(&old).await;
        let new = get(&cell, &fetches, 7200).await;
        assert_eq!(new.text.expose(), "token-1");
        cell.forget(&old).await;
        assert!(Arc::ptr_eq(&new, &get(&cell, &fetches, 7200).await));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_the_failure_and_later_ones_try_again() {
        let (cell, fetches) = (Arc::new(TokenCell::default()), Arc::new(AtomicUsize::new(0)));
        let failing = |cell: Arc<TokenCell>, fetches: Arc<AtomicUsize>| async move {
            let fetch = || async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                fetches.fetch_add(1, Ordering::SeqCst);
                Err(EgressError::Auth("refused".into()))
            };
            cell.get(fetch).await.err()
        };
        let all: Vec<_> = (0..20).map(|_| tokio::spawn(failing(cell.clone(), fetches.clone()))).collect();
        for one in all {
            assert!(matches!(one.await.unwrap(), Some(EgressError::Auth(_))));
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        failing(cell, fetches.clone()).await;
        assert_eq!(fetches.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_changed_secret_gets_a_new_cell_and_the_same_keeps_its_own() {
        let cache = TokenCache::default();
        let key = || (TenantId::new("t").unwrap(), ConnectionName::new("c").unwrap(), SlotName::new("s").unwrap());
        let first = cache.cell(key(), [1; 32]);
        assert!(Arc::ptr_eq(&first, &cache.cell(key(), [1; 32])));
        assert!(!Arc::ptr_eq(&first, &cache.cell(key(), [2; 32])));
    }
}
