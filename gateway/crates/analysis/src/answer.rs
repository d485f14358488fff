//! An answer: figures, what they say, who is in none of them, and the bodies of records that it can become. Keys have become ids.

use std::borrow::Cow;

use renmen_insight::figure::LeftOut as Omitted;
use renmen_insight::{Figure, Why};
use renmen_schema::EntityKind;
use renmen_schema::id::RecordId;
use renmen_schema::types::{DateSpan, Decimal};
use renmen_store::Cause;
use serde_json::Value;

use crate::QuestionName;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The question.
    pub question: QuestionName,
    /// What was said with it, and what was taken by default, by name.
    pub parameters: Vec<(String, String)>,
    /// The position that it was asked about.
    pub position: Option<RecordId>,
    /// The unit that it was asked about.
    pub unit: Option<RecordId>,
    /// The period.
    pub window: Option<DateSpan>,
    /// The answer in one word, where it has one.
    pub verdict: Option<String>,
    /// The figures.
    pub figures: Vec<ShownFigure>,
    /// What they say.
    pub findings: Vec<Finding>,
    /// Who and what is in none of them.
    pub left_out: Vec<(Why, u64)>,
    /// How many tests p values are corrected for.
    pub tests: Option<u64>,
    /// Lines of numbers, where the answer has such.
    pub table: Option<Table>,
    /// What it can become.
    pub records: Vec<Body>,
    /// The revisions that an answer about one record was made from.
    pub causes: Vec<Cause>,
}

/// Lines of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What stands in each column.
    pub columns: Vec<String>,
    /// Line by line; none where a number is not known.
    pub lines: Vec<Vec<Option<f64>>>,
}

/// A figure with the ids of a few records behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownFigure {
    /// What is measured, from the outer to the inner, joined by slashes.
    pub name: String,
    /// The value; none where there was nothing to make it from.
    pub value: Option<f64>,
    /// Its confidence interval.
    pub interval: Option<(f64, f64)>,
    /// Its p value, alone and corrected.
    pub p: Option<(f64, f64)>,
    /// Sample size.
    pub n: u64,
    /// The period.
    pub window: Option<DateSpan>,
    /// How it was made.
    pub method: String,
    /// The records behind it.
    pub sources: Vec<Source>,
}

/// Records of one kind behind a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Of which kind.
    pub entity: EntityKind,
    /// How many.
    pub n: u64,
    /// A few of them.
    pub ids: Vec<RecordId>,
}

/// Something that figures say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// What is said.
    pub code: Cow<'static, str>,
    /// Of what.
    pub about: Option<String>,
    /// Of which record.
    pub record: Option<RecordId>,
    /// With which outcome, value or size.
    pub value: Option<String>,
    /// From how many.
    pub n: Option<u64>,
}

/// The body of a record that an answer can become.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// Of which kind.
    pub kind: EntityKind,
    /// What it is about, where an answer has several of a kind.
    pub about: String,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// Was there nothing to make it from: no record in a figure, and none left out that was asked about?
    #[must_use]
    pub fn is_about_nothing(&self) -> bool {
        let asked_about = |why: &Why| !matches!(why, Why::OtherScope | Why::OutsideWindow);
        self.figures.iter().all(|figure| figure.n == 0)
            && self.left_out.iter().all(|(why, count)| *count == 0 || !asked_about(why))
    }

    /// One with nothing in it.
    #[must_use]
    pub fn new(question: QuestionName) -> Self {
        Self {
            question,
            parameters: Vec::new(),
            position: None,
            unit: None,
            window: None,
            verdict: None,
            figures: Vec::new(),
            findings: Vec::new(),
            left_out: Vec::new(),
            tests: None,
            table: None,
            records: Vec::new(),
            causes: Vec::new(),
        }
    }

    pub(crate) fn leave_out(&mut self, omitted: &Omitted) {
        self.left_out = omitted.iter().collect();
    }

    /// A figure by its name.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<&ShownFigure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// How many were left out for a reason.
    #[must_use]
    pub fn count_left_out(&self, why: Why) -> u64 {
        self.left_out.iter().find(|(found, _)| *found == why).map_or(0, |(_, count)| *count)
    }
}

impl Finding {
    /// Something that is said of the whole.
    #[must_use]
    pub fn said(code: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), ..Self::default() }
    }

    /// Something that is said of a named thing.
    #[must_use]
    pub fn of(code: &'static str, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..Self::said(code) }
    }

    #[allow(clippy::needless_pass_by_value, reason = "each call makes the value that it says")]
    pub(crate) fn with(self, value: impl ToString) -> Self {
        Self { value: Some(value.to_string()), ..self }
    }

    pub(crate) fn among(self, n: u64) -> Self {
        Self { n: Some(n), ..self }
    }
}

impl ShownFigure {
    /// A figure; `ids` makes ids of keys.
    pub(crate) fn of(name: String, figure: &Figure, ids: &dyn Fn(renmen_insight::Key) -> Option<RecordId>) -> Self {
        let sources = figure.basis.sources.iter().map(|source| Source {
            entity: source.kind(),
            n: source.total(),
            ids: source.kept().filter_map(ids).collect(),
        });
        Self {
            name,
            value: figure.value,
            interval: figure.interval.map(|interval| (interval.low, interval.high)),
            p: figure.p.map(|p| (p.alone, p.adjusted)),
            n: figure.basis.n,
            window: figure.basis.window.clone(),
            method: figure.basis.method.to_string(),
            sources: sources.collect(),
        }
    }
}

/// A number of a figure as records hold it.
pub(crate) fn decimal(value: f64) -> Option<Decimal> {
    renmen_insight::exact::decimal(value)
}
