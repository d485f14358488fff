//! Candidates, of talents.

use renmen_plugin::Unfit;
use renmen_plugin::http::path_segment;
use renmen_plugin::schema::code::Gender;
use renmen_plugin::schema::entity::{Candidate, Education, Email, Experience, PersonDetails, Phone};
use renmen_plugin::schema::types::{Coded, DateSpan, LocalDate, Localized, MediaRef};

use super::{CHINA_MINUTES, month};
use crate::Config;
use crate::api::hire;
use crate::api::loose::filled;
use crate::api::text::Named;

/// A talent.
///
/// # Errors
/// [`Unfit`] for a day of birth that is not valid.
pub(crate) fn candidate(config: &Config, from: &hire::Talent) -> Result<Candidate, Unfit> {
    let who = &from.basic_info;
    let birth = who.birthday.map(|seconds| {
        let ms = seconds.saturating_mul(1_000);
        LocalDate::from_epoch_ms_at_offset(ms, CHINA_MINUTES).map_err(|e| Unfit::field("basic_info.birthday", e))
    });
    let named = filled(who.name.as_ref()).map_or_else(PersonDetails::new, PersonDetails::named);
    let person = PersonDetails {
        emails: filled(who.email.as_ref()).map(|address| Email::new(address.to_owned())).into_iter().collect(),
        phones: filled(who.mobile.as_ref())
            .map(|number| phone(who.mobile_code.as_deref(), number))
            .into_iter()
            .collect(),
        birth_date: birth.transpose()?,
        gender: who.gender.map(gender_of),
        ..named
    };
    let now = from.career_list.iter().find(|career| month(career.end_time.as_ref()).is_none());
    let cities = who.current_city.iter().chain(&who.preferred_city_list);
    let mut locations: Vec<String> = Vec::new();
    for city in cities.filter_map(Named::best) {
        if !locations.iter().any(|known| known == city) {
            locations.push(city.to_owned());
        }
    }
    let mut experiences: Vec<Experience> = from.career_list.iter().map(career).collect();
    experiences.extend(from.project_list.iter().map(project));
    Ok(Candidate {
        current_employer: now.and_then(|career| filled(career.company.as_ref())).map(str::to_owned),
        current_title: now.and_then(|career| filled(career.title.as_ref())).map(str::to_owned),
        locations,
        educations: from.education_list.iter().filter_map(education).collect(),
        experiences,
        documents: from.resume_attachment_id_list.iter().map(|id| resume(config, id)).collect::<Result<_, _>>()?,
        tags: from.resume_source_list.iter().filter_map(Named::best).map(str::to_owned).collect(),
        ..Candidate::new(person)
    })
}

fn phone(code: Option<&str>, number: &str) -> Phone {
    let phone = match code.filter(|code| !code.is_empty()) {
        Some(code) => Phone::with_calling_code(code, number),
        None => Phone::new(number.to_owned()),
    };
    Phone { kind: Some("MOBILE".into()), ..phone }
}

fn gender_of(gender: i64) -> Coded<Gender> {
    Coded::from_raw(&gender.to_string(), |_| match gender {
        1 => Some(Gender::Male),
        2 => Some(Gender::Female),
        _ => None,
    })
}

/// A school without a name says nothing.
fn education(from: &hire::Education) -> Option<Education> {
    let end = new_end(from).or_else(|| month(from.end_time.as_ref()));
    let period = month(from.start_time.as_ref()).zip(end);
    Some(Education {
        degree: from.degree.and_then(degree_of).map(str::to_owned),
        field: filled(from.field_of_study.as_ref()).map(str::to_owned),
        period: period.filter(|(start, end)| start <= end).map(|(start, end)| DateSpan::new(start, end)),
        ..Education::new(filled(from.school.as_ref())?.to_owned())
    })
}

/// The end in the newer member: milliseconds, or a month as everywhere else, given as the first day of its month.
/// `None` for anything else.
fn new_end(from: &hire::Education) -> Option<LocalDate> {
    /// Smaller numbers would be seconds: in milliseconds this is 1973.
    const MS_MIN: i64 = 100_000_000_000;
    let text = filled(from.end_time_v2.as_ref())?;
    let Ok(ms) = text.parse::<i64>() else { return month(from.end_time_v2.as_ref()) };
    let day = (ms >= MS_MIN).then(|| LocalDate::from_epoch_ms_at_offset(ms, CHINA_MINUTES).ok()).flatten()?;
    month(day.to_string().get(..7).map(str::to_owned).as_ref())
}

fn degree_of(degree: i64) -> Option<&'static str> {
    Some(match degree {
        1 => "小学",
        2 => "初中",
        3 => "专职",
        4 => "高中",
        5 => "大专",
        6 => "本科",
        7 => "硕士",
        8 => "博士",
        _ => return None,
    })
}

fn career(from: &hire::Career) -> Experience {
    Experience {
        employer: filled(from.company.as_ref()).map(str::to_owned),
        title: filled(from.title.as_ref()).map(str::to_owned),
        start: month(from.start_time.as_ref()),
        end: month(from.end_time.as_ref()),
        description: filled(from.desc.as_ref()).map(Localized::und),
        ..Experience::new()
    }
}

fn project(from: &hire::Project) -> Experience {
    Experience {
        project: filled(from.name.as_ref()).map(str::to_owned),
        title: filled(from.role.as_ref()).map(str::to_owned),
        start: month(from.start_time.as_ref()),
        end: month(from.end_time.as_ref()),
        description: filled(from.desc.as_ref()).map(Localized::und),
        ..Experience::new()
    }
}

/// The address at which the vendor says how to get the file; it answers only with the app's token.
fn resume(config: &Config, id: &str) -> Result<MediaRef, Unfit> {
    let base = config.base_url.trim_end_matches('/');
    let segment = path_segment(id).map_err(|failure| Unfit::field("resume_attachment_id_list", failure.message))?;
    Ok(MediaRef::new(format!("{base}/open-apis/hire/v1/attachments/{segment}?type=1")))
}
