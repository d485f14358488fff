//! What instructions to vendors' models did. Each that was applied is measured by the outcome that its evidence names, at its position.

use std::collections::BTreeMap;

use renmen_insight::question::alert::Scope;
use renmen_insight::question::review::{Applied, Effect, Review};
use renmen_insight::{Key, Outcome, Question, Window};
use renmen_schema::code::AdjustmentStatus;
use renmen_schema::entity::ModelAdjustment;
use renmen_schema::id::RecordId;
use renmen_schema::types::{DateSpan, LocalDate};
use renmen_store::RecordRow;

use super::{named, outcome};
use crate::answer::{Finding, ShownFigure};
use crate::ask;
use crate::engine::Asking;
use crate::shelf::{Read, Shelf, built_in};
use crate::{AnalysisError, Answer, day};

/// Revisions of an instruction that are looked at for the day on which it was applied.
const REVISIONS_MAX: u32 = 100;

/// The answer, and what each instruction's record is to keep.
pub(crate) struct Effects {
    pub(crate) answer: Answer,
    pub(crate) kept: Vec<(RecordRow, ModelAdjustment)>,
}

/// An instruction that was applied.
struct Instruction {
    read: Read<ModelAdjustment>,
    key: Key,
    on: LocalDate,
}

/// Measures the effect of every instruction that is applied.
pub(crate) async fn effects(asking: &Asking<'_>) -> Result<Effects, AnalysisError> {
    let days = asking.ask.days.unwrap_or(asking.settings().review_days);
    let other = outcome(asking.ask)?;
    let mut answer = asking.begun();
    Asking::taken(&mut answer, "days", days);
    Asking::taken(&mut answer, "outcome", named(std::slice::from_ref(&other)));
    let mut kept = Vec::new();
    for ((position, measured), instructions) in applied(asking, &other).await? {
        let measured = ask::outcome(&measured).unwrap_or_else(|_| other.clone());
        let report = review(asking, position, &measured, days, &instructions).await?;
        for (effect, instruction) in report.iter().zip(instructions) {
            show(asking, &mut answer, effect, instruction.read.row.id).await?;
            let mut body = instruction.read.body;
            if let Some(now) = effect.record(&measured.to_string()).filter(|now| Some(now) != body.effect.as_ref()) {
                body.effect = Some(now);
                kept.push((instruction.read.row, body));
            }
        }
    }
    Ok(Effects { answer, kept })
}

type Group = (Option<Key>, String);

/// Instructions that stand, by the position and the outcome that they are measured at.
async fn applied(asking: &Asking<'_>, other: &Outcome) -> Result<BTreeMap<Group, Vec<Instruction>>, AnalysisError> {
    let shelf = Shelf { store: &*asking.analysis.store, tenant: asking.tenant };
    let mut found: Vec<Read<ModelAdjustment>> = Vec::new();
    let mut take = |read: Read<ModelAdjustment>| {
        if read.body.status == AdjustmentStatus::Applied {
            found.push(read);
        }
    };
    shelf.each(Some(&built_in()), &mut take).await?;
    let mut groups: BTreeMap<Group, Vec<Instruction>> = BTreeMap::new();
    for read in found {
        let Some(on) = applied_on(asking, &read).await? else { continue };
        let Some(key) = asking.analysis.rows.key(asking.tenant, read.row.id).await? else { continue };
        let position = match &read.body.target.position {
            None => None,
            Some(position) => match shelf.meant(position, &read.row.connection).await? {
                Some(job) => asking.analysis.rows.key(asking.tenant, job.row.id).await?,
                None => continue,
            },
        };
        let metric = read.body.evidence.as_ref().and_then(|evidence| evidence.metric.strip_prefix("pearson:"));
        let measured = metric.map_or_else(|| other.to_string(), str::to_owned);
        groups.entry((position, measured)).or_default().push(Instruction { read, key, on });
    }
    for instructions in groups.values_mut() {
        instructions.sort_by_key(|one| (one.on, one.key));
    }
    Ok(groups)
}

/// The day of the first revision that says so.
async fn applied_on(asking: &Asking<'_>, read: &Read<ModelAdjustment>) -> Result<Option<LocalDate>, AnalysisError> {
    let revisions = asking.analysis.store.revisions(asking.tenant, read.row.id, REVISIONS_MAX).await?;
    let is_applied = |row: &&RecordRow| {
        let body = serde_json::from_slice::<ModelAdjustment>(&row.body);
        body.is_ok_and(|body| body.status == AdjustmentStatus::Applied)
    };
    let first = revisions.iter().filter(is_applied).map(|row| row.recorded_at_ms).min();
    Ok(first.and_then(|ms| day::at(ms, asking.settings().offset_minutes)))
}

async fn review(
    asking: &Asking<'_>,
    position: Option<Key>,
    outcome: &Outcome,
    days: u32,
    instructions: &[Instruction],
) -> Result<Vec<Effect>, AnalysisError> {
    let (Some(first), Some(last)) = (instructions.first(), instructions.last()) else { return Ok(Vec::new()) };
    let length = i64::from(days);
    let span = DateSpan::new(day::plus(first.on, -length), day::plus(last.on, length));
    let scope = Scope {
        window: Window::new(span, asking.settings().offset_minutes),
        job: position,
        outcome: outcome.clone(),
        today: asking.today,
        objective_only: asking.ask.objective.unwrap_or(true),
        limits: asking.settings().limits,
    };
    let applied = instructions.iter().map(|one| Applied { instruction: one.key, on: one.on }).collect();
    let question = Review::new(scope, applied, days, asking.settings().standard);
    let wanted = asking.wanted_with(question.needs(), std::slice::from_ref(outcome));
    Ok(asking.over(wanted, question).await?.effects)
}

async fn show(asking: &Asking<'_>, answer: &mut Answer, effect: &Effect, id: RecordId) -> Result<(), AnalysisError> {
    let figures =
        [("before", Some(&effect.before)), ("after", Some(&effect.after)), ("difference", effect.difference.as_ref())];
    let figures = figures.into_iter().filter_map(|(name, figure)| Some((name, figure?)));
    let ids = asking.ids(figures.clone().map(|(_, figure)| figure), []).await?;
    let known = |key: Key| ids.get(&key).copied();
    answer.figures.extend(figures.map(|(name, figure)| ShownFigure::of(format!("{id}/{name}"), figure, &known)));
    let told = Finding::of(effect.change.verdict().as_str(), effect.applied.on.to_string());
    let told = Finding { record: Some(id), ..told }.among(effect.after.basis.n);
    answer.findings.push(told);
    if effect.on_both_sides > 0 {
        let told = Finding { record: Some(id), ..Finding::said("ON_BOTH_SIDES") };
        answer.findings.push(told.among(effect.on_both_sides));
    }
    Ok(())
}
