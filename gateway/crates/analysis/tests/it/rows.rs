//! Rows in memory, which can be made to stop, to fail, or to take for ever.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_analysis::{AnalysisError, Batch, Rows, Wanted};
use renmen_insight::figure::Why;
use renmen_insight::model::{ApplicationRow, GroupRow, InterviewRow, PersonRow, ResultRow, ScoreRow, StepRow};
use renmen_insight::{Key, Need, Norm, Row, Standing};
use renmen_schema::code::{ApplicationStatus, InterviewKind, NodeCode};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::Instant;
use tokio::sync::mpsc;

/// What a reading does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// Sends half of the rows, then fails.
    Breaks,
    /// Sends half of the rows, then never ends.
    Hangs,
}

/// Rows that are made up.
pub(crate) struct MadeUp {
    rows: Mutex<Vec<Row<'static>>>,
    mood: Mutex<Mood>,
    pub(crate) wanted: Mutex<Vec<Wanted>>,
    pub(crate) readings: AtomicUsize,
}

impl MadeUp {
    pub(crate) fn new(rows: Vec<Row<'static>>) -> Arc<Self> {
        Arc::new(Self {
            rows: Mutex::new(rows),
            mood: Mutex::new(Mood::Good),
            wanted: Mutex::default(),
            readings: AtomicUsize::new(0),
        })
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    pub(crate) fn put(&self, rows: Vec<Row<'static>>) {
        *self.rows.lock() = rows;
    }
}

struct Lot(Vec<Row<'static>>);

impl Batch for Lot {
    fn each(&self, _: &mut Vec<Arc<str>>, take: &mut dyn FnMut(&Row<'_>)) {
        self.0.iter().for_each(take);
    }
}

/// The id of a key.
pub(crate) fn id(key: Key) -> RecordId {
    format!("018f3c1e-0000-7000-8000-{:012x}", key.0).parse().unwrap()
}

#[async_trait]
impl Rows for MadeUp {
    async fn read(&self, _: &TenantId, wanted: Wanted, to: mpsc::Sender<Box<dyn Batch>>) -> Result<u64, AnalysisError> {
        self.readings.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock();
        let mut lots: Vec<Vec<Row<'static>>> = Vec::new();
        for need in &wanted.needs {
            let of = |row: &&Row<'static>| need_of(row) == *need;
            let all: Vec<Row<'static>> = self.rows.lock().iter().filter(of).copied().collect();
            lots.extend(all.chunks(50).map(<[_]>::to_vec));
        }
        if wanted.attributes.is_none() {
            lots.retain(|lot| !matches!(lot.first(), Some(Row::Group(_))));
        }
        self.wanted.lock().push(wanted);
        let sent = if mood == Mood::Good { lots.len() } else { lots.len() / 2 };
        for lot in lots.into_iter().take(sent) {
            if to.send(Box::new(Lot(lot))).await.is_err() {
                return Ok(0);
            }
        }
        match mood {
            Mood::Good => Ok(0),
            Mood::Breaks => Err(AnalysisError::Fault("the reading broke".into())),
            Mood::Hangs => std::future::pending().await,
        }
    }

    async fn key(&self, _: &TenantId, record: RecordId) -> Result<Option<Key>, AnalysisError> {
        let digits = record.to_string();
        let number = digits.rsplit('-').next().and_then(|part| u64::from_str_radix(part, 16).ok());
        Ok(number.filter(|number| *number != 0xffff_ffff_ffff).map(Key))
    }

    async fn ids(&self, _: &TenantId, keys: &[Key]) -> Result<HashMap<Key, RecordId>, AnalysisError> {
        Ok(keys.iter().map(|key| (*key, id(*key))).collect())
    }
}

fn need_of(row: &Row<'_>) -> Need {
    match row {
        Row::Person(_) => Need::People,
        Row::Group(_) => Need::Groups,
        Row::Application(_) => Need::Applications,
        Row::Step(_) => Need::Steps,
        Row::Interview(_) => Need::Interviews,
        Row::Employment(_) => Need::Employments,
        Row::Review(_) => Need::Reviews,
        Row::Metric(_) => Need::Metrics,
        Row::Result(_) => Need::Results,
        Row::Score(_) => Need::Scores,
        Row::Answer(_) => Need::Answers,
        Row::Offer(_) => Need::Offers,
    }
}

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub(crate) fn key(kind: u64, n: u64) -> Key {
    Key(kind * 100_000 + n)
}

pub(crate) fn person(n: u64) -> Row<'static> {
    Row::Person(PersonRow { person: key(1, n), standing: Standing::Allowed })
}

pub(crate) fn left_out(n: u64, why: Why) -> Row<'static> {
    Row::Person(PersonRow { person: key(1, n), standing: Standing::LeftOut(why) })
}

pub(crate) fn application(n: u64, selected: Option<bool>) -> Row<'static> {
    Row::Application(ApplicationRow {
        application: key(2, n),
        person: Some(key(1, n)),
        job: Some(Key(7)),
        channel: None,
        applied_at: Some(at("2026-02-10T02:00:00Z")),
        status: ApplicationStatus::Active,
        selected,
        reasons: &[],
    })
}

