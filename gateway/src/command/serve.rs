//! `renmen serve`: the schedule and the API, until stopped.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use renmen_api::{ApiKey, ApiParts, AppState};
use renmen_schema::{Text, text};
use renmen_store::EntityCount;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::bridge::{ControlBridge, HooksBridge};
use crate::cli::{Common, Serve};
use crate::deployment::{Deployment, Running, adjust_options, open_interviews, remarks};
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use crate::progress::SyncProgress;
use crate::running_gateway::Address;
use crate::{api_options, pull, ready, signals};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, serve: &Serve) -> anyhow::Result<Outcome> {
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().context("metrics")?;
    let deployment = Deployment::load(common)?;
    let gateway = &deployment.config.gateway;
    let address = match &serve.listen {
        Some(text) => text.parse().map_err(|_| {
            Usage(text!(
                "`{text}` is not an address with a port, such as 127.0.0.1:7300",
                "`{text}` 不是带端口的地址，例如 127.0.0.1:7300"
            ))
        })?,
        None => gateway.listen,
    };
    // The file was checked when it was read; what the command line says was not.
    gateway
        .may_listen(address, common.dev)
        .map_err(|refusal| Usage(text!("{}: {}", "{}：{}", refusal.why, refusal.help)))?;
    let options = api_options::of(&deployment.config)?;
    let listener =
        TcpListener::bind(address).await.with_context(|| text!("cannot listen on {address}", "无法监听 {address}"))?;
    let address = listener.local_addr()?;
    let store = deployment.store().await?;
    let running = Arc::new(deployment.engine(store, None).await?);
    running.deployment.register_flows(&running.flows).await?;
    let endpoints = running.endpoint_registry();
    endpoints.load(&running.deployment.tenants()).await?;
    let cancel = CancellationToken::new();
    let _stop = signals::cancel_on_interrupt(&cancel);

    let (interviews, loop_work) = open_interviews(&running).await?;
    for (place, why) in remarks(&running.deployment.config, &running.writers()) {
        tracing::warn!(place, "{why}");
    }
    let machine_key = ApiKey::generate()?;
    let dev_key = common.dev.then(ApiKey::generate).transpose()?;
    let decision_links = running.links.as_ref().map(|links| links.begin(&running.deployment)).transpose()?;
    let parts = ApiParts {
        store: Arc::clone(&running.store),
        control: Arc::new(ControlBridge::new(Arc::clone(&running), cancel.clone())),
        hooks: Arc::new(HooksBridge::new(Arc::clone(&running))),
        interviews,
        adjust: adjust_options(&running.deployment.config, &running.writers()),
        decision_links,
        flows: Arc::clone(&running.flows),
        endpoints: Arc::new(endpoints),
        metrics,
    };
    let state = AppState::new(parts, options)
        .with_key_of_this_machine(&machine_key, running.deployment.config.gateway.tenant.clone());
    let state = match &dev_key {
        Some(key) => state.with_key_of_this_process(key, running.deployment.config.gateway.tenant.clone()),
        None => state,
    };
    let _announced = Address::announce(&running.deployment.config, address, &machine_key)?;
    let api = tokio::spawn(renmen_api::serve(listener, state, cancel.clone().cancelled_owned()));

    let budgets = tokio::spawn(crate::deployment::keep_budgets(Arc::clone(&running)));
    let mut outcome = Outcome::Done;
    if serve.pull_first {
        let keys = pull::keys(&running, None, None)?;
        let pulled = pull::pull(&running, keys, &cancel, &SyncProgress::new(out.json)).await;
        outcome = pull::report(out, &pulled, &running.off)?;
        // To be stopped is how a gateway ends.
        if outcome == Outcome::Stopped {
            outcome = Outcome::Done;
        }
    }
    greet(out, &running, &format!("http://{address}"), dev_key.as_ref(), serve.ready_file.as_deref()).await?;

    let engine = Arc::clone(&running.engine);
    let schedule = tokio::spawn({
        let cancel = cancel.clone();
        async move { engine.serve(cancel).await }
    });
    let interview_loop = tokio::spawn(loop_work.run(cancel.clone()));
    let flows = tokio::spawn(Arc::clone(&running.flows).serve(cancel.clone()));
    let reloads = tokio::spawn(reload_at_hangup(Arc::clone(&running)));
    let figures = tokio::spawn(crate::deployment::report_memory(running.memory.clone()));
    let references = tokio::spawn(crate::deployment::report_references(Arc::clone(&running)));
    let served = api.await.context("the API's task")?;
    // The API ends when asked to, or because its listener broke: then nothing else should go on either.
    cancel.cancel();
    reloads.abort();
    figures.abort();
    references.abort();
    let both = async { tokio::join!(schedule, flows) };
    let ended = tokio::time::timeout(running.deployment.config.gateway.shutdown_wait, both).await;
    if tokio::time::timeout(running.deployment.config.gateway.shutdown_wait, interview_loop).await.is_err() {
        tracing::warn!("The interview loop did not end in time; it goes on from its place at the next start");
    }
    // Work that was not done by now has been cut off: nothing more is sent, so the counts are final.
    budgets.abort();
    running.save_budgets().await;
    served?;
    match ended {
        Ok((schedule, flows)) => {
            flows.context("the flows' task")?;
            schedule.context("the schedule's task")??;
        }
        Err(_) => tracing::warn!("Runs and deliveries that did not end in time were cut; they go on at the next start"),
    }
    Ok(outcome)
}

