//! Keeps the bands of every tenant in memory as the change feed goes on, answers, and writes every question down.
//!
//! A question is answered before it is written down: a commit takes longer than an interview may wait. What waits is bounded, and
//! when the queue is full nobody is answered. A process that is killed may lose what it was asked in its last moment.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use renmen_schema::EntityKind;
use renmen_schema::code::{InterviewStatus, NodeCode};
use renmen_schema::entity::{Interview, PayBand, ProcessNode, Subject};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::types::{Coded, LocalDate};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, Cause, ChangeKind, ChangeRow, Parent, RecordQuery, Store, StoreError,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::index::{BandAnswer, BandAsk, BandIndex, Verdict};
use super::limit::{Asker, Limit, to_digits};
use crate::{Clock, InterviewError, author, dossier};

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

/// Limits of the band match.
#[derive(Debug, Clone)]
pub struct BandOptions {
    /// Questions of one caller in a minute.
    pub asks_per_minute: u32,
    /// Different amounts that one interview may ask about in a day.
    pub amounts_per_interview: usize,
    /// Significant digits to which amounts are compared.
    pub digits: u32,
    /// Questions that may wait to be written down.
    pub waiting_max: usize,
    /// Offset from UTC that a band's days are counted in, in minutes.
    pub day_offset_minutes: i32,
    /// The connections whose bands answer. A band of any other is none.
    pub sources: BTreeSet<ConnectionName>,
}

impl Default for BandOptions {
    fn default() -> Self {
        Self {
            asks_per_minute: 600,
            amounts_per_interview: 3,
            digits: 3,
            waiting_max: 10_000,
            day_offset_minutes: 8 * 60,
            sources: BTreeSet::new(),
        }
    }
}

/// Answers questions about pay bands.
pub struct BandDesk {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    options: BandOptions,
    limit: Limit,
    tenants: RwLock<HashMap<TenantId, BandIndex>>,
    questions: mpsc::Sender<Question>,
}

/// A question that was answered, on its way to be written down.
struct Question {
    tenant: TenantId,
    record: AuthoredRecord,
}

/// What goes on behind the desk: [`BandWork::run`] it for as long as the desk is open.
pub struct BandWork {
    desk: Arc<BandDesk>,
    after: i64,
    questions: mpsc::Receiver<Question>,
}

impl BandDesk {
    /// Reads every band of these tenants.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tenants: &[TenantId],
        options: BandOptions,
    ) -> Result<(Arc<Self>, BandWork), StoreError> {
        // Before the records: what changes while they are read is read again.
        let after = *store.watch().borrow();
        let mut indexes = HashMap::new();
        for tenant in tenants {
            indexes.insert(tenant.clone(), load(&*store, tenant, &options.sources).await?);
        }
        let (sender, questions) = mpsc::channel(options.waiting_max.max(1));
        let desk = Arc::new(Self {
            limit: Limit::new(options.asks_per_minute, options.amounts_per_interview),
            store,
            clock,
            options,
            tenants: RwLock::new(indexes),
            questions: sender,
        });
        Ok((Arc::clone(&desk), BandWork { desk, after, questions }))
    }

    /// Answers one question of an interview that is there and not over. `caller` tells who asks apart from others; it is kept
    /// nowhere.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`] for an interview that this connection does not have, [`InterviewError::Refused`] for one that
    /// is over, [`InterviewError::TooMany`] over a limit, [`InterviewError::BadInput`] for a negative amount,
    /// [`InterviewError::Overloaded`] when too many questions wait to be written down.
    pub async fn ask(
        &self,
        tenant: &TenantId,
        caller: &str,
        (connection, interview): (&ConnectionName, &str),
        mut ask: BandAsk,
    ) -> Result<Verdict, InterviewError> {
        if ask.expected.amount.is_negative() {
            return Err(InterviewError::bad("expected.amount", "zero or more"));
        }
        let now_ms = self.clock.now_ms();
        ask.expected.amount = to_digits(ask.expected.amount, self.options.digits);
        // Before the store is asked: whoever makes up interviews has no more tries than anybody else.
        self.limit.count_caller(caller, now_ms).map_err(too_many)?;
        self.is_open(tenant, connection, interview).await?;
        let place = self.questions.try_reserve().map_err(|_| InterviewError::Overloaded)?;
        let asker = Asker { tenant, connection, interview };
        self.limit.count_amount(&asker, ask.expected.amount, now_ms).map_err(too_many)?;
        let today = LocalDate::from_epoch_ms_at_offset(now_ms, self.options.day_offset_minutes)
            .map_err(|bad| InterviewError::Fault(bad.to_string()))?;
        let tenants = self.tenants.read();
        let answer = tenants
            .get(tenant)
            .map_or_else(|| BandIndex::default().answer(&ask, today), |index| index.answer(&ask, today));
        drop(tenants);
        let record = step(connection, interview, &answer, now_ms)?;
        place.send(Question { tenant: tenant.clone(), record });
        metrics::counter!("renmen_band_match_total", "answer" => answer.verdict.word()).increment(1);
        Ok(answer.verdict)
    }

    /// Only an interview that is to come or under way has a reason to ask.
    async fn is_open(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        interview: &str,
    ) -> Result<(), InterviewError> {
        use InterviewStatus::{Confirmed, InProgress, Interrupted, Scheduled};
        let (entity, external_id) = (EntityKind::Interview.name().to_owned(), interview.to_owned());
        let key = Parent { connection: connection.clone(), entity, external_id };
        let found = dossier::find::<Interview>(&*self.store, tenant, &key).await?;
        let status = found.ok_or(InterviewError::NotFound("interview"))?.body.status.code;
        match status {
            Scheduled | Confirmed | InProgress | Interrupted => Ok(()),
            _ => Err(InterviewError::Refused("the interview is not open: it is over, or was called off".into())),
        }
    }

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

