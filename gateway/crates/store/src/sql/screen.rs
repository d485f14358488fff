//! Tokens of candidates' screens.

use super::{Session, moving, values};
use crate::rows::{self, SCREEN_TOKEN_SELECT};
use crate::{ScreenTokenRow, StoreError};

/// Keeps a token, and forgets those that have ended.
pub(crate) async fn put(session: &impl Session, token: &ScreenTokenRow, now_ms: i64) -> Result<(), StoreError> {
    moving::refuse(session, &token.tenant).await?;
    session.run("DELETE FROM screen_token WHERE expires_at < $1", values![now_ms]).await?;
    let sql = "INSERT INTO screen_token (hash, tenant, interview, expires_at) VALUES ($1, $2, $3, $4)";
    let values = values![&token.hash, &token.tenant, token.interview.to_string(), token.expires_at_ms];
    session.run(sql, values).await.map(drop)
}

pub(crate) async fn get(session: &impl Session, hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError> {
    session.one(&format!("{SCREEN_TOKEN_SELECT} WHERE hash = $1"), values![hash], rows::screen_token).await
}
