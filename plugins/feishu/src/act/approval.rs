//! Approvals (审批): start one, and look at one. Its outcome comes by event, or with the stream `approvals`.
//!
//! The vendor makes one approval of a `uuid` and refuses it a second time with 60012, so the `uuid` is made of the gateway's key. An
//! answer that was lost is looked for among the approvals of the last two days on that form, by the same `uuid`.

use std::collections::BTreeMap;

use renmen_plugin::http::send_all;
use renmen_plugin::{Failure, Receipt, clock};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::done;
use crate::Config;
use crate::api::approval::{self, INSTANCES_MAX, NewInstance, NodeApprovers, PERIOD_MS};
use crate::map::Reference;

/// How far back an earlier attempt is looked for.
const LOOK_BACK_MS: i64 = 2 * 86_400_000;
/// Pages of one period that are looked through.
const PAGES_MAX: usize = 5;
/// Fields of a form; one is ours.
const FIELDS_MAX: usize = 149;

/// The action's input, as the manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The form's code; by default the first of `approval_forms`.
    form_code: Option<String>,
    /// In whose name: an open_id.
    originator: String,
    department: Option<String>,
    /// Who decides, by the id of a step: open_ids.
    #[serde(default)]
    approvers: BTreeMap<String, Vec<String>>,
    /// The fields, by their ids.
    #[serde(default)]
    form: Vec<Field>,
    /// What it is about.
    about: About,
}

/// A field of a form, in the vendor's own form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    kind: String,
    id: String,
}

pub(super) fn start(config: &Config, key: &str, input: &Start) -> Result<Receipt, Failure> {
    let field = config.reference_field()?;
    let about = Reference { kind: input.about.kind.clone(), id: input.about.id.clone() };
    // Read back as it will be later: what could not be found again is not sent.
    if Reference::read(&about.to_string()).as_ref() != Some(&about) {
        let expected =
            "expected a kind (application, interview, answer, offer, migration) and a record's id, or connection:id";
        return Err(unfit("/about", expected));
    }
    let form = input.form_code.as_deref().or(config.approval_forms.first().map(String::as_str));
    let form = form.ok_or_else(|| unfit("/form_code", "missing, and the connection has no `approval_forms`"))?;
    let uuid = uuid_of(key);
    let new = NewInstance {
        approval_code: form,
        open_id: &input.originator,
        department_id: input.department.as_deref(),
        form: fields(input, field, &about)?,
        node_approver_open_id_list: input.approvers.iter().map(|(key, value)| NodeApprovers { key, value }).collect(),
        uuid: &uuid,
    };
    if let Some(code) = approval::start(config, &new)? {
        return Ok(done(&code, [("uuid", json!(uuid))]));
    }
    let code = earlier(config, form, &uuid)?;
    Ok(done(&code, [("uuid", json!(uuid)), ("started_by", json!("an earlier attempt"))]))
}

/// The form with our field, as a JSON array in a text.
fn fields(input: &Start, field: &str, about: &Reference) -> Result<String, Failure> {
    if input.form.len() > FIELDS_MAX {
        return Err(unfit("/form", &format!("{} fields; at most {FIELDS_MAX}", input.form.len())));
    }
    if input.form.iter().any(|one| one.id == field) {
        return Err(unfit("/form", "fills in the field of `approval_reference`, which is the gateway's"));
    }
    let theirs = input.form.iter().map(|one| json!({ "id": one.id, "type": one.kind, "value": one.value }));
    let ours = json!({ "id": field, "type": "input", "value": about.to_string() });
    Ok(Value::Array(theirs.chain([ours]).collect()).to_string())
}

/// The approval that an earlier attempt started.
fn earlier(config: &Config, form: &str, uuid: &str) -> Result<String, Failure> {
    let now_ms = clock::now_ms();
    let mut to_ms = now_ms;
    while to_ms > now_ms - LOOK_BACK_MS {
        let period = (to_ms - PERIOD_MS, to_ms);
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let found = approval::find(config, form, period, INSTANCES_MAX, token.as_deref())?;
            let mut codes = found.instance_code_list.clone().unwrap_or_default();
            codes.retain(|code| approval::is_code(code));
            let requests = codes.iter().map(|code| approval::instance_request(config, code)).collect();
            for (code, answer) in codes.iter().zip(send_all(requests)) {
                let (_, instance) = approval::instance_of(answer?)?;
                let known = instance.and_then(|instance| instance.uuid);
                if known.is_some_and(|known| known.eq_ignore_ascii_case(uuid)) {
                    return Ok(code.clone());
                }
            }
            token = found.next()?;
            if token.is_none() {
                break;
            }
        }
        to_ms -= PERIOD_MS;
    }
    Err(Failure::upstream_unavailable(
        "the vendor says that it made this approval before, and does not list it yet: it is looked for again",
    ))
}

/// The action `approval.start` is confirmed by the vendor's answer; this looks at what became of the approval.
#[derive(Debug, Deserialize)]
pub(super) struct Look {
    reference: String,
}

pub(super) fn get(config: &Config, input: &Look) -> Result<Receipt, Failure> {
    if !approval::is_code(&input.reference) {
        return Err(unfit("/reference", "no code of an approval; expected that of approval.start"));
    }
    let (_, instance) = approval::instance_of(approval::instance_request(config, &input.reference).send()?)?;
    let instance = instance.ok_or_else(|| unfit("/reference", "the vendor has no such approval"))?;
    let running = instance.status == "PENDING";
    let detail = [("status", json!(instance.status)), ("reverted", json!(instance.reverted == Some(true)))];
    Ok(Receipt { confirmed: !running, ..done(&input.reference, detail) })
}

fn unfit(place: &str, problem: &str) -> Failure {
    Failure::invalid_input(format!("input{place}: {problem}"))
}

/// The same for the same key, in the form that the vendor asks for.
fn uuid_of(key: &str) -> String {
    let digest = hex::encode_upper(Sha256::digest(key));
    [&digest[..8], &digest[8..12], &digest[12..16], &digest[16..20], &digest[20..32]].join("-")
}

#[cfg(test)]
mod tests {
    use super::uuid_of;

    #[test]
    fn a_key_makes_one_uuid() {
        let uuid = uuid_of("k");
        assert_eq!((uuid.len(), uuid.split('-').count()), (36, 5));
        assert_eq!(uuid, uuid_of("k"));
        assert_ne!(uuid, uuid_of("l"));
    }
}
