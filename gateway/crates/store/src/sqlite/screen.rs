//! Tokens of candidates' screens.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::query::{one, run};
use crate::rows::{self, SCREEN_TOKEN_SELECT};
use crate::{ScreenStore, ScreenTokenRow, StoreError};

#[async_trait]
impl ScreenStore for SqliteStore {
    async fn put_screen_token(&self, token: ScreenTokenRow, now_ms: i64) -> Result<(), StoreError> {
        self.writer()?.run(move |c| put(c, &token, now_ms)).await
    }

    async fn screen_token(&self, hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError> {
        let hash = *hash;
        self.readers
            .run(move |c| {
                let sql = format!("{SCREEN_TOKEN_SELECT} WHERE hash = ?1");
                one(c, &sql, params![hash], |row| rows::screen_token(row))
            })
            .await
    }
}

fn put(connection: &Connection, token: &ScreenTokenRow, now_ms: i64) -> Result<(), StoreError> {
    run(connection, "DELETE FROM screen_token WHERE expires_at < ?1", [now_ms])?;
    let sql = "INSERT INTO screen_token (hash, tenant, interview, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let values = params![token.hash, token.tenant.as_str(), token.interview.to_string(), token.expires_at_ms];
    run(connection, sql, values).map(drop)
}
