//! `include=record` of the change feed: each change with its record as it is now, within the bytes of one answer.

use renmen_schema::id::TenantId;
use renmen_store::ChangeRow;

use super::change_view::Change;
use super::record_view::Record;
use crate::guard::within;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;

/// `include`: nothing, or `record`.
pub(crate) fn wants_records(params: &mut Params) -> Result<bool, Problem> {
    Ok(params.word("include", &[("record", true)])?.unwrap_or(false))
}

/// As many of the changes as fit, at least one, and the position to go on from: `next` when it is all of them.
pub(crate) async fn with_records(
    state: &AppState,
    tenant: &TenantId,
    rows: Vec<ChangeRow>,
    epoch: u32,
    next: i64,
) -> Result<(Vec<Change>, i64), Problem> {
    let (mut changes, mut bytes, mut last) = (Vec::with_capacity(rows.len()), 0, None);
    for row in rows {
        let record = within(state.options.deadline, state.store.record(tenant, row.id)).await?;
        bytes += record.as_ref().map_or(0, |record| record.body.len());
        if let (Some(last), true) = (last, bytes > state.options.page_bytes_max) {
            return Ok((changes, last));
        }
        last = Some(row.seq);
        let record = record.map(|record| Record::of(tenant, record)).transpose()?;
        changes.push(Change::of(row, Some(epoch)).with(record));
    }
    Ok((changes, next))
}
