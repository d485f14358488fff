//! A change as clients read it, on whichever road: a page, a long poll, an event stream, a flow's dry run.

use renmen_schema::EntityKind;
use renmen_schema::id::TenantId;
use renmen_store::{ChangeKind, ChangeRow};
use serde::Serialize;
use utoipa::ToSchema;

use super::position::Position;
use super::record_view::Record;
use crate::instant::Time;

/// One thing that happened to a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Change {
    /// Its position: pass it as `after` to go on behind it.
    pub(crate) cursor: String,
    /// What happened.
    #[schema(value_type = ChangeKindName)]
    pub(crate) kind: ChangeKind,
    /// Id of the record.
    #[schema(format = "uuid")]
    record_id: String,
    /// The record, as a path of this API.
    record_url: Option<String>,
    /// Entity of the record.
    entity: String,
    /// The connection that it came through.
    connection: String,
    /// The vendor's id.
    external_id: String,
    /// The revision that this change made.
    revision: i64,
    /// When it was committed.
    at: Time,
    /// With `include=record`: the record as `record_url` returns it now, which may be a later revision than the one this change made.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Record>,
}

/// What happened to a record.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the store's type in the OpenAPI document")]
pub(crate) enum ChangeKindName {
    /// First revision.
    Created,
    /// Another body, or a record that came back.
    Updated,
    /// Tombstone.
    Deleted,
}

impl Change {
    /// `epoch`: of the store when the row was read; none where the position is only to be looked at.
    pub(crate) fn of(row: ChangeRow, epoch: Option<u32>) -> Self {
        let collection = EntityKind::from_name(&row.entity).map(EntityKind::collection);
        Self {
            cursor: Position { seq: row.seq, epoch }.to_string(),
            kind: row.kind,
            record_id: row.id.to_string(),
            record_url: collection.map(|collection| format!("/v1/{collection}/{}", row.id)),
            entity: row.entity,
            connection: row.connection.to_string(),
            external_id: row.external_id,
            revision: row.revision,
            at: Time(row.at_ms),
            record: None,
        }
    }

    /// The same with the record as it is now.
    pub(super) fn with(self, record: Option<Record>) -> Self {
        Self { record, ..self }
    }
}

/// Which part of the feed a reader wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) tenant: TenantId,
    pub(crate) after: i64,
    pub(crate) entity: Option<&'static str>,
    pub(crate) limit: u32,
}
