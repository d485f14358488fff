//! Writing the records of a commit: decide all, then one statement for each kind of row.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use deadpool_postgres::Transaction;
use renmen_schema::id::TenantId;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::commit::Scopes;
use super::keyed;
use super::query::{all, one, run};
use crate::decide::{Decision, Tally, decide, is_older};
use crate::keyed::{KeyChanges, Way, concerned};
use crate::quota::{self, REVISION_BYTES};
use crate::rows::{Columns, array};
use crate::seen::Seen;
use crate::{ChangeKind, CommitOutcome, ContentHash, DeletedBy, Known, RecordWrite, RunTrigger, StoreError, codes};

/// Bodies of swept records that are read at once.
const LEAVING_AT_ONCE: usize = 1_000;

/// What one commit writes with. It holds the feed's row: no other commit is under way.
pub(super) struct Pen<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) tally: Tally,
    /// The rows of every record put, written or not.
    pub(super) seen: Seen,
    /// The page that the records come from.
    pub(super) page: i64,
    seq: i64,
    record: i64,
    now_ms: i64,
    /// What is put came as events: it may be out of order.
    pub(super) events: bool,
    /// What the bodies that come and go say of keys.
    keys: KeyChanges,
}

/// A record as it stands, for the one that would take its place.
#[derive(Clone, Copy)]
struct Found {
    row: i64,
    known: Known,
    source_at_ms: Option<i64>,
    body_bytes: i64,
}

/// What a page finds of its records: by scope and vendor id.
type Standing<'w> = HashMap<(i64, &'w str), Found>;

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

impl<'a> Pen<'a> {
    /// Waits for its turn.
    pub(super) async fn take(
        transaction: &'a Transaction<'a>,
        tenant: &TenantId,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let row = one(transaction, "SELECT seq, at_ms, record FROM feed FOR UPDATE", &[]).await?;
        let row = row.ok_or_else(|| StoreError::Fault("the `feed` table is empty".into()))?;
        Ok(Self {
            transaction,
            tally: Tally::default(),
            seen: Seen::default(),
            page: 0,
            seq: row.int(0)?,
            now_ms: now_ms.max(row.int(1)?),
            record: row.int(2)?,
            events: false,
            keys: KeyChanges::of(tenant.clone()),
        })
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
        let of = scopes.of(self.transaction, stream, records).await?;
        let known = self.known(&of, records).await?;
        let late = self.late(&of, records, &known).await?;
        let (mut created, mut revised, mut leaving) = (Vec::new(), Revised::default(), Vec::new());
        for ((scope, write), late) in of.into_iter().zip(records).zip(late) {
            let found = known.get(&(scope, write.external_id.as_str())).copied();
            let decision = if late { Decision::Keep } else { decide(found.map(|found| found.known), write) };
            let kind = self.tally.count(scope, decision, found.is_some_and(|found| found.known.deleted));
            if let Some(found) = found {
                self.seen.add(found.row);
            }
            let Some(kind) = kind else {
                self.note(scope, found, write).await?;
                continue;
            };
            self.seq += 1;
            // What stood there is kept; a tombstone keeps its body a second time.
            let kept_twice = found.filter(|_| decision == Decision::Delete).map_or(0, |found| found.body_bytes);
            self.tally.bytes += quota::revision_bytes(write) + kept_twice;
            match found {
                None => {
                    self.record += 1;
                    self.seen.add(self.record);
                    self.keys.note(&write.entity, (scope, self.record), &write.body, Way::Comes);
                    created.push(Created { row: self.record, seq: self.seq, scope, write });
                }
                Some(found) => {
                    if !found.known.deleted && concerned(&write.entity).is_some() {
                        leaving.push(found.row);
                    }
                    if decision == Decision::Update {
                        self.keys.note(&write.entity, (scope, found.row), &write.body, Way::Comes);
                    }
                    revised.push(found.row, self.seq, scope, kind, write, decision);
                }
            }
        }
        self.leave(&leaving).await?;
        self.create(&created).await?;
        self.revise(&revised).await
    }

