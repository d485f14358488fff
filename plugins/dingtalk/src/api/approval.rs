//! Approvals (OA 审批), new generation. Official pages 发起审批实例, 获取单个审批实例详情, 获取审批实例ID列表.

use renmen_plugin::Failure;
use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::Token;
use serde::{Deserialize, Serialize};

use super::{accept_new, error, new_request};
use crate::Config;

/// The vendor's largest page of ids.
pub const INSTANCES_MAX: u32 = 20;

/// Starts an approval.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartInstance<'a> {
    /// The form.
    pub process_code: &'a str,
    /// In whose name.
    pub originator_user_id: &'a str,
    /// Their department, -1 the root; needed where the form's own flow decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dept_id: Option<i64>,
    /// The app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microapp_agent_id: Option<i64>,
    /// Who decides, step by step; empty leaves it to the form's own flow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Approvers>,
    /// Who is told.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub cc_list: &'a [String],
    /// When they are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cc_position: Option<&'static str>,
    /// What is decided about.
    pub form_component_values: &'a [FormValue],
}

/// One step of a decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approvers {
    /// `AND` all, `OR` any one, `NONE` one alone.
    pub action_type: &'static str,
    /// The approvers of this step, by user id.
    pub user_ids: Vec<String>,
}

/// One field of a form.
#[derive(Debug, Serialize, Deserialize)]
pub struct FormValue {
    /// What people see.
    #[serde(default)]
    pub name: String,
    /// As text; lists and tables as JSON in a text.
    #[serde(default)]
    pub value: Option<String>,
}

/// Ids of instances, with the place where they go on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceIds {
    /// Ids.
    #[serde(default)]
    pub list: Vec<String>,
    /// Empty or absent: that was the last page.
    #[serde(default)]
    pub next_token: Token,
}

impl InstanceIds {
    /// Where the list goes on; none at its end. The page says it is a text, its examples fill in a number.
    ///
    /// # Errors
    /// [`FailureKind::UpstreamChanged`](renmen_plugin::FailureKind) for a token that is not a number.
    pub fn next(&self) -> Result<Option<i64>, Failure> {
        self.next_token.number()
    }
}

/// One approval.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// RUNNING, TERMINATED (taken back), COMPLETED.
    pub status: String,
    /// agree or refuse, once it is completed.
    #[serde(default)]
    pub result: Option<String>,
    /// RFC 3339 to the minute.
    pub create_time: String,
    /// RFC 3339 to the minute, like `create_time`.
    #[serde(default)]
    pub finish_time: Option<String>,
    /// Who started it.
    #[serde(default)]
    pub originator_user_id: Option<String>,
    /// What was decided about.
    #[serde(default)]
    pub form_component_values: Vec<FormValue>,
}

impl Instance {
    /// The text of a form's field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form_component_values.iter().find(|field| field.name == name)?.value.as_deref()
    }
}

/// Which ids are asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindInstances<'a> {
    /// The form.
    pub process_code: &'a str,
    /// Started since then, in milliseconds; at most 120 days back.
    pub start_time: i64,
    /// 0 first.
    pub next_token: i64,
    /// At most [`INSTANCES_MAX`].
    pub max_results: u32,
    /// Started by these; empty means anybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_ids: Vec<&'a str>,
}

/// `POST /v1.0/workflow/processInstances`: answers the instance's id.
///
/// # Errors
/// What the answer's code means; what is wrong with the input is so for ever.
pub fn start_instance(config: &Config, start: &StartInstance<'_>) -> Result<String, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        instance_id: String,
    }
    let response = new_request(config, "POST", "/v1.0/workflow/processInstances").json(start).send()?;
    if let Some(failure) = error::of_start(&response) {
        return Err(failure);
    }
    Ok(accept_new(response)?.json::<Answer>()?.instance_id)
}

/// `GET /v1.0/workflow/processInstances?processInstanceId=`, not yet sent: several go at once.
#[must_use]
pub fn instance_request(config: &Config, id: &str) -> Request {
    new_request(config, "GET", "/v1.0/workflow/processInstances").query("processInstanceId", id)
}

/// The instance in the answer to such a request; none when it does not exist.
///
/// # Errors
/// What the answer's code means.
pub fn instance_of(response: Response) -> Result<(Response, Option<Instance>), Failure> {
    #[derive(Deserialize)]
    struct Answer {
        result: Instance,
    }
    if error::is_no_instance(&response) {
        return Ok((response, None));
    }
    let response = accept_new(response)?;
    let instance = response.json::<Answer>()?.result;
    Ok((response, Some(instance)))
}

/// `POST /v1.0/workflow/processes/instanceIds/query`.
///
/// # Errors
/// What the answer's code means.
pub fn find_instances(config: &Config, find: &FindInstances<'_>) -> Result<InstanceIds, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        result: InstanceIds,
    }
    let request = new_request(config, "POST", "/v1.0/workflow/processes/instanceIds/query").json(find);
    Ok(accept_new(request.send()?)?.json::<Answer>()?.result)
}
