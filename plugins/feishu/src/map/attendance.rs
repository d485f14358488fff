//! Days of attendance. The vendor's day is the one on which a shift begins; its times are seconds, and its zone is that of the
//! attendance group.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{AttendanceStatus, PunchKind};
use renmen_plugin::schema::entity::{Attendance, Punch, Shift};
use renmen_plugin::schema::types::{Coded, ExternalId, Instant, LocalDate, Ref, ZonedInstant};

use crate::api::attendance::{Flow, Task, TaskRecord};
use crate::api::loose::filled;

/// A day of an employee.
///
/// # Errors
/// [`Unfit`] for a day or a time that is not valid.
pub(crate) fn attendance(from: &Task, employee: &str, tz: Option<&str>) -> Result<Attendance, Unfit> {
    let mut punches = Vec::new();
    for record in &from.records {
        punches.extend(punch(record.check_in_record.as_ref(), Side::In, record, tz)?);
        punches.extend(punch(record.check_out_record.as_ref(), Side::Out, record, tz)?);
    }
    // At the same time the end of a shift stands before the begin of the next.
    punches.sort_by_key(|punch| (punch.at.utc, punch.kind.code != PunchKind::Out));
    Ok(Attendance {
        tz: tz.map(str::to_owned),
        shift: shift(from, tz)?,
        punches,
        external_ids: vec![ExternalId { object_type: Some("result".to_owned()), ..ExternalId::of(&from.result_id) }],
        ..Attendance::new(Ref::external(employee), day_of(from.day)?, status(&from.records))
    })
}

/// `20190819`.
///
/// # Errors
/// [`Unfit`] for a number that is not a day.
pub(crate) fn day_of(number: i64) -> Result<LocalDate, Unfit> {
    let part = |value: i64| i8::try_from(value).map_err(|_| Unfit::field("day", "a number that is not a day"));
    let year = i16::try_from(number / 10_000).map_err(|_| Unfit::field("day", "a number that is not a day"))?;
    let day = LocalDate::of(year, part(number / 100 % 100)?, part(number % 100)?);
    day.map_err(|e| Unfit::field("day", e))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    In,
    Out,
}

impl TaskRecord {
    fn result(&self, side: Side) -> Option<&str> {
        let text = if side == Side::In { &self.check_in_result } else { &self.check_out_result };
        filled(text.as_ref())
    }

    fn supplement(&self, side: Side) -> Option<&str> {
        let text = if side == Side::In { &self.check_in_result_supplement } else { &self.check_out_result_supplement };
        filled(text.as_ref()).filter(|text| *text != "None")
    }

    fn planned(&self, side: Side) -> Option<i64> {
        let time = if side == Side::In { self.check_in_shift_time } else { self.check_out_shift_time };
        // 0 stands for none.
        time.filter(|seconds| *seconds > 0)
    }
}

/// What the day came to: the gravest of its results, with all of the vendor's words.
fn status(records: &[TaskRecord]) -> Coded<AttendanceStatus> {
    let sides = || records.iter().flat_map(|record| [(record, Side::In), (record, Side::Out)]);
    let results: Vec<&str> = sides().filter_map(|(record, side)| record.result(side)).collect();
    let supplements: Vec<&str> = sides().filter_map(|(record, side)| record.supplement(side)).collect();
    let mut words: Vec<&str> = Vec::new();
    for word in results.iter().chain(&supplements) {
        if !words.contains(word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        return Coded::with_raw(AttendanceStatus::Other, "NO_RESULT");
    }
    let has = |word: &str| results.contains(&word);
    let all = |word: &str| !results.is_empty() && results.iter().all(|result| *result == word);
    let excused = supplements.len() == results.len() && supplements.iter().all(|word| *word == "Leave");
    let known = ["NoNeedCheck", "SystemCheck", "Normal", "Late", "SeriousLate", "Early", "Lack"];
    let code = if excused && !supplements.is_empty() {
        AttendanceStatus::Leave
    } else if results.iter().any(|result| !known.contains(result)) {
        AttendanceStatus::Other
    } else if all("Lack") {
        AttendanceStatus::Absent
    } else if has("Lack") {
        AttendanceStatus::MissingPunch
    } else if has("Late") || has("SeriousLate") {
        AttendanceStatus::Late
    } else if has("Early") {
        AttendanceStatus::Early
    } else if all("NoNeedCheck") && !sides().any(|(record, side)| record.planned(side).is_some()) {
        AttendanceStatus::RestDay
    } else {
        AttendanceStatus::Normal
    };
    Coded::with_raw(code, words.join(","))
}

/// From the first planned begin to the last planned end.
fn shift(from: &Task, tz: Option<&str>) -> Result<Option<Shift>, Unfit> {
    let begin = from.records.iter().filter_map(|record| record.planned(Side::In)).min();
    let end = from.records.iter().filter_map(|record| record.planned(Side::Out)).max();
    if begin.is_none() && end.is_none() {
        return Ok(None);
    }
    Ok(Some(Shift {
        code: filled(from.shift_id.as_ref()).map(str::to_owned),
        start: begin.map(|seconds| at("check_in_shift_time", seconds, tz)).transpose()?,
        end: end.map(|seconds| at("check_out_shift_time", seconds, tz)).transpose()?,
        ..Shift::new()
    }))
}

fn punch(flow: Option<&Flow>, side: Side, record: &TaskRecord, tz: Option<&str>) -> Result<Option<Punch>, Unfit> {
    let Some((flow, seconds)) = flow.and_then(|flow| Some((flow, flow.check_time.filter(|time| *time > 0)?))) else {
        return Ok(None);
    };
    let kind = if side == Side::In { PunchKind::In } else { PunchKind::Out };
    Ok(Some(Punch {
        method: flow.kind.and_then(method).map(str::to_owned),
        location: filled(flow.location_name.as_ref()).map(str::to_owned),
        planned: record.planned(side).map(|seconds| at("shift_time", seconds, tz)).transpose()?,
        result: record.result(side).map(|word| Coded::from_raw(word, result_of)),
        ..Punch::new(at("check_time", seconds, tz)?, kind.into())
    }))
}

fn result_of(word: &str) -> Option<AttendanceStatus> {
    match word {
        "Normal" | "NoNeedCheck" | "SystemCheck" => Some(AttendanceStatus::Normal),
        "Late" | "SeriousLate" => Some(AttendanceStatus::Late),
        "Early" => Some(AttendanceStatus::Early),
        "Lack" => Some(AttendanceStatus::MissingPunch),
        _ => None,
    }
}

/// How a punch was made, in the words of the vendor's page.
fn method(kind: i64) -> Option<&'static str> {
    match kind {
        0 => Some("用户打卡"),
        1 => Some("管理员修改"),
        2 => Some("用户补卡"),
        3 => Some("系统自动生成"),
        4 => Some("下班免打卡"),
        5 => Some("考勤机"),
        6 => Some("极速打卡"),
        7 => Some("考勤开放平台导入"),
        _ => None,
    }
}

fn at(field: &str, seconds: i64, tz: Option<&str>) -> Result<ZonedInstant, Unfit> {
    let ms = seconds.saturating_mul(1_000);
    let plain = Instant::from_epoch_ms(ms).map_err(|e| Unfit::field(field, e))?;
    Ok(match tz.map(|tz| ZonedInstant::from_epoch_ms_in(ms, tz)) {
        Some(Ok(zoned)) => zoned,
        _ => ZonedInstant::new(plain),
    })
}
