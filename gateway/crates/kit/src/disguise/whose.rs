//! Which canonical places hold an id or a number by which a person can be found.
//!
//! The schema knows what a reference means; this module adds only which kinds of records are not about a person, and
//! which numbers of a person are not references. A kind that is added later counts as personal until it is named here.

use std::collections::HashMap;

use renmen_schema::{EntityKind, refers_to};

use super::pointer_pattern::pattern_of;

/// Records about units, jobs, rules and runs: their ids lead to no single person, and mappings are tested with them.
const NOBODYS: [EntityKind; 15] = [
    EntityKind::PositionProfile,
    EntityKind::Competency,
    EntityKind::LibraryQuestion,
    EntityKind::Job,
    EntityKind::ProcessNode,
    EntityKind::DecisionRule,
    EntityKind::Survey,
    EntityKind::PayBand,
    EntityKind::MarketPay,
    EntityKind::PayrollRun,
    EntityKind::OrgUnit,
    EntityKind::ModelAdjustment,
    EntityKind::BiasAudit,
    EntityKind::Insight,
    EntityKind::MigrationRun,
];
/// Numbers that are given to a person and are not references. Within a company they are as good as a name, although a
/// gateway shows them to more readers than names.
const NUMBERS: [(EntityKind, &str); 2] =
    [(EntityKind::Employee, "/number"), (EntityKind::Candidate, "/source_ids/*/value")];

/// Is it a number by which a person is known?
pub(super) fn is_number(kind: EntityKind, pointer: &str) -> bool {
    let pattern = pattern_of(pointer);
    NUMBERS.iter().any(|(of, place)| *of == kind && *place == pattern)
}

/// Answers whether a place is a reference to a person. The schema's answers are kept, because every leaf asks for one.
#[derive(Default)]
pub(super) struct References(HashMap<(EntityKind, String), bool>);

impl References {
    /// Does the reference at a pointer, or the id in it, lead to a person?
    pub(super) fn leads_to_somebody(&mut self, kind: EntityKind, pointer: &str) -> bool {
        let pattern = pattern_of(pointer);
        let id = ["/external/value", "/external", "/key/value"];
        let place = id.into_iter().find_map(|id| pattern.strip_suffix(id)).unwrap_or(&pattern);
        let known = self.0.entry((kind, place.to_owned()));
        *known.or_insert_with_key(|(kind, place)| meant_by(*kind, place).is_some_and(|meant| !NOBODYS.contains(&meant)))
    }
}

/// The kind that a reference, or each of a list of references, means.
fn meant_by(kind: EntityKind, place: &str) -> Option<EntityKind> {
    let mut path: Vec<String> = place.split('/').skip(1).map(str::to_owned).collect();
    refers_to(kind, &path).or_else(|| {
        path.push("*".to_owned());
        refers_to(kind, &path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_leads_to_somebody_unless_its_kind_is_nobodys() {
        let mut references = References::default();
        let mut asked = |kind, pointer| references.leads_to_somebody(kind, pointer);
        for pointer in [
            "/work/manager",
            "/work/manager/external",
            "/work/manager/external/value",
            "/work/manager/key/value",
            "/same_person",
        ] {
            assert!(asked(EntityKind::Employee, pointer), "{pointer}");
        }
        for pointer in
            ["/work/org_unit/external/value", "/work/job", "/work/title", "/work/manager/external/connection"]
        {
            assert!(!asked(EntityKind::Employee, pointer), "{pointer}");
        }
        assert!(asked(EntityKind::Assignment, "/dotted_managers"), "a lineage rule may name the whole list");
        assert!(asked(EntityKind::Assignment, "/dotted_managers/7/external/value"));
        assert!(asked(EntityKind::Application, "/candidate"));
    }

    #[test]
    fn the_numbers_of_a_person_are_places_of_the_schema() {
        for (kind, place) in NUMBERS {
            assert!(renmen_schema::class_of(kind, place).is_some(), "{kind} has no {place}");
            assert!(is_number(kind, &place.replace('*', "0")));
        }
        assert!(!is_number(EntityKind::OrgUnit, "/number"));
    }
}
