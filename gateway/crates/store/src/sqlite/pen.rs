//! Writing records within a commit: one insert for what is new, one look for what is not, and a change for each revision.

use std::collections::BTreeMap;

use renmen_schema::id::TenantId;
use rusqlite::{Connection, params};

use super::commit::commit_time;
use super::keyed;
use super::query::{number, one, run};
use crate::decide::{Decision, Tally, decide, is_older};
use crate::keyed::{KeyChanges, Way, concerned};
use crate::quota::{self, REVISION_BYTES};
use crate::seen::Seen;
use crate::{ChangeKind, CommitOutcome, ContentHash, DeletedBy, Known, RecordWrite, RunTrigger, StoreError, codes};

/// What one commit writes with.
pub(super) struct Pen<'a> {
    pub(super) connection: &'a Connection,
    pub(super) tally: Tally,
    /// The rows of every record put, written or not.
    pub(super) seen: Seen,
    page: i64,
    seq: i64,
    now_ms: i64,
    /// What is put came as events: it may be out of order.
    events: bool,
    /// What the bodies that come and go say of keys.
    keys: KeyChanges,
    /// By scope: are there deletions of what was never seen?
    ghosts: BTreeMap<i64, bool>,
}

/// A record as it stands, for the one that would take its place.
struct Found {
    row: i64,
    known: Known,
    source_at_ms: Option<i64>,
    body_bytes: i64,
}

