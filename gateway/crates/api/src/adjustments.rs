//! What the API asks about adjust instructions: the binary puts it together with the interview loop.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::RecordRow;
use serde_json::Value;

use crate::interviews::InterviewsError;

/// Adjust instructions as the API sees them.
#[async_trait]
pub trait Adjustments: Send + Sync {
    /// Keeps an instruction that a person proposes; false when it was there, under the same idempotency key.
    ///
    /// # Errors
    /// [`InterviewsError`]: `Invalid` for one that cannot be carried out, `Refused` for one that starts from values that are known
    /// to be old.
    async fn propose(&self, tenant: &TenantId, new: NewAdjustment) -> Result<(RecordRow, bool), InterviewsError>;

    /// Does something about one. The same again gives it as it stands.
    ///
    /// # Errors
    /// [`InterviewsError`]: `Refused` as things stand.
    async fn act(&self, tenant: &TenantId, id: RecordId, ask: AdjustmentAsk) -> Result<RecordRow, InterviewsError>;
}

/// An instruction that a person proposes.
#[derive(Debug, Clone)]
pub struct NewAdjustment {
    /// `target`, `ops` and `evidence`, as the entity has them.
    pub instruction: Value,
    /// Who: the name of the key.
    pub person: String,
    /// Reason for the change.
    pub reason: String,
    /// What makes a second ask the same as the first.
    pub idempotency_key: Option<String>,
}

/// What a person does about an instruction.
#[derive(Debug, Clone)]
pub struct AdjustmentAsk {
    /// The action.
    pub doing: AdjustmentDoing,
    /// Who: the name of the key.
    pub person: String,
    /// Reason for the action.
    pub reason: String,
}

/// What can be done about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentDoing {
    /// It may go to the vendor.
    Approve,
    /// It may not.
    Reject,
    /// It is taken back, from this version of the model.
    Revert(Option<u32>),
}
