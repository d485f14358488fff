//! The way of one request: was it answered before? If not, what does it come to by what stands now? Then one commit. A request that comes
//! second reads again.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::{RecordId, StreamName, TenantId};
use renmen_schema::{EntityKind, canonicalize};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, DeletedBy, Follow, Once, OnceKey, PEOPLES_RECORDS_STREAM, Parent, RecordRow,
    Signature, Store, StoreError, StreamKey,
};
use serde_json::Value;

use crate::ask::{Act, Ask, Refusal};
use crate::shelf::{Shelf, body, built_in};
use crate::{absent, competency, profile, refer, rule, tag};

/// How often it is read again when another gateway was quicker.
const TRIES: usize = 16;

/// Takes what people write.
pub struct Desk {
    store: Arc<dyn Store>,
    /// One at a time for each tenant: each commit rests on what the one before left.
    turns: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Desk {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, turns: Mutex::default() }
    }

    /// Does what is asked. Gives the record as it stands then, a tombstone where it was removed.
    ///
    /// # Errors
    /// [`Refusal`]; nothing was written then.
    pub async fn write(&self, ask: &Ask, now_ms: i64) -> Result<RecordRow, Refusal> {
        if !ask.kind.is_written_by_people() {
            return Err(Refusal::Fault(format!("{} is not written by people", ask.kind)));
        }
        let turn = Arc::clone(self.turns.lock().entry(ask.writer.tenant.clone()).or_default());
        let _turn = turn.lock().await;
        let mut last = None;
        for _ in 0..TRIES {
            if let Some(row) = self.answered(ask, now_ms).await? {
                return Ok(row);
            }
            match self.once(ask, now_ms).await {
                Err(Refusal::Store(StoreError::Fenced(why))) => last = Some(why),
                other => return other,
            }
        }
        Err(StoreError::Fenced(last.unwrap_or_default()).into())
    }

    /// What the same request was answered with before.
    async fn answered(&self, ask: &Ask, now_ms: i64) -> Result<Option<RecordRow>, Refusal> {
        let Some(repeatable) = &ask.repeatable else { return Ok(None) };
        let key = OnceKey { tenant: &ask.writer.tenant, scope: &ask.writer.key, name: &repeatable.name };
        match self.store.answered(key, now_ms).await? {
            None => Ok(None),
            Some(before) if before.fingerprint == ask.fingerprint() => Ok(Some(before.row)),
            Some(_) => Err(Refusal::OtherRequest),
        }
    }

    async fn once(&self, ask: &Ask, now_ms: i64) -> Result<RecordRow, Refusal> {
        let tenant = &ask.writer.tenant;
        // Before anything is read: the commit is refused when a record was written in the meantime.
        let place = self.place(tenant).await?;
        let shelf = Shelf { store: &*self.store, tenant };
        let record = plan(shelf, ask, now_ms).await?;
        let mut commit = AuthoredCommit::of(tenant.clone(), stream(), now_ms);
        commit.follow = Some(Follow { from: place, to: place + 1 });
        commit.records = vec![record];
        commit.signed = Some(Signature {
            person: ask.writer.person.clone(),
            key: ask.writer.key.clone(),
            reason: ask.reason.clone(),
        });
        commit.once = ask.repeatable.as_ref().map(|repeatable| Once {
            scope: ask.writer.key.clone(),
            name: repeatable.name.clone(),
            fingerprint: ask.fingerprint(),
            until_ms: now_ms.saturating_add(repeatable.kept_ms),
        });
        let done = self.store.author(commit).await?;
        metrics::counter!("renmen_records_by_people_total", "entity" => ask.kind.name(), "what" => ask.act.word())
            .increment(1);
        // The answer that a repetition gets, also where another gateway wrote in the meantime.
        if let Some(row) = self.answered(ask, now_ms).await? {
            return Ok(row);
        }
        let id = done.ids.first().copied().ok_or_else(|| Refusal::Fault("nothing was written".into()))?;
        shelf.record(id).await?.ok_or_else(|| Refusal::Fault("what was written is gone".into()))
    }

    /// How often people wrote.
    async fn place(&self, tenant: &TenantId) -> Result<i64, Refusal> {
        let key = StreamKey { tenant: tenant.clone(), connection: built_in(), stream: stream() };
        let cursor = self.store.stream_state(&key).await?.cursor;
        cursor.map_or(Ok(0), |text| text.parse().map_err(|_| Refusal::Fault("a stream's place is not a number".into())))
    }
}

fn stream() -> StreamName {
    StreamName::new(PEOPLES_RECORDS_STREAM).expect("a name of ours is well formed")
}

/// The record that a request comes to.
async fn plan(shelf: Shelf<'_>, ask: &Ask, now_ms: i64) -> Result<AuthoredRecord, Refusal> {
    match &ask.act {
        Act::Create { external_id, body } => create(shelf, ask, external_id.as_deref(), body, now_ms).await,
        Act::Replace { id, revision, body } => {
            let row = owned(shelf, ask.kind, *id, *revision).await?;
            replace(shelf, ask, &row, body, now_ms).await
        }
        Act::Remove { id, revision } => {
            let row = owned(shelf, ask.kind, *id, *revision).await?;
            remove(shelf, ask.kind, &row).await
        }
    }
}

