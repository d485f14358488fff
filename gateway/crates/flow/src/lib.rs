//! Flows: what happens in an outside system because a record changed.
//!
//! Owns which change makes which action, what of a record may leave, the order and the repetition of deliveries, and what
//! becomes of one that fails. Knows the store through its interface and every receiver through [`Destination`]; it must not
//! know SQL, wasm, HTTP, what a receiver is, or the API.
//!
//! In reading order: [`Destination`] (where things go), [`Definition`] (what a flow says) with [`Expression`] and [`Fields`],
//! `evaluation` (one flow, one change), `bound_flow` with `lookup`, `list` and `links` (the same with what the record refers to, what
//! belongs to it, and the page of a decision), `feed_reader` (along the feed), `courier` (to one destination), [`FlowEngine`] (all of
//! it, running) and what people ask of it (`manage`; `by_hand`: to do one action now).

mod bound_flow;
mod by_hand;
mod catalogue;
mod circles;
mod courier;
mod definition;
mod definition_cache;
pub mod destination;
mod engine;
mod error;
mod evaluation;
mod expression;
mod failure_policy;
mod feed_reader;
mod fields;
mod links;
mod list;
mod lookup;
mod manage;
mod options;
mod pruning;
mod seen_feeds;
mod withholding;

pub use by_hand::{Acted, ActionView, ByHand, HandAsk, HandPlan, HandWork, InputDefect};
pub use catalogue::{Catalogue, DestinationEntry};
pub use definition::{
    Bounds, DEFINITION_BYTES_MAX, Defect, Definition, Delay, How, LIST_MAX, Related, Target, Template, WITH_MAX, When,
};
pub use destination::{ActionInfo, Cause, Destination, Failure, Identity, Push, Receipt, Retries, RetrySchedule};
pub use engine::FlowEngine;
pub use error::FlowError;
pub use evaluation::{Evaluation, Sending};
pub use expression::{BadExpression, EXPRESSION_BYTES_MAX, EvaluationFault, Expression, ExpressionLimits, Scope};
pub use feed_reader::FeedPass;
pub use fields::Fields;
pub use links::{DecisionLinks, LinkMaker};
pub use manage::{DRY_RUN_CHANGES_MAX, DryRun, FLOWS_MAX, FlowView};
pub use options::FlowOptions;
pub use renmen_clock::{Clock, SystemClock};
