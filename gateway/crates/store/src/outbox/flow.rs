//! Flows: what they say, where they stand in the feed, and their steps along it.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};

use super::rows;
use super::sql;
use super::{
    Advance, DeliveryState, Echo, EchoAsk, FeedEntry, FeedPiece, FlowPut, FlowRow, FlowVersionRow, NewDelivery, Repeats,
};
use crate::rows::Columns;
use crate::sql::{Session, expect_number, feed, moving, number, number_list, registry, together, values};
use crate::{MESSAGES_STREAM, StoreError, identity, limits};

pub(crate) async fn get(session: &impl Session, tenant: &TenantId, name: &str) -> Result<Option<FlowRow>, StoreError> {
    select(session, tenant, name, "").await
}

async fn select(
    session: &impl Session,
    tenant: &TenantId,
    name: &str,
    lock: &str,
) -> Result<Option<FlowRow>, StoreError> {
    let sql = format!("{}WHERE tenant = $1 AND name = $2{lock}", sql::FLOW_SELECT);
    session.one(&sql, values![tenant, name], rows::flow).await
}

pub(crate) async fn list(session: &impl Session, tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    let sql = format!("{}WHERE tenant = $1 AND retired = 0 ORDER BY name{by_bytes}", sql::FLOW_SELECT);
    session.all(&sql, values![tenant], rows::flow).await
}

pub(crate) async fn versions(
    session: &impl Session,
    tenant: &TenantId,
    name: &str,
    limit: u32,
) -> Result<Vec<FlowVersionRow>, StoreError> {
    session.all(sql::FLOW_VERSIONS, values![tenant, name, limits::list_limit(limit)], rows::flow_version).await
}

pub(crate) async fn put(session: &impl Session, put: &FlowPut) -> Result<FlowRow, StoreError> {
    rows::check_name(&put.name)?;
    moving::refuse(session, &put.tenant).await?;
    let head = feed::head(session, &put.tenant).await?;
    let origin = rows::origin_code(put.origin);
    let FlowPut { tenant, name, definition, enabled, now_ms, .. } = put;
    let (id, version, is_new_version) = match select(session, tenant, name, session.dialect().for_update()).await? {
        None => {
            let position = if put.from_beginning { 0 } else { head };
            let values = values![tenant, name, origin, definition, *enabled, position, *now_ms];
            (expect_number(session, &sql::flow_insert(session.dialect()), values).await?, 1, true)
        }
        Some(known) => {
            let version = known.version + i64::from(known.definition != *definition);
            let position = if known.enabled && !known.retired { known.position } else { head };
            let values = values![version, origin, definition, *enabled, position, *now_ms, known.id];
            session.run(sql::FLOW_UPDATE, values).await?;
            (known.id, version, version != known.version)
        }
    };
    if is_new_version {
        session.run(sql::FLOW_VERSION_INSERT, values![id, version, definition, *now_ms]).await?;
    }
    registry::flows_changed(session).await?;
    get(session, tenant, name).await?.ok_or_else(|| StoreError::Fault("the flow's row vanished".into()))
}

pub(crate) async fn retire(
    session: &impl Session,
    tenant: &TenantId,
    name: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    moving::refuse(session, tenant).await?;
    let found = select(session, tenant, name, session.dialect().for_update()).await?;
    let Some(FlowRow { id, .. }) = found else { return Ok(false) };
    let retired = session.run(sql::FLOW_RETIRE, values![now_ms, id]).await?;
    session.run(&sql::WAKE_FLOW, values![MESSAGES_STREAM, now_ms, id]).await?;
    session.run(&sql::FLOW_WITHHOLD, values![now_ms, id]).await?;
    registry::flows_changed(session).await?;
    Ok(retired > 0)
}

/// A piece of the feed that was read after a position, up to `head` or to the limit.
pub(crate) fn piece(entries: Vec<FeedEntry>, (after, head): (i64, i64), limit: i64) -> FeedPiece {
    // A full piece may have been cut; one that is not has seen everything up to the feed's end.
    let cut = i64::try_from(entries.len()).unwrap_or(i64::MAX) >= limit;
    let up_to = entries.last().filter(|_| cut).map_or(head.max(after), |entry| entry.change.seq);
    FeedPiece { entries, up_to }
}

pub(crate) async fn echoes(
    session: &impl Session,
    tenant: &TenantId,
    asked: &[EchoAsk],
) -> Result<Vec<Option<Echo>>, StoreError> {
    together(asked.iter().map(|ask| echo(session, tenant, ask)).collect()).await
}

async fn echo(session: &impl Session, tenant: &TenantId, ask: &EchoAsk) -> Result<Option<Echo>, StoreError> {
    let EchoAsk { connection, external_id, record, since_ms } = ask;
    let values = values![tenant, connection, external_id, identity::row_of(*record), *since_ms];
    let read =
        |row: &dyn Columns| Ok(Echo { delivery: row.int(0)?, hops: u32::try_from(row.int(1)?).unwrap_or(u32::MAX) });
    session.one(&sql::ECHO, values, read).await
}

pub(crate) async fn repeats(session: &impl Session, of: &[Repeats]) -> Result<Vec<u32>, StoreError> {
    together(of.iter().map(|of| repeated(session, of)).collect()).await
}

