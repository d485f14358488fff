//! Organisational units.

use super::Employee;
use crate::code::OrgUnitKind;
use crate::shape::entity;
use crate::types::{Coded, Localized, Ref, Validity};

entity! {
    /// A company, department, team or another unit.
    pub struct OrgUnit {
        /// Name.
        pub name: Localized,
        /// The source's own code.
        pub code: Option<String>,
        /// Kind of unit.
        pub kind: Coded<OrgUnitKind>,
        /// What it is a part of.
        pub parent: Option<Ref<OrgUnit>>,
        /// Head of the unit.
        pub manager: Option<Ref<Employee>>,
        /// Its place among its siblings.
        pub position: Option<u64>,
        /// From when to when.
        pub validity: Option<Validity>,
        /// Not to be shown to everybody.
        pub confidential: Option<bool>,
    }
}
