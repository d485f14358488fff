//! What goes on behind the desk: it follows the change feed, so that bands and counts are as they stand, and writes down what was
//! asked.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::entity::PayBand;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{AuthoredCommit, AuthoredRecord, ChangeKind, ChangeRow, RecordQuery, Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::desk::{BandDesk, Question};
use super::index::BandIndex;
use super::past;
use crate::author;
use crate::reading::Pace;

/// Rows read at once.
const BATCH: u32 = 500;
/// Questions in one commit.
const WRITE_MAX: usize = 500;
/// How long a question waits for others to be written down with.
const LINGER: Duration = Duration::from_millis(50);
/// How long to wait after the store was away.
const AGAIN: Duration = Duration::from_secs(1);
/// The stream that questions are written by.
const STREAM: &str = "band-matches";

/// What goes on behind the desk: [`BandWork::run`] it for as long as the desk is open.
pub struct BandWork {
    desk: Arc<BandDesk>,
    /// By tenant: the last position that was read.
    after: HashMap<TenantId, i64>,
    questions: mpsc::Receiver<Question>,
}

/// Reads a body as a band. One that cannot be read is left out: a wrong answer is worse than none.
fn read(body: &[u8]) -> Option<PayBand> {
    serde_json::from_slice(body).inspect_err(|_| tracing::warn!("Failed to read a pay band; it is left out")).ok()
}

/// Every band of these connections.
pub(super) async fn load(
    store: &dyn Store,
    tenant: &TenantId,
    sources: &BTreeSet<ConnectionName>,
) -> Result<BandIndex, StoreError> {
    let mut index = BandIndex::default();
    for connection in sources {
        let (entity, connection) = (Some("pay_band".into()), Some(connection.clone()));
        let mut query = RecordQuery { entity, connection, limit: BATCH, ..RecordQuery::default() };
        loop {
            let slice = store.records(tenant, &query).await?;
            for row in slice.items {
                if let Some(band) = read(&row.body) {
                    index.put(row.id, row.revision, band);
                }
            }
            match slice.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    Ok(index)
}

impl BandWork {
    pub(super) fn new(desk: Arc<BandDesk>, after: HashMap<TenantId, i64>, questions: mpsc::Receiver<Question>) -> Self {
        Self { desk, after, questions }
    }

    /// Follows the feed and writes down what was asked, until cancelled; then writes what still waits.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut feed = self.desk.store.watch_any();
        let mut pace = Pace::default();
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                changed = async { pace.wait().await; feed.changed().await } => {
                    if changed.is_err() {
                        break;
                    }
                    feed.mark_unchanged();
                    pace.looked(self.follow(&cancel).await);
                }
                first = self.questions.recv() => match first {
                    Some(first) => {
                        tokio::select! { () = tokio::time::sleep(LINGER) => {}, () = cancel.cancelled() => {} }
                        self.write(first, &cancel).await;
                    }
                    None => break,
                },
            }
        }
        self.questions.close();
        while let Some(first) = self.questions.recv().await {
            self.write(first, &cancel).await;
        }
    }

    /// Takes in what happened since the last time. True when anything of it was a band's or a question's.
    async fn follow(&mut self, cancel: &CancellationToken) -> bool {
        let tenants: Vec<TenantId> = self.desk.tenants.read().keys().cloned().collect();
        let mut found = false;
        for tenant in tenants {
            match self.follow_tenant(&tenant).await {
                Ok(any) => found |= any,
                Err(error) => {
                    tracing::warn!(%error, "Failed to update pay bands; trying again");
                    tokio::select! { () = tokio::time::sleep(AGAIN) => {}, () = cancel.cancelled() => {} }
                    return true;
                }
            }
        }
        found
    }

    async fn follow_tenant(&mut self, tenant: &TenantId) -> Result<bool, StoreError> {
        let after = self.after.get(tenant).copied().unwrap_or(0);
        let head = *self.desk.store.watch(tenant).borrow();
        if head <= after {
            return Ok(false);
        }
        let (mut to, mut found) = (head, false);
        // What was asked before a band changed is counted before the band's change is seen.
        for entity in ["process_node", "pay_band"] {
            if let Some(last) = self.follow_entity(tenant, entity, after).await? {
                (to, found) = (to.max(last), true);
            }
        }
        self.after.insert(tenant.clone(), to);
        Ok(found)
    }

    /// Every change of an entity since the last time; gives the place of the last one.
    async fn follow_entity(&self, tenant: &TenantId, entity: &str, from: i64) -> Result<Option<i64>, StoreError> {
        let mut last = None;
        loop {
            let changes = self.desk.store.changes(tenant, last.unwrap_or(from), Some(entity), BATCH).await?;
            for change in &changes {
                match entity {
                    "pay_band" => self.desk.apply(tenant, change).await?,
                    _ => past::recall_change(&self.desk, tenant, change).await?,
                }
                last = Some(change.seq);
            }
            if changes.len() < BATCH as usize {
                return Ok(last);
            }
        }
    }

    async fn write(&mut self, first: Question, cancel: &CancellationToken) {
        let mut by_tenant: HashMap<TenantId, Vec<AuthoredRecord>> = HashMap::new();
        let mut next = Some(first);
        let mut count = 0;
        while let Some(question) = next {
            by_tenant.entry(question.tenant).or_default().push(question.record);
            count += 1;
            next = if count < WRITE_MAX { self.questions.try_recv().ok() } else { None };
        }
        for (tenant, records) in by_tenant {
            let now_ms = self.desk.clock.now_ms();
            let commit = AuthoredCommit { records, ..AuthoredCommit::of(tenant, author::stream(STREAM), now_ms) };
            self.commit(commit, cancel).await;
        }
    }

    /// Until it is written. When the gateway stops while the store is away, it is given up and said.
    async fn commit(&self, commit: AuthoredCommit, cancel: &CancellationToken) {
        loop {
            match self.desk.store.author(commit.clone()).await {
                Ok(_) => return,
                Err(error @ (StoreError::Unavailable(_) | StoreError::Busy(_))) if !cancel.is_cancelled() => {
                    tracing::warn!(%error, "Failed to record band matches; trying again");
                    tokio::select! { () = tokio::time::sleep(AGAIN) => {}, () = cancel.cancelled() => {} }
                }
                Err(error) => {
                    let lost = commit.records.len();
                    let mut own = self.desk.own.lock();
                    for record in &commit.records {
                        own.remove(&record.external_id);
                    }
                    metrics::counter!("renmen_band_match_unwritten_total").increment(lost as u64);
                    tracing::error!(%error, lost, "Band matches were answered but not recorded");
                    return;
                }
            }
        }
    }
}

impl BandDesk {
    async fn apply(&self, tenant: &TenantId, change: &ChangeRow) -> Result<(), StoreError> {
        if !self.options.sources.contains(&change.connection) {
            return Ok(());
        }
        let row = match change.kind {
            ChangeKind::Deleted => None,
            _ => self.store.record(tenant, change.id).await?.filter(|row| row.deleted.is_none()),
        };
        let band = row.and_then(|row| Some((row.revision, read(&row.body)?)));
        let mut tenants = self.tenants.write();
        let index = tenants.entry(tenant.clone()).or_default();
        match band {
            Some((revision, body)) => index.put(change.id, revision, body),
            None => index.remove(change.id),
        }
        Ok(())
    }
}
