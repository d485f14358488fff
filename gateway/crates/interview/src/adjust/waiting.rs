//! Instructions that wait too long, for a person or for their vendor: told in health and as a figure.

use renmen_schema::code::AdjustmentStatus as Status;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{Store, StoreError};

use super::own;

/// An instruction that waits longer than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingAdjustment {
    /// The id of the instruction's record.
    pub id: RecordId,
    /// Where it stands.
    pub status: Status,
    /// Since when it has waited, in milliseconds since the epoch.
    pub since_ms: i64,
}

impl WaitingAdjustment {
    /// What it waits for, and what to do.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.status {
            Status::Proposed => "it waits for approval: approve or reject it",
            Status::Approved => {
                "it was approved and has not reached the vendor: is there a flow that carries it, and how does its delivery stand?"
            }
            Status::Reverting => {
                "it is to be taken back and the vendor has not done so: is there a flow that carries it, and how does its delivery \
                 stand?"
            }
            _ => "the vendor has it and does not say what became of it: ask the vendor",
        }
    }
}

/// Those that are where they are for longer than this, the longest first.
pub(crate) async fn waiting(
    store: &dyn Store,
    tenant: &TenantId,
    wait_ms: i64,
    now_ms: i64,
) -> Result<Vec<WaitingAdjustment>, StoreError> {
    let mut found = Vec::new();
    own(store, tenant, |read| {
        let (status, since_ms) = (read.body.status, read.row.recorded_at_ms);
        let open = !matches!(status, Status::Applied | Status::Rejected | Status::Reverted);
        if open && now_ms - since_ms > wait_ms {
            found.push(WaitingAdjustment { id: read.row.id, status, since_ms });
        }
    })
    .await?;
    found.sort_by_key(|one| (one.since_ms, one.id));
    Ok(found)
}
