//! `renmen runs`: what ran, newest first.

use renmen_schema::id::ConnectionName;

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
            format!("{:?}", run.state).to_lowercase(),
            time(run.started_at_ms),
            run.ended_at_ms
                .map_or_else(String::new, |end| format!("{:.1} s", (end - run.started_at_ms) as f64 / 1000.0)),
            thousands(run.pages),
            thousands(run.records),
            thousands(run.outcome.created + run.outcome.updated + run.outcome.deleted),
            thousands(run.outcome.quarantined),
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
        "quarantined",
        "error",
    ];
    out.table(&head, rows, &runs)?;
    Ok(Outcome::Done)
}
