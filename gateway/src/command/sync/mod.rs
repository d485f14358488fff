//! `renmen sync`: pull now, here or through the gateway that runs.

mod through_gateway;

use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::{Text, text};
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
        true => {
            store_alone(
                &deployment,
                text!("forgetting how far a stream was read (--full)", "清除数据流的读取位置（--full）"),
            )
            .await?
        }
        false => match writing(&deployment).await? {
            Writing::Store(store) => store,
            Writing::Gateway(gateway) => {
                let config = &deployment.config;
                return through_gateway::sync(&gateway, config, out, connection, stream, &cancel).await;
            }
        },
    };
    let running = deployment.engine(store, connection).await?;
    let keys = pull::keys(&running, connection, stream).map_err(|e| Usage(Text::rendered(|| e.to_string())))?;
    if keys.is_empty() {
        out.say(text!("no stream is declared and enabled under `streams`, so nothing is pulled; `renmen check` lists those that there are", "`streams` 下没有声明并启用的数据流，因此没有拉取；`renmen check` 列出已有的数据流"));
    }
    if full {
        for key in &keys {
            running.engine.runs().reset(key).await?;
        }
    }
    let pulled = pull::pull(&running, keys, &cancel, &SyncProgress::new(out.json)).await;
    running.save_budgets().await;
    pull::report(out, &pulled, &running.current().off)
}
