//! Flows: what they say, where they stand in the feed, and their steps along it.

use renmen_schema::id::TenantId;
use rusqlite::{Connection, params};

use crate::identity::{self, IdKey};
use crate::outbox::rows;
use crate::outbox::sql::{self, feed_columns, feed_joins};
use crate::outbox::{
    Advance, DeliveryState, Echo, EchoAsk, FeedEntry, FeedPiece, FlowPut, FlowRow, FlowVersionRow, NewDelivery, Repeats,
};
use crate::rows::Columns as _;
use crate::sqlite::feed as changes;
use crate::sqlite::query::{all, number, one, run};
use crate::{MESSAGES_STREAM, StoreError, limits};

pub(super) fn get(connection: &Connection, tenant: &TenantId, name: &str) -> Result<Option<FlowRow>, StoreError> {
    let sql = format!("{}{}", sql::FLOW_SELECT, sql::FLOW_ONE);
    one(connection, &sql, params![tenant.as_str(), name], |row| rows::flow(row))
}

pub(super) fn list(connection: &Connection, tenant: &TenantId) -> Result<Vec<FlowRow>, StoreError> {
    let sql = format!("{}WHERE tenant = $1 AND retired = 0 ORDER BY name", sql::FLOW_SELECT);
    all(connection, &sql, [tenant.as_str()], |row| rows::flow(row))
}

pub(super) fn versions(
    connection: &Connection,
    tenant: &TenantId,
    name: &str,
    limit: u32,
) -> Result<Vec<FlowVersionRow>, StoreError> {
    let values = params![tenant.as_str(), name, limits::list_limit(limit)];
    all(connection, sql::FLOW_VERSIONS, values, |row| rows::flow_version(row))
}

pub(super) fn put(connection: &Connection, put: &FlowPut) -> Result<FlowRow, StoreError> {
    rows::check_name(&put.name)?;
    let head = changes::head(connection)?.seq;
    let origin = rows::of_origin(put.origin);
    match get(connection, &put.tenant, &put.name)? {
        None => {
            let position = if put.from_beginning { 0 } else { head };
            let values =
                params![put.tenant.as_str(), put.name, origin, put.definition, put.enabled, position, put.now_ms];
            run(connection, sql::FLOW_INSERT, values)?;
            let id = connection.last_insert_rowid();
            run(connection, sql::FLOW_VERSION_INSERT, params![id, 1, put.definition, put.now_ms])?;
        }
        Some(known) => {
            let version = known.version + i64::from(known.definition != put.definition);
            let position = if known.enabled && !known.retired { known.position } else { head };
            let values = params![version, origin, put.definition, put.enabled, position, put.now_ms, known.id];
            run(connection, sql::FLOW_UPDATE, values)?;
            if version != known.version {
                run(connection, sql::FLOW_VERSION_INSERT, params![known.id, version, put.definition, put.now_ms])?;
            }
        }
    }
    get(connection, &put.tenant, &put.name)?.ok_or_else(|| StoreError::Fault("the flow's row vanished".into()))
}

pub(super) fn retire(connection: &Connection, tenant: &TenantId, name: &str, now_ms: i64) -> Result<bool, StoreError> {
    let Some(flow) = get(connection, tenant, name)? else { return Ok(false) };
    let retired = run(connection, sql::FLOW_RETIRE, params![now_ms, flow.id])?;
    run(connection, sql::WAKE_FLOW, params![MESSAGES_STREAM, now_ms, flow.id])?;
    run(connection, sql::FLOW_WITHHOLD, params![now_ms, flow.id])?;
    Ok(retired > 0)
}

pub(super) fn feed(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    after: i64,
    entity: &str,
    limit: u32,
) -> Result<FeedPiece, StoreError> {
    let limit = limits::list_limit(limit);
    let head = changes::head(connection)?.seq;
    // CROSS JOIN keeps the feed as the outer loop: its order is the answer's.
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c CROSS JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.seq > $1 AND s.tenant = $2 AND s.entity = $3 ORDER BY c.seq LIMIT $4"
    );
    let entries = all(connection, sql, params![after, tenant.as_str(), entity, limit], |r| rows::feed_entry(r, ids))?;
    // A full piece may have been cut; one that is not has seen everything up to the feed's end.
    let cut = i64::try_from(entries.len()).unwrap_or(i64::MAX) >= limit;
    let up_to = entries.last().filter(|_| cut).map_or(head.max(after), |entry| entry.change.seq);
    Ok(FeedPiece { entries, up_to })
}

