//! CoreHR (人事): departments, employees, leavers' applications. Pages "搜索部门信息", "批量查询员工信息", "搜索离职信息".

use serde::{Deserialize, Serialize};

use super::text::LangText;

/// The kind of user id: CoreHR's own, which leavers and people without an account have too.
pub(crate) const USER_IDS: (&str, &str) = ("user_id_type", "people_corehr_id");

/// What of a department is asked for.
pub(crate) const DEPARTMENT_FIELDS: &[&str] = &[
    "department_name",
    "sub_type",
    "parent_department_id",
    "manager",
    "tree_order",
    "code",
    "is_root",
    "is_confidential",
    "effective_date",
    "active",
];

/// What of an employee is asked for: nothing that is not used; no identity document, bank account, family or health.
const EMPLOYEE_FIELDS: &[&str] = &[
    "employment_id",
    "ats_application_id",
    "employee_number",
    "department_id",
    "department.department_name",
    "job_level.name",
    "job_family.name",
    "job.name",
    "effective_date",
    "seniority_date",
    "primary_employment",
    "on_probation",
    "probation_end_date",
    "direct_manager_id",
    "dotted_line_manager_id",
    "employment_type",
    "employment_status",
    "expiration_date",
    "reason_for_offboarding",
    "contract_end_date",
    "email_address",
    "person_info.preferred_name",
    "person_info.legal_name",
    "person_info.phone_number",
    "person_info.talent_id",
];

/// One department.
#[derive(Debug, Deserialize)]
pub(crate) struct Department {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) department_name: Vec<LangText>,
    /// `division`, `department`, `group`.
    pub(crate) sub_type: Option<Enum>,
    pub(crate) parent_department_id: Option<String>,
    /// An employment id.
    pub(crate) manager: Option<String>,
    /// Among its siblings: `001000`.
    pub(crate) tree_order: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) is_root: Option<bool>,
    pub(crate) is_confidential: Option<bool>,
    /// `2020-05-01`.
    pub(crate) effective_date: Option<String>,
}

/// A word of the vendor's with its texts.
#[derive(Debug, Deserialize)]
pub(crate) struct Enum {
    pub(crate) enum_name: Option<String>,
    #[serde(default)]
    pub(crate) display: Vec<LangText>,
}

/// Something with a name in several languages.
#[derive(Debug, Deserialize)]
pub(crate) struct WithName {
    #[serde(default, alias = "department_name")]
    pub(crate) name: Vec<LangText>,
}

/// One employment with its person. Dates are `2021-03-16`.
#[derive(Debug, Deserialize)]
pub(crate) struct Employee {
    pub(crate) employment_id: String,
    /// The application in Hire that it began with.
    pub(crate) ats_application_id: Option<String>,
    pub(crate) employee_number: Option<String>,
    /// Empty when the vendor has no id of the kind that was asked for; `department_id` is then one of another kind.
    pub(crate) department_id_v2: Option<String>,
    pub(crate) department: Option<WithName>,
    pub(crate) job_level: Option<WithName>,
    pub(crate) job_family: Option<WithName>,
    pub(crate) job: Option<WithName>,
    pub(crate) effective_date: Option<String>,
    pub(crate) seniority_date: Option<String>,
    pub(crate) primary_employment: Option<bool>,
    pub(crate) on_probation: Option<bool>,
    pub(crate) probation_end_date: Option<String>,
    /// As `department_id_v2`.
    pub(crate) direct_manager_id_v2: Option<String>,
    /// As `department_id_v2`.
    pub(crate) dotted_line_manager_id_v2: Option<String>,
    /// `employee`, `contingent_worker`.
    pub(crate) employment_type: Option<Enum>,
    /// `hired`, `terminated`.
    pub(crate) employment_status: Option<Enum>,
    /// The last day of work.
    pub(crate) expiration_date: Option<String>,
    pub(crate) reason_for_offboarding: Option<Enum>,
    pub(crate) contract_end_date: Option<String>,
    pub(crate) email_address: Option<String>,
    #[serde(default)]
    pub(crate) person_info: PersonInfo,
}

/// Who it is.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PersonInfo {
    pub(crate) preferred_name: Option<String>,
    pub(crate) legal_name: Option<String>,
    pub(crate) phone_number: Option<String>,
    /// The talent in Hire.
    pub(crate) talent_id: Option<String>,
}

/// Asks for departments.
#[derive(Debug, Serialize)]
pub(crate) struct DepartmentQuery<'a> {
    pub(crate) active: Option<bool>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) department_id_list: &'a [String],
    pub(crate) fields: &'a [&'a str],
}

/// Asks for employees: all, or those of the first list that is filled.
#[derive(Debug, Serialize)]
pub(crate) struct EmployeeQuery<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) employment_ids: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) person_ids: &'a [&'a str],
    pub(crate) fields: &'a [&'a str],
}

impl Default for EmployeeQuery<'_> {
    fn default() -> Self {
        Self { employment_ids: &[], person_ids: &[], fields: EMPLOYEE_FIELDS }
    }
}

/// Asks for leavers' applications that were granted or needed no grant.
#[derive(Debug, Serialize)]
pub(crate) struct OffboardingQuery<'a> {
    pub(crate) employment_ids: &'a [String],
    pub(crate) statuses: &'a [&'a str],
}

/// One leaver's application.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Offboarding {
    pub(crate) offboarding_info: OffboardingInfo,
}

/// When an employee leaves, and why.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OffboardingInfo {
    pub(crate) employment_id: String,
    pub(crate) offboarding_date: Option<String>,
    pub(crate) reason_explanation: Option<String>,
}
