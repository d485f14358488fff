//! How groups of people fared. Its rows of groups are asked for here and nowhere else.

use renmen_insight::Question;
use renmen_insight::question::fairness::{Fairness, FairnessAsk, ImpactTable};
use renmen_schema::Entity;
use renmen_schema::code::AuditMeasure;
use renmen_schema::entity::{BiasAudit, LeftOut};
use renmen_schema::types::{Instant, Ref};

use crate::answer::{Body, Finding};
use crate::engine::Asking;
use crate::rows::Wanted;
use crate::{AnalysisError, Answer, day};

pub(super) async fn fairness(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let (ask, settings) = (asking.ask, asking.settings());
    let attributes = if ask.attributes.is_empty() { settings.attributes.clone() } else { ask.attributes.clone() };
    let question = Fairness::new(FairnessAsk {
        window: asking.window.clone(),
        job: asking.position,
        attributes: attributes.clone(),
        rule: settings.impact,
        limits: settings.limits,
    });
    let mut single: Vec<String> = attributes.iter().flatten().cloned().collect();
    single.sort_unstable();
    single.dedup();
    let wanted = Wanted {
        attributes: Some(single),
        stage: ask.stage,
        purpose: asking.audit_purpose(),
        ..asking.wanted(question.needs())
    };
    let report = asking.over(wanted, question).await?;
    let mut answer = asking.begun();
    let combined: Vec<String> = attributes.iter().map(|one| one.join("+")).collect();
    Asking::taken(&mut answer, "attribute", combined.join(","));
    asking.show(&mut answer, &report, []).await?;
    // The same whenever it is asked: the end of the period, not the hour of the question.
    let end = day::begins_ms(day::plus(asking.window.span().end, 1), settings.offset_minutes);
    let made_at = Instant::from_epoch_ms(end).unwrap_or(asking.at);
    let of = |measure| move |table| (measure, table);
    let selection = report.selection.iter().map(of(AuditMeasure::Selection));
    for (measure, table) in selection.chain(report.scoring.iter().map(of(AuditMeasure::Scoring))) {
        say(&mut answer, measure, table);
        let mut body = table.record(measure, ask.position.map(Ref::to), report.median_score, made_at);
        body.left_out = report.left_out.iter().map(|(why, n)| LeftOut::new(why.to_string(), n)).collect();
        let body = serde_json::to_value(&body).map_err(|error| AnalysisError::Fault(error.to_string()))?;
        let about = format!("{}/{}", word(measure), table.attribute);
        answer.records.push(Body { kind: BiasAudit::KIND, about, body });
    }
    Ok(answer)
}

fn word(measure: AuditMeasure) -> &'static str {
    match measure {
        AuditMeasure::Selection => "selection",
        AuditMeasure::Scoring => "scoring",
    }
}

fn say(answer: &mut Answer, measure: AuditMeasure, table: &ImpactTable) {
    let name = |value: &str| format!("{}/{}={value}", word(measure), table.attribute);
    for group in &table.groups {
        let code = if group.flagged { "FLAGGED" } else { "COMPARED" };
        let told = Finding::of(code, name(&group.value)).among(group.rate.n);
        answer.findings.push(match group.ratio {
            Some(ratio) => told.with(ratio),
            None => told,
        });
        if group.few {
            answer.findings.push(Finding::of("FEW", name(&group.value)).among(group.rate.n));
        }
    }
    for group in &table.small {
        answer.findings.push(Finding::of("SMALL", name(&group.value)).among(group.rate.n));
    }
    let unknown = table.unknown.total();
    if unknown > 0 {
        let about = format!("{}/{}", word(measure), table.attribute);
        answer.findings.push(Finding::of("UNKNOWN", about).among(unknown));
    }
}
