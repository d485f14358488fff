//! `renmen serve`: the schedule and the API, until stopped.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use renmen_analysis::AnalysisWork;
use renmen_api::{ApiKey, ApiParts, AppState, Roles};
use renmen_interview::LoopWork;
use renmen_people::PeopleWork;
use renmen_schema::{Text, text};
use renmen_store::EntityCount;
use renmen_sync::SyncError;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bridge::{ConfigurationBridge, ControlBridge, HooksBridge};
use crate::cli::{Common, Serve, ServeRole};
use crate::deployment::{
    Deployment, Insights, Running, adjust_options, export_at_times, open_insights, open_interviews, open_ledger,
    open_people, remarks,
};
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use crate::progress::SyncProgress;
use crate::running_gateway::Address;
use crate::signals::Hangups;
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
    let roles = roles_of(serve, &deployment)?;
    let store = deployment.store().await?;
    let running = Arc::new(deployment.engine(store, None).await?);
    let current = running.current();
    let config = &current.deployment.config;
    current.deployment.register_flows(&running.flows).await?;
    let endpoints = running.endpoint_registry();
    endpoints.load(&current.deployment.tenants()).await?;
    let cancel = CancellationToken::new();
    let _stop = signals::cancel_on_interrupt(&cancel);
    let hangups = Hangups::listen();

    let (interviews, loop_work) = open_interviews(&running).await?;
    let (people, people_work) = open_people(&running)?;
    let insights = open_insights(&running)?;
    for (place, why) in remarks(config, &running.writers()) {
        tracing::warn!(place, "{why}");
    }
    let machine_key = ApiKey::generate()?;
    let dev_key = common.dev.then(ApiKey::generate).transpose()?;
    let decision_links = running.links.as_ref().map(|links| links.begin(&current.deployment)).transpose()?;
    let parts = ApiParts {
        store: Arc::clone(&running.store),
        control: Arc::new(ControlBridge::new(Arc::clone(&running), cancel.clone())),
        configuration: Arc::new(ConfigurationBridge::new(Arc::clone(&running), roles)),
        hooks: Arc::new(HooksBridge::new(Arc::clone(&running))),
        interviews,
        people,
        adjust: adjust_options(config, &running.writers()),
        decision_links,
        ledger: open_ledger(&running)?,
        flows: Arc::clone(&running.flows),
        endpoints: Arc::clone(endpoints),
        analysis: Arc::clone(&insights.analysis),
        schedules: insights.schedules.clone(),
        metrics,
    };
    let state = AppState::new(parts, options).with_key_of_this_machine(&machine_key, config.gateway.tenant.clone());
    let state = match &dev_key {
        Some(key) => state.with_key_of_this_process(key, config.gateway.tenant.clone()),
        None => state,
    };
    let _announced = Address::announce(config, address, &machine_key)?;
    let watching = crate::deployment::watch_registries(Arc::clone(&running), state.clone());
    let registries = tokio::spawn(watching);
    let api = tokio::spawn(renmen_api::serve(listener, state, cancel.clone().cancelled_owned()));

    let timed = Arc::clone(&running);
    let clock = tokio::spawn(async move { timed.keep_clock().await });
    let vault = tokio::spawn(crate::deployment::watch_vault(Arc::clone(&running)));
    let budgets = tokio::spawn(crate::deployment::keep_budgets(Arc::clone(&running)));
    let mut outcome = Outcome::Done;
    if serve.pull_first {
        let keys = pull::keys(&running, None, None)?;
        let pulled = pull::pull(&running, keys, &cancel, &SyncProgress::new(out.json)).await;
        outcome = pull::report(out, &pulled, &running.current().off)?;
        // To be stopped is how a gateway ends.
        if outcome == Outcome::Stopped {
            outcome = Outcome::Done;
        }
    }
    greet(out, &running, &format!("http://{address}"), dev_key.as_ref(), serve.ready_file.as_deref()).await?;

    let rows = tokio::spawn(Insights::follow(Arc::clone(&running.store), insights.tenants.clone()));
    let work = Work::begin(&running, (loop_work, people_work, insights.work), roles, &cancel);
    let reloads = tokio::spawn(reload_at_hangup(Arc::clone(&running), hangups));
    let figures = tokio::spawn(crate::deployment::report_memory(running.memory.clone()));
    let references = tokio::spawn(crate::deployment::report_references(Arc::clone(&running)));
    let served = api.await.context("the API's task")?;
    // The API ends when asked to, or because its listener broke: then nothing else should go on either.
    cancel.cancel();
    reloads.abort();
    figures.abort();
    references.abort();
    rows.abort();
    registries.abort();
    vault.abort();
    clock.abort();
    let ended = work.end(config.gateway.shutdown_wait).await;
    // Work that was not done by now has been cut off: nothing more is sent, so the counts are final.
    budgets.abort();
    running.save_budgets().await;
    served?;
    ended?;
    Ok(outcome)
}

