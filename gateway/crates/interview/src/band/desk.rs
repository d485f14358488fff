//! Answers questions about pay bands.
//!
//! A question is answered before it is written down: a commit takes longer than an interview may wait. What waits is bounded, and
//! when the queue is full no new question is answered. A process that is killed may lose what it was asked in its last moment.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use renmen_schema::code::NodeCode;
use renmen_schema::entity::{NodeAttributes, ProcessNode};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::{Coded, LocalDate, Money, PayInterval};
use renmen_store::{AuthoredRecord, Cause, Parent, Store, StoreError};
use tokio::sync::mpsc;

use super::about::{About, Asked, Library, subject_of};
use super::grid::Cell;
use super::index::{BandAnswer, BandIndex, JobFacts, Verdict};
use super::limit::{Count, Counted, Full, Ledger, Limit, Rates};
use super::past;
use super::work::{BandWork, load};
use crate::sources::Sources;
use crate::{Clock, InterviewError, author};

/// Limits of the band match.
#[derive(Debug, Clone)]
pub struct BandOptions {
    /// Questions of one caller in a minute.
    pub asks_per_minute: u32,
    /// Different amounts that one interview may ask about within the window.
    pub amounts_per_interview: usize,
    /// Questions about one candidate within the window, in all interviews and through all connections.
    pub asks_per_candidate: usize,
    /// Questions that one connection may ask about one band in a day.
    pub asks_per_band: usize,
    /// The window of interviews and candidates, in milliseconds.
    pub window_ms: i64,
    /// Significant digits to which answers tell amounts apart.
    pub digits: u32,
    /// Questions that may wait to be written down.
    pub waiting_max: usize,
    /// Offset from UTC that a band's days are counted in, in minutes.
    pub day_offset_minutes: i32,
    /// The connections whose bands answer. Bands of other connections do not count.
    pub sources: BTreeSet<ConnectionName>,
    /// Which connections' records count for those of another connection.
    pub counted: Sources,
}

impl Default for BandOptions {
    fn default() -> Self {
        Self {
            asks_per_minute: 600,
            amounts_per_interview: 3,
            asks_per_candidate: 6,
            asks_per_band: 1_000,
            window_ms: 30 * 86_400_000,
            digits: 2,
            waiting_max: 10_000,
            day_offset_minutes: 8 * 60,
            sources: BTreeSet::new(),
            counted: Sources::default(),
        }
    }
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandAsk<'a> {
    /// The connection that asks.
    pub connection: &'a ConnectionName,
    /// Which of its interviews or orders.
    pub about: Asked<'a>,
    /// What the candidate expects.
    pub expected: Money,
    /// For which time.
    pub per: PayInterval,
}

/// Answers questions about pay bands.
pub struct BandDesk {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: BandOptions,
    pub(super) ledger: Ledger,
    pub(super) tenants: RwLock<HashMap<TenantId, BandIndex>>,
    /// Questions of this process, by the ids of their steps, until the feed shows them.
    pub(super) own: Mutex<HashSet<String>>,
    questions: mpsc::Sender<Question>,
}

/// A question that was answered, on its way to be written down.
pub(super) struct Question {
    pub(super) tenant: TenantId,
    pub(super) record: AuthoredRecord,
}

