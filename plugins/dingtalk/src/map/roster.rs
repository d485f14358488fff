//! Employments and assignments, from roster fields by their code.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{EmploymentStatus, EmploymentType, EndReason};
use renmen_plugin::schema::entity::{Assignment, Employment};
use renmen_plugin::schema::types::{Coded, LocalDate, Ref};

use super::china_day;
use crate::api::{FieldValue, Leaver, RosterEntry};

/// The fields that are asked for: nothing that is not used, and no identity document, bank account or family.
pub const ROSTER_FIELDS: &[&str] = &[
    "sys00-mainDeptId",
    "sys00-position",
    "sys00-workPlace",
    "sys00-confirmJoinTime",
    "sys01-employeeType",
    "sys01-employeeStatus",
    "sys01-positionLevel",
];

/// The employment of a current employee.
///
/// # Errors
/// [`Unfit`] for a status that is absent or a day that is not valid.
pub fn employment(from: &RosterEntry) -> Result<Employment, Unfit> {
    let status = from
        .value("sys01-employeeStatus")
        .ok_or_else(|| Unfit::field("sys01-employeeStatus", "absent: give the app the permission for this field"))?;
    let joined = from.text("sys00-confirmJoinTime");
    let hire_date = joined.as_deref().map(LocalDate::parse).transpose();
    Ok(Employment {
        kind: from.value("sys01-employeeType").map(kind_of),
        hire_date: hire_date.map_err(|e| Unfit::field("sys00-confirmJoinTime", e))?,
        ..Employment::new(Ref::external(from.user_id.as_str()), status_of(status))
    })
}

/// Where the option's key is not known, its text is kept.
fn status_of(from: &FieldValue) -> Coded<EmploymentStatus> {
    Coded::from_raw(from.text().unwrap_or_default(), |_| match from.value.as_deref()? {
        "2" => Some(EmploymentStatus::Probation),
        "3" | "5" => Some(EmploymentStatus::Active),
        _ => None,
    })
}

/// Companies name the types themselves, so the text decides.
fn kind_of(from: &FieldValue) -> Coded<EmploymentType> {
    Coded::from_raw(from.text().unwrap_or_default(), |text| match text {
        "全职" => Some(EmploymentType::FullTime),
        "兼职" => Some(EmploymentType::PartTime),
        "实习" => Some(EmploymentType::Intern),
        "劳务派遣" => Some(EmploymentType::Dispatched),
        "退休返聘" => Some(EmploymentType::Rehired),
        "劳务外包" => Some(EmploymentType::Outsourced),
        _ => None,
    })
}

/// The assignment of a current employee.
///
/// # Errors
/// None today; a mapping may refuse.
pub fn assignment(from: &RosterEntry) -> Result<Assignment, Unfit> {
    Ok(Assignment {
        employment: Some(Ref::external(from.user_id.as_str())),
        title: from.text("sys00-position"),
        level: from.text("sys01-positionLevel"),
        org_unit: from.text("sys00-mainDeptId").map(Ref::external),
        location: from.text("sys00-workPlace"),
        primary: Some(true),
        ..Assignment::new(Ref::external(from.user_id.as_str()))
    })
}

/// The employment of a person who left.
///
/// # Errors
/// [`Unfit`] for a day that is not valid.
pub fn ended_employment(from: &Leaver) -> Result<Employment, Unfit> {
    let reason = from.voluntary_reason.first().map(|text| (text, EndReason::Resigned));
    let reason = reason.or_else(|| from.passive_reason.first().map(|text| (text, EndReason::Dismissed)));
    Ok(Employment {
        end_date: china_day("lastWorkDay", from.last_work_day)?,
        end_reason: reason
            .map(|(text, otherwise)| Coded::with_raw(reason_of(text).unwrap_or(otherwise), text.as_str())),
        ..Employment::new(Ref::external(from.user_id.as_str()), EmploymentStatus::Terminated.into())
    })
}

fn reason_of(text: &str) -> Option<EndReason> {
    match text {
        "家庭原因" => Some(EndReason::Family),
        "薪资原因" | "薪酬福利" => Some(EndReason::Pay),
        "身体原因" => Some(EndReason::Health),
        "职业发展" => Some(EndReason::Career),
        "合同到期" => Some(EndReason::ContractEnded),
        _ => None,
    }
}
