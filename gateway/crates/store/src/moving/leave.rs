//! A tenant leaves: it is fenced, read, and later gone. Each step may be done again.

use std::path::Path;
use std::time::{Duration, Instant};

use renmen_schema::id::TenantId;
use renmen_schema::text;

use super::contents::Contents;
use super::file::{Head, HeadRange, TableHead, Writer};
use super::place::{self, Asking, Kind, Place};
use super::{MoveProgress, MoveStep, MovedTable, TellMove, presence, tables};
use crate::copy::{Digest, Table};
use crate::identity::IdKey;
use crate::sql::{cell, feed, moving, registry};
use crate::{MoveState, StoreError, StoreOptions, TenantMove, failpoint};

/// How often it is looked whether attempts of deliveries have ended.
const LOOK: Duration = Duration::from_millis(50);

/// A tenant that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    pub tables: Vec<MovedTable>,
    /// Of the file.
    pub digest: String,
    /// Attempts of deliveries that had not ended: they are made again where the tenant goes, with the same keys.
    pub cut: u64,
    /// The file was there already.
    pub again: bool,
}

/// Writes a tenant to a file, and lets nothing be written for it here from now on. Done again after it was stopped, it goes on.
///
/// # Errors
/// [`StoreError::Configuration`] for a tenant that is not here or is gone, and a file that exists.
pub async fn export_tenant(
    options: StoreOptions,
    tenant: &TenantId,
    path: &Path,
    (now_ms, patience): (i64, Duration),
    tell: TellMove<'_>,
) -> Result<Departure, StoreError> {
    let mut place = place::beside(&options).await?;
    let place = &mut *place;
    let known = standing(place, tenant).await?;
    if path.exists() {
        return written_before(path, known.as_ref());
    }
    fence(place, tenant, known.as_ref(), now_ms).await?;
    let cut = drain(place, tenant, patience).await?;
    close(place, tenant).await?;
    let unfinished = path.with_added_extension("unfinished");
    let (tables, digest) = write(place, tenant, &unfinished, now_ms, tell).await?;
    failpoint::reach("tenant_read");
    rename(&unfinished, path)?;
    place.begin(Kind::Write).await?;
    let asking = Asking::of(place);
    let since_ms = moving::find(&asking, tenant).await?.map_or(now_ms, |found| found.since_ms);
    moving::put(&asking, tenant, (moving::LEAVING, since_ms, "", &digest)).await?;
    place.commit().await?;
    failpoint::reach("tenant_written");
    Ok(Departure { tables, digest, cut, again: false })
}

/// Where the tenant stands; refuses one that is not here.
async fn standing(place: &mut dyn Place, tenant: &TenantId) -> Result<Option<TenantMove>, StoreError> {
    place.begin(Kind::Snapshot).await?;
    let known = moving::find(&Asking::of(place), tenant).await?;
    let here = presence::is_here(place, tenant).await?;
    place.commit().await?;
    match &known {
        Some(TenantMove { state: MoveState::Gone, place, .. }) => Err(StoreError::Configuration(text!(
            "the tenant `{tenant}` was moved to {place}: export it there",
            "租户 `{tenant}` 已迁至 {place}：请在那里导出"
        ))),
        _ if !here => Err(StoreError::Configuration(text!(
            "nothing of a tenant `{tenant}` is in this database: see `renmen tenant list`",
            "此数据库中没有租户 `{tenant}` 的任何内容：请查看 `renmen tenant list`"
        ))),
        _ => Ok(known),
    }
}

/// The file was there before the command: right if this very move wrote it.
fn written_before(path: &Path, known: Option<&TenantMove>) -> Result<Departure, StoreError> {
    let exists = || {
        StoreError::Configuration(text!(
            "{} exists: name a file that does not, or move it away",
            "{} 已存在：请指定不存在的文件，或移走该文件",
            path.display()
        ))
    };
    let known = known.filter(|known| known.state == MoveState::Leaving).ok_or_else(exists)?;
    let whole = Contents::read(path).map_err(|_| exists())?;
    if whole.head.tenant != known.tenant.as_str() || (!known.digest.is_empty() && known.digest != whole.digest) {
        return Err(exists());
    }
    Ok(Departure { tables: whole.sums, digest: whole.digest, cut: 0, again: true })
}

/// From here on nothing new begins for the tenant.
async fn fence(
    place: &mut dyn Place,
    tenant: &TenantId,
    known: Option<&TenantMove>,
    now_ms: i64,
) -> Result<(), StoreError> {
    if known.is_none_or(|known| known.state == MoveState::Arrived) {
        place.begin(Kind::Write).await?;
        let asking = Asking::of(place);
        moving::put(&asking, tenant, (moving::DRAINING, now_ms, "", "")).await?;
        registry::keys_changed(&asking).await?;
        place.commit().await?;
    }
    failpoint::reach("tenant_fenced");
    place.outlast().await
}

