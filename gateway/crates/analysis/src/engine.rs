//! Asks a question: reads its rows within a time, has them taken by the question on a thread of their own, and gives the records
//! behind the answer their ids.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use renmen_clock::Clock;
use renmen_insight::table::Table;
use renmen_insight::{Figure, Key, Need, Outcome, Purpose, Question, Window};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::text;
use renmen_schema::types::{DateSpan, Instant, LocalDate};
use renmen_store::Store;
use tokio::sync::{Semaphore, mpsc};

use crate::answer::{Finding, ShownFigure};
use crate::rows::{Batch, Rows, Wanted};
use crate::{AnalysisError, Answer, Ask, QuestionName, Settings, day, one, questions};

/// Batches that wait to be taken.
const BATCHES: usize = 4;

/// Asks questions over tenants.
pub struct Analysis {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) rows: Arc<dyn Rows>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    places: Semaphore,
}

/// A question while it is asked.
pub(crate) struct Asking<'a> {
    pub(crate) analysis: &'a Analysis,
    pub(crate) tenant: &'a TenantId,
    pub(crate) ask: &'a Ask,
    /// Now
    pub(crate) at: Instant,
    /// and today.
    pub(crate) today: LocalDate,
    /// The period of a question over many records.
    pub(crate) window: Window,
    pub(crate) position: Option<Key>,
    pub(crate) unit: Option<Key>,
    /// Changes that came since the rows were made.
    behind: AtomicU64,
}

impl Analysis {
    /// Over a store and its rows.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, rows: Arc<dyn Rows>, clock: Arc<dyn Clock>, settings: Settings) -> Arc<Self> {
        let places = Semaphore::new(settings.asks_at_once.max(1));
        Arc::new(Self { store, rows, clock, settings, places })
    }

    /// What the operator decides.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Answers a question from what is there now.
    ///
    /// # Errors
    /// [`AnalysisError`]; [`AnalysisError::Busy`] while as many are answered as may be.
    pub async fn ask(&self, tenant: &TenantId, ask: &Ask) -> Result<Answer, AnalysisError> {
        let _place = match self.places.try_acquire() {
            Ok(place) => place,
            Err(_) => {
                metrics::counter!("renmen_insight_asks_refused_total").increment(1);
                return Err(AnalysisError::Busy);
            }
        };
        self.answer(tenant, ask, self.clock.now_ms()).await
    }

    /// The same, as of a time, and waiting for its turn.
    pub(crate) async fn ask_in_turn(&self, tenant: &TenantId, ask: &Ask, now_ms: i64) -> Result<Answer, AnalysisError> {
        let _place = self.places.acquire().await.map_err(|error| AnalysisError::Fault(error.to_string()))?;
        self.answer(tenant, ask, now_ms).await
    }

    /// What instructions did, as of a time, with what their records are to keep; in its turn.
    pub(crate) async fn effects(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        now_ms: i64,
    ) -> Result<questions::Effects, AnalysisError> {
        let _place = self.places.acquire().await.map_err(|error| AnalysisError::Fault(error.to_string()))?;
        questions::effects(&self.asking(tenant, ask, now_ms).await?).await
    }

    async fn answer(&self, tenant: &TenantId, ask: &Ask, now_ms: i64) -> Result<Answer, AnalysisError> {
        let begun = std::time::Instant::now();
        let asking = self.asking(tenant, ask, now_ms).await?;
        let answer =
            if ask.question.is_about_one() { one::answer(&asking).await } else { questions::answer(&asking).await };
        let labels = [("question", ask.question.as_str()), ("end", if answer.is_ok() { "answered" } else { "failed" })];
        metrics::histogram!("renmen_insight_ask_seconds", &labels).record(begun.elapsed().as_secs_f64());
        answer
    }

    async fn asking<'a>(
        &'a self,
        tenant: &'a TenantId,
        ask: &'a Ask,
        now_ms: i64,
    ) -> Result<Asking<'a>, AnalysisError> {
        let clock = |error: &dyn std::fmt::Display| AnalysisError::Fault(format!("the clock shows no time: {error}"));
        let at = Instant::from_epoch_ms(now_ms).map_err(|error| clock(&error))?;
        let offset = self.settings.offset_minutes;
        let today = day::at(now_ms, offset).ok_or_else(|| clock(&now_ms))?;
        let last = ask.to.unwrap_or(today);
        let first = ask.from.unwrap_or_else(|| day::plus(last, 1 - i64::from(self.settings.window_days.max(1))));
        if first > last {
            return Err(AnalysisError::bad("from", text!("a day that is not after `to`", "不晚于 `to` 的日期")));
        }
        let window = Window::new(DateSpan::new(first, last), offset);
        let position = self.key(tenant, ask.position, "position").await?;
        let unit = self.key(tenant, ask.unit, "unit").await?;
        let behind = AtomicU64::new(0);
        Ok(Asking { analysis: self, tenant, ask, at, today, window, position, unit, behind })
    }

    async fn key(
        &self,
        tenant: &TenantId,
        id: Option<RecordId>,
        parameter: &'static str,
    ) -> Result<Option<Key>, AnalysisError> {
        let Some(id) = id else { return Ok(None) };
        self.rows.key(tenant, id).await?.map(Some).ok_or(AnalysisError::NotFound(parameter))
    }
}

