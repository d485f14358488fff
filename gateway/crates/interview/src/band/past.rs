//! What was asked before this process began, or through another gateway of the same store: counted from the steps that questions
//! leave.

use std::collections::HashMap;

use renmen_schema::entity::ProcessNode;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{ChangeKind, ChangeRow, Parent, RecordQuery, RecordRow, StoreError};

use super::about::case_of;
use super::desk::BandDesk;
use super::limit::Counted;
use crate::author;
use crate::dossier::Read;

/// How the ids of these steps begin.
const PREFIX: &str = "band-match-";
/// Rows read at once.
const BATCH: u32 = 500;

/// The id of the step that a question leaves.
pub(super) fn id_of(step: u128) -> String {
    format!("{PREFIX}{step:032x}")
}

fn step_of(external_id: &str) -> Option<u128> {
    u128::from_str_radix(external_id.strip_prefix(PREFIX)?, 16).ok()
}

/// Counts every step that may still count.
pub(super) async fn recall_all(desk: &BandDesk, tenant: &TenantId) -> Result<(), StoreError> {
    let since_ms = desk.clock.now_ms() - desk.options.window_ms.max(86_400_000);
    let mut query = RecordQuery {
        entity: Some("process_node".into()),
        connection: Some(author::built_in()),
        updated_since_ms: Some(since_ms),
        limit: BATCH,
        ..RecordQuery::default()
    };
    let mut candidates = HashMap::new();
    loop {
        let slice = desk.store.records(tenant, &query).await?;
        for row in slice.items {
            recall(desk, tenant, row, &mut candidates).await?;
        }
        match slice.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Counts the step of a change, unless this process asked it.
pub(super) async fn recall_change(desk: &BandDesk, tenant: &TenantId, change: &ChangeRow) -> Result<(), StoreError> {
    let concerns = change.kind == ChangeKind::Created
        && step_of(&change.external_id).is_some()
        && change.connection == author::built_in();
    if !concerns || desk.own.lock().remove(&change.external_id) {
        return Ok(());
    }
    match desk.store.record(tenant, change.id).await? {
        Some(row) => recall(desk, tenant, row, &mut HashMap::new()).await,
        None => Ok(()),
    }
}

async fn recall(
    desk: &BandDesk,
    tenant: &TenantId,
    row: RecordRow,
    candidates: &mut HashMap<Parent, Parent>,
) -> Result<(), StoreError> {
    let Some(id) = step_of(&row.external_id) else { return Ok(()) };
    let Some(step) = Read::<ProcessNode>::of(row) else { return Ok(()) };
    let Some(case) = case_of(&step.body.subject) else { return Ok(()) };
    let candidate = match candidates.get(&case) {
        Some(known) => known.clone(),
        None => {
            // The interview is gone: the count of its own is all that there is left.
            let found = desk.library(tenant).candidate_of(&case).await?.unwrap_or_else(|| case.clone());
            candidates.insert(case.clone(), found.clone());
            found
        }
    };
    let causes = desk.store.causes(tenant, step.row.id, step.row.revision).await?;
    let bands: Vec<(RecordId, i64)> = causes.into_iter().map(|cause| (cause.record, cause.revision)).collect();
    let channel = step.body.attrs.as_ref().and_then(|attrs| attrs.channel.as_deref());
    let connection = channel.and_then(|name| name.parse().ok()).unwrap_or_else(|| case.connection.clone());
    let counted =
        Counted { tenant, connection: &connection, case: &case, candidate: &candidate, bands: &bands, step: id };
    desk.ledger.recall(&counted, step.body.at.epoch_ms());
    Ok(())
}
