//! What interviews say about what came later: predictors, weights that should change, and the best who do worse.

use renmen_insight::Outcome;
use renmen_insight::Question;
use renmen_insight::question::alert::{Alert, AlertState, Scope};
use renmen_insight::question::joined::{Joined, JoinedAsk};
use renmen_insight::question::predict::{Predict, PredictAsk, PredictReport, Prediction, Predictor};
use renmen_insight::question::reweigh::{Reweighing, reweigh as reweighed};
use renmen_insight::question::standard::Verdict;
use renmen_schema::Entity;
use renmen_schema::entity::{AdjustmentTarget, ModelAdjustment};
use renmen_schema::types::Ref;

use super::{named, outcome, outcomes, profile};
use crate::answer::{Body, Finding, Table};
use crate::engine::Asking;
use crate::{AnalysisError, Answer, Ask};

async fn report(asking: &Asking<'_>, outcomes: &[Outcome]) -> Result<PredictReport, AnalysisError> {
    let settings = asking.settings();
    let question = Predict::new(PredictAsk {
        window: asking.window.clone(),
        job: asking.position,
        outcomes: outcomes.to_vec(),
        today: asking.today,
        objective_only: asking.ask.objective.unwrap_or(true),
        standard: settings.standard,
        limits: settings.limits,
    });
    asking.over(asking.wanted_with(question.needs(), outcomes), question).await
}

pub(super) async fn predict(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let outcomes = outcomes(asking.ask);
    let report = report(asking, &outcomes).await?;
    let mut answer = begun(asking, &outcomes);
    asking.show(&mut answer, &report, []).await?;
    answer.tests = Some(report.tests);
    answer.findings.extend(report.predictions.iter().map(finding));
    answer.findings.push(Finding { n: Some(report.people), ..Finding::said("PEOPLE") });
    Ok(answer)
}

fn begun(asking: &Asking<'_>, outcomes: &[Outcome]) -> Answer {
    let mut answer = asking.begun();
    Asking::taken(&mut answer, "outcome", named(outcomes));
    Asking::taken(&mut answer, "objective", asking.ask.objective.unwrap_or(true));
    answer
}

fn finding(one: &Prediction) -> Finding {
    let (code, needed) = match one.verdict {
        Verdict::TooFew { needed } => ("TOO_FEW", Some(needed)),
        Verdict::NoSpread => ("NO_SPREAD", None),
        Verdict::Predicts => ("PREDICTS", None),
        Verdict::Reversed => ("REVERSED", None),
        Verdict::NotPredictive => ("NOT_PREDICTIVE", None),
        Verdict::Unclear { needed } => ("UNCLEAR", needed),
    };
    let told = Finding::of(code, about(&one.predictor)).among(one.n);
    match needed {
        Some(needed) => told.with(format!("{}; needed {needed}", one.outcome)),
        None => told.with(&one.outcome),
    }
}

fn about(predictor: &Predictor) -> String {
    match predictor {
        Predictor::Overall => "overall".to_owned(),
        Predictor::Dimension(name) => format!("dimension:{name}"),
        Predictor::Question(id) => format!("question:{id}"),
    }
}

/// Which weights should change. What comes out is a proposal: a person makes it an instruction.
pub(super) async fn reweigh(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let outcome = outcome(asking.ask)?;
    let position = Ask::need(asking.ask.position.as_ref(), "position")?;
    let profile = profile::published(asking, position).await?;
    let report = report(asking, std::slice::from_ref(&outcome)).await?;
    let mut answer = begun(asking, std::slice::from_ref(&outcome));
    asking.show(&mut answer, &report, []).await?;
    answer.tests = Some(report.tests);
    let weights: Vec<_> = profile.weights.iter().map(|one| (one.dimension.as_str(), one.weight.clone())).collect();
    let proposed = reweighed(&weights, &report, &outcome, asking.settings().step_bp);
    say(&mut answer, &proposed);
    let accuracy = report.predictions.iter().find(|one| one.predictor == Predictor::Overall && one.outcome == outcome);
    let (Some(accuracy), Some(vendor)) = (accuracy, &asking.ask.vendor) else { return Ok(answer) };
    let mut target = AdjustmentTarget::new(vendor.to_string(), asking.ask.version.unwrap_or(profile.version));
    target.position = Some(Ref::to(position));
    let reference = |name: &str| {
        let known = profile.weights.iter().find(|one| one.dimension == name);
        known.map_or_else(|| Ref::external(name), |one| one.competency.clone())
    };
    if let Some(body) = proposed.proposal(target, accuracy, reference) {
        let body = serde_json::to_value(&body).map_err(|error| AnalysisError::Fault(error.to_string()))?;
        answer.records.push(Body { kind: ModelAdjustment::KIND, about: outcome.to_string(), body });
    }
    Ok(answer)
}

