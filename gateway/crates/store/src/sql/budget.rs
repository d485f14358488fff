//! Requests of a month.

use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, expect_number, number, values};
use crate::StoreError;

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
