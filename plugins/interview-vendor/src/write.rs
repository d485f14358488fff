//! What is written to the vendor: orders, their end, versions of position profiles, and adjust instructions.
//!
//! Every write carries the delivery's key as `idempotency-key`: the vendor does it once, however often it is sent. A
//! refusal that another attempt cannot change (409, 422) ends the delivery with the vendor's own code; a version or a
//! weight that is not the one stated is one of these.

use renmen_plugin::http::{Request, Response};
use renmen_plugin::schema::entity::{AdjustOp, AdjustmentEvidence, AdjustmentTarget};
use renmen_plugin::schema::types::Ref;
use renmen_plugin::{Action, Failure, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::vendor::Problem;
use crate::{Config, read};

/// `interview.order`. What the vendor is given of the candidate is what the flow's `fields` let out.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// The customer's own id of the order: the application, or the application and the round.
    external_id: String,
    candidate: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<Resume>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    question_ids: Vec<String>,
    package: String,
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<String>,
    /// When it is planned to begin and to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
}

/// A résumé by reference, with the hash of what it was when it was ordered.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Resume {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
}

/// The position profile to score against, by version.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    position_id: String,
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    competencies: Vec<Value>,
}

/// `interview.adjust`: what to change, and what it must be now, as the canonical instruction says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adjust {
    target: AdjustmentTarget,
    ops: Vec<AdjustOp>,
    #[serde(default)]
    evidence: Option<AdjustmentEvidence>,
}

/// `profile.publish`: a version of a position's profile. Its content is sent unchanged, with weights in whole basis
/// points.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Publish {
    #[serde(skip_serializing)]
    position_id: String,
    #[serde(skip_serializing)]
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<String>,
    competencies: Vec<Competency>,
    #[serde(default)]
    blocked_features: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Competency {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Value>,
    weight_bp: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dimensions: Vec<Dimension>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Dimension {
    name: Value,
    #[serde(serialize_with = "in_lower_case")]
    modality: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_bp: Option<u16>,
}

/// The protocol's words are ours in lower case.
fn in_lower_case<S: serde::Serializer>(word: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&word.to_ascii_lowercase())
}

/// An object of the vendor's, by its id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    id: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    expected_version: Option<u32>,
}

/// What a confirming read is given: the receipt.
#[derive(Debug, Deserialize)]
struct Confirm {
    reference: Option<String>,
}

/// What the vendor answers to a write.
#[derive(Debug, Deserialize)]
struct Written {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    version: Option<u32>,
}

pub(crate) fn push(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    match action.name.as_str() {
        "interview.order" => {
            let order: Order = action.input()?;
            written(&send(config, action, "orders", &order)?, false)
        }
        "interview.cancel" => {
            let of: Of = action.input()?;
            let path = format!("orders/{}/cancel", segment(&of.id)?);
            written(&send(config, action, &path, &json!({ "reason": of.reason }))?, false)
        }
        "profile.publish" => {
            let publish: Publish = action.input()?;
            let path = format!("profiles/{}/versions/{}", segment(&publish.position_id)?, publish.version);
            written(&send_by("PUT", config, action, &path, &publish)?, false)
        }
        "interview.adjust" => {
            let adjust: Adjust = action.input()?;
            written(&send(config, action, "adjustments", &instruction(&adjust)?)?, true)
        }
        "interview.adjust.revert" => {
            let of: Of = action.input()?;
            let path = format!("adjustments/{}/revert", segment(&of.id)?);
            let body = json!({ "expected_version": of.expected_version, "reason": of.reason });
            written(&send(config, action, &path, &body)?, true)
        }
        "interview.adjust.status" => {
            let confirm: Confirm = action.input()?;
            let id = confirm.reference.ok_or_else(|| Failure::invalid_input("the receipt names no adjustment"))?;
            let url = config.url(&format!("adjustments/{}", segment(&id)?));
            let response = read::accept(Request::get(url).slot("key").send()?, "adjustments")?;
            written(&response, true)
        }
        other => Err(Failure::invalid_input(format!("this connector has no action `{other}`"))),
    }
}

