//! Explanations for the candidate, and the audit of groups.

use super::{Application, DimensionScore, InterviewAnswer, InterviewResult, Job, LeftOut};
use crate::check::Walk;
use crate::code::AuditMeasure;
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
        /// What was compared: who was selected, or who scored above the median of all.
        pub measure: Option<AuditMeasure>,
        /// The attribute that the groups differ by; several are joined by a plus sign.
        pub attribute: Option<String>,
        /// Group by group: those that are compared, then those that are too small to be.
        pub groups: Vec<AuditGroup>,
        /// The lowest rate over the highest, of the groups that are compared.
        pub impact_ratio: Option<Decimal>,
        /// Below this ratio it is flagged; 0.80 where nothing else is said.
        pub flag_below: Decimal,
        /// Groups with a smaller share than this of the people whose group is known are shown apart; 0.02 where nothing else is said.
        pub small_below: Option<Decimal>,
        /// The median of all scores, 0 to 1, where scores were compared.
        pub median_score: Option<Decimal>,
        /// Who is not in it.
        pub excluded: Option<AuditExclusion>,
        /// Who and what else is in no figure, by reason.
        pub left_out: Vec<LeftOut>,
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
        /// How many of them were selected, or scored above the median of all.
        pub selected_n: u32,
        /// The share of them: the selection rate, or the scoring rate.
        pub rate: Option<Decimal>,
        /// That rate over the rate of the best group; absent for a group that is not compared.
        pub impact_ratio: Option<Decimal>,
        /// The ratio is below `flag_below`.
        pub flagged: Option<bool>,
        /// Too small a share of all to be compared.
        pub small: Option<bool>,
        /// So few people that the figures say little.
        pub few: Option<bool>,
        /// How probable the difference from the best group is by chance (Fisher's exact test), corrected for all groups.
        pub p_adjusted: Option<Decimal>,
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
