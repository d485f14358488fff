//! Answers to questions that are asked over many records. The gateway writes these itself.

use super::{Job, OrgUnit};
use crate::id::RecordId;
use crate::shape::{entity, shape};
use crate::types::{DateSpan, Decimal, Instant, Ref};

entity! {
    /// An answer to a question that was asked over many records: its figures, each with its sample size, method and the records
    /// behind it, and who is in none of them. The same records give the same answer.
    pub struct Insight {
        /// The question: `funnel`, `predict`, `alert`.
        pub question: String,
        /// What it was asked about.
        pub scope: InsightScope,
        /// The answer in one word, where the question has one: NOT_JUDGED, FINE, SUSPECTED or RAISED of an alert.
        pub verdict: Option<String>,
        /// The figures.
        pub figures: Vec<InsightFigure>,
        /// What the figures say, point by point.
        pub findings: Vec<InsightFinding>,
        /// Who and what is in none of them, by reason.
        pub left_out: Vec<LeftOut>,
        /// How many tests the p values are corrected for.
        pub tests: Option<u64>,
        /// The time that the answer was due; it is made of what was known then, or a little later.
        pub made_at: Option<Instant>,
    }
}

shape! {
    /// What a question was asked about.
    pub struct InsightScope {
        /// One position; absent: all.
        pub position: Option<Ref<Job>>,
        /// One unit; absent: all.
        pub org_unit: Option<Ref<OrgUnit>>,
        /// The period.
        pub window: Option<DateSpan>,
        /// What else was said with the question.
        pub parameters: Vec<InsightParameter>,
    }
}

shape! {
    /// Something that was said with a question.
    pub struct InsightParameter {
        /// Its name: `outcome`.
        pub name: String,
        /// Its value: `probation_passed`.
        pub value: String,
    }
}

shape! {
    /// A figure, and what it was made from.
    pub struct InsightFigure {
        /// What is measured, from the outer to the inner, joined by slashes.
        pub name: String,
        /// The value; absent where there was nothing to make it from.
        pub value: Option<Decimal>,
        /// The lower end of its confidence interval,
        pub low: Option<Decimal>,
        /// and the upper end.
        pub high: Option<Decimal>,
        /// How probable it is by chance, where the method tests something: of this test alone,
        pub p: Option<Decimal>,
        /// and corrected for all tests of the question.
        pub p_adjusted: Option<Decimal>,
        /// Sample size.
        pub n: u64,
        /// The period, where it is not that of the whole answer.
        pub window: Option<DateSpan>,
        /// How it was made: `share_wilson`, `pearson_fisher_z`.
        pub method: String,
        /// The records behind it.
        pub sources: Vec<InsightSource>,
    }
}

shape! {
    /// Records of one kind behind a figure: how many, and a few of them.
    pub struct InsightSource {
        /// Of which kind.
        pub entity: String,
        /// How many.
        pub n: u64,
        /// A few of them: the oldest.
        pub ids: Vec<RecordId>,
    }
}

shape! {
    /// Something that the figures say.
    pub struct InsightFinding {
        /// What is said: LOSES_MOST, NOT_PREDICTIVE, PREDICTS, FLAGGED, NOT_MEASURED, TOO_FEW.
        pub code: String,
        /// Of what: the name of a figure, a dimension, a question of the interview.
        pub about: Option<String>,
        /// The record that it is said of.
        pub record: Option<RecordId>,
        /// With which outcome, value or size.
        pub value: Option<String>,
        /// From how many.
        pub n: Option<u64>,
    }
}

shape! {
    /// How many are in no figure, for one reason.
    pub struct LeftOut {
        /// The reason: `no_consent`, `outside_window`.
        pub reason: String,
        /// How many people or records.
        pub n: u64,
    }
}
