//! Everything that happened to one application, or to one candidate in all their applications, in order, each step with
//! its source: from the order through the interview to the decision, no matter who wrote it.
//!
//! Records were linked to what they belong to as they came in (`follow`), so a timeline is a walk over links and reads
//! no list. Only records that count for the holder of a step are told ([`crate::Sources`]): a stranger can neither add
//! to a timeline nor crowd anything out of it. Records whose status tells the story (orders, interviews, decisions,
//! notifications) appear once for each revision. What another system keeps of the same interview or application is not
//! told twice: it is shown at the steps of the original.

use std::collections::{BTreeMap, HashSet, VecDeque};

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::Instant;
use renmen_store::outbox::{DeliveryQuery, DeliveryRow};
use renmen_store::{Cause, RecordRow, Store};
use serde_json::Value;

use crate::children::Shelf;
use crate::copies::Together;
use crate::{InterviewError, subject};

/// Records of one timeline.
const RECORDS_MAX: usize = 2_000;
/// Revisions of one record that are told.
const REVISIONS_MAX: u32 = 50;
/// Deliveries of one record that are told, the newest.
const DELIVERIES_MAX: u32 = 50;
/// How deep records hang on the candidate: the same candidate elsewhere, application, order, interview, answer, score, tag.
const DEPTH_MAX: usize = 7;

/// What a timeline is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// The steps of one application.
    Application,
    /// All applications of one candidate, with what each step rests on: answers, scores and tags.
    Candidate,
}

impl Root {
    fn entity(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Candidate => "candidate",
        }
    }
}

/// A timeline.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// In the order of their times.
    pub steps: Vec<Step>,
    /// True: there is more than is shown.
    pub truncated: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, by the source's own clock where it says; milliseconds since the epoch.
    pub at_ms: i64,
    /// When the gateway learnt of it.
    pub recorded_at_ms: i64,
    /// What: `order`, `node`, `result`, `correction`, `decision`, …
    pub kind: &'static str,
    /// Which: a node's code, a template's name.
    pub code: Option<String>,
    /// Where it stood then: `AWAITING_PERSON`, `PASS`.
    pub status: Option<String>,
    /// The record.
    pub record: RecordId,
    /// Its entity.
    pub entity: String,
    /// The revision.
    pub revision: i64,
    /// The connection that it came through; `renmen` for what the gateway wrote.
    pub connection: ConnectionName,
    /// Its id there.
    pub external_id: String,
    /// What it was made from, for what the gateway wrote.
    pub causes: Vec<Cause>,
    /// The delivery, for `delivery`: then `connection` is where it went, and record and revision are what it was made for.
    pub delivery: Option<i64>,
    /// What other systems keep of the same, as it stands now: told here and not as steps of their own.
    pub copies: Vec<Copied>,
}

/// A record that another system keeps of what a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The record.
    pub record: RecordId,
    /// Its entity.
    pub entity: String,
    /// The connection that it came through.
    pub connection: ConnectionName,
    /// Its id there.
    pub external_id: String,
}

/// Walks from an application or a candidate to everything that belongs to it.
pub(crate) async fn of(shelf: Shelf<'_>, root: Root, id: RecordId) -> Result<Timeline, InterviewError> {
    let (store, tenant) = (shelf.store, shelf.tenant);
    let found = store.record(tenant, id).await?.filter(|row| row.entity == root.entity());
    let first = found.ok_or(InterviewError::NotFound(root.entity()))?;
    let mut seen: HashSet<RecordId> = HashSet::from([first.id]);
    let mut waiting = VecDeque::from([(first, 0)]);
    let mut steps = Vec::new();
    let mut truncated = false;
    let (mut together, mut holders) = (Together::default(), BTreeMap::new());
    while let Some((row, depth)) = waiting.pop_front() {
        if depth < DEPTH_MAX {
            let key = subject::key_of(&row);
            together.note(&row, &key);
            let all = shelf.each(&key, shelf.sources.of_all(&key), &[], |child| {
                let room = seen.len() < RECORDS_MAX;
                truncated |= !room;
                if room && seen.insert(child.id) {
                    holders.insert(child.id, row.id);
                    waiting.push_back((child, depth + 1));
                }
                room
            });
            truncated |= !all.await?;
        }
        deliveries(store, tenant, &row, &mut steps).await?;
        tell(store, tenant, root, row, &mut steps).await?;
    }
    let mut steps = fold(steps, &together.originals(), &holders);
    steps.sort_by(|a, b| {
        let place = |step: &Step| (step.at_ms, step.recorded_at_ms, step.record, step.revision, step.delivery);
        place(a).cmp(&place(b))
    });
    Ok(Timeline { steps, truncated })
}

/// What a copy of an interview repeats of its original, where the original has it. Applications and interviews name their originals
/// themselves.
const REPEATED: [&str; 2] = ["result", "score"];

