//! `renmen check`: would this configuration work? Writes no record.

use renmen_schema::id::ConnectionName;
use renmen_sync::CheckReport;
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::Outcome;
use crate::output::Output;

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, only: Option<&ConnectionName>) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    // A store of its own that is thrown away: a check writes nothing and must not wait for the gateway that holds the real one.
    let scratch = tempfile::tempdir()?;
    let store = deployment.scratch_store(scratch.path()).await?;
    let running = deployment.engine(store, only).await?;
    let cancel = CancellationToken::new();
    let _stop = crate::signals::cancel_on_interrupt(&cancel);
    let mut reports = Vec::new();
    for runtime in running.engine.connections() {
        reports.push(running.engine.check(runtime.tenant(), runtime.name(), &cancel).await?);
    }
    let rows = reports.iter().flat_map(rows);
    out.table(&["connection", "what", "result", "details"], rows, &reports)?;
    Ok(if reports.iter().all(CheckReport::passed) { Outcome::Done } else { Outcome::Failed })
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
        let mut details = format!("{} records, {} refused", stream.records, stream.refused);
        for defect in &stream.defects {
            details.push_str(&format!("; {} × {}: {}", defect.count, defect.code, defect.example));
        }
        if let Some(failure) = &stream.failure {
            details = failure.line();
        }
        rows.push(line(format!("stream: {}", stream.stream), good, details));
    }
    rows.extend(report.grant_misses.iter().map(|miss| line("grant".into(), false, miss.clone())));
    rows
}
