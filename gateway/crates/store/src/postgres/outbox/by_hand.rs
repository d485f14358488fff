//! Deliveries that people make, and the change of a record that they are made for.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{RecordId, TenantId};

use super::flow;
use crate::StoreError;
use crate::identity::{self, IdKey};
use crate::outbox::sql::{self, feed_columns, feed_joins};
use crate::outbox::{BY_HAND, FeedEntry, HandMade, rows};
use crate::postgres::query::{must, number, one, run};

pub(super) async fn last_change(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    record: RecordId,
) -> Result<Option<FeedEntry>, StoreError> {
    let Some(row) = identity::row_of(record) else { return Ok(None) };
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.seq = (SELECT seq FROM record WHERE id = $1) AND s.tenant = $2"
    );
    let found = one(client, sql, &[&row, &tenant.as_str()]).await?;
    let found = found.as_ref().map(|row| rows::feed_entry(row, ids)).transpose()?;
    // A number alone is not an id of ours.
    Ok(found.filter(|entry| entry.change.id == record))
}

pub(super) async fn made(client: &impl GenericClient, key: [u8; 16]) -> Result<Option<i64>, StoreError> {
    number(client, sql::HAND_MADE, &[&key.as_slice()]).await
}

pub(super) async fn make(client: &impl GenericClient, made: &HandMade) -> Result<(i64, bool), StoreError> {
    let key = made.delivery.key.as_slice();
    // Two that ask at once take turns: the second finds what the first made.
    run(client, "SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))", &[&key]).await?;
    if let Some(id) = self::made(client, made.delivery.key).await? {
        return Ok((id, false));
    }
    let tenant = made.tenant.as_str();
    let (flow, version) = match made.flow {
        Some((flow, version)) => {
            let stands = format!("{} FOR UPDATE", sql::HAND_FLOW_STANDS);
            if number(client, &stands, &[&flow, &version]).await?.is_none() {
                return Err(StoreError::Fenced(format!("flow {flow} changed since it was read")));
            }
            (flow, version)
        }
        None => {
            run(client, sql::HAND_FLOW_INSERT, &[&tenant, &BY_HAND, &made.now_ms]).await?;
            (must(client, "SELECT id FROM flow WHERE tenant = $1 AND name = $2", &[&tenant, &BY_HAND]).await?, 1)
        }
    };
    let new = (&made.delivery, Some(made.by_hand.as_str()));
    Ok((flow::insert(client, tenant, flow, version, new, made.now_ms).await?, true))
}
