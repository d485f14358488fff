//! Reads what deliveries only announced, until it is done: single records by a targeted read, whole streams by a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::Tape;
use renmen_plugin_host::Pull;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::inbox::{Intake, RefreshDone, RefreshFailed, RefreshRow};
use renmen_store::{DeletedBy, RunTrigger, StreamKey};
use renmen_turns::{Bounds, Class, Places, Who, work};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Deliveries;
use super::prepare::by_stream;
use crate::connection::plugin_ref;
use crate::exchanges::exchange_writes;
use crate::failure::{FailureClass, RunFailure};
use crate::normalize::{self, Arrived};
use crate::options::millis;
use crate::shared::Shared;
use crate::source::Reading;
use crate::spool::PageTape;
use crate::{IngestLimits, NoProgress, Runs, SyncError, figures};

/// Refreshes claimed at a time.
const CLAIMED_MAX: u32 = 200;
/// Records of one targeted read.
const ONLY_MAX: usize = 50;
/// Pages of one targeted read: it names its records, so more is a connector that goes round in circles.
const PAGES_MAX: usize = 100;
/// Groups of reads that are under way or stand in line.
const READS_MAX: usize = 64;
/// The same of one connection.
const READS_EACH: usize = 16;
/// What a targeted read is called in line: those of one connection take their turns together.
const READ: &str = "refresh";
/// No sleep is longer: another gateway may have kept a refresh.
const NAP_MAX: Duration = Duration::from_secs(2);
/// How often claims are kept in the time in which one is good.
const RENEWALS: u32 = 4;
/// How long a claim is good where no other gateway can be waiting for it.
const CLAIM_ALONE: Duration = Duration::from_secs(300);
/// Wait before a stream is asked again whose run is under way.
const RUNNING_WAIT: Duration = Duration::from_secs(1);
/// How often old deliveries are forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// Rows forgotten at a time.
const PURGE_ROWS: u32 = 1_000;

/// Reads what deliveries announced.
#[derive(Clone)]
pub(crate) struct RefreshReader {
    shared: Arc<Shared>,
    runs: Runs,
    /// Targeted reads under way.
    reads: Places,
    /// Told when a delivery asked for something to be read.
    wanted: Arc<Notify>,
}

impl RefreshReader {
    pub(crate) fn new(shared: &Arc<Shared>, runs: &Runs, deliveries: &Deliveries) -> Self {
        Self {
            shared: Arc::clone(shared),
            runs: runs.clone(),
            reads: Places::new("reads", shared.options.parallel_reads),
            wanted: Arc::clone(&deliveries.wanted),
        }
    }

    /// Reads what is asked for as it comes, and forgets old deliveries, until `cancel`.
    pub(crate) async fn serve(self, cancel: CancellationToken) {
        let (mut reads, mut under_way) = (JoinSet::new(), UnderWay::default());
        let mut purged: Option<std::time::Instant> = None;
        while !cancel.is_cancelled() {
            if purged.is_none_or(|at| at.elapsed() >= PURGE_EVERY) {
                purged = Some(std::time::Instant::now());
                self.purge(&cancel).await;
            }
            while reads.try_join_next().is_some() {}
            let mut nap = NAP_MAX;
            if reads.len() < READS_MAX {
                match self.claim(&under_way.busy()).await {
                    // What is due is of connections that have enough to do: one that ends tells.
                    Ok((groups, Some(0))) if groups.is_empty() => {}
                    Ok((groups, left_ms)) => {
                        for (key, rows) in groups {
                            let (group, reader, cancel) = (under_way.begin(&key), self.clone(), cancel.clone());
                            reads.spawn(async move {
                                let _group = group;
                                let claims = rows.iter().map(RefreshRow::done).collect();
                                tokio::select! {
                                    () = reader.read(key, rows, cancel) => {}
                                    () = reader.keep_claims(claims) => {}
                                }
                            });
                        }
                        nap = Duration::from_millis(left_ms.unwrap_or(i64::MAX).max(1).unsigned_abs()).min(NAP_MAX);
                    }
                    Err(error) => tracing::debug!(%error, "Failed to look up announced refreshes"),
                }
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.wanted.notified() => {}
                Some(_) = reads.join_next() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
        // Each ends by itself: a read is one call, a run ends after the pages that it has read.
        while reads.join_next().await.is_some() {}
    }

    /// What is due by stream, but of no connection that is busy, and how long until the next is.
    async fn claim(
        &self,
        busy: &[Connection],
    ) -> Result<(BTreeMap<StreamKey, Vec<RefreshRow>>, Option<i64>), SyncError> {
        let now_ms = self.shared.now_ms();
        let mut groups = BTreeMap::<StreamKey, Vec<RefreshRow>>::new();
        let due_ms = self.shared.store.next_refresh_ms().await?;
        if due_ms.is_none_or(|due_ms| due_ms > now_ms) {
            return Ok((groups, due_ms.map(|due_ms| due_ms - now_ms)));
        }
        for row in self.shared.store.claim_refreshes(now_ms, self.claim_lease_ms(), busy, CLAIMED_MAX).await? {
            let key = StreamKey {
                tenant: row.tenant.clone(),
                connection: row.connection.clone(),
                stream: row.ask.stream.clone(),
            };
            groups.entry(key).or_default().push(row);
        }
        Ok((groups, Some(0)))
    }

    /// Keeps claims for as long as it is polled. One that is another gateway's by now is not kept: what is read under it is refused.
    async fn keep_claims(&self, claims: Vec<RefreshDone>) {
        let lease = self.shared.options.lease;
        if !self.shared.store.is_shared() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(lease / RENEWALS).await;
            let renewed = self.shared.store.renew_refreshes(claims.clone(), self.shared.now_ms(), millis(lease)).await;
            if let Err(error) = renewed {
                tracing::debug!(%error, "Failed to keep claims of refreshes; trying again");
            }
        }
    }

    /// How long a claim is good: with a store of one process until that ends, and then the next one takes it back.
    fn claim_lease_ms(&self) -> i64 {
        if self.shared.store.is_shared() { millis(self.shared.options.lease) } else { millis(CLAIM_ALONE) }
    }

    async fn read(&self, key: StreamKey, rows: Vec<RefreshRow>, cancel: CancellationToken) {
        if self.is_shut(&key) {
            return self.pass_over(&key, &rows).await;
        }
        let (whole, single): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.ask.external_id.is_none());
        for row in whole {
            let ended = self.run_whole(&key, &row, &cancel).await;
            self.settle(&key, vec![row], ended).await;
        }
        for chunk in single.chunks(ONLY_MAX) {
            let who = Who::new(key.tenant.as_str(), key.connection.as_str(), READ);
            let _place = self.reads.take(&who, Bounds::default()).await;
            let ended = self.read_only(&key, chunk).await;
            self.settle(&key, chunk.to_vec(), ended).await;
        }
    }

