//! Employees in three layers, all made of one employment of CoreHR and so of one id.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{EmploymentStatus, EmploymentType, EndReason};
use renmen_plugin::schema::entity::{Assignment, Employee, Employment, PersonDetails, Phone, Probation, WorkSummary};
use renmen_plugin::schema::types::{Coded, ExternalId, LocalDate, Localized, Ref};

use super::day;
use crate::api::corehr::{self, Enum, OffboardingInfo, WithName};
use crate::api::loose::filled;
use crate::api::text;

/// Who works here.
///
/// # Errors
/// [`Unfit`] for an employee without a name, or a day that is not valid.
pub(crate) fn employee(from: &corehr::Employee, leaving: Option<&OffboardingInfo>) -> Result<Employee, Unfit> {
    let who = &from.person_info;
    let name = filled(who.preferred_name.as_ref()).or_else(|| filled(who.legal_name.as_ref()));
    let name = name.ok_or_else(|| {
        Unfit::field("person_info.preferred_name", "absent, and legal_name too: give the app the permission for it")
    })?;
    let person = PersonDetails {
        phones: filled(who.phone_number.as_ref()).map(phone).into_iter().collect(),
        ..PersonDetails::named(name)
    };
    let work = WorkSummary {
        status: Some(status_of(from)?),
        kind: from.employment_type.as_ref().and_then(kind_of),
        title: name_of(from.job.as_ref()),
        level: name_of(from.job_level.as_ref()),
        org_unit: filled(from.department_id_v2.as_ref()).map(Ref::external),
        org_unit_name: name_of(from.department.as_ref()),
        manager: filled(from.direct_manager_id_v2.as_ref()).map(Ref::external),
        hire_date: day("effective_date", from.effective_date.as_ref())?,
        probation_end: day("probation_end_date", from.probation_end_date.as_ref())?,
        end_date: last_day(from, leaving)?,
        end_reason: from.reason_for_offboarding.as_ref().and_then(reason_of),
        work_email: filled(from.email_address.as_ref()).map(str::to_owned),
        ..WorkSummary::new()
    };
    let talent = filled(who.talent_id.as_ref())
        .map(|id| ExternalId { object_type: Some("talent".to_owned()), ..ExternalId::of(id) });
    Ok(Employee {
        number: filled(from.employee_number.as_ref()).map(str::to_owned),
        work: Some(work),
        external_ids: talent.into_iter().collect(),
        ..Employee::new(person)
    })
}

/// On what terms, and with which application in Hire it began.
///
/// # Errors
/// [`Unfit`] for an employment without a status, or a day that is not valid.
pub(crate) fn employment(from: &corehr::Employee, leaving: Option<&OffboardingInfo>) -> Result<Employment, Unfit> {
    let note = leaving.and_then(|info| filled(info.reason_explanation.as_ref()));
    let probation_end = day("probation_end_date", from.probation_end_date.as_ref())?;
    Ok(Employment {
        kind: from.employment_type.as_ref().and_then(kind_of),
        hire_date: day("effective_date", from.effective_date.as_ref())?,
        probation: probation_end.map(|end| Probation { end: Some(end), ..Probation::new() }),
        end_date: last_day(from, leaving)?,
        end_reason: from.reason_for_offboarding.as_ref().and_then(reason_of),
        end_note: note.map(Localized::und),
        seniority_date: day("seniority_date", from.seniority_date.as_ref())?,
        contract_end: day("contract_end_date", from.contract_end_date.as_ref())?,
        source_application: filled(from.ats_application_id.as_ref()).map(Ref::external),
        ..Employment::new(Ref::external(from.employment_id.as_str()), status_of(from)?)
    })
}

/// What an employee does.
///
/// # Errors
/// None today; a mapping may refuse.
pub(crate) fn assignment(from: &corehr::Employee) -> Result<Assignment, Unfit> {
    Ok(Assignment {
        employment: Some(Ref::external(from.employment_id.as_str())),
        title: name_of(from.job.as_ref()),
        job_family: name_of(from.job_family.as_ref()),
        level: name_of(from.job_level.as_ref()),
        org_unit: filled(from.department_id_v2.as_ref()).map(Ref::external),
        manager: filled(from.direct_manager_id_v2.as_ref()).map(Ref::external),
        dotted_managers: filled(from.dotted_line_manager_id_v2.as_ref()).map(Ref::external).into_iter().collect(),
        primary: from.primary_employment,
        ..Assignment::new(Ref::external(from.employment_id.as_str()))
    })
}

/// The day that is in force, or the one that was granted and is still to come.
fn last_day(from: &corehr::Employee, leaving: Option<&OffboardingInfo>) -> Result<Option<LocalDate>, Unfit> {
    match day("expiration_date", from.expiration_date.as_ref())? {
        Some(last) => Ok(Some(last)),
        None => day("offboarding_date", leaving.and_then(|info| info.offboarding_date.as_ref())),
    }
}

fn status_of(from: &corehr::Employee) -> Result<Coded<EmploymentStatus>, Unfit> {
    let word = from.employment_status.as_ref().and_then(|status| filled(status.enum_name.as_ref()));
    let word = word.ok_or_else(|| Unfit::field("employment_status", "absent: give the app the permission for it"))?;
    Ok(Coded::from_raw(word, |word| match (word, from.on_probation) {
        ("hired", Some(true)) => Some(EmploymentStatus::Probation),
        ("hired", _) => Some(EmploymentStatus::Active),
        ("terminated", _) => Some(EmploymentStatus::Terminated),
        _ => None,
    }))
}

/// The vendor tells staff from temporary workers and no more; what else there is a company defines by itself.
fn kind_of(from: &Enum) -> Option<Coded<EmploymentType>> {
    let kind = Coded::from_raw(filled(from.enum_name.as_ref())?, |word| {
        (word == "contingent_worker").then_some(EmploymentType::Temporary)
    });
    Some(labelled(kind, from))
}

fn reason_of(from: &Enum) -> Option<Coded<EndReason>> {
    let reason = Coded::from_raw(filled(from.enum_name.as_ref())?, |word| match word {
        "voluntary" | "job_change_saas" => Some(EndReason::Resigned),
        "involuntary"
        | "dismissal_saas"
        | "unsatisfactory_performance_saas"
        | "low_productivity_saas"
        | "violation_of_company_regulations_saas"
        | "violation_of_laws_saas" => Some(EndReason::Dismissed),
        "failed_probation_period_saas" => Some(EndReason::ProbationFailed),
        "contract_expiration_saas" => Some(EndReason::ContractEnded),
        "organization_adjustment_saas" => Some(EndReason::Redundancy),
        "death_saas" => Some(EndReason::Deceased),
        "unsatisfactory_compensation_saas" => Some(EndReason::Pay),
        "limited_career_opportunities_saas" | "career_change_saas" => Some(EndReason::Career),
        "family_related_reason_saas" => Some(EndReason::Family),
        "health_related_reason_saas" => Some(EndReason::Health),
        _ => None,
    });
    Some(labelled(reason, from))
}

fn labelled<T: renmen_plugin::schema::types::CodeSet>(code: Coded<T>, from: &Enum) -> Coded<T> {
    match text::of_list(&from.display) {
        Some(label) => code.labelled(label),
        None => code,
    }
}

fn name_of(from: Option<&WithName>) -> Option<String> {
    text::best_of(&from?.name)
}

/// A number that is E.164 already says so.
fn phone(number: &str) -> Phone {
    let all = number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    });
    Phone { e164: all.then(|| number.to_owned()), kind: Some("MOBILE".into()), ..Phone::new(number.to_owned()) }
}
