//! What a run tells beside its records.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{RunId, TenantId};

use super::query::{all, one, run};
use crate::limits::without_nul;
use crate::rows::{self, Columns};
use crate::{PageNotes, RunFinding, RunOmission, StoreError, codes};

/// Adds what one page told to its run.
pub(super) async fn insert(client: &impl GenericClient, id: RunId, notes: &PageNotes) -> Result<(), StoreError> {
    insert_findings(client, id, &notes.findings).await?;
    for omission in &notes.omissions {
        let RunOmission { part, rule, count, places } = omission;
        let sql = "INSERT INTO omission (run, part, rule, count, places) VALUES ($1, $2, $3, $4, $5)";
        let places = without_nul(&places.join("\n"));
        run(client, sql, &[&id.0, &without_nul(part), &without_nul(rule), &(*count as i64), &places]).await?;
    }
    let omitted: u64 = notes.omissions.iter().map(|omission| omission.count).sum();
    if omitted > 0 || notes.total.is_some() {
        let sql = "UPDATE run SET omitted = omitted + $2, total = coalesce($3, total) WHERE id = $1";
        run(client, sql, &[&id.0, &(omitted as i64), &notes.total.map(|total| total as i64)]).await?;
    }
    Ok(())
}

/// Adds findings to a run.
pub(super) async fn insert_findings(
    client: &impl GenericClient,
    id: RunId,
    findings: &[RunFinding],
) -> Result<(), StoreError> {
    for finding in findings {
        let RunFinding { part, code, message, needs, missing } = finding;
        let sql = "INSERT INTO finding (run, part, code, message, needs, missing) VALUES ($1, $2, $3, $4, $5, $6)";
        let (part, code, message) = (without_nul(part), without_nul(code), without_nul(message));
        let (needs, missing) = (codes::of_remedy(*needs), i64::from(*missing));
        run(client, sql, &[&id.0, &part, &code, &message, &needs, &missing]).await?;
    }
    if !findings.is_empty() {
        let sql = "UPDATE run SET findings = findings + $2 WHERE id = $1";
        run(client, sql, &[&id.0, &(findings.len() as i64)]).await?;
    }
    Ok(())
}

/// What the pages of a run told.
pub(super) async fn of_run(client: &impl GenericClient, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
    let sql = "SELECT u.total FROM run u JOIN stream t ON t.id = u.stream WHERE u.id = $1 AND t.tenant = $2";
    let Some(row) = one(client, sql, &[&id.0, &tenant.as_str()]).await? else { return Ok(PageNotes::default()) };
    let total = row.int_or_none(0)?.and_then(|total| u64::try_from(total).ok());
    let sql = "SELECT part, code, message, needs, missing FROM finding WHERE run = $1 ORDER BY id";
    let findings = all(client, sql, &[&id.0]).await?.iter().map(rows::finding).collect::<Result<_, _>>()?;
    let sql = "SELECT part, rule, count, places FROM omission WHERE run = $1 ORDER BY id";
    let omissions = all(client, sql, &[&id.0]).await?.iter().map(rows::omission).collect::<Result<_, _>>()?;
    Ok(PageNotes { findings, omissions, total })
}
