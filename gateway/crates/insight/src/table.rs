//! Every figure of an answer under a name: for records, tables of values and clients, which need not know the shape of each answer.

use crate::figure::{Figure, LeftOut};
use crate::question::alert::AlertReport;
use crate::question::channel::ChannelReport;
use crate::question::fairness::{FairnessReport, ImpactTable};
use crate::question::friction::FrictionReport;
use crate::question::funnel::FunnelReport;
use crate::question::performance::PerformanceReport;
use crate::question::predict::{PredictReport, Predictor};
use crate::question::profile::Draft;
use crate::question::refusal::RefusalReport;
use crate::question::review::ReviewReport;

/// An answer as a table of figures.
pub trait Table {
    /// Names of what is measured, from the outer to the inner, joined by slashes; and the figure. A text of a vendor's within a name
    /// is as the vendor wrote it.
    fn figures(&self) -> Vec<(String, &Figure)>;

    /// Who and what is in none of them.
    fn left_out(&self) -> &LeftOut;
}

macro_rules! table {
    ($($answer:ty: $self:ident => $figures:expr;)*) => {
        $(impl Table for $answer {
            fn figures(&$self) -> Vec<(String, &Figure)> {
                $figures.collect()
            }

            fn left_out(&self) -> &LeftOut {
                &self.left_out
            }
        })*
    };
}

/// Figures of one thing, each under its own name.
fn of<'f, const N: usize>(what: &str, figures: [(&str, Option<&'f Figure>); N]) -> Vec<(String, &'f Figure)> {
    let named =
        figures.into_iter().filter_map(|(name, figure)| figure.map(|figure| (format!("{what}/{name}"), figure)));
    named.collect()
}

table! {
    FunnelReport: self => std::iter::once(("conversion".to_owned(), &self.conversion)).chain(self.steps.iter().flat_map(|step| {
        of(&format!("{}>{}", step.from, step.to), [
            ("conversion", Some(&step.conversion)),
            ("duration_s", Some(&step.duration_s)),
            ("duration_p90_s", Some(&step.duration_p90_s)),
            ("clicks", Some(&step.clicks)),
            ("clicks_p90", Some(&step.clicks_p90)),
            ("wait_ms", Some(&step.wait_ms)),
            ("wait_p90_ms", Some(&step.wait_p90_ms)),
        ])
    }));
    ChannelReport: self => self.channels.iter().chain(&self.unknown).flat_map(|one| {
        let channel = one.channel.map_or("unknown", |channel| channel.as_str());
        of(channel, [("participation", Some(&one.participation)), ("against_others", one.against_others.as_ref())])
    });
    FrictionReport: self => self.nodes.iter().flat_map(|one| {
        of(one.node.as_str(), [
            ("clicks", Some(&one.clicks)),
            ("clicks_p90", Some(&one.clicks_p90)),
            ("wait_ms", Some(&one.wait_ms)),
            ("wait_p90_ms", Some(&one.wait_p90_ms)),
            ("slow", Some(&one.slow)),
            ("lost_by_waiting", one.lost_by_waiting.as_ref()),
        ])
    });
    PredictReport: self => self.predictions.iter().flat_map(|one| {
        let predictor = match &one.predictor {
            Predictor::Overall => "overall".to_owned(),
            Predictor::Dimension(name) => format!("dimension:{name}"),
            Predictor::Question(id) => format!("question:{id}"),
        };
        of(&format!("{predictor}/{}", one.outcome), [("pearson", Some(&one.pearson)), ("spearman", Some(&one.spearman))])
    });
    AlertReport: self => [("top", &self.top), ("others", &self.others), ("superiority", &self.superiority)]
        .into_iter()
        .map(|(name, figure)| (name.to_owned(), figure));
    ReviewReport: self => self.effects.iter().flat_map(|one| {
        of(&one.applied.on.to_string(), [
            ("before", Some(&one.before)),
            ("after", Some(&one.after)),
            ("difference", one.difference.as_ref()),
        ])
    });
    RefusalReport: self => self.bands.iter().zip(1..).flat_map(|(one, at)| {
        of(&format!("band:{at}"), [
            ("refused_for_pay", Some(&one.share)),
            ("accepted_at", Some(&one.accepted_at)),
            ("refused_at", Some(&one.refused_at)),
            ("superiority", Some(&one.superiority)),
        ])
    });
    PerformanceReport: self => self.distributions.iter().zip(1..).flat_map(|(one, at)| {
        let quantile = move |(figure, no): (_, u32)| (format!("{at}/{}/quantile:{no}", one.metric), figure);
        one.quantiles.iter().zip(1..).map(quantile)
    });
    Draft: self => std::iter::once(("best".to_owned(), &self.best))
        .chain(self.dimensions.iter().map(|one| (format!("{}/superiority", one.dimension), &one.superiority)));
    FairnessReport: self => self
        .selection
        .iter()
        .flat_map(|table| of_groups("selection", table))
        .chain(self.scoring.iter().flat_map(|table| of_groups("scoring", table)));
}

fn of_groups<'t>(kind: &str, table: &'t ImpactTable) -> Vec<(String, &'t Figure)> {
    let group = |one: &'t crate::question::fairness::GroupFigures| {
        of(
            &format!("{kind}/{}={}", table.attribute, one.value),
            [("share", Some(&one.share)), ("mean_score", Some(&one.mean_score)), ("impact", Some(&one.impact))],
        )
    };
    table.groups.iter().chain(&table.small).flat_map(group).collect()
}
