//! What many names mean at once. A few statements for all of them: one for the keys, one for each connection and entity that ids of other
//! systems are of, and one for the records.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::id::{ConnectionName, TenantId};

use super::{ColumnOf, Session, number_list, record, values};
use crate::identity::{self, IdKeys};
use crate::keyed::{Holders, digest_of, is_asked};
use crate::rows::{self, Columns};
use crate::{Keyed, Named, RecordRow, StoreError};

/// What a name leads to before the record is looked at: the row of one, or what it means otherwise.
type Lead = Result<i64, Keyed>;

/// What each name means, in their order.
pub(crate) async fn all(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    names: &[Named],
) -> Result<Vec<Keyed>, StoreError> {
    let mut leads: Vec<Lead> = names.iter().map(by_id).collect();
    by_external_ids(session, tenant, names, &mut leads).await?;
    by_keys(session, tenant, names, &mut leads).await?;
    let rows: BTreeSet<i64> = leads.iter().filter_map(|lead| lead.as_ref().ok()).copied().collect();
    let records = live(session, ids, tenant, rows).await?;
    let one = |record: &RecordRow| Keyed::One(Box::new(record.clone()));
    let meant = leads.into_iter().zip(names).map(|(lead, name)| match lead {
        Ok(row) => records.get(&row).filter(|record| is_it(record, name)).map_or(Keyed::Nothing, one),
        Err(otherwise) => otherwise,
    });
    Ok(meant.collect())
}

fn by_id(name: &Named) -> Lead {
    match name {
        Named::Id(_, id) => identity::row_of(*id).ok_or(Keyed::Nothing),
        Named::External(..) | Named::Key(_) => Err(Keyed::Nothing),
    }
}

/// Is it of the entity that is meant, and was its id given out?
fn is_it(record: &RecordRow, name: &Named) -> bool {
    match name {
        Named::Id(kind, id) => record.id == *id && record.entity == kind.name(),
        Named::External(kind, ..) => record.entity == kind.name(),
        Named::Key(key) => record.entity == key.entity.name(),
    }
}

/// Ids of other systems: a statement for each connection and entity that they are of.
async fn by_external_ids(
    session: &impl Session,
    tenant: &TenantId,
    names: &[Named],
    leads: &mut [Lead],
) -> Result<(), StoreError> {
    let mut asked: BTreeMap<(&ConnectionName, &str), Vec<(usize, &str)>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        // No record has an id with a NUL.
        if let Named::External(kind, connection, id) = name
            && !id.contains('\0')
        {
            asked.entry((connection, kind.name())).or_default().push((at, id));
        }
    }
    let sql = format!(
        "SELECT a.c0, r.id FROM scope s CROSS JOIN ({}) a CROSS JOIN record r
         WHERE s.tenant = $1 AND s.connection = $2 AND s.entity = $3 AND r.scope = s.id AND r.external_id = a.c1",
        session.dialect().rows_of("$4", &[ColumnOf::Int, ColumnOf::Text])
    );
    for ((connection, entity), of) in asked {
        let list = serde_json::json!(of).to_string();
        let found = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?));
        for (at, row) in session.all(&sql, values![tenant, connection, entity, list], found).await? {
            if let Some(lead) = place(leads, at) {
                *lead = Ok(row);
            }
        }
    }
    Ok(())
}

/// Alternate keys: one statement. Records refer by them, so that all keys of the tenant are sorted into the index.
async fn by_keys(
    session: &impl Session,
    tenant: &TenantId,
    names: &[Named],
    leads: &mut [Lead],
) -> Result<(), StoreError> {
    let keys: BTreeMap<usize, _> = names.iter().enumerate().filter_map(|(at, name)| Some((at, name.key()?))).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT a.c0, k.record, s.connection, coalesce(m.identity, k.record)
         FROM ({}) a CROSS JOIN record_key k JOIN scope s ON s.id = k.scope
         LEFT JOIN identity_member m ON m.tenant = s.tenant AND m.record = k.record WHERE k.key = a.c1",
        session.dialect().rows_of("$1", &[ColumnOf::Int, ColumnOf::Bytes])
    );
    let digests: Vec<_> = keys.iter().map(|(at, key)| (*at, hex::encode(digest_of(tenant, key)))).collect();
    let list = serde_json::json!(digests).to_string();
    let holder = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?, row.text(2)?, row.int(3)?));
    let mut holders: BTreeMap<i64, Holders> = BTreeMap::new();
    for (at, row, connection, identity) in session.all(&sql, values![list], holder).await? {
        let key = usize::try_from(at).ok().and_then(|at| keys.get(&at));
        if key.is_some_and(|key| is_asked(key, None, &connection)) {
            holders.entry(at).or_default().add(row, identity);
        }
    }
    for (at, holders) in holders {
        if let Some(lead) = place(leads, at) {
            *lead = holders.one();
        }
    }
    Ok(())
}

fn place(leads: &mut [Lead], at: i64) -> Option<&mut Lead> {
    usize::try_from(at).ok().and_then(|at| leads.get_mut(at))
}

/// The live ones of these records, by row.
async fn live(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    rows: BTreeSet<i64>,
) -> Result<BTreeMap<i64, RecordRow>, StoreError> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "{} WHERE r.id IN ({}) AND s.tenant = $1 AND r.deleted IS NULL",
        record::SELECT,
        session.dialect().numbers("$2")
    );
    let read = |row: &dyn Columns| Ok((row.int(0)?, rows::record(row, ids)?));
    Ok(session.all(&sql, values![tenant, number_list(rows)], read).await?.into_iter().collect())
}
