//! How a record of the gateway's own is made: a valid body of its entity, under an id that is the same whenever it is written for
//! the same reason.

use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_schema::types::{ExternalId, Instant, Ref};
use renmen_schema::{Entity, check::Walk};
use renmen_store::{AuthoredRecord, BUILT_IN_CONNECTION, Cause, RecordRow, Store, StreamKey};

use crate::{InterviewError, subject};

/// A body as an authored record.
///
/// # Errors
/// [`InterviewError::Fault`] for a body that its own entity refuses: what we write is held to what vendors are held to.
pub(crate) fn record<E: Entity>(
    external_id: impl Into<String>,
    body: &E,
    causes: Vec<Cause>,
) -> Result<AuthoredRecord, InterviewError> {
    if let Some(defect) = Walk::over(body).first() {
        return Err(InterviewError::Fault(format!("a {} of our own is not valid: {defect}", E::KIND)));
    }
    let body = body.to_payload();
    let entity = E::KIND.name();
    // Linked as it is written: a look that comes before the feed told of it must know it.
    let parents = if subject::is_followed(entity) { subject::named(&body, &built_in()) } else { Vec::new() };
    Ok(AuthoredRecord {
        entity: entity.to_owned(),
        external_id: external_id.into(),
        body,
        deleted: None,
        causes,
        expect: None,
        parents,
    })
}

/// Another revision of a record that was read; refused when someone else changed it in the meantime.
///
/// # Errors
/// As [`record`].
pub(crate) fn revised<E: Entity>(
    row: &RecordRow,
    body: &E,
    causes: Vec<Cause>,
) -> Result<AuthoredRecord, InterviewError> {
    let made = record(row.external_id.as_str(), body, causes)?;
    Ok(AuthoredRecord { expect: Some(row.revision), ..made })
}

/// Milliseconds as a time of a record.
pub(crate) fn instant(ms: i64) -> Result<Instant, InterviewError> {
    Instant::from_epoch_ms(ms).map_err(|bad| InterviewError::Fault(format!("the clock shows no time: {bad}")))
}

/// A row as a cause.
pub(crate) fn cause(row: &RecordRow) -> Cause {
    Cause { record: row.id, revision: row.revision }
}

/// A reference by the id that another connection gave, and by ours where it is known.
pub(crate) fn reference<E>(connection: &ConnectionName, external_id: &str, id: Option<RecordId>) -> Ref<E> {
    let external = ExternalId { connection: Some(connection.clone()), ..ExternalId::of(external_id) };
    let mut made = Ref::by(external);
    made.id = id;
    made
}

/// Where a stream of ours stands: how far it has read, or how often it was written. 0 before it began.
pub(crate) async fn place(store: &dyn Store, tenant: &TenantId, name: &'static str) -> Result<i64, InterviewError> {
    let key = StreamKey { tenant: tenant.clone(), connection: built_in(), stream: stream(name) };
    let cursor = store.stream_state(&key).await?.cursor;
    cursor.map_or(Ok(0), |text| {
        text.parse().map_err(|_| InterviewError::Fault(format!("the place of stream `{name}` is not a number")))
    })
}

/// A name of ours.
pub(crate) fn stream(name: &'static str) -> StreamName {
    StreamName::new(name).expect("a name of ours is well formed")
}

/// The connection that stands for the gateway.
pub(crate) fn built_in() -> ConnectionName {
    ConnectionName::new(BUILT_IN_CONNECTION).expect("a name of ours is well formed")
}
