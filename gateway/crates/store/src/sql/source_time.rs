//! The vendor's times, by which a state that comes late is known.

use super::{Session, values};
use crate::StoreError;

/// The same state at a later time: what is older than that comes late from now on.
pub(crate) async fn note(session: &impl Session, row: i64, at_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE record SET source_updated_at = $2 WHERE id = $1";
    session.run(sql, values![row, at_ms]).await.map(drop)
}

/// Remembers the deletion of a record that was never seen.
pub(crate) async fn note_deleted_unseen(
    session: &impl Session,
    (scope, external_id): (i64, &str),
    at_ms: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gone (scope, external_id, source_at, noted_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (scope, external_id) DO UPDATE SET source_at =
               CASE WHEN gone.source_at < excluded.source_at THEN excluded.source_at ELSE gone.source_at END";
    session.run(sql, values![scope, external_id, at_ms, now_ms]).await.map(drop)
}
