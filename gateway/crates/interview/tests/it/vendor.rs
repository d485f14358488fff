//! The loop over a bed, and records as an interview vendor gives them.

use std::sync::Arc;

use renmen_interview::{InterviewError, InterviewLoop, LoopOptions, LoopWork, RuleSpec, Sources};
use renmen_schema::code::{
    ApplicationStatus, EnvironmentKind, InterviewKind, InterviewMode, InterviewStatus, NodeCode, OrderStatus,
};
use renmen_schema::entity::{
    Application, DimensionScore, EnvironmentEvent, Interview, InterviewOrder, InterviewResult, ProcessNode, Subject,
};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Coded, Decimal, Instant, Ref, Score, Weight, ZonedInstant};
use renmen_store::RecordRow;
use serde_json::Value;

use crate::bed::{BEGIN_MS, Bed, tenant, vendor};

/// A loop that does its work when it is told to.
pub(crate) struct Looped {
    pub(crate) bed: Bed,
    pub(crate) desk: Arc<InterviewLoop>,
    work: LoopWork,
}

impl Looped {
    /// With one rule for every position, and one application `app-1`.
    pub(crate) async fn new(pass: &str, border: Option<(&str, &str)>) -> Self {
        let bed = Bed::new().await;
        let application =
            Application::new(Ref::external("cand-1"), Ref::external("pos-1"), Coded::new(ApplicationStatus::Active));
        bed.put("app-1", &application).await;
        Self::over(bed, pass, border, LoopOptions::default().children_max).await
    }

    /// With so many records of one kind of an interview at most.
    pub(crate) async fn with_children_max(children_max: usize) -> Self {
        Self::over(Bed::new().await, "80", None, children_max).await
    }

    async fn over(bed: Bed, pass: &str, border: Option<(&str, &str)>, children_max: usize) -> Self {
        Self::with(bed, LoopOptions { children_max, ..options(pass, border) }).await
    }

    pub(crate) async fn with(bed: Bed, options: LoopOptions) -> Self {
        let (desk, work) = open(&bed, options).await;
        Self { bed, desk, work }
    }

    /// Another gateway over the same store.
    pub(crate) async fn beside(&self, options: LoopOptions) -> Beside {
        let (desk, work) = open(&self.bed, options).await;
        Beside { _desk: desk, work }
    }

    /// The gateway was stopped and started with another rule.
    pub(crate) async fn reopened(self, pass: &str, border: Option<(&str, &str)>) -> Self {
        self.reopened_with(options(pass, border)).await
    }

    /// The gateway was stopped and started with other options.
    pub(crate) async fn reopened_with(self, options: LoopOptions) -> Self {
        Self::with(self.bed, options).await
    }

    pub(crate) async fn try_catch_up(&self) -> Result<(), InterviewError> {
        self.work.catch_up().await
    }

    pub(crate) async fn catch_up(&self) {
        self.work.catch_up().await.unwrap();
    }

    /// An interview of `app-1` that is over, with its result.
    pub(crate) async fn result(&self, interview: &str, value: &str) -> RecordRow {
        result_of(&self.bed, interview, value).await
    }

    pub(crate) async fn environment_event(&self, interview: &str, id: &str) -> RecordRow {
        let kind = Coded::new(EnvironmentKind::NetworkLatency);
        self.bed.put(id, &EnvironmentEvent::new(Ref::external(interview), instant(BEGIN_MS), kind)).await
    }

    pub(crate) async fn node(&self, interview: &str, code: NodeCode, at_ms: i64) -> RecordRow {
        let subject = Subject { interview: Some(Ref::external(interview)), ..Subject::new() };
        let node = ProcessNode::new(subject, Coded::new(code), instant(at_ms));
        self.bed.put(&format!("{interview}-{code}-{at_ms}"), &node).await
    }
}

/// An interview of `app-1` that is over, with its result.
pub(crate) async fn result_of(bed: &Bed, interview: &str, value: &str) -> RecordRow {
    bed.put(interview, &interview_of(InterviewStatus::Completed, None)).await;
    bed.put(&format!("res-{interview}"), &overall(interview, value)).await
}

