//! Talents: page "获取人才列表". Identity documents, marital status, nationality and home are not read: nothing needs them.

use serde::Deserialize;

use crate::api::loose::{whole, written};
use crate::api::text::Named;

/// One talent.
#[derive(Debug, Deserialize)]
pub(crate) struct Talent {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) basic_info: Basic,
    #[serde(default)]
    pub(crate) education_list: Vec<Education>,
    #[serde(default)]
    pub(crate) career_list: Vec<Career>,
    #[serde(default)]
    pub(crate) project_list: Vec<Project>,
    #[serde(default)]
    pub(crate) resume_source_list: Vec<Named>,
    /// Newest first.
    #[serde(default)]
    pub(crate) resume_attachment_id_list: Vec<String>,
}

/// Who it is.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Basic {
    pub(crate) name: Option<String>,
    pub(crate) mobile: Option<String>,
    /// `86`.
    pub(crate) mobile_code: Option<String>,
    pub(crate) email: Option<String>,
    /// 1 male, 2 female, 3 other.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) gender: Option<i64>,
    pub(crate) current_city: Option<Named>,
    #[serde(default)]
    pub(crate) preferred_city_list: Vec<Named>,
    /// Seconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) birthday: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) modify_time: Option<i64>,
}

/// A school. Times are `1990-01`, unless said otherwise.
#[derive(Debug, Deserialize)]
pub(crate) struct Education {
    /// 5 college, 6 bachelor, 7 master, 8 doctor, …
    #[serde(default, deserialize_with = "whole")]
    pub(crate) degree: Option<i64>,
    pub(crate) school: Option<String>,
    pub(crate) field_of_study: Option<String>,
    pub(crate) start_time: Option<String>,
    /// Or "until today".
    pub(crate) end_time: Option<String>,
    /// 结束时间-新, "无「至今」传值": the same, but for a person who is still studying it is the planned day. The page "获取人才列表"
    /// asks for this one to be read (`TalentEducationInfo` of lark-oapi), and its example is in milliseconds:
    /// `1687180087000`.
    #[serde(default, deserialize_with = "written")]
    pub(crate) end_time_v2: Option<String>,
}

/// A place of work. Times are `1990-01`.
#[derive(Debug, Deserialize)]
pub(crate) struct Career {
    pub(crate) company: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) desc: Option<String>,
    pub(crate) start_time: Option<String>,
    pub(crate) end_time: Option<String>,
}

/// A project. Times are `1990-01`.
#[derive(Debug, Deserialize)]
pub(crate) struct Project {
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) desc: Option<String>,
    pub(crate) start_time: Option<String>,
    pub(crate) end_time: Option<String>,
}
