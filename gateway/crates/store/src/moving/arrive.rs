//! A tenant comes: its file is read once whole, then into one transaction, and the rows are read again and compared before anybody sees them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use renmen_schema::id::TenantId;
use renmen_schema::text;

use super::contents::{self, Contents};
use super::file::{Block, Reader, TableHead, damaged};
use super::place::{self, Asking, Kind, Place};
use super::{MoveProgress, MoveStep, MovedTable, TellMove, presence, tables};
use crate::copy::{Cell, Digest, Row, Table};
use crate::identity::IdKey;
use crate::outbox::sql::RELEASE_ALL;
use crate::sql::{Session, cell, moving, registry, run, values};
use crate::{MoveState, PluginRef, StoreError, StoreOptions, codes, failpoint};

/// How long gateways get to hear of new ranges: they look for them as often as for commits.
const HEARD: Duration = Duration::from_millis(1_500);

/// A tenant that was read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub tenant: TenantId,
    pub tables: Vec<MovedTable>,
    /// It came from this very file before.
    pub again: bool,
}

/// Reads a tenant from a file into a database that holds others, all of it or nothing. Done again with the same file, it finds that it was
/// done.
///
/// # Errors
/// [`StoreError::Configuration`] for a file that was cut, changed or is of another version, and for a tenant that is here; [`StoreError::Busy`]
/// while a gateway runs on a SQLite file.
pub async fn import_tenant(
    options: StoreOptions,
    path: &Path,
    now_ms: i64,
    tell: TellMove<'_>,
) -> Result<Arrival, StoreError> {
    let file = Contents::read(path)?;
    let tenant = TenantId::new(&file.head.tenant).map_err(|_| damaged())?;
    // Makes and migrates it where it is new.
    drop(crate::open(options.clone()).await?);
    let mut place = place::alone(&options).await?;
    let place = &mut *place;
    if file.head.schema != place.version() {
        return Err(StoreError::Configuration(text!(
            "the file was written by a release with other tables (version {}, here {}): use the same release on both sides",
            "文件由表结构不同的版本写出（版本 {}，此处为 {}）：两侧请使用同一版本",
            file.head.schema,
            place.version()
        )));
    }
    place.begin(Kind::Write).await?;
    let known = moving::find(&Asking::of(place), &tenant).await?;
    if known.is_some_and(|known| known.state == MoveState::Arrived && known.digest == file.digest) {
        return Ok(Arrival { tenant, tables: file.sums, again: true });
    }
    if presence::is_here(place, &tenant).await? {
        return Err(StoreError::Configuration(text!(
            "the tenant `{tenant}` is in this database already: nothing was read; delete it here first if it was moved away before \
             (`renmen tenant forget`)",
            "此数据库中已有租户 `{tenant}`：未读入任何内容；如果它先前已迁出，请先在此删除（`renmen tenant forget`）"
        )));
    }
    note_ranges(place, &file).await?;
    place.begin(Kind::Write).await?;
    let tables = fill(place, &tenant, path, tell).await?;
    settle(&Asking::of(place), &tenant, (now_ms, &file.digest)).await?;
    failpoint::reach("tenant_filled");
    place.commit().await?;
    failpoint::reach("tenant_arrived");
    Ok(Arrival { tenant, tables, again: false })
}

/// Keeps the ranges that come along, and makes sure that the numbers to come are higher. Ends the transaction: gateways must know of them
/// before they see a row.
async fn note_ranges(place: &mut dyn Place, file: &Contents) -> Result<(), StoreError> {
    let own = IdKey::from_bytes(&place.id_key().await?)
        .ok_or_else(|| StoreError::Fault("the database's id key is damaged".into()))?;
    let asking = Asking::of(place);
    let known = cell::ranges(&asking, &own).await?;
    let mut new = false;
    for range in &file.head.ranges {
        let key = hex::decode(&range.key).ok().and_then(|key| IdKey::from_bytes(&key)).ok_or_else(damaged)?;
        match known.iter().find(|known| known.number == range.number) {
            Some(known) if known.key == key => {}
            Some(_) => return Err(same_numbers(range.number)),
            None => {
                cell::note(&asking, &cell::Range { number: range.number, key, own: cell::OTHER }).await?;
                new = true;
            }
        }
    }
    let settled = cell::rise_above(&asking, &own, file.highest).await?;
    place.commit().await?;
    if (new || settled != cell::Settled::Stays) && place.has_gateways().await? {
        tokio::time::sleep(HEARD).await;
    }
    place.begin(Kind::Write).await?;
    place.raise(settled).await?;
    place.commit().await
}

fn same_numbers(range: i64) -> StoreError {
    StoreError::Configuration(text!(
        "both databases have given out numbers of range {range}, so rows of the tenant could have the numbers of others: give each database \
         of `[[cells]]` a number of its own before its first start; nothing was read",
        "两个数据库都分配过区间 {range} 的编号，租户的行可能与其他行编号相同：请在首次启动前为 `[[cells]]` 的每个数据库设置各自的编号；未读入任何内容"
    ))
}

