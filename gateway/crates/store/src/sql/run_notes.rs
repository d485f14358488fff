//! What a run reports besides its records.

use renmen_schema::id::{RunId, TenantId};

use super::{Session, values};
use crate::limits::without_nul;
use crate::rows;
use crate::{PageNotes, RunFinding, RunOmission, StoreError, codes};

/// Adds what one page reported to its run.
pub(crate) async fn insert(session: &impl Session, id: RunId, notes: &PageNotes) -> Result<(), StoreError> {
    insert_findings(session, id, &notes.findings).await?;
    for RunOmission { part, rule, count, places } in &notes.omissions {
        let (number, next) = session.dialect().own_number("omission");
        let sql =
            format!("INSERT INTO omission ({number}run, part, rule, count, places) VALUES ({next}$1, $2, $3, $4, $5)");
        let places = without_nul(&places.join("\n"));
        session.run(&sql, values![id.0, without_nul(part), without_nul(rule), *count, places]).await?;
    }
    let omitted: u64 = notes.omissions.iter().map(|omission| omission.count).sum();
    if omitted > 0 || notes.total.is_some() {
        let sql = "UPDATE run SET omitted = omitted + $2, total = coalesce($3, total) WHERE id = $1";
        session.run(sql, values![id.0, omitted, notes.total]).await?;
    }
    Ok(())
}

/// Adds findings to a run.
pub(crate) async fn insert_findings(
    session: &impl Session,
    id: RunId,
    findings: &[RunFinding],
) -> Result<(), StoreError> {
    for RunFinding { part, code, message, needs, missing } in findings {
        let (number, next) = session.dialect().own_number("finding");
        let sql = format!(
            "INSERT INTO finding ({number}run, part, code, message, needs, missing) VALUES ({next}$1, $2, $3, $4, $5, $6)"
        );
        let (part, code, message) = (without_nul(part), without_nul(code), without_nul(message));
        session.run(&sql, values![id.0, part, code, message, codes::remedy_code(*needs), *missing]).await?;
    }
    if !findings.is_empty() {
        let sql = "UPDATE run SET findings = findings + $2 WHERE id = $1";
        session.run(sql, values![id.0, findings.len()]).await?;
    }
    Ok(())
}

/// What the pages of a run told.
pub(crate) async fn of_run(session: &impl Session, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
    let sql = "SELECT u.total FROM run u JOIN stream t ON t.id = u.stream WHERE u.id = $1 AND t.tenant = $2";
    let total = session.one(sql, values![id.0, tenant], |row| row.int_or_none(0)).await?;
    let Some(total) = total else { return Ok(PageNotes::default()) };
    let sql = "SELECT part, code, message, needs, missing FROM finding WHERE run = $1 ORDER BY id";
    let findings = session.all(sql, values![id.0], rows::finding).await?;
    let sql = "SELECT part, rule, count, places FROM omission WHERE run = $1 ORDER BY id";
    let omissions = session.all(sql, values![id.0], rows::omission).await?;
    Ok(PageNotes { findings, omissions, total: total.and_then(|total| u64::try_from(total).ok()) })
}
