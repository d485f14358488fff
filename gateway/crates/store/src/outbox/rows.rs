//! From columns to the shapes of the outbox, and from its words to the numbers in the tables.

use renmen_schema::id::{ConnectionName, TenantId};

use super::sql::{CONFIRMING, DEAD, DELIVERED, DELIVERY_LIST, EXPIRED, IN_FLIGHT, PENDING, UNCONFIRMED, WITHHELD};
use super::{
    AttemptEnd, DeliveryCount, DeliveryQuery, DeliveryRow, DeliveryState, DueRow, FeedEntry, FlowOrigin, FlowRow,
    FlowVersionRow, ReceiptKept,
};
use crate::identity::IdKeys;
use crate::rows::{self, Columns, array};
use crate::sql::Value;
use crate::{StoreError, limits};

pub(crate) fn state_code(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Pending => PENDING,
        DeliveryState::InFlight => IN_FLIGHT,
        DeliveryState::Unconfirmed => UNCONFIRMED,
        DeliveryState::Delivered => DELIVERED,
        DeliveryState::Dead => DEAD,
        DeliveryState::Withheld => WITHHELD,
        DeliveryState::Expired => EXPIRED,
    }
}

fn state(code: i64) -> Result<DeliveryState, StoreError> {
    Ok(match code {
        PENDING => DeliveryState::Pending,
        IN_FLIGHT => DeliveryState::InFlight,
        UNCONFIRMED | CONFIRMING => DeliveryState::Unconfirmed,
        DELIVERED => DeliveryState::Delivered,
        DEAD => DeliveryState::Dead,
        WITHHELD => DeliveryState::Withheld,
        EXPIRED => DeliveryState::Expired,
        _ => return Err(damaged("delivery state")),
    })
}

pub(crate) fn origin_code(origin: FlowOrigin) -> i64 {
    match origin {
        FlowOrigin::File => 1,
        FlowOrigin::Api => 2,
    }
}

fn origin(code: i64) -> Result<FlowOrigin, StoreError> {
    match code {
        1 => Ok(FlowOrigin::File),
        2 => Ok(FlowOrigin::Api),
        _ => Err(damaged("flow origin")),
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Fault(format!("the database holds a {what} that this program did not write"))
}

pub(crate) fn flow(row: &dyn Columns) -> Result<FlowRow, StoreError> {
    Ok(FlowRow {
        id: row.int(0)?,
        tenant: tenant(row, 1)?,
        name: row.text(2)?,
        version: row.int(3)?,
        origin: origin(row.int(4)?)?,
        definition: row.text(5)?,
        enabled: row.int(6)? != 0,
        retired: row.int(7)? != 0,
        position: row.int(8)?,
        changed_at_ms: row.int(9)?,
    })
}

pub(crate) fn flow_version(row: &dyn Columns) -> Result<FlowVersionRow, StoreError> {
    Ok(FlowVersionRow { version: row.int(0)?, definition: row.text(1)?, at_ms: row.int(2)? })
}

/// Reads `feed_columns!`.
pub(crate) fn feed_entry(row: &dyn Columns, ids: &IdKeys) -> Result<FeedEntry, StoreError> {
    Ok(FeedEntry { change: rows::change(row, ids)?, body: row.bytes(9)?, before: row.bytes_or_none(10)? })
}

/// Reads `delivery_select!`.
pub(crate) fn delivery(row: &dyn Columns, ids: &IdKeys, with_input: bool) -> Result<DeliveryRow, StoreError> {
    let reference = row.text_or_none(23)?;
    let receipt = row.text_or_none(24)?.map(|detail| ReceiptKept { reference, detail });
    Ok(DeliveryRow {
        change: rows::change(row, ids)?,
        id: row.int(9)?,
        tenant: tenant(row, 10)?,
        flow: row.text(11)?,
        flow_version: row.int(12)?,
        connection: connection(row, 13)?,
        action: row.text(14)?,
        key: array(row, 15)?,
        state: state(row.int(16)?)?,
        attempts: small(row.int(17)?)?,
        failures: small(row.int(18)?)?,
        not_before_ms: row.int(19)?,
        next_at_ms: row.int(20)?,
        deadline_ms: row.int_or_none(21)?,
        input_hash: array(row, 22)?,
        receipt,
        error: row.text_or_none(25)?,
        hops: small(row.int(26)?)?,
        caused_by: row.int_or_none(27)?,
        created_at_ms: row.int(28)?,
        updated_at_ms: row.int(29)?,
        by_hand: row.text_or_none(31)?,
        input: if with_input { row.bytes(32)? } else { Vec::new() },
    })
}

/// The token of a claimed delivery, and whether it is being confirmed.
pub(crate) fn claim(row: &dyn Columns) -> Result<(i64, bool), StoreError> {
    Ok((row.int(30)?, row.int(16)? == CONFIRMING))
}

/// By the caller's clock, and never too late: a lease may be over before that clock says so.
pub(crate) fn due(row: &dyn Columns, now_ms: i64) -> Result<DueRow, StoreError> {
    let ahead_ms = row.int(3)?.saturating_sub(now_ms).max(0);
    let next_at_ms = row.int(2)?.saturating_sub(ahead_ms);
    Ok(DueRow { tenant: tenant(row, 0)?, connection: connection(row, 1)?, next_at_ms })
}

pub(crate) fn count(row: &dyn Columns) -> Result<DeliveryCount, StoreError> {
    Ok(DeliveryCount { flow: row.text(0)?, state: state(row.int(1)?)?, count: row.int(2)? })
}

fn tenant(row: &dyn Columns, at: usize) -> Result<TenantId, StoreError> {
    TenantId::new(&row.text(at)?).map_err(|_| damaged("tenant"))
}

fn connection(row: &dyn Columns, at: usize) -> Result<ConnectionName, StoreError> {
    ConnectionName::new(&row.text(at)?).map_err(|_| damaged("connection"))
}

fn small(value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| damaged("number"))
}

