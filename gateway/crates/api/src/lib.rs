//! The gateway's HTTP face: REST, the change feed, OpenAPI, health and metrics. The only user of axum.
//!
//! Owns: paths, parameters, the shape of answers and of problems, API keys, limits on requests. Knows the store (to read), the
//! schema (to describe), and those who do what is asked: the records' desk, the flows, the endpoints and the interview loop. Must not
//! know: how runs are scheduled, how plugins are executed, how an exchange is packed. For these it asks through [`Control`],
//! [`Configuration`] and [`Hooks`], which the binary implements.
//!
//! Reading order: [`router`] lists every path; `resource/` has one file for each kind of thing; `problem/` is what
//! clients see when something is wrong; `auth`, `guard` and `observe` are the layers around, `access` the table of who may
//! call what; `server/` has the connections below them, `pool` what is shared fairly, `limit` what was reached.

mod access;
mod auth;
mod body;
mod caller;
mod configuration;
mod control;
mod fan_out;
mod figures;
mod guard;
mod guesses;
mod head_fault;
mod header;
mod hooks;
mod identity_health;
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
mod request_id;
mod resource;
mod router;
mod sender;
mod served;
mod server;
mod shown_json;
mod state;
mod text;

pub use configuration::{ChangedNames, Configuration, ConfigurationState, Reloaded, Roles};
pub use control::{
    CallsOfMonth, ConnectionInfo, Control, ControlError, DeliveriesRefused, HeldBack, OpenedExchange, PluginInfo,
    PluginSigner, RetryOutcome, StreamActivity, StreamInfo,
};
pub use hooks::{HookAnswer, HookDelivery, HookRefusal, Hooks};
pub use interviews::Interviews;
pub use key::{ApiKey, NoRandomness};
pub use openapi::{document, document_file};
pub use problem::ProblemCode;
pub use resource::people::{
    IdentityConflict, IdentityDecided, IdentityDecision, IdentityDetail, IdentityField, IdentityProposal, IdentityView,
};
pub use resource::references::{Expand, FollowLimits, Followed, ReferenceView, Shown, follow};
pub use router::router;
pub use sender::Sender;
pub use server::{ServeError, serve};
pub use state::{ApiOptions, ApiParts, AppState, MetricsAccess};
