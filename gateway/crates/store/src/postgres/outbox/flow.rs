//! Flows: what they say, where they stand in the feed, and their steps along it.

use deadpool_postgres::GenericClient;
use renmen_schema::id::TenantId;

use crate::identity::{self, IdKey};
use crate::outbox::rows;
use crate::outbox::sql::{self, feed_columns, feed_joins};
use crate::outbox::{
    Advance, DeliveryState, Echo, EchoAsk, FeedEntry, FeedPiece, FlowPut, FlowRow, FlowVersionRow, NewDelivery, Repeats,
};
use crate::postgres::feed as changes;
use crate::postgres::query::{all, must, number, one, run};
use crate::rows::Columns as _;
use crate::{MESSAGES_STREAM, StoreError, limits};

pub(super) async fn get(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &str,
    lock: bool,
) -> Result<Option<FlowRow>, StoreError> {
    let lock = if lock { " FOR UPDATE" } else { "" };
    let sql = format!("{}{}{lock}", sql::FLOW_SELECT, sql::FLOW_ONE);
    one(client, &sql, &[&tenant.as_str(), &name]).await?.as_ref().map(rows::flow).transpose()
}

pub(super) async fn list(client: &impl GenericClient, tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError> {
    let sql = format!("{}WHERE tenant = $1 AND retired = 0 ORDER BY name", sql::FLOW_SELECT);
    all(client, &sql, &[&tenant.as_str()]).await?.iter().map(rows::flow).collect()
}

pub(super) async fn versions(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &str,
    limit: u32,
) -> Result<Vec<FlowVersionRow>, StoreError> {
    let rows = all(client, sql::FLOW_VERSIONS, &[&tenant.as_str(), &name, &limits::list_limit(limit)]).await?;
    rows.iter().map(rows::flow_version).collect()
}

pub(super) async fn put(client: &impl GenericClient, put: &FlowPut) -> Result<FlowRow, StoreError> {
    rows::check_name(&put.name)?;
    let head = changes::head(client).await?;
    let (origin, enabled) = (rows::of_origin(put.origin), i64::from(put.enabled));
    let (definition, now_ms) = (&put.definition, &put.now_ms);
    match get(client, &put.tenant, &put.name, true).await? {
        None => {
            let position = if put.from_beginning { 0 } else { head };
            let sql = format!("{} RETURNING id", sql::FLOW_INSERT);
            let tenant = put.tenant.as_str();
            let id =
                must(client, &sql, &[&tenant, &put.name, &origin, definition, &enabled, &position, now_ms]).await?;
            run(client, sql::FLOW_VERSION_INSERT, &[&id, &1_i64, definition, now_ms]).await?;
        }
        Some(known) => {
            let version = known.version + i64::from(known.definition != *definition);
            let position = if known.enabled && !known.retired { known.position } else { head };
            let id = &known.id;
            run(client, sql::FLOW_UPDATE, &[&version, &origin, definition, &enabled, &position, now_ms, id]).await?;
            if version != known.version {
                run(client, sql::FLOW_VERSION_INSERT, &[id, &version, definition, now_ms]).await?;
            }
        }
    }
    get(client, &put.tenant, &put.name, false).await?.ok_or_else(|| StoreError::Fault("the flow's row vanished".into()))
}

pub(super) async fn retire(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let Some(flow) = get(client, tenant, name, true).await? else { return Ok(false) };
    let retired = run(client, sql::FLOW_RETIRE, &[&now_ms, &flow.id]).await?;
    run(client, sql::WAKE_FLOW, &[&MESSAGES_STREAM, &now_ms, &flow.id]).await?;
    run(client, sql::FLOW_WITHHOLD, &[&now_ms, &flow.id]).await?;
    Ok(retired > 0)
}

pub(super) async fn feed(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    after: i64,
    entity: &str,
    limit: u32,
) -> Result<FeedPiece, StoreError> {
    let limit = limits::list_limit(limit);
    // Read first: what becomes visible between the two reads is left for the next piece.
    let head = changes::head(client).await?;
    // Each scope gives its next few by its own index; the first of them all are the answer.
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM (SELECT e.* FROM scope w CROSS JOIN LATERAL
            (SELECT * FROM change f WHERE f.scope = w.id AND f.seq > $1 AND f.seq <= $2 ORDER BY f.seq LIMIT $3) e
            WHERE w.tenant = $4 AND w.entity = $5 ORDER BY e.seq LIMIT $3) c JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "ORDER BY c.seq"
    );
    let found = all(client, sql, &[&after, &head, &limit, &tenant.as_str(), &entity]).await?;
    let entries = found.iter().map(|row| rows::feed_entry(row, ids)).collect::<Result<Vec<_>, _>>()?;
    let cut = i64::try_from(entries.len()).unwrap_or(i64::MAX) >= limit;
    let up_to = entries.last().filter(|_| cut).map_or(head.max(after), |entry| entry.change.seq);
    Ok(FeedPiece { entries, up_to })
}

