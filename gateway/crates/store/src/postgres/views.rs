//! Views for BI: a view for each entity, with typed columns, that a reader needs no knowledge of our tables for. Two schemas, so that a
//! grant says what may be read: `renmen_bi` has the columns of class PUBLIC and INTERNAL, `renmen_bi_all` those of every class.
//!
//! They follow from the canonical schema, so no numbered migration holds their text: a gateway that starts with other columns makes them
//! again, in one transaction. A database whose owner does not let the gateway make schemas has none, and all else works.

use std::fmt::Write as _;

use deadpool_postgres::{Client, GenericClient};
use renmen_schema::{Column, ColumnKind, EntityKind, Sensitivity, columns};

use super::connections::Connections;
use super::migrate;
use super::query::one;
use crate::rows::Columns;
use crate::{ContentHash, StoreError};

/// The schemas, each with the highest class of its columns.
const SCHEMAS: [(&str, Sensitivity); 2] =
    [("renmen_bi", Sensitivity::Internal), ("renmen_bi_all", Sensitivity::Special)];
/// Made for another number by other programs hardly ever: "rnmv".
const LOCK: i64 = 0x726e_6d76;

/// Makes the views where they are not there, or are another release's. Gateways that start together take turns.
pub(super) async fn make(connections: &Connections, client: &mut Client) -> Result<(), StoreError> {
    let text = text();
    let mark = mark(&text);
    let transaction = connections.begin(client).await?;
    if made(&transaction).await?.as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    migrate::hold(&transaction, LOCK).await?;
    if made(&transaction).await?.as_deref() != Some(mark.as_str()) {
        transaction.batch_execute(&text).await?;
        let (schema, _) = SCHEMAS[0];
        transaction.batch_execute(&format!("COMMENT ON SCHEMA {schema} IS '{mark}'")).await?;
        tracing::info!("Views for BI made");
    }
    transaction.commit().await?;
    Ok(())
}

/// What the views were made from.
async fn made(client: &impl GenericClient) -> Result<Option<String>, StoreError> {
    let sql = "SELECT obj_description(n.oid, 'pg_namespace') FROM pg_namespace n WHERE n.nspname = 'renmen_bi'";
    let found = one(client, sql, &[]).await?;
    found.map(|row| row.text_or_none(0)).transpose().map(Option::flatten)
}

fn mark(text: &str) -> String {
    let hash: String = ContentHash::of(text.as_bytes()).0.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Read-only views of the records, made by the gateway ({hash})")
}

/// Every statement.
fn text() -> String {
    let mut text = String::new();
    for (schema, most) in SCHEMAS {
        let _ = writeln!(text, "CREATE SCHEMA IF NOT EXISTS {schema};");
        for kind in EntityKind::ALL.iter().filter(|kind| !kind.is_for_audits_only()) {
            let name = kind.name();
            let _ = writeln!(text, "DROP VIEW IF EXISTS {schema}.\"{name}\";");
            let _ = writeln!(text, "CREATE VIEW {schema}.\"{name}\" AS {};", view(*kind, most));
        }
    }
    text
}

fn view(kind: EntityKind, most: Sensitivity) -> String {
    let mut sql = String::from(
        "SELECT s.tenant AS record_tenant, s.connection AS record_connection, r.external_id AS record_external_id, \
         r.revision AS record_revision, to_timestamp(r.created_at / 1000.0) AS record_created_at, \
         to_timestamp(r.recorded_at / 1000.0) AS record_recorded_at, \
         to_timestamp(r.source_updated_at / 1000.0) AS record_source_updated_at",
    );
    for column in columns(kind).iter().filter(|column| column.sensitivity <= most) {
        let _ = write!(sql, ", {} AS \"{}\"", value(column), column.name);
    }
    let _ = write!(
        sql,
        " FROM scope s JOIN record r ON r.scope = s.id \
         CROSS JOIN LATERAL (SELECT convert_from(r.body, 'UTF8')::json AS body OFFSET 0) b \
         WHERE s.entity = '{}' AND r.deleted IS NULL",
        kind.name()
    );
    sql
}

fn value(column: &Column) -> String {
    let path = column.path.join(",");
    match column.kind {
        ColumnKind::Json => format!("b.body #> '{{{path}}}'"),
        ColumnKind::Text => format!("b.body #>> '{{{path}}}'"),
        kind => format!("(b.body #>> '{{{path}}}')::{}", type_of(kind)),
    }
}

fn type_of(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Integer => "bigint",
        ColumnKind::Number => "double precision",
        ColumnKind::Flag => "boolean",
        ColumnKind::Decimal => "numeric",
        ColumnKind::Day => "date",
        ColumnKind::Time => "timestamptz",
        ColumnKind::Json => "json",
        ColumnKind::Text => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sensitive_is_a_column_of_the_other_schema_alone() {
        let (open, all) = (
            view(EntityKind::PayrollRecord, Sensitivity::Internal),
            view(EntityKind::PayrollRecord, Sensitivity::Special),
        );
        assert!(!open.contains("net_amount") && all.contains("(b.body #>> '{net,amount}')::numeric AS \"net_amount\""));
        assert!(open.contains("AS \"employee_external_value\""));
        let person = view(EntityKind::Employee, Sensitivity::Internal);
        assert!(!person.contains("person_names") && person.contains("::date AS \"work_hire_date\""));
        assert!(!text().contains("bias_audit"), "what only an auditor reads has no view");
    }
}
