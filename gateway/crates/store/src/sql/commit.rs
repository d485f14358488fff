//! One page, one transaction: fence, records, exchanges, quarantine, sweep, cursor, figures.

use futures_util::try_join;

use super::stream::{self, LiveStream};
use super::{
    CommitState, CommitWriter, Scopes, Session, disk_use, exchange_body, expect_number, quarantine, run_notes, sweep,
    values,
};
use crate::decide::last_wins;
use crate::quota::{self, Charge};
use crate::{CommitOutcome, PageCommit, Quota, StoreError, failpoint};

pub(crate) async fn commit_page(
    session: &impl CommitWriter,
    mut page: PageCommit,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    // The feed before the stream, everywhere: two that lock in one order never wait for each other.
    let mut commit = session.begin(&page.key.tenant, page.now_ms).await?;
    let stream = fence(session, &page).await?;
    commit.page = insert_page(session, stream.id, &page).await?;
    commit.tally.outcome.unchanged = page.unchanged.len() as u64;
    put_records(session, &mut commit, stream.id, &mut page).await?;
    let sweep_from = sweep::apply(session, &mut commit, &stream, &page).await?;
    failpoint::reach("after_records");

    let (outcome, ()) =
        try_join!(finish(session, commit, &page, quota), move_cursor(session, stream.id, &page, sweep_from))?;
    Ok(outcome)
}

async fn move_cursor(
    session: &impl Session,
    stream: i64,
    page: &PageCommit,
    sweep_from: Option<i64>,
) -> Result<(), StoreError> {
    let begins = page.sweep.is_none_or(|sweep| sweep.begins);
    let partial = page.sweep.is_some_and(|sweep| sweep.partial);
    let sql = "UPDATE stream SET cursor = $2, mid_run = $3, sweep_from = $4,
               sweep_partial = CASE WHEN CAST($5 AS bigint) = 1 OR sweep_partial < $6 THEN $6 ELSE sweep_partial END WHERE id = $1";
    let values = values![stream, page.cursor_after.as_deref(), page.has_more, sweep_from, begins, partial];
    session.run(sql, values).await.map(drop)
}

/// What a delivery or a targeted read brought for one stream: no cursor, no sweep, and perhaps out of order. Gives the page.
pub(super) async fn take_page(
    session: &impl CommitWriter,
    mut commit: CommitState,
    stream: i64,
    mut page: PageCommit,
    quota: &Quota,
) -> Result<(i64, CommitOutcome), StoreError> {
    let page_id = insert_page(session, stream, &page).await?;
    (commit.page, commit.events) = (page_id, true);
    put_records(session, &mut commit, stream, &mut page).await?;
    Ok((page_id, finish(session, commit, &page, quota).await?))
}

/// Takes a page's exchanges and records in and puts those that were refused into quarantine.
async fn put_records(
    session: &impl CommitWriter,
    commit: &mut CommitState,
    stream: i64,
    page: &mut PageCommit,
) -> Result<(), StoreError> {
    let count = page.records.len();
    let records = last_wins(std::mem::take(&mut page.records));
    commit.tally.outcome.repeated = (count - records.len()) as u64;
    commit.tally.outcome.quarantined = page.quarantine.len() as u64;
    commit.tally.listed = (count + page.unchanged.len() + page.quarantine.len()) as u64;
    let mut scopes = Scopes::new(&page.key.tenant, &page.key.connection);
    let page_id = commit.page;
    // None of them waits for another's answer: where answers travel, they travel together.
    let exchanges = insert_exchanges(session, page_id, page);
    let put = session.put(commit, &mut scopes, stream, &records);
    let resolve = quarantine::resolve(session, stream, &records, &page.unchanged);
    let (exchanges_bytes, (), ()) = try_join!(exchanges, put, resolve)?;
    commit.exchanges_bytes = exchanges_bytes;
    quarantine::insert(session, stream, page_id, page).await
}

