//! Records that people write: position profiles, competencies, questions, decision rules, tags, surveys, market pay, consents.
//!
//! Owns: what a person may write, change and take away, and what is refused because of other records: a published version that would
//! change, a competency that is in use, two rules for one thing. What is written are records of the built-in connection `renmen` like
//! any other: checked as a connector's are, with revisions, in the change feed.
//!
//! Must not know: HTTP, plugins, how the interview loop decides. What serves these over HTTP asks [`Desk`].
//!
//! Reading order: `ask` (what is asked, and what it comes to), `desk` (the way of one request), `absent` and `refer` (what a body may hold),
//! `shelf` (what is read), then what is particular: `profile`, `competency`, `rule`, `tag`.

mod absent;
mod ask;
mod competency;
mod desk;
mod profile;
mod refer;
mod rule;
mod shelf;
mod tag;

pub use ask::{Act, Ask, Conflict, Refusal, RepeatableAs, Writer};
pub use desk::Desk;
