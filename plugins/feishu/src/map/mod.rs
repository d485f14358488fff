//! From the vendor's objects to canonical records. Pure: one object in, one record out.

mod application;
mod approval;
mod attendance;
mod candidate;
mod employee;
mod external;
mod interview;
mod job;
mod leave;
mod offer;
mod org;
mod reasons;

pub(crate) use application::{Stages, application, kind_of};
pub(crate) use approval::{Reference, ended as approval_ended, started as approval_started};
pub(crate) use attendance::{attendance, day_of};
pub(crate) use candidate::candidate;
pub(crate) use employee::{assignment, employee, employment};
pub(crate) use external::{
    background_check, external_application, external_interview, external_result, external_scores,
};
pub(crate) use interview::{dimension_scores, interview, interview_result};
pub(crate) use job::job;
pub(crate) use leave::{leave, leave_balance};
pub(crate) use offer::{DECLINED, offer};
pub(crate) use org::org_unit;
pub(crate) use reasons::Reasons;

use renmen_plugin::Unfit;
use renmen_plugin::schema::types::{ExternalId, Instant, LocalDate, Ref};

/// The vendor's days without a zone are days in China (UTC+8).
const CHINA_MINUTES: i32 = 8 * 60;

fn instant(field: &str, ms: Option<i64>) -> Result<Option<Instant>, Unfit> {
    // 0 stands for "never" in the vendor's answers.
    let ms = ms.filter(|&ms| ms > 0);
    ms.map(|ms| Instant::from_epoch_ms(ms).map_err(|e| Unfit::field(field, e))).transpose()
}

fn day(field: &str, text: Option<&String>) -> Result<Option<LocalDate>, Unfit> {
    let text = crate::api::loose::filled(text);
    text.map(|text| LocalDate::parse(text).map_err(|e| Unfit::field(field, e))).transpose()
}

/// Hire knows only the month of a school or job (`1990-01`); this is its first day. `None` for a text that is not a
/// month ("until today").
fn month(text: Option<&String>) -> Option<LocalDate> {
    let text = crate::api::loose::filled(text)?;
    LocalDate::parse(&format!("{text}-01")).ok()
}

/// A reference to a person by the id that Hire uses. CoreHR's employees have another kind of id, so the reference
/// states its kind.
fn by_open_id<E>(open_id: &str) -> Ref<E> {
    Ref::by(ExternalId { object_type: Some("open_id".to_owned()), ..ExternalId::of(open_id) })
}
