//! From columns to the shapes of the model, once for both backends: the column lists and how they are read.

use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, StreamName, TenantId};

use crate::identity::IdKeys;
use crate::keyed::ANY_CONNECTION;
use crate::retention::RemovedExchange;
use crate::{
    ApiKeyRow, ChangeRow, CommitOutcome, ContentHash, DiskUse, EntityCount, ExchangeRow, ExchangeWrite, HeldRecord,
    HeldSweep, KeyRole, LeaseRow, Origin, PageRow, PluginRef, QuarantineRow, QuarantineWrite, RecordRow, Retained,
    RetainedKind, RunFinding, RunOmission, RunRow, ScreenTokenRow, Signature, SignedRevision, StoreError, StreamKey,
    UnresolvedKeys, codes,
};

/// A row of either backend. Every number is 64 bits wide.
pub(crate) trait Columns {
    fn int(&self, at: usize) -> Result<i64, StoreError>;
    fn int_or_none(&self, at: usize) -> Result<Option<i64>, StoreError>;
    fn text(&self, at: usize) -> Result<String, StoreError>;
    fn text_or_none(&self, at: usize) -> Result<Option<String>, StoreError>;
    fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError>;
    fn bytes_or_none(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError>;
}

/// `k` is the record, `r` the revision: the record itself or a row of `revision`.
macro_rules! record_columns {
    ($k:literal) => {
        concat!(
            $k,
            ".id, s.entity, s.connection, ",
            $k,
            ".external_id, r.revision, r.hash, r.body, r.deleted, ",
            "r.source_updated_at, ",
            $k,
            ".created_at, r.recorded_at, t.stream, p.run, p.id, p.exchanges, r.exchange_no, ",
            "r.pointer, g.name, g.version, g.digest"
        )
    };
}
/// Where a revision's lineage stands; goes on after a FROM that names `r` and the scope's holder.
macro_rules! lineage_joins {
    ($k:literal) => {
        concat!(
            " JOIN scope s ON s.id = ",
            $k,
            ".scope JOIN page p ON p.id = r.page JOIN run u ON u.id = p.run ",
            "JOIN stream t ON t.id = p.stream JOIN plugin g ON g.id = u.plugin "
        )
    };
}
pub(crate) use {lineage_joins, record_columns};

/// How many columns [`record_columns`] has.
pub(crate) const RECORD_COLUMNS: usize = 20;

/// Reads [`record_columns`].
pub(crate) fn record(row: &dyn Columns, ids: &IdKeys) -> Result<RecordRow, StoreError> {
    let created_at_ms = row.int(9)?;
    let exchange_no = row.int(15)?;
    let exchange = (exchange_no != codes::NO_EXCHANGE && exchange_no < row.int(14)?)
        .then(|| Ok::<_, StoreError>(ExchangeId { page: row.int(13)?, no: small(exchange_no)? }))
        .transpose()?;
    Ok(RecordRow {
        id: ids.mint(row.int(0)?, created_at_ms)?,
        entity: row.text(1)?,
        connection: connection(row, 2)?,
        external_id: row.text(3)?,
        revision: row.int(4)?,
        hash: ContentHash(array(row, 5)?),
        body: row.bytes(6)?,
        deleted: row.int_or_none(7)?.map(codes::deleted).transpose()?,
        source_updated_at_ms: row.int_or_none(8)?,
        created_at_ms,
        recorded_at_ms: row.int(10)?,
        origin: Origin {
            stream: stream(row, 11)?,
            run: RunId(row.int(12)?),
            exchange,
            pointer: row.text(16)?,
            plugin: plugin(row, 17)?,
        },
    })
}

pub(crate) const CHANGE_COLUMNS: &str =
    "c.seq, c.kind, c.record, r.created_at, s.entity, s.connection, r.external_id, c.revision, c.at_ms";

/// Reads [`CHANGE_COLUMNS`].
pub(crate) fn change(row: &dyn Columns, ids: &IdKeys) -> Result<ChangeRow, StoreError> {
    Ok(ChangeRow {
        seq: row.int(0)?,
        kind: codes::kind(row.int(1)?)?,
        id: ids.mint(row.int(2)?, row.int(3)?)?,
        entity: row.text(4)?,
        connection: connection(row, 5)?,
        external_id: row.text(6)?,
        revision: row.int(7)?,
        at_ms: row.int(8)?,
    })
}

/// Columns: entity, scheme, connection, ambiguous, records, values, matches_max, since_ms.
pub(crate) fn unresolved(row: &dyn Columns) -> Result<UnresolvedKeys, StoreError> {
    let name = row.text(2)?;
    Ok(UnresolvedKeys {
        entity: row.text(0)?,
        scheme: row.text(1)?,
        connection: if name == ANY_CONNECTION { None } else { Some(connection(row, 2)?) },
        ambiguous: row.int(3)? == 1,
        records: count(row, 4)?,
        values: count(row, 5)?,
        matches_max: count(row, 6)?,
        since_ms: row.int(7)?,
    })
}

/// Columns of a lease.
pub(crate) const LEASE_SELECT: &str = "SELECT holder, beat, since_ms FROM lease";

/// Reads [`LEASE_SELECT`].
pub(crate) fn lease(row: &dyn Columns) -> Result<LeaseRow, StoreError> {
    let holder = row.text(0)?;
    Ok(LeaseRow { holder: (!holder.is_empty()).then_some(holder), beat: row.int(1)?, since_ms: row.int(2)? })
}

/// A tenant's name as kept.
pub(crate) fn tenant_of(text: &str) -> Result<TenantId, StoreError> {
    TenantId::new(text).map_err(|_| StoreError::Fault("the database names a tenant that is not a name".into()))
}

/// FROM and columns of a run.
pub(crate) const RUN_SELECT: &str = "SELECT u.id, t.connection, t.stream, g.name, g.version, g.digest, u.trigger, u.state, \
     u.started_at, u.ended_at, u.pages, u.records, u.created, u.updated, u.unchanged, u.deleted, u.quarantined, u.last_seq, \
     u.error, u.retry_at, u.swept, u.repeated, u.held, u.omitted, u.findings, u.total, u.released_by FROM run u JOIN stream t ON t.id = u.stream JOIN plugin g ON g.id = u.plugin ";

/// Reads [`RUN_SELECT`].
pub(crate) fn run(row: &dyn Columns) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        id: RunId(row.int(0)?),
        connection: connection(row, 1)?,
        stream: stream(row, 2)?,
        plugin: plugin(row, 3)?,
        trigger: codes::trigger(&row.text(6)?)?,
        state: codes::run_state(row.int(7)?)?,
        started_at_ms: row.int(8)?,
        ended_at_ms: row.int_or_none(9)?,
        pages: count(row, 10)?,
        records: count(row, 11)?,
        outcome: CommitOutcome {
            created: count(row, 12)?,
            updated: count(row, 13)?,
            unchanged: count(row, 14)?,
            deleted: count(row, 15)?,
            swept: count(row, 20)?,
            quarantined: count(row, 16)?,
            repeated: count(row, 21)?,
            held: count(row, 22)?,
            // Told with each commit, and not kept with the run.
            exchanges_pruned: 0,
            last_seq: row.int(17)?,
        },
        omitted: count(row, 23)?,
        findings: count(row, 24)?,
        total: row.int_or_none(25)?.and_then(|total| u64::try_from(total).ok()),
        released_by: row.text_or_none(26)?,
        error: row.text_or_none(18)?,
        retry_at_ms: row.int_or_none(19)?,
    })
}

