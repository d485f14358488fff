//! Lists of deliveries read an index on both backends: no sort, and no walk over all rows. On SQLite also what belongs to
//! an identity; PostgreSQL decides that by its statistics.
#![allow(clippy::unwrap_used)]

use renmen_schema::id::{ConnectionName, TenantId};

use crate::outbox::{DeliveryQuery, DeliveryState, delivery, rows, sql};
use crate::sql::{Dialect, Value};
use crate::{StoreOptions, open};

/// A statement with its values written into it.
fn inlined(sql: &str, values: &[Value<'_>]) -> String {
    let literal = |value: &Value<'_>| match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Bytes(bytes) => format!("x'{}'", hex::encode(bytes)),
    };
    // From the last on: `$1` begins `$10` too.
    (1..=values.len()).rev().fold(sql.to_owned(), |sql, at| sql.replace(&format!("${at}"), &literal(&values[at - 1])))
}

/// What must read an index, and how PostgreSQL or SQLite shows that it does not.
fn statements(dialect: Dialect) -> Vec<String> {
    let tenant = TenantId::new("acme").unwrap();
    let base = DeliveryQuery { limit: 20, before: Some(1_000), ..DeliveryQuery::default() };
    let queries = [
        DeliveryQuery { before: None, ..base.clone() },
        base.clone(),
        DeliveryQuery { state: Some(DeliveryState::Dead), ..base.clone() },
        DeliveryQuery { state: Some(DeliveryState::Delivered), ..base.clone() },
        DeliveryQuery { state: Some(DeliveryState::Unconfirmed), ..base.clone() },
        DeliveryQuery { connection: Some(ConnectionName::new("vendor").unwrap()), ..base.clone() },
    ];
    let mut all: Vec<String> = queries
        .iter()
        .map(|query| {
            let (sql, values) = rows::list_sql(&tenant, query, None);
            inlined(&sql, &values)
        })
        .collect();
    all.push(inlined(&sql::PRUNE, &[Value::from(1_i64)]));
    all.push(inlined(&sql::PRUNABLE, &[Value::from(1_i64), Value::from(&tenant)]));
    all.push(inlined(&delivery::counts_sql(dialect), &[Value::from(&tenant)]));
    all
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.db");
    drop(open(StoreOptions::at(format!("sqlite:{}", path.display()))).await.unwrap());
    let connection = rusqlite::Connection::open(path).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    };
    for sql in statements(Dialect::Sqlite) {
        let plan = plan(&sql);
        let counts = sql.contains("GROUP BY");
        assert!(!plan.contains("SCAN d\n") && !plan.contains("SCAN delivery"), "{sql}\n{plan}");
        assert!(counts || !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        assert!(!counts || plan.contains("COVERING INDEX delivery_flow_state"), "{sql}\n{plan}");
    }
    for sql in crate::sql::identity::load::by_other_indexes(Dialect::Sqlite) {
        let plan = plan(&inlined(&sql, &[Value::from("acme"), Value::from("[1, 2]")]));
        assert!(plan.contains("INDEX identity_"), "{sql}\n{plan}");
    }
    assert!(plan("SELECT id FROM delivery ORDER BY updated_at").contains("TEMP B-TREE"), "the check sees a sort");
}

#[tokio::test]
async fn on_postgres() {
    let Ok(server) = std::env::var("RENMEN_TEST_POSTGRES") else { return };
    let name = format!("renmen_test_{:016x}", rand::random::<u64>());
    let (admin, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    let admin_connection = tokio::spawn(connection);
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    drop(open(StoreOptions::at(&url)).await.unwrap());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let client_connection = tokio::spawn(connection);
    // Tables are empty here: what can be read by an index is, and what needs a sort shows one.
    client.batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off").await.unwrap();
    for sql in statements(Dialect::Postgres) {
        let rows = client.query(&format!("EXPLAIN {sql}"), &[]).await.unwrap();
        let plan = rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n");
        assert!(!plan.contains("Seq Scan on delivery"), "{sql}\n{plan}");
        assert!(sql.contains("GROUP BY") || !plan.contains("Sort"), "{sql}\n{plan}");
    }
    drop(client);
    client_connection.await.unwrap().unwrap();
    admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    drop(admin);
    admin_connection.await.unwrap().unwrap();
}
