//! `renmen runs`: what ran, newest first.

use renmen_schema::id::{ConnectionName, RunId};
use renmen_schema::{Text, text};
use renmen_store::{CommitOutcome, RunFinding, RunRow, RunState};
use serde_json::json;

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::Outcome;
use crate::output::{Output, thousands, time};

/// Runs the command.
pub(crate) async fn run(
    common: &Common,
    out: Output,
    connection: Option<&ConnectionName>,
    limit: u32,
) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = deployment.store_to_read().await?;
    let runs = store.runs(&deployment.config.gateway.tenant, connection, limit).await?;
    let rows = runs.iter().map(|run| {
        vec![
            run.id.to_string(),
            run.connection.to_string(),
            run.stream.to_string(),
            state(run.state).to_owned(),
            time(run.started_at_ms),
            run.ended_at_ms
                .map_or_else(String::new, |end| format!("{:.1} s", (end - run.started_at_ms) as f64 / 1000.0)),
            thousands(run.pages),
            thousands(run.records),
            thousands(run.outcome.created + run.outcome.updated + run.outcome.deleted),
            thousands(run.outcome.unchanged),
            thousands(run.outcome.quarantined),
            thousands(run.findings),
            run.error.clone().unwrap_or_default(),
        ]
    });
    let head = [
        "run",
        "connection",
        "stream",
        "state",
        "began",
        "took",
        "pages",
        "records",
        "changed",
        "unchanged",
        "quarantined",
        "findings",
        "error",
    ];
    let spare = ["pages", "unchanged", "took", "findings", "changed", "began"];
    out.fitted_table(&head, &spare, rows, &runs)?;
    Ok(Outcome::Done)
}

/// One run whole.
pub(crate) async fn show(common: &Common, out: Output, id: i64) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = deployment.store_to_read().await?;
    let tenant = &deployment.config.gateway.tenant;
    let Some(run) = store.run(tenant, RunId(id)).await? else {
        out.say(text!("run {id} is not known", "没有运行 {id}"));
        return Ok(Outcome::Failed);
    };
    let notes = store.run_notes(tenant, run.id).await?;
    let document = json!({ "run": run, "findings": notes.findings, "omissions": notes.omissions });
    if out.json {
        out.document(&document)?;
        return Ok(Outcome::Done);
    }
    out.say(text!("run {id} of {}/{}: {}", "{}/{} 的运行 {id}：{}", run.connection, run.stream, state(run.state)));
    out.table(&["figure", "records"], out.language.show(|| figures(&run)), &())?;
    if !notes.findings.is_empty() {
        let rows = notes.findings.iter().map(|finding| {
            let RunFinding { part, code, message, needs, .. } = finding;
            vec![part.clone(), code.clone(), needs.name().to_owned(), message.clone()]
        });
        out.say(text!("\nfindings", "\n发现"));
        out.table(&["part", "code", "needs", "what and why"], rows, &())?;
    }
    if !notes.omissions.is_empty() {
        let rows = notes.omissions.iter().map(|omission| {
            vec![omission.part.clone(), omission.rule.clone(), thousands(omission.count), omission.places.join(", ")]
        });
        out.say(text!("\nleft out by rules", "\n被规则略去"));
        out.table(&["part", "rule", "records", "where (the first)"], rows, &())?;
    }
    Ok(Outcome::Done)
}

/// Every figure of a run in the order in which they add up: the first is the sum of those down to `left out by rules`.
fn figures(run: &RunRow) -> Vec<Vec<String>> {
    let CommitOutcome { created, updated, unchanged, deleted, swept, quarantined, repeated, held, .. } = run.outcome;
    let row = |name: Text, count: u64| vec![name.to_string(), thousands(count)];
    let mut rows = vec![
        row(text!("listed", "已列出"), run.records + run.omitted),
        row(text!("created", "新建"), created),
        row(text!("updated", "更新"), updated),
        row(text!("unchanged", "未变"), unchanged),
        row(text!("deleted by the vendor", "厂商已删除"), deleted.saturating_sub(swept)),
        row(text!("quarantined", "已隔离"), quarantined),
        row(text!("same key again", "键重复"), repeated),
        row(text!("left out by rules", "被规则略去"), run.omitted),
        row(text!("deleted: no longer listed", "删除：不再列出"), swept),
        row(text!("held: no longer listed", "暂缓：不再列出"), held),
    ];
    if let Some(total) = run.total {
        rows.insert(0, row(text!("in all, says the vendor", "厂商称总数"), total));
    }
    rows
}

/// How a run stands, in words.
pub(crate) fn state(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Completed => "completed",
        RunState::CompletedWithFindings => "completed with findings",
        RunState::Failed => "failed",
        RunState::Interrupted => "interrupted",
    }
}
