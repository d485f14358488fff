//! `renmen check`: would this configuration work? Writes no record.

use std::path::Path;

use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::{Text, text};
use renmen_store::UnresolvedKeys;
use renmen_sync::CheckReport;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::deployment::{Deployment, Reached, ReceiverCheck, Unloaded, remarks};
use crate::exit::Outcome;
use crate::output::{Output, counted, time};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, only: Option<&ConnectionName>) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    // A store of its own that is thrown away: a check writes nothing and must not wait for the gateway that holds the real one.
    let scratch = tempfile::tempdir()?;
    let store = deployment.scratch_store(scratch.path()).await?;
    let running = deployment.engine(store, only).await?;
    let current = running.current();
    let cancel = CancellationToken::new();
    let _stop = crate::signals::cancel_on_interrupt(&cancel);
    let mut reports = Vec::new();
    for runtime in running.engine.connections() {
        reports.push(running.engine.checks().connection(runtime.tenant(), runtime.name(), &cancel).await?);
    }
    let reports: Vec<Checked<'_>> =
        reports.into_iter().map(|report| Checked { reach: current.reaches.get(&report.connection), report }).collect();
    let rows = reports.iter().flat_map(|checked| {
        let reach = checked.reach.map(|reach| reach_rows(&checked.report.connection, reach)).unwrap_or_default();
        [rows(&checked.report), reach].concat()
    });
    let off =
        current.off.iter().map(|off| vec![off.name.to_string(), "load".into(), "OFF".into(), off.told.to_string()]);
    // With one connection alone it cannot be known who else writes what.
    let remarks = if only.is_none() { remarks(&current.deployment.config, &running.writers()) } else { Vec::new() };
    let told = remarks.iter().map(|(place, why)| vec![String::new(), place.clone(), "WARNING".into(), why.to_string()]);
    // With one connection alone, the others are not what was asked about.
    let receivers = if only.is_none() { running.check_receivers().await } else { Vec::new() };
    let reached = receivers.iter().map(receiver_row);
    let waiting = if only.is_none() { waiting_references(&current.deployment).await } else { Vec::new() };
    let waits = waiting.iter().map(|why| vec![String::new(), "references".into(), "WARNING".into(), why.to_string()]);
    let rows = rows.chain(reached).chain(off).chain(told).chain(waits);
    out.table(&["connection", "what", "result", "details"], rows, &document(&reports, &receivers, &current.off))?;
    if out.json {
        // The document is a list of connections.
        remarks.iter().for_each(|(place, why)| tracing::warn!(place, "{why}"));
        waiting.iter().for_each(|why| tracing::warn!("{why}"));
    }
    let passed = reports.iter().all(|checked| checked.report.passed()) && receivers.iter().all(|one| one.ok);
    Ok(match (current.off.is_empty(), passed) {
        (false, _) => Outcome::Misconfigured,
        (true, true) => Outcome::Done,
        (true, false) => Outcome::Failed,
    })
}

/// What is to be said of references by an alternate key that lead to no record. Before there is a store, nothing.
async fn waiting_references(deployment: &Deployment) -> Vec<Text> {
    let file = deployment.config.store.url.expose().strip_prefix("sqlite:");
    if file.is_some_and(|file| !Path::new(file).exists()) {
        return Vec::new();
    }
    let found = async {
        let store = deployment.store_to_read().await?;
        anyhow::Ok(store.unresolved_keys(&deployment.config.gateway.tenant).await?)
    };
    match found.await {
        Ok(found) => found.iter().map(waits).collect(),
        Err(error) => vec![text!(
            "the store cannot be read, so it is not known which references wait: {error:#}",
            "无法读取存储，因此不知道有哪些引用在等待：{error:#}"
        )],
    }
}

/// How many references wait, and since when; never with a value.
fn waits(of: &UnresolvedKeys) -> Text {
    let UnresolvedKeys { entity, scheme, records, values, matches_max, .. } = of;
    let since = time(of.since_ms);
    if of.ambiguous {
        text!(
            "{records} references to {entity} by {scheme} mean none: up to {matches_max} different ones have the same value ({values} values, since              {since}); name the connection with the reference, or correct the records",
            "{records} 个以 {scheme} 对 {entity} 的引用无法确定：同一取值最多属于 {matches_max} 个不同对象（{values} 个取值，自 {since} 起）；请在引用中写明连接，或更正记录"
        )
    } else {
        text!(
            "{records} references to {entity} by {scheme} wait for a record that has the value ({values} values, since {since})",
            "{records} 个以 {scheme} 对 {entity} 的引用在等待含有该值的记录（{values} 个取值，自 {since} 起）"
        )
    }
}

