//! Applications: one candidate, one job.

use super::{Candidate, Job};
use crate::code::{ApplicationStatus, OutcomeReason, SourceChannel, StageKind};
use crate::shape::{entity, shape};
use crate::types::{Coded, Decimal, Instant, Localized, Ref};

entity! {
    /// A candidate's application for a job.
    pub struct Application {
        /// The candidate who applies.
        pub candidate: Ref<Candidate>,
        /// The job applied for.
        pub job: Ref<Job>,
        /// Status.
        pub status: Coded<ApplicationStatus>,
        /// The stage that it is in.
        pub stage: Option<Stage>,
        /// The stages that it was in, in order.
        pub stage_history: Vec<StageChange>,
        /// Where it came from.
        pub source: Option<Source>,
        /// When the candidate applied.
        pub applied_at: Option<Instant>,
        /// When it was rejected or withdrawn.
        pub ended_at: Option<Instant>,
        /// The outcome, once it ended.
        pub outcome: Option<Outcome>,
        /// The score that the last decision used.
        pub score_snapshot: Option<ScoreSnapshot>,
    }
}

shape! {
    /// A stage of hiring.
    pub struct Stage {
        /// As the source names it.
        pub name: Localized,
        /// The kind of stage.
        pub kind: Coded<StageKind>,
        /// Its place in the order, from 0.
        pub index: Option<u32>,
    }
}

shape! {
    /// A stage with its time.
    pub struct StageChange {
        /// The stage entered.
        pub stage: Stage,
        /// Since when.
        pub entered_at: Instant,
        /// Until when.
        pub left_at: Option<Instant>,
    }
}

shape! {
    /// Where an application came from.
    pub struct Source {
        /// The kind of channel.
        pub channel: Coded<SourceChannel>,
        /// Name.
        pub detail: Option<String>,
        /// The person who referred the candidate.
        pub referrer: Option<String> => PERSONAL,
    }
}

shape! {
    /// How an application ended.
    pub struct Outcome {
        /// With which status.
        pub code: Coded<ApplicationStatus>,
        /// Reasons, as codes.
        pub reasons: Vec<Coded<OutcomeReason>>,
        /// Reasons, in free text.
        pub note: Option<String> => PERSONAL,
    }
}

shape! {
    /// The score that a decision used.
    pub struct ScoreSnapshot {
        /// 0 to 1.
        pub norm: Decimal => PERSONAL,
        /// Against which version of the profile.
        pub profile_version: u32,
    }
}
