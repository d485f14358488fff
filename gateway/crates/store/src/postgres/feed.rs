//! The change feed of a tenant. For one entity each scope gives its next few by its own index; the first of them all are the answer.

use deadpool_postgres::GenericClient;
use renmen_schema::id::TenantId;

use super::query::all;
use crate::identity::IdKeys;
use crate::outbox::FeedEntry;
use crate::outbox::rows::feed_entry;
use crate::outbox::sql::{feed_columns, feed_joins};
use crate::rows::{self, CHANGE_COLUMNS};
use crate::{ChangeRow, StoreError, limits};

pub(super) async fn changes(
    client: &impl GenericClient,
    ids: &IdKeys,
    tenant: &TenantId,
    after_seq: i64,
    entity: Option<&str>,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    let limit = limits::list_limit(limit);
    let rows = match entity {
        None => {
            let sql = format!(
                "SELECT {CHANGE_COLUMNS} FROM (SELECT f.* FROM change f
                    WHERE f.feed = (SELECT id FROM feed WHERE tenant = $2) AND f.seq > $1 ORDER BY f.seq LIMIT $3) c
                 JOIN scope s ON s.id = c.scope JOIN record r ON r.id = c.record ORDER BY c.seq"
            );
            all(client, &sql, &[&after_seq, &tenant.as_str(), &limit]).await?
        }
        Some(entity) => {
            let sql = format!(
                "SELECT {CHANGE_COLUMNS} FROM (
                    SELECT e.* FROM scope w CROSS JOIN LATERAL
                        (SELECT * FROM change f WHERE f.scope = w.id AND f.seq > $1 ORDER BY f.seq LIMIT $4) e
                    WHERE w.tenant = $2 AND w.entity = $3 ORDER BY e.seq LIMIT $4) c
                 JOIN scope s ON s.id = c.scope JOIN record r ON r.id = c.record ORDER BY c.seq"
            );
            all(client, &sql, &[&after_seq, &tenant.as_str(), &entity, &limit]).await?
        }
    };
    rows.iter().map(|row| rows::change(row, ids)).collect()
}

/// Changes of one entity after a position and up to another, with their bodies.
pub(super) async fn entries(
    client: &impl GenericClient,
    ids: &IdKeys,
    (tenant, entity): (&TenantId, &str),
    (after, up_to): (i64, i64),
    limit: i64,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM (SELECT e.* FROM scope w CROSS JOIN LATERAL
            (SELECT * FROM change f WHERE f.scope = w.id AND f.seq > $1 AND f.seq <= $2 ORDER BY f.seq LIMIT $3) e
            WHERE w.tenant = $4 AND w.entity = $5 ORDER BY e.seq LIMIT $3) c JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "ORDER BY c.seq"
    );
    let found = all(client, sql, &[&after, &up_to, &limit, &tenant.as_str(), &entity]).await?;
    found.iter().map(|row| feed_entry(row, ids)).collect()
}

/// The last changes of one entity, with their bodies.
pub(super) async fn tail(
    client: &impl GenericClient,
    ids: &IdKeys,
    (tenant, entity): (&TenantId, &str),
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
    found.iter().map(|row| feed_entry(row, ids)).collect()
}
