//! Orders for interviews and tests, and the results of tests and background checks.

use super::{Application, PositionProfile};
use crate::code::{AssessmentKind, InterviewMode, InvitedBy, OrderStatus};
use crate::shape::{entity, shape};
use crate::types::{Coded, Instant, Localized, MediaRef, Ref, Score, ZonedInstant};

entity! {
    /// An order to a vendor: interview or test this applicant.
    pub struct InterviewOrder {
        /// The application to interview.
        pub application: Ref<Application>,
        /// Which of the vendor's packages.
        pub package: Option<String>,
        /// Against which profile.
        pub profile: Option<Ref<PositionProfile>>,
        /// Which version of it.
        pub profile_version: Option<u32>,
        /// How the interview takes place.
        pub mode: Coded<InterviewMode>,
        /// In which language, BCP 47.
        pub language: Option<String>,
        /// When it is planned to begin.
        pub start: Option<ZonedInstant>,
        /// When it is planned to end.
        pub end: Option<ZonedInstant>,
        /// Until when.
        pub deadline: Option<Instant>,
        /// Who invites the candidate.
        pub invite_by: Option<InvitedBy>,
        /// The link to the interview. Anyone who has it can take the interview.
        pub access_url: Option<String> => SENSITIVE,
        /// Where the candidate is sent afterwards.
        pub return_url: Option<String>,
        /// Status.
        pub status: Coded<OrderStatus>,
    }
}

entity! {
    /// A test or background check with its result.
    pub struct Assessment {
        /// The application assessed.
        pub application: Ref<Application>,
        /// The order that it answers.
        pub order: Option<Ref<InterviewOrder>>,
        /// The kind of assessment.
        pub kind: Coded<AssessmentKind>,
        /// Name.
        pub name: Option<Localized>,
        /// Status.
        pub status: Coded<OrderStatus>,
        /// As a whole.
        pub overall: Option<AssessmentResult> => PERSONAL,
        /// Results of the parts.
        pub details: Vec<AssessmentResult> => PERSONAL,
        /// The vendor's report.
        pub report: Vec<MediaRef> => PERSONAL,
        /// When it started.
        pub started_at: Option<Instant>,
        /// When it ended.
        pub completed_at: Option<Instant>,
    }
}

shape! {
    /// A result or a part of one.
    pub struct AssessmentResult {
        /// The part's own id.
        pub code: Option<String>,
        /// The part's name.
        pub name: Option<Localized>,
        /// The score.
        pub score: Option<Score>,
        /// Passed?
        pub passed: Option<bool>,
        /// The band of results that it is in.
        pub band: Option<String>,
        /// Comment, in free text.
        pub comment: Option<Localized>,
    }
}
