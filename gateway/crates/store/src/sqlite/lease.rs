//! Who does which work.

use async_trait::async_trait;
use renmen_schema::id::TenantId;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::query::{one, run};
use crate::rows::{self, LEASE_SELECT};
use crate::{LeaseRow, LeaseStore, StoreError};

#[async_trait]
impl LeaseStore for SqliteStore {
    async fn lease(&self, tenant: &TenantId, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        let sql = format!("{LEASE_SELECT} WHERE tenant = ?1 AND name = ?2");
        self.readers.run(move |c| one(c, &sql, params![tenant.as_str(), name], |row| rows::lease(row))).await
    }

    async fn beat(
        &self,
        tenant: &TenantId,
        name: &str,
        holder: Option<&str>,
        seen: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let (tenant, name, holder) = (tenant.clone(), name.to_owned(), holder.unwrap_or_default().to_owned());
        self.writer()?
            .run(move |c| {
                let values = params![tenant.as_str(), name, holder, seen, now_ms];
                let sql = if seen == 0 {
                    "INSERT INTO lease (tenant, name, holder, beat, since_ms) VALUES (?1, ?2, ?3, ?4 + 1, ?5)
                     ON CONFLICT DO NOTHING"
                } else {
                    "UPDATE lease SET since_ms = CASE WHEN holder = ?3 THEN since_ms ELSE ?5 END, holder = ?3, beat = beat + 1
                     WHERE tenant = ?1 AND name = ?2 AND beat = ?4"
                };
                Ok((run(c, sql, values)? > 0).then_some(seen + 1))
            })
            .await
    }
}

/// The process that held any has ended: this one has the file now.
pub(super) fn release_all(connection: &Connection) -> Result<(), StoreError> {
    run(connection, "UPDATE lease SET holder = '', beat = beat + 1 WHERE holder <> ''", []).map(drop)
}
