//! `renmen sync` while a gateway is running: the gateway starts the runs, and this follows them to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use renmen_config::Config;
use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::text;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::exit::{Outcome, Usage};
use crate::output::{Output, counted, thousands};
use crate::progress;
use crate::pull::PARALLEL;
use crate::running_gateway::{Question, RunningGateway};

/// Between two looks at a run.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Between two lines about a run that goes on.
const LINE_EVERY: u32 = 20;

type Stream = (ConnectionName, StreamName);

/// Has the streams pulled, some side by side. Ctrl-C ends the following alone: the runs go on in the gateway.
pub(super) async fn sync(
    gateway: &RunningGateway,
    config: &Config,
    out: Output,
    connection: Option<&ConnectionName>,
    stream: Option<&StreamName>,
    cancel: &CancellationToken,
) -> anyhow::Result<Outcome> {
    let streams = wanted(config, connection, stream)?;
    let runs = streams.into_iter().map(|stream| async move {
        let end = follow(gateway, &stream, cancel, out.json).await;
        (stream, end)
    });
    let ends: BTreeMap<Stream, anyhow::Result<Value>> =
        futures_util::stream::iter(runs).buffer_unordered(PARALLEL).collect().await;
    report(out, &ends, cancel.is_cancelled())
}

/// The declared streams of the gateway's own tenant; a command has the key of no other.
fn wanted(
    config: &Config,
    connection: Option<&ConnectionName>,
    stream: Option<&StreamName>,
) -> Result<Vec<Stream>, Usage> {
    if let Some(name) = connection
        && !config.connections.contains_key(name)
    {
        return Err(Usage(text!(
            "there is no connection `{name}` in {}",
            "{} 中没有连接 `{name}`",
            config.path.display()
        )));
    }
    if let (Some(connection), Some(stream)) = (connection, stream) {
        return Ok(vec![(connection.clone(), stream.clone())]);
    }
    let own = config.connections.iter().filter(|(name, one)| {
        one.enabled && one.tenant == config.gateway.tenant && connection.is_none_or(|only| only == *name)
    });
    let streams = own.flat_map(|(name, one)| {
        let enabled = one.streams.iter().filter(|(_, plan)| plan.enabled);
        enabled.map(|(stream, _)| (name.clone(), stream.clone()))
    });
    Ok(streams.collect())
}

/// A run from its begin to its end: the run as the API shows it.
async fn follow(
    gateway: &RunningGateway,
    (connection, stream): &Stream,
    cancel: &CancellationToken,
    json: bool,
) -> anyhow::Result<Value> {
    let path = format!("/v1/connections/{connection}/streams/{stream}/runs");
    let begun = gateway.post(&path, Question::default()).await?.good()?;
    let url = begun["url"].as_str().unwrap_or_default().to_owned();
    let mut looks = 0_u32;
    loop {
        let run = gateway.get(&url).await?.good()?;
        if run["state"] != "running" || cancel.is_cancelled() {
            return Ok(run);
        }
        looks += 1;
        if !json && looks.is_multiple_of(LINE_EVERY) {
            let count = |key: &str, one, chinese| counted(run[key].as_u64().unwrap_or_default(), one, chinese);
            progress::line(&text!(
                "{connection}/{stream}: {}, {} so far",
                "{connection}/{stream}：已有 {}，{}",
                count("pages", "page", "页"),
                count("records", "record", "条记录")
            ));
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = cancel.cancelled() => {}
        }
    }
}

