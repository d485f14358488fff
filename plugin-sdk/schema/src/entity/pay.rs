//! What somebody earns.

use super::{Employee, Employment};
use crate::check::Walk;
use crate::code::PayComponent;
use crate::shape::{entity, shape};
use crate::types::{Coded, Decimal, Localized, PayInterval, PayRate, Ref, Validity};

entity! {
    /// One part of what somebody earns: a rate or equity.
    pub struct Compensation {
        /// Who.
        pub employee: Ref<Employee>,
        /// In which employment.
        pub employment: Option<Ref<Employment>>,
        /// Which part.
        pub component: Coded<PayComponent>,
        /// The part's own name.
        pub name: Option<Localized>,
        /// How much.
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
        walk.defect("bad_compensation", "none or both of rate and equity; expected exactly one");
    }
}

shape! {
    /// Shares or options.
    pub struct EquityGrant {
        /// How many.
        pub units: Decimal => SENSITIVE,
        /// Of what: options, restricted units.
        pub instrument: String,
    }
}
