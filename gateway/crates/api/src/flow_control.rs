//! What the API asks of the flows. Owned here, so that the API needs to know neither expressions nor destinations; the binary
//! puts them together.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::outbox::FlowOrigin;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The flows of the running gateway.
#[async_trait]
pub trait FlowControl: Send + Sync {
    /// A tenant's flows by name.
    ///
    /// # Errors
    /// [`FlowRefusal`].
    async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowInfo>, FlowRefusal>;

    /// One of them.
    ///
    /// # Errors
    /// [`FlowRefusal::NotFound`].
    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<FlowInfo, FlowRefusal>;

    /// Keeps a flow, or its next version.
    ///
    /// # Errors
    /// [`FlowRefusal::Defects`] with everything that is wrong; [`FlowRefusal::Refused`] for one of the configuration.
    async fn put_flow(&self, tenant: &TenantId, name: &str, definition: &Value) -> Result<FlowInfo, FlowRefusal>;

    /// Takes one away.
    ///
    /// # Errors
    /// [`FlowRefusal::NotFound`]; [`FlowRefusal::Refused`] for one of the configuration.
    async fn remove_flow(&self, tenant: &TenantId, name: &str) -> Result<(), FlowRefusal>;

    /// What a flow would have sent for the last changes of its entity.
    ///
    /// # Errors
    /// [`FlowRefusal::NotFound`].
    async fn dry_run(&self, tenant: &TenantId, name: &str, last: u32) -> Result<Vec<DryRunInfo>, FlowRefusal>;

    /// Sends a dead, withheld or expired delivery again.
    ///
    /// # Errors
    /// [`FlowRefusal::NotFound`]; [`FlowRefusal::Refused`] for one in another state.
    async fn replay(&self, tenant: &TenantId, delivery: i64) -> Result<(), FlowRefusal>;

    /// Sends every dead delivery of a flow again; how many.
    ///
    /// # Errors
    /// [`FlowRefusal::NotFound`].
    async fn replay_dead(&self, tenant: &TenantId, name: &str) -> Result<u64, FlowRefusal>;

    /// The actions of a tenant's destinations.
    fn actions(&self, tenant: &TenantId) -> Vec<ActionEntry>;

    /// What an action by hand would send.
    ///
    /// # Errors
    /// [`FlowRefusal::NotFound`] for the flow; [`FlowRefusal::Defects`] for what cannot be worked out.
    async fn try_action(&self, tenant: &TenantId, ask: ActionAsk) -> Result<ActionPlan, FlowRefusal>;

    /// Does an action by hand: the number of its delivery, and false when it was made before with the same idempotency key.
    ///
    /// # Errors
    /// As [`FlowControl::try_action`]; [`FlowRefusal::Defects`] also for an input that the action does not take;
    /// [`FlowRefusal::Refused`] for one that would go round in circles.
    async fn act(&self, tenant: &TenantId, ask: ActionAsk) -> Result<(i64, bool), FlowRefusal>;
}

/// An action that can be done at a destination.
#[derive(Debug, Clone)]
pub struct ActionEntry {
    /// The destination.
    pub connection: ConnectionName,
    /// Name of the action.
    pub action: String,
    /// One line for people.
    pub description: String,
    /// JSON Schema of the input; none takes any object.
    pub input_schema: Option<Value>,
    /// Can a repeated attempt do it twice?
    pub may_repeat: bool,
}

/// An action that a person wants done.
#[derive(Debug, Clone)]
pub struct ActionAsk {
    /// The record that it is about.
    pub record: RecordId,
    /// What to do, and what to send.
    pub work: ActionWork,
    /// Who: the name of the key.
    pub by: String,
    /// Reason for the action.
    pub reason: String,
    /// What makes a second ask the same as the first.
    pub idempotency_key: Option<String>,
}

/// Where the input of an action comes from.
#[derive(Debug, Clone)]
pub enum ActionWork {
    /// What a flow would send, with other keys in its map.
    Flow {
        /// Name of the flow.
        name: String,
        /// As in a flow.
        map: Option<Value>,
    },
    /// What a map makes of the record.
    Map {
        /// The destination.
        connection: ConnectionName,
        /// What to do there.
        action: String,
        /// As in a flow.
        map: Value,
        /// As in a flow.
        fields: Value,
        /// As in a flow.
        with: Value,
    },
    /// As it is given.
    Input {
        /// The destination.
        connection: ConnectionName,
        /// What to do there.
        action: String,
        /// An object.
        input: Value,
    },
}

