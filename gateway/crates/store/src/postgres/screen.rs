//! [`ScreenStore`] on PostgreSQL.

use async_trait::async_trait;

use super::{PostgresStore, in_transaction};
use crate::sql::screen;
use crate::{ScreenStore, ScreenTokenRow, StoreError};

#[async_trait]
impl ScreenStore for PostgresStore {
    async fn put_screen_token(&self, token: ScreenTokenRow, now_ms: i64) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| screen::put(&transaction, &token, now_ms))
    }

    async fn screen_token(&self, hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError> {
        self.read(|c| async move { screen::get(&c, hash).await }).await
    }
}
