//! The interview loop: what the gateway itself does with interviews, besides carrying their records.
//!
//! Owns: the pay-band match, decisions on results, the watch over interviews that go wrong or late, the tokens of
//! candidates' screens and of the links with which people decide, adjust instructions, and the timeline of an
//! application. What it writes are records like any other, of the built-in connection, through
//! [`renmen_store::AuthorStore`]: the change feed, lineage, flows and the API need to know nothing of this crate.
//!
//! Must not know: plugins, HTTP, axum. What serves these over HTTP asks [`InterviewLoop`].
//!
//! Reading order: `sources` (whose records count for what), `band` (state in memory, fed by the change feed), `author`
//! (how a record is written), `follow` (how the feed is read), `look` (how what it names is worked on), `progress`
//! (what is told of it), `decide` and `watch` (what comes of it), `adjust` (instructions to a vendor's model),
//! `timeline` and `screen` (what is read).

mod adjust;
mod author;
mod backfill;
mod band;
mod children;
mod copies;
mod decide;
mod dossier;
mod error;
mod follow;
mod history;
mod interview_loop;
mod link;
mod look;
mod plan;
mod progress;
mod reading;
mod screen;
mod sources;
mod standing;
mod steps;
mod subject;
mod target;
mod timeline;
mod watch;

pub use adjust::{
    AdjustAct, AdjustActKind, AdjustOptions, Adjusted, ProposeAsk, WaitingAdjustment, act_on_adjustment,
    propose_adjustment,
};
pub use backfill::{PastDecision, decide_past};
pub use band::{
    Asked, BandAnswer, BandAsk, BandDesk, BandIndex, BandOptions, BandWork, JobFacts, JobId, Unknown, Verdict,
};
pub use decide::{
    Before, By, CorrectionAsk, DecisionAsk, Dimension, Judged, JudgedCorrection, Made, PersonVerdict, ReopenAsk,
    RuleSpec, RuleUse, Stands,
};
pub use error::InterviewError;
pub use interview_loop::{InterviewLoop, LoopOptions, LoopWork};
pub use link::{DecisionLink, LinkDesk, LinkFault, LinkKey};
pub use progress::{LoopProgress, SetAside};
pub use renmen_clock::{Clock, ManualClock, SystemClock};
pub use renmen_seat::SeatHolder;
pub use screen::{ScreenNode, ScreenStage, ScreenToken, ScreenView};
pub use sources::Sources;
pub use timeline::{Copied, Step, Timeline};
pub use watch::WatchOptions;
