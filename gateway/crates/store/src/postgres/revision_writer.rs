//! Writing the records of a commit: decide all, then one statement for each kind of row.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use deadpool_postgres::Transaction;
use futures_util::try_join;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::query::{all, run};
use crate::decide::{Decision, decide, is_older};
use crate::model::concerned;
use crate::quota::{self, REVISION_BYTES};
use crate::rows::{Columns, array};
use crate::sql::{CommitState, MissingRecord, Scopes, source_time};
use crate::{ChangeKind, ContentHash, DeletedBy, Known, RecordWrite, RunTrigger, StoreError, codes};

/// Bodies of swept records that are read at once.
const LEAVING_AT_ONCE: usize = 1_000;

/// What writes the revisions of pages, of one or of several. Their commits hold the rows of their tenants' feeds: no other commit of
/// these tenants is under way.
pub(super) struct RevisionWriter<'a> {
    transaction: &'a Transaction<'a>,
    commits: &'a mut [CommitState],
}

/// A record on its way in.
#[derive(Clone, Copy)]
pub(super) struct Put<'w> {
    /// Which commit it belongs to.
    pub(super) commit: usize,
    pub(super) scope: i64,
    pub(super) write: &'w RecordWrite,
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

/// Revisions after the first, as columns.
#[derive(Default)]
struct Revised<'w> {
    feeds: Vec<i64>,
    pages: Vec<i64>,
    at_ms: Vec<i64>,
    rows: Vec<i64>,
    seqs: Vec<i64>,
    scopes: Vec<i64>,
    kinds: Vec<i64>,
    exchange_nos: Vec<i64>,
    pointers: Vec<&'w str>,
    updated_at: Vec<Option<i64>>,
    deleted: Vec<Option<i64>>,
    hashes: Vec<Option<Vec<u8>>>,
    bodies: Vec<Option<&'w [u8]>>,
}

/// A record whose first revision this is.
struct Created<'w> {
    row: i64,
    seq: i64,
    put: Put<'w>,
}

