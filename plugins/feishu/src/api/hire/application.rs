//! Applications: page "获取投递信息"; stages: page "获取招聘流程信息"; why applications end: page "获取终止投递原因".

use serde::Deserialize;

use crate::api::loose::whole;
use crate::api::text::{I18n, IdName};

/// One application.
#[derive(Debug, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) job_id: String,
    pub(crate) talent_id: String,
    pub(crate) stage: Option<ProcessStage>,
    /// 1 active, 2 ended.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) active_status: Option<i64>,
    pub(crate) resume_source_info: Option<ResumeSource>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) create_time: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) modify_time: Option<i64>,
    #[serde(default)]
    pub(crate) stage_time_list: Vec<StageTime>,
    /// 1 we refused, 22 they refused, 27 other.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) termination_type: Option<i64>,
    /// Ids of [`TerminationReason`].
    pub(crate) termination_reason_list: Option<Vec<String>>,
    pub(crate) termination_reason_note: Option<String>,
}

/// Where an application came from.
#[derive(Debug, Deserialize)]
pub(crate) struct ResumeSource {
    pub(crate) name: Option<I18n>,
    /// 10000 referral, 10001 agency, 10002 internal, 10003 job site, …
    #[serde(default, deserialize_with = "whole")]
    pub(crate) resume_source_type: Option<i64>,
}

/// Why an application may end: id and name. To which side it belongs (`termination_type`) stands in the application.
pub(crate) type TerminationReason = IdName;

/// When an application was in a stage.
#[derive(Debug, Deserialize)]
pub(crate) struct StageTime {
    pub(crate) stage_id: String,
    /// Milliseconds; the last time.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) enter_time: Option<i64>,
    /// Milliseconds; none while it is there.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) exit_time: Option<i64>,
}

/// A process of hiring.
#[derive(Debug, Deserialize)]
pub(crate) struct Process {
    #[serde(default)]
    pub(crate) stage_list: Vec<ProcessStage>,
}

/// A stage.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ProcessStage {
    pub(crate) id: String,
    pub(crate) zh_name: Option<String>,
    pub(crate) en_name: Option<String>,
    /// 1 screening, 2 assessment, 3 written test, 4 interview, 5 offer, 6 to join, 7 joined, 8 other, 255 built in.
    #[serde(default, rename = "type", deserialize_with = "whole")]
    pub(crate) kind: Option<i64>,
}

/// `type` of the stage of those who work here by now.
pub(crate) const JOINED: i64 = 7;
/// `type` of a stage that only the vendor's own pages show.
pub(crate) const SHOWN_ONLY: i64 = 255;
/// `termination_type`: the candidate refused.
pub(crate) const THEY_REFUSED: i64 = 22;