/// Columns: part, code, message, needs, missing.
pub(crate) fn finding(row: &dyn Columns) -> Result<RunFinding, StoreError> {
    Ok(RunFinding {
        part: row.text(0)?,
        code: row.text(1)?,
        message: row.text(2)?,
        needs: codes::remedy(row.int(3)?)?,
        missing: row.int(4)? != 0,
    })
}

/// Columns: part, rule, count, places as lines.
pub(crate) fn omission(row: &dyn Columns) -> Result<RunOmission, StoreError> {
    let places = row.text(3)?.lines().map(str::to_owned).collect();
    Ok(RunOmission { part: row.text(0)?, rule: row.text(1)?, count: count(row, 2)?, places })
}

/// What a stream says whose sweep is not held.
pub(crate) const NOT_HELD: &str = "held_run = NULL, held_from = NULL, held_to = NULL, held_missing = NULL, held_of = NULL, \
     held_at = NULL";

/// The columns of a held sweep, of the stream `t`.
pub(crate) const HELD_COLUMNS: &str = "t.held_run, t.connection, t.stream, t.held_missing, t.held_of, t.held_at";

/// Reads [`HELD_COLUMNS`].
pub(crate) fn held(row: &dyn Columns) -> Result<HeldSweep, StoreError> {
    Ok(HeldSweep {
        run: RunId(row.int(0)?),
        connection: connection(row, 1)?,
        stream: stream(row, 2)?,
        missing: count(row, 3)?,
        of: count(row, 4)?,
        since_ms: row.int(5)?,
    })
}