/// Waits for attempts that are under way; how many had not ended.
async fn drain(place: &mut dyn Place, tenant: &TenantId, patience: Duration) -> Result<u64, StoreError> {
    let began = Instant::now();
    loop {
        place.begin(Kind::Snapshot).await?;
        let under_way = moving::attempts(&Asking::of(place), tenant).await?;
        place.commit().await?;
        if under_way == 0 || began.elapsed() >= patience {
            return Ok(under_way);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// From here on nothing is written for the tenant at all.
async fn close(place: &mut dyn Place, tenant: &TenantId) -> Result<(), StoreError> {
    place.begin(Kind::Write).await?;
    let asking = Asking::of(place);
    let since_ms = moving::find(&asking, tenant).await?.map_or(0, |found| found.since_ms);
    moving::put(&asking, tenant, (moving::LEAVING, since_ms, "", "")).await?;
    feed::note_epochs(&asking, tenant).await?;
    place.commit().await?;
    failpoint::reach("tenant_closed");
    place.outlast().await
}

/// Writes what one moment shows of the tenant.
async fn write(
    place: &mut dyn Place,
    tenant: &TenantId,
    path: &Path,
    now_ms: i64,
    tell: TellMove<'_>,
) -> Result<(Vec<MovedTable>, String), StoreError> {
    place.begin(Kind::Snapshot).await?;
    let own = IdKey::from_bytes(&place.id_key().await?)
        .ok_or_else(|| StoreError::Fault("the database's id key is damaged".into()))?;
    let ranges = cell::ranges(&Asking::of(place), &own).await?;
    let all = place.tables().await?;
    let tables = tables::of_tenant(all, tenant)?;
    let mut rows = std::collections::BTreeMap::new();
    for table in &tables {
        rows.insert(table.name.clone(), place.count(table).await?);
    }
    let range = |range: &cell::Range| HeadRange { number: range.number, key: hex::encode(range.key.as_bytes()) };
    let head = Head {
        format: Head::FORMAT,
        schema: place.version(),
        tenant: tenant.to_string(),
        written_at_ms: now_ms,
        ranges: ranges.iter().map(range).collect(),
        rows: rows.clone(),
    };
    let mut file = Writer::begin(path, &head)?;
    let mut sums = Vec::with_capacity(tables.len());
    for table in &tables {
        let of = rows.get(&table.name).copied().unwrap_or(0);
        sums.push(write_table(place, table, of, &mut file, tell).await?);
    }
    place.commit().await?;
    let digest = file.end(&sums)?;
    Ok((sums, digest))
}

async fn write_table(
    place: &mut dyn Place,
    table: &Table,
    of: u64,
    file: &mut Writer,
    tell: TellMove<'_>,
) -> Result<MovedTable, StoreError> {
    file.table(&TableHead::of(&table.name, &table.columns))?;
    let mut digest = Digest::default();
    place.open(table).await?;
    loop {
        tell(MoveProgress { table: &table.name, rows: digest.rows(), of, step: MoveStep::Writing });
        let rows = place.next().await?;
        if rows.is_empty() {
            return Ok(MovedTable { name: table.name.clone(), rows: digest.rows(), hash: digest.hex() });
        }
        rows.iter().for_each(|row| digest.add(row));
        file.rows(&rows)?;
    }
}

/// Gives the whole file its name, for good.
fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed =
        |error: std::io::Error| StoreError::Unavailable(format!("{} cannot be renamed: {error}", from.display()));
    std::fs::rename(from, to).map_err(failed)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// The tenant is elsewhere from now on: its keys are refused here with the name of that place.
///
/// # Errors
/// [`StoreError::Configuration`] for a tenant that was not exported.
pub async fn tenant_moved(options: StoreOptions, tenant: &TenantId, to: &str, now_ms: i64) -> Result<(), StoreError> {
    let mut place = place::beside(&options).await?;
    place.begin(Kind::Write).await?;
    let asking = Asking::of(&mut *place);
    match moving::find(&asking, tenant).await? {
        Some(found) if found.state == MoveState::Gone && found.place == to => return Ok(()),
        Some(found) if found.state == MoveState::Leaving && !found.digest.is_empty() => {
            moving::put(&asking, tenant, (moving::GONE, now_ms, to, &found.digest)).await?;
        }
        Some(found) if found.state == MoveState::Gone => {
            moving::put(&asking, tenant, (moving::GONE, found.since_ms, to, &found.digest)).await?;
        }
        _ => {
            return Err(StoreError::Configuration(text!(
                "the tenant `{tenant}` was not exported from this database: run `renmen tenant export` first",
                "租户 `{tenant}` 尚未从此数据库导出：请先运行 `renmen tenant export`"
            )));
        }
    }
    registry::keys_changed(&asking).await?;
    place.commit().await
}

/// The tenant stays: what was fenced is written again. Only right where its file was read nowhere.
///
/// # Errors
/// [`StoreError::Configuration`] for a tenant that is not leaving.
pub async fn resume_tenant(options: StoreOptions, tenant: &TenantId) -> Result<(), StoreError> {
    let mut place = place::beside(&options).await?;
    place.begin(Kind::Write).await?;
    let asking = Asking::of(&mut *place);
    match moving::find(&asking, tenant).await? {
        Some(TenantMove { state: MoveState::Draining | MoveState::Leaving, .. }) => {
            moving::delete(&asking, tenant).await?;
        }
        Some(TenantMove { state: MoveState::Gone, place, .. }) => {
            return Err(StoreError::Configuration(text!(
                "the tenant `{tenant}` was moved to {place}: export it there, delete it here (`renmen tenant forget`), and import it",
                "租户 `{tenant}` 已迁至 {place}：请在那里导出，在此删除（`renmen tenant forget`），再导入"
            )));
        }
        _ => {
            return Err(StoreError::Configuration(text!(
                "the tenant `{tenant}` is not being moved from this database",
                "租户 `{tenant}` 并未正在迁出此数据库"
            )));
        }
    }
    registry::keys_changed(&asking).await?;
    place.commit().await
}
