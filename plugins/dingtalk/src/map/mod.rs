//! From the vendor's objects to canonical records. Pure: one object in, one record out.

mod approval;
mod attendance;
mod contacts;
mod leave;
mod roster;

pub use approval::{Reference, approval_ended, approval_started};
pub use attendance::{Seen, attendance, planned_shift};
pub use contacts::{employee, org_unit};
pub use leave::{leave, leave_balance, leave_id};
pub use roster::{ROSTER_FIELDS, assignment, employment, ended_employment};

use renmen_plugin::Unfit;
use renmen_plugin::schema::types::LocalDate;

/// The vendor's clock: it has no zone of its own for a company.
const CHINA: &str = "Asia/Shanghai";
/// The vendor's days are milliseconds of midnight in China (UTC+8): read in UTC they would be the day before.
const CHINA_MINUTES: i32 = 8 * 60;

fn china_day(field: &str, ms: Option<i64>) -> Result<Option<LocalDate>, Unfit> {
    let day = ms.map(|ms| LocalDate::from_epoch_ms_at_offset(ms, CHINA_MINUTES)).transpose();
    day.map_err(|e| Unfit::field(field, e))
}

/// An empty text is an absent one.
fn filled(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}
