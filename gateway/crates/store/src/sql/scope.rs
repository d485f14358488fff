//! Scopes: what a connection has of one entity, by a small number.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, expect_number, number, values};
use crate::StoreError;

/// The scopes of one connection's entities, looked up once a commit.
pub(crate) struct Scopes<'a> {
    tenant: &'a TenantId,
    connection: &'a ConnectionName,
    known: BTreeMap<String, i64>,
}

impl<'a> Scopes<'a> {
    pub(crate) fn new(tenant: &'a TenantId, connection: &'a ConnectionName) -> Self {
        Self { tenant, connection, known: BTreeMap::new() }
    }

    /// The scope that a stream writes an entity to; made when there is none.
    pub(crate) async fn intern(
        &mut self,
        session: &impl Session,
        stream: i64,
        entity: &str,
    ) -> Result<i64, StoreError> {
        if let Some(scope) = self.known.get(entity) {
            return Ok(*scope);
        }
        let scope = match find(session, (self.tenant, self.connection), entity).await? {
            Some(scope) => scope,
            None => {
                let (id, next) = session.dialect().own_number("scope");
                let sql = format!(
                    "INSERT INTO scope ({id}tenant, connection, entity) VALUES ({next}$1, $2, $3) RETURNING id"
                );
                expect_number(session, &sql, values![self.tenant, self.connection, entity]).await?
            }
        };
        let sql = "INSERT INTO stream_scope (stream, scope) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        session.run(sql, values![stream, scope]).await?;
        self.known.insert(entity.to_owned(), scope);
        Ok(scope)
    }
}

/// The scope of a connection's entity, if it ever had a record.
pub(crate) async fn find(
    session: &impl Session,
    (tenant, connection): (&TenantId, &ConnectionName),
    entity: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM scope WHERE tenant = $1 AND connection = $2 AND entity = $3";
    number(session, sql, values![tenant, connection, entity]).await
}
