//! What an offer should say, and whether a higher level was shown.

use renmen_insight::question::level::{LevelAnswer, Levels};
use renmen_insight::question::pay::{Known, PayAsk};
use renmen_schema::entity::{Candidate, InterviewResult, MarketPay, PayBand, PaySuggestion};
use renmen_schema::types::Ref;
use renmen_schema::{Entity, EntityKind, text};

use super::case::{Case, cause};
use super::market;
use crate::answer::{Body, Finding};
use crate::engine::Asking;
use crate::shelf::Read;
use crate::{AnalysisError, Answer};

/// What to offer, from the band, the match, prior pay and the market.
pub(super) async fn pay(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let case = Case::open(asking).await?;
    let bands = case.bands().await?;
    let level = case.level().map(str::to_owned);
    let band = of_level(&bands, level.as_deref()).ok_or_else(no_band)?;
    let level = level.or_else(|| band.body.key.level.clone()).unwrap_or_default();
    let result = matched(&case).await?;
    let matching = result.body.matching.as_ref().ok_or_else(no_match)?;
    let candidate = case.candidate().await?;
    let market = market::newest(&case, &band.body.range).await?;
    let prior = candidate.as_ref().and_then(|candidate| Some((candidate, candidate.body.prior_pay.as_ref()?)));
    let ask = PayAsk {
        level: &level,
        band: Known::record(band.row.id, &band.body, band.row.connection.as_str()),
        matching: Known::part(InterviewResult::KIND, result.row.id, matching, result.row.connection.as_str()),
        prior: prior.map(|(candidate, rate)| {
            Known::part(Candidate::KIND, candidate.row.id, rate, candidate.row.connection.as_str())
        }),
        market: market.as_ref().map(|one| Known::record(one.row.id, &one.body, one.row.connection.as_str())),
    };
    let suggestion = asking.settings().pay.suggest(Ref::to(case.application.row.id), &ask);
    let suggestion = suggestion.map_err(|fault| AnalysisError::Refused(fault.text()))?;
    let mut answer = asking.begun();
    answer.causes = vec![cause(&case.application.row), cause(&band.row), cause(&result.row)];
    answer.causes.extend(prior.map(|(candidate, _)| cause(&candidate.row)));
    answer.causes.extend(market.as_ref().map(|one: &Read<MarketPay>| cause(&one.row)));
    suggested(&mut answer, &suggestion)?;
    Ok(answer)
}

/// Is the level that was shown above the one that is hired for?
pub(super) async fn level(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let levels = &asking.settings().levels;
    if levels.is_empty() {
        return Err(AnalysisError::Refused(text!(
            "it is not said which levels there are; write `levels = [\"junior\", \"middle\", \"senior\"]` in [insight]",
            "未写明有哪些级别；请在 [insight] 中写 `levels = [\"junior\", \"middle\", \"senior\"]`"
        )));
    }
    let case = Case::open(asking).await?;
    let Some(hired_for) = case.level().map(str::to_owned) else {
        return Err(AnalysisError::Refused(text!(
            "the job says no level; give it one in its own system",
            "该职位没有级别；请在其来源系统中填写"
        )));
    };
    let results = case.results().await?;
    let shown = results.iter().find_map(|one| Some((one, one.body.suggested_level.as_ref()?)));
    let Some((result, assessed)) = shown else {
        return Err(AnalysisError::Refused(text!(
            "no interview of the application says which level was shown",
            "该应聘的面试均未给出所展现的级别"
        )));
    };
    let bands = case.bands().await?;
    let known: Vec<Known<'_, PayBand>> =
        bands.iter().map(|one| Known::record(one.row.id, &one.body, one.row.connection.as_str())).collect();
    let assessed = Known::part(InterviewResult::KIND, result.row.id, assessed, result.row.connection.as_str());
    let version = &asking.settings().pay.version;
    let found = Levels::new(levels.iter().cloned()).compare(
        Ref::to(case.application.row.id),
        &hired_for,
        assessed,
        &known,
        version,
    );
    let mut answer = asking.begun();
    answer.causes = vec![cause(&case.application.row), cause(&result.row)];
    answer.findings.push(Finding::of("HIRED_FOR", &hired_for));
    answer.findings.push(Finding { record: Some(result.row.id), ..Finding::of("SHOWN", assessed.value) });
    let verdict = match found {
        LevelAnswer::Stays => "STAYS",
        LevelAnswer::NoBand => "NO_BAND",
        LevelAnswer::UnknownLevel => "UNKNOWN_LEVEL",
        LevelAnswer::Change(suggestion) => {
            let band = suggestion.inputs.iter().find_map(|input| input.band.as_ref()?.id);
            let band = bands.iter().find(|one| Some(one.row.id) == band);
            answer.causes.extend(band.map(|one| cause(&one.row)));
            suggested(&mut answer, &suggestion)?;
            "CHANGE"
        }
    };
    answer.verdict = Some(verdict.to_owned());
    Ok(answer)
}

fn suggested(answer: &mut Answer, suggestion: &PaySuggestion) -> Result<(), AnalysisError> {
    let body = serde_json::to_value(suggestion).map_err(|error| AnalysisError::Fault(error.to_string()))?;
    for (code, amount) in [("FROM", suggestion.range.min), ("POINT", suggestion.point), ("TO", suggestion.range.max)] {
        if let Some(amount) = amount {
            answer.findings.push(Finding::of(code, suggestion.level.clone().unwrap_or_default()).with(amount));
        }
    }
    answer.records.push(Body { kind: EntityKind::PaySuggestion, about: answer.question.to_string(), body });
    Ok(())
}

/// The first band for the level; where no level is known, the first.
fn of_level<'b>(bands: &'b [Read<PayBand>], level: Option<&str>) -> Option<&'b Read<PayBand>> {
    let own =
        |band: &&Read<PayBand>| level.is_none() || band.body.key.level.as_deref().is_none_or(|own| Some(own) == level);
    bands.iter().find(own)
}

/// The newest result with a match.
async fn matched(case: &Case<'_>) -> Result<Read<InterviewResult>, AnalysisError> {
    let mut results = case.results().await?.into_iter();
    results.find(|one| one.body.matching.is_some()).ok_or_else(no_match)
}

fn no_band() -> AnalysisError {
    AnalysisError::Refused(text!(
        "no active pay band is for the job of this application; give the job one, or a level that a band is for",
        "没有适用于该应聘职位的生效薪资带；请为职位指定薪资带，或填写有薪资带的级别"
    ))
}

fn no_match() -> AnalysisError {
    AnalysisError::Refused(text!(
        "no interview of the application says how well the applicant matches",
        "该应聘的面试均未给出匹配度"
    ))
}
