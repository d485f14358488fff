//! Writing records within a commit: one insert for what is new, one look for what is not, and a change for each revision.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, params};

use super::query::{at_once, number, one, run};
use super::record_key;
use crate::decide::{Decision, decide, is_older};
use crate::model::concerned;
use crate::quota::{self, REVISION_BYTES};
use crate::sql::{CommitState, MissingRecord, Scopes, feed, next_number, source_time};
use crate::{ChangeKind, CommitOutcome, ContentHash, DeletedBy, Known, RecordWrite, RunTrigger, StoreError, codes};

/// Takes a page's records in.
pub(super) fn put(
    connection: &Connection,
    commit: &mut CommitState,
    scopes: &mut Scopes<'_>,
    stream: i64,
    records: &[RecordWrite],
) -> Result<(), StoreError> {
    let mut writer = RevisionWriter::new(connection, commit);
    for write in records {
        let scope = at_once(scopes.intern(connection, stream, write.entity()))?;
        writer.put(scope, write)?;
    }
    Ok(())
}

/// Tombstones for live records that a sweep did not list.
pub(super) fn delete_missing(
    connection: &Connection,
    commit: &mut CommitState,
    missing: &[MissingRecord],
) -> Result<(), StoreError> {
    let mut writer = RevisionWriter::new(connection, commit);
    missing.iter().try_for_each(|missing| writer.delete_missing(*missing))
}

/// Adds the sums to the scopes' counters, gives the feed its new end, and writes what changed of keys.
pub(super) fn finish(connection: &Connection, mut commit: CommitState) -> Result<CommitOutcome, StoreError> {
    for (scope, (live, dead)) in &commit.tally.scopes {
        let sql = "UPDATE scope SET live = live + ?2, dead = dead + ?3 WHERE id = ?1";
        run(connection, sql, [*scope, *live, *dead])?;
    }
    if !commit.tally.scopes.is_empty() {
        at_once(feed::move_end(connection, commit.end()))?;
    }
    commit.keys.seq = commit.seq;
    record_key::apply(connection, commit.keys, commit.now_ms)?;
    commit.tally.outcome.last_seq = commit.seq;
    Ok(commit.tally.outcome)
}

/// What writes the revisions of one page.
struct RevisionWriter<'a> {
    connection: &'a Connection,
    commit: &'a mut CommitState,
    /// By scope: are there deletions of what was never seen?
    deleted_unseen: BTreeMap<i64, bool>,
    /// The row of the next record that is new, once one was.
    next_row: Option<i64>,
    insert: Option<InsertStatements<'a>>,
}

/// What writes a record that is new: found once a page, not once a record.
struct InsertStatements<'a> {
    record: CachedStatement<'a>,
    change: CachedStatement<'a>,
}

impl<'a> InsertStatements<'a> {
    fn of(connection: &'a Connection) -> Result<Self, StoreError> {
        let record = connection.prepare_cached(
            "INSERT INTO record (scope, external_id, hash, revision, seq, page, exchange_no, pointer, source_updated_at,
             created_at, recorded_at, body, id) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        )?;
        let change = connection.prepare_cached(
            "INSERT INTO change (feed, seq, record, scope, kind, revision, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)",
        )?;
        Ok(Self { record, change })
    }
}

/// A record as it stands, for the one that would take its place.
struct StoredRecord {
    row: i64,
    known: Known,
    source_at_ms: Option<i64>,
    body_bytes: i64,
}

impl<'a> RevisionWriter<'a> {
    fn new(connection: &'a Connection, commit: &'a mut CommitState) -> Self {
        Self { connection, commit, deleted_unseen: BTreeMap::new(), next_row: None, insert: None }
    }

