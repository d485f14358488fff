//! `renmen flow`: rules that send something because a record changed.

use renmen_flow::Evaluation;
use renmen_schema::text;
use serde_json::{Value, json};

use crate::cli::{Common, Flow as Ask};
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        Ask::List => list(&deployment, out).await,
        Ask::DryRun { name, last } => dry_run(deployment, out, name, *last).await,
    }
}

async fn list(deployment: &Deployment, out: Output) -> anyhow::Result<Outcome> {
    let store = deployment.store_to_read().await?;
    let tenant = &deployment.config.gateway.tenant;
    let (flows, counts) = (store.flows(tenant).await?, store.delivery_counts(tenant).await?);
    let told = |name: &str| {
        let own = counts.iter().filter(|count| count.flow == name);
        own.map(|count| format!("{} {}", count.count, word(count.state))).collect::<Vec<_>>().join(", ")
    };
    let document: Vec<Value> = flows
        .iter()
        .map(|flow| {
            json!({
                "name": flow.name, "version": flow.version, "origin": flow.origin, "enabled": flow.enabled,
                "position": flow.position, "changed_at": time(flow.changed_at_ms), "deliveries": told(&flow.name),
            })
        })
        .collect();
    let rows = flows.iter().map(|flow| {
        vec![
            flow.name.clone(),
            flow.version.to_string(),
            word(flow.origin),
            if flow.enabled { "yes" } else { "no" }.to_owned(),
            flow.position.to_string(),
            time(flow.changed_at_ms),
            told(&flow.name),
        ]
    });
    let head = ["flow", "version", "from", "enabled", "position", "since", "deliveries"];
    out.fitted_table(&head, &["since", "position", "version"], rows, &document)?;
    Ok(Outcome::Done)
}

/// A word of the store as it is written in JSON.
pub(super) fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

async fn dry_run(deployment: Deployment, out: Output, name: &str, last: u32) -> anyhow::Result<Outcome> {
    let tenant = deployment.config.gateway.tenant.clone();
    let store = deployment.store_to_read().await?;
    let of_file = deployment.config.flows.get(name).map(|flow| (flow.tenant.clone(), flow.definition.clone()));
    let running = deployment.engine(store, None).await?;
    // The file as it is now, which a running gateway may not have read yet; else what was defined over the API.
    let runs = match of_file {
        Some((tenant, definition)) => running.flows.try_out(&tenant, name, &definition, last).await,
        None => running.flows.dry_run(&tenant, name, last).await,
    };
    let runs = runs.map_err(|error| match error {
        renmen_flow::FlowError::NotFound(what) => anyhow::Error::new(Usage(text!("there is no {what}", "没有 {what}"))),
        other => anyhow::Error::new(other),
    })?;
    let document: Vec<Value> = runs
        .iter()
        .map(|run| {
            let mut entry = json!({
                "seq": run.change.seq, "record": run.change.id, "entity": run.change.entity, "kind": run.change.kind,
            });
            match &run.evaluation {
                Evaluation::Send(sending) => {
                    entry["sends"] = sending.input.clone();
                    entry["idempotency_key"] = json!(run.key);
                    entry["not_before"] = json!(time(sending.not_before_ms));
                }
                Evaluation::Pass(why) => entry["passes"] = json!(why),
                Evaluation::Wait(why, _) => entry["waits"] = json!(why),
                Evaluation::Fault(why) => entry["fault"] = json!(why),
            }
            entry
        })
        .collect();
    let rows = runs.iter().map(|run| {
        let says = match &run.evaluation {
            Evaluation::Send(sending) => format!("sends {}", sending.input),
            Evaluation::Pass(why) => format!("nothing: {why}"),
            Evaluation::Wait(why, _) => format!("waits: {why}"),
            Evaluation::Fault(why) => format!("cannot tell: {why}"),
        };
        vec![run.change.seq.to_string(), run.change.id.to_string(), word(run.change.kind), says]
    });
    out.fitted_table(&["change", "record", "kind", "the flow"], &["kind", "change"], rows, &document)?;
    let faults = runs.iter().filter(|run| matches!(run.evaluation, Evaluation::Fault(_))).count();
    Ok(if faults > 0 { Outcome::Partly } else { Outcome::Done })
}
