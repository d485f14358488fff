//! `renmen adjust`: instructions to change a vendor's model.

use std::path::Path;

use renmen_interview::{
    AdjustAct, AdjustActKind, Adjusted, InterviewError, ProposeAsk, act_on_adjustment, propose_adjustment,
};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::{Text, text};
use renmen_store::{BUILT_IN_CONNECTION, RecordQuery, RecordRow, Store};
use serde_json::{Value, json};

use super::act::read_json;
use crate::cli::{Adjust as Ask, Common, Why};
use crate::deployment::{Deployment, adjust_options, now_ms};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};
use crate::running_gateway::{Question, RunningGateway, Writing, writing};

const ENTITY: &str = "model_adjustment";
fn no_instruction() -> Text {
    text!(
        "instruction not found; `renmen adjust list` shows all of them",
        "没有该指令；`renmen adjust list` 列出已有的指令"
    )
}

/// Runs the command. `list` and `show` only read the store, which also works while a gateway is running.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        Ask::List { status } => list(&deployment, out, status.as_deref()).await,
        Ask::Show { id } => show(&deployment, out, id).await,
        Ask::Propose { file, why, idempotency_key } => {
            propose(deployment, out, file, why, idempotency_key.as_deref()).await
        }
        Ask::Approve { id, why } => act(deployment, out, id, AdjustActKind::Approve, why).await,
        Ask::Reject { id, why } => act(deployment, out, id, AdjustActKind::Reject, why).await,
        Ask::Revert { id, why, profile_version } => {
            act(deployment, out, id, AdjustActKind::Revert { version: *profile_version }, why).await
        }
    }
}

async fn list(deployment: &Deployment, out: Output, status: Option<&str>) -> anyhow::Result<Outcome> {
    let store = deployment.store_to_read().await?;
    let mut found = own(&*store, &deployment.config.gateway.tenant).await?;
    found.retain(|(_, body)| status.is_none_or(|status| body["status"] == status));
    found.reverse();
    let document: Vec<Value> = found.iter().map(|(row, body)| document(row, body)).collect();
    let rows = found.iter().map(|(row, body)| {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let ops = body["ops"].as_array().into_iter().flatten().map(told);
        vec![
            row.id.to_string(),
            text("status"),
            body["target"]["vendor_connection"].as_str().unwrap_or_default().to_owned(),
            ops.collect::<Vec<_>>().join("; "),
            text("requested_by"),
            text("approved_by"),
            time(row.recorded_at_ms),
            text("refusal"),
        ]
    });
    let head = ["id", "status", "vendor", "changes", "proposed by", "approved by", "since", "refused for"];
    out.fitted_table(&head, &["since", "approved by", "proposed by", "vendor"], rows, &document)?;
    Ok(Outcome::Done)
}

/// One change in a few words.
fn told(op: &Value) -> String {
    let text = |pointer: &str| op.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let what = [text("/competency/external/value"), text("/signal/value"), text("/question/value"), text("/feature")];
    let what = what.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    match (op["from_bp"].as_u64(), op["to_bp"].as_u64()) {
        (Some(from), Some(to)) => format!("{} {what} {from} to {to} bp", text("/op")),
        _ => format!("{} {what}", text("/op")),
    }
}

async fn show(deployment: &Deployment, out: Output, id: &str) -> anyhow::Result<Outcome> {
    let store = deployment.store_to_read().await?;
    let row = store.record(&deployment.config.gateway.tenant, id_of(id)?).await?;
    let Some(row) = row.filter(|row| row.entity == ENTITY && row.connection.as_str() == BUILT_IN_CONNECTION) else {
        out.say(no_instruction());
        return Ok(Outcome::Failed);
    };
    let body: Value = serde_json::from_slice(&row.body)?;
    out.document(&document(&row, &body))?;
    Ok(Outcome::Done)
}

async fn propose(
    deployment: Deployment,
    out: Output,
    file: &Path,
    why: &Why,
    idempotency_key: Option<&str>,
) -> anyhow::Result<Outcome> {
    let ask = ProposeAsk {
        instruction: read_json(file)?,
        person: why.person.clone(),
        reason: why.reason.clone(),
        idempotency_key: idempotency_key.map(str::to_owned),
    };
    let tenant = deployment.config.gateway.tenant.clone();
    let store = match writing(&deployment).await? {
        Writing::Store(store) => store,
        Writing::Gateway(gateway) => {
            let mut body = ask.instruction.clone();
            if let Some(object) = body.as_object_mut() {
                object.insert("reason".to_owned(), json!(why.reason));
            }
            return ask_gateway(&gateway, out, "/v1/model-adjustments", body, why, idempotency_key).await;
        }
    };
    let running = deployment.engine(store, None).await?;
    let options = adjust_options(&running.current().deployment.config, &running.writers());
    let done = propose_adjustment(&*running.store, &tenant, &options, &ask, now_ms()).await;
    ended(out, done)
}

