//! Reading records one by one: what is known of a page's records, one record, its revisions, the counters.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use super::query::{all, one};
use crate::identity::{self, IdKey};
use crate::rows::{self, COUNT_SELECT, Columns, array, lineage_joins, record_columns};
use crate::{ContentHash, EntityCount, Known, RecordRow, StoreError, limits};

pub(super) async fn known(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &ConnectionName,
    asked: &[(String, String)],
) -> Result<Vec<Option<Known>>, StoreError> {
    // No record has an id with a NUL, and the server refuses to be asked.
    let askable = |text: &String| if text.contains('\0') { None } else { Some(text.clone()) };
    let (entities, external_ids): (Vec<_>, Vec<_>) =
        asked.iter().map(|(entity, id)| (askable(entity), askable(id))).unzip();
    let sql =
        "SELECT a.at, r.hash, r.deleted FROM unnest($3::text[], $4::text[]) WITH ORDINALITY a (entity, external_id, at)
               JOIN scope s ON s.tenant = $1 AND s.connection = $2 AND s.entity = a.entity
               JOIN record r ON r.scope = s.id AND r.external_id = a.external_id";
    let mut known = vec![None; asked.len()];
    for row in all(client, sql, &[&tenant.as_str(), &name.as_str(), &entities, &external_ids]).await? {
        let at = usize::try_from(row.int(0)? - 1).unwrap_or(usize::MAX);
        if let Some(place) = known.get_mut(at) {
            *place = Some(Known { hash: ContentHash(array(&row, 1)?), deleted: row.int_or_none(2)?.is_some() });
        }
    }
    Ok(known)
}

pub(super) const SELECT: &str = concat!("SELECT ", record_columns!("r"), " FROM record r", lineage_joins!("r"));

const SELECT_OLD: &str =
    concat!("SELECT ", record_columns!("k"), " FROM revision r JOIN record k ON k.id = r.record", lineage_joins!("k"));

pub(super) async fn get(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
) -> Result<Option<RecordRow>, StoreError> {
    let Some(row) = identity::row_of(id) else { return Ok(None) };
    let sql = format!("{SELECT} WHERE r.id = $1 AND s.tenant = $2");
    let found = one(client, &sql, &[&row, &tenant.as_str()]).await?;
    let found = found.map(|row| rows::record(&row, ids)).transpose()?;
    Ok(found.filter(|record| record.id == id))
}

/// A record as one of its revisions was.
pub(super) async fn at(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    revision: i64,
) -> Result<Option<RecordRow>, StoreError> {
    let (Some(current), Some(row)) = (get(client, ids, tenant, id).await?, identity::row_of(id)) else {
        return Ok(None);
    };
    if current.revision == revision {
        return Ok(Some(current));
    }
    let sql = format!("{SELECT_OLD} WHERE r.record = $1 AND r.revision = $2");
    one(client, &sql, &[&row, &revision]).await?.map(|row| rows::record(&row, ids)).transpose()
}

pub(super) async fn revisions(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    limit: u32,
) -> Result<Vec<RecordRow>, StoreError> {
    let (Some(current), Some(row)) = (get(client, ids, tenant, id).await?, identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    // Below the current one, which may have been superseded since it was read.
    let sql = format!("{SELECT_OLD} WHERE r.record = $1 AND r.revision < $2 ORDER BY r.revision DESC LIMIT $3");
    let older = all(client, &sql, &[&row, &current.revision, &(limits::list_limit(limit) - 1)]).await?;
    std::iter::once(Ok(current)).chain(older.iter().map(|row| rows::record(row, ids))).collect()
}

pub(super) async fn counts(client: &impl GenericClient, tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError> {
    all(client, COUNT_SELECT, &[&tenant.as_str()]).await?.iter().map(rows::entity_count).collect()
}
