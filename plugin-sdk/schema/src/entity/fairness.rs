//! Explanations for the candidate, and the audit of groups.

use super::{Application, DimensionScore, InterviewAnswer, InterviewResult, Job};
use crate::check::Walk;
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{DateSpan, Decimal, Instant, Localized, Ref};

entity! {
    /// Why a score is what it is, for the candidate.
    pub struct Explanation {
        /// The application explained.
        pub application: Ref<Application>,
        /// The interview result explained,
        pub result: Option<Ref<InterviewResult>>,
        /// or of which score.
        pub score: Option<Ref<DimensionScore>>,
        /// Point by point.
        pub points: Vec<ExplanationPoint> => PERSONAL,
        /// When it was made.
        pub made_at: Option<Instant>,
        /// When the candidate got it.
        pub delivered_at: Option<Instant>,
    }
}

shape! {
    /// One point of an explanation.
    pub struct ExplanationPoint {
        /// What was asked for.
        pub criterion: Localized,
        /// What was observed.
        pub evidence: Option<Localized> => PERSONAL,
        /// The answer that it was observed in.
        pub answer: Option<Ref<InterviewAnswer>>,
        /// How it fits the requirement.
        pub match_to_requirement: Option<Localized> => PERSONAL,
    }
}

entity! {
    /// How groups of people fared. Figures of groups, no person.
    pub struct BiasAudit {
        /// Over what.
        pub scope: AuditScope,
        /// Group by group.
        pub groups: Vec<AuditGroup>,
        /// The lowest rate over the highest.
        pub impact_ratio: Option<Decimal>,
        /// Below this ratio it is flagged; 0.80 where nothing else is said.
        pub flag_below: Decimal,
        /// Who is not in it.
        pub excluded: Option<AuditExclusion>,
        /// When it was made.
        pub made_at: Option<Instant>,
    }
}

shape! {
    /// Over what an audit goes.
    pub struct AuditScope {
        /// Over one position; none: over all.
        pub position: Option<Ref<Job>>,
        /// The period audited.
        pub window: DateSpan,
    }
}

shape! {
    /// One group.
    pub struct AuditGroup {
        /// By what: gender, age, or several joined by a plus sign.
        pub attribute: String,
        /// Value of the attribute.
        pub value: String,
        /// Number of people in the group.
        pub n: u32,
        /// How many of them were selected.
        pub selected_n: u32,
        /// Their mean score, 0 to 1.
        pub mean_score: Option<Decimal>,
    }
    rules group_rules
}

fn group_rules(group: &AuditGroup, walk: &mut Walk<'_>) {
    if group.selected_n > group.n {
        walk.defect_in("selected_n", "bad_ratio", text!("more than n; expected at most n", "大于 n；最多为 n"));
    }
}

shape! {
    /// Who is not in an audit.
    pub struct AuditExclusion {
        /// People for whom the attribute is unknown.
        pub n_missing: u32,
        /// Groups too small to compare.
        pub small_groups: Vec<String>,
    }
}