/// Ends the writing of records, charges the page to its connection within its quota, and adds its figures to its run.
async fn finish(
    session: &impl CommitWriter,
    commit: CommitState,
    page: &PageCommit,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    let owner = (&page.key.tenant, &page.key.connection);
    let (page_id, listed, last_seq) = (commit.page, commit.tally.listed, commit.seq);
    let charge = Charge::of(page, commit.tally.bytes, commit.exchanges_bytes);
    let outcome = CommitOutcome { last_seq, ..commit.tally.outcome };
    if !page.quarantine.is_empty() {
        disk_use::check_quarantine(session, owner, quota).await?;
    }
    let (outcome, exchanges_pruned, ()) = try_join!(
        session.finish(commit),
        disk_use::charge(session, owner, page_id, charge, quota),
        add_to_run(session, page, listed, &outcome)
    )?;
    Ok(CommitOutcome { exchanges_pruned, ..outcome })
}

async fn fence(session: &impl Session, page: &PageCommit) -> Result<LiveStream, StoreError> {
    let stream = stream::find_to_change(session, &page.key)
        .await?
        .filter(|stream| stream.run == Some(page.run.0))
        .ok_or_else(|| StoreError::Fenced(format!("run {} does not hold its stream any more", page.run)))?;
    if stream.cursor != page.cursor_before {
        return Err(StoreError::Fenced(format!("the cursor moved since run {} asked for this page", page.run)));
    }
    if stream.sweep_from.is_none() && page.sweep.is_some_and(|sweep| !sweep.begins) {
        return Err(StoreError::Fenced(format!(
            "run {} continues a sweep that is not under way: begin a new sweep",
            page.run
        )));
    }
    Ok(stream)
}

/// Puts a page's exchanges in, and those of their bodies that the connection does not have yet; gives the bytes of both.
async fn insert_exchanges(session: &impl CommitWriter, page_id: i64, page: &PageCommit) -> Result<i64, StoreError> {
    session.insert_exchanges(page_id, &page.exchanges).await?;
    let owner = (&page.key.tenant, &page.key.connection);
    let bodies = exchange_body::refer(session, owner, &page.exchanges).await?;
    let rows: i64 = page.exchanges.iter().map(|exchange| quota::exchange_bytes(exchange, exchange.parts().0)).sum();
    Ok(rows + bodies)
}

async fn insert_page(session: &impl Session, stream: i64, page: &PageCommit) -> Result<i64, StoreError> {
    let exchanges = page.exchanges.iter().map(|exchange| exchange.no + 1).max().unwrap_or(0);
    let cursors = (page.cursor_before.as_deref(), page.cursor_after.as_deref());
    insert_page_row(session, (stream, page.run.0), cursors, page.clock_ms, exchanges).await
}

/// The row of a page; gives its id.
pub(super) async fn insert_page_row(
    session: &impl Session,
    (stream, run): (i64, i64),
    (cursor_before, cursor_after): (Option<&str>, Option<&str>),
    clock_ms: i64,
    exchanges: u32,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO page (stream, run, cursor_before, cursor_after, now_ms, exchanges)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    expect_number(session, sql, values![stream, run, cursor_before, cursor_after, clock_ms, exchanges]).await
}

async fn add_to_run(
    session: &impl Session,
    page: &PageCommit,
    listed: u64,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let clock = session.dialect().lease_clock("$2");
    session
        .run(
            &format!(
            "UPDATE run SET touched_at = $2, leased_until = {clock} + lease_ms, pages = pages + 1, records = records + $3, created = created + $4,
             updated = updated + $5, unchanged = unchanged + $6, deleted = deleted + $7, quarantined = quarantined + $8,
             last_seq = $9, swept = swept + $10, repeated = repeated + $11, held = held + $12 WHERE id = $1"
            ),
            values![
                page.run.0,
                page.now_ms,
                listed,
                outcome.created,
                outcome.updated,
                outcome.unchanged,
                outcome.deleted,
                outcome.quarantined,
                outcome.last_seq,
                outcome.swept,
                outcome.repeated,
                outcome.held
            ],
        )
        .await?;
    run_notes::insert(session, page.run, &page.notes).await
}