/// Columns: record, created_at, entity, external_id.
pub(crate) fn held_record(row: &dyn Columns, ids: &IdKeys) -> Result<HeldRecord, StoreError> {
    Ok(HeldRecord { id: ids.mint(row.int(0)?, row.int(1)?)?, entity: row.text(2)?, external_id: row.text(3)? })
}

/// The token of an epoch; every store that was opened to write has one.
pub(crate) fn epoch(token: Option<i64>) -> Result<u32, StoreError> {
    token.and_then(|token| u32::try_from(token).ok()).ok_or_else(|| damaged("feed epoch"))
}

/// Columns: connection, records_bytes, exchanges_bytes.
pub(crate) fn disk_use(row: &dyn Columns) -> Result<DiskUse, StoreError> {
    let (records_bytes, exchanges_bytes) = (count(row, 1)?, count(row, 2)?);
    Ok(DiskUse { connection: connection(row, 0)?, records_bytes, exchanges_bytes })
}

/// Columns: connection, kind, dropped, dropped_at, oldest_at. What no connection has stands under none.
pub(crate) fn retained(row: &dyn Columns) -> Result<Retained, StoreError> {
    let name = Some(row.text(0)?).filter(|name| !name.is_empty());
    Ok(Retained {
        connection: name.map(|_| connection(row, 0)).transpose()?,
        kind: RetainedKind::from_text(&row.text(1)?).ok_or_else(|| damaged("kind of what is kept"))?,
        dropped: count(row, 2)?,
        dropped_at_ms: row.int_or_none(3)?,
        oldest_at_ms: row.int_or_none(4)?,
    })
}

pub(crate) const PAGE_COLUMNS: &str = "p.id, p.run, p.cursor_before, p.cursor_after, p.now_ms";

/// Reads [`PAGE_COLUMNS`].
pub(crate) fn page(row: &dyn Columns) -> Result<PageRow, StoreError> {
    Ok(PageRow {
        id: row.int(0)?,
        run: RunId(row.int(1)?),
        cursor_before: row.text_or_none(2)?,
        cursor_after: row.text_or_none(3)?,
        now_ms: row.int(4)?,
    })
}

/// Columns of an exchange after its page and number, which each backend keeps in its own way.
pub(crate) const EXCHANGE_COLUMNS: &str = "p.run, t.connection, t.stream, x.method, x.url, x.status, x.key, x.body_hash, x.packed, x.at_ms, x.shared, b.packed";

/// The body that an exchange shares with others.
pub(crate) const EXCHANGE_BODY_JOIN: &str = "LEFT JOIN exchange_body b ON x.shared = 1 AND b.tenant = t.tenant AND b.connection = t.connection \
                                             AND b.hash = x.body_hash";

