//! What Hire keeps of other systems' hiring: external applications, interviews with their assessments, background checks.
//! Pages "查询外部投递列表", "创建外部面试", "查询外部面试列表", "更新外部面评", "查询外部背调列表".

use renmen_plugin::Failure;
use renmen_plugin::http::Request;
use serde::{Deserialize, Serialize};

use super::loose::whole;
use super::{all, get, request};
use crate::Config;

/// The vendor's largest page of these lists.
pub(crate) const SIZE_MAX: u32 = 20;
/// Pages that one candidate's external records may have.
const PAGES_MAX: usize = 20;

/// An application in another system.
#[derive(Debug, Deserialize)]
pub(crate) struct ExternalApplication {
    pub(crate) id: String,
    pub(crate) talent_id: Option<String>,
    pub(crate) job_title: Option<String>,
    pub(crate) resume_source: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) termination_type: Option<String>,
    pub(crate) termination_reason: Option<String>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) create_time: Option<i64>,
}

/// Makes one.
#[derive(Debug, Serialize)]
pub(crate) struct NewApplication<'a> {
    /// For this alone the vendor knows a repeated creation, for 24 hours; it is never given back.
    pub(crate) external_id: &'a str,
    pub(crate) talent_id: &'a str,
    pub(crate) job_title: &'a str,
    pub(crate) resume_source: &'a str,
    pub(crate) stage: &'a str,
}

/// An interview in another system.
#[derive(Debug, Deserialize)]
pub(crate) struct ExternalInterview {
    pub(crate) id: String,
    pub(crate) external_application_id: Option<String>,
    /// 1 not taken part, 2 taken part, 3 did not come.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) participate_status: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) begin_time: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) end_time: Option<i64>,
    #[serde(default)]
    pub(crate) interview_assessments: Vec<ExternalAssessment>,
}

/// An interviewer's verdict in another system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExternalAssessment {
    #[serde(default, skip_serializing)]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    /// 1 failed, 2 passed, 3 undecided.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub(crate) conclusion: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) assessment_dimension_list: Vec<ExternalDimension>,
}

/// One dimension of a verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExternalDimension {
    /// 1 points, 2 one choice, 3 text, 4 several choices.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub(crate) assessment_type: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
}

/// Makes or changes an interview.
#[derive(Debug, Serialize)]
pub(crate) struct PutInterview<'a> {
    /// As [`NewApplication::external_id`]; only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<&'a str>,
    pub(crate) external_application_id: &'a str,
    pub(crate) participate_status: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) begin_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interview_assessments: Option<&'a [ExternalAssessment]>,
}

/// A background check in another system.
#[derive(Debug, Deserialize)]
pub(crate) struct BackgroundCheck {
    pub(crate) id: String,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) date: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) result: Option<String>,
}

/// The first or a further page of a talent's external applications.
pub(crate) fn applications_of(config: &Config, talent_id: &str, token: Option<&str>) -> Request {
    get(config, "/open-apis/hire/v1/external_applications")
        .query("talent_id", talent_id)
        .query("page_size", SIZE_MAX)
        .query_some("page_token", token)
}

/// A page of what hangs on an external application: `external_interviews` or `external_background_checks`.
pub(crate) fn hanging_on(config: &Config, what: &str, external_application_id: &str, token: Option<&str>) -> Request {
    request(config, "POST", &format!("/open-apis/hire/v1/{what}/batch_query"))
        .query("external_application_id", external_application_id)
        .query("page_size", SIZE_MAX)
        .query_some("page_token", token)
        .json(&serde_json::json!({}))
}

/// External interviews by their ids, at most 20.
pub(crate) fn interviews_by_id(config: &Config, ids: &[String]) -> Request {
    request(config, "POST", "/open-apis/hire/v1/external_interviews/batch_query")
        .query("page_size", SIZE_MAX)
        .json(&serde_json::json!({ "external_interview_id_list": ids }))
}

/// Every external application of a talent.
///
/// # Errors
/// The vendor's.
pub(crate) fn all_applications(config: &Config, talent_id: &str) -> Result<Vec<ExternalApplication>, Failure> {
    all(PAGES_MAX, |token| applications_of(config, talent_id, token))
}

/// Every interview of an external application.
///
/// # Errors
/// The vendor's.
pub(crate) fn all_interviews(config: &Config, application_id: &str) -> Result<Vec<ExternalInterview>, Failure> {
    all(PAGES_MAX, |token| hanging_on(config, "external_interviews", application_id, token))
}
