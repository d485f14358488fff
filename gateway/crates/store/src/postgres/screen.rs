//! Tokens of candidates' screens.

use async_trait::async_trait;

use super::query::{one, run};
use super::{PostgresStore, in_time};
use crate::rows::{self, SCREEN_TOKEN_SELECT};
use crate::{ScreenStore, ScreenTokenRow, StoreError};

#[async_trait]
impl ScreenStore for PostgresStore {
    async fn put_screen_token(&self, token: ScreenTokenRow, now_ms: i64) -> Result<(), StoreError> {
        in_time(async {
            let client = self.client().await?;
            run(&client, "DELETE FROM screen_token WHERE expires_at < $1", &[&now_ms]).await?;
            let sql = "INSERT INTO screen_token (hash, tenant, interview, expires_at) VALUES ($1, $2, $3, $4)";
            let (hash, interview) = (token.hash.as_slice(), token.interview.to_string());
            run(&client, sql, &[&hash, &token.tenant.as_str(), &interview, &token.expires_at_ms]).await.map(drop)
        })
        .await
    }

    async fn screen_token(&self, hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError> {
        let hash = hash.as_slice();
        self.read(|c| async move {
            let sql = format!("{SCREEN_TOKEN_SELECT} WHERE hash = $1");
            one(&c, &sql, &[&hash]).await?.as_ref().map(rows::screen_token).transpose()
        })
        .await
    }
}
