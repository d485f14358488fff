//! Days of attendance and planned days, each from all of its rows.
//!
//! The vendor's work date is the day on which a shift begins: what is punched after midnight belongs to it, and is never filed by
//! its own date.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{AttendanceStatus, PunchKind};
use renmen_plugin::schema::entity::{Attendance, PlannedShift, Punch, Shift};
use renmen_plugin::schema::types::{Coded, Instant, LocalDate, Ref, ZonedInstant};

use super::{CHINA, CHINA_MINUTES, filled};
use crate::api::{PlannedTime, PunchResult, RawPunch};

/// A row about a day.
#[derive(Debug)]
pub enum Seen {
    /// What a planned time came to.
    Result(PunchResult),
    /// A punch as it was made.
    Punch(RawPunch),
}

/// A time that was not punched.
const NOT_SIGNED: &str = "NotSigned";

/// A day of attendance. Every punch is kept, two of the same time too: with one punch a person may end a shift and begin the next.
///
/// # Errors
/// [`Unfit`] for a time that is not valid, or a punch without one.
pub fn attendance(user: &str, day: LocalDate, rows: &[Seen]) -> Result<Attendance, Unfit> {
    let mut results: Vec<&PunchResult> = rows.iter().filter_map(Seen::result).collect();
    results.sort_by_key(|result| (result.base_check_time, result.check_type != "OffDuty"));
    let mut punches = Vec::new();
    for result in results.iter().filter(|result| result.time_result != NOT_SIGNED) {
        punches.push(punch(result)?);
    }
    for made in rows.iter().filter_map(Seen::punch) {
        add_raw(&mut punches, made)?;
    }
    // At the same time the end of a shift stands before the begin of the next.
    punches.sort_by_key(|punch| (punch.at.utc, punch.kind.code != PunchKind::Out));
    Ok(Attendance {
        tz: Some(CHINA.into()),
        shift: shift(&results)?,
        punches,
        ..Attendance::new(Ref::external(user), day, status(&results))
    })
}

impl Seen {
    fn result(&self) -> Option<&PunchResult> {
        match self {
            Self::Result(result) => Some(result),
            Self::Punch(_) => None,
        }
    }

    fn punch(&self) -> Option<&RawPunch> {
        match self {
            Self::Punch(punch) => Some(punch),
            Self::Result(_) => None,
        }
    }
}

/// What the day came to: the gravest of what its planned times came to, with all of the vendor's words.
fn status(results: &[&PunchResult]) -> Coded<AttendanceStatus> {
    let mut words: Vec<&str> = Vec::new();
    for result in results {
        if !words.contains(&result.time_result.as_str()) {
            words.push(&result.time_result);
        }
    }
    let has = |word: &str| words.contains(&word);
    let known = ["Normal", "Late", "SeriousLate", "Early", "Absenteeism", NOT_SIGNED];
    let code = match words.as_slice() {
        // Punches and no planned time: the vendor does not judge such a day.
        [] => return Coded::with_raw(AttendanceStatus::Other, "UNPLANNED"),
        words if words.iter().any(|word| !known.contains(word)) => AttendanceStatus::Other,
        // A day without any punch is one of absence (考勤接口常见问题).
        [only] if *only == NOT_SIGNED => AttendanceStatus::Absent,
        _ if has("Absenteeism") => AttendanceStatus::Absent,
        _ if has(NOT_SIGNED) => AttendanceStatus::MissingPunch,
        _ if has("SeriousLate") || has("Late") => AttendanceStatus::Late,
        _ if has("Early") => AttendanceStatus::Early,
        _ => AttendanceStatus::Normal,
    };
    Coded::with_raw(code, words.join(","))
}

/// From the first planned begin to the last planned end.
fn shift(results: &[&PunchResult]) -> Result<Option<Shift>, Unfit> {
    let planned = |kind: &str| {
        let of_kind = results.iter().filter(move |result| result.check_type == kind && result.plan_id.is_some());
        of_kind.filter_map(|result| result.base_check_time).collect::<Vec<_>>()
    };
    let (begins, ends) = (planned("OnDuty"), planned("OffDuty"));
    if begins.is_empty() && ends.is_empty() {
        return Ok(None);
    }
    Ok(Some(Shift {
        start: begins.into_iter().min().map(|ms| at("baseCheckTime", ms)).transpose()?,
        end: ends.into_iter().max().map(|ms| at("baseCheckTime", ms)).transpose()?,
        ..Shift::new()
    }))
}

