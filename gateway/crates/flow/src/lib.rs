//! Flows: what happens in an outside system because a record changed.
//!
//! Owns which change makes which action, what of a record may leave, the order and the repetition of deliveries, and what
//! becomes of one that fails. Knows the store through its interface and every receiver through [`Destination`]; it must not
//! know SQL, wasm, HTTP or the API.
//!
//! In reading order: [`Destination`] (where things go), [`Definition`] (what a flow says) with [`Expression`] and [`Fields`],
//! `evaluate` (one flow, one change), `related`, `list` and `ask` (with what it refers to and what belongs to it), `links` (to the page of a decision), `evaluator` (along the feed), `courier` (to
//! one destination), [`FlowEngine`]
//! (all of it, running) and what people ask of it (`manage`; `by_hand`: to do one action now).

mod ask;
mod book;
mod by_hand;
mod catalogue;
mod courier;
mod definition;
pub mod destination;
pub mod endpoint;
mod engine;
mod error;
mod evaluate;
mod evaluator;
mod expression;
mod failure;
mod fields;
mod links;
mod list;
mod manage;
pub mod notify;
mod options;
mod policy;
mod related;

pub use by_hand::{Acted, ActionView, ByHand, HandAsk, HandPlan, HandWork, InputDefect};
pub use catalogue::{Catalogue, Place};
pub use definition::{
    Bounds, DEFINITION_BYTES_MAX, Defect, Definition, Delay, How, LIST_MAX, Related, Target, Template, WITH_MAX, When,
};
pub use destination::{ActionInfo, Cause, Destination, Failure, Identity, Push, Receipt, Retries, RetrySchedule};
pub use engine::FlowEngine;
pub use error::FlowError;
pub use evaluate::{Sending, Verdict};
pub use evaluator::Passed;
pub use expression::{BadExpression, EXPRESSION_BYTES_MAX, EvaluationFault, Expression, ExpressionLimits, Scope};
pub use fields::Fields;
pub use links::{DecisionLinks, LinkMaker};
pub use manage::{DRY_RUN_CHANGES_MAX, DryRun, FLOWS_MAX, FlowView};
pub use options::{Clock, FlowOptions, SystemClock};
