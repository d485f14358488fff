//! The questions, one a file. Those over many records are sinks of streamed rows ([`Question`](crate::Question)); those about one
//! application or one band take what they need as arguments.

pub mod alert;
pub mod channel;
pub mod explain;
pub mod fairness;
pub mod friction;
pub mod funnel;
pub mod joined;
pub mod level;
pub mod market;
pub mod pay;
pub mod performance;
pub mod predict;
pub mod profile;
pub mod refusal;
pub mod review;
pub mod reweigh;
pub mod standard;

mod impact;
mod known;
mod prediction;
mod scored_outcomes;
mod steps;
