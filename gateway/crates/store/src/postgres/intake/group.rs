//! The deliveries of one commit, of several tenants, written together: one statement for each kind of row, and statements that need
//! not wait for each other's answers sent together. What it writes is what [`crate::sql::inbox::take`] writes for each alone.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::{GenericClient, Transaction};
use futures_util::try_join;
use renmen_schema::id::{ConnectionName, TenantId};
use tokio_postgres::Statement;

use super::super::commit_writer::add_to_scopes;
use super::super::query::{all, run};
use super::super::revision_writer::{Put, RevisionWriter};
use super::super::{exchange, record_key};
use super::names::{Names, PageHolder};
use crate::decide::quarantine_identity;
use crate::inbox::{DeliveryWrite, Intake, Taken};
use crate::keyed::KeyChanges;
use crate::quota::{Charge, Quotas};
use crate::rows::Columns;
use crate::sql::feed::FeedEnd;
use crate::sql::moving::{self, move_state};
use crate::sql::{CommitState, CommitWriter, disk_use, inbox};
use crate::{CommitOutcome, RecordWrite, StoreError};

/// One delivery that was not known, as it is written.
struct Part<'g> {
    at: usize,
    intake: &'g Intake,
    delivery: &'g DeliveryWrite,
    /// None for one that only asks for reads.
    page: Option<(PageHolder, i64)>,
    /// What counts of its records: the last of each id.
    records: Vec<(i64, &'g RecordWrite)>,
}

