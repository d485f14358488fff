//! Questions over a tenant: asked of the store, answered by `renmen-insight`, kept as records, on a schedule.
//!
//! Owns: which questions there are and what may be said with each; the trait [`Rows`], through which rows come; answers as figures,
//! findings and records; the schedule, which one gateway of a cluster keeps.
//!
//! Must not know: SQL, HTTP, the configuration, plugins.
//!
//! Reading order: `rows`, `question`, `ask`, `settings`, `engine`, `questions` and `one` (how each is asked), `answer`, `record`, `keep` and
//! `last` (what is kept), `slot` and `work` (when).

#![warn(missing_docs)]

mod answer;
mod ask;
mod day;
mod engine;
mod error;
mod keep;
mod last;
mod one;
mod question;
mod questions;
mod record;
mod rows;
mod settings;
mod shelf;
mod shown;
mod slot;
mod stored;
mod work;

pub use answer::{Answer, Body, Finding, ShownFigure, Source, Table};
pub use ask::Ask;
pub use engine::Analysis;
pub use error::AnalysisError;
pub use keep::Kept;
pub use question::{PARAMETERS, Parameter, QuestionName};
pub use record::insight;
pub use rows::{Batch, Rows, Wanted};
pub use settings::{Plan, Settings};
pub use shown::{CSV_HEAD, csv, json};
pub use slot::{Every, Slot};
pub use stored::StoredRows;
pub use work::{AnalysisWork, Schedule, Standing};