    /// Takes a record in.
    fn put(&mut self, scope: i64, write: &RecordWrite) -> Result<(), StoreError> {
        // Sync asks what is known before it comes here, so most of what comes is new: insert first, look only on conflict.
        if write.deleted.is_none() && !self.was_deleted_unseen(scope, write)? && self.insert(scope, write)? {
            return Ok(());
        }
        let stored = one(
            self.connection,
            "SELECT id, hash, deleted IS NOT NULL, source_updated_at, octet_length(body) FROM record
             WHERE scope = ?1 AND external_id = ?2",
            params![scope, write.external_id],
            |row| {
                let known = Known { hash: ContentHash(row.get(1)?), deleted: row.get(2)? };
                Ok(StoredRecord { row: row.get(0)?, known, source_at_ms: row.get(3)?, body_bytes: row.get(4)? })
            },
        )?;
        let Some(stored) = stored else {
            self.commit.tally.outcome.unchanged += 1;
            return self.note_deleted_unseen(scope, write);
        };
        let decision =
            if self.comes_late(&stored, write)? { Decision::Keep } else { decide(Some(stored.known), write) };
        let kind = self.commit.tally.count(scope, decision, stored.known.deleted);
        if kind.is_none() && self.commit.events {
            self.note_time(&stored, write)?;
        }
        let row = stored.row;
        self.commit.seen.add(row);
        let Some(kind) = kind else { return Ok(()) };
        if concerned(write.entity()).is_some() {
            if !stored.known.deleted {
                let body: Option<Vec<u8>> = self.body(row)?;
                self.commit.keys.remove_body(write.entity(), (scope, row), &body.unwrap_or_default());
            }
            if decision == Decision::Update {
                self.commit.keys.add(&write.content, (scope, row));
            }
        }
        self.keep_old(row)?;
        // What stood there is kept; a tombstone keeps its body a second time.
        self.commit.tally.bytes += match decision {
            Decision::Update => quota::revision_bytes(write),
            _ => quota::revision_bytes(write) + stored.body_bytes,
        };
        let body = (decision == Decision::Update).then_some((write.hash(), write.body()));
        run(
            self.connection,
            "UPDATE record SET revision = revision + 1, seq = ?2, page = ?3, recorded_at = ?4, exchange_no = ?5, pointer = ?6,
             source_updated_at = coalesce(?7, source_updated_at), deleted = ?8, hash = coalesce(?9, hash),
             body = coalesce(?10, body) WHERE id = ?1",
            params![
                row,
                self.commit.seq + 1,
                self.commit.page,
                self.commit.now_ms,
                write.exchange_no,
                write.pointer,
                write.updated_at_ms,
                write.deleted.map(codes::deleted_code),
                body.map(|(hash, _)| hash.0),
                body.map(|(_, body)| body)
            ],
        )?;
        self.log(row, scope, kind)
    }

    /// An older state never takes the place of a newer one that an event brought.
    fn comes_late(&self, stored: &StoredRecord, write: &RecordWrite) -> Result<bool, StoreError> {
        if !is_older(write, stored.source_at_ms, self.commit.now_ms) {
            return Ok(false);
        }
        if self.commit.events {
            return Ok(true);
        }
        // A run reads what the vendor has now, so it is believed, unless an event overtook it.
        let sql = "SELECT 1 FROM record r JOIN page p ON p.id = r.page JOIN run u ON u.id = p.run
                   WHERE r.id = ?1 AND u.\"trigger\" IN (?2, ?3)";
        let [webhook, refresh] = RunTrigger::OF_EVENTS;
        let values = params![stored.row, webhook.as_str(), refresh.as_str()];
        Ok(one(self.connection, sql, values, |_| Ok(()))?.is_some())
    }

    /// The same state at a later time: what is older than that comes late from now on.
    fn note_time(&self, stored: &StoredRecord, write: &RecordWrite) -> Result<(), StoreError> {
        if write.updated_at_ms <= stored.source_at_ms || stored.known.deleted != write.deleted.is_some() {
            return Ok(());
        }
        let Some(at_ms) = write.updated_at_ms else { return Ok(()) };
        at_once(source_time::note(self.connection, stored.row, at_ms))
    }

