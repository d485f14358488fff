//! `renmen records`: what is in the store.

use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::{EntityKind, text};
use renmen_store::{RecordQuery, RecordRow, Store};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, thousands, time};

/// What to read.
pub(crate) struct Ask {
    pub(crate) collection: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) connection: Option<ConnectionName>,
    pub(crate) external_id: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) limit: u32,
}

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = deployment.store_to_read().await?;
    let tenant = &deployment.config.gateway.tenant;
    match (&ask.collection, &ask.id) {
        (None, _) => counts(&*store, tenant, out).await,
        (Some(collection), Some(id)) => one(&*store, tenant, out, kind_of(collection)?, id).await,
        (Some(collection), None) => {
            let query = RecordQuery {
                entity: Some(kind_of(collection)?.name().to_owned()),
                connection: ask.connection,
                external_id: ask.external_id,
                include_deleted: ask.deleted,
                ..RecordQuery::default()
            };
            list(&*store, tenant, out, query, ask.limit).await
        }
    }
}

fn kind_of(collection: &str) -> Result<EntityKind, Usage> {
    EntityKind::from_collection(collection).or_else(|| EntityKind::from_name(collection)).ok_or_else(|| {
        let known: Vec<&str> = EntityKind::ALL.iter().map(|kind| kind.collection()).collect();
        Usage(text!(
            "there is no collection `{collection}`; there are: {}",
            "没有集合 `{collection}`；可用的为：{}",
            known.join(", ")
        ))
    })
}

async fn counts(store: &dyn Store, tenant: &renmen_schema::id::TenantId, out: Output) -> anyhow::Result<Outcome> {
    let counts = store.counts(tenant).await?;
    let document: Vec<Value> = counts
        .iter()
        .map(|c| json!({ "entity": c.entity, "connection": c.connection, "live": c.live, "deleted": c.deleted }))
        .collect();
    let number = |n: i64| thousands(u64::try_from(n).unwrap_or(0));
    let rows =
        counts.iter().map(|c| vec![c.entity.clone(), c.connection.to_string(), number(c.live), number(c.deleted)]);
    out.table(&["entity", "connection", "live", "deleted"], rows, &document)?;
    Ok(Outcome::Done)
}

async fn one(
    store: &dyn Store,
    tenant: &renmen_schema::id::TenantId,
    out: Output,
    kind: EntityKind,
    id: &str,
) -> anyhow::Result<Outcome> {
    let id: RecordId = id.parse().map_err(|_| Usage(text!("`{id}` is not a record id", "`{id}` 不是记录编号")))?;
    match store.record(tenant, id).await?.filter(|row| row.entity == kind.name()) {
        Some(row) => out.document(&document(&row)?)?,
        None => {
            out.say(text!("record not found", "没有该记录"));
            return Ok(Outcome::Failed);
        }
    }
    Ok(Outcome::Done)
}

async fn list(
    store: &dyn Store,
    tenant: &renmen_schema::id::TenantId,
    out: Output,
    mut query: RecordQuery,
    limit: u32,
) -> anyhow::Result<Outcome> {
    let mut found = Vec::new();
    while (found.len() as u64) < u64::from(limit) {
        query.limit = (limit - u32::try_from(found.len()).unwrap_or(limit)).min(1_000);
        let slice = store.records(tenant, &query).await?;
        found.extend(slice.items);
        query.after = slice.next;
        if query.after.is_none() {
            break;
        }
    }
    let documents = found.iter().map(document).collect::<anyhow::Result<Vec<Value>>>()?;
    let rows = found.iter().map(|row| {
        vec![
            row.id.to_string(),
            row.connection.to_string(),
            row.external_id.clone(),
            row.revision.to_string(),
            time(row.recorded_at_ms),
            if row.deleted.is_some() { "gone".into() } else { String::new() },
        ]
    });
    let head = ["id", "connection", "external id", "revision", "recorded", ""];
    out.fitted_table(&head, &["recorded", "revision"], rows, &documents)?;
    Ok(Outcome::Done)
}

fn document(row: &RecordRow) -> anyhow::Result<Value> {
    let body: Value = if row.body.is_empty() { Value::Null } else { serde_json::from_slice(&row.body)? };
    Ok(json!({
        "id": row.id, "entity": row.entity, "connection": row.connection, "external_id": row.external_id,
        "revision": row.revision, "deleted": row.deleted, "recorded_at": time(row.recorded_at_ms), "origin": row.origin,
        "body": body,
    }))
}
