//! The way of applications: where they get lost, by which channel they came, what it cost them.

use renmen_insight::Question;
use renmen_insight::question::channel::Channels;
use renmen_insight::question::friction::Friction;
use renmen_insight::question::funnel::{Funnel, Path};

use crate::answer::Finding;
use crate::engine::Asking;
use crate::{AnalysisError, Answer};

fn path(asking: &Asking<'_>) -> Path {
    let settings = asking.settings();
    Path {
        job: asking.position,
        confidence: settings.standard.confidence,
        limits: settings.limits,
        ..Path::of_interview(asking.window.clone())
    }
}

pub(super) async fn funnel(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let question = Funnel::new(path(asking));
    let report = asking.over(asking.wanted(question.needs()), question).await?;
    let mut answer = asking.begun();
    asking.show(&mut answer, &report, []).await?;
    answer.findings.push(Finding { n: Some(report.began), ..Finding::said("BEGAN") });
    if let Some(worst) = report.worst() {
        let step = format!("{}>{}", worst.from, worst.to);
        answer.findings.push(Finding::of("LOSES_MOST", step).with(worst.lost.total()).among(worst.entered));
    }
    for step in report.steps.iter().filter(|step| step.without_event > 0) {
        answer.findings.push(Finding::of("WITHOUT_EVENT", step.from.as_str()).among(step.without_event));
    }
    answer.findings.extend(report.not_measured.iter().map(|node| Finding::of("NOT_MEASURED", node.as_str())));
    Ok(answer)
}

pub(super) async fn channels(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let question = Channels::new(path(asking), asking.settings().standard.sample_min);
    let report = asking.over(asking.wanted(question.needs()), question).await?;
    let mut answer = asking.begun();
    asking.show(&mut answer, &report, []).await?;
    let name = |channel: Option<renmen_schema::code::SourceChannel>| channel.map_or("unknown", |one| one.as_str());
    for one in report.channels.iter().chain(&report.unknown) {
        let code = if one.channel.is_none() {
            "UNKNOWN"
        } else if one.too_few {
            "TOO_FEW"
        } else {
            "COMPARED"
        };
        answer.findings.push(Finding::of(code, name(one.channel)).with(one.finished).among(one.began));
    }
    Ok(answer)
}

pub(super) async fn friction(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let slow_s = asking.ask.slow_s.unwrap_or(asking.settings().slow_s);
    let question = Friction::new(path(asking), slow_s.saturating_mul(1_000));
    let report = asking.over(asking.wanted(question.needs()), question).await?;
    let mut answer = asking.begun();
    Asking::taken(&mut answer, "slow", slow_s);
    asking.show(&mut answer, &report, []).await?;
    let alpha = asking.settings().standard.alpha;
    for one in &report.nodes {
        let told = one.lost_by_waiting.as_ref();
        if told.is_some_and(|figure| figure.value > Some(0.0) && figure.p.is_some_and(|p| p.adjusted < alpha)) {
            answer.findings.push(Finding::of("LOST_BY_WAITING", one.node.as_str()).among(one.slow.basis.n));
        }
    }
    Ok(answer)
}
