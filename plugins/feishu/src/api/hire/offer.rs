//! Offers: pages "获取 Offer 信息" and "获取 Offer 详情", of one shape.

use serde::Deserialize;
use serde_json::Value;

use crate::api::loose::whole;
use crate::api::text::Named;

/// One offer.
#[derive(Debug, Deserialize)]
pub(crate) struct Offer {
    pub(crate) id: String,
    pub(crate) application_id: String,
    /// 1 not asked for, 2 in approval, 3 withdrawn, 4 approved, 5 not approved, 6 sent, 7 accepted, 8 declined, 9 void, …
    #[serde(default, deserialize_with = "whole")]
    pub(crate) offer_status: Option<i64>,
    pub(crate) basic_info: Option<BasicInfo>,
    /// Absent without the permission for it.
    pub(crate) salary_plan: Option<SalaryPlan>,
}

/// What the job will be.
#[derive(Debug, Deserialize)]
pub(crate) struct BasicInfo {
    /// `2021-05-20`.
    pub(crate) onboard_date: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub(crate) probation_month: Option<i64>,
    pub(crate) level: Option<Named>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) expire_time: Option<i64>,
}

/// What is paid. Amounts are texts.
#[derive(Debug, Deserialize)]
pub(crate) struct SalaryPlan {
    pub(crate) currency: Option<String>,
    /// JSON as text: `{"amount":"10000","period":2}`.
    pub(crate) basic_salary: Option<String>,
    /// Per cent.
    pub(crate) probation_salary_percentage: Option<String>,
    /// How many months are paid as the bonus at the end of the year.
    pub(crate) award_salary_multiple: Option<String>,
    pub(crate) quarterly_bonus: Option<String>,
    pub(crate) half_year_bonus: Option<String>,
}

/// What is inside `basic_salary`.
#[derive(Debug, Deserialize)]
pub(crate) struct BasicSalary {
    /// Text or number.
    pub(crate) amount: Value,
    /// 1 a day, 2 a month.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) period: Option<i64>,
}
