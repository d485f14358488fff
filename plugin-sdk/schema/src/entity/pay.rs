//! What an employee earns.

use super::{Employee, Employment};
use crate::check::Walk;
use crate::code::PayComponent;
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Decimal, Localized, PayInterval, PayRate, Ref, Validity};

entity! {
    /// One component of an employee's pay: a rate or equity.
    pub struct Compensation {
        /// The employee.
        pub employee: Ref<Employee>,
        /// The employment that it belongs to.
        pub employment: Option<Ref<Employment>>,
        /// The pay component.
        pub component: Coded<PayComponent>,
        /// The part's own name.
        pub name: Option<Localized>,
        /// The rate of pay.
        pub rate: Option<PayRate> => SENSITIVE,
        /// Shares or options.
        pub equity: Option<EquityGrant> => SENSITIVE,
        /// How often it is paid.
        pub paid_every: Option<PayInterval>,
        /// Per cent of the rate during probation.
        pub probation_percent: Option<Decimal> => SENSITIVE,
        /// From when to when.
        pub validity: Option<Validity>,
        /// Why it was set.
        pub reason: Option<String> => SENSITIVE,
    }
    rules compensation_rules
}

fn compensation_rules(compensation: &Compensation, walk: &mut Walk<'_>) {
    if compensation.rate.is_some() == compensation.equity.is_some() {
        walk.defect(
            "bad_compensation",
            text!("none or both of rate and equity; expected exactly one", "rate 与 equity 须且只能有一个"),
        );
    }
}

shape! {
    /// Shares or options.
    pub struct EquityGrant {
        /// Number of units.
        pub units: Decimal => SENSITIVE,
        /// Of what: options, restricted units.
        pub instrument: String,
    }
}