/// The instruction in the protocol's words. References mean the vendor's own ids.
fn instruction(adjust: &Adjust) -> Result<Value, Failure> {
    let position = adjust.target.position.as_ref().map(|position| external(position, "target.position")).transpose()?;
    let ops = adjust.ops.iter().map(op).collect::<Result<Vec<Value>, Failure>>()?;
    let mut body = json!({ "expected_version": adjust.target.profile_version, "ops": ops });
    if let Some(position) = position {
        body["position_id"] = position.into();
    }
    if let Some(evidence) = &adjust.evidence {
        body["evidence"] = json!(evidence);
    }
    Ok(body)
}

fn op(from: &AdjustOp) -> Result<Value, Failure> {
    let mut op = Map::new();
    op.insert("op".into(), from.op.to_ascii_lowercase().into());
    let competency = from.competency.as_ref().map(|competency| external(competency, "ops.competency")).transpose()?;
    let modality = from.modality.as_ref();
    let modality = modality.map(|kind| kind.raw.clone().unwrap_or_else(|| kind.code.as_str().to_ascii_lowercase()));
    let text = from.text.as_ref().map(|text| json!(text));
    let members: [(&str, Option<Value>); 8] = [
        ("competency_id", competency.map(Value::from)),
        ("modality", modality.map(Value::from)),
        ("from_bp", from.from_bp.map(Value::from)),
        ("to_bp", from.to_bp.map(Value::from)),
        ("signal", from.signal.as_ref().map(|signal| signal.value.clone().into())),
        ("question_id", from.question.as_ref().map(|question| question.value.clone().into())),
        ("text", text),
        ("feature", from.feature.clone().map(Value::from)),
    ];
    op.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(Value::Object(op))
}

/// The id that another system gave: the vendor knows no other.
fn external<E>(reference: &Ref<E>, field: &str) -> Result<String, Failure> {
    let found = reference.external.as_ref().map(|external| external.value.clone());
    found.ok_or_else(|| {
        Failure::invalid_input(format!("`{field}` names no id that the vendor knows: give it as `external`"))
    })
}

fn send(config: &Config, action: &Action, path: &str, body: &impl Serialize) -> Result<Response, Failure> {
    send_by("POST", config, action, path, body)
}

fn send_by(
    method: &str,
    config: &Config,
    action: &Action,
    path: &str,
    body: &impl Serialize,
) -> Result<Response, Failure> {
    let response = Request::new(method, config.url(path))
        .header("idempotency-key", action.idempotency_key.as_str())
        .json(body)
        .slot("key")
        .send()?;
    match response.status() {
        409 | 422 => Err(refused(&action.name, &response)),
        _ => read::accept(response, path),
    }
}

/// The vendor says no, and would say it again.
fn refused(action: &str, response: &Response) -> Failure {
    #[derive(Deserialize)]
    struct Body {
        error: Problem,
    }
    let code = response.json::<Body>().map_or_else(|_| "refused".to_owned(), |body| body.error.code);
    let message = match code.as_str() {
        "version_conflict" if action == "profile.publish" => {
            "the vendor has other versions of this profile: each is one more than the one before, and one that is published does not \
             change"
        }
        "version_conflict" => {
            "the vendor's model has another version than the instruction states: read it and state that"
        }
        "weight_conflict" => "the vendor's weight is another than the instruction states: read it and state that",
        _ => "the vendor refuses this for good",
    };
    Failure::invalid_input(message).with_code(code)
}

/// A receipt; where the vendor applies later, it is confirmed only once it says so.
fn written(response: &Response, applied_later: bool) -> Result<Receipt, Failure> {
    let written: Written = response.json()?;
    let status = written.status.unwrap_or_default();
    if applied_later && status == "rejected" {
        let message = "the vendor took the instruction and rejected it afterwards";
        return Err(Failure::invalid_input(message).with_code("rejected"));
    }
    let confirmed = !applied_later || matches!(status.as_str(), "applied" | "reverted");
    let mut detail = Map::new();
    if !status.is_empty() {
        detail.insert("status".into(), status.into());
    }
    if let Some(version) = written.version {
        detail.insert("version".into(), version.into());
    }
    Ok(Receipt { reference: Some(written.id), detail, confirmed })
}

/// An id as one segment of a path: what could leave the path is refused.
fn segment(id: &str) -> Result<&str, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if id.is_empty() || id.len() > 200 || !id.chars().all(plain) || id.chars().all(|c| c == '.') {
        let message = "`id` is not a valid id of this vendor: expected 1 to 200 letters, digits, '-', '_', '.' or '~'";
        return Err(Failure::invalid_input(message));
    }
    Ok(id)
}
