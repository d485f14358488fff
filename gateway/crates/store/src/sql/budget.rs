//! Requests of a month, and the rate of requests.

use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, expect_number, number, values};
use crate::{RateAsk, StoreError};

pub(crate) async fn month_calls(
    session: &impl Session,
    tenant: &TenantId,
    connection: &ConnectionName,
    month: &str,
) -> Result<i64, StoreError> {
    let sql = "SELECT calls FROM month_calls WHERE tenant = $1 AND connection = $2 AND month = $3";
    Ok(number(session, sql, values![tenant, connection, month]).await?.unwrap_or(0))
}

/// Gives the sum.
pub(crate) async fn add_month_calls(
    session: &impl Session,
    tenant: &TenantId,
    connection: &ConnectionName,
    month: &str,
    calls: i64,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO month_calls AS kept (tenant, connection, month, calls) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant, connection, month) DO UPDATE SET calls = kept.calls + excluded.calls RETURNING calls";
    expect_number(session, sql, values![tenant, connection, month, calls]).await
}

/// Requests that were reserved and cannot be farther ahead than this many of the longest waits: else the clock was set back.
const AHEAD_MAX: i64 = 4;

/// Moves the time of the next request on for every gateway; gives how long the first of those that were reserved has to wait. Below zero:
/// it is within the burst.
pub(crate) async fn reserve(
    session: &impl Session,
    tenant: &TenantId,
    connection: &ConnectionName,
    ask: &RateAsk,
) -> Result<Option<i64>, StoreError> {
    let clock = session.dialect().rate_clock("$3");
    let total_us = ask.interval_us.saturating_mul(i64::from(ask.count));
    let credit_us = ask.interval_us.saturating_mul(i64::from(ask.burst.max(1)) - 1);
    let longest_us = ask.wait_max_us.saturating_add(credit_us);
    let ahead_us = longest_us.saturating_add(total_us).saturating_mul(AHEAD_MAX);
    let sql = format!(
        "INSERT INTO vendor_rate AS kept (tenant, connection, next_us) VALUES ($1, $2, {clock} + CAST($4 AS bigint))
         ON CONFLICT (tenant, connection) DO UPDATE SET next_us = CAST($4 AS bigint) +
         CASE WHEN kept.next_us > {clock} AND kept.next_us - {clock} <= CAST($6 AS bigint) THEN kept.next_us ELSE {clock} END
         WHERE kept.next_us - {clock} <= CAST($5 AS bigint) OR kept.next_us - {clock} > CAST($6 AS bigint)
         RETURNING next_us - {clock}"
    );
    let values = values![tenant, connection, ask.now_us, total_us, longest_us, ahead_us];
    let moved = number(session, &sql, values).await?;
    Ok(moved.map(|next_us| next_us.saturating_sub(total_us).saturating_sub(credit_us)))
}
