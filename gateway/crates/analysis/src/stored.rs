//! Rows out of the store: its plain rows become those that questions take, and a person's policies and consents become their standing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_insight::model::{
    AnswerRow, ApplicationRow, EmploymentRow, GroupRow, InterviewRow, MetricRow, MetricSubject, OfferRow, PersonRow,
    ResultRow, ReviewRow, ScoreRow, StepRow,
};
use renmen_insight::{Key, Need, Norm, Purpose, Row};
use renmen_schema::code::StageKind;
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::text;
use renmen_schema::types::{Instant, LocalDate};
use renmen_store::insight::{self as stored, GroupsAsk};
use renmen_store::{InsightStore, StoreError};
use tokio::sync::mpsc;

use crate::AnalysisError;
use crate::rows::{Batch, Rows, Wanted};

/// Batches of the store that wait to be passed on.
const BATCHES: usize = 2;
/// Changes that rows take up at once.
const CHANGES: u32 = 2_000;
/// How long rows that another gateway takes up are waited for before it is looked again.
const AGAIN: Duration = Duration::from_millis(20);

/// The rows of a store.
pub struct StoredRows {
    store: Arc<dyn InsightStore>,
    /// Records that others refer to, and names, in one reading.
    entries_max: u64,
}

impl StoredRows {
    /// Of a store, within a number of records that others refer to.
    #[must_use]
    pub fn new(store: Arc<dyn InsightStore>, entries_max: u64) -> Self {
        Self { store, entries_max }
    }
}

