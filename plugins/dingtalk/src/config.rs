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
    /// In whose name schedules and kinds of leave are read: the user id of an administrator of attendance and approvals.
    #[serde(default)]
    pub attendance_operator: Option<String>,
    /// How many days the stream `attendance` reads, today the last of them. At most 180.
    #[serde(default = "a_week")]
    pub attendance_days: u32,
    /// Reads each punch as well, with its place, and not only what the planned times came to.
    #[serde(default)]
    pub attendance_punches: bool,
    /// How many days the stream `schedules` reads, today the first of them. At most 60.
    #[serde(default = "a_fortnight")]
    pub schedule_days: u32,
    /// How far the stream `leave` reads back, and how far ahead. Days, at most 90.
    #[serde(default = "a_month")]
    pub leave_days: u32,
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

    /// In whose name schedules and kinds of leave are read.
    ///
    /// # Errors
    /// [`FailureKind::BadConfig`](renmen_plugin::FailureKind) when it is not set.
    pub fn operator(&self) -> Result<&str, Failure> {
        self.attendance_operator.as_deref().ok_or_else(|| {
            Failure::bad_config(
                "`attendance_operator` is not set: the user id of an administrator of attendance and approvals",
            )
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

fn a_week() -> u32 {
    7
}

fn a_fortnight() -> u32 {
    14
}

fn a_month() -> u32 {
    30
}
