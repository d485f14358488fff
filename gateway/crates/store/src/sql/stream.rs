//! Streams: where each stands, and which run holds it.

use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, expect_number, moving, values};
use crate::rows::{Columns, NOT_HELD};
use crate::{StoreError, StreamKey, StreamState};

/// What a commit must know of its stream.
pub(crate) struct LiveStream {
    pub(crate) id: i64,
    pub(crate) cursor: Option<String>,
    pub(crate) sweep_from: Option<i64>,
    /// The first page of a sweep that is held.
    pub(crate) held_from: Option<i64>,
    pub(crate) run: Option<i64>,
    /// The last run that read it.
    pub(crate) last_run: Option<i64>,
    pub(crate) last_began_at_ms: Option<i64>,
    pub(crate) mid_run: bool,
    sweep_partial: bool,
}

const COLUMNS: &str = "id, cursor, sweep_from, run, mid_run, held_from, sweep_partial, last_run, last_began_at";

fn live(row: &dyn Columns) -> Result<LiveStream, StoreError> {
    Ok(LiveStream {
        id: row.int(0)?,
        cursor: row.text_or_none(1)?,
        sweep_from: row.int_or_none(2)?,
        run: row.int_or_none(3)?,
        mid_run: row.int(4)? != 0,
        held_from: row.int_or_none(5)?,
        sweep_partial: row.int(6)? != 0,
        last_run: row.int_or_none(7)?,
        last_began_at_ms: row.int_or_none(8)?,
    })
}

/// Finds an existing stream.
pub(crate) async fn find(session: &impl Session, key: &StreamKey) -> Result<Option<LiveStream>, StoreError> {
    select(session, key, "").await
}

/// The same; no other transaction changes it until this one ends.
pub(crate) async fn find_to_change(session: &impl Session, key: &StreamKey) -> Result<Option<LiveStream>, StoreError> {
    select(session, key, session.dialect().for_update()).await
}

async fn select(session: &impl Session, key: &StreamKey, lock: &str) -> Result<Option<LiveStream>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM stream WHERE tenant = $1 AND connection = $2 AND stream = $3{lock}");
    session.one(&sql, values![&key.tenant, &key.connection, &key.stream], live).await
}

/// A stream to change, made when there is none.
pub(crate) async fn intern(session: &impl Session, key: &StreamKey) -> Result<LiveStream, StoreError> {
    let (id, next) = session.dialect().own_number("stream");
    let sql =
        format!("INSERT INTO stream ({id}tenant, connection, stream) VALUES ({next}$1, $2, $3) ON CONFLICT DO NOTHING");
    session.run(&sql, values![&key.tenant, &key.connection, &key.stream]).await?;
    let found = find_to_change(session, key).await?;
    found.ok_or_else(|| StoreError::Fault("the stream's row vanished".into()))
}

pub(crate) async fn state(session: &impl Session, key: &StreamKey) -> Result<StreamState, StoreError> {
    let records = u64::try_from(records(session, &key.tenant, &key.connection).await?).unwrap_or(0);
    Ok(match find(session, key).await? {
        None => StreamState { records, ..StreamState::default() },
        Some(stream) => StreamState {
            cursor: stream.cursor,
            mid_run: stream.mid_run,
            sweeping: stream.sweep_from.is_some() && !stream.sweep_partial,
            records,
        },
    })
}

/// Records that came through a connection, deleted ones too.
async fn records(session: &impl Session, tenant: &TenantId, name: &ConnectionName) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(live + dead), 0) AS bigint) FROM scope WHERE tenant = $1 AND connection = $2";
    expect_number(session, sql, values![tenant, name]).await
}

/// Forgets the cursor and a sweep under way.
pub(crate) async fn reset(session: &impl Session, key: &StreamKey) -> Result<(), StoreError> {
    moving::refuse(session, &key.tenant).await?;
    let sql = format!(
        "UPDATE stream SET cursor = NULL, mid_run = 0, sweep_from = NULL, {NOT_HELD}
         WHERE tenant = $1 AND connection = $2 AND stream = $3"
    );
    session.run(&sql, values![&key.tenant, &key.connection, &key.stream]).await.map(drop)
}