impl<'a> RevisionWriter<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, commits: &'a mut [CommitState]) -> Self {
        Self { transaction, commits }
    }

    /// Takes the records of one page in; no two of them are the same.
    pub(super) async fn put(
        &mut self,
        scopes: &mut Scopes<'_>,
        stream: i64,
        records: &[RecordWrite],
    ) -> Result<(), StoreError> {
        let mut puts = Vec::with_capacity(records.len());
        for write in records {
            let scope = scopes.intern(self.transaction, stream, write.entity()).await?;
            puts.push(Put { commit: 0, scope, write });
        }
        self.put_all(&puts).await
    }

    /// Takes records in; no two of them are the same, and those of a commit stand together.
    pub(super) async fn put_all(&mut self, puts: &[Put<'_>]) -> Result<(), StoreError> {
        if puts.is_empty() {
            return Ok(());
        }
        let known = self.known(puts).await?;
        let late = self.late(puts, &known).await?;
        let decisions: Vec<(Option<StoredRecord>, Decision)> = puts
            .iter()
            .zip(late)
            .map(|(put, late)| {
                let found = known.get(&put.key()).copied();
                (found, if late { Decision::Keep } else { decide(found.map(|found| found.known), put.write) })
            })
            .collect();
        let new = decisions.iter().filter(|(_, decision)| *decision == Decision::Create).count();
        let mut rows = self.new_rows(new).await?.into_iter();
        let (mut created, mut revised, mut leaving) = (Vec::new(), Revised::default(), Vec::new());
        let mut last: Option<usize> = None;
        for (put, (found, decision)) in puts.iter().zip(decisions) {
            self.go_on(last.replace(put.commit), put.commit);
            let commit = &mut self.commits[put.commit];
            let kind = commit.tally.count(put.scope, decision, found.is_some_and(|found| found.known.deleted));
            if let Some(found) = found {
                commit.seen.add(found.row);
            }
            let Some(kind) = kind else {
                self.note(*put, found).await?;
                continue;
            };
            commit.seq += 1;
            // What stood there is kept; a tombstone keeps its body a second time.
            let kept_twice = found.filter(|_| decision == Decision::Delete).map_or(0, |found| found.body_bytes);
            commit.tally.bytes += quota::revision_bytes(put.write) + kept_twice;
            match found {
                None => {
                    let row = rows.next().ok_or_else(|| StoreError::Fault("a new record got no number".into()))?;
                    commit.seen.add(row);
                    commit.keys.add(&put.write.content, (put.scope, row));
                    created.push(Created { row, seq: commit.seq, put: *put });
                }
                Some(found) => {
                    if !found.known.deleted && concerned(put.write.entity()).is_some() {
                        leaving.push((put.commit, found.row));
                    }
                    if decision == Decision::Update {
                        commit.keys.add(&put.write.content, (put.scope, found.row));
                    }
                    revised.push(commit, found.row, *put, kind, decision);
                }
            }
        }
        self.leave(&leaving).await?;
        self.create(&created).await?;
        self.revise(&revised).await
    }

    /// A commit that follows one of the same feed goes on where that ended.
    fn go_on(&mut self, last: Option<usize>, next: usize) {
        let Some(last) = last.filter(|last| *last != next) else { return };
        let end = self.commits[last].end();
        self.commits[next].go_on_after(end);
    }

    /// Numbers for records that are new, the lowest first. Taken while the feed's row is held: those of a tenant grow with its feed.
    async fn new_rows(&self, count: usize) -> Result<Vec<i64>, StoreError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT nextval('record_id_seq') FROM generate_series(1, $1::bigint)";
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found = all(self.transaction, sql, &[&count]).await?;
        let mut rows = found.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
        rows.sort_unstable();
        Ok(rows)
    }

    /// Tombstones for live records that a sweep did not list.
    pub(super) async fn delete_missing(&mut self, missing: &[MissingRecord]) -> Result<(), StoreError> {
        let mut revised = Revised::default();
        let commit = &mut self.commits[0];
        for MissingRecord { scope, row, body_bytes } in missing {
            commit.tally.bytes += REVISION_BYTES + body_bytes;
            commit.tally.count(*scope, Decision::Delete, false);
            commit.tally.outcome.swept += 1;
            commit.seq += 1;
            revised.push_missing(commit, *row, *scope);
        }
        let leaving: Vec<(usize, i64)> = missing.iter().map(|missing| (0, missing.row)).collect();
        for rows in leaving.chunks(LEAVING_AT_ONCE) {
            self.leave(rows).await?;
        }
        self.revise(&revised).await
    }

    /// Notes what the bodies that stand now in these rows say of keys: others come in their place, or none.
    async fn leave(&mut self, leaving: &[(usize, i64)]) -> Result<(), StoreError> {
        if leaving.is_empty() {
            return Ok(());
        }
        let (commits, rows): (Vec<i64>, Vec<i64>) =
            leaving.iter().map(|(commit, row)| (i64::try_from(*commit).unwrap_or(i64::MAX), *row)).unzip();
        let sql = "SELECT r.id, r.scope, s.entity, r.body, x.of FROM unnest($1::bigint[], $2::bigint[]) x (id, of)
                   JOIN record r ON r.id = x.id JOIN scope s ON s.id = r.scope";
        for row in all(self.transaction, sql, &[&rows, &commits]).await? {
            let commit = usize::try_from(row.int(4)?).ok().and_then(|at| self.commits.get_mut(at));
            if let Some(commit) = commit {
                commit.keys.remove_body(&row.text(2)?, (row.int(1)?, row.int(0)?), &row.bytes(3)?);
            }
        }
        Ok(())
    }

    async fn known<'w>(&self, puts: &[Put<'w>]) -> Result<StoredRecords<'w>, StoreError> {
        let (scopes, external_ids): (Vec<i64>, Vec<&str>) = puts.iter().map(Put::key).unzip();
        let sql = "SELECT a.at, r.id, r.hash, r.deleted, r.source_updated_at, octet_length(r.body)::bigint FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY a (scope, external_id, at)
                   JOIN record r ON r.scope = a.scope AND r.external_id = a.external_id";
        let mut known = HashMap::new();
        for row in all(self.transaction, sql, &[&scopes, &external_ids]).await? {
            let at = usize::try_from(row.int(0)? - 1).unwrap_or(usize::MAX);
            if let Some(put) = puts.get(at) {
                let found = Known { hash: ContentHash(array(&row, 2)?), deleted: row.int_or_none(3)?.is_some() };
                let (row_id, source_at_ms, body_bytes) = (row.int(1)?, row.int_or_none(4)?, row.int(5)?);
                known.insert(put.key(), StoredRecord { row: row_id, known: found, source_at_ms, body_bytes });
            }
        }
        Ok(known)
    }

    /// Which records are older than what stands: an older state never takes the place of a newer one that an event brought.
    async fn late(&self, puts: &[Put<'_>], known: &StoredRecords<'_>) -> Result<Vec<bool>, StoreError> {
        let older: Vec<Option<i64>> = puts
            .iter()
            .map(|put| {
                let found = known.get(&put.key())?;
                is_older(put.write, found.source_at_ms, self.commits[put.commit].now_ms).then_some(found.row)
            })
            .collect();
        // A run reads what the vendor has now, so it is believed, unless an event overtook it.
        let of_runs: Vec<i64> = puts
            .iter()
            .zip(&older)
            .filter(|(put, _)| !self.commits[put.commit].events)
            .filter_map(|(_, row)| *row)
            .collect();
        let mut overtaken = HashSet::new();
        if !of_runs.is_empty() {
            let sql = "SELECT r.id FROM record r JOIN page p ON p.id = r.page JOIN run u ON u.id = p.run
                       WHERE r.id = ANY($1) AND u.trigger = ANY($2)";
            let triggers = RunTrigger::OF_EVENTS.map(RunTrigger::as_str);
            let triggers = triggers.as_slice();
            for row in all(self.transaction, sql, &[&of_runs, &triggers]).await? {
                overtaken.insert(row.int(0)?);
            }
        }
        let unseen: Vec<(i64, &str)> = puts
            .iter()
            .filter(|put| put.write.deleted.is_none() && !known.contains_key(&put.key()))
            .map(Put::key)
            .collect();
        let deleted_unseen = self.deleted_unseen(&unseen).await?;
        let late = puts.iter().zip(older).map(|(put, older)| {
            let commit = &self.commits[put.commit];
            match older {
                Some(row) => commit.events || overtaken.contains(&row),
                None => deleted_unseen
                    .get(&(put.scope, put.write.external_id.clone()))
                    .is_some_and(|at| put.write.deleted.is_none() && is_older(put.write, Some(*at), commit.now_ms)),
            }
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
    async fn note(&self, put: Put<'_>, found: Option<StoredRecord>) -> Result<(), StoreError> {
        let (commit, write) = (&self.commits[put.commit], put.write);
        let (Some(at_ms), true) = (write.updated_at_ms, commit.events) else { return Ok(()) };
        match found {
            Some(found) if Some(at_ms) > found.source_at_ms && found.known.deleted == write.deleted.is_some() => {
                source_time::note(self.transaction, found.row, at_ms).await
            }
            None if write.deleted.is_some() => {
                let record = (put.scope, write.external_id.as_str());
                source_time::note_deleted_unseen(self.transaction, record, at_ms, commit.now_ms).await
            }
            _ => Ok(()),
        }
    }

    /// First revisions and their changes stream in through COPY, the fastest way that the server has; the second one begins before the
    /// server has said that the first one is in.
    async fn create(&self, created: &[Created<'_>]) -> Result<(), StoreError> {
        if created.is_empty() {
            return Ok(());
        }
        try_join!(self.copy_records(created), self.copy_changes(created)).map(drop)
    }

    async fn copy_records(&self, created: &[Created<'_>]) -> Result<(), StoreError> {
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
        let statement = self.transaction.prepare_cached(sql).await?;
        let mut copy = pin!(BinaryCopyInWriter::new(self.transaction.copy_in(&statement).await?, &types));
        for Created { row, seq, put: Put { commit, scope, write } } in created {
            let CommitState { page, now_ms, .. } = &self.commits[*commit];
            let exchange_no = i64::from(write.exchange_no);
            let (hash, body) = (write.hash(), write.body());
            let hash = hash.0.as_slice();
            let values: [&(dyn ToSql + Sync); 13] = [
                row,
                scope,
                &write.external_id,
                &hash,
                &1_i64,
                seq,
                page,
                &exchange_no,
                &write.pointer,
                &write.updated_at_ms,
                now_ms,
                now_ms,
                &body,
            ];
            copy.as_mut().write(&values).await?;
        }
        copy.finish().await?;
        Ok(())
    }

    async fn copy_changes(&self, created: &[Created<'_>]) -> Result<(), StoreError> {
        let sql = "COPY change (feed, seq, record, scope, kind, revision, at_ms) FROM STDIN BINARY";
        let types = [const { Type::INT8 }; 7];
        let statement = self.transaction.prepare_cached(sql).await?;
        let mut copy = pin!(BinaryCopyInWriter::new(self.transaction.copy_in(&statement).await?, &types));
        let kind = codes::kind_code(ChangeKind::Created);
        for Created { row, seq, put } in created {
            let CommitState { feed, now_ms, .. } = &self.commits[put.commit];
            copy.as_mut().write(&[feed, seq, row, &put.scope, &kind, &1_i64, now_ms]).await?;
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
            "UPDATE record r SET revision = r.revision + 1, seq = x.seq, page = x.page, recorded_at = x.at_ms, exchange_no = x.exchange_no,
             pointer = x.pointer, source_updated_at = coalesce(x.updated_at, r.source_updated_at), deleted = x.deleted,
             hash = coalesce(x.hash, r.hash), body = coalesce(x.body, r.body)
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[],
             $9::bytea[], $10::bytea[]) x (page, at_ms, id, seq, exchange_no, pointer, updated_at, deleted, hash, body)
             WHERE r.id = x.id",
            &[
                &new.pages,
                &new.at_ms,
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
            "INSERT INTO change (feed, seq, record, scope, kind, revision, at_ms)
             SELECT x.feed, x.seq, x.id, x.scope, x.kind, r.revision, x.at_ms
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             x (feed, at_ms, seq, id, scope, kind) JOIN record r ON r.id = x.id",
            &[&new.feeds, &new.at_ms, &new.seqs, &new.rows, &new.scopes, &new.kinds],
        )
        .await
        .map(drop)
    }
}

impl<'w> Put<'w> {
    fn key(&self) -> (i64, &'w str) {
        (self.scope, self.write.external_id.as_str())
    }
}

impl<'w> Revised<'w> {
    fn push(&mut self, commit: &CommitState, row: i64, put: Put<'w>, kind: ChangeKind, decision: Decision) {
        let (body, write) = (decision == Decision::Update, put.write);
        self.push_place(commit, row, put.scope, kind);
        self.exchange_nos.push(i64::from(write.exchange_no));
        self.pointers.push(&write.pointer);
        self.updated_at.push(write.updated_at_ms);
        self.deleted.push(write.deleted.map(codes::deleted_code));
        self.hashes.push(body.then(|| write.hash().0.to_vec()));
        self.bodies.push(body.then_some(write.body()));
    }

    fn push_missing(&mut self, commit: &CommitState, row: i64, scope: i64) {
        self.push_place(commit, row, scope, ChangeKind::Deleted);
        self.exchange_nos.push(codes::NO_EXCHANGE);
        self.pointers.push("");
        self.updated_at.push(None);
        self.deleted.push(Some(codes::deleted_code(DeletedBy::FullDiff)));
        self.hashes.push(None);
        self.bodies.push(None);
    }

    fn push_place(&mut self, commit: &CommitState, row: i64, scope: i64, kind: ChangeKind) {
        self.feeds.push(commit.feed);
        self.pages.push(commit.page);
        self.at_ms.push(commit.now_ms);
        self.rows.push(row);
        self.seqs.push(commit.seq);
        self.scopes.push(scope);
        self.kinds.push(codes::kind_code(kind));
    }
}
