//! The parts of `exchange`: made before they are needed, one begun each day where exchanges have an age, and dropped as a whole.
//!
//! A part holds the pages of one span of numbers. The next span is begun by moving the counter of pages on to it, after its part was made, so
//! that no row ever lacks one; what a span holds beyond a day only stays longer. Parts and not rows are dropped, because a day's rows are
//! many where vendors send events: deleting them costs as much as writing them. Must not know which pages are in use: that was noted before.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::{Client, GenericClient, Transaction};

use super::connections::Connections;
use super::migrate;
use super::query::{all, one, run};
use crate::StoreError;
use crate::quota::{EXCHANGE_BYTES, Quotas};
use crate::retention::{Owner, RetainedKind};
use crate::rows::{self, Columns};
use crate::sql::{disk_use, retention};

/// Pages that a part has numbers for, as a power of two: 16 million. A day that has more goes on in the next part. A part a day uses up 2^38
/// numbers in 44 years.
const SPAN_BITS: u32 = 24;
/// Parts that are there before the one in use is full: at ten thousand pages a second they last for two hours.
const AHEAD: i64 = 4;
/// What the migration says of the part that holds what there was before.
const FIRST: &str = "first";
/// Any number that no other lock has.
const LOCK: i64 = 0x726e_6d70;
/// How long others may be in the way of a change of the parts; then it is tried again with the next pass. Others wait as long for this.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0";

/// One part.
struct Part {
    number: i64,
    /// The day that was begun with it, by the server's clock. None: the day before goes on in it.
    day: Option<String>,
}

impl Part {
    fn table(&self) -> String {
        format!("exchange_{}", self.number)
    }

    /// Is it dropped as a whole?
    fn is_of_a_day(&self) -> bool {
        self.day.as_deref() != Some(FIRST)
    }

    /// No page of it has this number or a higher one.
    fn ends_before(&self) -> i64 {
        (self.number + 1) << SPAN_BITS
    }
}

async fn parts(client: &impl GenericClient) -> Result<Vec<Part>, StoreError> {
    let sql = "SELECT substr(c.relname, 10)::bigint, obj_description(c.oid, 'pg_class') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'exchange'::regclass AND c.relname ~ '^exchange_[0-9]+$' ORDER BY 1";
    let part = |row: &dyn Columns| Ok::<_, StoreError>(Part { number: row.int(0)?, day: row.text_or_none(1)? });
    all(client, sql, &[]).await?.iter().map(|row| part(row)).collect()
}

/// The span that the next page falls into.
async fn span_in_use(client: &impl GenericClient) -> Result<i64, StoreError> {
    let sql = format!("SELECT last_value >> {SPAN_BITS} FROM page_id_seq");
    one(client, &sql, &[]).await?.map_or(Ok(0), |row| row.int(0))
}

/// Makes the parts that will be needed next. Nothing is locked where they are there.
pub(super) async fn make_ahead(connections: &Connections, client: &mut Client) -> Result<(), StoreError> {
    let transaction = connections.begin(client).await?;
    if missing(&transaction).await?.is_empty() {
        return Ok(transaction.commit().await?);
    }
    transaction.batch_execute(LOCK_TIMEOUT).await?;
    migrate::hold(&transaction, LOCK).await?;
    for number in missing(&transaction).await? {
        make(&transaction, number).await?;
    }
    transaction.commit().await?;
    // The server never looks at a parent of its own accord.
    client.batch_execute("ANALYZE exchange").await?;
    Ok(())
}

async fn missing(client: &impl GenericClient) -> Result<Vec<i64>, StoreError> {
    let (there, in_use) = (parts(client).await?, span_in_use(client).await?);
    let first = there.first().map_or(0, |part| part.number).max(in_use);
    Ok((first..=in_use + AHEAD).filter(|number| there.iter().all(|part| part.number != *number)).collect())
}

/// Made apart from the others and then added, so that these are read and written meanwhile.
async fn make(transaction: &Transaction<'_>, number: i64) -> Result<(), StoreError> {
    let (from, to) = (number << SPAN_BITS, (number + 1) << SPAN_BITS);
    let sql = format!(
        "CREATE TABLE exchange_{number} (LIKE exchange INCLUDING DEFAULTS INCLUDING STORAGE)
             WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
         WITH moved AS (DELETE FROM exchange_kept WHERE page >= {from} AND page < {to} RETURNING *)
             INSERT INTO exchange_{number} SELECT * FROM moved;
         ALTER TABLE exchange ATTACH PARTITION exchange_{number} FOR VALUES FROM ({from}) TO ({to})"
    );
    Ok(transaction.batch_execute(&sql).await?)
}

