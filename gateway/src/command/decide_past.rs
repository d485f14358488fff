//! `renmen decide-past`: what the rules say to interviews that ended before the gateway came.

use std::sync::Arc;

use renmen_interview::{InterviewError, SystemClock, decide_past};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::Instant;
use renmen_schema::{Text, text};
use serde_json::json;

use crate::cli::Common;
use crate::deployment::{Deployment, loop_options};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, thousands, time};
use crate::running_gateway::store_alone;

/// Runs the command. Without `apply` it only reads the store, which also works while a gateway is running.
pub(crate) async fn run(
    common: &Common,
    out: Output,
    connection: &ConnectionName,
    from: &str,
    apply: bool,
) -> anyhow::Result<Outcome> {
    let from_ms = Instant::parse(&format!("{from}T00:00:00Z"))
        .map_err(|_| {
            Usage(text!(
                "`--from {from}` is not a day; write it as 2026-01-31",
                "`--from {from}` 不是日期；请写成 2026-01-31"
            ))
        })?
        .epoch_ms();
    let deployment = Deployment::load(common)?;
    let known = deployment.config.connections.get(connection);
    let tenant = known.map(|known| known.tenant.clone());
    let tenant = tenant.ok_or_else(|| {
        Usage(text!("connection `{connection}` is not in the configuration", "连接 `{connection}` 不在配置中"))
    })?;
    let store = if apply {
        store_alone(&deployment, text!("making these decisions", "做出这些决定")).await?
    } else {
        deployment.store_to_read().await?
    };
    let running = deployment.engine(Arc::clone(&store), None).await?;
    let current = running.current();
    let gateway = current.deployment.gateway_name()?.to_owned();
    let options = loop_options(&current.deployment.config, &running.writers(), gateway);
    let past = decide_past(store, Arc::new(SystemClock), &tenant, options, (connection, from_ms), apply).await;
    let past = past.map_err(|error| match error {
        InterviewError::Refused { en, zh } => anyhow::Error::new(Usage(Text::kept(en, zh))),
        other => anyhow::Error::new(other),
    })?;
    let ended = |ms: Option<i64>| ms.map_or_else(|| "unknown".to_owned(), time);
    let score = |one: &renmen_interview::PastDecision| one.score.map(|score| score.to_string());
    let document: Vec<_> = past
        .iter()
        .map(|one| {
            json!({
                "interview": one.interview, "ended_at": one.ended_ms.map(time), "score": score(one), "rule": one.rule,
                "outcome": one.outcome,
            })
        })
        .collect();
    let rows = past.iter().map(|one| {
        vec![
            one.interview.to_string(),
            ended(one.ended_ms),
            score(one).unwrap_or_default(),
            one.rule.clone(),
            one.outcome.as_str().to_owned(),
        ]
    });
    out.table(&["interview", "ended", "score", "rule", "outcome"], rows, &document)?;
    let written = if apply {
        text!("they were written", "已写入")
    } else {
        text!("nothing was written: add --apply", "未写入：请加上 --apply")
    };
    out.say(text!("{} decisions; {written}", "{} 项决定；{written}", thousands(past.len() as u64)));
    Ok(Outcome::Done)
}