/// Takes a group in within a transaction; no two of it are the same delivery, and they stand in the order of their tenants. Gives what
/// became of each.
pub(super) async fn take_all(
    transaction: &Transaction<'_>,
    group: &[Intake],
    names: &mut Names,
    quotas: &Quotas,
) -> Result<Vec<Taken>, StoreError> {
    // A plan that was made while a table was small must not read through it when it has grown. Where it cannot be avoided, its cost is
    // beyond measure, for which the server would compile the statement each time: 250 ms for what takes one.
    let by_index =
        async { Ok(transaction.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL jit = off").await?) };
    // Prepared first: statements that are sent together run in their order, and repeats are looked for when the feeds are held.
    let lock = transaction.prepare_cached(LOCK_FEEDS).await?;
    let ((), ends, repeated) =
        try_join!(by_index, lock_feeds(transaction, &lock, group), count_repeats(transaction, group))?;
    let mut parts = Vec::with_capacity(group.len());
    for (at, intake) in group.iter().enumerate().filter(|(at, _)| !repeated[*at]) {
        let Some(delivery) = &intake.delivery else { continue };
        parts.push(part(transaction, names, (at, intake, delivery)).await?);
    }
    let ((), pages) = try_join!(forget_old(transaction, &parts), insert_pages(transaction, &parts))?;
    for ((_, id), page) in parts.iter_mut().filter_map(|part| part.page.as_mut()).zip(pages) {
        *id = page;
    }
    let mut commits = Vec::with_capacity(parts.len());
    for Part { intake, page, records, .. } in &parts {
        let vanished = || StoreError::Fault("the row of a tenant's feed vanished".into());
        let end = ends.get(intake.tenant.as_str()).copied().ok_or_else(vanished)?;
        let mut commit = CommitState::after(&intake.tenant, end, intake.now_ms);
        (commit.page, commit.events) = (page.map_or(0, |(_, page)| page), true);
        let listed = intake.pages.iter().map(|page| page.records.len()).sum::<usize>();
        (commit.tally.listed, commit.tally.outcome.repeated) = (listed as u64, (listed - records.len()) as u64);
        commits.push(commit);
    }
    try_join!(insert_exchanges(transaction, &parts), put_records(transaction, &parts, &mut commits, ends))?;
    let sums = Sums::take(&parts, &mut commits);
    let ((), (), (), pruned) = try_join!(
        resolve_quarantined(transaction, &parts),
        insert_deliveries(transaction, &parts, &commits),
        sums.write(transaction),
        charge(transaction, &parts, &commits, quotas)
    )?;
    for Part { intake, .. } in parts.iter().filter(|part| !part.intake.refreshes.is_empty()) {
        for ask in &intake.refreshes {
            inbox::ask_refresh(transaction, intake, ask).await?;
        }
        let quota = quotas.of(&intake.tenant, &intake.connection);
        disk_use::check_refreshes(transaction, (&intake.tenant, &intake.connection), &quota).await?;
    }
    let mut taken: Vec<Taken> =
        repeated.iter().map(|repeated| Taken { repeated: *repeated, ..Taken::default() }).collect();
    for ((part, commit), exchanges_pruned) in parts.iter().zip(commits).zip(pruned) {
        let last_seq = if part.page.is_some() { commit.seq } else { 0 };
        // A delivery says nothing of what it named twice, as when it is taken in alone.
        let outcome = CommitOutcome { last_seq, exchanges_pruned, repeated: 0, ..commit.tally.outcome };
        taken[part.at] = Taken { repeated: false, outcome };
    }
    Ok(taken)
}

/// In one order everywhere: two groups never wait for each other.
const LOCK_FEEDS: &str = concat!(
    "SELECT f.tenant, f.id, f.seq, f.at_ms, ",
    move_state!("f.tenant"),
    " FROM feed f WHERE f.tenant = ANY($1) ORDER BY f.id FOR UPDATE OF f"
);

/// Holds the rows of the group's feeds.
async fn lock_feeds(
    transaction: &Transaction<'_>,
    lock: &Statement,
    group: &[Intake],
) -> Result<HashMap<String, FeedEnd>, StoreError> {
    let mut tenants: Vec<&str> = group.iter().map(|intake| intake.tenant.as_str()).collect();
    tenants.dedup();
    let rows = transaction.query(lock, &[&tenants]).await?;
    for row in &rows {
        let tenant = crate::rows::tenant_of(&row.text(0)?)?;
        moving::refuse_state(transaction, &tenant, row.int_or_none(4)?).await?;
    }
    let end =
        |row: &dyn Columns| Ok::<_, StoreError>(FeedEnd { feed: row.int(1)?, seq: row.int(2)?, at_ms: row.int(3)? });
    rows.iter().map(|row| Ok((row.text(0)?, end(row)?))).collect()
}

/// Counts those that came before; true for each.
async fn count_repeats(transaction: &Transaction<'_>, group: &[Intake]) -> Result<Vec<bool>, StoreError> {
    let (mut tenants, mut connections, mut identities) = (Vec::new(), Vec::new(), Vec::new());
    let (mut since, mut places) = (Vec::new(), Vec::new());
    for (at, intake) in group.iter().enumerate() {
        let Some(delivery) = &intake.delivery else { continue };
        tenants.push(intake.tenant.as_str());
        connections.push(intake.connection.as_str());
        identities.push(delivery.identity.as_slice());
        since.push(delivery.repeats_since_ms());
        places.push(at as i64);
    }
    let sql = "UPDATE inbox i SET repeats = i.repeats + 1
               FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[]) x (tenant, connection, identity, since, at)
               WHERE i.tenant = x.tenant AND i.connection = x.connection AND i.identity = x.identity AND i.received_at >= x.since
               RETURNING x.at";
    let mut repeated = vec![false; group.len()];
    for row in all(transaction, sql, &[&tenants, &connections, &identities, &since, &places]).await? {
        if let Some(known) = usize::try_from(row.int(0)?).ok().and_then(|at| repeated.get_mut(at)) {
            *known = true;
        }
    }
    Ok(repeated)
}

/// One that may come again by its nature and is old makes room for the new one.
async fn forget_old(transaction: &Transaction<'_>, parts: &[Part<'_>]) -> Result<(), StoreError> {
    let old = || parts.iter().filter(|part| part.delivery.repeats_after_ms.is_some());
    let (tenants, connections): (Vec<&str>, Vec<&str>) =
        old().map(|part| (part.intake.tenant.as_str(), part.intake.connection.as_str())).unzip();
    if tenants.is_empty() {
        return Ok(());
    }
    let identities: Vec<&[u8]> = old().map(|part| part.delivery.identity.as_slice()).collect();
    let sql = "DELETE FROM inbox i USING unnest($1::text[], $2::text[], $3::bytea[]) x (tenant, connection, identity)
               WHERE i.tenant = x.tenant AND i.connection = x.connection AND i.identity = x.identity";
    run(transaction, sql, &[&tenants, &connections, &identities]).await.map(drop)
}

async fn part<'g>(
    transaction: &Transaction<'_>,
    names: &mut Names,
    (at, intake, delivery): (usize, &'g Intake, &'g DeliveryWrite),
) -> Result<Part<'g>, StoreError> {
    let Some(page) = intake.pages.first() else {
        return Ok(Part { at, intake, delivery, page: None, records: Vec::new() });
    };
    let holder = names.holder(transaction, intake, page).await?;
    let last: BTreeMap<(&str, &str), &RecordWrite> =
        page.records.iter().map(|record| ((record.entity(), record.external_id.as_str()), record)).collect();
    let mut records = Vec::with_capacity(last.len());
    for ((entity, _), record) in last {
        records.push((names.scope(transaction, intake, holder.stream, entity).await?, record));
    }
    Ok(Part { at, intake, delivery, page: Some((holder, 0)), records })
}

