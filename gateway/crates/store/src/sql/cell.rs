//! The ranges that a database's numbers lie in: what it gives out itself, and what came with tenants from elsewhere.
//!
//! Of 16 databases of one installation ("cells") each has the ranges `cell + 16 k`, and gives out numbers of the last one that it took. That
//! is always the highest that occurs in it: so the rows of a tenant that was moved here are older than all that it gets here, by
//! number too, and lists, lanes and sweeps keep their order.

use std::collections::BTreeMap;

use renmen_schema::text;

use super::{Dialect, Session, values};
use crate::StoreError;
use crate::identity::{IdKey, RANGE_BITS};
use crate::rows::Columns;

/// Databases of one installation.
pub(crate) const CELLS: i64 = 16;
/// Ranges in all: as many as a client's 53 bits have room for.
const RANGES: i64 = 1 << 10;

/// Another database's, the one in use, one that was in use before.
pub(crate) const OTHER: i64 = 0;
pub(crate) const OWN: i64 = 1;
const OWN_BEFORE: i64 = 2;

/// A range that occurs in a database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) number: i64,
    pub(crate) key: IdKey,
    pub(crate) own: i64,
}

/// Every range that occurs; the first one where none was ever noted.
pub(crate) async fn ranges(session: &impl Session, own: &IdKey) -> Result<Vec<Range>, StoreError> {
    let damaged = || StoreError::Fault("the database's `cell_number` table is damaged".into());
    let range = |row: &dyn Columns| {
        let key = IdKey::from_bytes(&row.bytes(1)?).ok_or_else(damaged)?;
        Ok(Range { number: row.int(0)?, key, own: row.int(2)? })
    };
    let mut all = session.all("SELECT number, id_key, own FROM cell_number ORDER BY number", &[], range).await?;
    if all.is_empty() {
        all.push(Range { number: 0, key: own.clone(), own: OWN });
    }
    Ok(all)
}

/// The keys by which ids are made.
pub(crate) async fn keys(session: &impl Session, own: &IdKey) -> Result<BTreeMap<i64, IdKey>, StoreError> {
    Ok(ranges(session, own).await?.into_iter().map(|range| (range.number, range.key)).collect())
}

/// What a database must do before it gives out its next number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Nothing.
    Stays,
    /// Its counters go on after this number.
    Raise(i64),
}

/// At the start of a gateway: the database is that cell from now on, if one is named. Within a transaction.
pub(crate) async fn settle(session: &impl Session, own: &IdKey, cell: Option<u8>) -> Result<Settled, StoreError> {
    let count = "SELECT CAST(count(*) AS bigint) FROM cell_number";
    if super::expect_number(session, count, &[]).await? == 0 {
        let first = cell.map_or(0, i64::from);
        if first != 0 && has_rows(session).await? {
            note(session, &Range { number: 0, key: own.clone(), own: OWN_BEFORE }).await?;
        }
        note(session, &Range { number: first, key: own.clone(), own: OWN }).await?;
        return Ok(raise_to(first));
    }
    let all = ranges(session, own).await?;
    let in_use = all.iter().find(|range| range.own == OWN).map_or(0, |range| range.number);
    let Some(cell) = cell.map(i64::from).filter(|cell| *cell != in_use % CELLS) else { return Ok(Settled::Stays) };
    if in_use != 0 {
        return Err(StoreError::Configuration(text!(
            "this database is the cell with number {}, and the configuration gives it number {cell}: two cells may have been exchanged; set \
             the former number",
            "此数据库是编号为 {} 的单元，而配置中的编号为 {cell}：可能把两个单元弄反了；请改回原编号",
            in_use % CELLS
        )));
    }
    take(session, own, &all, cell).await
}

/// Makes sure that what is given out from now on is higher than a range that comes from elsewhere.
pub(crate) async fn rise_above(session: &impl Session, own: &IdKey, highest: i64) -> Result<Settled, StoreError> {
    let mut all = ranges(session, own).await?;
    let in_use = all.iter().find(|range| range.own == OWN).map_or(0, |range| range.number);
    if in_use > highest {
        return Ok(Settled::Stays);
    }
    all.retain(|range| range.number <= highest || range.own != OTHER);
    let above = Range { number: highest, key: own.clone(), own: OTHER };
    all.push(above);
    take(session, own, &all, in_use % CELLS).await
}

/// Takes the first range of a cell that is higher than all of these.
async fn take(session: &impl Session, own: &IdKey, all: &[Range], cell: i64) -> Result<Settled, StoreError> {
    let highest = all.iter().map(|range| range.number).max().unwrap_or(0);
    let rounds = (highest - cell).div_euclid(CELLS) + 1;
    let number = cell + rounds.max(0) * CELLS;
    if number >= RANGES {
        return Err(StoreError::Configuration(text!(
            "the ranges of numbers are used up after {RANGES} of them: tenants were moved to and fro too often; copy what this database holds \
             into a new installation",
            "编号区间（共 {RANGES} 个）已用完：租户来回迁移次数过多；请把此数据库复制到新的部署"
        )));
    }
    session.run("UPDATE cell_number SET own = $1 WHERE own = $2", values![OWN_BEFORE, OWN]).await?;
    note(session, &Range { number, key: own.clone(), own: OWN }).await?;
    Ok(raise_to(number))
}

fn raise_to(number: i64) -> Settled {
    if number == 0 { Settled::Stays } else { Settled::Raise(number << RANGE_BITS) }
}

/// Keeps a range.
pub(crate) async fn note(session: &impl Session, range: &Range) -> Result<(), StoreError> {
    let sql = "INSERT INTO cell_number (number, id_key, own, begins_after) VALUES ($1, $2, $3, $4)";
    let begins_after = range.number << RANGE_BITS;
    session.run(sql, values![range.number, range.key.as_bytes(), range.own, begins_after]).await.map(drop)
}

/// Did it give out a number that a client may hold?
async fn has_rows(session: &impl Session) -> Result<bool, StoreError> {
    for table in ["scope", "stream", "flow", "destination", "inbox"] {
        let sql = format!("SELECT CAST(1 AS bigint) FROM {table} LIMIT 1");
        if super::number(session, &sql, &[]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Before rows are deleted whose numbers were given out: tables that count from their highest row must not give them out once more.
pub(crate) async fn keep_from_reuse(session: &impl Session) -> Result<(), StoreError> {
    if session.dialect() == Dialect::Postgres {
        // A sequence never goes back.
        return Ok(());
    }
    for table in ["record", "scope", "stream", "flow", "destination", "feed", "finding", "omission"] {
        let sql = format!(
            "UPDATE cell_number SET begins_after = max(begins_after, coalesce((SELECT max(id) FROM {table}), 0)) WHERE own = $1"
        );
        session.run(&sql, values![OWN]).await?;
    }
    Ok(())
}