async fn repeated(session: &impl Session, of: &Repeats) -> Result<u32, StoreError> {
    let values = values![identity::row_of(of.record), &of.lane, &of.input_hash, of.since_ms];
    let count = number(session, sql::REPEATS, values).await?.unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

pub(crate) async fn advance(session: &impl Session, steps: &[Advance], now_ms: i64) -> Result<u64, StoreError> {
    let mut made = 0;
    // In one order everywhere: two gateways that step along never wait for each other.
    let mut steps: Vec<&Advance> = steps.iter().collect();
    steps.sort_by_key(|step| step.flow);
    for step in steps {
        let sql = format!("{}{}", sql::FLOW_STAND, session.dialect().for_update());
        let stand = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?, row.text(2)?));
        let moved = || StoreError::Fenced(format!("flow {} moved or changed since it was read", step.flow));
        let (position, version, tenant) = session.one(&sql, values![step.flow], stand).await?.ok_or_else(moved)?;
        moving::refuse(session, &crate::rows::tenant_of(&tenant)?).await?;
        if (position, version) != (step.from, step.version) {
            return Err(moved());
        }
        session.run(sql::FLOW_MOVE, values![step.to, step.flow]).await?;
        for (lane, seq) in &step.supersede {
            session.run(&sql::SUPERSEDE, values![now_ms, lane, *seq]).await?;
        }
        made += insert_all(session, &tenant, (step.flow, step.version), &step.deliveries, now_ms).await?;
    }
    Ok(made)
}

/// Makes the deliveries of a flow in one of its versions, in this order; how many. The flow's tenant is the destinations'.
async fn insert_all(
    session: &impl Session,
    tenant: &str,
    of: (i64, i64),
    deliveries: &[NewDelivery],
    now_ms: i64,
) -> Result<u64, StoreError> {
    let mut destinations: BTreeMap<&ConnectionName, i64> = BTreeMap::new();
    for new in deliveries {
        if !destinations.contains_key(&new.connection) {
            destinations.insert(&new.connection, destination(session, tenant, &new.connection).await?);
        }
    }
    let mut rows = Vec::with_capacity(deliveries.len());
    for new in deliveries {
        let row = Row { of, tenant, destination: destinations[&new.connection], new, by_hand: None };
        rows.push(insert_row(session, row, now_ms));
    }
    let made = together(rows).await?;
    wake_ended(session, deliveries.iter(), now_ms).await?;
    Ok(made.len() as u64)
}

/// Makes a delivery of a flow in one of its versions, or of a person's; its number.
pub(super) async fn insert(
    session: &impl Session,
    tenant: &str,
    of: (i64, i64),
    (new, by_hand): (&NewDelivery, Option<&str>),
    now_ms: i64,
) -> Result<i64, StoreError> {
    let destination = destination(session, tenant, &new.connection).await?;
    let id = insert_row(session, Row { of, tenant, destination, new, by_hand }, now_ms).await?;
    wake_ended(session, [new], now_ms).await?;
    Ok(id)
}

/// A delivery with what its row refers to.
struct Row<'r> {
    /// Flow and version.
    of: (i64, i64),
    tenant: &'r str,
    destination: i64,
    new: &'r NewDelivery,
    by_hand: Option<&'r str>,
}

async fn insert_row(session: &impl Session, row: Row<'_>, now_ms: i64) -> Result<i64, StoreError> {
    let Row { of: (flow, version), tenant, destination, new, by_hand } = row;
    let record = record_row(new)?;
    let values = values![
        flow,
        version,
        new.seq,
        record,
        destination,
        &new.action,
        &new.key,
        &new.lane,
        rows::state_code(new.state),
        new.not_before_ms,
        new.deadline_ms,
        &new.input,
        &new.input_hash,
        rows::stored_text(new.error.as_deref()),
        new.hops,
        new.caused_by,
        now_ms,
        rows::stored_text(by_hand),
        tenant
    ];
    expect_number(session, sql::delivery_insert(session.dialect()), values).await
}

fn record_row(new: &NewDelivery) -> Result<i64, StoreError> {
    identity::row_of(new.record).ok_or_else(|| StoreError::BadInput("no such record".into()))
}

/// What was made at its end already.
async fn wake_ended<'n>(
    session: &impl Session,
    made: impl IntoIterator<Item = &'n NewDelivery>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let ended = made.into_iter().filter(|new| new.state != DeliveryState::Pending);
    let records = ended.map(record_row).collect::<Result<Vec<_>, _>>()?;
    if !records.is_empty() {
        let sql = sql::wake_records(session.dialect());
        session.run(&sql, values![MESSAGES_STREAM, now_ms, number_list(records)]).await?;
    }
    Ok(())
}

/// The row of a destination, made when there is none.
pub(super) async fn destination(
    session: &impl Session,
    tenant: &str,
    name: &ConnectionName,
) -> Result<i64, StoreError> {
    if let Some(id) = number(session, sql::DESTINATION, values![tenant, name]).await? {
        return Ok(id);
    }
    session.run(&sql::destination_insert(session.dialect()), values![tenant, name]).await?;
    expect_number(session, sql::DESTINATION, values![tenant, name]).await
}
