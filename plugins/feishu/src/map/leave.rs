//! Leave and its balances. Amounts are decimals as text, and stay what they are.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{HalfDay, LeaveKind, LeaveStatus, LeaveUnit};
use renmen_plugin::schema::entity::{Leave, LeaveAmount, LeaveBalance};
use renmen_plugin::schema::types::{Coded, Decimal, Instant, LocalDate, Ref, ZonedInstant};

use super::{CHINA_MINUTES, instant};
use crate::api::attendance::{Balance, LeaveRequest};
use crate::api::loose::filled;
use crate::api::text::{self, LangText};

/// The one zone with a clock that is known here: it has no summer time.
const CHINA: &str = "Asia/Shanghai";

/// A request for leave, whichever way it went.
///
/// # Errors
/// [`Unfit`] for a day, a time or an amount that is not valid.
pub(crate) fn leave(from: &LeaveRequest) -> Result<Leave, Unfit> {
    let (first, last) = (Edge::read("start_time", &from.start_time)?, Edge::read("end_time", &from.end_time)?);
    let tz = filled(from.time_zone.as_ref());
    let amount = match filled(from.leave_duration.as_ref()) {
        Some(amount) => Some(LeaveAmount::new(decimal("leave_duration", amount)?, unit(from.leave_duration_unit)?)),
        None => None,
    };
    let status = status(from.leave_request_status);
    Ok(Leave {
        first_half: first.half,
        last_half: last.half,
        start: first.time(tz)?,
        end: last.time(tz)?,
        tz: tz.map(str::to_owned),
        amount,
        requested_at: instant("submitted_at", from.submitted_at.map(|seconds| seconds.saturating_mul(1_000)))?,
        reason: filled(from.notes.as_ref()).map(str::to_owned),
        ..Leave::new(
            Ref::external(from.employment_id.as_str()),
            kind(&from.leave_type_name, from.leave_type_id.as_deref()),
            first.day,
            last.day,
            status,
        )
    })
}

/// 3, 4 and 5 are approved leave that someone asks to correct, to cancel or to end: until that is granted it stands.
fn status(number: i64) -> Coded<LeaveStatus> {
    Coded::from_raw(&number.to_string(), |number| match number {
        "1" | "3" | "4" | "5" | "6" => Some(LeaveStatus::Approved),
        "2" => Some(LeaveStatus::Requested),
        "7" => Some(LeaveStatus::Rejected),
        "8" => Some(LeaveStatus::Cancelled),
        "9" => Some(LeaveStatus::Withdrawn),
        _ => None,
    })
}

/// Where a leave begins or ends: a day, half of one, or a time.
struct Edge<'a> {
    day: LocalDate,
    half: Option<HalfDay>,
    clock: Option<&'a str>,
    field: &'static str,
}

impl<'a> Edge<'a> {
    /// `2022-09-09`, `2022-09-09 morning`, `2022-09-09 10:00:00`.
    fn read(field: &'static str, text: &'a str) -> Result<Self, Unfit> {
        let (day, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let day = LocalDate::parse(day).map_err(|e| Unfit::field(field, e))?;
        let (half, clock) = match rest.trim() {
            "" => (None, None),
            "morning" => (Some(HalfDay::Morning), None),
            "afternoon" => (Some(HalfDay::Afternoon), None),
            clock => (None, Some(clock)),
        };
        Ok(Self { day, half, clock, field })
    }

    /// The time, where there is one on a clock that is known here.
    fn time(&self, tz: Option<&str>) -> Result<Option<ZonedInstant>, Unfit> {
        let (Some(clock), CHINA) = (self.clock, tz.unwrap_or(CHINA)) else { return Ok(None) };
        let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
        let at = Instant::parse(&format!("{}T{clock}+08:00", self.day)).map_err(|e| Unfit::field(self.field, e))?;
        let zoned = ZonedInstant::from_epoch_ms_at_offset(at.epoch_ms(), CHINA_MINUTES);
        let zoned = zoned.map_err(|e| Unfit::field(self.field, e))?;
        Ok(Some(ZonedInstant { tz: Some(CHINA.to_owned()), ..zoned }))
    }
}

/// A balance of the cycle that runs. `leave_balance` is the vendor's own sum: what was carried over is in it.
///
/// # Errors
/// [`Unfit`] for a figure or a unit that is not valid.
pub(crate) fn leave_balance(employee: &str, from: &Balance) -> Result<LeaveBalance, Unfit> {
    let figure =
        |field: &str, text: &Option<String>| filled(text.as_ref()).map(|text| decimal(field, text)).transpose();
    Ok(LeaveBalance {
        granted: figure("this_cycle_total", &from.this_cycle_total)?,
        used: figure("this_cycle_taken", &from.this_cycle_taken)?,
        remaining: figure("leave_balance", &from.leave_balance)?,
        ..LeaveBalance::new(
            Ref::external(employee),
            kind(&from.leave_type_name, Some(&from.leave_type_id)),
            unit(from.leave_duration_unit)?,
        )
    })
}

fn decimal(field: &str, text: &str) -> Result<Decimal, Unfit> {
    Decimal::parse(text).map_err(|e| Unfit::field(field, e))
}

fn unit(number: Option<i64>) -> Result<LeaveUnit, Unfit> {
    match number {
        Some(1) => Ok(LeaveUnit::Day),
        Some(2) => Ok(LeaveUnit::Hour),
        _ => Err(Unfit::field("leave_duration_unit", "absent, or a unit that is not known here")),
    }
}

/// The company names its kinds of leave itself, so the name decides and is kept.
fn kind(names: &[LangText], id: Option<&str>) -> Coded<LeaveKind> {
    let Some(name) = text::best_of(names) else {
        return Coded::with_raw(LeaveKind::Other, id.filter(|id| !id.is_empty()).unwrap_or("unknown"));
    };
    let coded = Coded::from_raw(&name, |name| {
        let lower = name.to_lowercase();
        WORDS.iter().find(|(word, _)| lower.contains(word)).map(|(_, kind)| *kind)
    });
    match text::of_list(names) {
        Some(label) => coded.labelled(label),
        None => coded,
    }
}

/// A word in the name, and the kind; the longer word first where one is a part of the other.
const WORDS: &[(&str, LeaveKind)] = &[
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
    ("annual", LeaveKind::Annual),
    ("sick", LeaveKind::Sick),
    ("maternity", LeaveKind::Maternity),
    ("paternity", LeaveKind::Paternity),
    ("parental", LeaveKind::Parental),
    ("bereavement", LeaveKind::Bereavement),
    ("marriage", LeaveKind::Marriage),
];
