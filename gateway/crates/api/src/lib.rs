//! The gateway's HTTP face: REST, the change feed, OpenAPI, health and metrics. The only user of axum.
//!
//! Owns: paths, parameters, the shape of answers and of problems, API keys, limits on requests. Knows the store (to
//! read) and the schema (to describe). Must not know: how runs are scheduled, how plugins are executed, how an exchange is
//! packed; for these it asks through [`Control`], which the binary implements.
//!
//! Reading order: [`router`] lists every path; `resource/` has one file for each kind of thing; `problem/` is what
//! clients see when something is wrong; `auth`, `guard` and `observe` are the layers around, `access` the table of who may
//! call what; `server/` has the connections below them, `pool` what is shared fairly, `limit` what was reached.

mod access;
mod adjustments;
mod auth;
mod body;
mod control;
mod decision_desk;
mod endpoint_control;
mod figures;
mod flow_control;
mod guard;
mod guesses;
mod header;
mod hooks;
mod instant;
mod interviews;
mod key;
mod key_ring;
mod limit;
mod loop_health;
mod observe;
mod openapi;
mod params;
mod pool;
mod problem;
mod resource;
mod router;
mod sender;
mod server;
mod shown_json;
mod state;
mod text;

pub use adjustments::{AdjustmentAsk, AdjustmentDoing, Adjustments, NewAdjustment};
pub use control::{
    CallsOfMonth, ConnectionInfo, Control, ControlError, DeliveriesRefused, HeldBack, OpenedExchange, PluginInfo,
    PluginSigner, RetryOutcome, StreamActivity, StreamInfo,
};
pub use decision_desk::{DecisionDesk, DimensionView, JudgedView, LinkRefusal, OpenedLink, StandsView, VerdictView};
pub use endpoint_control::{
    EndpointControl, EndpointDefinition, EndpointInfo, EndpointOffInfo, EndpointWithSecret, NewSecret,
};
pub use figures::MetricsAccess;
pub use flow_control::{
    ActionAsk, ActionEntry, ActionPlan, ActionWork, DryRunInfo, DryRunSend, FlowControl, FlowDefect, FlowInfo,
    FlowRefusal,
};
pub use hooks::{HookAnswer, HookDelivery, HookRefusal, Hooks};
pub use interviews::{
    AskedAbout, BandQuestion, BandVerdict, Interviews, InterviewsError, PersonDecision, PersonReopening,
    ScoreCorrection, ScreenStep, ScreenSteps, TimelineCopy, TimelineStep,
};
pub use key::{ApiKey, NoRandomness};
pub use loop_health::{AdjustmentWaiting, LoopHealth, LoopHolder, RuleUse, SetAsideSubject};
pub use openapi::document;
pub use problem::ProblemCode;
pub use router::router;
pub use sender::Sender;
pub use server::{ServeError, serve};
pub use state::{ApiOptions, AppState};