/// Does this end change what is known of a message?
pub(crate) fn changes_message(end: &AttemptEnd) -> bool {
    use AttemptEnd::{Dead, Delivered, Expired, Unconfirmed};
    matches!(end, Delivered(_) | Unconfirmed { .. } | Dead { .. } | Expired { .. })
}

/// The end of an attempt as columns of `SETTLE`.
pub(crate) struct EndColumns<'e> {
    pub(crate) state: i64,
    pub(crate) next_at: i64,
    pub(crate) error: Option<&'e str>,
    pub(crate) reference: Option<&'e str>,
    pub(crate) detail: Option<&'e str>,
    pub(crate) failures: i64,
    pub(crate) attempts: i64,
}

pub(crate) fn end(end: &AttemptEnd, now_ms: i64) -> EndColumns<'_> {
    let mut columns = EndColumns {
        state: DELIVERED,
        next_at: now_ms,
        error: None,
        reference: None,
        detail: None,
        failures: 0,
        attempts: 0,
    };
    match end {
        AttemptEnd::Delivered(receipt) => {
            columns.reference = receipt.reference.as_deref();
            columns.detail = Some(&receipt.detail);
        }
        AttemptEnd::Unconfirmed { receipt, ask_at_ms } => {
            columns.state = UNCONFIRMED;
            columns.next_at = *ask_at_ms;
            columns.reference = receipt.reference.as_deref();
            columns.detail = Some(&receipt.detail);
        }
        AttemptEnd::AskAgain { at_ms, error } => {
            columns.state = UNCONFIRMED;
            columns.next_at = *at_ms;
            columns.error = error.as_deref();
        }
        AttemptEnd::Retry { at_ms, error, counted } => {
            columns.state = PENDING;
            columns.next_at = *at_ms;
            columns.error = Some(error);
            columns.failures = i64::from(*counted);
        }
        AttemptEnd::Dead { error } => {
            columns.state = DEAD;
            columns.error = Some(error);
        }
        AttemptEnd::Expired { error } => {
            columns.state = EXPIRED;
            columns.error = Some(error);
        }
        AttemptEnd::Released => {
            columns.state = PENDING;
            columns.attempts = -1;
        }
    }
    columns
}

/// The statement of a list of deliveries with its values. A state stands in the text itself, because only then can the index
/// over it be used; `record` is the row that the query's record names.
pub(crate) fn list_sql<'q>(
    tenant: &'q TenantId,
    query: &'q DeliveryQuery,
    record: Option<i64>,
) -> (String, Vec<Value<'q>>) {
    let mut sql = format!("{DELIVERY_LIST} WHERE d.tenant = $1");
    let mut values = vec![Value::from(tenant)];
    let mut and = |condition: &str, value: Value<'q>| {
        values.push(value);
        sql.push_str(&format!(" AND {condition} ${}", values.len()));
    };
    if let Some(flow) = &query.flow {
        and("f.tenant = $1 AND f.name =", flow.into());
    }
    if let Some(connection) = &query.connection {
        and("t.connection =", connection.into());
    }
    if let Some(action) = &query.action {
        and("d.action =", action.into());
    }
    if let Some(row) = record {
        and("d.record =", row.into());
    }
    if let Some(before) = query.before {
        and("d.id <", before.into());
    }
    match query.state {
        None => {}
        Some(DeliveryState::Unconfirmed) => sql.push_str(&format!(" AND d.state IN ({UNCONFIRMED}, {CONFIRMING})")),
        Some(state) => {
            let code = state_code(state);
            // The condition of the index over what did not arrive, word for word.
            let failed = if code > DELIVERED { &format!(" AND d.state > {DELIVERED}")[..] } else { "" };
            sql.push_str(&format!("{failed} AND d.state = {code}"));
        }
    }
    values.push(limits::list_limit(query.limit).into());
    sql.push_str(&format!(" ORDER BY d.id DESC LIMIT ${}", values.len()));
    (sql, values)
}

/// Refuses a flow name that is empty, too long, or that not every backend can store.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let fits = !name.is_empty() && name.len() <= 200 && !name.contains('\0');
    if fits { Ok(()) } else { Err(StoreError::BadInput("a flow's name has 1 to 200 bytes".into())) }
}

/// A text for people: PostgreSQL keeps no NUL.
pub(crate) fn stored_text(text: Option<&str>) -> Option<String> {
    text.map(limits::without_nul)
}
