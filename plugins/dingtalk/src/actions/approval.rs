//! Approvals (OA 审批): start one, and look at one. Its outcome comes by event, or with the stream `approvals`.
//!
//! What is guaranteed of repeated attempts: before it starts an approval, the connector reads the originator's approvals of
//! the last two days on that form and looks for the mark of this action; it starts none that is already there. A second one
//! can come to be only if the vendor lists an approval later than it said that it had started it, or if the attempts are
//! further apart than those two days. Over 100 approvals of one person within them it does not start at all, because it
//! cannot look through them.

use std::collections::BTreeMap;

use renmen_plugin::http::send_all;
use renmen_plugin::{Action, Failure, Receipt, clock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{facts, mark, unfit};
use crate::Config;
use crate::api::{self, Approvers, FindInstances, FormValue, INSTANCES_MAX, Instance, StartInstance};
use crate::map::Reference;

/// How far back an earlier attempt is looked for.
const LOOK_BACK_MS: i64 = 2 * 86_400_000;
/// Pages of ids looked through for it.
const LOOK_PAGES_MAX: usize = 5;
/// The vendor's largest number of steps, and of people told.
const APPROVERS_MAX: usize = 20;
const CC_MAX: usize = 50;
/// The vendor's largest number of fields in a form; one is ours.
const FIELDS_MAX: usize = 149;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    /// The form's process code; by default the first of `approval_processes`.
    process: Option<String>,
    /// In whose name: a user id.
    originator: String,
    /// Their department, -1 the root; needed when no one is named under `approvers`.
    department: Option<i64>,
    /// Who decides, step by step; empty leaves it to the form's own flow.
    #[serde(default)]
    approvers: Vec<Step>,
    /// Who is told: user ids.
    #[serde(default)]
    cc: Vec<String>,
    /// The form: what its fields are called, and what to fill in.
    form: BTreeMap<String, Value>,
    /// What it is about.
    about: About,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    /// One person, or all of several.
    All(Vec<String>),
    /// Any one of several.
    Any { any: Vec<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// `application`, `interview`, `answer`, `offer` or `migration`.
    kind: String,
    /// The record's id; or connection and external id, as `hire:4711`.
    id: String,
}

/// Starts an approval, unless an earlier attempt at the same action did.
///
/// # Errors
/// An input that cannot be used, or what the vendor says.
pub fn start(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    let start: Start = action.input()?;
    let field = config.reference_field()?;
    let about =
        Reference { kind: start.about.kind.clone(), id: start.about.id.clone(), mark: mark(&action.idempotency_key) };
    // Read back as it will be later: what could not be found again is not sent.
    if Reference::read(&about.to_string()).as_ref() != Some(&about) {
        let expected =
            "expected a kind (application, interview, answer, offer, migration) and a record's id, or connection:id";
        return Err(unfit("/about", expected));
    }
    let process = start.process.as_deref().or(config.approval_processes.first().map(String::as_str));
    let process =
        process.ok_or_else(|| unfit("/process", "missing, and the connection has no `approval_processes`"))?;
    check_people(&start)?;
    let values = form(&start, field, &about)?;

    if let Some(instance) = find_earlier(config, process, &start.originator, field, &about.to_string())? {
        let found = facts([("started_by", json!("an earlier attempt"))]);
        return Ok(Receipt { reference: Some(instance), detail: found, confirmed: true });
    }
    let instance = api::start_instance(
        config,
        &StartInstance {
            process_code: process,
            originator_user_id: &start.originator,
            dept_id: start.department,
            microapp_agent_id: config.agent_id,
            approvers: start.approvers.iter().map(Step::approvers).collect(),
            cc_list: &start.cc,
            cc_position: (!start.cc.is_empty()).then_some("START_FINISH"),
            form_component_values: &values,
        },
    )?;
    let started = facts([("started_by", json!("this attempt"))]);
    Ok(Receipt { reference: Some(instance), detail: started, confirmed: true })
}

impl Step {
    fn people(&self) -> &[String] {
        match self {
            Self::All(people) | Self::Any { any: people } => people,
        }
    }

    fn approvers(&self) -> Approvers {
        let action_type = match (self, self.people().len()) {
            (_, 1) => "NONE",
            (Self::All(_), _) => "AND",
            (Self::Any { .. }, _) => "OR",
        };
        Approvers { action_type, user_ids: self.people().to_vec() }
    }
}

fn check_people(start: &Start) -> Result<(), Failure> {
    if start.approvers.len() > APPROVERS_MAX {
        return Err(unfit("/approvers", &format!("{} steps; at most {APPROVERS_MAX}", start.approvers.len())));
    }
    if start.approvers.iter().any(|step| step.people().is_empty()) {
        return Err(unfit("/approvers", "a step without approvers"));
    }
    if start.approvers.is_empty() && start.department.is_none() {
        return Err(unfit(
            "/department",
            "missing; without `approvers` the form's own flow decides, by department (-1: the root)",
        ));
    }
    if start.cc.len() > CC_MAX {
        return Err(unfit("/cc", &format!("{} people; at most {CC_MAX}", start.cc.len())));
    }
    Ok(())
}

/// Texts as they are, anything else as JSON in a text, as the vendor wants it.
fn form(start: &Start, field: &str, about: &Reference) -> Result<Vec<FormValue>, Failure> {
    if start.form.len() > FIELDS_MAX {
        return Err(unfit("/form", &format!("{} fields; at most {FIELDS_MAX}", start.form.len())));
    }
    if start.form.contains_key(field) {
        return Err(unfit("/form", "fills in the field that `approval_reference` names: leave it to the gateway"));
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let given = start.form.iter().filter(|(_, value)| !value.is_null());
    let given = given.map(|(name, value)| FormValue { name: name.clone(), value: Some(text(value)) });
    let ours = FormValue { name: field.to_owned(), value: Some(about.to_string()) };
    Ok(given.chain([ours]).collect())
}

/// The approval that an earlier attempt started.
fn find_earlier(
    config: &Config,
    process_code: &str,
    originator: &str,
    field: &str,
    reference: &str,
) -> Result<Option<String>, Failure> {
    let mut find = FindInstances {
        process_code,
        start_time: clock::now_ms() - LOOK_BACK_MS,
        next_token: 0,
        max_results: INSTANCES_MAX,
        user_ids: vec![originator],
    };
    for _ in 0..LOOK_PAGES_MAX {
        let found = api::find_instances(config, &find)?;
        let requests = found.list.iter().map(|id| api::instance_request(config, id)).collect();
        for (id, answer) in found.list.iter().zip(send_all(requests)) {
            let (_, instance) = api::instance_of(answer?)?;
            if instance.is_some_and(|instance| instance.field(field) == Some(reference)) {
                return Ok(Some(id.clone()));
            }
        }
        match found.next()? {
            Some(token) => find.next_token = token,
            None => return Ok(None),
        }
    }
    Err(Failure::rate_limited(
        "the originator has started over 100 approvals of this form within two days: too many to look through",
    ))
}

/// Looks at an approval. Confirmed once it has ended.
///
/// # Errors
/// An approval that there is not, or what the vendor says.
pub fn get(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    #[derive(Deserialize)]
    struct Asked {
        reference: String,
    }
    let asked: Asked = action.input()?;
    let (_, instance) = api::instance_of(api::instance_request(config, &asked.reference).send()?)?;
    let Some(Instance { status, result, create_time, finish_time, .. }) = instance else {
        return Err(unfit("/reference", "the vendor has no approval of this id"));
    };
    let ended = status != "RUNNING" && status != "NEW";
    let result = result.filter(|_| ended);
    let detail = facts([
        ("status", json!(status)),
        ("result", json!(result)),
        ("started_at", json!(create_time)),
        ("ended_at", json!(finish_time)),
    ]);
    Ok(Receipt { reference: Some(asked.reference), detail, confirmed: ended })
}
