//! Flows: what happens in an outside system because a record changed.
//!
//! Owns which change makes which action, what of a record may leave, the order and the repetition of deliveries, and what
//! becomes of one that fails. Knows the store through its interface and every receiver through [`Destination`]; it must not
//! know SQL, wasm, HTTP or the API.

pub mod destination;
pub mod endpoint;
mod failure;
pub mod notify;

pub use destination::{
    ActionInfo, Cause, Destination, Failure, FailureKind, Identity, Push, Receipt, Retries, RetrySchedule,
};