/// Puts what other systems keep of the same where the same stands: a copy itself, and of what hangs on it what the original has too. What
/// was sent because of a copy, and what a copy alone has, stays a step.
fn fold(
    steps: Vec<Step>,
    originals: &BTreeMap<RecordId, RecordId>,
    holders: &BTreeMap<RecordId, RecordId>,
) -> Vec<Step> {
    if originals.is_empty() {
        return steps;
    }
    let kinds: HashSet<(RecordId, &str)> =
        steps.iter().filter_map(|step| Some((*holders.get(&step.record)?, step.kind))).collect();
    let stands_for = |step: &Step| {
        if step.delivery.is_some() {
            return None;
        }
        let own = originals.get(&step.record);
        let through_holder = || {
            let original = originals.get(holders.get(&step.record)?)?;
            (REPEATED.contains(&step.kind) && kinds.contains(&(*original, step.kind))).then_some(original)
        };
        own.or_else(through_holder).copied()
    };
    let folded: Vec<Option<RecordId>> = steps.iter().map(stands_for).collect();
    let mut copies: BTreeMap<RecordId, Vec<Copied>> = BTreeMap::new();
    let mut kept = Vec::with_capacity(steps.len());
    for (step, original) in steps.into_iter().zip(folded) {
        let Some(original) = original else {
            kept.push(step);
            continue;
        };
        let Step { record, entity, connection, external_id, .. } = step;
        let known = copies.entry(original).or_default();
        if known.iter().all(|copy| copy.record != record) {
            known.push(Copied { record, entity, connection, external_id });
        }
    }
    for step in kept.iter_mut().filter(|step| step.delivery.is_none()) {
        step.copies = copies.get(&step.record).cloned().unwrap_or_default();
    }
    kept
}

async fn tell(
    store: &dyn Store,
    tenant: &TenantId,
    root: Root,
    row: RecordRow,
    steps: &mut Vec<Step>,
) -> Result<(), InterviewError> {
    let by_revision = matches!(
        row.entity.as_str(),
        "application" | "interview_order" | "interview" | "decision" | "notification" | "offer"
    );
    let rows = match by_revision && row.revision > 1 {
        true => store.revisions(tenant, row.id, REVISIONS_MAX).await?,
        false => vec![row],
    };
    for row in rows {
        let own = row.connection.as_str() == renmen_store::BUILT_IN_CONNECTION;
        if let Some(mut step) = step(&row, root) {
            if own {
                step.causes = store.causes(tenant, row.id, row.revision).await?;
            }
            steps.push(step);
        }
    }
    Ok(())
}

/// What went out because of a record: notifications, write-backs.
async fn deliveries(
    store: &dyn Store,
    tenant: &TenantId,
    row: &RecordRow,
    steps: &mut Vec<Step>,
) -> Result<(), InterviewError> {
    let query = DeliveryQuery { record: Some(row.id), limit: DELIVERIES_MAX, ..DeliveryQuery::default() };
    steps.extend(store.deliveries(tenant, &query).await?.into_iter().map(delivered));
    Ok(())
}

fn delivered(row: DeliveryRow) -> Step {
    let status = serde_json::to_value(row.state).ok().and_then(|word| word.as_str().map(str::to_uppercase));
    Step {
        at_ms: row.updated_at_ms,
        recorded_at_ms: row.created_at_ms,
        kind: "delivery",
        code: Some(format!("{}:{}", row.flow, row.action)),
        status,
        record: row.change.id,
        entity: row.change.entity,
        revision: row.change.revision,
        connection: row.connection,
        external_id: row.receipt.and_then(|receipt| receipt.reference).unwrap_or_default(),
        causes: vec![Cause { record: row.change.id, revision: row.change.revision }],
        delivery: Some(row.id),
        copies: Vec::new(),
    }
}

fn step(row: &RecordRow, root: Root) -> Option<Step> {
    let body: Value = serde_json::from_slice(&row.body).ok()?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let time = |pointer: &str| text(pointer).and_then(|text| Instant::parse(&text).ok()).map(Instant::epoch_ms);
    let (kind, code, status, at_ms) = match row.entity.as_str() {
        "application" => ("application", None, text("/status/code"), time("/applied_at").filter(|_| row.revision == 1)),
        "interview_order" => ("order", text("/package"), text("/status/code"), None),
        "interview" => ("interview", text("/kind"), text("/status/code"), None),
        "process_node" => ("node", text("/node/code"), text("/status"), time("/at")),
        "environment_event" => ("environment", text("/kind/code"), text("/severity"), time("/at")),
        "interview_result" => ("result", text("/recommendation/code"), None, time("/completed_at")),
        "dimension_score" if body.get("adjusts").is_some() => ("correction", None, None, None),
        "decision" => ("decision", text("/outcome"), text("/status"), time("/decided_at")),
        "notification" => ("notification", text("/template"), text("/status/code"), None),
        "assessment" => ("assessment", text("/kind/code"), text("/status/code"), time("/completed_at")),
        "offer" => ("offer", None, text("/status/code"), None),
        "survey" => ("survey", None, None, None),
        "candidate" => ("candidate", None, None, None),
        // What the steps rest on: told of a candidate, who is looked at as a whole.
        "interview_answer" if root == Root::Candidate => ("answer", None, None, time("/submitted_at")),
        "dimension_score" if root == Root::Candidate => ("score", None, None, None),
        "tag" if root == Root::Candidate => ("tag", None, None, None),
        _ => return None,
    };
    Some(Step {
        at_ms: at_ms.or(row.source_updated_at_ms).unwrap_or(row.recorded_at_ms),
        recorded_at_ms: row.recorded_at_ms,
        kind,
        code,
        status,
        record: row.id,
        entity: row.entity.clone(),
        revision: row.revision,
        connection: row.connection.clone(),
        external_id: row.external_id.clone(),
        causes: Vec::new(),
        delivery: None,
        copies: Vec::new(),
    })
}
