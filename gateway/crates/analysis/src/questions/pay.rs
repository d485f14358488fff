//! Which bands lose people over pay.

use renmen_insight::Question;
use renmen_insight::question::refusal::{RefusalAsk, Refusals};

use crate::answer::{Finding, ShownFigure};
use crate::engine::Asking;
use crate::{AnalysisError, Answer};

pub(super) async fn refusals(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let settings = asking.settings();
    let question = Refusals::new(RefusalAsk {
        window: asking.window.clone(),
        flag_above: settings.refusals_above,
        sample_min: settings.few,
        confidence: settings.standard.confidence,
        limits: settings.limits,
    });
    let report = asking.over(asking.wanted(question.needs()), question).await?;
    let mut answer = asking.begun();
    let figures = report.bands.iter().flat_map(|one| [&one.share, &one.accepted_at, &one.refused_at, &one.superiority]);
    let ids = asking.ids(figures, report.bands.iter().map(|one| one.band)).await?;
    let id = |key| ids.get(&key).copied();
    for one in &report.bands {
        let band = id(one.band);
        let name = band.map_or_else(|| "band".to_owned(), |band| band.to_string());
        for (what, figure) in [
            ("refused_for_pay", &one.share),
            ("accepted_at", &one.accepted_at),
            ("refused_at", &one.refused_at),
            ("superiority", &one.superiority),
        ] {
            answer.figures.push(ShownFigure::of(format!("{name}/{what}"), figure, &id));
        }
        let code = match (one.too_few, one.flagged) {
            (true, _) => "TOO_FEW",
            (false, true) => "FLAGGED",
            (false, false) => "FINE",
        };
        let told = Finding { record: band, ..Finding::of(code, name) };
        answer.findings.push(told.with(one.refused_for_pay.total()).among(one.accepted + one.declined));
    }
    answer.leave_out(&report.left_out);
    Ok(answer)
}
