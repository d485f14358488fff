//! The connection's configuration: what may differ from company to company. Nothing in it is secret.

use renmen_plugin::Failure;
use serde::Deserialize;

/// The connection's configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// New generation.
    pub api_url: String,
    /// Old generation.
    pub oapi_url: String,
    /// Where the walk over departments begins.
    #[serde(default = "company")]
    pub root_department: i64,
    /// The app's AgentId: in whose name work notifications are sent and the roster is read.
    #[serde(default)]
    pub agent_id: Option<i64>,
    /// Ends every message with a mark of its action; see [`crate::actions`].
    #[serde(default = "yes")]
    pub message_mark: bool,
    /// The approval forms that the stream `approvals` looks into, by process code.
    #[serde(default)]
    pub approval_processes: Vec<String>,
    /// How far back that stream looks, by the day an approval was started. Days, at most 120.
    #[serde(default = "a_month")]
    pub approval_days: u32,
    /// The text field of those forms that carries our mark: what an approval is about, and which action started it.
    #[serde(default)]
    pub approval_reference: Option<String>,
}

impl Config {
    /// The app's AgentId.
    ///
    /// # Errors
    /// [`FailureKind::BadConfig`](renmen_plugin::FailureKind) when it is not set.
    pub fn agent(&self) -> Result<i64, Failure> {
        self.agent_id.ok_or_else(|| {
            Failure::bad_config("`agent_id` is not set: the AgentId on the app's page in the vendor's console")
        })
    }

    /// The form's field that carries our mark.
    ///
    /// # Errors
    /// [`FailureKind::BadConfig`](renmen_plugin::FailureKind) when it is not set.
    pub fn reference_field(&self) -> Result<&str, Failure> {
        self.approval_reference.as_deref().ok_or_else(|| {
            Failure::bad_config(
                "`approval_reference` is not set: add a text field to the approval form and name it here",
            )
        })
    }
}

/// The vendor's id of the whole company.
fn company() -> i64 {
    1
}

fn yes() -> bool {
    true
}

fn a_month() -> u32 {
    30
}
