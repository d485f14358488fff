//! What the interviews taught goes back into the vendor's model: one person proposes another weight, another one approves it, the vendor
//! applies it, and it is taken back.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{Api, Stage, until};
use crate::interview_vendor::{WEBHOOK_SECRET, send};

const COMPETENCY: &str = "comp-1";
/// By so many basis points the weight is lowered.
const LESS: u64 = 1_500;

/// The version of the vendor's model, and the weight in it.
fn model(stage: &Stage) -> anyhow::Result<(u64, u64)> {
    let state = stage.vendor.lock().unwrap();
    let weight = state.model.weights.get(COMPETENCY).copied().context("the vendor weighs this competency")?;
    Ok((state.model.version, weight))
}

pub(super) async fn adjusted(stage: &Stage, api: &Api, told: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let person = async |name: &str| api.with_key_for(&json!({ "role": "owner", "label": name })).await;
    let (proposer, approver) = (person("Li Na").await?, person("Wang Wei").await?);
    let (version, before) = model(stage)?;
    let lower = before - LESS;
    let instruction = json!({
        "target": { "vendor_connection": "interview", "profile_version": version },
        "ops": [{ "op": "SET_WEIGHT", "competency": { "external": { "value": COMPETENCY } }, "from_bp": before, "to_bp": lower }],
        "reason": "Those who stay did no better in it",
    });
    let made = proposer.post("/v1/model-adjustments", &instruction).await?;
    let url = made["url"].as_str().context("what is proposed has a path")?.to_owned();
    told(&format!("Li Na proposes to lower a weight in the vendor's model from {before} to {lower} basis points"));

    let (approve, why) = (format!("{url}/approve"), json!({ "reason": "Seen with the team" }));
    let own = proposer.status("POST", &approve, &why.to_string()).await?;
    ensure!(own == 409, "the person who proposed it approved it: {own}");
    approver.post(&approve, &why).await?;
    until("the lower weight at the vendor", async || Ok((model(stage)?.1 == lower).then_some(()))).await?;
    tell_of_it(stage, api).await?;
    until_status(api, &url, "APPLIED").await?;
    told("she may not approve it herself; Wang Wei does, and the vendor applies it");

    proposer.post(&format!("{url}/revert"), &json!({ "reason": "Only tried" })).await?;
    until_status(api, &url, "REVERTED").await?;
    ensure!(model(stage)?.1 == before, "the vendor has another weight than before");
    told(&format!("she has it taken back: the weight is {before} again, and who did what and why is kept"));
    Ok(())
}

/// The vendor tells of its last instruction.
async fn tell_of_it(stage: &Stage, api: &Api) -> anyhow::Result<()> {
    let object = stage.vendor.lock().unwrap().collections.get("adjustments").and_then(|all| all.last().cloned());
    let object = object.context("the vendor has the instruction")?;
    let event = json!({ "type": "adjustment.updated", "data": { "adjustments": [object] } });
    let hook = format!("{}/hooks/interview", api.url);
    let answer = send::event(&hook, WEBHOOK_SECRET, &format!("msg-{}-adjusted", api.tag), &event).await?;
    ensure!((200..300).contains(&answer.status), "the gateway answered a signed event with {answer:?}");
    Ok(())
}

async fn until_status(api: &Api, url: &str, status: &str) -> anyhow::Result<Value> {
    until(status, async || {
        let record = api.get(url).await?;
        Ok((record["body"]["status"] == status).then(|| record["body"].clone()))
    })
    .await
}
