//! The last answer that was kept: read back from its record, for who need not have it asked again.

use renmen_insight::Why;
use renmen_schema::EntityKind;
use renmen_schema::entity::{Insight, InsightFigure};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::Decimal;

use crate::answer::{Finding, ShownFigure, Source};
use crate::engine::Analysis;
use crate::shelf::{Read, Shelf, built_in};
use crate::{AnalysisError, Answer, QuestionName};

impl Analysis {
    /// The newest insight of a question, about this position or about all; with the id of its record. None where none was kept.
    ///
    /// # Errors
    /// [`AnalysisError::Store`].
    pub async fn last(
        &self,
        tenant: &TenantId,
        question: QuestionName,
        position: Option<RecordId>,
    ) -> Result<Option<(RecordId, Answer)>, AnalysisError> {
        let mut newest: Option<Read<Insight>> = None;
        let mut take = |read: Read<Insight>| {
            let about = read.body.scope.position.as_ref().and_then(|position| position.id);
            let newer = newest.as_ref().is_none_or(|known| order(known) < order(&read));
            if read.body.question == question.as_str() && about == position && newer {
                newest = Some(read);
            }
        };
        let shelf = Shelf { store: &*self.store, tenant };
        shelf.each(Some(&built_in()), &mut take).await?;
        Ok(newest.map(|read| (read.row.id, answer(question, read.body))))
    }
}

/// By the end of the period, then by when it was kept.
fn order(read: &Read<Insight>) -> (Option<renmen_schema::types::LocalDate>, i64, RecordId) {
    (read.body.scope.window.as_ref().map(|window| window.end), read.row.recorded_at_ms, read.row.id)
}

fn answer(question: QuestionName, body: Insight) -> Answer {
    let mut answer = Answer::new(question);
    answer.parameters = body.scope.parameters.into_iter().map(|one| (one.name, one.value)).collect();
    answer.position = body.scope.position.and_then(|position| position.id);
    answer.unit = body.scope.org_unit.and_then(|unit| unit.id);
    answer.figures = body.figures.into_iter().map(|one| figure(one, body.scope.window.as_ref())).collect();
    answer.window = body.scope.window;
    answer.verdict = body.verdict;
    let finding = |one: renmen_schema::entity::InsightFinding| Finding {
        code: one.code.into(),
        about: one.about,
        record: one.record,
        value: one.value,
        n: one.n,
    };
    answer.findings = body.findings.into_iter().map(finding).collect();
    let why = |reason: &str| Why::ALL.iter().find(|why| why.as_str() == reason).copied();
    answer.left_out = body.left_out.iter().filter_map(|one| Some((why(&one.reason)?, one.n))).collect();
    answer.tests = body.tests;
    answer
}

fn figure(one: InsightFigure, window: Option<&renmen_schema::types::DateSpan>) -> ShownFigure {
    let number = |value: Option<Decimal>| value.and_then(|value| value.to_string().parse::<f64>().ok());
    let sources = one.sources.into_iter().filter_map(|source| {
        Some(Source { entity: EntityKind::from_name(&source.entity)?, n: source.n, ids: source.ids })
    });
    ShownFigure {
        name: one.name,
        value: number(one.value),
        interval: number(one.low).zip(number(one.high)),
        p: number(one.p).zip(number(one.p_adjusted)),
        n: one.n,
        window: one.window.or_else(|| window.cloned()),
        method: one.method,
        sources: sources.collect(),
    }
}