fn report(out: Output, ends: &BTreeMap<Stream, anyhow::Result<Value>>, stopped: bool) -> anyhow::Result<Outcome> {
    let document: Vec<Value> = ends
        .iter()
        .map(|((connection, stream), end)| match end {
            Ok(run) => run.clone(),
            Err(error) => json!({ "connection": connection, "stream": stream, "error": format!("{error:#}") }),
        })
        .collect();
    let rows = ends.iter().map(|((connection, stream), end)| {
        let mut row = vec![connection.to_string(), stream.to_string()];
        match end {
            Ok(run) => {
                let count = |key: &str| run[key].as_u64().unwrap_or_default();
                let changed = count("created") + count("updated") + count("deleted");
                row.extend([count("pages"), count("records"), changed, count("quarantined")].map(thousands));
                row.push(state(run));
            }
            Err(error) => {
                row.extend(std::iter::repeat_n(String::new(), 4));
                row.push(format!("{error:#}"));
            }
        }
        row
    });
    let head = ["connection", "stream", "pages", "records", "changed", "quarantined", "state"];
    out.fitted_table(&head, &["pages", "changed"], rows, &document)?;
    if stopped && ends.values().any(|end| end.as_ref().is_ok_and(|run| run["state"] == "running")) {
        out.say(text!(
            "the runs go on in the gateway: `renmen runs` shows them",
            "运行在网关中继续：`renmen runs` 列出运行"
        ));
        return Ok(Outcome::Stopped);
    }
    let good = ends.values().filter(|end| end.as_ref().is_ok_and(is_complete)).count();
    let whole = ends.values().all(|end| end.as_ref().is_ok_and(|run| run["state"] == "completed" && !is_lost(run)));
    Ok(match (whole, good) {
        (true, _) => Outcome::Done,
        (false, 0) => Outcome::Failed,
        _ => Outcome::Partly,
    })
}

fn is_complete(run: &Value) -> bool {
    matches!(run["state"].as_str(), Some("completed" | "completed_with_findings"))
}

/// There were records, and all of them wait in quarantine.
fn is_lost(run: &Value) -> bool {
    let count = |key: &str| run[key].as_u64().unwrap_or_default();
    count("records") > 0 && count("quarantined") >= count("records")
}

fn state(run: &Value) -> String {
    match (run["state"].as_str(), run["error"].as_str()) {
        (_, Some(error)) => error.to_owned(),
        (Some("completed_with_findings"), _) => {
            format!("{} findings: renmen runs --run {}", run["finding_count"], run["id"])
        }
        (Some("completed"), _) => "complete".to_owned(),
        (state, _) => state.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_streams_of_the_own_tenant_are_asked_for_and_no_others() {
        let text = "[connections.a]\nplugin = \"a.wasm\"\nstreams.x = { manual = true }\nstreams.y = { enabled = false }\n\
                    [connections.b]\nplugin = \"b.wasm\"\ntenant = \"other\"\nstreams.x = { manual = true }\n\
                    [connections.c]\nplugin = \"c.wasm\"\nenabled = false\nstreams.x = { manual = true }\n";
        let options = renmen_config::LoadOptions { dev: true, env: &|_| None };
        let config = Config::parse(text, std::path::Path::new("c.toml"), options).expect("a configuration");
        let names = |connection: Option<&str>, stream: Option<&str>| {
            let connection = connection.map(|name| name.parse::<ConnectionName>().expect("a name"));
            let stream = stream.map(|name| name.parse::<StreamName>().expect("a name"));
            let found = wanted(&config, connection.as_ref(), stream.as_ref());
            found.map(|all| all.iter().map(|(one, other)| format!("{one}/{other}")).collect::<Vec<_>>())
        };
        assert_eq!(names(None, None).ok(), Some(vec!["a/x".to_owned()]));
        assert_eq!(
            names(Some("a"), Some("z")).ok(),
            Some(vec!["a/z".to_owned()]),
            "by its name, regardless of the file"
        );
        assert!(names(Some("d"), None).is_err());
    }

    #[test]
    fn a_run_that_took_nothing_in_is_not_whole() {
        let run = |state: &str, records: u64, quarantined: u64| json!({ "state": state, "records": records, "quarantined": quarantined });
        let end = |run: Value| {
            let key = ("a".parse().expect("a name"), "x".parse().expect("a name"));
            let out = Output { json: true, wide: false, language: renmen_schema::Language::English };
            report(out, &BTreeMap::from([(key, Ok(run))]), false).expect("a report")
        };
        assert_eq!(end(run("completed", 3, 1)), Outcome::Done);
        assert_eq!(end(run("completed", 3, 3)), Outcome::Partly);
        assert_eq!(end(run("completed_with_findings", 3, 0)), Outcome::Partly);
        assert_eq!(end(run("failed", 3, 0)), Outcome::Failed);
    }
}
