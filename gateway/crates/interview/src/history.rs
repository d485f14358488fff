//! Since when the loop acts on each connection. What ended before is history: it was decided by other means, and is taken in and left
//! alone. Written once, when the loop first serves a connection; whichever gateway comes first says it for all.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{AuthoredCommit, Follow, Store, StoreError, TimerWrite};

use crate::{InterviewError, author};

/// The stream that it is written by: one timer for each connection, at the time from which on it is acted on. Nothing waits for them.
const STREAM: &str = "interview-since";
/// Connections of one tenant.
const CONNECTIONS_MAX: u32 = 10_000;
/// Tries, when another gateway writes at the same time.
const TRIES: u32 = 5;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(BTreeMap<String, i64>);

impl History {
    /// What ended before this is left alone. Milliseconds.
    pub(crate) fn since_ms(&self, connection: &ConnectionName) -> i64 {
        self.0.get(connection.as_str()).copied().unwrap_or(i64::MIN)
    }

    /// Of one connection.
    pub(crate) fn of(connection: &ConnectionName, since_ms: i64) -> Self {
        Self([(connection.to_string(), since_ms)].into())
    }

    /// Writes it over what is known of the same connections.
    ///
    /// # Errors
    /// [`InterviewError::Store`].
    pub(crate) async fn keep(&self, store: &dyn Store, tenant: &TenantId, now_ms: i64) -> Result<(), InterviewError> {
        // How often it was written: what one gateway read must not be written over by another.
        let stands = author::place(store, tenant, STREAM).await?;
        Ok(self.clone().write(store, tenant, stands, now_ms).await?)
    }

    /// Reads it; writes it for connections that are new.
    ///
    /// # Errors
    /// [`InterviewError::Store`].
    pub(crate) async fn open<'c>(
        store: &dyn Store,
        tenant: &TenantId,
        connections: impl Iterator<Item = &'c ConnectionName> + Clone,
        now_ms: i64,
    ) -> Result<Self, InterviewError> {
        for _ in 0..TRIES {
            let stands = author::place(store, tenant, STREAM).await?;
            let known = Self::read(store, tenant).await?;
            let new: Vec<_> = connections.clone().filter(|name| !known.0.contains_key(name.as_str())).collect();
            if new.is_empty() {
                return Ok(known);
            }
            let since = new.into_iter().map(|name| (name.to_string(), now_ms)).collect();
            match Self(since).write(store, tenant, stands, now_ms).await {
                Ok(()) => {}
                Err(StoreError::Fenced(why)) => tracing::debug!(why, "Another gateway wrote it first"),
                Err(error) => return Err(error.into()),
            }
        }
        Err(InterviewError::refused(
            "other gateways keep writing since when connections are acted on; try again",
            "其他网关正在写入各连接的起始处理时间，请重试",
        ))
    }

    async fn read(store: &dyn Store, tenant: &TenantId) -> Result<Self, StoreError> {
        let rows = store.due_timers(tenant, STREAM, i64::MAX, CONNECTIONS_MAX).await?;
        Ok(Self(rows.into_iter().map(|row| (row.name, row.due_ms)).collect()))
    }

    async fn write(self, store: &dyn Store, tenant: &TenantId, stands: i64, now_ms: i64) -> Result<(), StoreError> {
        let mut commit = AuthoredCommit::of(tenant.clone(), author::stream(STREAM), now_ms);
        commit.follow = Some(Follow { from: stands, to: stands + 1 });
        commit.timers = self.0.into_iter().map(|(name, due_ms)| TimerWrite::Set { name, due_ms }).collect();
        store.author(commit).await.map(drop)
    }
}