/// Gives the number of each page, in the order of the deliveries that have one.
async fn insert_pages(transaction: &Transaction<'_>, parts: &[Part<'_>]) -> Result<Vec<i64>, StoreError> {
    let (mut streams, mut runs, mut clocks, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        let (Some((holder, _)), Some(page)) = (part.page, part.intake.pages.first()) else { continue };
        streams.push(holder.stream);
        runs.push(holder.run);
        clocks.push(part.intake.clock_ms);
        counts.push(page.exchanges.iter().map(|exchange| i64::from(exchange.no) + 1).max().unwrap_or(0));
    }
    if streams.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "INSERT INTO page (stream, run, now_ms, exchanges) SELECT x.stream, x.run, x.now_ms, x.exchanges
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
               WITH ORDINALITY x (stream, run, now_ms, exchanges, at) ORDER BY x.at RETURNING id";
    let found = all(transaction, sql, &[&streams, &runs, &clocks, &counts]).await?;
    // Numbered in the order in which they were inserted.
    let mut ids = found.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    if ids.len() == streams.len() { Ok(ids) } else { Err(StoreError::Fault("a page got no number".into())) }
}

async fn insert_exchanges(transaction: &Transaction<'_>, parts: &[Part<'_>]) -> Result<(), StoreError> {
    let mut exchanges = Vec::new();
    for part in parts {
        let (Some((_, id)), Some(page)) = (part.page, part.intake.pages.first()) else { continue };
        exchanges.extend(page.exchanges.iter().map(|exchange| (id, exchange)));
    }
    exchange::insert_whole(transaction, &exchanges).await
}

/// Wave after wave: in one, each record comes once, so that the next one finds what the one before left.
async fn put_records(
    transaction: &Transaction<'_>,
    parts: &[Part<'_>],
    commits: &mut [CommitState],
    ends: HashMap<String, FeedEnd>,
) -> Result<(), StoreError> {
    let mut ends: HashMap<i64, FeedEnd> = ends.into_values().map(|end| (end.feed, end)).collect();
    for wave in waves(parts) {
        let mut puts = Vec::new();
        for at in &wave {
            let commit = &mut commits[*at];
            if let Some(end) = ends.get(&commit.feed) {
                commit.go_on_after(*end);
            }
            puts.extend(parts[*at].records.iter().map(|(scope, write)| Put { commit: *at, scope: *scope, write }));
        }
        RevisionWriter::new(transaction, commits).put_all(&puts).await?;
        for at in &wave {
            let end = commits[*at].end();
            let last = ends.entry(end.feed).or_insert(end);
            last.seq = last.seq.max(end.seq);
            last.at_ms = last.at_ms.max(end.at_ms);
        }
    }
    Ok(())
}

fn waves(parts: &[Part<'_>]) -> Vec<Vec<usize>> {
    let mut next: HashMap<(i64, &str), usize> = HashMap::new();
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let keys = || part.records.iter().map(|(scope, record)| (*scope, record.external_id.as_str()));
        let wave = keys().filter_map(|key| next.get(&key).copied()).max().unwrap_or(0);
        next.extend(keys().map(|key| (key, wave + 1)));
        if waves.len() <= wave {
            waves.push(Vec::new());
        }
        waves[wave].push(at);
    }
    waves
}

/// Takes out of quarantine what came in good shape: nearly always nothing waits there.
async fn resolve_quarantined(transaction: &Transaction<'_>, parts: &[Part<'_>]) -> Result<(), StoreError> {
    let mut by_stream: BTreeMap<i64, Vec<&RecordWrite>> = BTreeMap::new();
    for part in parts {
        let Some((holder, _)) = part.page else { continue };
        by_stream.entry(holder.stream).or_default().extend(part.records.iter().map(|(_, record)| *record));
    }
    let streams: Vec<i64> = by_stream.keys().copied().collect();
    let sql = "SELECT x.stream FROM unnest($1::bigint[]) x (stream)
               WHERE EXISTS (SELECT 1 FROM quarantine q WHERE q.stream = x.stream)";
    for row in all(transaction, sql, &[&streams]).await? {
        let stream = row.int(0)?;
        let identity = |record: &&RecordWrite| quarantine_identity(record.entity(), Some(&record.external_id), &[]);
        let identities: Vec<_> = by_stream.get(&stream).into_iter().flatten().map(identity).collect();
        transaction.delete_quarantined(stream, &identities).await?;
    }
    Ok(())
}

