//! What colleagues, customers and candidates say.

use super::{Competency, Employee, Interview, OrgUnit};
use crate::check::Walk;
use crate::code::{CustomerFeedbackKind, Relation, Severity};
use crate::shape::{entity, shape};
use crate::types::{Coded, DateSpan, ExternalId, Instant, Localized, Ref, Score};

entity! {
    /// What a colleague says.
    pub struct PeerFeedback {
        /// About whom.
        pub about: Ref<Employee>,
        /// Who says so, as a salted hash that tells one from another and names nobody.
        pub from_hash: Option<String> => PERSONAL,
        /// Who says so, where the reader has a right to know.
        pub from: Option<Ref<Employee>> => PERSONAL,
        /// How they stand to each other.
        pub relation: Option<Coded<Relation>>,
        /// About which ability.
        pub competency: Option<Ref<Competency>>,
        /// How well.
        pub score: Option<Score> => PERSONAL,
        /// In words.
        pub text: Option<String> => PERSONAL,
        /// When.
        pub at: Option<Instant>,
        /// The one who says so is not to be named.
        pub anonymous: bool,
    }
    rules peer_rules
}

fn peer_rules(feedback: &PeerFeedback, walk: &mut Walk<'_>) {
    if feedback.anonymous && feedback.from.is_some() {
        walk.defect_in("from", "contradiction", "a person while anonymous is true; expected from_hash, or nothing");
    }
}

entity! {
    /// What customers say about an employee or a unit.
    pub struct CustomerFeedback {
        /// About an employee,
        pub employee: Option<Ref<Employee>>,
        /// or a unit: exactly one of the two.
        pub org_unit: Option<Ref<OrgUnit>>,
        /// What kind.
        pub kind: Coded<CustomerFeedbackKind>,
        /// How often.
        pub count: Option<u32>,
        /// How often among how many.
        pub rate: Option<Ratio>,
        /// In which days.
        pub period: Option<DateSpan>,
        /// How bad.
        pub severity: Option<Severity>,
        /// In words.
        pub text: Option<String> => PERSONAL,
        /// The case in the source.
        pub case: Option<ExternalId>,
    }
    rules customer_rules
}

fn customer_rules(feedback: &CustomerFeedback, walk: &mut Walk<'_>) {
    if feedback.employee.is_some() == feedback.org_unit.is_some() {
        walk.defect("bad_subject", "none or both of employee and org_unit; expected exactly one");
    }
}

shape! {
    /// A share as two counts, so that shares can be added.
    pub struct Ratio {
        /// How many.
        pub n: u64,
        /// Of how many.
        pub d: u64,
    }
    rules ratio_rules
}

fn ratio_rules(ratio: &Ratio, walk: &mut Walk<'_>) {
    if ratio.d == 0 || ratio.n > ratio.d {
        walk.defect_in("d", "bad_ratio", "zero, or less than n; expected at least n and more than zero");
    }
}

entity! {
    /// What a candidate says about an interview.
    pub struct Survey {
        /// Which.
        pub interview: Ref<Interview>,
        /// How content.
        pub satisfaction: Option<Score> => PERSONAL,
        /// Answer by answer.
        pub answers: Vec<SurveyAnswer> => PERSONAL,
        /// In words.
        pub comment: Option<String> => PERSONAL,
        /// When.
        pub answered_at: Option<Instant>,
    }
}

shape! {
    /// One answer of a survey.
    pub struct SurveyAnswer {
        /// What was asked.
        pub question: Localized,
        /// As a figure.
        pub score: Option<Score>,
        /// In words.
        pub text: Option<String> => PERSONAL,
    }
}