/// Writes every row, reads each table again and compares it.
async fn fill(
    place: &mut dyn Place,
    tenant: &TenantId,
    path: &Path,
    tell: TellMove<'_>,
) -> Result<Vec<MovedTable>, StoreError> {
    let all = place.tables().await?;
    let tables = tables::of_tenant(all, tenant)?;
    let (mut reader, head) = Reader::begin(path)?;
    let (mut written, mut plugins) = (Vec::<(Table, Digest)>::new(), BTreeMap::new());
    while let Some(block) = reader.next()? {
        match block {
            Block::Table(table) => {
                let found = tables.iter().find(|own| TableHead::of(&own.name, &own.columns) == table);
                written.push((found.ok_or_else(|| other_tables(&table.name))?.clone(), Digest::default()));
            }
            Block::Rows(mut rows) => {
                let (table, digest) = written.last_mut().ok_or_else(damaged)?;
                match table.name.as_str() {
                    tables::PLUGIN => {
                        know_plugins(place, table, &rows, &mut plugins).await?;
                        rows.iter().for_each(|row| digest.add(row));
                        continue;
                    }
                    tables::RUN => translate(table, &mut rows, &plugins)?,
                    _ => {}
                }
                rows.iter().for_each(|row| digest.add(row));
                let of = head.rows.get(&table.name).copied().unwrap_or(0);
                tell(MoveProgress { table: &table.name, rows: digest.rows(), of, step: MoveStep::Reading });
                place.write(table, rows).await?;
            }
            Block::Sums(_) | Block::End(_) => {}
        }
    }
    failpoint::reach("tenant_read_in");
    let mut sums = Vec::with_capacity(written.len());
    for (table, digest) in written {
        if table.name != tables::PLUGIN {
            compare(place, &table, &digest, tell).await?;
        }
        sums.push(MovedTable { name: table.name, rows: digest.rows(), hash: digest.hex() });
    }
    Ok(sums)
}

fn other_tables(name: &str) -> StoreError {
    StoreError::Configuration(text!(
        "the table `{name}` of the file is another one than that of this database: use the same release on both sides",
        "文件中的表 `{name}` 与此数据库中的不同：两侧请使用同一版本"
    ))
}

fn column(table: &Table, row: &Row, name: &str) -> Option<Cell> {
    table.columns.iter().position(|column| column.name == name).and_then(|at| row.get(at)).cloned()
}

/// Finds what plugins are called here by their numbers there.
async fn know_plugins(
    place: &mut dyn Place,
    table: &Table,
    rows: &[Row],
    plugins: &mut BTreeMap<i64, i64>,
) -> Result<(), StoreError> {
    for row in rows {
        let text = |name| match column(table, row, name) {
            Some(Cell::Text(text)) => Ok(text),
            _ => Err(damaged()),
        };
        let plugin = PluginRef { name: text("name")?, version: text("version")?, digest: text("digest")? };
        let Some(Cell::Int(there)) = column(table, row, contents::NUMBER) else { return Err(damaged()) };
        plugins.insert(there, run::intern_plugin(&Asking::of(place), &plugin).await?);
    }
    Ok(())
}

fn translate(table: &Table, rows: &mut [Row], plugins: &BTreeMap<i64, i64>) -> Result<(), StoreError> {
    let at = table.columns.iter().position(|column| column.name == "plugin").ok_or_else(damaged)?;
    for row in rows {
        let Some(Cell::Int(plugin)) = row.get_mut(at) else { return Err(damaged()) };
        *plugin = *plugins.get(plugin).ok_or_else(damaged)?;
    }
    Ok(())
}

async fn compare(place: &mut dyn Place, table: &Table, read: &Digest, tell: TellMove<'_>) -> Result<(), StoreError> {
    let mut found = Digest::default();
    place.open(table).await?;
    loop {
        tell(MoveProgress { table: &table.name, rows: found.rows(), of: read.rows(), step: MoveStep::Comparing });
        let rows = place.next().await?;
        if rows.is_empty() {
            break;
        }
        rows.iter().for_each(|row| found.add(row));
    }
    if found == *read {
        return Ok(());
    }
    Err(StoreError::Fault(format!(
        "the table `{}` is not as it stands in the file ({} rows read, {} found): nothing was kept of it",
        table.name,
        read.rows(),
        found.rows()
    )))
}

/// What was under way where the tenant was is not under way here.
async fn settle(session: &impl Session, tenant: &TenantId, (now_ms, digest): (i64, &str)) -> Result<(), StoreError> {
    let streams = "(SELECT id FROM stream WHERE tenant = $1)";
    let sql = format!(
        "UPDATE run SET state = {}, ended_at = touched_at WHERE state = {} AND stream IN {streams}",
        codes::INTERRUPTED,
        codes::RUNNING
    );
    session.run(&sql, values![tenant]).await?;
    session.run("UPDATE stream SET run = NULL WHERE run IS NOT NULL AND tenant = $1", values![tenant]).await?;
    session.run(&format!("{} AND tenant = $1", *RELEASE_ALL), values![tenant]).await?;
    let sql = "UPDATE refresh SET claimed_until = 0 WHERE claimed_until > 0 AND tenant = $1";
    session.run(sql, values![tenant]).await?;
    let sql = "UPDATE lease SET holder = '', beat = beat + 1 WHERE holder <> '' AND tenant = $1";
    session.run(sql, values![tenant]).await?;
    // A feed never ends before the place where those of new tenants begin here.
    let sql = "UPDATE feed SET seq = (SELECT max(f.seq) FROM feed f WHERE f.tenant IN ('', $1)) WHERE tenant = $1";
    session.run(sql, values![tenant]).await?;
    registry::endpoints_changed(session).await?;
    registry::flows_changed(session).await?;
    registry::keys_changed(session).await?;
    moving::put(session, tenant, (moving::ARRIVED, now_ms, "", digest)).await
}
