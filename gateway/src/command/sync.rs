//! `renmen sync`: pull now.

use renmen_schema::id::{ConnectionName, StreamName};
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use crate::progress::Bars;
use crate::pull;

/// Runs the command. Ctrl-C ends it after the pages that were read.
pub(crate) async fn run(
    common: &Common,
    out: Output,
    connection: Option<&ConnectionName>,
    stream: Option<&StreamName>,
    full: bool,
) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = deployment.store().await?;
    let running = deployment.engine(store, connection).await?;
    let keys = pull::keys(&running, connection, stream).map_err(|e| Usage(e.to_string()))?;
    if full {
        for key in &keys {
            running.engine.reset(key).await?;
        }
    }
    let cancel = CancellationToken::new();
    let _stop = crate::signals::cancel_on_interrupt(&cancel);
    let pulled = pull::pull(&running, keys, &cancel, &Bars::new(out.json)).await;
    running.save_budgets().await;
    pull::report(out, &pulled, &running.off)
}
