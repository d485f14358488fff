//! Interviews: page "获取面试信息"; what interviewers filled in: page "批量获取面试评价详细信息（新版）".

use serde::Deserialize;
use serde_json::Number;

use crate::api::loose::whole;
use crate::api::text::{I18n, IdName};

/// One interview.
#[derive(Debug, Deserialize)]
pub(crate) struct Interview {
    pub(crate) id: String,
    pub(crate) application_id: String,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) begin_time: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) end_time: Option<i64>,
    /// From 0.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) round: Option<i64>,
    /// 2 not begun, 3 not assessed by anyone, 4 all passed, 5 all failed, 6 no one came, …
    #[serde(default, deserialize_with = "whole")]
    pub(crate) interview_round_summary: Option<i64>,
    pub(crate) talent_time_zone: Option<TimeZone>,
    #[serde(default)]
    pub(crate) interview_record_list: Vec<InterviewRecord>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) biz_modify_time: Option<i64>,
}

/// `{"code": "UTC+08:00", "name": {"en_us": "Asia/Shanghai"}}`.
#[derive(Debug, Deserialize)]
pub(crate) struct TimeZone {
    pub(crate) name: Option<I18n>,
}

/// One interviewer's part of an interview.
#[derive(Debug, Deserialize)]
pub(crate) struct InterviewRecord {
    pub(crate) id: String,
    /// 1 handed in, 2 not yet.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) commit_status: Option<i64>,
    /// 1 passed, 2 failed, 3 not begun, 4 not handed in, 5 no one came, 6 undecided.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) conclusion: Option<i64>,
    pub(crate) content: Option<String>,
    pub(crate) assessment_score: Option<AssessmentScore>,
    pub(crate) interviewer: Option<IdName>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) feedback_submit_time: Option<i64>,
}

/// Points of the form's scored questions.
#[derive(Debug, Deserialize)]
pub(crate) struct AssessmentScore {
    pub(crate) score: Option<Number>,
    pub(crate) full_score: Option<Number>,
}

/// What an interviewer filled in, dimension by dimension.
#[derive(Debug, Deserialize)]
pub(crate) struct Evaluation {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) module_assessments: Vec<Module>,
    pub(crate) interviewer: Option<IdName>,
}

/// A part of the form.
#[derive(Debug, Deserialize)]
pub(crate) struct Module {
    #[serde(default)]
    pub(crate) dimension_assessments: Vec<Dimension>,
}

/// One question of the form.
#[derive(Debug, Deserialize)]
pub(crate) struct Dimension {
    #[serde(rename = "interview_feedback_form_dimension_id")]
    pub(crate) id: Option<String>,
    #[serde(rename = "dimension_name")]
    pub(crate) name: Option<I18n>,
    /// 1 one choice, 2 several, 3 text, 5 level, 6 points by choice, 7 points, 10 to 12 built in.
    #[serde(default, rename = "dimension_type", deserialize_with = "whole")]
    pub(crate) kind: Option<i64>,
    #[serde(rename = "dimension_content")]
    pub(crate) content: Option<String>,
    #[serde(rename = "dimension_option")]
    pub(crate) option: Option<Choice>,
    #[serde(default, rename = "dimension_score", deserialize_with = "whole")]
    pub(crate) score: Option<i64>,
}

/// A choice with its points.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    /// 0 to 100.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) score_val: Option<i64>,
    pub(crate) name: Option<I18n>,
}
