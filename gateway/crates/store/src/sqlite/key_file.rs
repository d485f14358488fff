//! The keys of a file that a running gateway holds. A command that makes or revokes a key cannot wait until that
//! gateway stops, so it opens the file as well: for the length of a statement, for this one table, and without ever
//! moving the log into the file, which is left to the gateway. SQLite's own lock keeps the two writers apart.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use rusqlite::Connection;

use super::query::at_once;
use super::{blocking, connect, migrate, writer};
use crate::sql::api_key;
use crate::{ApiKeyRow, FoundKey, KeyId, KeyStore, StoreError, StoreOptions};

/// The table of keys, and nothing else.
pub(crate) struct KeyFile(Arc<Mutex<Connection>>);

impl KeyFile {
    /// Opens the file even while a gateway holds it. None when there is no file yet, or its tables are older than this
    /// program: what is missing is created by the program that takes the file for itself.
    pub(crate) async fn open(path: &Path, options: &StoreOptions) -> Result<Option<Self>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        let (path, options) = (path.to_owned(), options.clone());
        blocking(move || {
            let connection = connect::beside(&path, &options)?;
            match migrate::check(&connection) {
                Ok(()) => Ok(Some(Self(Arc::new(Mutex::new(connection))))),
                Err(StoreError::Unavailable(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let connection = Arc::clone(&self.0);
        blocking(move || {
            writer::in_transaction(&mut connection.lock(), |transaction| {
                // A newer gateway may have taken the file since it was opened.
                migrate::check(transaction)?;
                work(transaction)
            })
        })
        .await
    }
}

#[async_trait]
impl KeyStore for KeyFile {
    async fn put_api_key(&self, key: ApiKeyRow) -> Result<(), StoreError> {
        self.run(move |c| at_once(api_key::put(c, &key))).await
    }

    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        let hash = *hash;
        self.run(move |c| at_once(api_key::get(c, &hash))).await
    }

    async fn find_api_key(&self, hash: &[u8; 32]) -> Result<Option<FoundKey>, StoreError> {
        let hash = *hash;
        self.run(move |c| at_once(api_key::find(c, &hash))).await
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<&ApiKeyRow>,
        limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        let (tenant, after) = (tenant.cloned(), after.cloned());
        self.run(move |c| at_once(api_key::list(c, tenant.as_ref(), after.as_ref(), limit))).await
    }

    async fn api_key_by_id(&self, tenant: Option<&TenantId>, id: KeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let tenant = tenant.cloned();
        self.run(move |c| at_once(api_key::by_id(c, tenant.as_ref(), id))).await
    }

    async fn revoke_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let tenant = tenant.cloned();
        self.run(move |c| at_once(api_key::revoke(c, tenant.as_ref(), id, now_ms))).await
    }

    async fn note_key_uses(&self, uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.run(move |c| at_once(api_key::note_uses(c, &uses))).await
    }
}