    /// Tombstones for live records (row, scope, bytes of the body) that a sweep did not list.
    pub(super) async fn sweep_away(&mut self, missing: &[(i64, i64, i64)]) -> Result<(), StoreError> {
        let mut revised = Revised::default();
        for (row, scope, bytes) in missing {
            self.tally.bytes += REVISION_BYTES + bytes;
            self.tally.count(*scope, Decision::Delete, false);
            self.tally.outcome.swept += 1;
            self.seq += 1;
            revised.push_swept(*row, self.seq, *scope);
        }
        let leaving: Vec<i64> = missing.iter().map(|(row, ..)| *row).collect();
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
            self.keys.note(&row.text(2)?, (row.int(1)?, row.int(0)?), &row.bytes(3)?, Way::Goes);
        }
        Ok(())
    }

    /// Gives the feed's row its new figures and adds the sums to the scopes' counters; writes what changed of keys.
    pub(super) async fn close(mut self) -> Result<CommitOutcome, StoreError> {
        let scopes: Vec<i64> = self.tally.scopes.keys().copied().collect();
        let (live, dead): (Vec<i64>, Vec<i64>) = self.tally.scopes.values().copied().unzip();
        let sql = "UPDATE scope s SET live = s.live + x.live, dead = s.dead + x.dead
                   FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) x (id, live, dead) WHERE s.id = x.id";
        run(self.transaction, sql, &[&scopes, &live, &dead]).await?;
        if !scopes.is_empty() {
            let sql = "UPDATE feed SET seq = $1, at_ms = $2, record = $3";
            run(self.transaction, sql, &[&self.seq, &self.now_ms, &self.record]).await?;
        }
        keyed::apply(self.transaction, self.keys, self.now_ms).await?;
        self.tally.outcome.last_seq = self.seq;
        Ok(self.tally.outcome)
    }

    async fn known<'w>(&self, scopes: &[i64], records: &'w [RecordWrite]) -> Result<Standing<'w>, StoreError> {
        let external_ids: Vec<_> = records.iter().map(|write| write.external_id.as_str()).collect();
        let sql = "SELECT a.at, r.id, r.hash, r.deleted, r.source_updated_at, octet_length(r.body)::bigint FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY a (scope, external_id, at)
                   JOIN record r ON r.scope = a.scope AND r.external_id = a.external_id";
        let mut known = HashMap::new();
        for row in all(self.transaction, sql, &[&scopes, &external_ids]).await? {
            let at = usize::try_from(row.int(0)? - 1).unwrap_or(usize::MAX);
            if let (Some(scope), Some(external_id)) = (scopes.get(at), external_ids.get(at)) {
                let found = Known { hash: ContentHash(array(&row, 2)?), deleted: row.int_or_none(3)?.is_some() };
                let (row_id, source_at_ms, body_bytes) = (row.int(1)?, row.int_or_none(4)?, row.int(5)?);
                let found = Found { row: row_id, known: found, source_at_ms, body_bytes };
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
        known: &Standing<'_>,
    ) -> Result<Vec<bool>, StoreError> {
        let found = |scope: &i64, write: &RecordWrite| known.get(&(*scope, write.external_id.as_str())).copied();
        let of = || scopes.iter().zip(records);
        let older: Vec<Option<i64>> = of()
            .map(|(scope, write)| {
                found(scope, write).filter(|f| is_older(write, f.source_at_ms, self.now_ms)).map(|f| f.row)
            })
            .collect();
        // A run reads what the vendor has now, so it is believed, unless an event overtook it.
        let rows: Vec<i64> = older.iter().copied().flatten().collect();
        let by_event: HashSet<i64> = if self.events || rows.is_empty() {
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
        let ghosts = self.ghosts(&unseen).await?;
        let late = of().zip(older).map(|((scope, write), older)| match older {
            Some(row) => by_event.contains(&row),
            None => ghosts
                .get(&(*scope, write.external_id.clone()))
                .is_some_and(|at| is_older(write, Some(*at), self.now_ms)),
        });
        Ok(late.collect())
    }

    /// Those that were deleted before they were ever seen, with the vendor's time of it.
    async fn ghosts(&self, unseen: &[(i64, &str)]) -> Result<HashMap<(i64, String), i64>, StoreError> {
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
    async fn note(&self, scope: i64, found: Option<Found>, write: &RecordWrite) -> Result<(), StoreError> {
        let (Some(at_ms), true) = (write.updated_at_ms, self.events) else { return Ok(()) };
        match found {
            Some(found) if Some(at_ms) > found.source_at_ms && found.known.deleted == write.deleted.is_some() => {
                let sql = "UPDATE record SET source_updated_at = $2 WHERE id = $1";
                run(self.transaction, sql, &[&found.row, &at_ms]).await.map(drop)
            }
            None if write.deleted.is_some() => {
                let sql = "INSERT INTO gone (scope, external_id, source_at, noted_at) VALUES ($1, $2, $3, $4)
                           ON CONFLICT (scope, external_id) DO UPDATE SET source_at = greatest(gone.source_at, excluded.source_at)";
                run(self.transaction, sql, &[&scope, &write.external_id, &at_ms, &self.now_ms]).await.map(drop)
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
                &self.page,
                &exchange_no,
                &write.pointer,
                &write.updated_at_ms,
                &self.now_ms,
                &self.now_ms,
                &write.body,
            ];
            copy.as_mut().write(&values).await?;
        }
        copy.finish().await?;

        let sql = "COPY change (seq, record, scope, kind, revision, at_ms) FROM STDIN BINARY";
        let types = [number.clone(), number.clone(), number.clone(), number.clone(), number.clone(), number];
        let mut copy = pin!(BinaryCopyInWriter::new(self.transaction.copy_in(sql).await?, &types));
        let kind = codes::of_kind(ChangeKind::Created);
        for Created { row, seq, scope, .. } in created {
            copy.as_mut().write(&[seq, row, scope, &kind, &1_i64, &self.now_ms]).await?;
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
                &self.page,
                &self.now_ms,
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
            &[&self.now_ms, &new.seqs, &new.rows, &new.scopes, &new.kinds],
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
        self.kinds.push(codes::of_kind(kind));
        self.exchange_nos.push(i64::from(write.exchange_no));
        self.pointers.push(&write.pointer);
        self.updated_at.push(write.updated_at_ms);
        self.deleted.push(write.deleted.map(codes::of_deleted));
        self.hashes.push(body.then_some(write.hash.0.as_slice()));
        self.bodies.push(body.then_some(write.body.as_slice()));
    }

    fn push_swept(&mut self, row: i64, seq: i64, scope: i64) {
        self.rows.push(row);
        self.seqs.push(seq);
        self.scopes.push(scope);
        self.kinds.push(codes::of_kind(ChangeKind::Deleted));
        self.exchange_nos.push(codes::NO_EXCHANGE);
        self.pointers.push("");
        self.updated_at.push(None);
        self.deleted.push(Some(codes::of_deleted(DeletedBy::FullDiff)));
        self.hashes.push(None);
        self.bodies.push(None);
    }
}
