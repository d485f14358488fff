//! Rows that questions of insight are asked over.
//!
//! Owns what of each record is kept for them, packed, and how such rows become the streams of [`Need`]: what each reference means, who is one
//! person, which date counts. The rules of both backends, without a statement.
//!
//! Must not know what is asked of the rows.
//!
//! Two steps. `extract` makes the row of a record from its body alone; the rows follow the feed, so commits pay nothing for them. `reading`
//! takes rows in, first those that others refer to, and gives streams out. Nothing that was resolved is kept: what a reference means is as it
//! is when a question is asked, whichever record came first.
//!
//! Reading order: `pack`, `reference`, `shapes`, `bodies` and `extract`; then `targets`, `passes` and `reading` with what it folds.

mod bands;
mod bodies;
mod employed;
mod extract;
mod groups;
mod names;
mod pack;
mod passes;
mod policies;
mod positions;
mod reading;
mod reference;
mod shapes;
mod targets;

use renmen_schema::EntityKind;

pub use crate::model::insight::{
    Answer, Application, Ask, Batch, Employment, Group, GroupsAsk, Interview, InterviewResult, Metric, Need, Offer,
    Person, Read, Review, Rows, RowsMade, Score, Step, Subject, UNKNOWN,
};
pub(crate) use extract::{Extract, extract, kind_of};
pub(crate) use passes::{Pass, Source};
pub(crate) use reading::Reading;

/// What rows say, and how they are packed. Another number has all of them made again.
pub(crate) const VERSION: u8 = 1;

/// The kinds of records that questions need.
const KINDS: [EntityKind; 20] = [
    EntityKind::Person,
    EntityKind::Candidate,
    EntityKind::Employee,
    EntityKind::OrgUnit,
    EntityKind::LibraryQuestion,
    EntityKind::Consent,
    EntityKind::Employment,
    EntityKind::Assignment,
    EntityKind::Job,
    EntityKind::PayBand,
    EntityKind::Competency,
    EntityKind::Application,
    EntityKind::ProcessNode,
    EntityKind::Interview,
    EntityKind::InterviewResult,
    EntityKind::DimensionScore,
    EntityKind::InterviewAnswer,
    EntityKind::PerformanceReview,
    EntityKind::PerformanceMetric,
    EntityKind::Offer,
];

/// Their names.
pub(crate) fn entities() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name())
}
