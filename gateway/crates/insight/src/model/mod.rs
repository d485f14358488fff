//! The read model: what a store adapter streams, and how a question asks for it.
//!
//! A question names the streams that it needs, in its order; the adapter sends every row of the first, then of the second.
//! Within a stream rows come in any order. A question folds what it can and keeps the rest in a few bytes a row, so an adapter
//! needs one query a stream and nothing is ever asked back.

mod names;
mod need;
mod outcome;
mod people;
mod row;
mod window;

pub(crate) use names::{Columns, Names};
pub use need::{Held, Limits, Need, Overflow, Question};
pub use outcome::Outcome;
pub(crate) use outcome::Outcomes;
pub(crate) use people::People;
pub use row::{
    AnswerRow, ApplicationRow, EmploymentRow, GroupRow, InterviewRow, MetricRow, MetricSubject, OfferRow, PersonRow,
    ResultRow, ReviewRow, Row, ScoreRow, StepRow,
};
pub use window::Window;
