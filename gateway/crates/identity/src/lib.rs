//! Which records are one person, or one organisational unit, across all connections.
//!
//! Owns: the rules and what they count, the facts of a record that they look at, and the engine that finds identities, proposals, conflicts
//! and values that too many people share. Also which of several sources' values is preferred, and the timeline of a person.
//!
//! Must not know: SQL, HTTP, async, who keeps the facts (it asks an [`Index`]), and where rules are written.
//!
//! What was found is a function of the set of facts and decisions, never of the order in which they came: a changed record is settled
//! together with everyone whom it could be linked with, and nothing that was found before is an argument. So a late record, a correction, a
//! decision and an erasure lead to the same end in any order.
//!
//! In reading order: [`Rules`], [`Facts`] with [`Collector`], [`Engine`] with [`Index`], [`Settled`].

#![warn(missing_docs)]

mod change;
mod codec;
mod decision;
mod digest;
mod engine;
mod explain;
mod facts;
mod id;
mod index;
mod mask;
mod name;
mod neighbourhood;
mod nickname;
mod normal;
mod outcome;
mod pair;
mod partition;
mod pass;
mod prefer;
mod reach;
mod read;
mod rules;
mod timeline;

pub use change::{Change, changes};
pub use decision::{Decision, DecisionKind, split};
pub use digest::Digests;
pub use engine::{Changed, Engine};
pub use explain::{Evidence, because, evidence, held};
pub use facts::{Claim, ClaimKind, Collector, Facts, Key};
pub use id::{Day, IdentityId, MemberId, Span};
pub use index::{Holder, Index, Standing};
pub use name::{NameForm, NameMatch};
pub use neighbourhood::{Missing, Neighbourhood, NotLoaded};
pub use outcome::{Conflict, Grounds, Identity, Link, Obstacle, Proposal, Settled, Use};
pub use pair::Agreement;
pub use pass::{Pass, Source, Summary};
pub use prefer::{Choice, Preferred, Stated, Survivorship, Why};
pub use read::{Body, Subject, facts_of, shown_of};
pub use rules::{Counts, NameWeights, RULES_MAX, Rule, Rules, Scheme};
pub use timeline::{Event, Moment, Stage, Step, stage, timeline};
