//! `renmen reload`: the running gateway reads its configuration again.

use renmen_schema::text;
use serde_json::Value;

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::Output;
use crate::running_gateway::{Question, RunningGateway};

/// Runs the command. A file with a problem is told of before the gateway is asked.
pub(crate) async fn run(common: &Common, out: Output) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let gateway = RunningGateway::find(&deployment).await?.ok_or_else(|| {
        let dir = deployment.config.gateway.data_dir.display().to_string();
        Usage(text!(
            "no gateway runs with the data directory {dir}: start it with `renmen serve`, or send SIGHUP to the one that is meant",
            "没有使用数据目录 {dir} 运行的网关：请用 `renmen serve` 启动，或向目标进程发送 SIGHUP"
        ))
    })?;
    let changed = gateway.post("/v1/configuration/reload", Question::default()).await?.good()?;
    let rows = ["connections", "channels", "endpoints", "flows"].into_iter().flat_map(|section| {
        let names = &changed[section];
        ["added", "changed", "removed"].into_iter().flat_map(move |what| {
            let each = names[what].as_array().into_iter().flatten();
            each.map(move |name| {
                vec![section.to_owned(), name.as_str().unwrap_or_default().to_owned(), what.to_owned()]
            })
        })
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let nothing = rows.is_empty();
    out.table(&["section", "name", "what"], rows, &changed)?;
    if nothing {
        out.say(text!("nothing changed; secrets and plugins were read again", "没有变化；已重新读取密钥与插件"));
    }
    let keys: Vec<&str> = changed["needs_restart"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if keys.is_empty() {
        return Ok(Outcome::Done);
    }
    let keys = keys.join(", ");
    out.say(text!("restart the gateway for: {keys}", "以下配置需重启网关后生效：{keys}"));
    Ok(Outcome::Partly)
}