impl<'a> Pen<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        tenant: &TenantId,
        page: i64,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let (seq, now_ms) = commit_time(connection, now_ms)?;
        Ok(Self {
            connection,
            tally: Tally::default(),
            seen: Seen::default(),
            page,
            seq,
            now_ms,
            events: false,
            keys: KeyChanges::of(tenant.clone()),
            ghosts: BTreeMap::new(),
        })
    }

    /// The same for what may come out of order.
    pub(super) fn of_events(
        connection: &'a Connection,
        tenant: &TenantId,
        page: i64,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        Ok(Self { events: true, ..Self::new(connection, tenant, page, now_ms)? })
    }

    /// Takes a record in.
    pub(super) fn put(&mut self, scope: i64, write: &RecordWrite) -> Result<(), StoreError> {
        // Sync asks what is known before it comes here, so most of what comes is new: insert first, look only on conflict.
        if write.deleted.is_none() && !self.is_ghost(scope, write)? && self.insert(scope, write)? {
            return Ok(());
        }
        let found = one(
            self.connection,
            "SELECT id, hash, deleted IS NOT NULL, source_updated_at, octet_length(body) FROM record
             WHERE scope = ?1 AND external_id = ?2",
            params![scope, write.external_id],
            |row| {
                let known = Known { hash: ContentHash(row.get(1)?), deleted: row.get(2)? };
                Ok(Found { row: row.get(0)?, known, source_at_ms: row.get(3)?, body_bytes: row.get(4)? })
            },
        )?;
        let Some(found) = found else {
            self.tally.outcome.unchanged += 1;
            return self.note_ghost(scope, write);
        };
        let decision = if self.comes_late(&found, write)? { Decision::Keep } else { decide(Some(found.known), write) };
        let kind = self.tally.count(scope, decision, found.known.deleted);
        if kind.is_none() && self.events {
            self.note_time(&found, write)?;
        }
        let row = found.row;
        self.seen.add(row);
        let Some(kind) = kind else { return Ok(()) };
        if concerned(&write.entity).is_some() {
            if !found.known.deleted {
                let body: Option<Vec<u8>> = self.body(row)?;
                self.keys.note(&write.entity, (scope, row), &body.unwrap_or_default(), Way::Goes);
            }
            if decision == Decision::Update {
                self.keys.note(&write.entity, (scope, row), &write.body, Way::Comes);
            }
        }
        self.keep_old(row)?;
        // What stood there is kept; a tombstone keeps its body a second time.
        self.tally.bytes += match decision {
            Decision::Update => quota::revision_bytes(write),
            _ => quota::revision_bytes(write) + found.body_bytes,
        };
        let body = (decision == Decision::Update).then_some((&write.hash.0, &write.body));
        run(
            self.connection,
            "UPDATE record SET revision = revision + 1, seq = ?2, page = ?3, recorded_at = ?4, exchange_no = ?5, pointer = ?6,
             source_updated_at = coalesce(?7, source_updated_at), deleted = ?8, hash = coalesce(?9, hash),
             body = coalesce(?10, body) WHERE id = ?1",
            params![
                row,
                self.seq + 1,
                self.page,
                self.now_ms,
                write.exchange_no,
                write.pointer,
                write.updated_at_ms,
                write.deleted.map(codes::of_deleted),
                body.map(|(hash, _)| hash),
                body.map(|(_, body)| body)
            ],
        )?;
        self.log(row, scope, kind)
    }

    /// An older state never takes the place of a newer one that an event brought.
    fn comes_late(&self, found: &Found, write: &RecordWrite) -> Result<bool, StoreError> {
        if !is_older(write, found.source_at_ms, self.now_ms) {
            return Ok(false);
        }
        if self.events {
            return Ok(true);
        }
        // A run reads what the vendor has now, so it is believed, unless an event overtook it.
        let sql = "SELECT 1 FROM record r JOIN page p ON p.id = r.page JOIN run u ON u.id = p.run
                   WHERE r.id = ?1 AND u.\"trigger\" IN (?2, ?3)";
        let [webhook, refresh] = RunTrigger::OF_EVENTS;
        let values = params![found.row, webhook.as_str(), refresh.as_str()];
        Ok(one(self.connection, sql, values, |_| Ok(()))?.is_some())
    }

    /// The same state at a later time: what is older than that comes late from now on.
    fn note_time(&self, found: &Found, write: &RecordWrite) -> Result<(), StoreError> {
        if write.updated_at_ms <= found.source_at_ms || found.known.deleted != write.deleted.is_some() {
            return Ok(());
        }
        let sql = "UPDATE record SET source_updated_at = ?2 WHERE id = ?1";
        run(self.connection, sql, params![found.row, write.updated_at_ms]).map(drop)
    }

    /// Was it deleted after this state, before it was ever seen?
    fn is_ghost(&mut self, scope: i64, write: &RecordWrite) -> Result<bool, StoreError> {
        let any = match self.ghosts.get(&scope) {
            Some(any) => *any,
            None => {
                let any = number(self.connection, "SELECT 1 FROM gone WHERE scope = ?1 LIMIT 1", [scope])?.is_some();
                self.ghosts.insert(scope, any);
                any
            }
        };
        if !any {
            return Ok(false);
        }
        let sql = "SELECT source_at FROM gone WHERE scope = ?1 AND external_id = ?2";
        let gone_at_ms = number(self.connection, sql, params![scope, write.external_id])?;
        Ok(is_older(write, gone_at_ms, self.now_ms))
    }

    /// Remembers the deletion of what was never seen.
    fn note_ghost(&mut self, scope: i64, write: &RecordWrite) -> Result<(), StoreError> {
        let (Some(gone_at_ms), true, true) = (write.updated_at_ms, write.deleted.is_some(), self.events) else {
            return Ok(());
        };
        self.ghosts.insert(scope, true);
        let sql = "INSERT INTO gone (scope, external_id, source_at, noted_at) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (scope, external_id) DO UPDATE SET source_at = max(source_at, excluded.source_at)";
        run(self.connection, sql, params![scope, write.external_id, gone_at_ms, self.now_ms]).map(drop)
    }

    /// A tombstone for a live record that a sweep did not list.
    pub(super) fn sweep_away(&mut self, scope: i64, row: i64) -> Result<(), StoreError> {
        self.tally.count(scope, Decision::Delete, false);
        self.tally.outcome.swept += 1;
        let body = self.body(row)?.unwrap_or_default();
        self.tally.bytes += REVISION_BYTES + body.len() as i64;
        let entity = "SELECT entity FROM scope WHERE id = ?1";
        if let Some(entity) = one(self.connection, entity, [scope], |row| Ok(row.get::<_, String>(0)?))? {
            self.keys.note(&entity, (scope, row), &body, Way::Goes);
        }
        self.keep_old(row)?;
        run(
            self.connection,
            "UPDATE record SET revision = revision + 1, seq = ?2, page = ?3, recorded_at = ?4, exchange_no = ?5, pointer = '',
             deleted = ?6 WHERE id = ?1",
            params![row, self.seq + 1, self.page, self.now_ms, codes::NO_EXCHANGE, codes::of_deleted(DeletedBy::FullDiff)],
        )?;
        self.log(row, scope, ChangeKind::Deleted)
    }

    /// Adds the sums to the scopes' counters, and writes what changed of keys.
    pub(super) fn close(mut self) -> Result<CommitOutcome, StoreError> {
        for (scope, (live, dead)) in &self.tally.scopes {
            let sql = "UPDATE scope SET live = live + ?2, dead = dead + ?3 WHERE id = ?1";
            run(self.connection, sql, [*scope, *live, *dead])?;
        }
        keyed::apply(self.connection, self.keys, self.now_ms)?;
        self.tally.outcome.last_seq = self.seq;
        Ok(self.tally.outcome)
    }

    /// False when there is a record with this id already.
    fn insert(&mut self, scope: i64, write: &RecordWrite) -> Result<bool, StoreError> {
        let inserted = run(
            self.connection,
            "INSERT INTO record (scope, external_id, hash, revision, seq, page, exchange_no, pointer, source_updated_at,
             created_at, recorded_at, body) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) ON CONFLICT DO NOTHING",
            params![
                scope,
                write.external_id,
                write.hash.0,
                self.seq + 1,
                self.page,
                write.exchange_no,
                write.pointer,
                write.updated_at_ms,
                self.now_ms,
                write.body
            ],
        )?;
        if inserted == 0 {
            return Ok(false);
        }
        let row = self.connection.last_insert_rowid();
        self.tally.count(scope, Decision::Create, false);
        self.tally.bytes += quota::revision_bytes(write);
        self.seen.add(row);
        self.keys.note(&write.entity, (scope, row), &write.body, Way::Comes);
        self.seq += 1;
        run(
            self.connection,
            "INSERT INTO change (seq, record, scope, kind, revision, at_ms) VALUES (?1, ?2, ?3, ?4, 1, ?5)",
            params![self.seq, row, scope, codes::of_kind(ChangeKind::Created), self.now_ms],
        )?;
        Ok(true)
    }

    fn body(&self, row: i64) -> Result<Option<Vec<u8>>, StoreError> {
        one(self.connection, "SELECT body FROM record WHERE id = ?1", [row], |row| Ok(row.get(0)?))
    }

    fn keep_old(&self, row: i64) -> Result<(), StoreError> {
        run(
            self.connection,
            "INSERT INTO revision (record, revision, hash, seq, page, exchange_no, pointer, source_updated_at, recorded_at,
             deleted, body) SELECT id, revision, hash, seq, page, exchange_no, pointer, source_updated_at, recorded_at, deleted,
             body FROM record WHERE id = ?1",
            [row],
        )
        .map(drop)
    }

    /// The change of a revision that was just written.
    fn log(&mut self, row: i64, scope: i64, kind: ChangeKind) -> Result<(), StoreError> {
        self.seq += 1;
        run(
            self.connection,
            "INSERT INTO change (seq, record, scope, kind, revision, at_ms)
             SELECT ?1, id, ?3, ?4, revision, ?5 FROM record WHERE id = ?2",
            params![self.seq, row, scope, codes::of_kind(kind), self.now_ms],
        )
        .map(drop)
    }
}
