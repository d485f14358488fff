//! Running statements: cached, with typed reading. What only this backend says binds its own types (lists) and is run from here;
//! what both say comes through [`Session`].

use std::error::Error;

use deadpool_postgres::{Client, GenericClient, Transaction};
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::connections::ReadClient;
use crate::StoreError;
use crate::rows::Columns;
use crate::sql::{Dialect, Session, Value};

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

impl ToSql for Value<'_> {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *to == Type::INT8 => number.to_sql(to, out),
            Self::Text(text) if *to == Type::TEXT => text.to_sql(to, out),
            Self::Bytes(bytes) if *to == Type::BYTEA => bytes.as_ref().to_sql(to, out),
            other => Err(format!("{other:?} is bound where a statement wants {to}").into()),
        }
    }

    fn accepts(to: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(to)
    }

    to_sql_checked!();
}

macro_rules! session {
    ($client:ty) => {
        session!($client, through $client);
    };
    ($client:ty, through $inner:ty) => {
        impl Session for $client {
            fn dialect(&self) -> Dialect {
                Dialect::Postgres
            }

            async fn one<T: Send>(
                &self,
                sql: &str,
                values: &[Value<'_>],
                read: impl FnOnce(&dyn Columns) -> Result<T, StoreError> + Send,
            ) -> Result<Option<T>, StoreError> {
                one::<$inner>(self, sql, &bound(values)).await?.map(|row| read(&row)).transpose()
            }

            async fn all<T: Send>(
                &self,
                sql: &str,
                values: &[Value<'_>],
                read: impl Fn(&dyn Columns) -> Result<T, StoreError> + Send,
            ) -> Result<Vec<T>, StoreError> {
                all::<$inner>(self, sql, &bound(values)).await?.iter().map(|row| read(row)).collect()
            }

            async fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
                run::<$inner>(self, sql, &bound(values)).await
            }
        }
    };
}
session!(ReadClient, through Client);
session!(Client);
session!(Transaction<'_>);

fn bound<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// At most one row.
pub(super) async fn one<C: GenericClient>(
    client: &C,
    sql: &str,
    values: Values<'_>,
) -> Result<Option<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_opt(&statement, values).await?)
}

/// Every row.
pub(super) async fn all<C: GenericClient>(client: &C, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

/// Runs a statement; gives the number of rows that it changed.
pub(super) async fn run<C: GenericClient>(client: &C, sql: &str, values: Values<'_>) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, values).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_value_goes_where_its_type_is_wanted_and_nowhere_else() {
        let bind = |value: Value<'_>, to: &Type| value.to_sql_checked(to, &mut BytesMut::new()).map(drop);
        let text = Value::from("secret");
        assert!(bind(text.clone(), &Type::TEXT).is_ok());
        assert!(bind(Value::from(7_i64), &Type::INT8).is_ok());
        assert!(bind(Value::from(&[1, 2, 3]), &Type::BYTEA).is_ok());
        for to in [&Type::TEXT, &Type::INT8, &Type::BYTEA] {
            assert!(bind(Value::from(None::<i64>), to).is_ok());
        }
        let refused = bind(text, &Type::INT8).unwrap_err().to_string();
        assert_eq!(refused, "a text is bound where a statement wants int8");
        assert!(bind(Value::from(7_i64), &Type::INT4).is_err(), "every number is 64 bits wide");
    }
}
