//! Finished runs that are too old: one that wrote nothing goes with its pages; of one that wrote something the findings go, and the rest
//! stays for the records that came with it.

use super::{CommitWriter, PassStep, Rule, STEP_ROWS, Session, count, note_oldest, number, too_old_before, values};
use crate::StoreError;
use crate::codes::RUNNING;
use crate::inbox::RUN_LIFE_MS;
use crate::quota::PAGE_BYTES;
use crate::retention::{Owner, RetainedKind};
use crate::sql::disk_use;

/// Pages that one step takes out.
const REMOVED: i64 = 100;
/// The newest runs of a stream, by which it is decided when it is tried again, stay at any age.
const NEWEST: i64 = 100;

/// What old runs of a stream are.
struct OldRuns {
    stream: i64,
    before_ms: i64,
    /// No run from this one on.
    newest: i64,
}

pub(super) async fn delete(
    session: &impl CommitWriter,
    rules: &[Rule],
    (at, after): (usize, i64),
    now_ms: i64,
) -> Result<Option<PassStep>, StoreError> {
    let Some((owner, quota)) = rules.get(at) else { return Ok(None) };
    let next = Some(PassStep::Runs { owner: at + 1, stream: 0 });
    // What is brought outside of runs is kept under one of the day.
    let Some(before_ms) = too_old_before(now_ms, quota.runs_age_max_ms.max(2 * RUN_LIFE_MS)) else { return Ok(next) };
    if quota.runs_age_max_ms == 0 {
        return Ok(next);
    }
    let sql = "SELECT id FROM stream WHERE tenant = $1 AND connection = $2 AND id > $3 ORDER BY id LIMIT 1";
    let Some(stream) = number(session, sql, values![&owner.0, &owner.1, after]).await? else {
        let sql = "SELECT min(u.ended_at) FROM run u JOIN stream t ON t.id = u.stream WHERE t.tenant = $1 AND t.connection = $2";
        let oldest = session.one(sql, values![&owner.0, &owner.1], |row| row.int_or_none(0)).await?.flatten();
        note_oldest(session, owner, RetainedKind::Runs, oldest).await?;
        return Ok(next);
    };
    let sql = "SELECT id FROM run WHERE stream = $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
    let again = match number(session, sql, values![stream, NEWEST]).await? {
        Some(newest) => {
            let old = OldRuns { stream, before_ms, newest };
            old.delete_notes(session).await? || old.delete_empty(session, owner, now_ms).await?
        }
        None => false,
    };
    Ok(Some(PassStep::Runs { owner: at, stream: if again { stream - 1 } else { stream } }))
}

impl OldRuns {
    /// What runs reported besides their records. True where there may be more.
    async fn delete_notes(&self, session: &impl Session) -> Result<bool, StoreError> {
        let mut more = false;
        for notes in ["finding", "omission"] {
            let sql = format!(
                "DELETE FROM {notes} WHERE id IN (SELECT n.id FROM run u JOIN {notes} n ON n.run = u.id
                 WHERE u.stream = $1 AND u.id < $2 AND u.state <> {RUNNING} AND u.ended_at < $3 LIMIT $4)"
            );
            let dropped = session.run(&sql, values![self.stream, self.newest, self.before_ms, STEP_ROWS]).await?;
            more |= dropped >= STEP_ROWS.unsigned_abs();
        }
        Ok(more)
    }

    /// Runs that wrote nothing, their pages and what these read first. True where there may be more.
    async fn delete_empty(&self, session: &impl CommitWriter, owner: &Owner, now_ms: i64) -> Result<bool, StoreError> {
        // What pages of a sweep listed is asked for when it ends.
        let sql = "SELECT id FROM stream WHERE id = $1 AND sweep_from IS NULL AND held_from IS NULL";
        if number(session, sql, values![self.stream]).await?.is_none() {
            return Ok(false);
        }
        let empty = format!(
            "u.stream = $1 AND u.id < $2 AND u.state <> {RUNNING} AND u.ended_at < $3 AND u.started_at < $3
             AND u.created + u.updated + u.deleted + u.quarantined + u.held = 0"
        );
        let sql = format!(
            "SELECT p.id, CAST({PAGE_BYTES} + coalesce(octet_length(p.cursor_before), 0)
             + coalesce(octet_length(p.cursor_after), 0) AS bigint) FROM page p JOIN run u ON u.id = p.run WHERE p.stream = $1 AND {empty} ORDER BY p.id LIMIT $4"
        );
        let values = values![self.stream, self.newest, self.before_ms, REMOVED];
        let pages = session.all(&sql, values, |row| Ok((row.int(0)?, row.int(1)?))).await?;
        if !pages.is_empty() {
            delete_pages(session, owner, &pages, now_ms).await?;
            return Ok(true);
        }
        let sql = format!("DELETE FROM run WHERE id IN (SELECT u.id FROM run u WHERE {empty} LIMIT $4)");
        let dropped = session.run(&sql, values![self.stream, self.newest, self.before_ms, STEP_ROWS]).await?;
        count(session, (owner.0.as_str(), owner.1.as_str()), RetainedKind::Runs, dropped, now_ms).await?;
        Ok(dropped >= STEP_ROWS.unsigned_abs())
    }
}

/// Takes pages out, with what they read.
async fn delete_pages(
    session: &impl CommitWriter,
    owner: &Owner,
    pages: &[(i64, i64)],
    now_ms: i64,
) -> Result<(), StoreError> {
    let (mut exchanges, mut freed) = (0, 0);
    for (page, _) in pages {
        let removed = session.remove_exchanges(*page).await?;
        exchanges += removed.len() as u64;
        freed += disk_use::freed(session, (&owner.0, &owner.1), &removed).await?;
        session.run("DELETE FROM page WHERE id = $1", values![*page]).await?;
    }
    let rows = pages.iter().map(|(_, bytes)| bytes).sum();
    disk_use::credit(session, (&owner.0, &owner.1), rows, freed).await?;
    count(session, (owner.0.as_str(), owner.1.as_str()), RetainedKind::Exchanges, exchanges, now_ms).await
}
