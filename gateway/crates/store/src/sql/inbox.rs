//! Deliveries of vendors, taken in once, and what they asked to be read again.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::moving::stays;
use super::{CommitWriter, Session, commit, disk_use, number, retention, run, stream, values};
use crate::holder::Holder;
use crate::inbox::{
    DeliveryWrite, INBOX_SELECT, InboxRow, Intake, RUN_LIFE_MS, RefreshAsk, RefreshDone, RefreshFailed, RefreshRow,
    Taken, add, in_order, inbox_row, refresh_row, tenant_connection,
};
use crate::limits::list_limit;
use crate::retention::RetainedKind;
use crate::{CommitOutcome, Quota, StoreError};

/// Takes one in, within a transaction.
pub(crate) async fn take(session: &impl CommitWriter, mut intake: Intake, quota: &Quota) -> Result<Taken, StoreError> {
    // The feed before all else, as every commit: so two equal deliveries take turns, and the second one is known.
    let mut begun = Some(session.begin(&intake.tenant, intake.now_ms).await?);
    if let Some(delivery) = &intake.delivery
        && repeats(session, &intake, delivery).await?
    {
        return Ok(Taken { repeated: true, outcome: CommitOutcome::default() });
    }
    for claim in &intake.held {
        check_claim(session, *claim).await?;
    }
    let pages = std::mem::take(&mut intake.pages);
    let (mut outcome, mut first_page, mut records) = (CommitOutcome::default(), 0, 0);
    for page in pages {
        let stream = stream::intern(session, &intake.key(page.stream.clone())).await?.id;
        // The run of the day in which such things are kept.
        let since_ms = intake.now_ms.saturating_sub(RUN_LIFE_MS);
        let brought_by = (&intake.plugin, intake.trigger());
        let run = run::side_run(session, stream, brought_by, since_ms, intake.now_ms).await?;
        run::extend_side_run(session, run, intake.now_ms).await?;
        records += page.records.len();
        let own = match begun.take() {
            Some(begun) => begun,
            None => session.begin(&intake.tenant, intake.now_ms).await?,
        };
        let page = intake.commit(page, RunId(run));
        let (page_id, done) = commit::take_page(session, own, stream, page, quota).await?;
        add(&mut outcome, &done);
        if first_page == 0 {
            first_page = page_id;
        }
    }
    if let Some(delivery) = &intake.delivery {
        insert(session, &intake, delivery, first_page, records, &outcome).await?;
    }
    for ask in &intake.refreshes {
        ask_refresh(session, &intake, ask).await?;
    }
    if !intake.refreshes.is_empty() {
        disk_use::check_refreshes(session, (&intake.tenant, &intake.connection), quota).await?;
    }
    for done in &intake.done {
        check_claim(session, *done).await?;
        end_refresh(session, *done, intake.now_ms).await?;
    }
    Ok(Taken { repeated: false, outcome })
}

/// Counts a repeated delivery. One that may come again by its nature and is old makes room for the new one.
async fn repeats(session: &impl Session, intake: &Intake, delivery: &DeliveryWrite) -> Result<bool, StoreError> {
    let (tenant, name, identity) = (&intake.tenant, &intake.connection, &delivery.identity);
    let sql = "UPDATE inbox SET repeats = repeats + 1
               WHERE tenant = $1 AND connection = $2 AND identity = $3 AND received_at >= $4";
    if session.run(sql, values![tenant, name, identity, delivery.repeats_since_ms()]).await? > 0 {
        return Ok(true);
    }
    if delivery.repeats_after_ms.is_some() {
        forget(session, intake, delivery).await?;
    }
    Ok(false)
}

/// Forgets a delivery that is not a repetition of this one any more.
async fn forget(session: &impl Session, intake: &Intake, delivery: &DeliveryWrite) -> Result<(), StoreError> {
    let sql = "DELETE FROM inbox WHERE tenant = $1 AND connection = $2 AND identity = $3";
    session.run(sql, values![&intake.tenant, &intake.connection, &delivery.identity]).await.map(drop)
}

