//! What a question asks for, and how much of it it will hold.

use std::fmt;

use renmen_schema::{Text, text};

use super::Row;

/// A stream of rows, all of live records. The comments say what the adapter's query gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Each person once, with the standing that `purpose` finds from their records' policies and their consents.
    People,
    /// Groups of people. Only a key that was made for audits may stream it.
    Groups,
    /// Applications with person, job, channel, status and reasons.
    Applications,
    /// Steps of applications; those of an interview under the interview's application.
    Steps,
    /// Interviews with application, person and job.
    Interviews,
    /// Employments with person, first and last day, probation and reason of leaving.
    Employments,
    /// Settled reviews of employees.
    Reviews,
    /// Performance figures.
    Metrics,
    /// Results of interviews.
    Results,
    /// Scores of dimensions that stand: those that no other score corrects.
    Scores,
    /// Answers that have a score.
    Answers,
    /// Offers with the band that they are in.
    Offers,
}

/// A question over streamed rows. What it holds is bounded by [`Limits`].
pub trait Question {
    /// What it answers.
    type Answer;

    /// The streams that it wants, in this order.
    fn needs(&self) -> &'static [Need];

    /// Takes a row. One of another stream is passed over.
    fn take(&mut self, row: &Row<'_>);

    /// The answer.
    ///
    /// # Errors
    /// [`Overflow`] when there was more than the limits allow: no figure is made from a part of the data.
    fn answer(self) -> Result<Self::Answer, Overflow>;
}

/// How much a question may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// People, applications and interviews, each: 40 to 200 bytes.
    pub entries_max: u64,
    /// Scores and outcomes: 8 to 64 bytes each.
    pub cells_max: u64,
    /// Different names (dimensions, questions, metrics, groups).
    pub names_max: u64,
    /// Ids that are kept of the records behind a figure; the others are counted.
    pub ids_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries_max: 2_000_000, cells_max: 20_000_000, names_max: 20_000, ids_max: 20 }
    }
}

/// What a question holds much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// People.
    People,
    /// Applications.
    Applications,
    /// Interviews.
    Interviews,
    /// Offers.
    Offers,
    /// Scores of dimensions and answers.
    Scores,
    /// Outcomes of people.
    Outcomes,
    /// Names of dimensions, questions, metrics or groups.
    Names,
}

impl Held {
    fn text(self) -> Text {
        match self {
            Self::People => text!("people", "人员"),
            Self::Applications => text!("applications", "申请"),
            Self::Interviews => text!("interviews", "面试"),
            Self::Offers => text!("offers", "录用通知"),
            Self::Scores => text!("scores", "评分"),
            Self::Outcomes => text!("outcomes", "结果"),
            Self::Names => text!("names of dimensions, questions, metrics or groups", "维度、题目、指标或群体的名称"),
        }
    }
}

/// There was more than a question may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow {
    /// Of what.
    pub what: Held,
    /// The limit.
    pub limit: u64,
}

impl Overflow {
    /// What to tell people.
    #[must_use]
    pub fn text(&self) -> Text {
        let (limit, what) = (self.limit, self.what.text());
        text!(
            "more than {limit} {what}; choose a shorter period or one position, or raise the limit",
            "{what}超过 {limit}；请缩短期间、只选一个职位，或提高上限"
        )
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for Overflow {}
