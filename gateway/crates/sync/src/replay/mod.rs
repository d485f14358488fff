//! What would the connector as it is now make of what was read then? Walks the kept pages of a stream, newest first, and
//! compares each record's newest mention with the store. Writes nothing unless asked, and then through the normal door.

mod apply;
mod diff;
mod sealed;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use renmen_schema::id::{RecordId, RunId};
use renmen_store::{
    CommitOutcome, DeletedBy, Known, PageRow, RecordQuery, RecordRow, RecordWrite, RunTrigger, StreamKey,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;
use crate::{RunFailure, SyncError};
use apply::Applying;
pub use diff::FieldDifference;
pub(crate) use sealed::Remake;
use sealed::{NOT_RECORDED, Remade};

/// Rows asked for at a time.
const ROWS: u32 = 500;
/// Pages that could not be made again of which the reason is kept.
const FAILURES_SHOWN: usize = 20;

/// How a record differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Another body.
    Changed,
    /// Made now, not in the store.
    Extra,
    /// In the store, not made any more.
    Missing,
    /// In the store; what is made now would go to quarantine.
    Refused,
    /// Live in the store; now the connector says that it is gone.
    Deleted,
    /// Gone in the store because the connector said so; now it says that it is there.
    Revived,
}

/// One record that differs.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The way in which it differs.
    pub kind: DifferenceKind,
    /// The entity of the record.
    pub entity: String,
    /// The vendor's id.
    pub external_id: String,
    /// Own id, when it is in the store.
    pub record: Option<RecordId>,
    /// The page that mentions it last.
    pub page: i64,
    /// The fields, for `changed`.
    pub fields: Vec<FieldDifference>,
    /// Why, for `refused`.
    pub reason: Option<String>,
}

/// What a replay found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReplayReport {
    /// Kept pages of the stream.
    pub pages: u64,
    /// Pages that were made again.
    pub replayed: u64,
    /// Pages of which nothing was kept, or for which the connector asks something else now.
    pub not_recorded: u64,
    /// Pages that failed in another way: page and reason, the first few.
    pub failures: Vec<PageFailure>,
    /// Pages that failed in another way.
    pub failed: u64,
    /// Records compared.
    pub records: u64,
    /// Records as they are stored.
    pub same: u64,
    /// Records whose stored state came from elsewhere since (another stream, a delivery): not compared.
    pub elsewhere: u64,
    /// Differences, by kind.
    pub differences: std::collections::BTreeMap<String, u64>,
    /// What was committed, when that was asked for and there was something.
    pub applied: Option<CommitOutcome>,
}

/// A page that could not be made again.
#[derive(Debug, Clone, Serialize)]
pub struct PageFailure {
    /// The number of the page.
    pub page: i64,
    /// Why it failed.
    pub failure: RunFailure,
}

/// Hears of each difference as it is found.
pub type DifferenceSink<'a> = &'a mut (dyn FnMut(Difference) + Send);

/// Replays old pages: see [`Engine::replays`](crate::Engine::replays).
pub struct Replays {
    shared: Arc<Shared>,
}

impl Replays {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    /// Replays the kept pages of a stream through the connector as it is now; each record that differs is passed to `sink`.
    /// Asks no vendor. With `apply`, records that are changed, extra, deleted or revived are committed by a run with the
    /// trigger `replay`; what is missing or refused now stays as it is stored.
    ///
    /// # Errors
    /// [`SyncError`]; with `apply` also [`SyncError::Running`] while a run of the stream is live.
    pub async fn stream(
        &self,
        key: &StreamKey,
        apply: bool,
        sink: DifferenceSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<ReplayReport, SyncError> {
        let connection = self.shared.connection(&key.tenant, &key.connection)?;
        let source = connection.source();
        let stream = connection.declared(source.as_ref(), &key.stream)?;
        let remake = Remake {
            store: self.shared.store.as_ref(),
            source: source.as_ref(),
            key,
            rules: Arc::new(connection.rules(&stream.entities)),
        };
        let pages = self.replayable(key).await?;
        let applying = if apply { Some(Applying::claim(&self.shared, key, source.as_ref())?) } else { None };
        let report = ReplayReport { pages: pages.len() as u64, ..ReplayReport::default() };
        let mut walk = Walk {
            shared: &self.shared,
            key,
            sink,
            report,
            settled: HashSet::new(),
            replayed: HashSet::new(),
            triggers: Triggers::new(&self.shared, key),
            applying,
        };
        for row in pages.iter().rev() {
            if cancel.is_cancelled() {
                return walk.close().await;
            }
            match remake.page(row).await? {
                Ok(remade) => walk.page(row, remade).await?,
                Err(failure) => walk.failed(row, failure),
            }
        }
        walk.missing().await?;
        walk.close().await
    }

    /// The stream's pages that were pulled.
    async fn replayable(&self, key: &StreamKey) -> Result<Vec<PageRow>, SyncError> {
        let mut pages = Vec::new();
        let mut triggers = Triggers::new(&self.shared, key);
        let mut after = 0;
        loop {
            let rows = self.shared.store.pages(key, after, ROWS).await?;
            let Some(last) = rows.last() else { return Ok(pages) };
            after = last.id;
            for row in rows {
                if triggers.of(row.run).await?.is_none_or(RunTrigger::pulls_stream) {
                    pages.push(row);
                }
            }
        }
    }
}

/// What began the runs of a stream, each asked for once.
struct Triggers<'a> {
    shared: &'a Shared,
    key: &'a StreamKey,
    known: HashMap<RunId, Option<RunTrigger>>,
}

