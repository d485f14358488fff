//! Writing the records of a commit: decide all, then one statement for each kind of row.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use deadpool_postgres::Transaction;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::query::{all, run};
use crate::decide::{Decision, decide, is_older};
use crate::keyed::concerned;
use crate::quota::{self, REVISION_BYTES};
use crate::rows::{Columns, array};
use crate::sql::{CommitState, MissingRecord, Scopes, source_time};
use crate::{ChangeKind, ContentHash, DeletedBy, Known, RecordWrite, RunTrigger, StoreError, codes};

/// Bodies of swept records that are read at once.
const LEAVING_AT_ONCE: usize = 1_000;

/// What writes the revisions of one page. The commit holds the feed's row: no other commit is under way.
pub(super) struct RevisionWriter<'a> {
    transaction: &'a Transaction<'a>,
    commit: &'a mut CommitState,
}

/// A record as it stands, for the one that would take its place.
#[derive(Clone, Copy)]
struct StoredRecord {
    row: i64,
    known: Known,
    source_at_ms: Option<i64>,
    body_bytes: i64,
}

/// What a page finds of its records: by scope and vendor id.
type StoredRecords<'w> = HashMap<(i64, &'w str), StoredRecord>;

/// A revision after the first, as columns.
#[derive(Default)]
struct Revised<'w> {
    rows: Vec<i64>,
    seqs: Vec<i64>,
    scopes: Vec<i64>,
    kinds: Vec<i64>,
    exchange_nos: Vec<i64>,
    pointers: Vec<&'w str>,
    updated_at: Vec<Option<i64>>,
    deleted: Vec<Option<i64>>,
    hashes: Vec<Option<&'w [u8]>>,
    bodies: Vec<Option<&'w [u8]>>,
}

/// A record whose first revision this is.
struct Created<'w> {
    row: i64,
    seq: i64,
    scope: i64,
    write: &'w RecordWrite,
}

