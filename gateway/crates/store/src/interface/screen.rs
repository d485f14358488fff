//! Tokens of candidates' screens: short-lived, and good for one interview.

use async_trait::async_trait;

use crate::{ScreenTokenRow, StoreError};

/// Screen tokens. Only their hashes are kept.
#[async_trait]
pub trait ScreenStore: Send + Sync {
    /// Keeps a token; forgets those that ended before `now_ms`.
    async fn put_screen_token(&self, token: ScreenTokenRow, now_ms: i64) -> Result<(), StoreError>;

    /// The token with this hash, ended or not: the caller decides.
    async fn screen_token(&self, hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError>;
}
