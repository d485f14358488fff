//! A vendor that misbehaves on demand.
//!
//! A connector is proved against a source that is known in every record and that can be told to be bad. This crate owns
//! that source: where its answers come from ([`Source`]: a model of a paged API, recorded exchanges, or another server on
//! this machine), how an answer is spoilt ([`Fault`]), when ([`Plan`]), and the server that sends it ([`serve`]).
//!
//! Everything is decided by the request's number and a seed: the same requests are treated in the same way in every run.
//! It listens on loopback alone and asks loopback alone.
//!
//! It must not know connectors, the sandbox, or what a record means.
//!
//! Reading order: [`Fault`], [`Plan`], [`model`], [`Source`], [`serve`].

mod answer;
mod ask;
mod fault;
mod generated;
mod live;
pub mod model;
pub mod place;
mod plan;
mod recorded;
mod server;
mod source;
mod spoil;

pub use answer::{Answer, Content};
pub use ask::Ask;
pub use fault::{FAULTS, Fault, FaultFacts};
pub use generated::generated;
pub use plan::{Plan, PlanError, Planned};
pub use recorded::{RecordedError, recorded};
pub use server::{Server, serve};
pub use source::{Source, SourceError};
