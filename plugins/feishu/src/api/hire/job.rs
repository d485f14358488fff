//! Jobs: page "获取职位列表".

use serde::Deserialize;

use crate::api::loose::whole;
use crate::api::text::{IdName, Named};

/// One job.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) code: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) requirement: Option<String>,
    /// 101 full time, 102 outsourced, …: page "枚举常量介绍".
    pub(crate) recruitment_type: Option<Named>,
    pub(crate) department: Option<Named>,
    pub(crate) city: Option<Named>,
    #[serde(default)]
    pub(crate) city_list: Vec<City>,
    pub(crate) min_job_level: Option<Named>,
    pub(crate) max_job_level: Option<Named>,
    pub(crate) job_category: Option<Named>,
    /// 1 open, 2 closed.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) active_status: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    pub(crate) head_count: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) create_timestamp: Option<i64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) update_timestamp: Option<i64>,
    pub(crate) job_function: Option<IdName>,
}

/// A city of a job.
#[derive(Debug, Deserialize)]
pub(crate) struct City {
    pub(crate) name: Option<crate::api::text::I18n>,
}