impl Asking<'_> {
    pub(crate) fn settings(&self) -> &Settings {
        &self.analysis.settings
    }

    /// What a question wants, joined for the purpose of analysis.
    pub(crate) fn wanted(&self, needs: &[Need]) -> Wanted {
        Wanted {
            needs: needs.to_vec(),
            metrics: None,
            attributes: None,
            stage: None,
            purpose: self.settings().purpose.clone(),
            at: self.at,
            today: self.today,
            offset_minutes: self.settings().offset_minutes,
        }
    }

    /// The same with only the metrics that are among the outcomes.
    pub(crate) fn wanted_with(&self, needs: &[Need], outcomes: &[Outcome]) -> Wanted {
        let code = |outcome: &Outcome| if let Outcome::Metric(code) = outcome { Some(code.clone()) } else { None };
        Wanted { metrics: Some(outcomes.iter().filter_map(code).collect()), ..self.wanted(needs) }
    }

    /// All days up to the last one of the period.
    pub(crate) fn since_the_beginning(&self) -> Window {
        let first = LocalDate::of(1, 1, 1).unwrap_or(self.window.span().start);
        Window::new(DateSpan::new(first, self.window.span().end), self.settings().offset_minutes)
    }

    pub(crate) fn audit_purpose(&self) -> Purpose {
        self.settings().audit_purpose.clone()
    }

    /// Has a question answered over the rows that it needs. An answer is of all of them or there is none: what was read when the time
    /// is over is thrown away with the question.
    pub(crate) async fn over<Q>(&self, wanted: Wanted, question: Q) -> Result<Q::Answer, AnalysisError>
    where
        Q: Question + Send + 'static,
        Q::Answer: Send + 'static,
    {
        let (to, mut from) = mpsc::channel::<Box<dyn Batch>>(BATCHES);
        let taking = tokio::task::spawn_blocking(move || {
            let (mut question, mut names) = (question, Vec::new());
            while let Some(batch) = from.blocking_recv() {
                batch.each(&mut names, &mut |row| question.take(row));
            }
            question
        });
        let within = self.settings().ask_within;
        let read = tokio::time::timeout(within, self.analysis.rows.read(self.tenant, wanted, to)).await;
        let broken = |error: tokio::task::JoinError| AnalysisError::Fault(error.to_string());
        let question = taking.await.map_err(broken)?;
        let behind = read.map_err(|_| AnalysisError::TooLong(within))??;
        self.behind.fetch_max(behind, Ordering::Relaxed);
        Ok(tokio::task::spawn_blocking(move || question.answer()).await.map_err(broken)??)
    }

    /// The beginning of an answer: what was said, what it was asked about, and its period.
    pub(crate) fn begun(&self) -> Answer {
        let ask = self.ask;
        let mut answer = Answer::new(ask.question);
        let behind = self.behind.load(Ordering::Relaxed);
        if behind > 0 {
            answer.findings.push(Finding::said("BEHIND").among(behind));
        }
        answer.parameters = ask.said().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        (answer.position, answer.unit) = (ask.position, ask.unit);
        if !ask.question.is_about_one() && ask.question != QuestionName::Review {
            answer.window = Some(self.window.span().clone());
        }
        answer
    }

    /// Notes what a parameter was taken as where it was not said.
    #[allow(clippy::needless_pass_by_value, reason = "each call makes the value that it says")]
    pub(crate) fn taken(answer: &mut Answer, name: &str, value: impl ToString) {
        if !answer.parameters.iter().any(|(known, _)| known == name) {
            answer.parameters.push((name.to_owned(), value.to_string()));
            answer.parameters.sort();
        }
    }

    /// The ids of the records behind figures, and of further keys.
    pub(crate) async fn ids<'f>(
        &self,
        figures: impl IntoIterator<Item = &'f Figure>,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<HashMap<Key, RecordId>, AnalysisError> {
        let mut wanted: BTreeSet<Key> = keys.into_iter().collect();
        for source in figures.into_iter().flat_map(|figure| &figure.basis.sources) {
            wanted.extend(source.kept());
        }
        let wanted: Vec<Key> = wanted.into_iter().collect();
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        self.analysis.rows.ids(self.tenant, &wanted).await
    }

    /// Puts the figures and the omissions of a report into an answer; gives the ids of `keys`, and of the figures' sources.
    pub(crate) async fn show(
        &self,
        answer: &mut Answer,
        report: &impl Table,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<HashMap<Key, RecordId>, AnalysisError> {
        let figures = report.figures();
        let ids = self.ids(figures.iter().map(|(_, figure)| *figure), keys).await?;
        let id = |key: Key| ids.get(&key).copied();
        answer.figures = figures.into_iter().map(|(name, figure)| ShownFigure::of(name, figure, &id)).collect();
        answer.leave_out(report.left_out());
        Ok(ids)
    }
}
