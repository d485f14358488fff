//! Runs: what a connection's stream sends in, page by page, into the store.
//!
//! Owns when a stream runs, how pages follow each other, what is taken in and what waits in quarantine, what a killed run
//! leaves behind, and how old pages are replayed. Knows the plugin host only through [`Puller`], the network only through
//! tapes, the store only through its interface; it must not know wasm, HTTP, SQL or the API.
//!
//! Read on in this order: [`Puller`] (what a run pulls from), [`ConnectionRuntime`] and [`Schedule`] (what is configured),
//! [`Engine`] (which hands out the doors), `runs` and `run` (one run, stage by stage), `normalize` (envelope to record), `spool` (what survives a kill),
//! `schedule_loop` (streams by themselves), `admission` and `intake` (what vendors send of their own accord), then `check`, `replay` and `quarantine`.

mod admission;
mod check;
mod connection;
mod engine;
mod error;
mod exchanges;
mod failure;
mod figures;
mod grant;
mod health;
mod intake;
mod limits;
mod listen;
mod normalize;
mod options;
mod progress;
mod quarantine;
mod replay;
mod report;
mod retention;
mod run;
mod runs;
mod schedule;
mod schedule_loop;
mod shared;
mod source;
mod spool;
mod stream_loop;
mod wait;

pub use admission::{HookLimits, RefusedDeliveries, Sender};
pub use check::{CheckReport, Checks, DefectCount, ProbeFinding, StreamCheck};
pub use connection::{ConnectionRuntime, StreamPlan};
pub use engine::Engine;
pub use error::SyncError;
pub use failure::{FailureClass, RunFailure};
pub use grant::EntityGrant;
pub use health::StreamHealth;
pub use intake::{Deliveries, DeliveryVerdict, IntakeError, TakenIn};
pub use limits::IngestLimits;
pub use listen::{EventDoor, EventSource};
pub use normalize::PayslipRule;
pub use options::{RetryPolicy, SyncOptions};
pub use progress::{NoProgress, Progress, ProgressEvent};
pub use quarantine::{QuarantineRetries, RetryOutcome};
pub use renmen_clock::{Clock, SystemClock};
pub use replay::{Difference, DifferenceKind, DifferenceSink, FieldDifference, PageFailure, ReplayReport, Replays};
pub use report::RunReport;
pub use runs::Runs;
pub use schedule::{CronSchedule, Schedule};
pub use source::{BoundPlugin, Puller, Pusher, Reading, Receiver};
