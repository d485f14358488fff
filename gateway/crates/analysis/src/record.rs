//! Answers as records: of the connection `renmen`, under an id that is the same whenever the same is asked, with what they were made
//! from as their causes. The same answer again writes nothing: the store knows its body.

use std::collections::BTreeSet;

use renmen_schema::check::Walk;
use renmen_schema::entity::{
    Insight, InsightFigure, InsightFinding, InsightParameter, InsightScope, InsightSource, LeftOut,
};
use renmen_schema::id::{RecordId, StreamName};
use renmen_schema::types::{Instant, Ref};
use renmen_schema::{Entity, EntityKind, canonicalize};
use renmen_store::{AuthoredRecord, Cause, ContentHash, RecordRow};

use crate::answer::{Body, ShownFigure, decimal};
use crate::engine::Analysis;
use crate::shelf::Shelf;
use crate::{AnalysisError, Answer};
use renmen_schema::id::TenantId;

/// Records behind the figures of one answer that stand as its causes; the figures name more.
const CAUSES_MAX: usize = 200;

impl Analysis {
    /// The records that an answer becomes: what it was made for where that has a kind of its own, else an insight.
    pub(crate) async fn records(
        &self,
        tenant: &TenantId,
        answer: &Answer,
        made_at: Option<Instant>,
    ) -> Result<Vec<AuthoredRecord>, AnalysisError> {
        let causes = self.causes(tenant, answer).await?;
        let own = |body: &&Body| becomes_a_record(body.kind);
        let mut records = Vec::new();
        for body in answer.records.iter().filter(own) {
            records.push(authored(external_id(answer, &body.about), body, causes.clone())?);
        }
        let of_many = !answer.question.is_about_one() && !answer.question.is_for_audits_only();
        if of_many && answer.table.is_none() {
            // One without a period is the same record each time: its time would make a revision of each.
            let body = insight(answer, made_at.filter(|_| answer.window.is_some()));
            if let Some(defect) = Walk::over(&body).first() {
                return Err(AnalysisError::Fault(format!("an insight of our own is not valid: {defect}")));
            }
            records.push(AuthoredRecord {
                entity: Insight::KIND.name().to_owned(),
                external_id: external_id(answer, ""),
                body: body.to_payload(),
                deleted: None,
                causes,
                expect: None,
                parents: Vec::new(),
            });
        }
        Ok(records)
    }

    /// What an answer was made from: the revisions that it says, else those of the records that its figures name.
    async fn causes(&self, tenant: &TenantId, answer: &Answer) -> Result<Vec<Cause>, AnalysisError> {
        if !answer.causes.is_empty() {
            return Ok(answer.causes.clone());
        }
        // A person does not have a record of their own: their records are among the other sources.
        let sources = answer.figures.iter().flat_map(|figure| &figure.sources);
        let named: BTreeSet<RecordId> =
            sources.filter(|source| source.entity != EntityKind::Person).flat_map(|one| &one.ids).copied().collect();
        let shelf = Shelf { store: &*self.store, tenant };
        let mut causes = Vec::new();
        for id in named.into_iter().take(CAUSES_MAX) {
            causes.extend(shelf.row(id).await?.map(|row: RecordRow| Cause { record: row.id, revision: row.revision }));
        }
        Ok(causes)
    }
}

/// Kinds of bodies that are written without a person: a profile is drafted for a person, and a change of a model is proposed to one.
fn becomes_a_record(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::PaySuggestion | EntityKind::Explanation | EntityKind::BiasAudit)
}

fn authored(external_id: String, body: &Body, causes: Vec<Cause>) -> Result<AuthoredRecord, AnalysisError> {
    let kind = body.kind;
    let bytes = canonicalize(kind, body.body.to_string().as_bytes()).map_err(|defects| {
        let first = defects.first().map(ToString::to_string).unwrap_or_default();
        AnalysisError::Fault(format!("a {kind} of our own is not valid: {first}"))
    })?;
    Ok(AuthoredRecord {
        entity: kind.name().to_owned(),
        external_id,
        body: bytes,
        deleted: None,
        causes,
        expect: None,
        parents: Vec::new(),
    })
}

/// The same for the same question over the same period with the same said: `funnel/2026-01-01_2026-03-31/3f9c…`.
fn external_id(answer: &Answer, about: &str) -> String {
    let mut said = String::new();
    for (name, value) in answer.parameters.iter().filter(|(name, _)| !["from", "to"].contains(&name.as_str())) {
        said.push_str(&format!("{name}={value}\n"));
    }
    let hash = ContentHash::of(format!("{said}{about}").as_bytes()).0;
    let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    match &answer.window {
        Some(window) => format!("{}/{}_{}/{hash}", answer.question, window.start, window.end),
        None => format!("{}/{hash}", answer.question),
    }
}

/// An answer as an insight.
#[must_use]
pub fn insight(answer: &Answer, made_at: Option<Instant>) -> Insight {
    let parameter = |(name, value): &(String, String)| InsightParameter::new(name.clone(), value.clone());
    let mut scope = InsightScope::new();
    scope.position = answer.position.map(Ref::to);
    scope.org_unit = answer.unit.map(Ref::to);
    scope.window = answer.window.clone();
    let elsewhere = ["from", "to", "position", "unit"];
    let kept = answer.parameters.iter().filter(|(name, _)| !elsewhere.contains(&name.as_str()));
    scope.parameters = kept.map(parameter).collect();
    Insight {
        verdict: answer.verdict.clone(),
        figures: answer.figures.iter().map(|one| figure(one, answer)).collect(),
        findings: answer
            .findings
            .iter()
            .map(|one| InsightFinding {
                about: one.about.clone(),
                record: one.record,
                value: one.value.clone(),
                n: one.n,
                ..InsightFinding::new(one.code.to_string())
            })
            .collect(),
        left_out: answer.left_out.iter().map(|(why, n)| LeftOut::new(why.to_string(), *n)).collect(),
        tests: answer.tests,
        made_at,
        ..Insight::new(answer.question.to_string(), scope)
    }
}

fn figure(one: &ShownFigure, answer: &Answer) -> InsightFigure {
    let source = |one: &crate::answer::Source| InsightSource {
        ids: one.ids.clone(),
        ..InsightSource::new(one.entity.name().to_owned(), one.n)
    };
    InsightFigure {
        value: one.value.and_then(decimal),
        low: one.interval.and_then(|(low, _)| decimal(low)),
        high: one.interval.and_then(|(_, high)| decimal(high)),
        p: one.p.and_then(|(alone, _)| decimal(alone)),
        p_adjusted: one.p.and_then(|(_, adjusted)| decimal(adjusted)),
        window: one.window.clone().filter(|window| Some(window) != answer.window.as_ref()),
        sources: one.sources.iter().map(source).collect(),
        ..InsightFigure::new(one.name.clone(), one.n, one.method.clone())
    }
}

/// A name of ours.
pub(crate) fn stream(name: &str) -> Result<StreamName, AnalysisError> {
    StreamName::new(name).map_err(|_| AnalysisError::Fault(format!("`{name}` is not the name of a stream")))
}
