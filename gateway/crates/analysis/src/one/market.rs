//! What the market pays for a job, survey by survey.

use renmen_insight::question::market::{MarketPlace, market_pay, place_in};
use renmen_insight::question::pay::Known;
use renmen_schema::entity::{Job, MarketPay};
use renmen_schema::types::{Currency, Money, PayInterval, PayRange};
use renmen_schema::{Entity, text};

use super::case::{Case, cause};
use crate::answer::{Finding, ShownFigure, Source};
use crate::engine::Asking;
use crate::shelf::{Read, Shelf};
use crate::{AnalysisError, Answer};

/// Is a survey about a job? Its role is called as the job, or as its family.
fn is_about(survey: &MarketPay, job: &Job) -> bool {
    let named = |name: &str| {
        job.title.iter().any(|(_, title)| title.eq_ignore_ascii_case(name))
            || job.job_family.as_deref().is_some_and(|family| family.eq_ignore_ascii_case(name))
    };
    survey.role.iter().any(|(_, role)| named(role))
}

/// The newest survey of the job of an application that can be compared with a range.
pub(super) async fn newest(case: &Case<'_>, range: &PayRange) -> Result<Option<Read<MarketPay>>, AnalysisError> {
    let Some(job) = &case.job else { return Ok(None) };
    let level = case.level();
    let mut newest: Option<Read<MarketPay>> = None;
    let mut take = |one: Read<MarketPay>| {
        let same_level = one.body.level.as_deref().is_none_or(|own| level.is_none_or(|level| level == own));
        let comparable = one.body.stat.currency == range.currency && one.body.stat.per == range.per;
        let order = |one: &Read<MarketPay>| (one.body.source.published_on, std::cmp::Reverse(one.row.id));
        let newer = newest.as_ref().is_none_or(|known| order(known) < order(&one));
        if is_about(&one.body, &job.body) && same_level && comparable && newer {
            newest = Some(one);
        }
    };
    case.shelf.each(None, &mut take).await?;
    Ok(newest)
}

/// Distributions side by side, the newest first. Nothing is pooled and nothing is converted.
pub(super) async fn market(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let ask = asking.ask;
    let currency = match ask.currency {
        Some(currency) => currency,
        None => Currency::parse("CNY").map_err(|error| AnalysisError::Fault(error.to_string()))?,
    };
    let per = ask.per.unwrap_or(PayInterval::Month);
    let shelf = Shelf { store: &*asking.analysis.store, tenant: asking.tenant };
    let job: Option<Read<Job>> = match ask.position {
        Some(id) => Some(shelf.get(id).await?.ok_or(AnalysisError::NotFound("position"))?),
        None => None,
    };
    let mut records: Vec<Read<MarketPay>> = Vec::new();
    let mut take = |one: Read<MarketPay>| {
        if job.as_ref().is_none_or(|job| is_about(&one.body, &job.body)) {
            records.push(one);
        }
    };
    shelf.each(None, &mut take).await?;
    let known: Vec<_> =
        records.iter().map(|one| Known::record(one.row.id, &one.body, one.row.connection.as_str())).collect();
    let report = market_pay(&known, currency, per);
    let mut answer = asking.begun();
    Asking::taken(&mut answer, "currency", currency.as_str());
    Asking::taken(&mut answer, "per", per);
    answer.causes = records.iter().map(|one| cause(&one.row)).collect();
    for survey in &report.surveys {
        let name = format!("{}, {}", survey.source.publisher, survey.source.published_on);
        let stat = &survey.stat;
        for (at, amount) in
            [("p10", stat.p10), ("p25", stat.p25), ("p50", stat.p50), ("p75", stat.p75), ("p90", stat.p90)]
        {
            let Some(amount) = amount else { continue };
            answer.figures.push(ShownFigure {
                name: format!("{name}/{at}"),
                value: amount.to_string().parse().ok(),
                interval: None,
                p: None,
                n: survey.n.map_or(0, u64::from),
                window: None,
                method: "as_published".to_owned(),
                sources: vec![Source { entity: MarketPay::KIND, n: 1, ids: vec![survey.record] }],
            });
        }
        let told = Finding { record: Some(survey.record), ..Finding::of("SURVEY", &name) };
        answer.findings.push(Finding { n: survey.n.map(u64::from), ..told });
        if let Some(amount) = ask.amount {
            let place = place_in(stat, &Money { amount, currency }, per).map_err(|_| {
                AnalysisError::bad("per", text!("an interval by which amounts can be compared", "可比较金额的计薪周期"))
            })?;
            answer.findings.extend(place.map(|place| placed(&name, place)));
        }
    }
    let not = |id: &_| Finding { record: Some(*id), ..Finding::said("NOT_COMPARABLE") };
    answer.findings.extend(report.not_comparable.iter().map(not));
    Ok(answer)
}

fn placed(name: &str, place: MarketPlace) -> Finding {
    match place {
        MarketPlace::Below(at) => Finding::of("BELOW", name).with(at),
        MarketPlace::At(at) => Finding::of("AT", name).with(at),
        MarketPlace::Above(at) => Finding::of("ABOVE", name).with(at),
    }
}
