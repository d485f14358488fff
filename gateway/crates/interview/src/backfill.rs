//! Decisions on history: what the rules say to interviews that ended before the gateway acted on their connection, for an operator who
//! asks for it. First as a list that writes nothing.

use std::sync::Arc;

use renmen_schema::code::PassDecision;
use renmen_schema::entity::Decision;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::Decimal;
use renmen_store::{RecordQuery, RecordRow, Store};

use crate::decide::{self, Bounds, RuleBook};
use crate::dossier::Dossier;
use crate::follow::{Follower, Told, concerns};
use crate::history::History;
use crate::interview_loop::LoopOptions;
use crate::progress::Progress;
use crate::reading::Reading;
use crate::target::Target;
use crate::{Clock, InterviewError, subject};

/// Interviews read at once.
const PAGE: u32 = 500;
/// Changes read at once.
const CHANGES: u32 = 1_000;

/// What the rules say to an interview of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDecision {
    /// The interview.
    pub interview: RecordId,
    /// When it ended, in milliseconds; none where it does not say.
    pub ended_ms: Option<i64>,
    /// What would be decided; REVIEW asks a person.
    pub outcome: PassDecision,
    /// The score in per cent of its scale.
    pub score: Option<Decimal>,
    /// By which rule.
    pub rule: String,
}

/// Lists the decisions that are missing on interviews of a connection that ended at `from_ms` or later, and makes them where `apply`
/// says so. From then on the connection is acted on since `from_ms`.
///
/// # Errors
/// [`InterviewError::Refused`] for a connection that is not acted on at all, and while the loop has not read what came through it; [`InterviewError::Store`]; what is wrong with one of the
/// interviews.
pub async fn decide_past(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    tenant: &TenantId,
    options: LoopOptions,
    (connection, from_ms): (&ConnectionName, i64),
    apply: bool,
) -> Result<Vec<PastDecision>, InterviewError> {
    if !options.sources.vendors.contains(connection) {
        return Err(InterviewError::refused(
            format!("interviews of connection `{connection}` are not acted on: list it under `vendors` of [interview]"),
            format!("连接 `{connection}` 的面试不受处理：请将其列入 [interview] 的 `vendors`"),
        ));
    }
    let rules = if apply {
        decide::publish(&*store, tenant, &options.rules, clock.now_ms()).await?;
        RuleBook::open(&*store, tenant).await?
    } else {
        RuleBook::unpublished(&*store, tenant, &options.rules).await?
    };
    let follower = Follower {
        progress: Arc::new(Progress::of(rules.clone(), None)),
        history: History::of(connection, from_ms),
        told: Told::default(),
        reading: Reading::default(),
        sources: Arc::new(options.sources),
        watch: options.watch,
        children_max: options.children_max,
        decide_within_ms: options.decide_within_ms,
        batch: options.batch,
        tenant: tenant.clone(),
        store,
        clock,
        rules,
    };
    follower.has_read(connection).await?;
    if apply {
        follower.history.keep(&*follower.store, tenant, follower.clock.now_ms()).await?;
    }
    let mut found = Vec::new();
    let mut query = RecordQuery {
        entity: Some("interview".into()),
        connection: Some(connection.clone()),
        limit: PAGE,
        ..RecordQuery::default()
    };
    loop {
        let page = follower.store.records(tenant, &query).await?;
        for row in page.items {
            let past = follower.past(&row, from_ms).await?;
            if let Some(target) = Target::of(&subject::key_of(&row)).filter(|_| apply && !past.is_empty()) {
                follower.look_alone(&target).await?;
            }
            found.extend(past);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}

impl Follower {
    /// Refuses where the loop has not read all that came through a connection: what belongs to what is known when it has.
    async fn has_read(&self, connection: &ConnectionName) -> Result<(), InterviewError> {
        let mut place = self.place().await?;
        loop {
            let changes = self.store.changes(&self.tenant, place, None, CHANGES).await?;
            if changes.iter().any(|change| change.connection == *connection && concerns(change)) {
                return Err(InterviewError::refused(
                    format!(
                        "the gateway has not read all that came through `{connection}` yet: start it, wait until `interview_loop` of \
                         GET /v1/health is no longer behind, and ask again. It leaves alone what ended before"
                    ),
                    format!(
                        "网关尚未读完来自 `{connection}` 的全部数据：请启动网关，待 GET /v1/health 的 `interview_loop` 不再落后后重试。\
                         此前已结束的面试不会被处理"
                    ),
                ));
            }
            let Some(last) = changes.last() else { return Ok(()) };
            place = last.seq;
        }
    }

    /// The decisions that are missing on an interview.
    async fn past(&self, row: &RecordRow, from_ms: i64) -> Result<Vec<PastDecision>, InterviewError> {
        let dossier = Dossier::read(self.shelf(), &subject::key_of(row)).await?;
        if !self.is_ours(&dossier).await? {
            return Ok(Vec::new());
        }
        // Only decisions: messages about what is long over help no one.
        let bounds = Bounds { since_ms: from_ms, within_ms: i64::MAX, catch_up_ms: 0 };
        let plan = decide::plan(&dossier, &self.rules, bounds, self.clock.now_ms())?;
        let made = plan.records.iter().filter(|record| record.entity == "decision" && record.expect == Some(0));
        let bodies = made.filter_map(|record| serde_json::from_slice::<Decision>(&record.body).ok());
        let of = |body: Decision| PastDecision {
            interview: row.id,
            ended_ms: dossier.ended_ms(),
            outcome: body.outcome,
            score: body.score,
            rule: body.rule.rule_id,
        };
        Ok(bodies.map(of).collect())
    }
}