pub(super) async fn feed_tail(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    entity: &str,
    limit: u32,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM (SELECT e.* FROM scope w CROSS JOIN LATERAL
            (SELECT * FROM change f WHERE f.scope = w.id ORDER BY f.seq DESC LIMIT $3) e
            WHERE w.tenant = $1 AND w.entity = $2 ORDER BY e.seq DESC LIMIT $3) c JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "ORDER BY c.seq"
    );
    let found = all(client, sql, &[&tenant.as_str(), &entity, &limits::list_limit(limit)]).await?;
    found.iter().map(|row| rows::feed_entry(row, ids)).collect()
}

pub(super) async fn echoes(
    client: &impl GenericClient,
    tenant: &TenantId,
    asked: &[EchoAsk],
    since_ms: i64,
) -> Result<Vec<Option<Echo>>, StoreError> {
    let mut found = Vec::with_capacity(asked.len());
    for ask in asked {
        let row = identity::row_of(ask.record);
        let connection = ask.connection.as_str();
        let echo = one(client, sql::ECHO, &[&tenant.as_str(), &connection, &ask.external_id, &row, &since_ms]).await?;
        let read = |row: &tokio_postgres::Row| {
            Ok::<_, StoreError>(Echo { delivery: row.int(0)?, hops: u32::try_from(row.int(1)?).unwrap_or(u32::MAX) })
        };
        found.push(echo.as_ref().map(read).transpose()?);
    }
    Ok(found)
}

pub(super) async fn repeats(client: &impl GenericClient, of: &Repeats) -> Result<u32, StoreError> {
    let row = identity::row_of(of.record);
    let (lane, hash) = (of.lane.as_slice(), of.input_hash.as_slice());
    let count = number(client, sql::REPEATS, &[&row, &lane, &hash, &of.since_ms]).await?.unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

pub(super) async fn advance(client: &impl GenericClient, steps: &[Advance], now_ms: i64) -> Result<u64, StoreError> {
    let mut made = 0;
    // In one order everywhere: two gateways that step along never wait for each other.
    let mut steps: Vec<&Advance> = steps.iter().collect();
    steps.sort_by_key(|step| step.flow);
    for step in steps {
        let sql = format!("{} FOR UPDATE", sql::FLOW_STAND);
        let stand = one(client, &sql, &[&step.flow]).await?;
        let stand = stand.map(|row| Ok::<_, StoreError>((row.int(0)?, row.int(1)?))).transpose()?;
        if stand != Some((step.from, step.version)) {
            return Err(StoreError::Fenced(format!("flow {} moved or changed since it was read", step.flow)));
        }
        run(client, sql::FLOW_MOVE, &[&step.to, &step.flow]).await?;
        for (lane, seq) in &step.supersede {
            run(client, sql::SUPERSEDE, &[&now_ms, &lane.as_slice(), seq]).await?;
        }
        // The flow's tenant is the destination's.
        let tenant = one(client, "SELECT tenant FROM flow WHERE id = $1", &[&step.flow]).await?;
        let tenant = tenant.map(|row| row.text(0)).transpose()?.unwrap_or_default();
        for delivery in &step.deliveries {
            insert(client, &tenant, step.flow, step.version, (delivery, None), now_ms).await?;
            made += 1;
        }
    }
    Ok(made)
}

/// Makes a delivery; its number.
pub(super) async fn insert(
    client: &impl GenericClient,
    tenant: &str,
    flow: i64,
    version: i64,
    (new, by_hand): (&NewDelivery, Option<&str>),
    now_ms: i64,
) -> Result<i64, StoreError> {
    let destination = destination(client, tenant, new.connection.as_str()).await?;
    let record = identity::row_of(new.record).ok_or_else(|| StoreError::BadInput("no such record".into()))?;
    let id = must(
        client,
        sql::DELIVERY_INSERT,
        &[
            &flow,
            &version,
            &new.seq,
            &record,
            &destination,
            &new.action,
            &new.key.as_slice(),
            &new.lane.as_slice(),
            &rows::of_state(new.state),
            &new.not_before_ms,
            &new.deadline_ms,
            &new.input,
            &new.input_hash.as_slice(),
            &rows::told(new.error.as_deref()),
            &i64::from(new.hops),
            &new.caused_by,
            &now_ms,
            &rows::told(by_hand),
        ],
    )
    .await?;
    if new.state != DeliveryState::Pending {
        run(client, sql::WAKE_RECORD, &[&MESSAGES_STREAM, &now_ms, &record]).await?;
    }
    Ok(id)
}

/// The row of a destination, made when there is none.
pub(super) async fn destination(client: &impl GenericClient, tenant: &str, name: &str) -> Result<i64, StoreError> {
    if let Some(id) = number(client, sql::DESTINATION, &[&tenant, &name]).await? {
        return Ok(id);
    }
    run(client, sql::DESTINATION_INSERT, &[&tenant, &name]).await?;
    must(client, sql::DESTINATION, &[&tenant, &name]).await
}