/// What an action by hand would send.
#[derive(Debug, Clone)]
pub struct ActionPlan {
    /// The change of the record that it is made for.
    pub change: renmen_store::ChangeRow,
    /// The destination.
    pub connection: ConnectionName,
    /// What it does there.
    pub action: String,
    /// The flow that it is worked out by.
    pub flow: Option<String>,
    /// The action's input.
    pub input: Value,
    /// What of it the action does not take: a JSON Pointer, and what is wrong.
    pub defects: Vec<(String, String)>,
    /// Why it would not be done.
    pub refused: Option<String>,
}

/// A flow as it stands.
#[derive(Debug, Clone)]
pub struct FlowInfo {
    /// Name.
    pub name: String,
    /// Version, from 1.
    pub version: i64,
    /// Where it is defined.
    pub origin: FlowOrigin,
    /// Does it make deliveries?
    pub enabled: bool,
    /// As it was given.
    pub definition: Value,
    /// The last change that it was asked about.
    pub position: i64,
    /// When it was last defined. Milliseconds since the epoch.
    pub changed_at_ms: i64,
    /// Why it cannot run by now.
    pub defects: Vec<FlowDefect>,
}

/// What is wrong with a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowDefect {
    /// `when.if`; empty for the whole.
    pub key: String,
    /// Where in that key's text, in characters from 0.
    pub at: Option<usize>,
    /// Description of the problem.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

/// What a flow would have said to one change.
#[derive(Debug, Clone)]
pub struct DryRunInfo {
    /// The change.
    pub change: renmen_store::ChangeRow,
    /// What would be sent: nothing when it passes, or cannot tell.
    pub sends: Option<DryRunSend>,
    /// Why nothing would be sent.
    pub reason: Option<String>,
    /// True: it cannot tell what to send, which leaves a dead delivery.
    pub fault: bool,
}

/// What would be sent.
#[derive(Debug, Clone)]
pub struct DryRunSend {
    /// The action's input.
    pub input: Value,
    /// The idempotency key.
    pub key: String,
    /// When. Milliseconds since the epoch.
    pub not_before_ms: i64,
    /// Not after.
    pub deadline_ms: Option<i64>,
}

/// Why it was not done. Texts are for people and hold nobody's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowRefusal {
    /// No such flow or delivery for this tenant.
    NotFound,
    /// The definition cannot be used.
    Defects(Vec<FlowDefect>),
    /// It is there but cannot be done.
    Refused(String),
    /// The store is away.
    Unavailable(String),
    /// A fault: logged and not shown.
    Failed(String),
}

/// The flows of a gateway that has none.
pub(crate) struct NoFlows;

#[async_trait]
impl FlowControl for NoFlows {
    async fn flows(&self, _tenant: &TenantId) -> Result<Vec<FlowInfo>, FlowRefusal> {
        Ok(Vec::new())
    }
    async fn flow(&self, _tenant: &TenantId, _name: &str) -> Result<FlowInfo, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn put_flow(&self, _tenant: &TenantId, _name: &str, _definition: &Value) -> Result<FlowInfo, FlowRefusal> {
        Err(FlowRefusal::Refused("this gateway runs no flows".into()))
    }
    async fn remove_flow(&self, _tenant: &TenantId, _name: &str) -> Result<(), FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn dry_run(&self, _tenant: &TenantId, _name: &str, _last: u32) -> Result<Vec<DryRunInfo>, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn replay(&self, _tenant: &TenantId, _delivery: i64) -> Result<(), FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    async fn replay_dead(&self, _tenant: &TenantId, _name: &str) -> Result<u64, FlowRefusal> {
        Err(FlowRefusal::NotFound)
    }
    fn actions(&self, _tenant: &TenantId) -> Vec<ActionEntry> {
        Vec::new()
    }
    async fn try_action(&self, _tenant: &TenantId, _ask: ActionAsk) -> Result<ActionPlan, FlowRefusal> {
        Err(FlowRefusal::Refused("this gateway runs no flows".into()))
    }
    async fn act(&self, _tenant: &TenantId, _ask: ActionAsk) -> Result<(i64, bool), FlowRefusal> {
        Err(FlowRefusal::Refused("this gateway runs no flows".into()))
    }
}