async fn insert(
    session: &impl Session,
    intake: &Intake,
    delivery: &DeliveryWrite,
    page: i64,
    records: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO inbox (tenant, connection, identity, delivery_id, received_at, page, records, changes,
               quarantined, refreshes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = values![
        &intake.tenant,
        &intake.connection,
        &delivery.identity,
        delivery.shown_id(),
        delivery.received_at_ms,
        page,
        records,
        outcome.created + outcome.updated + outcome.deleted,
        outcome.quarantined,
        intake.refreshes.len()
    ];
    session.run(sql, values).await.map(drop)
}

pub(crate) async fn ask_refresh(session: &impl Session, intake: &Intake, ask: &RefreshAsk) -> Result<(), StoreError> {
    let sql = "INSERT INTO refresh (tenant, connection, stream, external_id, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)
               ON CONFLICT (tenant, connection, stream, external_id) DO UPDATE SET asked = refresh.asked + 1,
               due_at = CASE WHEN excluded.due_at < refresh.due_at THEN excluded.due_at ELSE refresh.due_at END";
    let external_id = ask.external_id.as_deref().unwrap_or_default();
    let values = values![&intake.tenant, &intake.connection, &ask.stream, external_id, intake.now_ms];
    session.run(sql, values).await.map(drop)
}

/// Refuses what was read under a claim that belongs to another gateway by now. No other gateway can claim it until the transaction ends.
async fn check_claim(session: &impl Session, claim: RefreshDone) -> Result<(), StoreError> {
    let sql = format!("SELECT token FROM refresh WHERE id = $1{}", session.dialect().for_update());
    if number(session, &sql, values![claim.id]).await? == Some(claim.token) {
        return Ok(());
    }
    Err(StoreError::Fenced(format!("refresh {} was claimed by another gateway meanwhile", claim.id)))
}

/// It goes away unless it was asked for again: then what was read may have been too early. One whose claim is another's by now stays.
async fn end_refresh(session: &impl Session, done: RefreshDone, now_ms: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM refresh WHERE id = $1 AND asked = $2 AND token = $3";
    if session.run(sql, values![done.id, done.asked, done.token]).await? == 0 {
        let sql = "UPDATE refresh SET claimed_until = 0, due_at = $2, attempts = 0 WHERE id = $1 AND token = $3";
        session.run(sql, values![done.id, now_ms, done.token]).await?;
    }
    Ok(())
}

/// Keeps claims for another lease. Those that are another gateway's by now are passed over.
pub(crate) async fn renew_refreshes(
    session: &impl Session,
    claims: &[RefreshDone],
    now_ms: i64,
    lease_ms: i64,
) -> Result<(), StoreError> {
    let clock = session.dialect().lease_clock("$1");
    let sql = format!("UPDATE refresh SET claimed_until = {clock} + CAST($2 AS bigint) WHERE id = $3 AND token = $4");
    for claim in claims {
        session.run(&sql, values![now_ms, lease_ms, claim.id, claim.token]).await?;
    }
    Ok(())
}

pub(crate) async fn list(
    session: &impl Session,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    before_id: Option<i64>,
    limit: u32,
) -> Result<Vec<InboxRow>, StoreError> {
    let sql = format!(
        "{INBOX_SELECT} WHERE tenant = $1 AND (CAST($2 AS text) IS NULL OR connection = $2) AND id < $3
         ORDER BY id DESC LIMIT $4"
    );
    session.all(&sql, values![tenant, only, before_id.unwrap_or(i64::MAX), list_limit(limit)], inbox_row).await
}

/// Forgets old deliveries, and old deletions of what was never seen.
pub(crate) async fn purge(session: &impl Session, before_ms: i64, limit: u32, now_ms: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE received_at < $1 LIMIT $2) RETURNING tenant, connection";
    let mut dropped = BTreeMap::<(String, String), u64>::new();
    for of in session.all(sql, values![before_ms, list_limit(limit)], |row| Ok((row.text(0)?, row.text(1)?))).await? {
        *dropped.entry(of).or_default() += 1;
    }
    for ((tenant, name), count) in &dropped {
        retention::count(session, (tenant, name), RetainedKind::Inbox, *count, now_ms).await?;
    }
    let deliveries: u64 = dropped.values().sum();
    let sql = "DELETE FROM gone WHERE (scope, external_id) IN
               (SELECT scope, external_id FROM gone WHERE noted_at < $1 LIMIT $2)";
    Ok(deliveries + session.run(sql, values![before_ms, list_limit(limit)]).await?)
}

pub(crate) async fn next_refresh_ms(session: &impl Session) -> Result<Option<i64>, StoreError> {
    let sql = concat!(
        "SELECT min(CASE WHEN due_at < claimed_until THEN claimed_until ELSE due_at END) FROM refresh WHERE ",
        stays!("refresh.tenant")
    );
    Ok(session.one(sql, &[], |row| row.int_or_none(0)).await?.flatten())
}

pub(crate) async fn claim_refreshes(
    session: &impl Session,
    holder: &Holder,
    now_ms: i64,
    lease_ms: i64,
    but_of: &[(TenantId, ConnectionName)],
    limit: u32,
) -> Result<Vec<RefreshRow>, StoreError> {
    // A list as one value: no name has a bar. It holds a name when taking that out changes it.
    let but_of: Vec<String> = but_of.iter().map(tenant_connection).collect();
    let but_of = format!("|{}|", but_of.join("|"));
    let clock = session.dialect().lease_clock("$1");
    let sql = format!(
        "UPDATE refresh SET claimed_until = {clock} + CAST($2 AS bigint), attempts = attempts + 1, token = $5 WHERE id IN
         (SELECT id FROM refresh WHERE due_at <= $1 AND claimed_until <= {clock}
          AND replace(CAST($4 AS text), '|' || tenant || '/' || connection || '|', '') = $4 AND {}
          ORDER BY due_at, id LIMIT $3{})
         RETURNING id, tenant, connection, stream, external_id, asked, attempts, token",
        stays!("refresh.tenant"),
        session.dialect().skip_locked()
    );
    let values = values![now_ms, lease_ms, list_limit(limit), but_of, holder.token()];
    Ok(in_order(session.all(&sql, values, refresh_row).await?))
}

pub(crate) async fn settle_refreshes(
    session: &impl Session,
    done: &[RefreshDone],
    failed: &[RefreshFailed],
    now_ms: i64,
) -> Result<(), StoreError> {
    for done in done {
        end_refresh(session, *done, now_ms).await?;
    }
    for failed in failed {
        let sql = "UPDATE refresh SET error = $2, due_at = $3, claimed_until = 0 WHERE id = $1 AND token = $4";
        session.run(sql, values![failed.id, failed.shown_error(), failed.due_at_ms, failed.token]).await?;
    }
    Ok(())
}

/// At the start of a gateway that several share the store with: its own earlier process reads no more.
pub(crate) async fn release_refreshes_of(session: &impl Session, holder: &Holder) -> Result<(), StoreError> {
    let sql = "UPDATE refresh SET claimed_until = 0 WHERE claimed_until > 0 AND token >> 32 = $1";
    session.run(sql, values![holder.mark()]).await.map(drop)
}

/// At the start of the only process that may write: no earlier one reads any more.
pub(crate) async fn release_refreshes(session: &impl Session) -> Result<(), StoreError> {
    session.run("UPDATE refresh SET claimed_until = 0 WHERE claimed_until > 0", &[]).await.map(drop)
}
