//! `renmen deliveries`: what flows sent and will send.

use renmen_schema::text;
use renmen_store::outbox::{DeliveryQuery, DeliveryState};
use serde_json::{Value, json};

use crate::cli::{Common, Deliveries as Ask};
use crate::command::flow::word;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};
use crate::running_gateway::{Question, RunningGateway, Writing, segment, writing};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        Ask::List { flow, state, connection, record, limit } => {
            let state = state.as_deref().map(read_state).transpose()?;
            let record = record.as_deref().map(str::parse).transpose();
            let record = record.map_err(|_| Usage(text!("that is not the id of a record", "不是记录的编号")))?;
            let query = DeliveryQuery {
                flow: flow.clone(),
                state,
                connection: connection.clone(),
                action: None,
                record,
                before: None,
                limit: *limit,
            };
            list(&deployment, out, &query).await
        }
        Ask::Replay { id, flow } => replay(deployment, out, *id, flow.as_deref()).await,
    }
}

fn read_state(text: &str) -> Result<DeliveryState, Usage> {
    let known = "pending, in_flight, unconfirmed, delivered, dead, withheld, expired";
    serde_json::from_value(json!(text)).map_err(|_| {
        Usage(text!("`{text}` is not a state; the states are {known}", "`{text}` 不是状态；可用的为 {known}"))
    })
}

async fn list(deployment: &Deployment, out: Output, query: &DeliveryQuery) -> anyhow::Result<Outcome> {
    let store = deployment.store_to_read().await?;
    let found = store.deliveries(&deployment.config.gateway.tenant, query).await?;
    let document: Vec<Value> = found
        .iter()
        .map(|row| {
            json!({
                "id": row.id, "flow": row.flow, "flow_version": row.flow_version, "change": row.change.seq,
                "record": row.change.id, "connection": row.connection, "action": row.action, "state": row.state,
                "attempts": row.attempts, "reference": row.receipt.as_ref().and_then(|kept| kept.reference.clone()),
                "error": row.error, "updated_at": time(row.updated_at_ms),
                "by_hand": renmen_flow::ByHand::of(row).map(|hand| json!({ "by": hand.by, "reason": hand.reason })),
            })
        })
        .collect();
    let rows = found.iter().map(|row| {
        vec![
            row.id.to_string(),
            format!("{} v{}", row.flow, row.flow_version),
            row.change.seq.to_string(),
            format!("{} {}", row.connection, row.action),
            word(row.state),
            row.attempts.to_string(),
            time(row.updated_at_ms),
            renmen_flow::ByHand::of(row).map(|hand| format!("{}: {}", hand.by, hand.reason)).unwrap_or_default(),
            row.error.clone().unwrap_or_default(),
        ]
    });
    let head = ["id", "flow", "change", "to", "state", "attempts", "since", "by hand", "error"];
    out.fitted_table(&head, &["attempts", "change", "since", "by hand"], rows, &document)?;
    Ok(Outcome::Done)
}

async fn replay(deployment: Deployment, out: Output, id: Option<i64>, flow: Option<&str>) -> anyhow::Result<Outcome> {
    let tenant = deployment.config.gateway.tenant.clone();
    if id.is_none() && flow.is_none() {
        return Err(Usage(text!("name a delivery, or a flow with --flow", "请写明投递，或用 --flow 写明流程")).into());
    }
    let (replayed, sentence) = match writing(&deployment).await? {
        Writing::Store(store) => {
            let running = deployment.engine(store, None).await?;
            let replayed = match (id, flow) {
                (None, Some(flow)) => running.flows.replay_dead(&tenant, flow).await?,
                _ => running.flows.replay(&tenant, id.unwrap_or_default()).await.map(|_| 1)?,
            };
            (
                replayed,
                text!("{replayed} will be sent again when the gateway runs", "{replayed} 条将在网关运行时重新发送"),
            )
        }
        Writing::Gateway(gateway) => {
            let replayed = replay_there(&gateway, id, flow).await?;
            (replayed, text!("{replayed} will be sent again", "{replayed} 条将重新发送"))
        }
    };
    if out.json {
        out.document(&json!({ "replayed": replayed }))?;
    }
    out.say(sentence);
    Ok(Outcome::Done)
}

async fn replay_there(gateway: &RunningGateway, id: Option<i64>, flow: Option<&str>) -> anyhow::Result<u64> {
    if let Some(flow) = flow {
        let path = format!("/v1/flows/{}/replay-dead", segment(flow));
        let answer = gateway.post(&path, Question::default()).await?.good()?;
        return Ok(answer["replayed"].as_u64().unwrap_or_default());
    }
    gateway.post(&format!("/v1/deliveries/{}/replay", id.unwrap_or_default()), Question::default()).await?.good()?;
    Ok(1)
}
