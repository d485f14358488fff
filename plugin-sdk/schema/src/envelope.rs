//! What stands around a body when a record is read out: whose it is, where it came from, and what became of it.

use crate::code::DeletionCause;
use crate::id::{ConnectionName, RecordId, RunId, TenantId};
use crate::shape::shape;
use crate::types::{ExternalId, Instant};

shape! {
    /// The envelope of every record. The body is kept separate from it, so that it can be passed on without being read.
    pub struct Envelope {
        /// The record's own id, stable for life.
        pub id: RecordId,
        /// Which entity, in the singular.
        pub entity: String,
        /// The release of the canonical schema that the body was written by.
        pub schema_version: String,
        /// The tenant that owns it.
        pub tenant: TenantId,
        /// Its ids in other systems.
        pub external_ids: Vec<ExternalId>,
        /// Where it came from.
        pub source: RecordSource,
        /// When we saw this revision.
        pub recorded_at: Instant,
        /// When the source last changed it, as the source says.
        pub source_updated_at: Option<Instant>,
        /// From 1, rising with every change of the body.
        pub revision: u64,
        /// Hash of the canonical body, in hexadecimal digits.
        pub content_hash: String,
        /// Set when the record is gone.
        pub deletion: Option<Deletion>,
    }
}

shape! {
    /// Where a record came from.
    pub struct RecordSource {
        /// Through which connection.
        pub connection: ConnectionName,
        /// The connector.
        pub connector: String,
        /// Which version of it.
        pub connector_version: String,
        /// The stream.
        pub stream: Option<String>,
    }
}

shape! {
    /// How a record went.
    pub struct Deletion {
        /// When we learnt of it.
        pub at: Instant,
        /// How we learnt of it.
        pub detected_by: DeletionCause,
        /// The run that found it.
        pub run: Option<RunId>,
        /// When it was last seen.
        pub last_seen_at: Option<Instant>,
        /// The body is gone as well.
        pub hard: bool,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Envelope;

    const GONE: &str = concat!(
        r#"{"id":"018f3c1e-0000-7000-8000-000000000001","entity":"employee","schema_version":"0.1.0","tenant":"main","#,
        r#""external_ids":[{"connection":"staff","value":"7"}],"#,
        r#""source":{"connection":"staff","connector":"staff-api","connector_version":"0.1.0","stream":"employees"},"#,
        r#""recorded_at":"2025-03-01T01:00:00.000Z","revision":2,"content_hash":"00","#,
        r#""deletion":{"at":"2025-03-01T01:00:00.000Z","detected_by":"FULL_DIFF","run":7,"hard":false}}"#
    );

    #[test]
    fn an_envelope_reads_back_as_it_was_written() {
        let envelope: Envelope = serde_json::from_str(GONE).unwrap();
        assert_eq!(serde_json::to_string(&envelope).unwrap(), GONE);
        assert!(serde_json::from_str::<Envelope>(&GONE.replace("FULL_DIFF", "GUESS")).is_err());
        assert!(serde_json::from_str::<Envelope>(&GONE.replace(r#""main""#, r#""No Tenant""#)).is_err());
    }
}
