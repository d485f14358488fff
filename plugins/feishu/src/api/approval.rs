//! Approvals (审批), native ones. Pages 创建审批实例, 获取单个审批实例详情, 批量获取审批实例 ID.

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::Token;
use renmen_plugin::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{accept, ask, data, error, get, loose, request};
use crate::Config;

/// The longest period of one question for ids. Milliseconds.
pub(crate) const PERIOD_MS: i64 = 10 * 3_600_000;
/// The vendor's largest page of ids.
pub(crate) const INSTANCES_MAX: u32 = 100;
/// The vendor's word for a `uuid` that made an approval before.
const REPEATED: &str = "60012";

/// Starts an approval.
#[derive(Debug, Serialize)]
pub(crate) struct NewInstance<'a> {
    pub(crate) approval_code: &'a str,
    pub(crate) open_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) department_id: Option<&'a str>,
    /// A JSON array in a text.
    pub(crate) form: String,
    /// Who decides, where the form lets its originator choose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) node_approver_open_id_list: Vec<NodeApprovers<'a>>,
    /// The same makes one approval.
    pub(crate) uuid: &'a str,
}

/// The approvers of one step.
#[derive(Debug, Serialize)]
pub(crate) struct NodeApprovers<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a [String],
}

/// One approval.
#[derive(Debug, Deserialize)]
pub(crate) struct Instance {
    /// PENDING, APPROVED, REJECTED, CANCELED, DELETED.
    pub(crate) status: String,
    /// Taken back after it was granted?
    #[serde(default)]
    pub(crate) reverted: Option<bool>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(crate) start_time: Option<i64>,
    /// 0 while it runs.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(crate) end_time: Option<i64>,
    #[serde(default)]
    pub(crate) open_id: Option<String>,
    #[serde(default)]
    pub(crate) uuid: Option<String>,
    /// A JSON array in a text.
    #[serde(default)]
    pub(crate) form: Option<String>,
}

#[derive(Deserialize)]
struct Widget {
    id: Option<String>,
    custom_id: Option<String>,
    #[serde(default)]
    value: Value,
}

impl Instance {
    /// The text in a field of the form, by the field's id or its own id of the company's.
    pub(crate) fn field(&self, id: &str) -> Option<String> {
        let widgets: Vec<Widget> = serde_json::from_str(self.form.as_deref()?).ok()?;
        let is = |name: &Option<String>| name.as_deref() == Some(id);
        let widget = widgets.iter().find(|widget| is(&widget.id) || is(&widget.custom_id))?;
        widget.value.as_str().map(str::to_owned)
    }
}

/// Ids of approvals, and where the list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct InstanceIds {
    #[serde(default)]
    pub(crate) instance_code_list: Option<Vec<String>>,
    #[serde(default)]
    has_more: Option<bool>,
    #[serde(default)]
    page_token: Token,
}

impl InstanceIds {
    /// Where the list goes on.
    ///
    /// # Errors
    /// A list that goes on without saying where.
    pub(crate) fn next(self) -> Result<Option<String>, Failure> {
        Ok(self.page_token.if_more(self.has_more == Some(true))?.text())
    }
}

/// Starts an approval and gives its code; none where the same `uuid` started one before.
///
/// # Errors
/// What the answer's code means; what is wrong with the input is so for ever.
pub(crate) fn start(config: &Config, new: &NewInstance<'_>) -> Result<Option<String>, Failure> {
    #[derive(Deserialize)]
    struct Made {
        instance_code: String,
    }
    match ask(request(config, "POST", "/open-apis/approval/v4/instances").json(new)) {
        Ok(response) => Ok(Some(data::<Made>(&response)?.instance_code)),
        Err(failure) if failure.code.as_deref() == Some(REPEATED) => Ok(None),
        Err(failure) if failure.kind == FailureKind::UpstreamChanged && failure.code.is_some() => {
            Err(Failure { kind: FailureKind::InvalidInput, ..failure })
        }
        Err(failure) => Err(failure),
    }
}

/// Is it a code, which becomes a part of the address?
pub(crate) fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Asks for one approval; not yet sent, because several go at once.
pub(crate) fn instance_request(config: &Config, code: &str) -> Request {
    get(config, &format!("/open-apis/approval/v4/instances/{code}")).query("user_id_type", "open_id")
}

/// The approval in the answer; none when there is none of that code.
///
/// # Errors
/// What the answer's code means.
pub(crate) fn instance_of(response: Response) -> Result<(Response, Option<Instance>), Failure> {
    if error::is_no_approval(&response) {
        return Ok((response, None));
    }
    let response = accept(response)?;
    let instance = data::<Instance>(&response)?;
    Ok((response, Some(instance)))
}

/// Approvals of a form that were started in a period of at most [`PERIOD_MS`].
///
/// # Errors
/// What the answer's code means.
pub(crate) fn find(
    config: &Config,
    form: &str,
    (from_ms, to_ms): (i64, i64),
    size: u32,
    token: Option<&str>,
) -> Result<InstanceIds, Failure> {
    let request = get(config, "/open-apis/approval/v4/instances")
        .query("approval_code", form)
        .query("start_time", from_ms)
        .query("end_time", to_ms)
        .query("page_size", size.clamp(1, INSTANCES_MAX))
        .query_some("page_token", token);
    data(&ask(request)?)
}