    /// Was it deleted after this state, before it was ever seen?
    fn was_deleted_unseen(&mut self, scope: i64, write: &RecordWrite) -> Result<bool, StoreError> {
        let any = match self.deleted_unseen.get(&scope) {
            Some(any) => *any,
            None => {
                let any = number(self.connection, "SELECT 1 FROM gone WHERE scope = ?1 LIMIT 1", [scope])?.is_some();
                self.deleted_unseen.insert(scope, any);
                any
            }
        };
        if !any {
            return Ok(false);
        }
        let sql = "SELECT source_at FROM gone WHERE scope = ?1 AND external_id = ?2";
        let gone_at_ms = number(self.connection, sql, params![scope, write.external_id])?;
        Ok(is_older(write, gone_at_ms, self.commit.now_ms))
    }

    /// Remembers the deletion of what was never seen.
    fn note_deleted_unseen(&mut self, scope: i64, write: &RecordWrite) -> Result<(), StoreError> {
        let (Some(gone_at_ms), true, true) = (write.updated_at_ms, write.deleted.is_some(), self.commit.events) else {
            return Ok(());
        };
        self.deleted_unseen.insert(scope, true);
        let record = (scope, write.external_id.as_str());
        at_once(source_time::note_deleted_unseen(self.connection, record, gone_at_ms, self.commit.now_ms))
    }

    /// A tombstone for a live record that a sweep did not list.
    fn delete_missing(&mut self, MissingRecord { scope, row, body_bytes }: MissingRecord) -> Result<(), StoreError> {
        self.commit.tally.count(scope, Decision::Delete, false);
        self.commit.tally.outcome.swept += 1;
        self.commit.tally.bytes += REVISION_BYTES + body_bytes;
        let entity = "SELECT entity FROM scope WHERE id = ?1";
        if let Some(entity) = one(self.connection, entity, [scope], |row| Ok(row.get::<_, String>(0)?))? {
            let body = self.body(row)?.unwrap_or_default();
            self.commit.keys.remove_body(&entity, (scope, row), &body);
        }
        self.keep_old(row)?;
        run(
            self.connection,
            "UPDATE record SET revision = revision + 1, seq = ?2, page = ?3, recorded_at = ?4, exchange_no = ?5, pointer = '',
             deleted = ?6 WHERE id = ?1",
            params![
                row,
                self.commit.seq + 1,
                self.commit.page,
                self.commit.now_ms,
                codes::NO_EXCHANGE,
                codes::deleted_code(DeletedBy::FullDiff)
            ],
        )?;
        self.log(row, scope, ChangeKind::Deleted)
    }

    /// False when there is a record with this id already.
    fn insert(&mut self, scope: i64, write: &RecordWrite) -> Result<bool, StoreError> {
        let row = match self.next_row {
            Some(row) => row,
            None => {
                let next = format!("SELECT {}", next_number("record"));
                number(self.connection, &next, [])?.unwrap_or(1)
            }
        };
        self.next_row = Some(row);
        let insert = match &mut self.insert {
            Some(insert) => insert,
            none => none.insert(InsertStatements::of(self.connection)?),
        };
        let inserted = insert.record.execute(params![
            scope,
            write.external_id,
            write.hash().0,
            self.commit.seq + 1,
            self.commit.page,
            write.exchange_no,
            write.pointer,
            write.updated_at_ms,
            self.commit.now_ms,
            write.body(),
            row
        ])?;
        if inserted == 0 {
            return Ok(false);
        }
        self.next_row = Some(row + 1);
        self.commit.tally.count(scope, Decision::Create, false);
        self.commit.tally.bytes += quota::revision_bytes(write);
        self.commit.seen.add(row);
        self.commit.keys.add(&write.content, (scope, row));
        self.commit.seq += 1;
        insert.change.execute(params![
            self.commit.feed,
            self.commit.seq,
            row,
            scope,
            codes::kind_code(ChangeKind::Created),
            self.commit.now_ms
        ])?;
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
        self.commit.seq += 1;
        run(
            self.connection,
            "INSERT INTO change (feed, seq, record, scope, kind, revision, at_ms)
             SELECT ?6, ?1, id, ?3, ?4, revision, ?5 FROM record WHERE id = ?2",
            params![self.commit.seq, row, scope, codes::kind_code(kind), self.commit.now_ms, self.commit.feed],
        )
        .map(drop)
    }
}