    /// Is nothing granted that the stream carries?
    fn is_shut(&self, key: &StreamKey) -> bool {
        let connection = self.shared.connection(&key.tenant, &key.connection);
        connection.is_ok_and(|connection| connection.shut_streams().contains_key(&key.stream))
    }

    /// Ends what asks for a stream that is off: nothing of it could come in.
    async fn pass_over(&self, key: &StreamKey, rows: &[RefreshRow]) {
        figures::refreshes(key, "not_granted", rows.len());
        let done = rows.iter().map(RefreshRow::done).collect();
        if let Err(error) = self.shared.store.settle_refreshes(done, Vec::new(), self.shared.now_ms()).await {
            tracing::debug!(%error, "Failed to end a refresh of a stream that is off; it ends when its claim expires");
        }
    }

    /// A run of the whole stream: what is announced while one is under way may have come too late for it.
    async fn run_whole(&self, key: &StreamKey, row: &RefreshRow, cancel: &CancellationToken) -> Result<(), RunFailure> {
        match self.runs.run(key, RunTrigger::Event, cancel.clone(), &NoProgress).await {
            Ok(report) => match report.failure {
                None => {
                    let done = vec![row.done()];
                    self.shared
                        .store
                        .settle_refreshes(done, Vec::new(), self.shared.now_ms())
                        .await
                        .map_err(|error| of_store(&error))
                }
                Some(failure) => Err(failure),
            },
            Err(error) => Err(of_engine(&error)),
        }
    }