/// Begins the part of the day, unless that was done: pages that come from now on fall into it.
async fn begin_day(connections: &Connections, client: &mut Client) -> Result<(), StoreError> {
    make_ahead(connections, client).await?;
    let transaction = connections.begin(client).await?;
    transaction.batch_execute(LOCK_TIMEOUT).await?;
    migrate::hold(&transaction, LOCK).await?;
    let in_use = span_in_use(&transaction).await?;
    let sql = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
    let today = one(&transaction, sql, &[]).await?.map(|row| row.text(0)).transpose()?.unwrap_or_default();
    let there = parts(&transaction).await?;
    let is_begun = there.iter().any(|part| part.number <= in_use && part.day.as_deref() == Some(&today));
    let next = there.iter().find(|part| part.number == in_use + 1);
    if let (false, Some(next)) = (is_begun, next) {
        let (table, first) = (next.table(), next.number << SPAN_BITS);
        // Others move it on by taking numbers alone, and of those a span has many more than are taken meanwhile.
        transaction
            .batch_execute(&format!("COMMENT ON TABLE {table} IS '{today}'; SELECT setval('page_id_seq', {first})"))
            .await?;
    }
    transaction.commit().await?;
    make_ahead(connections, client).await
}

/// What one connection loses with a part.
struct Loss {
    owner: Owner,
    exchanges: u64,
    bytes: i64,
    /// The time of its newest page.
    newest_ms: i64,
}

/// Begins the part of the day and drops those that are too old. Gives the page up to which exchanges are to be looked at one by one: a day
/// that will be dropped as a whole is left until then.
pub(super) async fn turn(
    connections: &Connections,
    client: &mut Client,
    (token, cut): (i64, i64),
    quotas: &Quotas,
    now_ms: i64,
) -> Result<i64, StoreError> {
    begin_day(connections, client).await?;
    // A read that takes long (a backup) may be in the way: then they are dropped by a later pass.
    let by_page = drop_old(connections, client, (token, cut), quotas, now_ms).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "Old exchanges could not be dropped; the next pass tries again");
        BTreeSet::new()
    });
    let ages: BTreeSet<i64> = quotas.all().into_iter().map(|(_, quota)| quota.exchanges_age_max_ms).collect();
    let is_whole = |part: &Part| part.is_of_a_day() && !by_page.contains(&part.number);
    let transaction = connections.begin(client).await?;
    let first_day = parts(&transaction).await?.into_iter().find(is_whole).filter(|_| ages.len() == 1);
    let until = match first_day.map(|part| part.number << SPAN_BITS) {
        // What came with a tenant from another database lies in no day's part.
        Some(first) if !has_strays(&transaction, first).await? => cut.min(first - 1),
        _ => cut,
    };
    transaction.commit().await?;
    Ok(until)
}

/// Does the part without bounds hold pages from this one on?
async fn has_strays(client: &impl GenericClient, first: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1::bigint FROM exchange_kept WHERE page >= $1 LIMIT 1";
    Ok(one(client, sql, &[&first]).await?.is_some())
}

/// Drops the parts of which everything is too old that is not in use; what is in use moves to the part without bounds. Gives those that
/// are old and hold something that may stay: they are looked at page by page.
async fn drop_old(
    connections: &Connections,
    client: &mut Client,
    (token, cut): (i64, i64),
    quotas: &Quotas,
    now_ms: i64,
) -> Result<BTreeSet<i64>, StoreError> {
    let transaction = connections.begin(client).await?;
    let (in_use, there) = (span_in_use(&transaction).await?, parts(&transaction).await?);
    transaction.commit().await?;
    let is_old = |part: &Part| part.is_of_a_day() && part.ends_before() <= cut && part.number < in_use;
    let mut by_page = BTreeSet::new();
    for part in there.into_iter().filter(is_old) {
        let transaction = connections.begin(client).await?;
        transaction.batch_execute(LOCK_TIMEOUT).await?;
        migrate::hold(&transaction, LOCK).await?;
        if drop_part(&transaction, &part, token, quotas, now_ms).await? {
            transaction.commit().await?;
            tracing::info!(part = part.table(), day = part.day.as_deref(), "Old exchanges were dropped");
        } else {
            by_page.insert(part.number);
        }
    }
    Ok(by_page)
}

