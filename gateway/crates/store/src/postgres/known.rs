//! What is known of a page's records.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, TenantId};

use super::query::all;
use crate::rows::{Columns, array};
use crate::{ContentHash, Known, StoreError};

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
        if let Some(answer) = known.get_mut(at) {
            *answer = Some(Known { hash: ContentHash(array(&row, 1)?), deleted: row.int_or_none(2)?.is_some() });
        }
    }
    Ok(known)
}