/// Background work, as far as this process has the role for it.
struct Work {
    pull: JoinHandle<Result<(), SyncError>>,
    push: Option<JoinHandle<()>>,
    interviews: Option<JoinHandle<()>>,
    people: JoinHandle<()>,
    insights: Option<JoinHandle<()>>,
    exports: Option<JoinHandle<()>>,
}

impl Work {
    fn begin(
        running: &Arc<Running>,
        (interviews, people, insights): (LoopWork, PeopleWork, AnalysisWork),
        roles: Roles,
        cancel: &CancellationToken,
    ) -> Self {
        for role in roles.names() {
            metrics::gauge!("renmen_role", "role" => role).set(1.0);
        }
        let (engine, stop) = (Arc::clone(&running.engine), cancel.clone());
        let pull = match roles.pull {
            true => tokio::spawn(async move { engine.serve(stop).await }),
            // What others pull is shown here too.
            false => tokio::spawn(async move { engine.watch(stop).await }),
        };
        Self {
            pull,
            push: roles.push.then(|| tokio::spawn(Arc::clone(&running.flows).serve(cancel.clone()))),
            interviews: roles.push.then(|| tokio::spawn(interviews.run(cancel.clone()))),
            people: match roles.push {
                true => tokio::spawn(people.run(cancel.clone())),
                // What others link is shown here too.
                false => tokio::spawn(people.watch(cancel.clone())),
            },
            insights: roles.push.then(|| tokio::spawn(insights.run(cancel.clone()))),
            exports: roles.push.then(|| tokio::spawn(export_at_times(Arc::clone(running), cancel.clone()))),
        }
    }

    /// Waits until it has ended, each part for so long at most.
    async fn end(self, most: Duration) -> anyhow::Result<()> {
        let both = async {
            let push = match self.push {
                Some(push) => push.await,
                None => Ok(()),
            };
            (self.pull.await, push)
        };
        let ended = tokio::time::timeout(most, both).await;
        if let Some(interviews) = self.interviews
            && tokio::time::timeout(most, interviews).await.is_err()
        {
            tracing::warn!("The interview loop did not end in time; it goes on from its place at the next start");
        }
        if tokio::time::timeout(most, self.people).await.is_err() {
            tracing::warn!(
                "Linking records to persons did not end in time; it goes on from its place at the next start"
            );
        }
        if let Some(insights) = self.insights
            && tokio::time::timeout(most, insights).await.is_err()
        {
            tracing::warn!("A question of the schedule was not answered in time; it is asked again at the next start");
        }
        if let Some(exports) = self.exports
            && tokio::time::timeout(most, exports).await.is_err()
        {
            tracing::warn!("An export did not end in time; it has no manifest, and is written again at the next start");
        }
        match ended {
            Ok((pull, push)) => {
                push.context("the flows' task")?;
                pull.context("the schedule's task")??;
            }
            Err(_) => {
                tracing::warn!("Runs and deliveries that did not end in time were cut; they go on at the next start");
            }
        }
        Ok(())
    }
}

/// The roles of this process. With SQLite no other process could have those that are left out.
fn roles_of(serve: &Serve, deployment: &Deployment) -> Result<Roles, Usage> {
    if serve.role.is_empty() {
        return Ok(Roles::ALL);
    }
    let has = |role| serve.role.contains(&role);
    let roles = Roles {
        api: has(ServeRole::Api),
        hooks: has(ServeRole::Hooks),
        pull: has(ServeRole::Pull),
        push: has(ServeRole::Push),
    };
    if roles != Roles::ALL && deployment.config.store.url.expose().starts_with("sqlite:") {
        return Err(Usage(text!(
            "one process holds a SQLite store, so it must have every role: leave `--role` out, or keep the store in PostgreSQL (`store.url`)",
            "SQLite 存储由一个进程独占，因此它必须承担全部角色：请去掉 `--role`，或使用 PostgreSQL 存储（`store.url`）"
        )));
    }
    if serve.pull_first && !roles.pull {
        return Err(Usage(text!(
            "`--pull-first` needs the role `pull`: add it to `--role`",
            "`--pull-first` 需要角色 `pull`：请加入 `--role`"
        )));
    }
    Ok(roles)
}

/// What a reload says stands in the log and in the health.
async fn reload_at_hangup(running: Arc<Running>, mut hangups: Hangups) {
    loop {
        hangups.next().await;
        let running = Arc::clone(&running);
        // In a task of its own, so that a shutdown does not leave a reload half done.
        let _ = tokio::spawn(async move { running.reload().await.is_ok() }).await;
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
    let current = running.current();
    let config = &current.deployment.config;
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
