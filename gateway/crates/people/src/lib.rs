//! Which records are one person or one organisational unit: the work on it, and what is known of each.
//!
//! Owns: the follower of the change feed that keeps identities, the pass over all records, what people decide, and what a person is made of.
//!
//! Must not know: SQL, HTTP, and how records are compared, which is the engine's affair (`renmen-identity`). Who may read what is the caller's:
//! each value that is handed out names its record and its place in it.
//!
//! In reading order: [`People`], `follow`, `settle`, `pass`, `person`.

#![warn(missing_docs)]

mod decide;
mod error;
mod fields;
mod follow;
mod grounds;
mod pass;
mod people;
mod person;
mod portrait;
mod progress;
mod reader;
mod settle;
mod timeline;
mod token;
mod work;

pub use error::PeopleError;
pub use people::{People, PeopleOptions};
pub use person::{
    Act, Ask, Conflict, Decided, Decision, Field, FieldValue, Grounds, Happened, Link, Page, Person, PersonQuery,
    Portrait, Proposal, SharedValue, Source, Subject,
};
pub use progress::{PassProgress, PeopleProgress};
pub use renmen_clock::{Clock, ManualClock, SystemClock};
pub use renmen_identity::{Choice, Counts, Day, Evidence, NameWeights, Rule, Rules, Scheme, Step, Survivorship, Why};
pub use work::PeopleWork;