async fn insert_deliveries(
    transaction: &Transaction<'_>,
    parts: &[Part<'_>],
    commits: &[CommitState],
) -> Result<(), StoreError> {
    let text = |of: fn(&Part<'_>) -> String| parts.iter().map(of).collect::<Vec<_>>();
    let number = |of: fn(&Part<'_>) -> i64| parts.iter().map(of).collect::<Vec<_>>();
    let identities: Vec<&[u8]> = parts.iter().map(|part| part.delivery.identity.as_slice()).collect();
    let shown: Vec<Option<String>> = parts.iter().map(|part| part.delivery.shown_id()).collect();
    let changes: Vec<i64> = commits
        .iter()
        .map(|CommitState { tally, .. }| tally.outcome.created + tally.outcome.updated + tally.outcome.deleted)
        .map(u64::cast_signed)
        .collect();
    let sql = "INSERT INTO inbox (tenant, connection, identity, delivery_id, received_at, page, records, changes, quarantined, refreshes)
               SELECT x.tenant, x.connection, x.identity, x.delivery_id, x.received_at, x.page, x.records, x.changes, 0, x.refreshes
               FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
               $9::bigint[]) x (tenant, connection, identity, delivery_id, received_at, page, records, changes, refreshes)";
    run(
        transaction,
        sql,
        &[
            &text(|part| part.intake.tenant.to_string()),
            &text(|part| part.intake.connection.to_string()),
            &identities,
            &shown,
            &number(|part| part.delivery.received_at_ms),
            &number(|part| part.page.map_or(0, |(_, page)| page)),
            &number(|part| part.intake.pages.iter().map(|page| page.records.len() as i64).sum()),
            &changes,
            &number(|part| part.intake.refreshes.len() as i64),
        ],
    )
    .await
    .map(drop)
}

/// Sums of what a run took in.
#[derive(Default)]
struct RunFigures {
    at_ms: i64,
    last_seq: i64,
    pages: i64,
    records: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    deleted: i64,
    repeated: i64,
}

impl RunFigures {
    fn add(&mut self, part: &Part<'_>, commit: &CommitState) {
        let outcome = &commit.tally.outcome;
        self.at_ms = self.at_ms.max(part.intake.now_ms);
        self.last_seq = self.last_seq.max(commit.seq);
        self.pages += 1;
        self.records += commit.tally.listed.cast_signed();
        self.created += outcome.created.cast_signed();
        self.updated += outcome.updated.cast_signed();
        self.unchanged += outcome.unchanged.cast_signed();
        self.deleted += outcome.deleted.cast_signed();
        self.repeated += outcome.repeated.cast_signed();
    }
}

/// What a group adds to the figures of scopes, feeds, keys and runs.
struct Sums {
    scopes: BTreeMap<i64, (i64, i64)>,
    ends: BTreeMap<i64, FeedEnd>,
    runs: BTreeMap<i64, RunFigures>,
    keys: BTreeMap<TenantId, KeyChanges>,
    now_ms: i64,
}

impl Sums {
    /// Takes the changes of keys out of the commits.
    fn take(parts: &[Part<'_>], commits: &mut [CommitState]) -> Self {
        let now_ms = commits.iter().map(|commit| commit.now_ms).max().unwrap_or(0);
        let (scopes, ends, runs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut sums = Self { scopes, ends, runs, keys: BTreeMap::new(), now_ms };
        for (part, commit) in parts.iter().zip(&mut *commits) {
            for (scope, (live, dead)) in &commit.tally.scopes {
                let sum = sums.scopes.entry(*scope).or_default();
                sum.0 += live;
                sum.1 += dead;
            }
            if !commit.tally.scopes.is_empty() {
                let last = sums.ends.entry(commit.feed).or_insert(commit.end());
                last.seq = last.seq.max(commit.seq);
                last.at_ms = last.at_ms.max(commit.now_ms);
            }
            let tenant = &part.intake.tenant;
            let mut changed = std::mem::replace(&mut commit.keys, KeyChanges::of(tenant.clone()));
            changed.seq = commit.seq;
            sums.keys.entry(tenant.clone()).or_insert_with(|| KeyChanges::of(tenant.clone())).join(changed);
            if let Some((holder, _)) = part.page {
                sums.runs.entry(holder.run).or_default().add(part, commit);
            }
        }
        sums
    }

    async fn write(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        try_join!(
            add_to_scopes(transaction, &self.scopes),
            move_ends(transaction, self.ends.into_values().collect()),
            record_key::apply(transaction, self.keys.into_values().collect(), self.now_ms),
            add_to_runs(transaction, &self.runs)
        )
        .map(drop)
    }
}

async fn move_ends(transaction: &Transaction<'_>, ends: Vec<FeedEnd>) -> Result<(), StoreError> {
    let column = |of: fn(&FeedEnd) -> i64| ends.iter().map(of).collect::<Vec<_>>();
    let (feeds, seqs, times) = (column(|end| end.feed), column(|end| end.seq), column(|end| end.at_ms));
    let sql = "UPDATE feed f SET seq = x.seq, at_ms = x.at_ms FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) x (id, seq, at_ms)
               WHERE f.id = x.id";
    run(transaction, sql, &[&feeds, &seqs, &times]).await.map(drop)
}

async fn add_to_runs(transaction: &Transaction<'_>, runs: &BTreeMap<i64, RunFigures>) -> Result<(), StoreError> {
    let column = |of: fn(&RunFigures) -> i64| runs.values().map(of).collect::<Vec<_>>();
    let ids: Vec<i64> = runs.keys().copied().collect();
    let sql = "UPDATE run u SET touched_at = x.at_ms, ended_at = greatest(u.ended_at, x.at_ms), last_seq = x.last_seq,
                   pages = u.pages + x.pages, records = u.records + x.records, created = u.created + x.created,
                   updated = u.updated + x.updated, unchanged = u.unchanged + x.unchanged, deleted = u.deleted + x.deleted,
                   repeated = u.repeated + x.repeated
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                   $8::bigint[], $9::bigint[], $10::bigint[])
                   x (id, at_ms, last_seq, pages, records, created, updated, unchanged, deleted, repeated)
               WHERE u.id = x.id";
    run(
        transaction,
        sql,
        &[
            &ids,
            &column(|run| run.at_ms),
            &column(|run| run.last_seq),
            &column(|run| run.pages),
            &column(|run| run.records),
            &column(|run| run.created),
            &column(|run| run.updated),
            &column(|run| run.unchanged),
            &column(|run| run.deleted),
            &column(|run| run.repeated),
        ],
    )
    .await
    .map(drop)
}

/// What one connection's deliveries add, the last page of them, and which of them bears what has to go for it.
struct Charged {
    charge: Charge,
    page: i64,
    part: usize,
}

async fn charge(
    transaction: &Transaction<'_>,
    parts: &[Part<'_>],
    commits: &[CommitState],
    quotas: &Quotas,
) -> Result<Vec<u64>, StoreError> {
    let mut charged: BTreeMap<(&TenantId, &ConnectionName), Charged> = BTreeMap::new();
    for (at, (part, commit)) in parts.iter().zip(commits).enumerate() {
        let (Some((_, id)), Some(page)) = (part.page, part.intake.pages.first()) else { continue };
        let more = Charge::of_delivery(&page.exchanges, commit.tally.bytes);
        let owner = (&part.intake.tenant, &part.intake.connection);
        let sum = charged.entry(owner).or_insert(Charged { charge: Charge::default(), page: id, part: at });
        sum.charge.records_bytes += more.records_bytes;
        sum.charge.exchanges_bytes += more.exchanges_bytes;
        sum.page = sum.page.max(id);
        sum.part = at;
    }
    let tenants: Vec<&str> = charged.keys().map(|(tenant, _)| tenant.as_str()).collect();
    let connections: Vec<&str> = charged.keys().map(|(_, connection)| connection.as_str()).collect();
    let records: Vec<i64> = charged.values().map(|sum| sum.charge.records_bytes).collect();
    let exchanges: Vec<i64> = charged.values().map(|sum| sum.charge.exchanges_bytes).collect();
    let sql = "INSERT INTO disk_use AS d (tenant, connection, records_bytes, exchanges_bytes)
               SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
               ON CONFLICT (tenant, connection) DO UPDATE SET records_bytes = d.records_bytes + excluded.records_bytes,
               exchanges_bytes = d.exchanges_bytes + excluded.exchanges_bytes
               RETURNING tenant, connection, records_bytes, exchanges_bytes, exchanges_from";
    let mut kept = HashMap::new();
    for row in all(transaction, sql, &[&tenants, &connections, &records, &exchanges]).await? {
        kept.insert((row.text(0)?, row.text(1)?), (row.int(2)?, row.int(3)?, row.int(4)?));
    }
    let mut pruned = vec![0; parts.len()];
    for ((tenant, connection), Charged { charge, page, part }) in charged {
        let Some(kept) = kept.get(&(tenant.to_string(), connection.to_string())) else { continue };
        let quota = quotas.of(tenant, connection);
        pruned[part] = disk_use::keep_within(transaction, (tenant, connection), page, charge, *kept, &quota).await?;
    }
    Ok(pruned)
}