pub(crate) fn step(n: u64, node: NodeCode, minute: i64) -> StepRow {
    let begin = at("2026-02-10T02:00:00Z").epoch_ms();
    StepRow {
        step: key(50 + node as u64, n),
        application: key(2, n),
        node,
        at: Instant::from_epoch_ms(begin + minute * 60_000).unwrap(),
        clicks: None,
        wait_ms: None,
    }
}

/// 100 are invited, 40 finish; most are lost at the confirmation, which takes three clicks and more than two minutes.
pub(crate) fn hundred() -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for n in 0..100 {
        rows.push(application(n, None));
        rows.push(Row::Step(step(n, NodeCode::InviteSent, 0)));
        rows.push(Row::Step(step(n, NodeCode::InviteOpened, 5)));
        if n < 50 {
            let mut confirmed = step(n, NodeCode::Confirmed, 8);
            (confirmed.clicks, confirmed.wait_ms) = (Some(3), Some(121_000 + n * 1_000));
            rows.push(Row::Step(confirmed));
            rows.push(Row::Step(step(n, NodeCode::Started, 10)));
        }
        if n < 40 {
            rows.push(Row::Step(step(n, NodeCode::AnswerSubmitted, 20)));
            rows.push(Row::Step(step(n, NodeCode::Completed, 30)));
        }
    }
    rows
}

pub(crate) fn interview(n: u64, kind: InterviewKind, round: u32) -> Row<'static> {
    Row::Interview(InterviewRow {
        interview: key(3 + u64::from(round), n),
        application: key(2, n),
        person: Some(key(1, n)),
        job: Some(Key(7)),
        kind,
        round: Some(round),
        at: Some(at("2026-02-12T02:00:00Z")),
    })
}

pub(crate) fn norm(value: f64) -> Norm {
    Norm::from_millionths((value * 1e6).round() as u32).unwrap()
}

pub(crate) fn result(n: u64, round: u32, value: f64) -> Row<'static> {
    let (result, interview) = (key(6 + u64::from(round), n), key(3 + u64::from(round), n));
    Row::Result(ResultRow { result, interview, overall: Some(norm(value)) })
}

pub(crate) fn score(n: u64, dimension: &'static str, value: f64) -> Row<'static> {
    let score = key(20 + dimension.len() as u64, n);
    Row::Score(ScoreRow { score, interview: key(3, n), dimension, value: norm(value) })
}

pub(crate) fn group(n: u64, value: Option<&'static str>) -> Row<'static> {
    Row::Group(GroupRow { person: key(1, n), attribute: "gender", value })
}
