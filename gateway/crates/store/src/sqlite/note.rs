//! What a run tells beside its records.

use renmen_schema::id::{RunId, TenantId};
use rusqlite::{Connection, params};

use super::query::{all, one, run};
use crate::limits::without_nul;
use crate::rows;
use crate::{PageNotes, RunFinding, RunOmission, StoreError, codes};

/// Adds what one page told to its run.
pub(super) fn insert(connection: &Connection, id: RunId, notes: &PageNotes) -> Result<(), StoreError> {
    insert_findings(connection, id, &notes.findings)?;
    for omission in &notes.omissions {
        let RunOmission { part, rule, count, places } = omission;
        let sql = "INSERT INTO omission (run, part, rule, count, places) VALUES (?1, ?2, ?3, ?4, ?5)";
        let places = without_nul(&places.join("\n"));
        run(connection, sql, params![id.0, without_nul(part), without_nul(rule), *count as i64, places])?;
    }
    let omitted: u64 = notes.omissions.iter().map(|omission| omission.count).sum();
    if omitted > 0 || notes.total.is_some() {
        let sql = "UPDATE run SET omitted = omitted + ?2, total = coalesce(?3, total) WHERE id = ?1";
        run(connection, sql, params![id.0, omitted as i64, notes.total.map(|total| total as i64)])?;
    }
    Ok(())
}

/// Adds findings to a run.
pub(super) fn insert_findings(connection: &Connection, id: RunId, findings: &[RunFinding]) -> Result<(), StoreError> {
    for finding in findings {
        let RunFinding { part, code, message, needs, missing } = finding;
        let sql = "INSERT INTO finding (run, part, code, message, needs, missing) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (part, code, message) = (without_nul(part), without_nul(code), without_nul(message));
        run(connection, sql, params![id.0, part, code, message, codes::of_remedy(*needs), missing])?;
    }
    if !findings.is_empty() {
        let sql = "UPDATE run SET findings = findings + ?2 WHERE id = ?1";
        run(connection, sql, params![id.0, findings.len() as i64])?;
    }
    Ok(())
}

/// What the pages of a run told.
pub(super) fn of_run(connection: &Connection, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
    let sql = "SELECT u.total FROM run u JOIN stream t ON t.id = u.stream WHERE u.id = ?1 AND t.tenant = ?2";
    let found = one(connection, sql, params![id.0, tenant.as_str()], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    let Some(total) = found else { return Ok(PageNotes::default()) };
    let sql = "SELECT part, code, message, needs, missing FROM finding WHERE run = ?1 ORDER BY id";
    let findings = all(connection, sql, [id.0], |row| rows::finding(row))?;
    let sql = "SELECT part, rule, count, places FROM omission WHERE run = ?1 ORDER BY id";
    let omissions = all(connection, sql, [id.0], |row| rows::omission(row))?;
    Ok(PageNotes { findings, omissions, total: total.and_then(|total| u64::try_from(total).ok()) })
}
