//! The questions over many records: how each is asked, and what its answer says.

mod fairness;
mod instruction;
mod pay;
mod people;
mod predict;
mod profile;
mod way;

pub(crate) use instruction::{Effects, effects};

use renmen_insight::Outcome;
use renmen_schema::text;

use crate::engine::Asking;
use crate::{AnalysisError, Answer, Ask, QuestionName};

/// Answers one of them.
pub(crate) async fn answer(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    match asking.ask.question {
        QuestionName::Funnel => way::funnel(asking).await,
        QuestionName::Channels => way::channels(asking).await,
        QuestionName::Friction => way::friction(asking).await,
        QuestionName::Predict => predict::predict(asking).await,
        QuestionName::Reweigh => predict::reweigh(asking).await,
        QuestionName::Joined => predict::joined(asking).await,
        QuestionName::Alert => predict::alert(asking).await,
        QuestionName::Review => Ok(instruction::effects(asking).await?.answer),
        QuestionName::Performance => people::performance(asking).await,
        QuestionName::Profile => people::profile(asking).await,
        QuestionName::Refusals => pay::refusals(asking).await,
        QuestionName::Fairness => fairness::fairness(asking).await,
        QuestionName::Market | QuestionName::Pay | QuestionName::Level | QuestionName::Explanation => {
            Err(AnalysisError::Fault("a question about one record was asked of many".into()))
        }
    }
}

/// The outcomes that were said; the final round where none was.
fn outcomes(ask: &Ask) -> Vec<Outcome> {
    if ask.outcomes.is_empty() { vec![Outcome::FinalRound] } else { ask.outcomes.clone() }
}

/// The one outcome of a question that takes one.
fn outcome(ask: &Ask) -> Result<Outcome, AnalysisError> {
    let mut all = outcomes(ask);
    match all.pop() {
        Some(one) if all.is_empty() => Ok(one),
        _ => Err(AnalysisError::bad("outcome", text!("one outcome", "一个结果"))),
    }
}

/// Names of outcomes, as they are said.
fn named(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
