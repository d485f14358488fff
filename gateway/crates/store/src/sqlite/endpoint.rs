//! [`EndpointStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::params;

use super::SqliteStore;
use super::query::{all, one, run};
use crate::endpoint_row::{ENDPOINT_SELECT, read};
use crate::limits::without_nul;
use crate::{EndpointOff, EndpointRow, EndpointStore, StoreError};

#[async_trait]
impl EndpointStore for SqliteStore {
    async fn put_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: String,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        let sql = "INSERT INTO endpoint (tenant, name, definition, updated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, name) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at";
        let put = move |c: &rusqlite::Connection| {
            run(c, sql, params![tenant.as_str(), name.as_str(), without_nul(&definition), now_ms]).map(drop)
        };
        self.writer()?.run(move |c| put(c)).await
    }

    async fn switch_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        off: Option<EndpointOff>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        let sql = "INSERT INTO endpoint (tenant, name, off_reason, off_url, off_since, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (tenant, name) DO UPDATE SET off_reason = excluded.off_reason, off_url = excluded.off_url,
             off_since = excluded.off_since, updated_at = excluded.updated_at";
        let switch = move |c: &rusqlite::Connection| {
            let reason = off.as_ref().map(|off| without_nul(&off.reason));
            let url = off.as_ref().map(|off| without_nul(&off.url));
            let since = off.as_ref().map(|off| off.since_ms);
            run(c, sql, params![tenant.as_str(), name.as_str(), reason, url, since, now_ms]).map(drop)
        };
        self.writer()?.run(move |c| switch(c)).await
    }

    async fn endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<EndpointRow>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        let sql = format!("{ENDPOINT_SELECT} WHERE tenant = ?1 AND name = ?2");
        self.readers.run(move |c| one(c, &sql, params![tenant.as_str(), name.as_str()], |row| read(row))).await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointRow>, StoreError> {
        let sql = format!("{ENDPOINT_SELECT} ORDER BY tenant, name");
        self.readers.run(move |c| all(c, &sql, [], |row| read(row))).await
    }

    async fn drop_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<bool, StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        let sql = "DELETE FROM endpoint WHERE tenant = ?1 AND name = ?2";
        self.writer()?.run(move |c| Ok(run(c, sql, params![tenant.as_str(), name.as_str()])? > 0)).await
    }
}
