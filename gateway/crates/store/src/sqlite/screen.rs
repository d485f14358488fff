//! [`ScreenStore`] on SQLite.

use async_trait::async_trait;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::screen;
use crate::{ScreenStore, ScreenTokenRow, StoreError};

#[async_trait]
impl ScreenStore for SqliteStore {
    async fn put_screen_token(&self, token: ScreenTokenRow, now_ms: i64) -> Result<(), StoreError> {
        self.writer()?.run(move |c| at_once(screen::put(c, &token, now_ms))).await
    }

    async fn screen_token(&self, hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError> {
        let hash = *hash;
        self.readers.run(move |c| at_once(screen::get(c, &hash))).await
    }
}