fn too_many(after_s: u32) -> InterviewError {
    metrics::counter!("renmen_band_match_refused_total").increment(1);
    InterviewError::TooMany { after_s }
}

/// A body as a band. What cannot be read is no band: nobody is told a wrong answer.
fn read(body: &[u8]) -> Option<PayBand> {
    serde_json::from_slice(body).inspect_err(|_| tracing::warn!("A pay band could not be read; it is left out")).ok()
}

async fn load(
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

/// The question as a step of its interview: that it was asked and what was said, never an amount.
fn step(
    connection: &ConnectionName,
    interview: &str,
    answer: &BandAnswer,
    now_ms: i64,
) -> Result<AuthoredRecord, InterviewError> {
    let subject =
        Subject { interview: Some(author::reference::<Interview>(connection, interview, None)), ..Subject::new() };
    let mut node = ProcessNode::new(subject, Coded::new(NodeCode::BandMatched), author::instant(now_ms)?);
    node.received_at = Some(author::instant(now_ms)?);
    node.status = Some(answer.verdict.word().to_uppercase());
    let causes = answer.bands.iter().map(|(record, revision)| Cause { record: *record, revision: *revision });
    let id: [u8; 16] = rand::random();
    author::record(format!("band-match-{}", hex::encode(id)), &node, causes.collect())
}

impl BandWork {
    /// Follows the feed and writes down what was asked, until cancelled; then writes what still waits.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut feed = self.desk.store.watch();
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                changed = feed.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    feed.mark_unchanged();
                    self.follow(&cancel).await;
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

    /// Takes in what happened since the last time.
    async fn follow(&mut self, cancel: &CancellationToken) {
        let tenants: Vec<TenantId> = self.desk.tenants.read().keys().cloned().collect();
        let mut to = self.after;
        for tenant in tenants {
            match self.follow_tenant(&tenant).await {
                Ok(seen) => to = to.max(seen),
                Err(error) => {
                    tracing::warn!(%error, "Pay bands could not be brought up to date; trying again");
                    tokio::select! { () = tokio::time::sleep(AGAIN) => {}, () = cancel.cancelled() => {} }
                    return;
                }
            }
        }
        self.after = to;
    }

    async fn follow_tenant(&self, tenant: &TenantId) -> Result<i64, StoreError> {
        let head = *self.desk.store.watch().borrow();
        let mut after = self.after;
        loop {
            let changes = self.desk.store.changes(tenant, after, Some("pay_band"), BATCH).await?;
            for change in &changes {
                self.desk.apply(tenant, change).await?;
                after = change.seq;
            }
            if changes.len() < BATCH as usize {
                return Ok(after.max(head));
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
                    tracing::warn!(%error, "Band matches could not be written down; trying again");
                    tokio::select! { () = tokio::time::sleep(AGAIN) => {}, () = cancel.cancelled() => {} }
                }
                Err(error) => {
                    let lost = commit.records.len();
                    metrics::counter!("renmen_band_match_unwritten_total").increment(lost as u64);
                    tracing::error!(%error, lost, "Band matches were answered and not written down");
                    return;
                }
            }
        }
    }
}
