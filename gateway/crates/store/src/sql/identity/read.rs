//! Records by the identities that they are of.

use std::collections::BTreeMap;

use renmen_schema::id::{RecordId, TenantId};

use super::batch::of_numbers;
use super::load::{MEMBER, member, of_identities};
use crate::identity::{IdKeys, row_of};
use crate::rows::{self, Columns};
use crate::sql::{Session, record, values};
use crate::{MemberRow, NumberedId, NumberedRecord, RecordIdentity, StoreError};

pub(crate) async fn of_record(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
) -> Result<Option<RecordIdentity>, StoreError> {
    let (Some(number), Some(_)) = (row_of(id), record::get(session, ids, tenant, id).await?) else { return Ok(None) };
    let sql = format!("{MEMBER} WHERE tenant = $1 AND record = $2");
    let found = session.one(&sql, values![tenant, number], member).await?;
    let (identity, kind) = found.map_or((number, 0), |found| (found.identity, found.kind));
    Ok(Some(RecordIdentity { record: number, identity, kind }))
}

pub(crate) async fn records(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    identities: &[i64],
) -> Result<Vec<(MemberRow, NumberedRecord)>, StoreError> {
    let members = of_identities(session, tenant, identities).await?;
    let numbers: Vec<i64> = members.iter().map(|member| member.record).collect();
    let sql = format!("{} WHERE s.tenant = $1 AND r.deleted IS NULL AND r.id IN ({{numbers}})", record::SELECT);
    let read = |row: &dyn Columns| Ok((row.int(0)?, rows::record(row, ids)?));
    let found = of_numbers(session, &sql, tenant, &numbers, read).await?;
    let mut found: BTreeMap<i64, _> = found.into_iter().collect();
    let numbered = |member: MemberRow| {
        let row = found.remove(&member.record)?;
        Some((member, NumberedRecord { number: member.record, row }))
    };
    Ok(members.into_iter().filter_map(numbered).collect())
}

pub(crate) async fn record_ids(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    records: &[i64],
) -> Result<Vec<NumberedId>, StoreError> {
    let sql = "SELECT r.id, r.created_at FROM record r JOIN scope s ON s.id = r.scope
               WHERE s.tenant = $1 AND r.id IN ({numbers})";
    let read = |row: &dyn Columns| {
        let number = row.int(0)?;
        Ok(NumberedId { number, id: ids.mint(number, row.int(1)?)? })
    };
    of_numbers(session, sql, tenant, records, read).await
}
