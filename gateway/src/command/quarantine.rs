//! `renmen quarantine`: records that could not be taken in.

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::QuarantineRow;
use renmen_sync::RetryOutcome;
use serde_json::{Value, json};

use crate::cli::{Common, Quarantine as Ask};
use crate::deployment::{Deployment, Running};
use crate::exit::Outcome;
use crate::output::{Output, time};

/// Rows read at a time when all are tried again.
const BATCH: u32 = 500;

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        Ask::List { connection, limit } => list(&deployment, out, connection.as_ref(), *limit).await,
        Ask::Show { id } => show(&deployment, out, *id).await,
        Ask::Retry { id } => retry(deployment, out, *id).await,
        Ask::Drop { id } => {
            let dropped = deployment.store().await?.quarantine_drop(&deployment.config.gateway.tenant, *id).await?;
            out.say(if dropped { "dropped" } else { "there is no such quarantined record" });
            Ok(if dropped { Outcome::Done } else { Outcome::Failed })
        }
    }
}

async fn list(
    deployment: &Deployment,
    out: Output,
    connection: Option<&ConnectionName>,
    limit: u32,
) -> anyhow::Result<Outcome> {
    let tenant = &deployment.config.gateway.tenant;
    let found = deployment.store_to_read().await?.quarantine(tenant, connection, 0, limit).await?;
    let document: Vec<Value> = found.iter().map(document).collect();
    let rows = found.iter().map(|row| {
        vec![
            row.id.to_string(),
            row.connection.to_string(),
            row.stream.to_string(),
            row.item.entity.clone(),
            row.item.external_id.clone().unwrap_or_default(),
            format!("{}: {}", row.item.code, row.item.reason),
            time(row.at_ms),
            row.attempts.to_string(),
        ]
    });
    let head = ["id", "connection", "stream", "entity", "external id", "reason", "since", "attempts"];
    out.table(&head, rows, &document)?;
    Ok(Outcome::Done)
}

async fn show(deployment: &Deployment, out: Output, id: i64) -> anyhow::Result<Outcome> {
    let found = deployment.store_to_read().await?.quarantine_get(&deployment.config.gateway.tenant, id).await?;
    let Some(row) = found else {
        out.say("there is no such quarantined record");
        return Ok(Outcome::Failed);
    };
    let mut document = document(&row);
    // The person who asks for the original gets it as it is, readable where it is text.
    document["raw"] = match std::str::from_utf8(&row.item.raw) {
        Ok(text) => json!(text),
        Err(_) => {
            json!({ "base64": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &row.item.raw) })
        }
    };
    out.document(&document)?;
    Ok(Outcome::Done)
}

fn document(row: &QuarantineRow) -> Value {
    json!({
        "id": row.id, "connection": row.connection, "stream": row.stream, "run": row.run,
        "exchange": format!("{}-{}", row.page, row.item.exchange_no), "pointer": row.item.pointer,
        "entity": row.item.entity, "external_id": row.item.external_id, "code": row.item.code, "reason": row.item.reason,
        "since": time(row.at_ms), "attempts": row.attempts, "bytes": row.item.raw.len(),
    })
}

async fn retry(deployment: Deployment, out: Output, id: Option<i64>) -> anyhow::Result<Outcome> {
    let tenant = deployment.config.gateway.tenant.clone();
    let store = deployment.store().await?;
    let running = deployment.engine(store, None).await?;
    let tried = try_again(&running, &tenant, id).await;
    running.save_budgets().await;
    let (rows, still) = tried?;
    let document: Vec<Value> = rows.iter().map(|(id, end)| json!({ "id": id, "result": end })).collect();
    out.table(&["id", "result"], rows.iter().map(|(id, end)| vec![id.to_string(), end.clone()]), &document)?;
    Ok(if still == 0 { Outcome::Done } else { Outcome::Partly })
}

/// What became of each, and how many are still bad.
async fn try_again(running: &Running, tenant: &TenantId, id: Option<i64>) -> anyhow::Result<(Vec<(i64, String)>, u32)> {
    let (mut rows, mut still, mut after) = (Vec::new(), 0_u32, 0);
    loop {
        let ids: Vec<i64> = match id {
            Some(id) => vec![id],
            None => running.store.quarantine(tenant, None, after, BATCH).await?.iter().map(|row| row.id).collect(),
        };
        for &id in &ids {
            let end = match running.engine.retry_quarantine(tenant, id).await? {
                RetryOutcome::Accepted(_) => "taken in".to_owned(),
                RetryOutcome::Still { code, reason } => {
                    still += 1;
                    format!("{code}: {reason}")
                }
            };
            rows.push((id, end));
        }
        match ids.last() {
            Some(&last) if id.is_none() => after = last,
            _ => break,
        }
    }
    Ok((rows, still))
}
