//! A record as the API shows it: its envelope flat, its canonical body under `body`. The body's bytes are those of the
//! store: they are checked to be JSON and passed through, never taken apart and built again, so that a client can
//! compute the same content hash.

use renmen_schema::id::TenantId;
use renmen_store::{DeletedBy, RecordRow};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::references::ReferenceView;
use crate::instant::Time;
use crate::problem::Problem;

/// A record: its envelope, and its body in the form of its entity.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Record {
    /// The gateway's id, which never changes.
    #[schema(format = "uuid")]
    id: String,
    /// The canonical entity: `employee`.
    entity: String,
    /// The version of the canonical schema that this gateway speaks.
    schema_version: &'static str,
    /// The tenant that owns it.
    tenant: String,
    /// Ids of this record in source systems.
    external_ids: Vec<ExternalIdView>,
    /// Where this revision came from.
    source: Source,
    /// When the first revision was committed.
    created_at: Time,
    /// When this revision was committed.
    recorded_at: Time,
    /// When it changed by the vendor's clock, if the vendor reports it.
    source_updated_at: Option<Time>,
    /// Revision, from 1.
    revision: i64,
    /// BLAKE3 of the body's bytes, the first 16 of them in hexadecimal.
    content_hash: String,
    /// Set when the source no longer has it; the body is then the last one known.
    deletion: Option<Deletion>,
    /// The canonical record.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
    /// With `include=references` or `expand`: each reference in the body that was asked for, with the record that it means now.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Vec<ReferenceView>>,
    /// With `include=references` or `expand`: true when the body has more than are shown (`references_max` for one response).
    #[serde(skip_serializing_if = "Option::is_none")]
    references_truncated: Option<bool>,
}

/// One of a record's ids at a vendor.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecordExternalId)]
pub(crate) struct ExternalIdView {
    /// The connection that it came through.
    connection: String,
    /// What it is the id of: the entity.
    object_type: String,
    /// The vendor's id.
    value: String,
}

/// Where a revision came from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Source {
    /// The connection.
    connection: String,
    /// The stream.
    stream: String,
    /// The plugin.
    connector: String,
    /// The plugin's version.
    connector_version: String,
}

/// A tombstone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Deletion {
    /// When it was committed.
    at: Time,
    /// How the deletion was detected.
    #[schema(value_type = DetectedBy)]
    detected_by: DeletedBy,
    /// The run that found it.
    run_id: i64,
}

/// Who said that a record is gone.
#[derive(ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "describes the store's type in the OpenAPI document")]
pub(crate) enum DetectedBy {
    /// The vendor, in an event.
    SourceEvent,
    /// The vendor, in a read.
    SourceFlag,
    /// A run that listed everything did not list it.
    FullDiff,
    /// A person.
    Manual,
}

impl Record {
    /// # Errors
    /// A fault when the store's bytes are not JSON.
    pub(crate) fn of(tenant: &TenantId, row: RecordRow) -> Result<Self, Problem> {
        let deletion = row.deleted.map(|detected_by| Deletion {
            at: Time(row.recorded_at_ms),
            detected_by,
            run_id: row.origin.run.0,
        });
        Ok(Self {
            id: row.id.to_string(),
            schema_version: renmen_schema::SCHEMA_VERSION,
            tenant: tenant.to_string(),
            external_ids: vec![ExternalIdView {
                connection: row.connection.to_string(),
                object_type: row.entity.clone(),
                value: row.external_id,
            }],
            entity: row.entity,
            source: Source {
                connection: row.connection.to_string(),
                stream: row.origin.stream.to_string(),
                connector: row.origin.plugin.name,
                connector_version: row.origin.plugin.version,
            },
            created_at: Time(row.created_at_ms),
            recorded_at: Time(row.recorded_at_ms),
            source_updated_at: row.source_updated_at_ms.map(Time),
            revision: row.revision,
            content_hash: hex::encode(row.hash.0),
            deletion,
            body: raw(row.body)?,
            references: None,
            references_truncated: None,
        })
    }

    /// The same with its references. The second: it has more.
    pub(crate) fn with_references(self, (references, truncated): (Vec<ReferenceView>, bool)) -> Self {
        Self { references: Some(references), references_truncated: Some(truncated), ..self }
    }
}

impl Record {
    /// A stored body as JSON.
    pub(crate) fn body_of(body: Vec<u8>) -> Result<Box<RawValue>, Problem> {
        raw(body)
    }
}

fn raw(body: Vec<u8>) -> Result<Box<RawValue>, Problem> {
    // A source may say that a record is gone which it never sent.
    if body.is_empty() {
        return Ok(RawValue::NULL.to_owned());
    }
    let text = String::from_utf8(body).map_err(|_| Problem::fault(&"a stored body is not UTF-8"))?;
    RawValue::from_string(text).map_err(|_| Problem::fault(&"a stored body is not JSON"))
}