impl BandDesk {
    /// Reads every band of these tenants, and what was asked before.
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
        let after = tenants.iter().map(|tenant| (tenant.clone(), *store.watch(tenant).borrow())).collect();
        let mut indexes = HashMap::new();
        for tenant in tenants {
            indexes.insert(tenant.clone(), load(&*store, tenant, &options.sources).await?);
        }
        let (sender, questions) = mpsc::channel(options.waiting_max.max(1));
        let rates = Rates {
            asks_per_minute: options.asks_per_minute,
            amounts_per_interview: options.amounts_per_interview,
            asks_per_candidate: options.asks_per_candidate,
            asks_per_band: options.asks_per_band,
            window_ms: options.window_ms,
        };
        let desk = Arc::new(Self {
            ledger: Ledger::new(rates),
            store,
            clock,
            options,
            tenants: RwLock::new(indexes),
            own: Mutex::default(),
            questions: sender,
        });
        for tenant in tenants {
            past::recall_all(&desk, tenant).await?;
        }
        Ok((Arc::clone(&desk), BandWork::new(desk, after, questions)))
    }

    /// Answers one question about an interview or an order that is there and not over. `caller` tells who asks apart from others;
    /// it is kept nowhere.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`] for what this connection does not have, [`InterviewError::Refused`] for what is over,
    /// [`InterviewError::TooMany`] over a limit, [`InterviewError::BadInput`] for a negative amount,
    /// [`InterviewError::Overloaded`] when too many questions wait to be written down.
    pub async fn ask(&self, tenant: &TenantId, caller: &str, ask: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        let answered = self.answered(tenant, caller, ask).await;
        match &answered {
            Ok(verdict) => metrics::counter!("renmen_band_match_total", "answer" => verdict.word()).increment(1),
            Err(error) => {
                if let Some(why) = refused_for(error) {
                    metrics::counter!("renmen_band_match_refused_total", "why" => why).increment(1);
                }
            }
        }
        answered
    }

    async fn answered(&self, tenant: &TenantId, caller: &str, ask: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        if ask.expected.amount.is_negative() {
            return Err(InterviewError::bad("expected.amount", "zero or more", "零或正数"));
        }
        let now_ms = self.clock.now_ms();
        // Before the store is asked: a caller who makes up interviews has no more tries than others.
        self.ledger.count_caller(caller, now_ms).map_err(|full| too_many(full, ask.connection, &[]))?;
        let cell = Cell::of(&ask.expected, ask.per, self.options.digits);
        let knows = |case: &Parent| {
            self.ledger.knows(tenant, case, cell, now_ms).map_err(|full| too_many(full, ask.connection, &[]))
        };
        // An interview that may ask about nothing more costs the store nothing.
        ask.about.interview(ask.connection).map(|interview| knows(&interview)).transpose()?;
        let case = self.library(tenant).case(ask.connection, ask.about).await?;
        let known = knows(&case.key)?;
        let About { candidate, job } = self.library(tenant).about(&case).await?;
        let answer = self.look_up(tenant, &job, &ask, now_ms)?;
        if known {
            return Ok(answer.verdict);
        }
        let place = self.questions.try_reserve().map_err(|_| InterviewError::Overloaded)?;
        let step = rand::random();
        let record = written(step, ask.connection, &case.key, &answer, now_ms)?;
        let BandAsk { connection, .. } = ask;
        let (case, candidate, bands) = (&case.key, &candidate, answer.bands.as_slice());
        let counted = Counted { tenant, connection, case, candidate, bands, step };
        match self.ledger.count(&counted, cell, now_ms) {
            Ok(Count::New) => {
                self.own.lock().insert(record.external_id.clone());
                place.send(Question { tenant: tenant.clone(), record });
            }
            Ok(Count::Again) => {}
            Err(full) => return Err(too_many(full, ask.connection, &answer.bands)),
        }
        Ok(answer.verdict)
    }

    fn look_up(
        &self,
        tenant: &TenantId,
        job: &JobFacts,
        ask: &BandAsk<'_>,
        now_ms: i64,
    ) -> Result<BandAnswer, InterviewError> {
        let today = LocalDate::from_epoch_ms_at_offset(now_ms, self.options.day_offset_minutes)
            .map_err(|bad| InterviewError::Fault(bad.to_string()))?;
        let expected = (&ask.expected, ask.per);
        let answer = |index: &BandIndex| index.answer(job, expected, self.options.digits, today);
        let tenants = self.tenants.read();
        Ok(tenants.get(tenant).map_or_else(|| answer(&BandIndex::default()), answer))
    }

    pub(super) fn library<'a>(&'a self, tenant: &'a TenantId) -> Library<'a> {
        Library { store: &*self.store, tenant, sources: &self.options.counted }
    }
}

/// The label of the metric; none for an error that does not refuse a question.
fn refused_for(error: &InterviewError) -> Option<&'static str> {
    match error {
        InterviewError::NotFound(_) => Some("not_found"),
        InterviewError::Refused { .. } | InterviewError::Superseded { .. } => Some("not_open"),
        InterviewError::Overloaded => Some("queue"),
        InterviewError::BadInput { .. } => Some("invalid"),
        InterviewError::TooMany { limit, .. } => Some(limit),
        InterviewError::Store(_) | InterviewError::Fault(_) => None,
    }
}

/// The asker is told when; the operator also which limit it was, and of which band.
fn too_many(full: Full, connection: &ConnectionName, bands: &[(RecordId, i64)]) -> InterviewError {
    let Full { limit, after_s, first } = full;
    if first {
        let bands: Vec<_> = match limit {
            Limit::Band => bands.iter().map(|(id, _)| id.to_string()).collect(),
            _ => Vec::new(),
        };
        tracing::warn!(
            %connection, limit = limit.word(), after_s, ?bands,
            "Refusing questions about pay bands because a limit was reached; if the questions are legitimate, {}", limit.advice()
        );
    }
    InterviewError::TooMany { after_s, limit: limit.word() }
}

/// The question as a step of its interview: who asked and what was said, never an amount.
fn written(
    step: u128,
    connection: &ConnectionName,
    case: &Parent,
    answer: &BandAnswer,
    now_ms: i64,
) -> Result<AuthoredRecord, InterviewError> {
    let mut node = ProcessNode::new(subject_of(case), Coded::new(NodeCode::BandMatched), author::instant(now_ms)?);
    node.received_at = Some(author::instant(now_ms)?);
    node.status = Some(answer.verdict.word().to_uppercase());
    node.attrs = Some(NodeAttributes { channel: Some(connection.to_string()), ..NodeAttributes::new() });
    let causes = answer.bands.iter().map(|(record, revision)| Cause { record: *record, revision: *revision });
    author::record(past::id_of(step), &node, causes.collect())
}
