//! A quarantined record once more: its page through the connector as it is now, or its own bytes through the schema as it is
//! now. Asks no vendor.

use std::sync::Arc;

use renmen_plugin_host::Envelope;
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use renmen_store::{CommitOutcome, QuarantineRow, QuarantineWrite, RecordWrite, StreamKey};

use crate::SyncError;
use crate::normalize::{self, Arrived, Normalized};
use crate::replay::Remake;
use crate::shared::Shared;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryOutcome {
    /// It was good now and was taken in.
    Accepted(CommitOutcome),
    /// It is still bad; it waits on with the newest reason, which holds no value of the record.
    Still {
        /// Stable code.
        code: String,
        /// For people.
        reason: Text,
    },
}

/// What a try gave.
enum Tried {
    Good(RecordWrite),
    Bad {
        code: String,
        reason: Text,
    },
    /// This way does not lead to the record.
    Nothing(Text),
}

/// Tries quarantined records again: see [`Engine::quarantine`](crate::Engine::quarantine).
pub struct QuarantineRetries {
    shared: Arc<Shared>,
}

impl QuarantineRetries {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    /// Tries a quarantined record again. The attempt is counted.
    ///
    /// # Errors
    /// [`SyncError::UnknownQuarantine`]; [`SyncError::UnknownConnection`] or [`SyncError::UnknownStream`] when it came through
    /// one that is no longer configured.
    pub async fn retry(&self, tenant: &TenantId, id: i64) -> Result<RetryOutcome, SyncError> {
        let row = self.shared.store.quarantine_get(tenant, id).await?.ok_or(SyncError::UnknownQuarantine(id))?;
        let connection = self.shared.connection(tenant, &row.connection)?;
        let key = connection.key(&row.stream);
        let run = self.shared.store.run(tenant, row.run).await?;
        let pulled = run.is_none_or(|run| run.trigger.pulls_stream());
        let mut tried = if pulled {
            self.through_connector(&key, &row).await?
        } else {
            // Its page was not pulled and cannot be pulled again; the vendor may send it once more.
            Tried::Nothing(text!(
                "it came by a delivery, which only the vendor can repeat",
                "它由投递送来，只有厂商可以重发"
            ))
        };
        // Those have no bytes that were meant for the schema.
        let has_payload = !matches!(row.item.code.as_str(), "connector" | "carries_secret" | crate::intake::UNUSABLE);
        if let (Tried::Nothing(_), true) = (&tried, has_payload) {
            tried = self.through_schema(&key, &row)?;
        }
        let (code, reason) = match tried {
            Tried::Good(record) => {
                let outcome = self.shared.store.quarantine_accept(tenant, id, record, self.shared.now_ms()).await?;
                return Ok(RetryOutcome::Accepted(outcome));
            }
            Tried::Bad { code, reason } => (code, reason),
            Tried::Nothing(reason) => (row.item.code.clone(), reason),
        };
        self.shared.store.quarantine_still(tenant, id, &reason).await?;
        Ok(RetryOutcome::Still { code, reason })
    }

    async fn through_connector(&self, key: &StreamKey, row: &QuarantineRow) -> Result<Tried, SyncError> {
        let connection = self.shared.connection(&key.tenant, &key.connection)?;
        let source = connection.source();
        let stream = connection.declared(source.as_ref(), &key.stream)?;
        let Some(page) = self.shared.store.pages(key, row.page - 1, 1).await?.pop().filter(|page| page.id == row.page)
        else {
            return Ok(Tried::Nothing(text!("its page is not kept any more", "其数据页已不再保留")));
        };
        let remake = Remake {
            store: self.shared.store.as_ref(),
            source: source.as_ref(),
            key,
            rules: Arc::new(connection.rules(&stream.entities)),
        };
        Ok(match remake.page(&page).await? {
            Ok(remade) => find(remade.page, &row.item),
            Err(failure) => Tried::Nothing(Text::verbatim(failure.line())),
        })
    }

    fn through_schema(&self, key: &StreamKey, row: &QuarantineRow) -> Result<Tried, SyncError> {
        let connection = self.shared.connection(&key.tenant, &key.connection)?;
        let rules = connection.rules(&crate::intake::carried(connection.source().manifest()));
        let item = &row.item;
        let envelope = Envelope {
            entity: item.entity.clone(),
            external_id: item.external_id.clone().unwrap_or_default(),
            updated_at_ms: None,
            deleted: false,
            exchange: item.exchange_no,
            pointer: item.pointer.clone(),
            payload: item.raw.clone(),
        };
        // Its page's exchanges are not at hand: their number was checked when it came in.
        let clock_ms = self.shared.now_ms();
        let arrived = Arrived { envelopes: vec![envelope], rejects: Vec::new(), exchanges: 0, clock_ms };
        Ok(find(normalize::page(arrived, &rules), item))
    }
}

/// The same record in what a page amounts to now: by its id or, without one, by its place.
fn find(page: Normalized, item: &QuarantineWrite) -> Tried {
    let by_id = |entity: &str, id: Option<&str>| entity == item.entity && id == item.external_id.as_deref();
    let by_place = |no: u32, pointer: &str| no == item.exchange_no && pointer == item.pointer;
    let has_id = item.external_id.is_some();
    let good = page.records.into_iter().rev().find(|record| {
        if has_id {
            by_id(record.entity(), Some(&record.external_id))
        } else {
            by_place(record.exchange_no, &record.pointer)
        }
    });
    if let Some(record) = good {
        return Tried::Good(record);
    }
    let bad = page.quarantine.into_iter().rev().find(|other| {
        if has_id {
            by_id(&other.entity, other.external_id.as_deref())
        } else {
            other.external_id.is_none() && by_place(other.exchange_no, &other.pointer)
        }
    });
    match bad {
        Some(other) => Tried::Bad { code: other.code, reason: other.reason },
        None => Tried::Nothing(text!(
            "the connector as it is now makes no such record of its page",
            "现在的连接器不会从其数据页得出该记录"
        )),
    }
}
