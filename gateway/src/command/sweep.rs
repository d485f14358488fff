//! `renmen sweep`: deletions that wait for a person.

use renmen_schema::id::RunId;
use renmen_schema::text;
use serde_json::json;

use crate::cli::{Common, Sweep as Ask};
use crate::deployment::{Deployment, now_ms};
use crate::exit::Outcome;
use crate::output::{Output, counted, thousands, time};
use crate::running_gateway::{Question, Writing, writing};

/// Kept with the run as who let the deletions go.
const APPROVED_BY: &str = "command line";

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
    let deleted = match writing(deployment).await? {
        Writing::Store(store) => {
            store.release_sweep(&deployment.config.gateway.tenant, run, APPROVED_BY, now_ms()).await?.deleted
        }
        Writing::Gateway(gateway) => {
            let question = Question { person: Some(APPROVED_BY), ..Question::default() };
            let answer = gateway.post(&format!("/v1/sweeps/{run}/approve"), question).await?.good()?;
            answer["deleted"].as_u64().unwrap_or_default()
        }
    };
    if out.json {
        out.document(&json!({ "deleted": deleted }))?;
    }
    out.say(text!("{} deleted", "已删除 {}", counted(deleted, "record", "条记录")));
    Ok(Outcome::Done)
}
