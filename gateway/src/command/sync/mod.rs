//! `renmen sync`: pull now, here or through the gateway that runs.

mod through_gateway;

use renmen_schema::id::{ConnectionName, StreamName};
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use crate::progress::SyncProgress;
use crate::pull;
use crate::running_gateway::{Writing, store_alone, writing};

/// Runs the command. Ctrl-C ends it after the pages that were read.
pub(crate) async fn run(
    common: &Common,
    out: Output,
    connection: Option<&ConnectionName>,
    stream: Option<&StreamName>,
    full: bool,
) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let cancel = CancellationToken::new();
    let _stop = crate::signals::cancel_on_interrupt(&cancel);
    let store = match full {
        true => store_alone(&deployment, "forgetting how far a stream was read (--full)").await?,
        false => match writing(&deployment).await? {
            Writing::Store(store) => store,
            Writing::Gateway(gateway) => {
                let config = &deployment.config;
                return through_gateway::sync(&gateway, config, out, connection, stream, &cancel).await;
            }
        },
    };
    let running = deployment.engine(store, connection).await?;
    let keys = pull::keys(&running, connection, stream).map_err(|e| Usage(e.to_string()))?;
    if keys.is_empty() {
        out.say("no stream is declared and enabled under `streams`, so nothing is pulled; `renmen check` lists those that there are");
    }
    if full {
        for key in &keys {
            running.engine.runs().reset(key).await?;
        }
    }
    let pulled = pull::pull(&running, keys, &cancel, &SyncProgress::new(out.json)).await;
    running.save_budgets().await;
    pull::report(out, &pulled, &running.off)
}