fn say(answer: &mut Answer, proposed: &Reweighing) {
    for change in &proposed.changes {
        let moved = format!("{}>{}", change.from_bp, change.to_bp);
        answer.findings.push(Finding::of("SET_WEIGHT", &change.dimension).with(moved).among(change.n));
    }
    answer.findings.extend(proposed.not_judged.iter().map(|one| Finding::of("NOT_JUDGED", one)));
    let dropped = proposed.questions.iter().map(|one| Finding::of("DROP_QUESTION", about(&one.predictor)).among(one.n));
    answer.findings.extend(dropped);
    if !proposed.complete {
        let told = Finding::said("WEIGHTS_NOT_WHOLE");
        answer.findings.push(told.with(proposed.sum_bp));
    }
}

/// Do the best at the interview do worse at work?
pub(super) async fn alert(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let outcome = outcome(asking.ask)?;
    let question = Alert::new(scope(asking, outcome.clone()), asking.settings().alert);
    let wanted = asking.wanted_with(question.needs(), std::slice::from_ref(&outcome));
    let report = asking.over(wanted, question).await?;
    let mut answer = begun(asking, std::slice::from_ref(&outcome));
    asking.show(&mut answer, &report, []).await?;
    let verdict = match report.state {
        AlertState::NotJudged => "NOT_JUDGED",
        AlertState::Fine => "FINE",
        AlertState::Suspected => "SUSPECTED",
        AlertState::Raised => "RAISED",
    };
    answer.verdict = Some(verdict.to_owned());
    if let Some(from) = report.from_score.and_then(crate::answer::decimal) {
        answer.findings.push(Finding::of("TOP_FROM_SCORE", "overall").with(from).among(report.top.basis.n));
    }
    Ok(answer)
}

/// What each interview measured next to what came later. No line names a person.
pub(super) async fn joined(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let (outcomes, settings) = (outcomes(asking.ask), asking.settings());
    let question = Joined::new(JoinedAsk {
        window: asking.window.clone(),
        job: asking.position,
        outcomes: outcomes.clone(),
        today: asking.today,
        objective_only: asking.ask.objective.unwrap_or(true),
        sample_min: settings.few,
        limits: settings.limits,
    });
    let report = asking.over(asking.wanted_with(question.needs(), &outcomes), question).await?;
    let mut answer = begun(asking, &outcomes);
    let enough = report.people >= settings.few;
    answer.findings.push(Finding::said(if enough { "PEOPLE" } else { "TOO_FEW" }).among(report.people));
    let dimensions = report.dimensions.iter().map(|name| format!("dimension:{name}"));
    let named = report.outcomes.iter().map(ToString::to_string);
    let columns = std::iter::once("overall".to_owned()).chain(dimensions).chain(named).collect();
    let lines = report
        .lines
        .into_iter()
        .map(|line| std::iter::once(line.overall).chain(line.scores).chain(line.outcomes).collect());
    answer.table = Some(Table { columns, lines: lines.collect() });
    answer.leave_out(&report.left_out);
    Ok(answer)
}

/// The scores and the outcome of a question about scores as a whole.
pub(super) fn scope(asking: &Asking<'_>, outcome: Outcome) -> Scope {
    Scope {
        window: asking.window.clone(),
        job: asking.position,
        outcome,
        today: asking.today,
        objective_only: asking.ask.objective.unwrap_or(true),
        limits: asking.settings().limits,
    }
}