fn punch(from: &PunchResult) -> Result<Punch, Unfit> {
    let ms = from.user_check_time.ok_or_else(|| Unfit::field("userCheckTime", "absent although it was punched"))?;
    let planned = from.base_check_time.filter(|_| from.plan_id.is_some());
    Ok(Punch {
        method: filled(from.source_type.as_ref()),
        planned: planned.map(|ms| at("baseCheckTime", ms)).transpose()?,
        result: Some(Coded::from_raw(&from.time_result, result_of)),
        ..Punch::new(at("userCheckTime", ms)?, kind_of(&from.check_type))
    })
}

fn result_of(word: &str) -> Option<AttendanceStatus> {
    match word {
        "Normal" => Some(AttendanceStatus::Normal),
        "Late" | "SeriousLate" => Some(AttendanceStatus::Late),
        "Early" => Some(AttendanceStatus::Early),
        "Absenteeism" => Some(AttendanceStatus::Absent),
        _ => None,
    }
}

/// A punch that no planned time was taken from is one more; of one that is there already it tells the place.
fn add_raw(punches: &mut Vec<Punch>, made: &RawPunch) -> Result<(), Unfit> {
    let kind = kind_of(made.check_type.as_deref().unwrap_or("UNKNOWN"));
    let when = at("userCheckTime", made.user_check_time)?;
    let place = filled(made.user_address.as_ref());
    let same = punches.iter_mut().find(|known| {
        known.at.utc == when.utc && (known.kind == kind || made.check_type.is_none()) && known.location.is_none()
    });
    match same {
        Some(known) => known.location = place,
        None => {
            punches.push(Punch {
                method: filled(made.source_type.as_ref()),
                location: place,
                ..Punch::new(when, kind)
            });
        }
    }
    Ok(())
}

fn kind_of(word: &str) -> Coded<PunchKind> {
    Coded::from_raw(word, |word| match word {
        "OnDuty" => Some(PunchKind::In),
        "OffDuty" => Some(PunchKind::Out),
        _ => None,
    })
}

fn at(field: &str, ms: i64) -> Result<ZonedInstant, Unfit> {
    let zoned = ZonedInstant::from_epoch_ms_at_offset(ms, CHINA_MINUTES).map_err(|e| Unfit::field(field, e))?;
    Ok(ZonedInstant { tz: Some(CHINA.into()), ..zoned })
}

/// A planned day: each begin with the end that follows it.
///
/// # Errors
/// [`Unfit`] for a time that is not valid, or an end without a begin.
pub fn planned_shift(user: &str, day: LocalDate, rows: &[PlannedTime]) -> Result<PlannedShift, Unfit> {
    let plan = PlannedShift {
        tz: Some(CHINA.into()),
        group: rows.iter().find_map(|row| row.group_id).map(|group| group.to_string()),
        ..PlannedShift::new(Ref::external(user), day)
    };
    let rests = |row: &&PlannedTime| row.is_rest.as_deref() == Some("Y") || row.shift_id == Some(0);
    let mut times = Vec::new();
    for row in rows.iter().filter(|row| !rests(row)) {
        let text = row.plan_check_time.as_deref().ok_or_else(|| Unfit::field("plan_check_time", "absent"))?;
        let kind = row.check_type.as_deref().ok_or_else(|| Unfit::field("check_type", "absent"))?;
        // At the same time the end of a shift stands before the begin of the next.
        times.push((china_time("plan_check_time", text)?, kind.eq_ignore_ascii_case("OnDuty"), row.shift_id));
    }
    if times.is_empty() {
        return Ok(PlannedShift { rest: Some(true), ..plan });
    }
    times.sort_by_key(|(ms, begins, _)| (*ms, *begins));
    let mut shifts: Vec<Shift> = Vec::new();
    for (ms, begins, shift) in times {
        let time = Some(at("plan_check_time", ms)?);
        match shifts.last_mut().filter(|last| !begins && last.end.is_none()) {
            Some(open) => open.end = time,
            None if begins => {
                let code = shift.map(|id| id.to_string());
                shifts.push(Shift { code, start: time, ..Shift::new() });
            }
            None => return Err(Unfit::field("check_type", "an end of work without its begin")),
        }
    }
    Ok(PlannedShift { shifts, rest: Some(false), ..plan })
}

/// `2021-01-14 09:00:00` on the clock in China.
fn china_time(field: &str, text: &str) -> Result<i64, Unfit> {
    let instant = Instant::parse(&format!("{}+08:00", text.replacen(' ', "T", 1)));
    instant.map(Instant::epoch_ms).map_err(|e| Unfit::field(field, e))
}
