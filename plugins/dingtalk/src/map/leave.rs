//! Leave and its balances. The vendor counts both in hundredths: 650 is six and a half.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{HalfDay, LeaveKind, LeaveStatus, LeaveUnit};
use renmen_plugin::schema::entity::{Leave, LeaveAmount, LeaveBalance};
use renmen_plugin::schema::types::{Coded, DateSpan, Decimal, LocalDate, Ref, ZonedInstant};

use super::{CHINA, CHINA_MINUTES};
use crate::api::{self, LeaveType, Quota};

const DAY_MS: i64 = 86_400_000;
/// China's midnight lies so far before that of UTC.
const CHINA_MS: i64 = 8 * 3_600_000;

/// A leave that was approved: the vendor lists no other.
///
/// # Errors
/// [`Unfit`] for a unit that is not known, or a time that is not valid.
pub fn leave(from: &api::LeaveStatus, types: &[LeaveType]) -> Result<Leave, Unfit> {
    let unit = match from.duration_unit.as_str() {
        "percent_day" => LeaveUnit::Day,
        "percent_hour" => LeaveUnit::Hour,
        _ => return Err(Unfit::field("duration_unit", "a unit that is not known here")),
    };
    let (start, end) = (from.start_time, from.end_time);
    // By the hour, an end at midnight is the end of the day before.
    let last_ms = if unit == LeaveUnit::Hour && end > start && clock_ms(end) == 0 { end - 1 } else { end };
    let value = hundredths("duration_percent", from.duration_percent)?;
    let leave = Leave {
        tz: Some(CHINA.into()),
        amount: Some(LeaveAmount::new(value, unit)),
        ..Leave::new(
            Ref::external(from.userid.as_str()),
            kind(from.leave_code.as_deref().unwrap_or("unknown"), types),
            day("start_time", start)?,
            day("end_time", last_ms)?,
            LeaveStatus::Approved.into(),
        )
    };
    Ok(match unit {
        LeaveUnit::Day => by_halves(leave, start, end),
        _ => Leave { start: Some(zoned("start_time", start)?), end: Some(zoned("end_time", end)?), ..leave },
    })
}

/// Leave by days begins at midnight or at noon, and ends at noon where the afternoon is worked.
fn by_halves(leave: Leave, start: i64, end: i64) -> Leave {
    let noon = |ms: i64| clock_ms(ms) == DAY_MS / 2;
    let (late, early) = (noon(start), noon(end));
    if !late && !early {
        return leave;
    }
    let first = if late { HalfDay::Afternoon } else { HalfDay::Morning };
    let last = if early { HalfDay::Morning } else { HalfDay::Afternoon };
    Leave { first_half: Some(first), last_half: Some(last), ..leave }
}

fn clock_ms(ms: i64) -> i64 {
    ms.saturating_add(CHINA_MS).rem_euclid(DAY_MS)
}

/// The id of a leave: the vendor gives none.
#[must_use]
pub fn leave_id(from: &api::LeaveStatus) -> String {
    format!("{}:{}:{}", from.userid, from.start_time, from.leave_code.as_deref().unwrap_or("unknown"))
}

/// A balance, in the unit in which the kind of leave is counted: the vendor may fill in the other one too.
///
/// # Errors
/// [`Unfit`] for a balance without figures, or a period that is not valid.
pub fn leave_balance(from: &Quota, of: &LeaveType) -> Result<LeaveBalance, Unfit> {
    let in_hours = of.leave_view_unit.as_deref() == Some("hour");
    let days = (LeaveUnit::Day, from.quota_num_per_day, from.used_num_per_day);
    let hours = (LeaveUnit::Hour, from.quota_num_per_hour, from.used_num_per_hour);
    let (first, second) = if in_hours { (hours, days) } else { (days, hours) };
    let (unit, granted, used) = if first.1.is_some() { first } else { second };
    let granted = granted.ok_or_else(|| Unfit::field("quota_num_per_day", "absent, and no hours either"))?;
    let remaining = used.map(|used| granted.checked_sub(used));
    let figure = |field: &str, value: Option<i64>| value.map(|value| hundredths(field, value)).transpose();
    Ok(LeaveBalance {
        granted: figure("quota_num", Some(granted))?,
        used: figure("used_num", used)?,
        remaining: figure("quota_num", remaining.flatten())?,
        period: match (from.start_time, from.end_time) {
            (Some(start), Some(end)) => Some(DateSpan::new(day("start_time", start)?, day("end_time", end)?)),
            _ => None,
        },
        ..LeaveBalance::new(Ref::external(from.userid.as_str()), kind(&of.leave_code, std::slice::from_ref(of)), unit)
    })
}

fn hundredths(field: &str, value: i64) -> Result<Decimal, Unfit> {
    Decimal::from_minor(value, 2).map_err(|e| Unfit::field(field, e))
}

fn day(field: &str, ms: i64) -> Result<LocalDate, Unfit> {
    LocalDate::from_epoch_ms_at_offset(ms, CHINA_MINUTES).map_err(|e| Unfit::field(field, e))
}

fn zoned(field: &str, ms: i64) -> Result<ZonedInstant, Unfit> {
    let zoned = ZonedInstant::from_epoch_ms_at_offset(ms, CHINA_MINUTES).map_err(|e| Unfit::field(field, e))?;
    Ok(ZonedInstant { tz: Some(CHINA.into()), ..zoned })
}

/// The company names its kinds of leave itself, so the name decides and is kept. Without it the company's id is all there is.
fn kind(code: &str, types: &[LeaveType]) -> Coded<LeaveKind> {
    let Some(found) = types.iter().find(|kind| kind.leave_code == code) else {
        return Coded::with_raw(LeaveKind::Other, code);
    };
    if found.biz_type.as_deref() == Some("lieu_leave") {
        return Coded::with_raw(LeaveKind::Compensatory, found.leave_name.as_str());
    }
    Coded::from_raw(&found.leave_name, |name| {
        let known = NAMES.iter().find(|(word, _)| name.contains(word));
        known.map(|(_, kind)| *kind)
    })
}

/// A word in the name, and the kind; the longer word first where one is a part of the other.
const NAMES: &[(&str, LeaveKind)] = &[
    ("陪产", LeaveKind::Paternity),
    ("产检", LeaveKind::Prenatal),
    ("产假", LeaveKind::Maternity),
    ("育儿", LeaveKind::Parental),
    ("哺乳", LeaveKind::Nursing),
    ("护理", LeaveKind::Care),
    ("年假", LeaveKind::Annual),
    ("年休", LeaveKind::Annual),
    ("调休", LeaveKind::Compensatory),
    ("工伤", LeaveKind::WorkInjury),
    ("病假", LeaveKind::Sick),
    ("事假", LeaveKind::Personal),
    ("婚假", LeaveKind::Marriage),
    ("丧假", LeaveKind::Bereavement),
    ("探亲", LeaveKind::FamilyVisit),
];
