//! One export: which position it stands at, the rows as they were at it, the files, the manifest last.
//!
//! Records change while they are read. A list in the order of changes gives each record once, as it stands by then; one that changed
//! after the position is read from its revisions. So a snapshot is what a reader of the feed had at that position.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use renmen_schema::EntityKind;
use renmen_schema::id::TenantId;
use renmen_store::{RecordQuery, RecordRow, Store, StoreError};
use sha2::{Digest as _, Sha256};

use crate::error::ExportError;
use crate::manifest::{EntityRows, FileEntry, LATEST, MANIFEST, MANIFEST_VERSION, Manifest, Watermark};
use crate::row::{Cell, Shape, day_of};
use crate::table::{GroupSize, Table};
use crate::target::Target;
use crate::terms::Terms;

/// What the name of a snapshot's folder begins with.
pub(crate) const SNAPSHOT: &str = "snapshot=";
/// Records read at once.
const PAGE: u32 = 500;
/// Revisions of a record that changed meanwhile: with more changes than that since the position it is read again by the next export.
const REVISIONS_MAX: u32 = 1_000;

/// How much is held, and how large files are.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows of one group, which is held in memory.
    pub group_rows: usize,
    /// The same in bytes, about.
    pub group_bytes: usize,
    /// A file that has so many bytes is followed by another.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { group_rows: 10_000, group_bytes: 16 << 20, file_bytes: 64 << 20 }
    }
}

/// What became of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The snapshot.
    pub manifest: Manifest,
    /// False: it was there already, whole; nothing was written.
    pub is_new: bool,
}

