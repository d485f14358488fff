//! Attendance: one day of one employee.

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