impl StoredRows {
    /// Takes up what was committed until now, so that an answer has all that was there before it was asked. A store that is open for
    /// reading alone gives the rows that there are.
    async fn catch_up(&self, tenant: &TenantId) -> Result<(), AnalysisError> {
        loop {
            match self.store.make_insight_rows(tenant, CHANGES).await {
                Ok(made) if made.done => return Ok(()),
                Ok(made) if made.records == 0 => tokio::time::sleep(AGAIN).await,
                Ok(_) => {}
                Err(StoreError::Fenced(_)) => tokio::time::sleep(AGAIN).await,
                Err(StoreError::Busy(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What a reading failed for, as far as the asker can do something about it.
fn failed(error: StoreError) -> AnalysisError {
    match error {
        StoreError::BadInput(_) => AnalysisError::Refused(text!(
            "there are more records than a question may hold; raise `insight.entries_max`",
            "记录数超过一个问题的上限；请提高 `insight.entries_max`"
        )),
        error => error.into(),
    }
}

#[async_trait]
impl Rows for StoredRows {
    async fn read(
        &self,
        tenant: &TenantId,
        wanted: Wanted,
        to: mpsc::Sender<Box<dyn Batch>>,
    ) -> Result<u64, AnalysisError> {
        self.catch_up(tenant).await?;
        let groups = wanted.attributes.clone().map(|attributes| GroupsAsk { attributes, today: wanted.today });
        let ask = stored::Ask {
            needs: wanted.needs.iter().filter_map(|need| need_of(*need)).collect(),
            metrics: wanted.metrics.clone(),
            offset_minutes: wanted.offset_minutes,
            entries_max: self.entries_max,
        };
        let judge =
            Arc::new(Judge { purpose: wanted.purpose, at: wanted.at, today: wanted.today, stage: wanted.stage });
        let (sender, mut batches) = mpsc::channel(BATCHES);
        let reading = async {
            match &groups {
                Some(groups) => self.store.audit_rows(tenant, &ask, groups, sender).await,
                None => self.store.insight_rows(tenant, &ask, sender).await,
            }
        };
        let passing = async {
            while let Some(batch) = batches.recv().await {
                if to.send(Box::new(Stored { batch, judge: Arc::clone(&judge) })).await.is_err() {
                    return;
                }
            }
        };
        let (read, ()) = tokio::join!(reading, passing);
        let read = read.map_err(failed)?;
        if read.unreadable > 0 {
            tracing::warn!(%tenant, records = read.unreadable, "Records that cannot be read are in no answer");
        }
        metrics::counter!("renmen_insight_rows_total").increment(read.rows);
        Ok(read.behind)
    }

    async fn key(&self, tenant: &TenantId, record: RecordId) -> Result<Option<Key>, AnalysisError> {
        Ok(self.store.insight_key(tenant, record).await?.map(key))
    }

    async fn ids(&self, tenant: &TenantId, keys: &[Key]) -> Result<HashMap<Key, RecordId>, AnalysisError> {
        let numbers: Vec<i64> = keys.iter().map(|key| i64::try_from(key.0).unwrap_or(i64::MAX)).collect();
        let found = self.store.insight_ids(tenant, &numbers).await?;
        Ok(keys.iter().zip(found).filter_map(|(key, found)| Some((*key, found?.1))).collect())
    }
}

/// A stream of the store; groups come by a way of their own.
fn need_of(need: Need) -> Option<stored::Need> {
    Some(match need {
        Need::Groups => return None,
        Need::People => stored::Need::People,
        Need::Applications => stored::Need::Applications,
        Need::Steps => stored::Need::Steps,
        Need::Interviews => stored::Need::Interviews,
        Need::Employments => stored::Need::Employments,
        Need::Reviews => stored::Need::Reviews,
        Need::Metrics => stored::Need::Metrics,
        Need::Results => stored::Need::Results,
        Need::Scores => stored::Need::Scores,
        Need::Answers => stored::Need::Answers,
        Need::Offers => stored::Need::Offers,
    })
}

/// What is concluded from rows before a question takes them.
struct Judge {
    purpose: Purpose,
    at: Instant,
    today: LocalDate,
    stage: Option<StageKind>,
}

struct Stored {
    batch: stored::Batch,
    judge: Arc<Judge>,
}

fn key(number: i64) -> Key {
    Key(u64::try_from(number).unwrap_or(0))
}

fn name(names: &[Arc<str>], number: u32) -> &str {
    names.get(number as usize).map_or("", |name| name)
}

impl Batch for Stored {
    fn each(&self, names: &mut Vec<Arc<str>>, take: &mut dyn FnMut(&Row<'_>)) {
        names.extend(self.batch.names.iter().cloned());
        let names = &names[..];
        match &self.batch.rows {
            stored::Rows::People(rows) => rows.iter().for_each(|row| take(&Row::Person(self.judge.person(row)))),
            stored::Rows::Groups(rows) => {
                rows.iter().for_each(|row| {
                    take(&Row::Group(GroupRow {
                        person: key(row.person),
                        attribute: name(names, row.attribute),
                        value: row.value.map(|value| name(names, value)),
                    }));
                });
            }
            stored::Rows::Applications(rows) => {
                // One that never came to the stage that is audited was not decided on there.
                let reached = |row: &&stored::Application| self.judge.stage.is_none_or(|stage| row.reached(stage));
                rows.iter().filter(reached).for_each(|row| take(&Row::Application(self.judge.application(row))));
            }
            stored::Rows::Steps(rows) => rows.iter().for_each(|row| take(&Row::Step(step(row)))),
            stored::Rows::Interviews(rows) => rows.iter().for_each(|row| take(&Row::Interview(interview(row)))),
            stored::Rows::Employments(rows) => rows.iter().for_each(|row| take(&Row::Employment(employment(row)))),
            stored::Rows::Reviews(rows) => rows.iter().filter_map(review).for_each(|row| take(&Row::Review(row))),
            stored::Rows::Metrics(rows) => rows.iter().for_each(|row| take(&Row::Metric(metric(row, names)))),
            stored::Rows::Results(rows) => rows.iter().for_each(|row| {
                let overall = row.overall.and_then(Norm::from_millionths);
                take(&Row::Result(ResultRow { result: key(row.result), interview: key(row.interview), overall }));
            }),
            stored::Rows::Scores(rows) => rows.iter().for_each(|row| {
                let Some(value) = Norm::from_millionths(row.value) else { return };
                let dimension = name(names, row.dimension);
                take(&Row::Score(ScoreRow { score: key(row.score), interview: key(row.interview), dimension, value }));
            }),
            stored::Rows::Answers(rows) => rows.iter().for_each(|row| {
                let Some(value) = Norm::from_millionths(row.value) else { return };
                let question = name(names, row.question);
                take(&Row::Answer(AnswerRow {
                    answer: key(row.answer),
                    interview: key(row.interview),
                    question,
                    value,
                }));
            }),
            stored::Rows::Offers(rows) => rows.iter().for_each(|row| take(&Row::Offer(offer(row)))),
        }
    }
}

impl Judge {
    fn person(&self, row: &stored::Person) -> PersonRow {
        let policies = row.policies.iter().map(Option::as_ref);
        let standing = self.purpose.standing(policies, &row.consents, self.at, self.today);
        PersonRow { person: key(row.person), standing }
    }

    fn application<'r>(&self, row: &'r stored::Application) -> ApplicationRow<'r> {
        ApplicationRow {
            application: key(row.application),
            person: row.person.map(key),
            job: row.job.map(key),
            channel: row.channel,
            applied_at: row.applied_at,
            status: row.status,
            selected: row.selected(self.stage),
            reasons: &row.reasons,
        }
    }
}

fn step(row: &stored::Step) -> StepRow {
    StepRow {
        step: key(row.step),
        application: key(row.application),
        node: row.node,
        at: row.at,
        clicks: row.clicks,
        wait_ms: row.wait_ms,
    }
}

fn interview(row: &stored::Interview) -> InterviewRow {
    InterviewRow {
        interview: key(row.interview),
        application: key(row.application),
        person: row.person.map(key),
        job: row.job.map(key),
        kind: row.kind,
        round: row.round,
        at: row.at,
    }
}

fn employment(row: &stored::Employment) -> EmploymentRow {
    EmploymentRow {
        employment: key(row.employment),
        person: row.person.map(key),
        start: row.start,
        end: row.end,
        end_reason: row.end_reason,
        probation: row.probation,
    }
}

fn review(row: &stored::Review) -> Option<ReviewRow> {
    Some(ReviewRow {
        review: key(row.review),
        person: row.person.map(key),
        cycle: row.cycle,
        until: row.until,
        rating: Norm::from_millionths(row.rating)?,
        position: row.position.map(key),
        unit: row.unit.map(key),
    })
}

fn metric<'r>(row: &stored::Metric, names: &'r [Arc<str>]) -> MetricRow<'r> {
    MetricRow {
        metric: key(row.metric),
        subject: match row.subject {
            stored::Subject::Person(person) => MetricSubject::Person(person.map(key)),
            stored::Subject::Unit(unit) => MetricSubject::Unit(key(unit)),
            stored::Subject::Position(position) => MetricSubject::Position(key(position)),
        },
        code: name(names, row.code),
        objective: row.objective,
        direction: row.direction,
        until: row.until,
        value: row.value,
        position: row.position.map(key),
        unit: row.unit.map(key),
    }
}

fn offer(row: &stored::Offer) -> OfferRow<'_> {
    OfferRow {
        offer: key(row.offer),
        band: row.band.map(key),
        band_position: row.band_position,
        status: row.status,
        closed_at: row.closed_at,
        reasons: &row.reasons,
    }
}
