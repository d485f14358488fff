//! Attendance: one day of one employee. What was planned for a day and what it came to are records of their own: plans are made for days
//! that have not come, and are changed by other people than those who punch.

use super::Employee;
use crate::check::Walk;
use crate::code::{AttendanceStatus, OvertimeClass, PunchKind};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Decimal, Instant, LocalDate, Ref, ZonedInstant};

entity! {
    /// A day of work.
    pub struct Attendance {
        /// The employee.
        pub employee: Ref<Employee>,
        /// Which day, in `tz`.
        pub work_date: LocalDate,
        /// IANA zone of the day.
        pub tz: Option<String>,
        /// The planned shift.
        pub shift: Option<Shift>,
        /// What the clock saw.
        pub punches: Vec<Punch>,
        /// Breaks.
        pub breaks: Vec<Break>,
        /// Hours that are paid.
        pub payable_hours: Option<Decimal> => PERSONAL,
        /// Overtime.
        pub overtime: Vec<Overtime> => PERSONAL,
        /// What the day came to.
        pub status: Coded<AttendanceStatus>,
        /// The reason for leave, in the source's own words; may reveal health data.
        pub leave_reason: Option<String> => SPECIAL,
        /// Approved?
        pub approved: Option<bool>,
    }
}

entity! {
    /// What is planned for an employee's day.
    pub struct PlannedShift {
        /// The employee.
        pub employee: Ref<Employee>,
        /// Which day, in `tz`. A shift that goes on after midnight is of the day on which it begins.
        pub work_date: LocalDate,
        /// IANA zone of the day.
        pub tz: Option<String>,
        /// When work is planned, in its order; a day of rest has none.
        pub shifts: Vec<Shift>,
        /// Is it planned as a day of rest?
        pub rest: Option<bool>,
        /// The group of people who are planned together, by the source's own id.
        pub group: Option<String>,
    }
    rules plan_rules
}

shape! {
    /// A planned shift.
    pub struct Shift {
        /// Code.
        pub code: Option<String>,
        /// Start of the shift.
        pub start: Option<ZonedInstant>,
        /// End of the shift.
        pub end: Option<ZonedInstant>,
        /// Hours may be chosen.
        pub flexible: Option<bool>,
    }
}

shape! {
    /// A punch of the clock.
    pub struct Punch {
        /// When, and on which clock.
        pub at: ZonedInstant,
        /// What the punch means.
        pub kind: Coded<PunchKind>,
        /// How it was made: machine, phone, by hand.
        pub method: Option<String>,
        /// Where it was made.
        pub location: Option<String> => PERSONAL,
        /// The planned time for which it counts.
        pub planned: Option<ZonedInstant>,
        /// What it came to against the plan.
        pub result: Option<Coded<AttendanceStatus>>,
    }
}

shape! {
    /// A break.
    pub struct Break {
        /// Start of the break.
        pub start: Instant,
        /// End of the break.
        pub end: Instant,
        /// Paid?
        pub paid: Option<bool>,
    }
    rules break_rules
}

fn plan_rules(plan: &PlannedShift, walk: &mut Walk<'_>) {
    if plan.rest == Some(true) && !plan.shifts.is_empty() {
        walk.defect_in(
            "shifts",
            "bad_plan",
            text!("shifts on a day of rest; expected either shifts or rest", "休息日有班次；应只有班次或只有休息"),
        );
    }
}

fn break_rules(pause: &Break, walk: &mut Walk<'_>) {
    if pause.end < pause.start {
        walk.defect_in(
            "end",
            "bad_period",
            text!("a time before the begin; expected the same time or a later one", "早于开始时间；应为同一时间或之后"),
        );
    }
}

shape! {
    /// Overtime of one class.
    pub struct Overtime {
        /// Hours.
        pub hours: Decimal,
        /// On what kind of day.
        pub class: Coded<OvertimeClass>,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{PlannedShift, Shift};
    use crate::check::Walk;
    use crate::types::{LocalDate, Ref};

    #[test]
    fn a_day_has_shifts_or_rest_and_not_both() {
        let plan = |rest, shifts| PlannedShift {
            rest,
            shifts,
            ..PlannedShift::new(Ref::external("u1"), LocalDate::parse("2026-03-02").unwrap())
        };
        assert!(Walk::over(&plan(Some(true), vec![])).is_empty());
        assert!(Walk::over(&plan(Some(false), vec![Shift::new()])).is_empty());
        assert!(Walk::over(&plan(None, vec![Shift::new()])).is_empty());
        assert_eq!(Walk::over(&plan(Some(true), vec![Shift::new()]))[0].path, "/shifts");
    }
}
