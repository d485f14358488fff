//! Records that waited in quarantine for too long.

use super::{PassStep, Rule, STEP_ROWS, Session, count, note_oldest, too_old_before, values};
use crate::StoreError;
use crate::retention::RetainedKind;

pub(super) async fn delete(
    session: &impl Session,
    rules: &[Rule],
    at: usize,
    now_ms: i64,
) -> Result<PassStep, StoreError> {
    let Some((owner, quota)) = rules.get(at) else { return Ok(PassStep::Runs { owner: 0, stream: 0 }) };
    let next = PassStep::Quarantine { owner: at + 1 };
    let Some(before_ms) = too_old_before(now_ms, quota.quarantine_age_max_ms) else { return Ok(next) };
    let (tenant, connection) = (&owner.0, &owner.1);
    let sql = "DELETE FROM quarantine WHERE id IN
               (SELECT q.id FROM quarantine q JOIN stream t ON t.id = q.stream
                WHERE t.tenant = $1 AND t.connection = $2 AND q.at_ms < $3 ORDER BY q.id LIMIT $4)";
    let dropped = session.run(sql, values![tenant, connection, before_ms, STEP_ROWS]).await?;
    count(session, (tenant.as_str(), connection.as_str()), RetainedKind::Quarantine, dropped, now_ms).await?;
    if dropped >= STEP_ROWS.unsigned_abs() {
        return Ok(PassStep::Quarantine { owner: at });
    }
    let sql = "SELECT min(q.at_ms) FROM quarantine q JOIN stream t ON t.id = q.stream WHERE t.tenant = $1 AND t.connection = $2";
    let oldest = session.one(sql, values![tenant, connection], |row| row.int_or_none(0)).await?.flatten();
    note_oldest(session, owner, RetainedKind::Quarantine, oldest).await?;
    Ok(next)
}
