//! Writing records within a commit: one insert for what is new, one look for what is not, and a change for each revision.

use rusqlite::{Connection, params};

use super::commit::commit_time;
use super::query::{one, run};
use crate::decide::{Decision, Tally, decide};
use crate::seen::Seen;
use crate::{ChangeKind, CommitOutcome, ContentHash, DeletedBy, Known, RecordWrite, StoreError, codes};

/// What one commit writes with.
pub(super) struct Pen<'a> {
    pub(super) connection: &'a Connection,
    pub(super) tally: Tally,
    /// The rows of every record put, written or not.
    pub(super) seen: Seen,
    page: i64,
    seq: i64,
    now_ms: i64,
}

impl<'a> Pen<'a> {
    pub(super) fn new(connection: &'a Connection, page: i64, now_ms: i64) -> Result<Self, StoreError> {
        let (seq, now_ms) = commit_time(connection, now_ms)?;
        Ok(Self { connection, tally: Tally::default(), seen: Seen::default(), page, seq, now_ms })
    }

    /// Takes a record in.
    pub(super) fn put(&mut self, scope: i64, write: &RecordWrite) -> Result<(), StoreError> {
        // Sync asks what is known before it comes here, so most of what comes is new: insert first, look only on conflict.
        if write.deleted.is_none() && self.insert(scope, write)? {
            return Ok(());
        }
        let found = one(
            self.connection,
            "SELECT id, hash, deleted IS NOT NULL FROM record WHERE scope = ?1 AND external_id = ?2",
            params![scope, write.external_id],
            |row| Ok((row.get::<_, i64>(0)?, Known { hash: ContentHash(row.get(1)?), deleted: row.get(2)? })),
        )?;
        let decision = decide(found.map(|(_, known)| known), write);
        let kind = self.tally.count(scope, decision, found.is_some_and(|(_, known)| known.deleted));
        let Some((row, _)) = found else { return Ok(()) };
        self.seen.add(row);
        let Some(kind) = kind else { return Ok(()) };
        self.keep_old(row)?;
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

    /// A tombstone for a live record that a sweep did not list.
    pub(super) fn sweep_away(&mut self, scope: i64, row: i64) -> Result<(), StoreError> {
        self.tally.count(scope, Decision::Delete, false);
        self.keep_old(row)?;
        run(
            self.connection,
            "UPDATE record SET revision = revision + 1, seq = ?2, page = ?3, recorded_at = ?4, exchange_no = ?5, pointer = '',
             deleted = ?6 WHERE id = ?1",
            params![row, self.seq + 1, self.page, self.now_ms, codes::NO_EXCHANGE, codes::of_deleted(DeletedBy::FullDiff)],
        )?;
        self.log(row, scope, ChangeKind::Deleted)
    }

    /// Adds the sums to the scopes' counters.
    pub(super) fn close(mut self) -> Result<CommitOutcome, StoreError> {
        for (scope, (live, dead)) in &self.tally.scopes {
            let sql = "UPDATE scope SET live = live + ?2, dead = dead + ?3 WHERE id = ?1";
            run(self.connection, sql, [*scope, *live, *dead])?;
        }
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
        self.seen.add(row);
        self.seq += 1;
        run(
            self.connection,
            "INSERT INTO change (seq, record, scope, kind, revision, at_ms) VALUES (?1, ?2, ?3, ?4, 1, ?5)",
            params![self.seq, row, scope, codes::of_kind(ChangeKind::Created), self.now_ms],
        )?;
        Ok(true)
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