/// Writes a snapshot of a tenant's records as of now. One of the same position by the same terms is not written again.
///
/// # Errors
/// [`ExportError`]; what was written has no manifest then. `stop` is asked between pages.
pub async fn export(
    store: &dyn Store,
    tenant: &TenantId,
    terms: &Terms,
    (target, scratch): (&dyn Target, &Path),
    limits: Limits,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Exported, ExportError> {
    let at = Position::of(store, tenant).await?;
    let snapshot = format!("{SNAPSHOT}{:015}-{}", at.seq, terms.mark());
    let manifest_name = format!("{snapshot}/{MANIFEST}");
    if let Some(bytes) = target.get(&manifest_name).await?
        && let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes)
    {
        // Cut off after the one and before the other.
        if target.get(LATEST).await?.as_deref() != Some(&bytes[..]) {
            put(target, scratch, LATEST, &bytes).await?;
        }
        return Ok(Exported { manifest, is_new: false });
    }
    let mut writing = Writing { target, scratch, snapshot: &snapshot, terms, limits, files: Vec::new() };
    let mut entities = Vec::new();
    for kind in &terms.entities {
        entities.push(entity(store, tenant, *kind, &at, &mut writing, stop).await?);
    }
    let mut files = std::mem::take(&mut writing.files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = Manifest {
        manifest_version: MANIFEST_VERSION,
        schema_version: renmen_schema::SCHEMA_VERSION.to_owned(),
        tenant: tenant.to_string(),
        snapshot: snapshot.clone(),
        watermark: Watermark { position: at.seq, at: at.time() },
        format: terms.format.as_str().to_owned(),
        classes: terms.classes.iter().map(|class| class.as_str().to_owned()).collect(),
        entities,
        files,
    };
    let bytes = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    for name in [manifest_name.as_str(), LATEST] {
        put(target, scratch, name, &bytes).await?;
    }
    Ok(Exported { manifest, is_new: true })
}

/// Puts a small file.
async fn put(target: &dyn Target, scratch: &Path, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
    let file = tempfile::NamedTempFile::new_in(scratch).map_err(|error| ExportError::file(scratch, error))?;
    std::fs::write(file.path(), bytes).map_err(|error| ExportError::file(file.path(), error))?;
    target.put(name, file.path()).await
}

/// Where a snapshot stands.
struct Position {
    seq: i64,
    at_ms: Option<i64>,
}

impl Position {
    /// The end of the feed, once no commit of its millisecond can come any more.
    async fn of(store: &dyn Store, tenant: &TenantId) -> Result<Self, ExportError> {
        let mut seq = *store.watch(tenant).borrow();
        let mut at_ms = None;
        loop {
            // What this process knows may be behind.
            let changes = store.changes(tenant, seq, None, PAGE).await?;
            let Some(last) = changes.last() else { break };
            (seq, at_ms) = (last.seq, Some(last.at_ms));
        }
        if at_ms.is_none() && seq > 0 {
            at_ms = store.changes(tenant, seq - 1, None, 1).await?.first().map(|change| change.at_ms);
        }
        let now_ms = Timestamp::now().as_millisecond();
        if at_ms.is_some_and(|at| at >= now_ms) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        Ok(Self { seq, at_ms })
    }

    fn time(&self) -> Option<String> {
        let time = Timestamp::from_millisecond(self.at_ms?).ok()?;
        Some(format!("{time:.3}"))
    }

    /// Was a revision there?
    fn has(&self, row: &RecordRow) -> bool {
        self.at_ms.is_some_and(|at| row.recorded_at_ms <= at)
    }
}

/// The rows of an entity.
async fn entity(
    store: &dyn Store,
    tenant: &TenantId,
    kind: EntityKind,
    at: &Position,
    writing: &mut Writing<'_>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<EntityRows, ExportError> {
    let shape = Shape::new(kind, writing.terms);
    let heads = shape.heads();
    let columns = heads.iter().map(|head| head.name.clone()).collect();
    let mut parts = Parts::new(kind, heads);
    let mut rows = 0;
    let mut query = RecordQuery {
        entity: Some(kind.name().to_owned()),
        updated_since_ms: Some(0),
        include_deleted: true,
        limit: PAGE,
        ..RecordQuery::default()
    };
    loop {
        if stop() {
            return Err(ExportError::Stopped);
        }
        let slice = store.records(tenant, &query).await?;
        for row in slice.items {
            let Some(row) = as_of(store, tenant, row, at).await? else { continue };
            let cells = shape.cells(&row).map_err(|why| ExportError::Row { entity: kind.name(), why })?;
            parts.row(writing, &day_of(row.recorded_at_ms), cells).await?;
            rows += 1;
        }
        match slice.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    parts.end(writing).await?;
    Ok(EntityRows { entity: kind.name().to_owned(), rows, columns })
}

/// The record as it stood at the position; none: it was not there, or gone.
async fn as_of(
    store: &dyn Store,
    tenant: &TenantId,
    row: RecordRow,
    at: &Position,
) -> Result<Option<RecordRow>, StoreError> {
    let row = match at.has(&row) {
        true => Some(row),
        false => store.revisions(tenant, row.id, REVISIONS_MAX).await?.into_iter().find(|row| at.has(row)),
    };
    Ok(row.filter(|row| row.deleted.is_none()))
}

/// What files are written with.
struct Writing<'a> {
    target: &'a dyn Target,
    scratch: &'a Path,
    snapshot: &'a str,
    terms: &'a Terms,
    limits: Limits,
    files: Vec<FileEntry>,
}

/// The files of an entity, one at a time: records come by the day of their last change.
struct Parts {
    kind: EntityKind,
    heads: Vec<crate::row::Head>,
    /// How many files each day has.
    numbers: BTreeMap<String, u32>,
    open: Option<Part>,
}

/// A file under way.
struct Part {
    day: String,
    rows: u64,
    table: Table<Hashed>,
    file: tempfile::NamedTempFile,
}

impl Parts {
    fn new(kind: EntityKind, heads: Vec<crate::row::Head>) -> Self {
        Self { kind, heads, numbers: BTreeMap::new(), open: None }
    }

    async fn row(&mut self, writing: &mut Writing<'_>, day: &str, cells: Vec<Cell>) -> Result<(), ExportError> {
        let full = |part: &Part| {
            part.day != day || part.file.as_file().metadata().is_ok_and(|m| m.len() >= writing.limits.file_bytes)
        };
        if self.open.as_ref().is_some_and(full) {
            self.end(writing).await?;
        }
        let failed = |why| ExportError::Row { entity: self.kind.name(), why };
        let part = match &mut self.open {
            Some(part) => part,
            None => {
                let file = tempfile::NamedTempFile::new_in(writing.scratch);
                let file = file.map_err(|error| ExportError::file(writing.scratch, error))?;
                let out = file.reopen().map_err(|error| ExportError::file(file.path(), error))?;
                let group = GroupSize { rows: writing.limits.group_rows, bytes: writing.limits.group_bytes };
                let table = Table::begin(writing.terms.format, Hashed::new(out), self.kind, &self.heads, group);
                self.open.insert(Part { day: day.to_owned(), rows: 0, table: table.map_err(failed)?, file })
            }
        };
        part.table.row(cells).map_err(failed)?;
        part.rows += 1;
        Ok(())
    }

    /// Ends the file under way, and puts it where it belongs.
    async fn end(&mut self, writing: &mut Writing<'_>) -> Result<(), ExportError> {
        let Some(Part { day, rows, table, file }) = self.open.take() else { return Ok(()) };
        let entity = self.kind.name();
        let out = table.end().map_err(|why| ExportError::Row { entity, why })?;
        let (sha256, bytes) = out.end().map_err(|error| ExportError::file(file.path(), error))?;
        let number = self.numbers.entry(day.clone()).or_default();
        let path = format!("entity={entity}/day={day}/part-{number:04}.{}", writing.terms.format.as_str());
        *number += 1;
        writing.target.put(&format!("{}/{path}", writing.snapshot), file.path()).await?;
        writing.files.push(FileEntry { path, entity: entity.to_owned(), day, rows, bytes, sha256 });
        Ok(())
    }
}

/// A file whose bytes are counted and hashed on their way.
struct Hashed {
    out: std::io::BufWriter<std::fs::File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn new(out: std::fs::File) -> Self {
        Self { out: std::io::BufWriter::new(out), hash: Sha256::new(), bytes: 0 }
    }

    fn end(mut self) -> std::io::Result<(String, u64)> {
        std::io::Write::flush(&mut self.out)?;
        Ok((hex::encode(self.hash.finalize()), self.bytes))
    }
}

impl std::io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