pub(super) fn feed_tail(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    entity: &str,
    limit: u32,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c CROSS JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE s.tenant = $1 AND s.entity = $2 ORDER BY c.seq DESC LIMIT $3"
    );
    let values = params![tenant.as_str(), entity, limits::list_limit(limit)];
    let mut entries = all(connection, sql, values, |row| rows::feed_entry(row, ids))?;
    entries.reverse();
    Ok(entries)
}

pub(super) fn echoes(
    connection: &Connection,
    tenant: &TenantId,
    asked: &[EchoAsk],
    since_ms: i64,
) -> Result<Vec<Option<Echo>>, StoreError> {
    let look = |ask: &EchoAsk| {
        let row = identity::row_of(ask.record);
        let values = params![tenant.as_str(), ask.connection.as_str(), ask.external_id, row, since_ms];
        one(connection, sql::ECHO, values, |row| {
            Ok(Echo { delivery: row.int(0)?, hops: u32::try_from(row.int(1)?).unwrap_or(u32::MAX) })
        })
    };
    asked.iter().map(look).collect()
}

pub(super) fn repeats(connection: &Connection, of: &Repeats) -> Result<u32, StoreError> {
    let values = params![identity::row_of(of.record), of.lane, of.input_hash, of.since_ms];
    let count = number(connection, sql::REPEATS, values)?.unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

pub(super) fn advance(connection: &Connection, steps: &[Advance], now_ms: i64) -> Result<u64, StoreError> {
    let mut made = 0;
    for step in steps {
        let stand = one(connection, sql::FLOW_STAND, [step.flow], |row| Ok((row.int(0)?, row.int(1)?)))?;
        if stand != Some((step.from, step.version)) {
            return Err(StoreError::Fenced(format!("flow {} moved or changed since it was read", step.flow)));
        }
        run(connection, sql::FLOW_MOVE, [step.to, step.flow])?;
        for (lane, seq) in &step.supersede {
            run(connection, sql::SUPERSEDE, params![now_ms, lane, seq])?;
        }
        // The flow's tenant is the destination's.
        let tenant: Option<String> =
            one(connection, "SELECT tenant FROM flow WHERE id = $1", [step.flow], |row| row.text(0))?;
        for delivery in &step.deliveries {
            insert(
                connection,
                tenant.as_deref().unwrap_or_default(),
                step.flow,
                step.version,
                (delivery, None),
                now_ms,
            )?;
            made += 1;
        }
    }
    Ok(made)
}

/// Makes a delivery; its number.
pub(super) fn insert(
    connection: &Connection,
    tenant: &str,
    flow: i64,
    version: i64,
    (new, by_hand): (&NewDelivery, Option<&str>),
    now_ms: i64,
) -> Result<i64, StoreError> {
    let destination = destination(connection, tenant, new.connection.as_str())?;
    let record = identity::row_of(new.record).ok_or_else(|| StoreError::BadInput("no such record".into()))?;
    let values = params![
        flow,
        version,
        new.seq,
        record,
        destination,
        new.action,
        new.key,
        new.lane,
        rows::of_state(new.state),
        new.not_before_ms,
        new.deadline_ms,
        new.input,
        new.input_hash,
        rows::told(new.error.as_deref()),
        new.hops,
        new.caused_by,
        now_ms,
        rows::told(by_hand)
    ];
    let id = number(connection, sql::DELIVERY_INSERT, values)?;
    if new.state != DeliveryState::Pending {
        run(connection, sql::WAKE_RECORD, params![MESSAGES_STREAM, now_ms, record])?;
    }
    id.ok_or_else(|| StoreError::Fault("the delivery's row vanished".into()))
}

/// The row of a destination, made when there is none.
pub(super) fn destination(connection: &Connection, tenant: &str, name: &str) -> Result<i64, StoreError> {
    if let Some(id) = number(connection, sql::DESTINATION, params![tenant, name])? {
        return Ok(id);
    }
    run(connection, sql::DESTINATION_INSERT, params![tenant, name])?;
    Ok(connection.last_insert_rowid())
}
