//! Small things that every statement module uses: typed reading and cached statements.

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::StoreError;
use crate::rows::Columns;

/// What a statement binds.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Columns for Row {
    fn int(&self, at: usize) -> Result<i64, StoreError> {
        Ok(self.try_get(at)?)
    }
    fn int_or_none(&self, at: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(at)?)
    }
    fn text(&self, at: usize) -> Result<String, StoreError> {
        Ok(self.try_get(at)?)
    }
    fn text_or_none(&self, at: usize) -> Result<Option<String>, StoreError> {
        Ok(self.try_get(at)?)
    }
    fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        Ok(self.try_get(at)?)
    }
    fn bytes_or_none(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.try_get(at)?)
    }
}

/// At most one row.
pub(super) async fn one(client: &impl GenericClient, sql: &str, values: Values<'_>) -> Result<Option<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_opt(&statement, values).await?)
}

/// Every row.
pub(super) async fn all(client: &impl GenericClient, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

/// Runs a statement; gives the number of rows that it changed.
pub(super) async fn run(client: &impl GenericClient, sql: &str, values: Values<'_>) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, values).await?)
}

/// A number, if there is a row.
pub(super) async fn number(
    client: &impl GenericClient,
    sql: &str,
    values: Values<'_>,
) -> Result<Option<i64>, StoreError> {
    one(client, sql, values).await?.map(|row| row.int(0)).transpose()
}

/// The number that a statement must give.
pub(super) async fn must(client: &impl GenericClient, sql: &str, values: Values<'_>) -> Result<i64, StoreError> {
    number(client, sql, values).await?.ok_or_else(|| StoreError::Fault("a row vanished within its transaction".into()))
}
