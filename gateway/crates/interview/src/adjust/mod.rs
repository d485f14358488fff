//! Adjust instructions: what people ask a vendor to change in its model, from the request to its outcome.
//!
//! An instruction is a record of the built-in connection. People propose, approve, reject and take back; each act is
//! kept with who, when and why. A flow carries an instruction to its vendor while it is APPROVED, and takes it back
//! while it is REVERTING; which action that is, only the flow knows. The outcome is read from the deliveries and from
//! the vendor's own record (`follow`), so that it does not matter which of them is heard first, and a restart between
//! any two of them loses nothing.
//!
//! Reading order: `ask` (what people do), `known` (what is known of the model already), `follow` (the outcome),
//! `waiting` (what is told when an instruction waits too long).

mod ask;
mod follow;
mod known;
mod waiting;

use renmen_schema::entity::ModelAdjustment;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{Parent, RecordQuery, Store, StoreError};

pub use ask::{AdjustAct, AdjustActKind, Adjusted, ProposeAsk, act_on_adjustment, propose_adjustment};
pub(crate) use follow::{followed, is_theirs, wake};
pub use waiting::WaitingAdjustment;
pub(crate) use waiting::waiting;

use crate::author;
use crate::dossier::Read;
use crate::sources::Sources;

/// The entity.
pub(crate) const ENTITY: &str = "model_adjustment";
/// Records read at once.
const PAGE: u32 = 500;

/// What the operator decides about adjust instructions.
#[derive(Debug, Clone)]
pub struct AdjustOptions {
    /// May the person who proposed an instruction approve it too?
    pub self_approval: bool,
    /// How long one may wait for approval, or for its vendor, before that is told. Milliseconds.
    pub wait_ms: i64,
    /// The vendors whose models may be adjusted.
    pub sources: Sources,
}

impl Default for AdjustOptions {
    fn default() -> Self {
        Self { self_approval: false, wait_ms: 72 * 3_600_000, sources: Sources::default() }
    }
}

/// The vendor's own record of an instruction.
fn theirs(vendor: &ConnectionName, receipt: &str) -> Parent {
    Parent { connection: vendor.clone(), entity: ENTITY.to_owned(), external_id: receipt.to_owned() }
}

/// Every instruction of the gateway's own, in the order of their first commit.
async fn own(
    store: &dyn Store,
    tenant: &TenantId,
    mut visit: impl FnMut(Read<ModelAdjustment>) + Send,
) -> Result<(), StoreError> {
    let mut query = RecordQuery {
        entity: Some(ENTITY.to_owned()),
        connection: Some(author::built_in()),
        limit: PAGE,
        ..RecordQuery::default()
    };
    loop {
        let slice = store.records(tenant, &query).await?;
        slice.items.into_iter().filter_map(Read::of).for_each(&mut visit);
        match slice.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}