/// Reads page, number and [`EXCHANGE_COLUMNS`].
pub(crate) fn exchange(row: &dyn Columns) -> Result<ExchangeRow, StoreError> {
    let no = small(row.int(1)?)?;
    let mut packed = row.bytes(10)?;
    let body_at = match row.int(12)? {
        0 => None,
        _ => {
            let at = u32::try_from(packed.len()).map_err(|_| damaged("exchange"))?;
            packed.extend(row.bytes_or_none(13)?.ok_or_else(|| damaged("exchange without its body"))?);
            Some(at)
        }
    };
    Ok(ExchangeRow {
        id: ExchangeId { page: row.int(0)?, no },
        run: RunId(row.int(2)?),
        connection: connection(row, 3)?,
        stream: stream(row, 4)?,
        exchange: ExchangeWrite {
            no,
            method: row.text(5)?,
            url: row.text(6)?,
            status: u16::try_from(row.int(7)?).map_err(|_| damaged("status"))?,
            key: array(row, 8)?,
            body_hash: array(row, 9)?,
            packed,
            body_at,
            at_ms: row.int(11)?,
        },
    })
}

/// Columns of an exchange that is taken out.
pub(crate) const REMOVED_COLUMNS: &str =
    "CAST(octet_length(packed) + octet_length(url) + 150 AS bigint), CASE WHEN shared = 1 THEN body_hash END";

/// Reads [`REMOVED_COLUMNS`].
pub(crate) fn removed_exchange(row: &dyn Columns) -> Result<RemovedExchange, StoreError> {
    let body = row.bytes_or_none(1)?.map(|hash| hash.try_into().map_err(|_| damaged("exchange"))).transpose()?;
    Ok(RemovedExchange { bytes: row.int(0)?, body })
}

/// FROM and columns of a quarantined record.
pub(crate) const QUARANTINE_SELECT: &str = "SELECT q.id, t.connection, t.stream, q.run, q.page, q.entity, q.external_id, \
     q.exchange_no, q.pointer, q.code, q.reason, q.raw, q.at_ms, q.attempts, q.reason_zh FROM quarantine q JOIN stream t ON t.id = q.stream ";

/// A reason in both languages; one that was kept in English alone is the same in both.
fn reason(english: String, chinese: Option<String>) -> Text {
    match chinese {
        Some(chinese) => Text::kept(english, chinese),
        None => Text::verbatim(english),
    }
}

/// Reads [`QUARANTINE_SELECT`].
pub(crate) fn quarantine(row: &dyn Columns) -> Result<QuarantineRow, StoreError> {
    Ok(QuarantineRow {
        id: row.int(0)?,
        connection: connection(row, 1)?,
        stream: stream(row, 2)?,
        run: RunId(row.int(3)?),
        page: row.int(4)?,
        item: QuarantineWrite {
            entity: row.text(5)?,
            external_id: row.text_or_none(6)?,
            exchange_no: small(row.int(7)?)?,
            pointer: row.text(8)?,
            code: row.text(9)?,
            reason: reason(row.text(10)?, row.text_or_none(14)?),
            raw: row.bytes(11)?,
        },
        at_ms: row.int(12)?,
        attempts: small(row.int(13)?)?,
    })
}

pub(crate) const API_KEY_SELECT: &str =
    "SELECT hash, label, tenant, role, connection, created_at, expires_at, revoked_at, last_used_at FROM api_key ";

/// How many it selects.
pub(crate) const API_KEY_COLUMNS: usize = 9;