/// One list: a report for each connection, the result for each channel and endpoint, and the name and reason of
/// everything that is off.
fn document(reports: &[Checked<'_>], receivers: &[ReceiverCheck], off: &[Unloaded]) -> Vec<Value> {
    let off = off.iter().map(|off| json!({ "connection": off.name, "off": off.reason }));
    let receivers = receivers.iter().map(|receiver| json!(receiver));
    reports.iter().map(|report| json!(report)).chain(receivers).chain(off).collect()
}

fn receiver_row(check: &ReceiverCheck) -> Vec<String> {
    let result = if check.ok { "ok" } else { "FAILED" };
    vec![check.receiver.to_string(), check.kind.into(), result.into(), check.details.clone()]
}

/// What was found, with how far the connection reaches.
#[derive(Serialize)]
struct Checked<'a> {
    #[serde(flatten)]
    report: CheckReport,
    reach: Option<&'a Reached>,
}

/// Where its requests and its secrets go, and what to think over again.
fn reach_rows(name: &ConnectionName, reach: &Reached) -> Vec<Vec<String>> {
    let line = |what: &str, result: &str, details: String| vec![name.to_string(), what.into(), result.into(), details];
    let mut rows = Vec::new();
    if !reach.hosts.is_empty() {
        rows.push(line("hosts", "ok", format!("{} ({})", reach.hosts.join(", "), reach.methods.join(", "))));
    }
    for (slot, reached) in &reach.slots {
        let mut details = match &reached.how {
            None => text!("never sent, {}", "从不发送，{}", reached.sealed.clone().unwrap_or_default()).to_string(),
            Some(how) => text!("goes to {}, {how}", "发往 {}，{how}", reached.to.join(", ")).to_string(),
        };
        if let Some(url) = &reached.token_url {
            details.push_str(&text!("; the secret itself goes to {url}", "；密钥本身发往 {url}").to_string());
        }
        rows.push(line(&format!("slot: {slot}"), "ok", details));
    }
    if let Some(socket) = &reach.event_socket {
        let (url, slot) = (&socket.open_url, &socket.slot);
        let details = text!(
            "leads to {}; asked for at {url} with the secret of slot {slot}",
            "通向 {}；以凭据槽 {slot} 的密钥在 {url} 申请",
            socket.hosts.join(", ")
        )
        .to_string();
        rows.push(line("event socket", "ok", details));
    }
    rows.extend(reach.warnings.iter().map(|warning| line("grant", "WARNING", warning.to_string())));
    rows
}

fn rows(report: &CheckReport) -> Vec<Vec<String>> {
    let name = report.connection.to_string();
    let line = |what: String, good: bool, details: String| {
        vec![name.clone(), what, if good { "ok".into() } else { "FAILED".into() }, details]
    };
    let plugin = &report.plugin;
    let mut rows = vec![line("plugin".into(), true, format!("{} {} {}", plugin.name, plugin.version, plugin.digest))];
    rows.extend(
        report.probe.iter().map(|probe| line(format!("probe: {}", probe.name), probe.ok, probe.message.clone())),
    );
    rows.extend(report.probe_failure.iter().map(|failure| line("probe".into(), false, failure.line())));
    for stream in &report.streams {
        let good = stream.failure.is_none() && stream.refused == 0;
        if let Some(off) = &stream.off {
            rows.push(vec![name.clone(), format!("stream: {}", stream.stream), "off".into(), off.clone()]);
            continue;
        }
        let mut details =
            text!("{}, {} refused", "{}，{} 条被拒绝", counted(stream.records, "record", "条记录"), stream.refused)
                .to_string();
        if stream.not_granted > 0 {
            details.push_str(
                &text!("; {} not granted (`grant.entities`)", "；{} 条未授权（`grant.entities`）", stream.not_granted)
                    .to_string(),
            );
        }
        for defect in &stream.defects {
            details.push_str(&format!("; {} × {}: {}", defect.count, defect.code, defect.example));
        }
        if let Some(failure) = &stream.failure {
            details = failure.line();
        }
        rows.push(line(format!("stream: {}", stream.stream), good, details));
    }
    if !report.undeclared.is_empty() {
        let undeclared = report.undeclared.iter().map(StreamName::as_str).collect::<Vec<_>>().join(", ");
        let details = text!(
            "not declared under `streams`, so not pulled: {undeclared}",
            "未在 `streams` 下声明，因此不拉取：{undeclared}"
        )
        .to_string();
        rows.push(vec![name.clone(), "streams".into(), "off".into(), details]);
    }
    if !report.entities.is_empty() {
        rows.push(line("writes".into(), true, report.entities.join(", ")));
    }
    rows.extend(report.idle_entities.iter().map(|entity| {
        let details = text!(
            "`grant.entities` names `{entity}`, which the plugin does not carry",
            "`grant.entities` 写了 `{entity}`，而插件不含该实体"
        )
        .to_string();
        vec![name.clone(), "grant".into(), "WARNING".into(), details]
    }));
    rows.extend(report.grant_misses.iter().map(|miss| line("grant".into(), false, miss.clone())));
    // Not a failure: what was refused failed by itself, and what was taken out does no harm.
    rows.extend(
        report.secrets_seen.iter().map(|seen| vec![name.clone(), "secrets".into(), "WARNING".into(), seen.clone()]),
    );
    rows
}