async fn drop_part(
    transaction: &Transaction<'_>,
    part: &Part,
    token: i64,
    quotas: &Quotas,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let table = part.table();
    // No other takes rows of it out from here on; other parts are written as ever.
    transaction.batch_execute(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")).await?;
    if !retention::is_under_way(transaction, token, now_ms).await? {
        return Ok(false);
    }
    let lost = losses(transaction, &table, token).await?;
    let is_old = |loss: &Loss| {
        let age = quotas.of(&loss.owner.0, &loss.owner.1).exchanges_age_max_ms;
        retention::too_old_before(now_ms, age).is_some_and(|before_ms| loss.newest_ms < before_ms)
    };
    if !lost.iter().all(is_old) {
        return Ok(false);
    }
    let unused = format!("NOT EXISTS (SELECT 1 FROM page_in_use u WHERE u.pass = {token} AND u.page = x.page)");
    let sql = format!(
        "CREATE TEMPORARY TABLE exchange_moved ON COMMIT DROP AS SELECT x.* FROM {table} x WHERE NOT {unused};
         CREATE TEMPORARY TABLE exchange_released ON COMMIT DROP AS
             SELECT t.tenant, t.connection, x.body_hash AS hash, count(*) AS refs FROM {table} x JOIN page p ON p.id = x.page
             JOIN stream t ON t.id = p.stream WHERE x.shared = 1 AND {unused} GROUP BY 1, 2, 3;
         ALTER TABLE exchange DETACH PARTITION {table};
         INSERT INTO exchange SELECT * FROM exchange_moved;
         DROP TABLE {table}"
    );
    transaction.batch_execute(&sql).await?;
    let mut freed = release(transaction).await?;
    for Loss { owner, exchanges, bytes, .. } in lost {
        let bytes = bytes + freed.remove(&owner).unwrap_or(0);
        disk_use::credit(transaction, (&owner.0, &owner.1), 0, bytes).await?;
        let names = (owner.0.as_str(), owner.1.as_str());
        retention::count(transaction, names, RetainedKind::Exchanges, exchanges, now_ms).await?;
    }
    Ok(true)
}

async fn losses(transaction: &Transaction<'_>, table: &str, token: i64) -> Result<Vec<Loss>, StoreError> {
    let sql = format!(
        "SELECT t.tenant, t.connection, count(*), sum(octet_length(x.packed) + octet_length(x.url) + {EXCHANGE_BYTES})::bigint,
         max(p.now_ms) FROM {table} x JOIN page p ON p.id = x.page JOIN stream t ON t.id = p.stream
         WHERE NOT EXISTS (SELECT 1 FROM page_in_use u WHERE u.pass = $1 AND u.page = x.page)
         GROUP BY t.tenant, t.connection"
    );
    let loss = |row: &dyn Columns| {
        let owner = (rows::tenant_of(&row.text(0)?)?, rows::connection(row, 1)?);
        let exchanges = row.int(2)?.unsigned_abs();
        Ok::<_, StoreError>(Loss { owner, exchanges, bytes: row.int(3)?, newest_ms: row.int(4)? })
    };
    let mut losses: Vec<Loss> =
        all(transaction, &sql, &[&token]).await?.iter().map(|row| loss(row)).collect::<Result<_, _>>()?;
    // In the order in which others change these rows.
    losses.sort_by(|one, other| one.owner.cmp(&other.owner));
    Ok(losses)
}

/// Takes the references of a part's rows away; gives the bytes of the bodies that went with them, by whose they were.
async fn release(transaction: &Transaction<'_>) -> Result<BTreeMap<Owner, i64>, StoreError> {
    let sql = "UPDATE exchange_body b SET refs = b.refs - r.refs FROM exchange_released r
               WHERE b.tenant = r.tenant AND b.connection = r.connection AND b.hash = r.hash";
    run(transaction, sql, &[]).await?;
    let sql = format!(
        "WITH gone AS (DELETE FROM exchange_body b USING exchange_released r
             WHERE b.tenant = r.tenant AND b.connection = r.connection AND b.hash = r.hash AND b.refs <= 0
             RETURNING b.tenant, b.connection, octet_length(b.packed) + {EXCHANGE_BYTES} AS bytes)
         SELECT tenant, connection, sum(bytes)::bigint FROM gone GROUP BY tenant, connection"
    );
    let freed = |row: &dyn Columns| Ok((((rows::tenant_of(&row.text(0)?)?), rows::connection(row, 1)?), row.int(2)?));
    all(transaction, &sql, &[]).await?.iter().map(|row| freed(row)).collect()
}