async fn act(deployment: Deployment, out: Output, id: &str, kind: AdjustActKind, why: &Why) -> anyhow::Result<Outcome> {
    let id = id_of(id)?;
    let tenant = deployment.config.gateway.tenant.clone();
    let store = match writing(&deployment).await? {
        Writing::Store(store) => store,
        Writing::Gateway(gateway) => {
            let (word, version) = match kind {
                AdjustActKind::Approve => ("approve", None),
                AdjustActKind::Reject => ("reject", None),
                AdjustActKind::Revert { version } => ("revert", version),
            };
            let mut body = json!({ "reason": why.reason });
            if let Some(version) = version {
                body["profile_version"] = json!(version);
            }
            return ask_gateway(&gateway, out, &format!("/v1/model-adjustments/{id}/{word}"), body, why, None).await;
        }
    };
    let running = deployment.engine(store, None).await?;
    let options = adjust_options(&running.current().deployment.config, &running.writers());
    let act = AdjustAct { kind, person: why.person.clone(), reason: why.reason.clone() };
    let done = act_on_adjustment(&*running.store, &tenant, &options, (id, &act), now_ms()).await;
    ended(out, done)
}

/// Has the running gateway do it.
async fn ask_gateway(
    gateway: &RunningGateway,
    out: Output,
    path: &str,
    body: Value,
    why: &Why,
    idempotency_key: Option<&str>,
) -> anyhow::Result<Outcome> {
    if !body.is_object() {
        return Err(Usage(text!("the instruction is not a JSON object", "指令不是 JSON 对象")).into());
    }
    let question = Question { body: Some(body), person: Some(&why.person), idempotency_key };
    let answer = gateway.post(path, question).await?.found()?;
    let answer = answer.ok_or_else(|| Usage(no_instruction()))?;
    if out.json {
        out.document(&json!({ "id": answer["id"], "revision": answer["revision"], "body": answer["body"] }))?;
        return Ok(Outcome::Done);
    }
    let (id, status) =
        (answer["id"].as_str().unwrap_or_default(), answer["body"]["status"].as_str().unwrap_or_default());
    out.say(match status {
        "APPROVED" | "REVERTING" => {
            text!("{id} is {status}: a flow carries it to the vendor", "{id} 的状态为 {status}：由流程发送给厂商")
        }
        "PROPOSED" => text!("{id} is PROPOSED: another person approves it", "{id} 的状态为 PROPOSED：需由另一人批准"),
        _ => text!("{id} is {status}", "{id} 的状态为 {status}"),
    });
    Ok(Outcome::Done)
}

fn ended(out: Output, done: Result<Adjusted, InterviewError>) -> anyhow::Result<Outcome> {
    let done = match done {
        Ok(done) => done,
        Err(InterviewError::NotFound(_)) => {
            return Err(Usage(no_instruction()).into());
        }
        Err(error @ (InterviewError::Refused { .. } | InterviewError::BadInput { .. })) => {
            return Err(Usage(Text::rendered(|| error.to_string())).into());
        }
        Err(error) => return Err(error.into()),
    };
    let body: Value = serde_json::from_slice(&done.row.body)?;
    if out.json {
        out.document(&document(&done.row, &body))?;
        return Ok(Outcome::Done);
    }
    let status = body["status"].as_str().unwrap_or_default();
    out.say(match (done.is_new, status) {
        (false, _) => text!("{} is {status} already", "{} 的状态已是 {status}", done.row.id),
        (true, "APPROVED" | "REVERTING") => {
            text!(
                "{} is {status}: a flow carries it to the vendor when the gateway runs",
                "{} 的状态为 {status}：网关运行时由流程发送给厂商",
                done.row.id
            )
        }
        (true, "PROPOSED") => {
            text!("{} is PROPOSED: another person approves it", "{} 的状态为 PROPOSED：需由另一人批准", done.row.id)
        }
        (true, _) => text!("{} is {status}", "{} 的状态为 {status}", done.row.id),
    });
    Ok(Outcome::Done)
}

fn id_of(text: &str) -> Result<RecordId, Usage> {
    text.parse().map_err(|_| {
        Usage(text!(
            "that is not the id of an instruction; `renmen adjust list` shows them",
            "不是指令的编号；`renmen adjust list` 列出指令"
        ))
    })
}

/// Every instruction of the gateway's own, the first first.
async fn own(store: &dyn Store, tenant: &TenantId) -> anyhow::Result<Vec<(RecordRow, Value)>> {
    let mut query = RecordQuery {
        entity: Some(ENTITY.to_owned()),
        connection: Some(BUILT_IN_CONNECTION.parse()?),
        limit: 1_000,
        ..RecordQuery::default()
    };
    let mut found = Vec::new();
    loop {
        let slice = store.records(tenant, &query).await?;
        for row in slice.items {
            let body = serde_json::from_slice(&row.body)?;
            found.push((row, body));
        }
        match slice.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}

fn document(row: &RecordRow, body: &Value) -> Value {
    json!({ "id": row.id, "revision": row.revision, "recorded_at": time(row.recorded_at_ms), "body": body })
}
