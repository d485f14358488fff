//! `renmen sweep`: deletions that wait for a person.

use std::time::{SystemTime, UNIX_EPOCH};

use renmen_schema::id::RunId;
use serde_json::json;

use crate::cli::{Common, Sweep as Ask};
use crate::deployment::Deployment;
use crate::exit::Outcome;
use crate::output::{Output, thousands, time};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        Ask::List => list(&deployment, out).await,
        Ask::Show { run, limit } => show(&deployment, out, RunId(*run), *limit).await,
        Ask::Approve { run } => approve(&deployment, out, RunId(*run)).await,
    }
}

async fn list(deployment: &Deployment, out: Output) -> anyhow::Result<Outcome> {
    let held = deployment.store_to_read().await?.held_sweeps(&deployment.config.gateway.tenant).await?;
    let rows = held.iter().map(|sweep| {
        vec![
            sweep.run.to_string(),
            sweep.connection.to_string(),
            sweep.stream.to_string(),
            thousands(sweep.missing),
            thousands(sweep.of),
            time(sweep.since_ms),
        ]
    });
    out.table(&["run", "connection", "stream", "to delete", "of", "since"], rows, &held)?;
    Ok(Outcome::Done)
}

async fn show(deployment: &Deployment, out: Output, run: RunId, limit: u32) -> anyhow::Result<Outcome> {
    let store = deployment.store_to_read().await?;
    let held = store.held_records(&deployment.config.gateway.tenant, run, limit).await?;
    let rows = held.iter().map(|record| vec![record.id.to_string(), record.entity.clone(), record.external_id.clone()]);
    out.table(&["id", "entity", "external id"], rows, &held)?;
    Ok(Outcome::Done)
}

async fn approve(deployment: &Deployment, out: Output, run: RunId) -> anyhow::Result<Outcome> {
    let store = deployment.store().await?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let outcome = store.release_sweep(&deployment.config.gateway.tenant, run, "command line", now_ms).await?;
    if out.json {
        out.document(&json!({ "deleted": outcome.deleted }))?;
    }
    out.say(&format!("{} records deleted", thousands(outcome.deleted)));
    Ok(Outcome::Done)
}
