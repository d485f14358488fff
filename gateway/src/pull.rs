//! Pulling by hand: which streams, side by side, and the table of what came in.

use futures_util::StreamExt as _;
use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::text;
use renmen_store::StreamKey;
use renmen_sync::{FailureClass, Progress, RunReport, SyncError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::deployment::{Running, Unloaded};
use crate::exit::Outcome;
use crate::output::{Output, thousands};

/// Streams pulled at the same time.
pub(crate) const PARALLEL: usize = 4;

/// One stream's end.
pub(crate) type Pulled = (StreamKey, Result<RunReport, SyncError>);

/// The streams that were asked for, in the order of their names. Unless one is named: those that are declared and enabled, without
/// those that are off for what is granted.
pub(crate) fn keys(
    running: &Running,
    connection: Option<&ConnectionName>,
    stream: Option<&StreamName>,
) -> Result<Vec<StreamKey>, SyncError> {
    let mut keys = Vec::new();
    for runtime in running.engine.connections() {
        if connection.is_some_and(|name| name != runtime.name()) {
            continue;
        }
        if let Some(stream) = stream {
            keys.push(running.engine.key(runtime.tenant(), runtime.name(), stream)?);
            continue;
        }
        let (shut, undeclared) = (runtime.shut_streams(), runtime.undeclared_streams());
        for (name, plan) in runtime.streams() {
            if plan.enabled && !shut.contains_key(name) && !undeclared.contains(name) {
                keys.push(running.engine.key(runtime.tenant(), runtime.name(), name)?);
            }
        }
    }
    Ok(keys)
}

/// Runs the streams, some side by side; a failing one does not stop the others.
pub(crate) async fn pull(
    running: &Running,
    keys: Vec<StreamKey>,
    cancel: &CancellationToken,
    progress: &dyn Progress,
) -> Vec<Pulled> {
    let runs = keys.into_iter().map(|key| async move {
        let report =
            running.engine.runs().run(&key, renmen_store::RunTrigger::Manual, cancel.child_token(), progress).await;
        (key, report)
    });
    let mut pulled: Vec<Pulled> = futures_util::stream::iter(runs).buffer_unordered(PARALLEL).collect().await;
    pulled.sort_by(|a, b| a.0.cmp(&b.0));
    pulled
}

/// Says what came in, and what could not because its connection is off.
pub(crate) fn report(out: Output, pulled: &[Pulled], off: &[Unloaded]) -> anyhow::Result<Outcome> {
    let rows = pulled.iter().map(row).chain(off.iter().map(row_off));
    let document: Vec<Value> = pulled
        .iter()
        .map(|(key, end)| match end {
            Ok(report) => json!(report),
            Err(error) => {
                json!({ "key": { "connection": key.connection, "stream": key.stream }, "error": error.to_string() })
            }
        })
        .chain(off.iter().map(|off| json!({ "key": { "connection": off.name }, "off": off.reason })))
        .collect();
    let head = ["connection", "stream", "pages", "records", "changed", "quarantined", "time", "state"];
    out.fitted_table(&head, &["pages", "time", "changed"], rows, &document)?;
    if pulled.iter().any(|(_, end)| end.as_ref().is_ok_and(was_stopped)) {
        return Ok(Outcome::Stopped);
    }
    let good = pulled.iter().filter(|(_, end)| end.as_ref().is_ok_and(RunReport::completed)).count();
    let told =
        pulled.iter().any(|(_, end)| end.as_ref().is_ok_and(|report| report.findings > 0 || nothing_came_in(report)));
    Ok(match (good == pulled.len() && off.is_empty(), good) {
        (true, _) if told => Outcome::Partly,
        (true, _) => Outcome::Done,
        (_, 0) => Outcome::Failed,
        _ => Outcome::Partly,
    })
}

fn was_stopped(report: &RunReport) -> bool {
    report.failure.as_ref().is_some_and(|failure| failure.class == FailureClass::Stopped)
}

/// There were records, and all of them wait in quarantine.
fn nothing_came_in(report: &RunReport) -> bool {
    report.records > 0 && report.outcome.quarantined >= report.records
}

fn row_off(off: &Unloaded) -> Vec<String> {
    let mut row = vec![off.name.to_string()];
    row.extend(std::iter::repeat_n(String::new(), 6));
    row.push(text!("off: {}", "已停用：{}", off.told).to_string());
    row
}

fn row((key, end): &Pulled) -> Vec<String> {
    let mut row = vec![key.connection.to_string(), key.stream.to_string()];
    match end {
        Ok(report) => {
            let changed = report.outcome.created + report.outcome.updated + report.outcome.deleted;
            let took = (report.ended_at_ms - report.started_at_ms) as f64 / 1000.0;
            row.extend([report.pages, report.records, changed, report.outcome.quarantined].map(thousands));
            row.push(format!("{took:.1} s"));
            row.push(match &report.failure {
                Some(failure) => failure.line(),
                None if report.findings > 0 => text!(
                    "{} findings: renmen runs --run {}",
                    "{} 项发现：renmen runs --run {}",
                    report.findings,
                    report.run
                )
                .to_string(),
                None if nothing_came_in(report) => text!(
                    "all in quarantine: renmen quarantine list {}",
                    "全部在隔离区：renmen quarantine list {}",
                    key.connection
                )
                .to_string(),
                None if report.records + report.omitted == 0 => {
                    text!("complete, nothing listed", "完成，列表为空").to_string()
                }
                None if changed == 0 => text!("complete, nothing new", "完成，没有变化").to_string(),
                None => text!("complete", "完成").to_string(),
            });
        }
        Err(error) => {
            row.extend(std::iter::repeat_n(String::new(), 5));
            row.push(error.to_string());
        }
    }
    row
}