impl<'a> Triggers<'a> {
    fn new(shared: &'a Shared, key: &'a StreamKey) -> Self {
        Self { shared, key, known: HashMap::new() }
    }

    /// None for a run that is not kept any more.
    async fn of(&mut self, run: RunId) -> Result<Option<RunTrigger>, SyncError> {
        if let Some(known) = self.known.get(&run) {
            return Ok(*known);
        }
        let trigger = self.shared.store.run(&self.key.tenant, run).await?.map(|row| row.trigger);
        self.known.insert(run, trigger);
        Ok(trigger)
    }
}

/// One replay under way.
struct Walk<'a> {
    shared: &'a Shared,
    key: &'a StreamKey,
    sink: DifferenceSink<'a>,
    report: ReplayReport,
    /// Records whose newest mention was seen: older ones do not count.
    settled: HashSet<[u8; 16]>,
    replayed: HashSet<i64>,
    triggers: Triggers<'a>,
    applying: Option<Applying<'a>>,
}

impl Walk<'_> {
    async fn page(&mut self, row: &PageRow, remade: Remade) -> Result<(), SyncError> {
        self.report.replayed += 1;
        self.replayed.insert(row.id);
        // The last of two with the same id wins, as in a commit.
        let mut records: Vec<RecordWrite> = remade.page.records;
        records.reverse();
        records.retain(|record| self.settled.insert(mark(record.entity(), &record.external_id)));
        let asked: Vec<_> =
            records.iter().map(|record| (record.entity().to_owned(), record.external_id.clone())).collect();
        let known = self.shared.store.known(&self.key.tenant, &self.key.connection, &asked).await?;
        let mut writes = Vec::new();
        for (record, known) in records.into_iter().zip(known) {
            self.report.records += 1;
            if self.compare(row, &record, known).await? {
                writes.push(record);
            }
        }
        for item in remade.page.quarantine {
            let Some(external_id) = item.external_id else { continue };
            if !self.settled.insert(mark(&item.entity, &external_id)) {
                continue;
            }
            self.report.records += 1;
            if let Some(stored) = self.stored(&item.entity, &external_id).await?.filter(|row| row.deleted.is_none()) {
                let reason = Some(format!("{}: {}", item.code, item.reason));
                self.tell(
                    DifferenceKind::Refused,
                    row,
                    (item.entity, external_id),
                    Some(stored.id),
                    Vec::new(),
                    reason,
                );
            }
        }
        match &mut self.applying {
            Some(applying) if !writes.is_empty() => applying.commit(row, writes, remade.exchanges).await,
            _ => Ok(()),
        }
    }

    /// True: the record differs in a way that a commit would set right.
    async fn compare(&mut self, row: &PageRow, record: &RecordWrite, known: Option<Known>) -> Result<bool, SyncError> {
        let ids = || (record.entity().to_owned(), record.external_id.clone());
        let gone = record.deleted.is_some();
        let Some(known) = known else {
            if gone {
                self.report.same += 1;
            } else {
                self.tell(DifferenceKind::Extra, row, ids(), None, Vec::new(), None);
            }
            return Ok(!gone);
        };
        let same_body = gone || known.hash == record.hash();
        if same_body && known.deleted == gone {
            self.report.same += 1;
            return Ok(false);
        }
        let Some(stored) = self.stored(record.entity(), &record.external_id).await? else {
            return Ok(false);
        };
        // A delivery may have brought it since: an old page must not undo that.
        if stored.origin.stream != self.key.stream || !self.pulled_or_replayed(stored.origin.run).await? {
            self.report.elsewhere += 1;
            return Ok(false);
        }
        if gone {
            self.tell(DifferenceKind::Deleted, row, ids(), Some(stored.id), Vec::new(), None);
            return Ok(true);
        }
        if !same_body {
            let fields = diff::fields(record.entity(), &stored.body, record.body());
            self.tell(DifferenceKind::Changed, row, ids(), Some(stored.id), fields, None);
            // A record that was deleted in another way since then stays deleted.
            return Ok(stored.deleted.is_none() || stored.deleted == Some(DeletedBy::SourceFlag));
        }
        if stored.deleted == Some(DeletedBy::SourceFlag) {
            self.tell(DifferenceKind::Revived, row, ids(), Some(stored.id), Vec::new(), None);
            return Ok(true);
        }
        self.report.same += 1;
        Ok(false)
    }

    /// False: a delivery or a targeted read wrote this revision.
    async fn pulled_or_replayed(&mut self, run: RunId) -> Result<bool, SyncError> {
        let trigger = self.triggers.of(run).await?;
        Ok(trigger.is_none_or(|trigger| trigger == RunTrigger::Replay || trigger.pulls_stream()))
    }

    /// Live records of this stream that a replayed page had made and no page makes any more.
    async fn missing(&mut self) -> Result<(), SyncError> {
        let mut query =
            RecordQuery { connection: Some(self.key.connection.clone()), limit: ROWS, ..RecordQuery::default() };
        loop {
            let slice = self.shared.store.records(&self.key.tenant, &query).await?;
            for record in slice.items {
                let page =
                    record.origin.exchange.map(|exchange| exchange.page).filter(|page| self.replayed.contains(page));
                let ours = record.origin.stream == self.key.stream;
                if let Some(page) =
                    page.filter(|_| ours && !self.settled.contains(&mark(&record.entity, &record.external_id)))
                {
                    let row = PageRow {
                        id: page,
                        run: record.origin.run,
                        cursor_before: None,
                        cursor_after: None,
                        now_ms: 0,
                    };
                    let ids = (record.entity, record.external_id);
                    self.tell(DifferenceKind::Missing, &row, ids, Some(record.id), Vec::new(), None);
                }
            }
            match slice.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn failed(&mut self, row: &PageRow, failure: RunFailure) {
        if failure.code == NOT_RECORDED || failure.message.contains("[not_recorded]") {
            self.report.not_recorded += 1;
            return;
        }
        self.report.failed += 1;
        if self.report.failures.len() < FAILURES_SHOWN {
            self.report.failures.push(PageFailure { page: row.id, failure });
        }
    }

    async fn close(mut self) -> Result<ReplayReport, SyncError> {
        if let Some(applying) = self.applying.take() {
            self.report.applied = applying.finish().await?;
        }
        Ok(self.report)
    }

    async fn stored(&self, entity: &str, external_id: &str) -> Result<Option<RecordRow>, SyncError> {
        let query = RecordQuery {
            entity: Some(entity.to_owned()),
            connection: Some(self.key.connection.clone()),
            external_id: Some(external_id.to_owned()),
            include_deleted: true,
            limit: 1,
            ..RecordQuery::default()
        };
        Ok(self.shared.store.records(&self.key.tenant, &query).await?.items.pop())
    }

    fn tell(
        &mut self,
        kind: DifferenceKind,
        row: &PageRow,
        (entity, external_id): (String, String),
        record: Option<RecordId>,
        fields: Vec<FieldDifference>,
        reason: Option<String>,
    ) {
        let name =
            serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        *self.report.differences.entry(name).or_default() += 1;
        (self.sink)(Difference { kind, entity, external_id, record, page: row.id, fields, reason });
    }
}

fn mark(entity: &str, external_id: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(entity.len() as u64).to_le_bytes()).update(entity.as_bytes()).update(external_id.as_bytes());
    let mut mark = [0; 16];
    mark.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    mark
}
