//! Jobs. Hire's range of salary has no currency, so it is not taken.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{EmploymentType, JobKind, JobStatus};
use renmen_plugin::schema::entity::Job;
use renmen_plugin::schema::types::{Coded, Localized, Ref};

use super::instant;
use crate::api::hire;
use crate::api::loose::filled;
use crate::api::text::Named;

/// A job.
///
/// # Errors
/// [`Unfit`] for one without a title or with a time that is not valid.
pub(crate) fn job(from: &hire::Job) -> Result<Job, Unfit> {
    let title = filled(Some(&from.title)).ok_or_else(|| Unfit::field("title", "an empty text"))?;
    let description: Vec<&str> =
        [&from.description, &from.requirement].into_iter().filter_map(|text| filled(text.as_ref())).collect();
    let listed: Vec<String> = from
        .city_list
        .iter()
        .filter_map(|city| city.name.as_ref().and_then(|name| name.best()).map(str::to_owned))
        .collect();
    let only = from.city.as_ref().and_then(Named::best).map(str::to_owned);
    let name = |named: Option<&Named>| named.and_then(Named::best).map(str::to_owned);
    Ok(Job {
        code: filled(from.code.as_ref()).map(str::to_owned),
        status: from.active_status.map(status_of),
        openings: from.head_count.and_then(|count| u32::try_from(count).ok()).filter(|&count| count > 0),
        description: (!description.is_empty()).then(|| Localized::und(description.join("\n\n"))),
        org_units: from
            .department
            .as_ref()
            .and_then(|department| filled(department.id.as_ref()))
            .map(Ref::external)
            .into_iter()
            .collect(),
        locations: if listed.is_empty() { only.into_iter().collect() } else { listed },
        employment_type: from.recruitment_type.as_ref().and_then(employment_type),
        job_family: name(from.job_category.as_ref())
            .or_else(|| from.job_function.as_ref()?.name.as_ref()?.best().map(str::to_owned)),
        min_level: name(from.min_job_level.as_ref()),
        max_level: name(from.max_job_level.as_ref()),
        opened_at: instant("create_timestamp", from.create_timestamp)?,
        ..Job::new(JobKind::Job.into(), Localized::und(title))
    })
}

fn status_of(status: i64) -> Coded<JobStatus> {
    Coded::from_raw(&status.to_string(), |_| match status {
        1 => Some(JobStatus::Open),
        2 => Some(JobStatus::Closed),
        _ => None,
    })
}

/// Page "枚举常量介绍", `recruitment_type`. Companies add kinds of their own.
fn employment_type(from: &Named) -> Option<Coded<EmploymentType>> {
    let id = filled(from.id.as_ref())?;
    let kind = Coded::from_raw(id, |id| match id {
        "101" | "201" => Some(EmploymentType::FullTime),
        "102" => Some(EmploymentType::Outsourced),
        "103" | "105" => Some(EmploymentType::Contractor),
        "202" | "301" => Some(EmploymentType::Intern),
        _ => None,
    });
    Some(match from.localized() {
        Some(label) => kind.labelled(label),
        None => kind,
    })
}