/// A live record that people may change, at the revision that the client read.
async fn owned(shelf: Shelf<'_>, kind: EntityKind, id: RecordId, revision: Option<i64>) -> Result<RecordRow, Refusal> {
    let row = shelf.record(id).await?.filter(|row| row.entity == kind.name() && row.deleted.is_none());
    let row = row.ok_or(Refusal::NotFound)?;
    if row.connection != built_in() {
        let from = &row.connection;
        return Err(Refusal::conflict(
            None,
            format!("it comes from connection `{from}`: change it in that system, or create a record of your own"),
            format!("该记录来自连接 `{from}`：请在其来源系统中修改，或另建自己的记录"),
        ));
    }
    if rule::is_of_file(&row) {
        return Err(rule::of_file(&row));
    }
    match revision {
        None => Err(Refusal::NoRevision { is: row.revision }),
        Some(read) if read != row.revision => Err(Refusal::Moved { is: row.revision }),
        Some(_) => Ok(row),
    }
}

async fn create(
    shelf: Shelf<'_>,
    ask: &Ask,
    external_id: Option<&str>,
    given: &[u8],
    now_ms: i64,
) -> Result<AuthoredRecord, Refusal> {
    let kind = ask.kind;
    let external_id = external_id.map_or_else(|| hex::encode(rand::random::<[u8; 16]>()), str::to_owned);
    let key = Parent { connection: built_in(), entity: kind.name().to_owned(), external_id: external_id.clone() };
    let before = shelf.find(&key).await?;
    if let Some(there) = before.as_ref().filter(|row| row.deleted.is_none()) {
        if rule::is_of_file(there) {
            return Err(rule::of_file(there));
        }
        return Err(Refusal::conflict(
            Some((kind, there.id)),
            "there is a record with this `external_id`: change it with PUT, or give another id",
            "已有记录使用此 `external_id`：请用 PUT 修改它，或换一个编号",
        ));
    }
    let new = checked(shelf, ask, given, None).await?;
    match kind {
        EntityKind::PositionProfile => profile::check_new(shelf, &new.value, now_ms).await?,
        EntityKind::DecisionRule => rule::check(shelf, &new.value, None).await?,
        _ => {}
    }
    written(shelf, kind, external_id, before.map_or(0, |row| row.revision), new).await
}

async fn replace(
    shelf: Shelf<'_>,
    ask: &Ask,
    row: &RecordRow,
    given: &[u8],
    now_ms: i64,
) -> Result<AuthoredRecord, Refusal> {
    if ask.kind == EntityKind::PositionProfile {
        profile::refuse_published(row)?;
    }
    let new = checked(shelf, ask, given, Some(&body(row))).await?;
    match ask.kind {
        EntityKind::PositionProfile => profile::check_change(shelf, row, &new.value, now_ms).await?,
        EntityKind::DecisionRule => rule::check(shelf, &new.value, Some(row.id)).await?,
        _ => {}
    }
    written(shelf, ask.kind, row.external_id.clone(), row.revision, new).await
}

async fn remove(shelf: Shelf<'_>, kind: EntityKind, row: &RecordRow) -> Result<AuthoredRecord, Refusal> {
    match kind {
        EntityKind::PositionProfile => profile::refuse_published(row)?,
        EntityKind::Competency => competency::check_removal(shelf, row).await?,
        _ => {}
    }
    Ok(AuthoredRecord {
        entity: kind.name().to_owned(),
        external_id: row.external_id.clone(),
        body: Vec::new(),
        deleted: Some(DeletedBy::Manual),
        causes: Vec::new(),
        expect: Some(row.revision),
        parents: Vec::new(),
    })
}

/// A body that may be written.
struct Checked {
    bytes: Vec<u8>,
    value: Value,
}

/// Holds a body to what connectors' bodies are held to, and its references to what is there.
async fn checked(shelf: Shelf<'_>, ask: &Ask, given: &[u8], old: Option<&Value>) -> Result<Checked, Refusal> {
    let mut bytes = canonicalize(ask.kind, given).map_err(Refusal::Defects)?;
    let mut value: Value = serde_json::from_slice(&bytes).map_err(|fault| Refusal::Fault(fault.to_string()))?;
    let mut defects = absent::nulls(given);
    defects.extend(refer::check(shelf, ask.kind, &value).await?);
    if ask.kind == EntityKind::Tag {
        defects.extend(tag::sign(&mut value, old, &ask.writer.person));
        bytes = canonicalize(ask.kind, value.to_string().as_bytes()).map_err(Refusal::Defects)?;
    }
    if defects.is_empty() { Ok(Checked { bytes, value }) } else { Err(Refusal::Defects(defects)) }
}

async fn written(
    shelf: Shelf<'_>,
    kind: EntityKind,
    external_id: String,
    expect: i64,
    new: Checked,
) -> Result<AuthoredRecord, Refusal> {
    let parents = match kind {
        EntityKind::PositionProfile => profile::position(shelf, &new.value).await?.into_iter().collect(),
        _ => Vec::new(),
    };
    Ok(AuthoredRecord {
        entity: kind.name().to_owned(),
        external_id,
        body: new.bytes,
        deleted: None,
        causes: Vec::new(),
        expect: Some(expect),
        parents,
    })
}
