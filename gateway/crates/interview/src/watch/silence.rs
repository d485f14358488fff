//! Who was cut off: an interview that began, did not end, and of which nothing was heard for a while. What is learnt later of that
//! while takes it back.

use renmen_schema::code::NodeCode;
use renmen_schema::entity::{EnvironmentEvent, InterviewAnswer, ProcessNode};
use renmen_schema::types::Instant;
use renmen_store::RecordRow;

use super::{WITHDRAWN, Watch, withdraw};
use crate::dossier::Read;
use crate::plan::Plan;
use crate::standing;
use crate::steps::{Heard, Steps};
use crate::{InterviewError, author};

pub(super) async fn plan(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    let mut plan = was_not_cut_off(watch).await?;
    let Some(mut heard) = last_heard(watch) else { return Ok(plan) };
    let after_ms = watch.options.dropped_after_ms;
    if watch.now_ms >= heard.known_ms + after_ms {
        // Not every vendor tells each step; who answers, or has trouble with the line, is there.
        heard = heard_otherwise(watch, heard).await?;
    }
    let silent_ms = heard.known_ms + after_ms;
    if watch.now_ms < silent_ms {
        plan.look_at(silent_ms);
        return Ok(plan);
    }
    // An old interview that was never ended is history, however lately we learnt of it.
    if !watch.is_recent(heard.said_ms + after_ms) {
        return Ok(plan);
    }
    let dropped = format!("dropped/{}/{}", watch.dossier.name(), heard.known_ms);
    if watch.written.node(&dropped).await?.is_none() {
        plan.create(dropped.clone(), &watch.node(NodeCode::Dropped, silent_ms)?, watch.causes())?;
        let message = watch.notification("interview_dropped", NodeCode::Dropped, 0);
        plan.create(dropped, &message, watch.causes())?;
        metrics::counter!("renmen_interview_dropped_total").increment(1);
    }
    Ok(plan)
}

/// When anything was last heard of the interview, by its own record and its steps.
fn last_heard(watch: &Watch<'_>) -> Option<Heard> {
    let interview = watch.dossier.interview.as_ref();
    let own = interview.map(|read| Heard::of(standing::said_ms(read), read.row.recorded_at_ms));
    match (own, watch.dossier.steps.heard()) {
        (Some(own), Some(step)) => Some(own.later(step)),
        (own, step) => own.or(step),
    }
}

/// When a record says that the candidate was there.
fn said_ms(row: RecordRow) -> Option<i64> {
    let learnt_ms = row.created_at_ms;
    match row.entity.as_str() {
        "environment_event" => Read::<EnvironmentEvent>::of(row).map(|read| read.body.at.epoch_ms()),
        "process_node" => Read::<ProcessNode>::of(row)
            .filter(|read| Steps::is_of_one_present(read.body.node.code))
            .map(|read| read.body.at.epoch_ms()),
        _ => Read::<InterviewAnswer>::of(row).map(|read| {
            let InterviewAnswer { shown_at, first_response_at, submitted_at, .. } = &read.body;
            let times = [shown_at, first_response_at, submitted_at].into_iter().flatten();
            times.map(|at: &Instant| at.epoch_ms()).max().unwrap_or(learnt_ms)
        }),
    }
}

async fn heard_otherwise(watch: &Watch<'_>, mut heard: Heard) -> Result<Heard, InterviewError> {
    let key = &watch.dossier.key;
    let entities = ["interview_answer", "environment_event"];
    let all = watch.shelf.each(key, watch.shelf.sources.of(key), &entities, |row| {
        let learnt_ms = row.created_at_ms;
        if let Some(said_ms) = said_ms(row) {
            heard = heard.later(Heard::of(said_ms, learnt_ms));
        }
        true
    });
    // Beyond the limit are the newest; a candidate with so many is there.
    if !all.await? {
        heard = heard.later(Heard::of(watch.now_ms, watch.now_ms));
    }
    Ok(heard)
}

/// Takes back that the candidate was cut off, where it was not so: something happened in the time that was taken for silent, or the
/// interview was over before.
pub(super) async fn was_not_cut_off(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let key = &watch.dossier.key;
    let mut told: Vec<Read<ProcessNode>> = Vec::new();
    let own = watch.shelf.each(key, vec![author::built_in()], &["process_node"], |row| {
        let stands = |node: &Read<ProcessNode>| {
            node.body.node.code == NodeCode::Dropped && node.body.status.as_deref() != Some(WITHDRAWN)
        };
        told.extend(Read::of(row).filter(stands));
        true
    });
    own.await?;
    if told.is_empty() {
        return Ok(plan);
    }
    let mut active: Vec<i64> = Vec::new();
    let entities = ["process_node", "interview_answer", "environment_event"];
    let theirs = watch.shelf.each(key, watch.shelf.sources.of(key), &entities, |row| {
        active.extend(said_ms(row));
        true
    });
    theirs.await?;
    let ended_ms = watch.dossier.said_ended_ms();
    for node in &told {
        let at_ms = node.body.at.epoch_ms();
        let silent = at_ms - watch.options.dropped_after_ms + 1..=at_ms;
        let over = ended_ms.is_some_and(|ended_ms| ended_ms <= at_ms);
        if over || active.iter().any(|ms| silent.contains(ms)) {
            withdraw(&mut plan, node, watch.causes())?;
        }
    }
    Ok(plan)
}