/// A second gateway.
pub(crate) struct Beside {
    _desk: Arc<InterviewLoop>,
    work: LoopWork,
}

impl Beside {
    pub(crate) async fn catch_up(&self) -> Result<(), InterviewError> {
        self.work.catch_up().await
    }
}

async fn open(bed: &Bed, options: LoopOptions) -> (Arc<InterviewLoop>, LoopWork) {
    InterviewLoop::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap()
}

/// One rule for every position.
pub(crate) fn options(pass: &str, border: Option<(&str, &str)>) -> LoopOptions {
    let amount = |text: &str| Decimal::parse(text).unwrap();
    let rule = RuleSpec {
        name: "default".into(),
        position: None,
        profile_version: None,
        pass: amount(pass),
        border: border.map(|(from, below)| (amount(from), amount(below))),
    };
    LoopOptions { rules: vec![rule], sources: sources(), ..LoopOptions::default() }
}

/// The vendor's interviews are acted on, and what `proctoring` says of them counts.
pub(crate) fn sources() -> Sources {
    let proctoring = ConnectionName::new("proctoring").unwrap();
    Sources { vendors: [vendor()].into(), beside: [(vendor(), [proctoring].into())].into() }
}

pub(crate) fn instant(ms: i64) -> Instant {
    Instant::from_epoch_ms(ms).unwrap()
}

/// An application of a candidate for a job, both of the same connection.
pub(crate) fn application_of(candidate: &str, job: &str) -> Application {
    Application::new(Ref::external(candidate), Ref::external(job), Coded::new(ApplicationStatus::Active))
}

/// An interview of `app-1`, at a time or at any.
pub(crate) fn interview_of(status: InterviewStatus, start_ms: Option<i64>) -> Interview {
    Interview {
        start: start_ms.map(|ms| ZonedInstant::from_epoch_ms_in(ms, "Asia/Shanghai").unwrap()),
        ..Interview::new(Ref::external("app-1"), InterviewKind::Ai, Coded::new(status))
    }
}

pub(crate) fn order_until(deadline_ms: i64, status: OrderStatus) -> InterviewOrder {
    let mode = Coded::new(InterviewMode::AsyncVideo);
    InterviewOrder {
        deadline: Some(instant(deadline_ms)),
        ..InterviewOrder::new(Ref::external("app-1"), mode, Coded::new(status))
    }
}

pub(crate) fn overall(interview: &str, value: &str) -> InterviewResult {
    InterviewResult {
        overall: Some(Score::raw(value, "0", "100").unwrap()),
        ..InterviewResult::new(Ref::external(interview))
    }
}

pub(crate) fn score(interview: &str, value: &str, weight: &str) -> DimensionScore {
    DimensionScore {
        interview: Some(Ref::external(interview)),
        competency: Some(Ref::external("comp")),
        weight_used: Some(Weight::from_percent(weight).unwrap()),
        ..DimensionScore::new(Score::raw(value, "0", "100").unwrap())
    }
}

pub(crate) const MINUTE: i64 = 60_000;

/// Our own bodies of an entity.
pub(crate) async fn own(looped: &Looped, entity: &str) -> Vec<Value> {
    let rows = looped.bed.find(entity, None).await.into_iter().filter(|row| row.connection.as_str() == "renmen");
    rows.map(|row| serde_json::from_slice(&row.body).unwrap()).collect()
}

/// Our own steps that hold, as (code, time), and our own messages as template.
pub(crate) async fn written(looped: &Looped) -> (Vec<(String, i64)>, Vec<String>) {
    let at = |body: &Value| Instant::parse(body["at"].as_str().unwrap()).unwrap().epoch_ms();
    let mut steps: Vec<_> = own(looped, "process_node")
        .await
        .iter()
        .filter(|body| body["status"] != "WITHDRAWN")
        .map(|body| (body["node"]["code"].as_str().unwrap().to_owned(), at(body)))
        .collect();
    steps.sort();
    let mut messages: Vec<_> =
        own(looped, "notification").await.iter().map(|body| body["template"].as_str().unwrap().to_owned()).collect();
    messages.sort();
    (steps, messages)
}
