//! Performance: judgements of people, and figures.

use super::{Employee, Job, OrgUnit};
use crate::check::Walk;
use crate::code::{Direction, Relation, ReviewCycleKind};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, DateSpan, Decimal, Instant, Localized, Ref, Score, Weight};

entity! {
    /// A review of an employee's performance.
    pub struct PerformanceReview {
        /// The review cycle.
        pub cycle: ReviewCycle,
        /// The employee reviewed.
        pub reviewee: Ref<Employee>,
        /// The reviewer.
        pub reviewer: Option<Ref<Employee>>,
        /// How they stand to each other.
        pub relation: Option<Coded<Relation>>,
        /// Overall rating.
        pub rating: Option<Score> => PERSONAL,
        /// Comment, in free text.
        pub comment: Option<Localized> => PERSONAL,
        /// Ratings by item.
        pub items: Vec<ReviewItem> => PERSONAL,
        /// The stage of the review, in the source's own words.
        pub stage: Option<String>,
        /// Compared with others and settled.
        pub calibrated: Option<bool>,
        /// When it was settled.
        pub completed_at: Option<Instant>,
    }
}

shape! {
    /// What a review covers.
    pub struct ReviewCycle {
        /// Name.
        pub name: Option<Localized>,
        /// The period covered.
        pub period: Option<DateSpan>,
        /// What kind. PROBATION is a period of its own.
        pub kind: Coded<ReviewCycleKind>,
    }
}

shape! {
    /// A part of a review.
    pub struct ReviewItem {
        /// What is rated.
        pub metric: Localized,
        /// The metric's code.
        pub code: Option<String>,
        /// The score.
        pub score: Option<Score> => PERSONAL,
        /// How much it counts.
        pub weight: Option<Weight>,
        /// Comment, in free text.
        pub comment: Option<Localized> => PERSONAL,
    }
}

entity! {
    /// A performance figure of an employee, a unit or a position.
    pub struct PerformanceMetric {
        /// The metric.
        pub metric: Metric,
        /// The subject: an employee,
        pub employee: Option<Ref<Employee>>,
        /// or a unit,
        pub org_unit: Option<Ref<OrgUnit>>,
        /// or a position: exactly one of the three.
        pub position: Option<Ref<Job>>,
        /// The period measured.
        pub period: DateSpan,
        /// The measured value.
        pub value: Decimal => PERSONAL,
        /// How much was aimed at.
        pub target: Option<Decimal>,
        /// Place among all: 0.9 is better than nine tenths.
        pub rank_quantile: Option<Decimal> => PERSONAL,
    }
    rules metric_rules
}

fn metric_rules(metric: &PerformanceMetric, walk: &mut Walk<'_>) {
    let subjects = [metric.employee.is_some(), metric.org_unit.is_some(), metric.position.is_some()];
    let count = subjects.into_iter().filter(|there| *there).count();
    if count != 1 {
        walk.defect(
            "bad_subject",
            text!(
                "{count} of employee, org_unit and position; expected exactly one",
                "employee、org_unit 与 position 有 {count} 个；应恰有一个"
            ),
        );
    }
    if metric.rank_quantile.is_some_and(|q| q.is_negative() || q > Decimal::from(1)) {
        walk.defect_in("rank_quantile", "bad_quantile", text!("a number outside 0 to 1", "数字不在 0 到 1 之间"));
    }
}

shape! {
    /// What is measured.
    pub struct Metric {
        /// Code.
        pub code: String,
        /// Name.
        pub name: Localized,
        /// In what: CNY, percent, pieces.
        pub unit: Option<String>,
        /// Which way is better.
        pub direction: Option<Direction>,
        /// Measured, not judged.
        pub objective: bool,
    }
}
