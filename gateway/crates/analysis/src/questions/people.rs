//! How people perform, and what the best of them have: what a position's profile is made from.

use renmen_insight::Question;
use renmen_insight::question::performance::{About, Distribution, Performance, PerformanceAsk};
use renmen_insight::question::profile::{DraftAsk, ProfileDraft};
use renmen_schema::Entity;
use renmen_schema::entity::PositionProfile;
use renmen_schema::id::RecordId;
use renmen_schema::types::{Decimal, Ref};

use super::profile;
use crate::answer::{Body, Finding, ShownFigure};
use crate::engine::Asking;
use crate::rows::Wanted;
use crate::{AnalysisError, Answer, Ask};

pub(super) async fn performance(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let (ask, settings) = (asking.ask, asking.settings());
    let quantiles = if ask.quantiles.is_empty() { quarters() } else { ask.quantiles.clone() };
    let objective = ask.objective.unwrap_or(false);
    let question = Performance::new(PerformanceAsk {
        window: asking.window.clone(),
        position: asking.position,
        unit: asking.unit,
        objective_only: objective,
        quantiles: quantiles.iter().map(|one| number(*one)).collect(),
        sample_min: settings.few,
        limits: settings.limits,
    });
    let report = asking.over(asking.wanted(question.needs()), question).await?;
    let mut answer = asking.begun();
    Asking::taken(&mut answer, "objective", objective);
    Asking::taken(&mut answer, "quantile", quantiles.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    let figures = report.distributions.iter().flat_map(|one| &one.quantiles);
    let positions = report.distributions.iter().filter_map(|one| one.position);
    let ids = asking.ids(figures, positions).await?;
    let id = |key| ids.get(&key).copied();
    for one in &report.distributions {
        let position = one.position.and_then(id);
        let name = named(one, position);
        for (at, figure) in quantiles.iter().zip(&one.quantiles) {
            answer.figures.push(ShownFigure::of(format!("{name}/quantile:{at}"), figure, &id));
        }
        let kind = if one.objective { "OBJECTIVE" } else { "SUBJECTIVE" };
        let n = one.quantiles.first().map_or(0, |figure| figure.basis.n);
        answer.findings.push(Finding { record: position, ..Finding::of(kind, name) }.among(n));
    }
    if report.too_few > 0 {
        answer.findings.push(Finding::said("TOO_FEW").among(report.too_few));
    }
    answer.leave_out(&report.left_out);
    Ok(answer)
}

fn quarters() -> Vec<Decimal> {
    [25, 50, 75, 90].into_iter().filter_map(|hundredths| Decimal::from_minor(hundredths, 2).ok()).collect()
}

fn number(decimal: Decimal) -> f64 {
    decimal.to_string().parse().unwrap_or(0.0)
}

/// About what, in which position, which metric.
fn named(one: &Distribution, position: Option<RecordId>) -> String {
    let about = match one.about {
        About::People => "people",
        About::Units => "units",
        About::Positions => "positions",
    };
    match position {
        Some(position) => format!("{about}/{position}/{}", one.metric),
        None => format!("{about}/unknown/{}", one.metric),
    }
}

/// Drafts a profile. It is a draft until a person writes it down and publishes it.
pub(super) async fn profile(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let (ask, settings) = (asking.ask, asking.settings());
    let metric = Ask::need(ask.metric.as_ref(), "metric")?;
    let position = Ask::need(ask.position.as_ref(), "position")?;
    let best = ask.quantiles.first().copied().or_else(|| Decimal::from_minor(9, 1).ok()).unwrap_or(Decimal::ZERO);
    let question = ProfileDraft::new(DraftAsk {
        metric: metric.clone(),
        window: asking.window.span().clone(),
        // Who performs now was interviewed before: as far back as there are records.
        interviews: asking.since_the_beginning(),
        position: asking.position,
        unit: asking.unit,
        objective_only: ask.objective.unwrap_or(true),
        quantile: best,
        alpha: settings.standard.alpha,
        sample_min: settings.few,
        limits: settings.limits,
    });
    let wanted = Wanted { metrics: Some(vec![metric]), ..asking.wanted(question.needs()) };
    let draft = asking.over(wanted, question).await?;
    let mut answer = asking.begun();
    Asking::taken(&mut answer, "quantile", best);
    Asking::taken(&mut answer, "objective", ask.objective.unwrap_or(true));
    asking.show(&mut answer, &draft, []).await?;
    for one in &draft.dimensions {
        let code = if one.weight_bp > 0 { "WEIGHT" } else { "NO_WEIGHT" };
        answer.findings.push(Finding::of(code, &one.dimension).with(one.weight_bp).among(one.superiority.basis.n));
    }
    if draft.too_few {
        answer.findings.push(Finding::said("TOO_FEW").among(draft.best.basis.n));
    }
    let dimensions: Vec<&str> = draft.dimensions.iter().map(|one| one.dimension.as_str()).collect();
    let known = profile::competencies(asking, &dimensions).await?;
    let reference = |name: &str| known.get(name).cloned().unwrap_or_else(|| Ref::external(name));
    let version = profile::next_version(asking, position).await?;
    if let Some(body) = draft.record(Ref::to(position), version, reference) {
        let body = serde_json::to_value(&body).map_err(|error| AnalysisError::Fault(error.to_string()))?;
        answer.records.push(Body { kind: PositionProfile::KIND, about: "draft".to_owned(), body });
    }
    Ok(answer)
}
