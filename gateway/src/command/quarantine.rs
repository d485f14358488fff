//! `renmen quarantine`: records that could not be taken in.

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};
use renmen_store::{QuarantineRow, Store};
use renmen_sync::{RetryOutcome, SyncError};
use serde_json::{Value, json};

use crate::cli::{Common, Quarantine as Ask};
use crate::deployment::{Deployment, Running};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};
use crate::running_gateway::{Question, RunningGateway, Writing, writing};

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
            let dropped = match writing(&deployment).await? {
                Writing::Store(store) => store.quarantine_drop(&deployment.config.gateway.tenant, *id).await?,
                Writing::Gateway(gateway) => gateway.delete(&path(*id)).await?.found()?.is_some(),
            };
            out.say(if dropped {
                text!("dropped", "已丢弃")
            } else {
                text!("quarantined record not found", "隔离区中没有该记录")
            });
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
    out.fitted_table(&head, &["attempts", "since", "entity", "stream"], rows, &document)?;
    Ok(Outcome::Done)
}

async fn show(deployment: &Deployment, out: Output, id: i64) -> anyhow::Result<Outcome> {
    let found = deployment.store_to_read().await?.quarantine_get(&deployment.config.gateway.tenant, id).await?;
    let Some(row) = found else {
        out.say(text!("quarantined record not found", "隔离区中没有该记录"));
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
    let (rows, still) = match writing(&deployment).await? {
        Writing::Store(store) => {
            let running = deployment.engine(store, None).await?;
            let tried = try_again(&*running.store, &tenant, id, |id| retry_here(&running, &tenant, id)).await;
            running.save_budgets().await;
            tried?
        }
        Writing::Gateway(gateway) => {
            let store = deployment.store_to_read().await?;
            try_again(&*store, &tenant, id, |id| retry_there(&gateway, id)).await?
        }
    };
    let document: Vec<Value> = rows.iter().map(|(id, end)| json!({ "id": id, "result": end })).collect();
    out.table(&["id", "result"], rows.iter().map(|(id, end)| vec![id.to_string(), end.to_string()]), &document)?;
    Ok(if still == 0 { Outcome::Done } else { Outcome::Partly })
}

/// What became of each, and how many are still bad. Without an id: of all.
async fn try_again(
    store: &dyn Store,
    tenant: &TenantId,
    id: Option<i64>,
    retry: impl AsyncFn(i64) -> anyhow::Result<Retried>,
) -> anyhow::Result<(Vec<(i64, Text)>, u32)> {
    let (mut rows, mut still, mut after) = (Vec::new(), 0_u32, 0);
    loop {
        let ids: Vec<i64> = match id {
            Some(id) => vec![id],
            None => store.quarantine(tenant, None, after, BATCH).await?.iter().map(|row| row.id).collect(),
        };
        for &item in &ids {
            match retry(item).await? {
                Retried::TakenIn => rows.push((item, text!("taken in", "已接收"))),
                Retried::Still(reason) => {
                    still += 1;
                    rows.push((item, reason));
                }
                // It was taken in or dropped by another process meanwhile.
                Retried::Gone if id.is_none() => {}
                Retried::Gone => {
                    return Err(
                        Usage(text!("there is no record {item} in quarantine", "隔离区中没有记录 {item}")).into()
                    );
                }
            }
        }
        match ids.last() {
            Some(&last) if id.is_none() => after = last,
            _ => break,
        }
    }
    Ok((rows, still))
}

/// What became of one record.
enum Retried {
    TakenIn,
    /// With the code and the reason.
    Still(Text),
    Gone,
}

async fn retry_here(running: &Running, tenant: &TenantId, id: i64) -> anyhow::Result<Retried> {
    match running.engine.quarantine().retry(tenant, id).await {
        Ok(RetryOutcome::Accepted(_)) => Ok(Retried::TakenIn),
        Ok(RetryOutcome::Still { code, reason }) => Ok(Retried::Still(Text::rendered(|| format!("{code}: {reason}")))),
        Err(SyncError::UnknownQuarantine(_)) => Ok(Retried::Gone),
        Err(error) => Err(error.into()),
    }
}

async fn retry_there(gateway: &RunningGateway, id: i64) -> anyhow::Result<Retried> {
    let answer = gateway.post(&format!("{}/retry", path(id)), Question::default()).await?.found()?;
    Ok(match answer {
        None => Retried::Gone,
        Some(answer) if answer["outcome"] == "accepted" => Retried::TakenIn,
        Some(answer) => Retried::Still(Text::verbatim(answer["reason"].as_str().unwrap_or_default())),
    })
}

/// A record in the API of the running gateway.
fn path(id: i64) -> String {
    format!("/v1/quarantine/{id}")
}
