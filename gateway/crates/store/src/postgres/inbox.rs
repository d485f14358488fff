//! [`InboxStore`] on PostgreSQL: a transaction a delivery; they take turns at the feed's row.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::pen::Pen;
use super::query::{all, must, number, run};
use super::run::{self as runs, LiveStream};
use super::{PostgresStore, commit, in_time, ledger};
use crate::inbox::{
    DeliveryWrite, INBOX_SELECT, InboxRow, Intake, RUN_LIFE_MS, RefreshAsk, RefreshDone, RefreshFailed, RefreshRow,
    Taken, add, in_order, inbox_row, places, refresh_row,
};
use crate::limits::list_limit;
use crate::rows::Columns;
use crate::{CommitOutcome, InboxStore, Quota, RunState, StoreError, StreamKey, codes, failpoint, follow};

#[async_trait]
impl InboxStore for PostgresStore {
    async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError> {
        intake.check()?;
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let quota = self.quotas.of(&intake.tenant, &intake.connection);
            let taken = take(&transaction, intake, &quota).await?;
            failpoint::reach("before_commit");
            transaction.commit().await?;
            failpoint::reach("after_commit");
            follow::raise(&self.head, taken.outcome.last_seq);
            Ok(taken)
        })
        .await
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        before_id: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        self.read(|c| async move {
            let sql = format!(
                "{INBOX_SELECT} WHERE tenant = $1 AND ($2::text IS NULL OR connection = $2) AND id < $3 ORDER BY id DESC LIMIT $4"
            );
            let (only, before) = (connection.map(ConnectionName::as_str), before_id.unwrap_or(i64::MAX));
            let rows = all(&c, &sql, &[&tenant.as_str(), &only, &before, &list_limit(limit)]).await?;
            rows.iter().map(inbox_row).collect()
        })
        .await
    }

    async fn purge_inbox(&self, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        in_time(async {
            let client = self.client().await?;
            let sql = "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE received_at < $1 LIMIT $2)";
            let rows = run(&client, sql, &[&before_ms, &list_limit(limit)]).await?;
            let sql = "DELETE FROM gone WHERE (scope, external_id) IN
                       (SELECT scope, external_id FROM gone WHERE noted_at < $1 LIMIT $2)";
            Ok(rows + run(&client, sql, &[&before_ms, &list_limit(limit)]).await?)
        })
        .await
    }

    async fn next_refresh_ms(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT min(greatest(due_at, claimed_until)) FROM refresh";
        self.read(|c| async move { all(&c, sql, &[]).await?.first().map_or(Ok(None), |row| row.int_or_none(0)) }).await
    }

    async fn claim_refreshes(
        &self,
        now_ms: i64,
        lease_ms: i64,
        but_of: &[(TenantId, ConnectionName)],
        limit: u32,
    ) -> Result<Vec<RefreshRow>, StoreError> {
        let but_of = places(but_of);
        in_time(async {
            let sql = "UPDATE refresh SET claimed_until = $1::bigint + $2::bigint, attempts = attempts + 1 WHERE id IN
                       (SELECT id FROM refresh WHERE due_at <= $1 AND claimed_until <= $1
                        AND tenant || '/' || connection <> ALL($4::text[]) ORDER BY due_at, id LIMIT $3
                        FOR UPDATE SKIP LOCKED)
                       RETURNING id, tenant, connection, stream, external_id, asked, attempts";
            let rows = all(&self.client().await?, sql, &[&now_ms, &lease_ms, &list_limit(limit), &but_of]).await?;
            Ok(in_order(rows.iter().map(refresh_row).collect::<Result<_, _>>()?))
        })
        .await
    }

    async fn settle_refreshes(
        &self,
        done: Vec<RefreshDone>,
        failed: Vec<RefreshFailed>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            for done in done {
                end_refresh(&transaction, done, now_ms).await?;
            }
            for failed in &failed {
                let sql = "UPDATE refresh SET error = $2, due_at = $3, claimed_until = 0 WHERE id = $1";
                run(&transaction, sql, &[&failed.id, &failed.shown_error(), &failed.due_at_ms]).await?;
            }
            Ok(transaction.commit().await?)
        })
        .await
    }
}

async fn take(transaction: &Transaction<'_>, mut intake: Intake, quota: &Quota) -> Result<Taken, StoreError> {
    // The feed before all else, as every commit: so two equal deliveries take turns, and the second one is known.
    let mut pen = Some(Pen::take(transaction, &intake.tenant, intake.now_ms).await?);
    if let Some(delivery) = &intake.delivery
        && repeats(transaction, &intake, delivery).await?
    {
        return Ok(Taken { repeated: true, outcome: CommitOutcome::default() });
    }
    let pages = std::mem::take(&mut intake.pages);
    let (mut outcome, mut first_page, mut records) = (CommitOutcome::default(), 0, 0);
    for page in pages {
        let stream = stream(transaction, &intake.key(page.stream.clone())).await?;
        let run = side_run(transaction, stream.id, &intake).await?;
        records += page.records.len();
        let own = match pen.take() {
            Some(pen) => pen,
            None => Pen::take(transaction, &intake.tenant, intake.now_ms).await?,
        };
        let page = intake.commit(page, RunId(run));
        let (page_id, done) = commit::take_page(transaction, own, &stream, page, quota).await?;
        add(&mut outcome, &done);
        if first_page == 0 {
            first_page = page_id;
        }
    }
    if let Some(delivery) = &intake.delivery {
        insert(transaction, &intake, delivery, first_page, records, &outcome).await?;
    }
    for ask in &intake.refreshes {
        ask_refresh(transaction, &intake, ask).await?;
    }
    if !intake.refreshes.is_empty() {
        ledger::check_refreshes(transaction, (&intake.tenant, &intake.connection), quota).await?;
    }
    for done in &intake.done {
        end_refresh(transaction, *done, intake.now_ms).await?;
    }
    Ok(Taken { repeated: false, outcome })
}

