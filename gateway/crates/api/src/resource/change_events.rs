//! The change feed as CloudEvents: the same changes in the same order, for readers that speak that standard. An event's
//! `sequence` is its position and may be passed as `after`.

use axum::http::header::{ACCEPT, CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use renmen_schema::EntityKind;
use renmen_schema::event::{self, CloudEvent, EVENTS_MEDIA_TYPE};
use renmen_schema::types::Instant;
use renmen_store::{ChangeKind, ChangeRow};
use utoipa::ToSchema;

use super::change_view::{Change, Wanted};
use super::position::Position;
use crate::problem::{Problem, ProblemCode};

/// Does the reader ask for events rather than plain JSON?
pub(crate) fn wanted_as_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let types = accepted.flat_map(|value| value.split(',')).map(|one| one.split(';').next().unwrap_or_default().trim());
    types.into_iter().any(|one| one.eq_ignore_ascii_case(EVENTS_MEDIA_TYPE))
}

/// A piece of the feed as a list of events.
pub(crate) struct ChangeEvents {
    pub(crate) rows: Vec<ChangeRow>,
    /// The position to go on from.
    pub(crate) next: i64,
    /// The store's epoch in which it is handed out.
    pub(crate) epoch: u32,
    pub(crate) wanted: Wanted,
}

impl IntoResponse for ChangeEvents {
    fn into_response(self) -> Response {
        let tenant = self.wanted.tenant.as_str();
        let events: Option<Vec<_>> = self.rows.into_iter().map(|row| event_of(tenant, row, self.epoch)).collect();
        let Some(Ok(body)) = events.map(|events| serde_json::to_vec(&events)) else {
            tracing::error!("Failed to write a change as an event");
            return Problem::new(ProblemCode::Internal).into_response();
        };
        let entity = self.wanted.entity.map(|entity| format!("&entity={entity}")).unwrap_or_default();
        let next = Position { seq: self.next, epoch: Some(self.epoch) };
        let link = format!("</v1/changes?after={next}{entity}>; rel=\"next\"");
        let headers = [(CONTENT_TYPE, EVENTS_MEDIA_TYPE.to_owned()), (LINK, link)];
        (StatusCode::OK, headers, body).into_response()
    }
}

/// None for a time that no calendar has.
fn event_of(tenant: &str, row: ChangeRow, epoch: u32) -> Option<CloudEvent<Change>> {
    let (connection, entity, record_id) = (row.connection.to_string(), row.entity.clone(), row.id.to_string());
    let change = event::Change {
        tenant,
        connection: &connection,
        entity: &entity,
        collection: EntityKind::from_name(&entity).map(EntityKind::collection),
        record_id: &record_id,
        revision: row.revision,
        kind: match row.kind {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
        },
        seq: row.seq,
        at: Instant::from_epoch_ms(row.at_ms).ok()?,
        data: Change::of(row, Some(epoch)),
    };
    Some(change.into_event())
}

/// A change as an event by CloudEvents 1.0.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the event in the OpenAPI document")]
pub(crate) struct ChangeEvent {
    /// `1.0`.
    specversion: String,
    /// Id derived from the record and its revision: the same in every delivery of this change.
    id: String,
    /// Tenant and connection, as a path.
    source: String,
    /// `cn.renmen.employee.updated`.
    r#type: String,
    /// The record, as a path under `/v1/`.
    subject: String,
    /// When it was committed.
    #[schema(format = DateTime)]
    time: String,
    /// `application/json`.
    datacontenttype: String,
    /// Its position, with leading zeros: compared as texts, a later change is greater. May be passed as `after`.
    #[schema(pattern = "^[0-9]{18}$")]
    sequence: String,
    /// The change as the plain feed tells it.
    data: Change,
}