async fn reload_at_hangup(running: Arc<Running>) {
    loop {
        signals::hangup().await;
        if let Err(error) = running.reload().await {
            tracing::error!(%error, "Reload failed; the old plugins stay");
        }
    }
}

/// Where it listens, and on a developer's machine a key with lines to try. That key is in no store: it ends with the process.
async fn greet(
    out: Output,
    running: &Running,
    url: &str,
    dev_key: Option<&ApiKey>,
    ready_file: Option<&Path>,
) -> anyhow::Result<()> {
    let config = &running.deployment.config;
    let Some(api_key) = dev_key else {
        out.say(text!("serving {url} (documentation at {url}/docs)", "正在 {url} 提供服务（文档见 {url}/docs）"));
        return ready_file.map_or(Ok(()), |file| ready::write(file, &json!({ "url": url })));
    };
    let tenant = &config.gateway.tenant;
    let greeting = json!({ "url": url, "key": api_key.expose() });
    if let Some(file) = ready_file {
        ready::write(file, &greeting)?;
    }
    if out.json {
        return out.document(&greeting);
    }
    let greeting = text!(
        "serving {url} (documentation at {url}/docs)\n\n  export KEY={}\n",
        "正在 {url} 提供服务（文档见 {url}/docs）\n\n  export KEY={}\n",
        api_key.expose()
    );
    let calls = suggestions(&running.store.counts(tenant).await?).into_iter();
    let calls =
        calls.map(|path| format!("  curl -H \"Authorization: Bearer $KEY\" '{url}{path}'\n")).collect::<String>();
    out.say(Text::rendered(|| format!("{greeting}{calls}")));
    Ok(())
}

/// A line for each family that has records, then the feed.
fn suggestions(counts: &[EntityCount]) -> Vec<String> {
    let wanted = ["employee", "candidate", "interview_result", "pay_band", "payroll_record", "performance_metric"];
    let mut paths: Vec<String> = wanted
        .iter()
        .filter(|entity| counts.iter().any(|count| count.entity == **entity && count.live > 0))
        .filter_map(|entity| renmen_schema::EntityKind::from_name(entity))
        .map(|kind| format!("/v1/{}?limit=2", kind.collection()))
        .collect();
    paths.push("/v1/changes?limit=5".to_owned());
    paths.push("/v1/runs".to_owned());
    paths
}