    /// One targeted read. Its last commit also says that the refreshes are done.
    async fn read_only(&self, key: &StreamKey, rows: &[RefreshRow]) -> Result<(), RunFailure> {
        let connection = self.shared.connection(&key.tenant, &key.connection).map_err(|error| of_engine(&error))?;
        let source = connection.source();
        let declared = connection.declared(source.as_ref(), &key.stream).map_err(|error| of_engine(&error))?;
        let rules = Arc::new(connection.rules(&declared.entities));
        let only: Vec<String> = rows.iter().filter_map(|row| row.ask.external_id.clone()).collect();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let tape = Arc::new(PageTape::new(Vec::new(), None));
            let clock_ms = self.shared.now_ms();
            let reading = Reading { tape: Arc::clone(&tape) as Arc<dyn Tape>, clock_ms };
            let pull = Pull { stream: key.stream.clone(), cursor, only: only.clone() };
            let mut page = source.pull(reading, pull).await.map_err(|error| RunFailure::from(&error))?;
            let _held_until_kept = page.memory.take();
            let (has_more, next) = (page.has_more, page.next.clone());
            let unread = page.findings.iter().find(|finding| finding.missing).map(RunFailure::from);
            let reel = self.shared.options.keep_exchanges.then_some(tape.take().await);
            let (rules, of, from) = (Arc::clone(&rules), Arc::clone(&connection), Arc::clone(&source));
            let (mut pages, dated_ahead) = work(&connection.account(), Class::Bulk, move || {
                let exchanges = reel.map_or_else(Vec::new, |reel| exchange_writes(&page.exchanges, reel));
                let page = normalize::page(Arrived::of(&mut page, clock_ms), &rules);
                figures::payslips(of.name(), page.payslips);
                let dated_ahead = page.dated_ahead.values().sum();
                (by_stream(from.manifest(), page, &exchanges, DeletedBy::SourceFlag), dated_ahead)
            })
            .await;
            self.shared.book.dated_ahead(key, dated_ahead);
            let held: Vec<RefreshDone> = rows.iter().map(RefreshRow::done).collect();
            // They were read through this stream, whichever else carries their entity.
            pages.iter_mut().for_each(|page| page.stream = key.stream.clone());
            let intake = Intake {
                tenant: key.tenant.clone(),
                connection: key.connection.clone(),
                plugin: plugin_ref(source.as_ref()),
                delivery: None,
                pages,
                refreshes: Vec::new(),
                done: if has_more || unread.is_some() { Vec::new() } else { held.clone() },
                held,
                clock_ms,
                now_ms: self.shared.now_ms(),
            };
            self.shared.store.take_in(intake).await.map_err(|error| of_store(&error))?;
            if let Some(failure) = unread {
                return Err(failure);
            }
            if !has_more {
                return Ok(());
            }
            cursor = next;
        }
        let message = format!("a read of {} records has more than {PAGES_MAX} pages", rows.len());
        Err(RunFailure::new("pages_max", FailureClass::Connector, message))
    }

    /// Counts the end; what failed waits for its next attempt, which never stops coming.
    async fn settle(&self, key: &StreamKey, rows: Vec<RefreshRow>, ended: Result<(), RunFailure>) {
        let Err(mut failure) = ended else {
            figures::refreshes(key, "done", rows.len());
            return;
        };
        figures::refreshes(key, "failed", rows.len());
        tracing::warn!(
            connection = %key.connection, stream = %key.stream, records = rows.len(), code = failure.code,
            reason = failure.message, "What an event announced could not be read; it is tried again"
        );
        let now_ms = self.shared.now_ms();
        let mut failed = Vec::with_capacity(rows.len());
        let connection = self.shared.connection(&key.tenant, &key.connection);
        let waits =
            connection.map_or_else(|_| IngestLimits::default().waits(), |connection| connection.limits().waits());
        for row in rows {
            failure.schedule(&self.shared.options.retry, waits, row.attempts, rand::random(), now_ms);
            let running = failure.code == RUNNING;
            let due_at_ms = if running { now_ms + millis(RUNNING_WAIT) } else { failure.retry_at_ms.unwrap_or(now_ms) };
            failed.push(RefreshFailed { id: row.id, token: row.token, error: failure.line(), due_at_ms });
        }
        if let Err(error) = self.shared.store.settle_refreshes(Vec::new(), failed, now_ms).await {
            tracing::debug!(%error, "The end of a read could not be kept; it is read again when its claim is over");
        }
    }

    async fn purge(&self, cancel: &CancellationToken) {
        let now_ms = self.shared.now_ms();
        let before_ms = now_ms.saturating_sub(millis(self.shared.options.inbox_age));
        while !cancel.is_cancelled() {
            match self.shared.store.purge_inbox(before_ms, PURGE_ROWS, now_ms).await {
                Ok(rows) if rows >= u64::from(PURGE_ROWS) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(%error, "Failed to delete old deliveries");
                    return;
                }
            }
        }
    }
}

/// A connection by its names.
type Connection = (TenantId, ConnectionName);

/// The groups of each connection that are read or stand in line: each holds a clone for as long as it goes on.
#[derive(Default)]
struct UnderWay(BTreeMap<Connection, Arc<()>>);

impl UnderWay {
    fn begin(&mut self, key: &StreamKey) -> Arc<()> {
        Arc::clone(self.0.entry((key.tenant.clone(), key.connection.clone())).or_default())
    }

    /// Those that have as many as one may: a connection whose vendor keeps it waiting must not fill the line.
    fn busy(&self) -> Vec<Connection> {
        let busy = self.0.iter().filter(|(_, groups)| Arc::strong_count(groups) > READS_EACH);
        busy.map(|(connection, _)| connection.clone()).collect()
    }
}

/// Code of a failure that passes when the stream's run ends.
const RUNNING: &str = "running";

fn of_engine(error: &SyncError) -> RunFailure {
    let (code, class) = match error {
        SyncError::Running { .. } => (RUNNING, FailureClass::Wait),
        error if error.passes() => ("store", FailureClass::Wait),
        _ => ("refused", FailureClass::Connector),
    };
    RunFailure::new(code, class, error.to_string())
}

fn of_store(error: &renmen_store::StoreError) -> RunFailure {
    if let renmen_store::StoreError::Quota { limit, message } = error {
        return RunFailure::new(&format!("limit:{limit}"), FailureClass::Operator, message.to_string());
    }
    RunFailure::new("store", FailureClass::Wait, error.to_string())
}
