//! Leave: absences that were asked for, granted or recorded, and how much of each kind an employee has.
//!
//! Systems give an absence in days, in half days or by the clock, and what they call sick leave tells of a person's health. So
//! the days are always there, halves and times where the source knows them, and the kind has the highest class.

use super::Employee;
use crate::check::Walk;
use crate::code::{HalfDay, LeaveKind, LeaveStatus, LeaveUnit};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, DateSpan, Decimal, Instant, LocalDate, Ref, ZonedInstant};

entity! {
    /// A leave of an employee: one request, or one record of an absence.
    pub struct Leave {
        /// The employee.
        pub employee: Ref<Employee>,
        /// Which kind of leave; may reveal health data.
        pub kind: Coded<LeaveKind> => SPECIAL,
        /// The first day, in `tz`.
        pub first_day: LocalDate,
        /// The last day, in `tz`.
        pub last_day: LocalDate,
        /// The half of the first day with which it begins: AFTERNOON leaves the morning to work. None: not by halves.
        pub first_half: Option<HalfDay>,
        /// The half of the last day with which it ends: MORNING leaves the afternoon to work. None: not by halves.
        pub last_half: Option<HalfDay>,
        /// IANA zone of the days.
        pub tz: Option<String>,
        /// When it begins, where the source knows the time.
        pub start: Option<ZonedInstant>,
        /// When it ends, where the source knows the time.
        pub end: Option<ZonedInstant>,
        /// How much of the employee's working time it takes.
        pub amount: Option<LeaveAmount> => PERSONAL,
        /// Where it stands.
        pub status: Coded<LeaveStatus>,
        /// When it was asked for.
        pub requested_at: Option<Instant>,
        /// When it was approved.
        pub approved_at: Option<Instant>,
        /// When it was rejected.
        pub rejected_at: Option<Instant>,
        /// When it was taken back: withdrawn before the decision, or cancelled after it.
        pub cancelled_at: Option<Instant>,
        /// The reason, in free text; may reveal health data.
        pub reason: Option<String> => SPECIAL,
    }
    rules leave_rules
}

shape! {
    /// An amount of leave, in the unit in which the source counts.
    pub struct LeaveAmount {
        /// How much.
        pub value: Decimal,
        /// Of what.
        pub unit: LeaveUnit,
    }
    rules amount_rules
}

entity! {
    /// How much leave of one kind an employee has. The figures are the source's own: one that it does not give is absent, and
    /// not computed from the others.
    pub struct LeaveBalance {
        /// The employee.
        pub employee: Ref<Employee>,
        /// Which kind of leave; may reveal health data.
        pub kind: Coded<LeaveKind> => SPECIAL,
        /// What is counted.
        pub unit: LeaveUnit,
        /// How much was granted.
        pub granted: Option<Decimal> => PERSONAL,
        /// How much of it is used.
        pub used: Option<Decimal> => PERSONAL,
        /// How much is left; below zero where more was taken than granted.
        pub remaining: Option<Decimal> => PERSONAL,
        /// The day for which the source counted.
        pub as_of: Option<LocalDate>,
        /// The days for which it was granted.
        pub period: Option<DateSpan>,
    }
}

fn leave_rules(leave: &Leave, walk: &mut Walk<'_>) {
    let one_day = leave.first_day == leave.last_day;
    let crossed = one_day && leave.first_half == Some(HalfDay::Afternoon) && leave.last_half == Some(HalfDay::Morning);
    if leave.last_day < leave.first_day {
        walk.defect_in(
            "last_day",
            "bad_period",
            text!("a day before the first one; expected the same day or a later one", "早于开始日期；应为同一天或之后"),
        );
    }
    if crossed {
        walk.defect_in(
            "last_half",
            "bad_period",
            text!(
                "a morning although the leave begins in the afternoon of this day; expected AFTERNOON",
                "当天从下午开始，却到上午结束；应为 AFTERNOON"
            ),
        );
    }
    if let (Some(start), Some(end)) = (&leave.start, &leave.end)
        && end.utc < start.utc
    {
        walk.defect_in(
            "end",
            "bad_period",
            text!("a time before the begin; expected the same time or a later one", "早于开始时间；应为同一时间或之后"),
        );
    }
}

fn amount_rules(amount: &LeaveAmount, walk: &mut Walk<'_>) {
    if amount.value.is_negative() {
        walk.defect_in("value", "bad_amount", text!("a number below 0; expected 0 or more", "数值小于 0；应不小于 0"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Leave, LeaveAmount};
    use crate::check::Walk;
    use crate::code::{HalfDay, LeaveKind, LeaveStatus, LeaveUnit};
    use crate::types::{Coded, Decimal, LocalDate, Ref, ZonedInstant};

    fn leave(first: &str, last: &str) -> Leave {
        let day = |text| LocalDate::parse(text).unwrap();
        let (kind, status) = (Coded::new(LeaveKind::Annual), Coded::new(LeaveStatus::Approved));
        Leave::new(Ref::external("u1"), kind, day(first), day(last), status)
    }

    fn places(leave: &Leave) -> Vec<String> {
        Walk::over(leave).into_iter().map(|defect| defect.path).collect()
    }

    #[test]
    fn a_leave_ends_on_its_first_day_or_later() {
        assert!(places(&leave("2026-03-02", "2026-03-02")).is_empty());
        assert!(places(&leave("2026-03-02", "2026-03-04")).is_empty());
        assert_eq!(places(&leave("2026-03-02", "2026-03-01")), ["/last_day"]);
        let at = |ms| Some(ZonedInstant::from_epoch_ms_at_offset(ms, 480).unwrap());
        let timed = |start, end| Leave { start: at(start), end: at(end), ..leave("2026-03-02", "2026-03-02") };
        assert_eq!(places(&timed(7, 6)), ["/end"]);
        assert!(places(&timed(7, 7)).is_empty());
    }

    #[test]
    fn the_halves_of_one_day_are_in_their_order() {
        let halves =
            |first, last, until| Leave { first_half: Some(first), last_half: Some(last), ..leave("2026-03-02", until) };
        let (morning, afternoon) = (HalfDay::Morning, HalfDay::Afternoon);
        assert_eq!(places(&halves(afternoon, morning, "2026-03-02")), ["/last_half"]);
        for (first, last, until) in [
            (morning, morning, "2026-03-02"),
            (morning, afternoon, "2026-03-02"),
            (afternoon, afternoon, "2026-03-02"),
            (afternoon, morning, "2026-03-03"),
        ] {
            assert!(places(&halves(first, last, until)).is_empty(), "{first} to {last}");
        }
    }

    #[test]
    fn an_amount_is_exact_and_not_below_zero() {
        let amount = |text| LeaveAmount::new(Decimal::parse(text).unwrap(), LeaveUnit::Day);
        let of = |text| Leave { amount: Some(amount(text)), ..leave("2026-03-02", "2026-03-02") };
        assert!(places(&of("0.5")).is_empty() && places(&of("0")).is_empty());
        assert_eq!(places(&of("-0.5")), ["/amount/value"]);
    }
}
