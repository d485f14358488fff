//! A change as its receivers get it: one CloudEvent, the same on every way.

use renmen_flow::{Failure, Push};
use renmen_schema::event::Change;
use renmen_schema::types::Instant;
use renmen_schema::{EntityKind, FailureKind};
use renmen_store::ChangeKind;
use serde::Serialize;
use serde_json::value::RawValue;

/// The `data` of an event.
#[derive(Serialize)]
struct Data<'p> {
    kind: &'static str,
    record_id: String,
    record_url: Option<String>,
    entity: &'p str,
    connection: &'p str,
    revision: i64,
    /// What the receiver may have of it.
    record: &'p RawValue,
}

/// The event of a push, as JSON.
///
/// # Errors
/// [`FailureKind::InvalidInput`]: no attempt makes another input of it.
pub(super) fn event(push: &Push) -> Result<Vec<u8>, Failure> {
    let cause = &push.cause;
    let record: &RawValue = serde_json::from_slice(&push.input).map_err(|_| bad("the input is not valid JSON"))?;
    let record_id = cause.record.to_string();
    let collection = EntityKind::from_name(&cause.entity).map(EntityKind::collection);
    let kind = match cause.kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Deleted => "deleted",
    };
    let change = Change {
        tenant: push.tenant.as_str(),
        connection: &cause.connection,
        entity: &cause.entity,
        collection,
        record_id: &record_id,
        revision: cause.revision,
        kind,
        seq: cause.seq,
        at: Instant::from_epoch_ms(cause.at_ms).map_err(|_| bad("the change has no time"))?,
        data: Data {
            kind,
            record_id: record_id.clone(),
            record_url: collection.map(|collection| format!("/v1/{collection}/{record_id}")),
            entity: &cause.entity,
            connection: &cause.connection,
            revision: cause.revision,
            record,
        },
    };
    serde_json::to_vec(&change.into_event()).map_err(|_| bad("the event cannot be written"))
}

fn bad(why: &str) -> Failure {
    Failure::new(FailureKind::InvalidInput, why.to_owned())
}
