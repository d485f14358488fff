//! What colleagues, customers and candidates say.

use super::{Competency, Employee, Interview, OrgUnit};
use crate::check::Walk;
use crate::code::{CustomerFeedbackKind, Relation, Severity};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, DateSpan, ExternalId, Instant, Localized, Ref, Score};

entity! {
    /// What a colleague says.
    pub struct PeerFeedback {
        /// The employee that the feedback is about.
        pub about: Ref<Employee>,
        /// The author as a salted hash, which tells authors apart without naming them.
        pub from_hash: Option<String> => PERSONAL,
        /// Who says so, where the reader has a right to know.
        pub from: Option<Ref<Employee>> => PERSONAL,
        /// How they stand to each other.
        pub relation: Option<Coded<Relation>>,
        /// About which ability.
        pub competency: Option<Ref<Competency>>,
        /// The score.
        pub score: Option<Score> => PERSONAL,
        /// Feedback, in free text.
        pub text: Option<String> => PERSONAL,
        /// When it was given.
        pub at: Option<Instant>,
        /// The one who says so is not to be named.
        pub anonymous: bool,
    }
    rules peer_rules
}

fn peer_rules(feedback: &PeerFeedback, walk: &mut Walk<'_>) {
    if feedback.anonymous && feedback.from.is_some() {
        walk.defect_in(
            "from",
            "contradiction",
            text!(
                "a person while anonymous is true; expected from_hash, or nothing",
                "anonymous 为 true 却写了人员；应为 from_hash 或省略"
            ),
        );
    }
}

entity! {
    /// What customers say about an employee or a unit.
    pub struct CustomerFeedback {
        /// About an employee,
        pub employee: Option<Ref<Employee>>,
        /// or a unit: exactly one of the two.
        pub org_unit: Option<Ref<OrgUnit>>,
        /// Kind of feedback.
        pub kind: Coded<CustomerFeedbackKind>,
        /// Number of cases.
        pub count: Option<u32>,
        /// How often among how many.
        pub rate: Option<Ratio>,
        /// The period covered.
        pub period: Option<DateSpan>,
        /// Severity.
        pub severity: Option<Severity>,
        /// Feedback, in free text.
        pub text: Option<String> => PERSONAL,
        /// The case in the source.
        pub case: Option<ExternalId>,
    }
    rules customer_rules
}

fn customer_rules(feedback: &CustomerFeedback, walk: &mut Walk<'_>) {
    if feedback.employee.is_some() == feedback.org_unit.is_some() {
        walk.defect(
            "bad_subject",
            text!("none or both of employee and org_unit; expected exactly one", "employee 与 org_unit 须且只能有一个"),
        );
    }
}

shape! {
    /// A share as two counts, so that shares can be added.
    pub struct Ratio {
        /// Numerator.
        pub n: u64,
        /// Denominator.
        pub d: u64,
    }
    rules ratio_rules
}

fn ratio_rules(ratio: &Ratio, walk: &mut Walk<'_>) {
    if ratio.d == 0 || ratio.n > ratio.d {
        walk.defect_in(
            "d",
            "bad_ratio",
            text!("zero, or less than n; expected at least n and more than zero", "为零或小于 n；应大于零且不小于 n"),
        );
    }
}

entity! {
    /// What a candidate says about an interview.
    pub struct Survey {
        /// The interview that was surveyed.
        pub interview: Ref<Interview>,
        /// Satisfaction score.
        pub satisfaction: Option<Score> => PERSONAL,
        /// Answer by answer.
        pub answers: Vec<SurveyAnswer> => PERSONAL,
        /// Comment, in free text.
        pub comment: Option<String> => PERSONAL,
        /// When it was answered.
        pub answered_at: Option<Instant>,
    }
}

shape! {
    /// One answer of a survey.
    pub struct SurveyAnswer {
        /// The question asked.
        pub question: Localized,
        /// As a figure.
        pub score: Option<Score>,
        /// Answer, in free text.
        pub text: Option<String> => PERSONAL,
    }
}