impl<'a> RevisionWriter<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, commit: &'a mut CommitState) -> Self {
        Self { transaction, commit }
    }

    /// Takes records in; no two of them are the same.
    pub(super) async fn put(
        &mut self,
        scopes: &mut Scopes<'_>,
        stream: i64,
        records: &[RecordWrite],
    ) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut of = Vec::with_capacity(records.len());
        for write in records {
            of.push(scopes.intern(self.transaction, stream, &write.entity).await?);
        }
        let known = self.known(&of, records).await?;
        let late = self.late(&of, records, &known).await?;
        let (mut created, mut revised, mut leaving) = (Vec::new(), Revised::default(), Vec::new());
        for ((scope, write), late) in of.into_iter().zip(records).zip(late) {
            let found = known.get(&(scope, write.external_id.as_str())).copied();
            let decision = if late { Decision::Keep } else { decide(found.map(|found| found.known), write) };
            let kind = self.commit.tally.count(scope, decision, found.is_some_and(|found| found.known.deleted));
            if let Some(found) = found {
                self.commit.seen.add(found.row);
            }
            let Some(kind) = kind else {
                self.note(scope, found, write).await?;
                continue;
            };
            self.commit.seq += 1;
            // What stood there is kept; a tombstone keeps its body a second time.
            let kept_twice = found.filter(|_| decision == Decision::Delete).map_or(0, |found| found.body_bytes);
            self.commit.tally.bytes += quota::revision_bytes(write) + kept_twice;
            match found {
                None => {
                    self.commit.record += 1;
                    self.commit.seen.add(self.commit.record);
                    self.commit.keys.add_body(&write.entity, (scope, self.commit.record), &write.body);
                    created.push(Created { row: self.commit.record, seq: self.commit.seq, scope, write });
                }
                Some(found) => {
                    if !found.known.deleted && concerned(&write.entity).is_some() {
                        leaving.push(found.row);
                    }
                    if decision == Decision::Update {
                        self.commit.keys.add_body(&write.entity, (scope, found.row), &write.body);
                    }
                    revised.push(found.row, self.commit.seq, scope, kind, write, decision);
                }
            }
        }
        self.leave(&leaving).await?;
        self.create(&created).await?;
        self.revise(&revised).await
    }

    /// Tombstones for live records that a sweep did not list.
    pub(super) async fn delete_missing(&mut self, missing: &[MissingRecord]) -> Result<(), StoreError> {
        let mut revised = Revised::default();
        for MissingRecord { scope, row, body_bytes } in missing {
            self.commit.tally.bytes += REVISION_BYTES + body_bytes;
            self.commit.tally.count(*scope, Decision::Delete, false);
            self.commit.tally.outcome.swept += 1;
            self.commit.seq += 1;
            revised.push_missing(*row, self.commit.seq, *scope);
        }
        let leaving: Vec<i64> = missing.iter().map(|missing| missing.row).collect();
        for rows in leaving.chunks(LEAVING_AT_ONCE) {
            self.leave(rows).await?;
        }
        self.revise(&revised).await
    }

    /// Notes what the bodies that stand now in these rows say of keys: others come in their place, or none.
    async fn leave(&mut self, rows: &[i64]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let sql =
            "SELECT r.id, r.scope, s.entity, r.body FROM record r JOIN scope s ON s.id = r.scope WHERE r.id = ANY($1)";
        for row in all(self.transaction, sql, &[&rows]).await? {
            self.commit.keys.remove_body(&row.text(2)?, (row.int(1)?, row.int(0)?), &row.bytes(3)?);
        }
        Ok(())
    }

    async fn known<'w>(&self, scopes: &[i64], records: &'w [RecordWrite]) -> Result<StoredRecords<'w>, StoreError> {
        let external_ids: Vec<_> = records.iter().map(|write| write.external_id.as_str()).collect();
        let sql = "SELECT a.at, r.id, r.hash, r.deleted, r.source_updated_at, octet_length(r.body)::bigint FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY a (scope, external_id, at)
                   JOIN record r ON r.scope = a.scope AND r.external_id = a.external_id";
        let mut known = HashMap::new();
        for row in all(self.transaction, sql, &[&scopes, &external_ids]).await? {
            let at = usize::try_from(row.int(0)? - 1).unwrap_or(usize::MAX);
            if let (Some(scope), Some(external_id)) = (scopes.get(at), external_ids.get(at)) {
                let found = Known { hash: ContentHash(array(&row, 2)?), deleted: row.int_or_none(3)?.is_some() };
                let (row_id, source_at_ms, body_bytes) = (row.int(1)?, row.int_or_none(4)?, row.int(5)?);
                let found = StoredRecord { row: row_id, known: found, source_at_ms, body_bytes };
                known.insert((*scope, *external_id), found);
            }
        }
        Ok(known)
    }

    /// Which records are older than what stands: an older state never takes the place of a newer one that an event brought.
    async fn late(
        &self,
        scopes: &[i64],
        records: &[RecordWrite],
        known: &StoredRecords<'_>,
    ) -> Result<Vec<bool>, StoreError> {
        let found = |scope: &i64, write: &RecordWrite| known.get(&(*scope, write.external_id.as_str())).copied();
        let of = || scopes.iter().zip(records);
        let older: Vec<Option<i64>> = of()
            .map(|(scope, write)| {
                found(scope, write).filter(|f| is_older(write, f.source_at_ms, self.commit.now_ms)).map(|f| f.row)
            })
            .collect();
        // A run reads what the vendor has now, so it is believed, unless an event overtook it.
        let rows: Vec<i64> = older.iter().copied().flatten().collect();
        let by_event: HashSet<i64> = if self.commit.events || rows.is_empty() {
            rows.into_iter().collect()
        } else {
            let sql = "SELECT r.id FROM record r JOIN page p ON p.id = r.page JOIN run u ON u.id = p.run
                       WHERE r.id = ANY($1) AND u.trigger = ANY($2)";
            let triggers = RunTrigger::OF_EVENTS.map(RunTrigger::as_str);
            let triggers = triggers.as_slice();
            all(self.transaction, sql, &[&rows, &triggers])
                .await?
                .iter()
                .map(|row| row.int(0))
                .collect::<Result<_, _>>()?
        };
        let unseen: Vec<(i64, &str)> = of()
            .filter(|(scope, write)| write.deleted.is_none() && found(scope, write).is_none())
            .map(|(scope, write)| (*scope, write.external_id.as_str()))
            .collect();
        let deleted_unseen = self.deleted_unseen(&unseen).await?;
        let late = of().zip(older).map(|((scope, write), older)| match older {
            Some(row) => by_event.contains(&row),
            None => deleted_unseen
                .get(&(*scope, write.external_id.clone()))
                .is_some_and(|at| is_older(write, Some(*at), self.commit.now_ms)),
        });
        Ok(late.collect())
    }

    /// Those that were deleted before they were ever seen, with the vendor's time of it.
    async fn deleted_unseen(&self, unseen: &[(i64, &str)]) -> Result<HashMap<(i64, String), i64>, StoreError> {
        if unseen.is_empty() {
            return Ok(HashMap::new());
        }
        let (scopes, ids): (Vec<i64>, Vec<&str>) = unseen.iter().copied().unzip();
        let sql = "SELECT g.scope, g.external_id, g.source_at FROM gone g
                   JOIN unnest($1::bigint[], $2::text[]) a (scope, external_id)
                   ON g.scope = a.scope AND g.external_id = a.external_id";
        let rows = all(self.transaction, sql, &[&scopes, &ids]).await?;
        rows.iter().map(|row| Ok(((row.int(0)?, row.text(1)?), row.int(2)?))).collect()
    }

    /// What an event that changes nothing leaves all the same: its time, or that what was never seen is gone.
    async fn note(&self, scope: i64, found: Option<StoredRecord>, write: &RecordWrite) -> Result<(), StoreError> {
        let (Some(at_ms), true) = (write.updated_at_ms, self.commit.events) else { return Ok(()) };
        match found {
            Some(found) if Some(at_ms) > found.source_at_ms && found.known.deleted == write.deleted.is_some() => {
                source_time::note(self.transaction, found.row, at_ms).await
            }
            None if write.deleted.is_some() => {
                let record = (scope, write.external_id.as_str());
                source_time::note_deleted_unseen(self.transaction, record, at_ms, self.commit.now_ms).await
            }
            _ => Ok(()),
        }
    }

    /// First revisions stream in through COPY, the fastest way that the server has.
    async fn create(&self, created: &[Created<'_>]) -> Result<(), StoreError> {
        if created.is_empty() {
            return Ok(());
        }
        let sql = "COPY record (id, scope, external_id, hash, revision, seq, page, exchange_no, pointer, source_updated_at, created_at,
                   recorded_at, body) FROM STDIN BINARY";
        let number = Type::INT8;
        let types = [
            number.clone(),
            number.clone(),
            Type::TEXT,
            Type::BYTEA,
            number.clone(),
            number.clone(),
            number.clone(),
            number.clone(),
            Type::TEXT,
            number.clone(),
            number.clone(),
            number.clone(),
            Type::BYTEA,
        ];
        let mut copy = pin!(BinaryCopyInWriter::new(self.transaction.copy_in(sql).await?, &types));
        for Created { row, seq, scope, write } in created {
            let exchange_no = i64::from(write.exchange_no);
            let hash = write.hash.0.as_slice();
            let values: [&(dyn ToSql + Sync); 13] = [
                row,
                scope,
                &write.external_id,
                &hash,
                &1_i64,
                seq,
                &self.commit.page,
                &exchange_no,
                &write.pointer,
                &write.updated_at_ms,
                &self.commit.now_ms,
                &self.commit.now_ms,
                &write.body,
            ];
            copy.as_mut().write(&values).await?;
        }
        copy.finish().await?;

        let sql = "COPY change (seq, record, scope, kind, revision, at_ms) FROM STDIN BINARY";
        let types = [number.clone(), number.clone(), number.clone(), number.clone(), number.clone(), number];
        let mut copy = pin!(BinaryCopyInWriter::new(self.transaction.copy_in(sql).await?, &types));
        let kind = codes::kind_code(ChangeKind::Created);
        for Created { row, seq, scope, .. } in created {
            copy.as_mut().write(&[seq, row, scope, &kind, &1_i64, &self.commit.now_ms]).await?;
        }
        copy.finish().await?;
        Ok(())
    }

    async fn revise(&self, new: &Revised<'_>) -> Result<(), StoreError> {
        if new.rows.is_empty() {
            return Ok(());
        }
        run(
            self.transaction,
            "INSERT INTO revision (record, revision, hash, seq, page, exchange_no, pointer, source_updated_at, recorded_at,
             deleted, body) SELECT id, revision, hash, seq, page, exchange_no, pointer, source_updated_at, recorded_at, deleted,
             body FROM record WHERE id = ANY($1)",
            &[&new.rows],
        )
        .await?;
        run(
            self.transaction,
            "UPDATE record r SET revision = r.revision + 1, seq = x.seq, page = $1, recorded_at = $2, exchange_no = x.exchange_no,
             pointer = x.pointer, source_updated_at = coalesce(x.updated_at, r.source_updated_at), deleted = x.deleted,
             hash = coalesce(x.hash, r.hash), body = coalesce(x.body, r.body)
             FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[])
             x (id, seq, exchange_no, pointer, updated_at, deleted, hash, body) WHERE r.id = x.id",
            &[
                &self.commit.page,
                &self.commit.now_ms,
                &new.rows,
                &new.seqs,
                &new.exchange_nos,
                &new.pointers,
                &new.updated_at,
                &new.deleted,
                &new.hashes,
                &new.bodies,
            ],
        )
        .await?;
        run(
            self.transaction,
            "INSERT INTO change (seq, record, scope, kind, revision, at_ms)
             SELECT x.seq, x.id, x.scope, x.kind, r.revision, $1
             FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) x (seq, id, scope, kind)
             JOIN record r ON r.id = x.id",
            &[&self.commit.now_ms, &new.seqs, &new.rows, &new.scopes, &new.kinds],
        )
        .await
        .map(drop)
    }
}

impl<'w> Revised<'w> {
    fn push(&mut self, row: i64, seq: i64, scope: i64, kind: ChangeKind, write: &'w RecordWrite, decision: Decision) {
        let body = decision == Decision::Update;
        self.rows.push(row);
        self.seqs.push(seq);
        self.scopes.push(scope);
        self.kinds.push(codes::kind_code(kind));
        self.exchange_nos.push(i64::from(write.exchange_no));
        self.pointers.push(&write.pointer);
        self.updated_at.push(write.updated_at_ms);
        self.deleted.push(write.deleted.map(codes::deleted_code));
        self.hashes.push(body.then_some(write.hash.0.as_slice()));
        self.bodies.push(body.then_some(write.body.as_slice()));
    }

    fn push_missing(&mut self, row: i64, seq: i64, scope: i64) {
        self.rows.push(row);
        self.seqs.push(seq);
        self.scopes.push(scope);
        self.kinds.push(codes::kind_code(ChangeKind::Deleted));
        self.exchange_nos.push(codes::NO_EXCHANGE);
        self.pointers.push("");
        self.updated_at.push(None);
        self.deleted.push(Some(codes::deleted_code(DeletedBy::FullDiff)));
        self.hashes.push(None);
        self.bodies.push(None);
    }
}