/// Counts a repeated delivery. One that may come again by its nature and is old makes room for the new one.
async fn repeats(client: &impl GenericClient, intake: &Intake, delivery: &DeliveryWrite) -> Result<bool, StoreError> {
    let (tenant, name, identity) = (intake.tenant.as_str(), intake.connection.as_str(), delivery.identity.as_slice());
    let sql = "UPDATE inbox SET repeats = repeats + 1
               WHERE tenant = $1 AND connection = $2 AND identity = $3 AND received_at >= $4";
    if run(client, sql, &[&tenant, &name, &identity, &delivery.repeats_since_ms()]).await? > 0 {
        return Ok(true);
    }
    let sql = "DELETE FROM inbox WHERE tenant = $1 AND connection = $2 AND identity = $3";
    run(client, sql, &[&tenant, &name, &identity]).await?;
    Ok(false)
}

async fn insert(
    client: &impl GenericClient,
    intake: &Intake,
    delivery: &DeliveryWrite,
    page: i64,
    records: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let changes = outcome.created + outcome.updated + outcome.deleted;
    run(
        client,
        "INSERT INTO inbox (tenant, connection, identity, delivery_id, received_at, page, records, changes, quarantined,
         refreshes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &intake.tenant.as_str(),
            &intake.connection.as_str(),
            &delivery.identity.as_slice(),
            &delivery.shown_id(),
            &delivery.received_at_ms,
            &page,
            &(records as i64),
            &(changes as i64),
            &(outcome.quarantined as i64),
            &(intake.refreshes.len() as i64),
        ],
    )
    .await
    .map(drop)
}

async fn stream(client: &impl GenericClient, key: &StreamKey) -> Result<LiveStream, StoreError> {
    let sql = "INSERT INTO stream (tenant, connection, stream) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    run(client, sql, &[&key.tenant.as_str(), &key.connection.as_str(), &key.stream.as_str()]).await?;
    let found = runs::stream(client, key, true).await?;
    found.ok_or_else(|| StoreError::Fault("the stream's row vanished".into()))
}

/// The run of the day in which such things are kept: it is over from its beginning and never holds its stream.
async fn side_run(client: &impl GenericClient, stream: i64, intake: &Intake) -> Result<i64, StoreError> {
    let plugin = runs::intern_plugin(client, &intake.plugin).await?;
    let sql = "SELECT id FROM run WHERE stream = $1 AND plugin = $2 AND trigger = $3 AND started_at > $4
               ORDER BY id DESC LIMIT 1";
    let after_ms = intake.now_ms.saturating_sub(RUN_LIFE_MS);
    if let Some(found) = number(client, sql, &[&stream, &plugin, &intake.trigger().as_str(), &after_ms]).await? {
        let sql = "UPDATE run SET ended_at = greatest(ended_at, $2) WHERE id = $1";
        run(client, sql, &[&found, &intake.now_ms]).await?;
        return Ok(found);
    }
    must(
        client,
        "INSERT INTO run (stream, plugin, trigger, state, started_at, touched_at, lease_ms, ended_at)
         VALUES ($1, $2, $3, $4, $5, $5, 0, $5) RETURNING id",
        &[&stream, &plugin, &intake.trigger().as_str(), &codes::of_state(RunState::Completed), &intake.now_ms],
    )
    .await
}

async fn ask_refresh(client: &impl GenericClient, intake: &Intake, ask: &RefreshAsk) -> Result<(), StoreError> {
    run(
        client,
        "INSERT INTO refresh (tenant, connection, stream, external_id, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (tenant, connection, stream, external_id) DO UPDATE SET asked = refresh.asked + 1,
         due_at = least(refresh.due_at, excluded.due_at)",
        &[
            &intake.tenant.as_str(),
            &intake.connection.as_str(),
            &ask.stream.as_str(),
            &ask.external_id.as_deref().unwrap_or_default(),
            &intake.now_ms,
        ],
    )
    .await
    .map(drop)
}

/// It goes away unless it was asked for again: then what was read may have been too early.
async fn end_refresh(client: &impl GenericClient, done: RefreshDone, now_ms: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM refresh WHERE id = $1 AND asked = $2";
    if run(client, sql, &[&done.id, &done.asked]).await? == 0 {
        let sql = "UPDATE refresh SET claimed_until = 0, due_at = $2, attempts = 0 WHERE id = $1";
        run(client, sql, &[&done.id, &now_ms]).await?;
    }
    Ok(())
}