/// Reads [`API_KEY_SELECT`].
pub(crate) fn api_key(row: &dyn Columns) -> Result<ApiKeyRow, StoreError> {
    let bound = row.text_or_none(4)?.map(|_| connection(row, 4)).transpose()?;
    Ok(ApiKeyRow {
        hash: array(row, 0)?,
        label: row.text(1)?,
        tenant: TenantId::new(&row.text(2)?).map_err(|_| damaged("tenant"))?,
        role: KeyRole::of(&row.text(3)?, bound).ok_or_else(|| damaged("role of a key"))?,
        created_at_ms: row.int(5)?,
        expires_at_ms: row.int_or_none(6)?,
        revoked_at_ms: row.int_or_none(7)?,
        last_used_at_ms: row.int_or_none(8)?,
    })
}

pub(crate) const SCREEN_TOKEN_SELECT: &str = "SELECT hash, tenant, interview, expires_at FROM screen_token";

/// Reads [`SCREEN_TOKEN_SELECT`].
pub(crate) fn screen_token(row: &dyn Columns) -> Result<ScreenTokenRow, StoreError> {
    Ok(ScreenTokenRow {
        hash: array(row, 0)?,
        tenant: TenantId::new(&row.text(1)?).map_err(|_| damaged("tenant"))?,
        interview: row.text(2)?.parse().map_err(|_| damaged("record id"))?,
        expires_at_ms: row.int(3)?,
    })
}

pub(crate) const SIGNATURE_SELECT: &str = "SELECT revision, person, key, reason, at_ms FROM signature";

/// Reads [`SIGNATURE_SELECT`].
pub(crate) fn signature(row: &dyn Columns) -> Result<SignedRevision, StoreError> {
    let signature = Signature { person: row.text(1)?, key: row.text(2)?, reason: row.text(3)? };
    Ok(SignedRevision { revision: row.int(0)?, signature, at_ms: row.int(4)? })
}

pub(crate) const ANSWERED_SELECT: &str =
    "SELECT a.fingerprint, a.record, r.created_at, a.revision FROM answered a JOIN record r ON r.id = a.record";

/// Reads [`ANSWERED_SELECT`]: what was asked, and the record and revision that it was answered with.
pub(crate) fn answered(row: &dyn Columns, ids: &IdKeys) -> Result<([u8; 32], RecordId, i64), StoreError> {
    Ok((array(row, 0)?, ids.mint(row.int(1)?, row.int(2)?)?, row.int(3)?))
}

/// Columns: entity, connection, live, deleted.
pub(crate) fn entity_count(row: &dyn Columns) -> Result<EntityCount, StoreError> {
    Ok(EntityCount { entity: row.text(0)?, connection: connection(row, 1)?, live: row.int(2)?, deleted: row.int(3)? })
}

/// Columns: tenant, connection, stream.
pub(crate) fn stream_key(row: &dyn Columns) -> Result<StreamKey, StoreError> {
    Ok(StreamKey { tenant: tenant_of(&row.text(0)?)?, connection: connection(row, 1)?, stream: stream(row, 2)? })
}

pub(crate) fn connection(row: &dyn Columns, at: usize) -> Result<ConnectionName, StoreError> {
    ConnectionName::new(&row.text(at)?).map_err(|_| damaged("connection"))
}

fn stream(row: &dyn Columns, at: usize) -> Result<StreamName, StoreError> {
    StreamName::new(&row.text(at)?).map_err(|_| damaged("stream"))
}

fn plugin(row: &dyn Columns, at: usize) -> Result<PluginRef, StoreError> {
    Ok(PluginRef { name: row.text(at)?, version: row.text(at + 1)?, digest: row.text(at + 2)? })
}

pub(crate) fn count(row: &dyn Columns, at: usize) -> Result<u64, StoreError> {
    u64::try_from(row.int(at)?).map_err(|_| damaged("count"))
}

fn small(value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| damaged("number"))
}

/// Bytes of a length that the table's writer knows.
pub(crate) fn array<const N: usize>(row: &dyn Columns, at: usize) -> Result<[u8; N], StoreError> {
    row.bytes(at)?.try_into().map_err(|_| damaged("hash"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Fault(format!("the database holds a {what} that this program did not write"))
}
