//! The keys in a body: those that a record announces and those that its references name.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use super::{KeyScheme, Place, keys_of};
use crate::excerpt::{Paths, excerpt};
use crate::id::ConnectionName;
use crate::kind::EntityKind;
use crate::refers::{each, ref_places};

impl Place {
    fn read(&self, body: &Value, found: &mut impl FnMut(&str)) {
        each(body, self.within, &mut String::new(), &mut |_, holder| {
            let is = |kind: &str| holder["kind"].as_str().is_some_and(|is| is.eq_ignore_ascii_case(kind));
            if self.kind.is_none_or(is)
                && let Some(value) = holder[self.member].as_str()
            {
                found(value);
            }
        });
    }
}

/// A reference by a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedKey {
    /// The entity that the key stands for.
    pub entity: EntityKind,
    /// The key's scheme.
    pub scheme: &'static str,
    /// The value by which keys are compared.
    pub value: String,
    /// Only of this connection; none: of any.
    pub connection: Option<ConnectionName>,
}

impl WantedKey {
    /// The key by which a reference to a record of this kind names it. None for one by an id: then the key does not count.
    #[must_use]
    pub fn of(reference: &Value, entity: EntityKind) -> Option<Self> {
        if !reference["id"].is_null() || !reference["external"].is_null() {
            return None;
        }
        let key = &reference["key"];
        let scheme = KeyScheme::of(entity, key["scheme"].as_str()?)?;
        let value = scheme.normal(key["value"].as_str()?)?;
        let connection = match key["connection"].as_str() {
            None => None,
            Some(name) => Some(ConnectionName::new(name).ok()?),
        };
        Some(Self { entity, scheme: scheme.name, value, connection })
    }
}

/// What a body says of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordKeys {
    /// The keys of the record itself: scheme and the value by which keys are compared, each once.
    pub announced: BTreeSet<(&'static str, String)>,
    /// The keys that its references name, each once.
    pub wanted: BTreeSet<WantedKey>,
}

impl RecordKeys {
    /// Can a record of this kind have a key, or refer by one?
    #[must_use]
    pub fn concern(kind: EntityKind) -> bool {
        has_keys(kind) || !HOLDERS[kind as usize].is_empty()
    }

    /// Reads them out of a canonical body; empty if the body is not canonical.
    #[must_use]
    pub fn of(kind: EntityKind, body: &[u8]) -> Self {
        static MEMBER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"key\":{"));
        let holders = &HOLDERS[kind as usize];
        // Nearly every body that has no key of its own refers by no key either: it is not parsed.
        let refers = !holders.is_empty() && MEMBER.find(body).is_some();
        if !refers && !has_keys(kind) {
            return Self::default();
        }
        // Of a body that is long by what it says besides, little is kept.
        excerpt(body, &EXCERPTS[kind as usize]).map_or_else(Self::default, |body| Self::read(kind, &body))
    }

    fn read(kind: EntityKind, body: &Value) -> Self {
        let mut keys = Self::default();
        for scheme in keys_of(kind) {
            let mut announce =
                |value: &str| keys.announced.extend(scheme.normal(value).map(|value| (scheme.name, value)));
            scheme.places.iter().for_each(|place| place.read(body, &mut announce));
        }
        for (pattern, entity) in &HOLDERS[kind as usize] {
            let mut want = |_: &str, reference: &Value| keys.wanted.extend(WantedKey::of(reference, *entity));
            each(body, pattern, &mut String::new(), &mut want);
        }
        keys
    }
}

fn has_keys(kind: EntityKind) -> bool {
    keys_of(kind).next().is_some()
}

/// Of each kind: where it refers to something that has keys.
static HOLDERS: LazyLock<Vec<Vec<(&'static str, EntityKind)>>> = LazyLock::new(|| {
    let holders = |kind: &EntityKind| {
        let places = ref_places(*kind).iter().filter(|place| has_keys(place.to));
        places.map(|place| (place.pattern.as_str(), place.to)).collect()
    };
    EntityKind::ALL.iter().map(holders).collect()
});

/// Of each kind: what of a body is read.
static EXCERPTS: LazyLock<Vec<Paths>> = LazyLock::new(|| {
    let excerpt = |kind: &EntityKind| {
        let mut paths = Paths::default();
        for Place { within, member, .. } in keys_of(*kind).flat_map(|scheme| scheme.places) {
            paths.add(&format!("{within}/{member}"));
            paths.add(&format!("{within}/kind"));
        }
        HOLDERS[*kind as usize].iter().for_each(|(pattern, _)| paths.add(pattern));
        paths
    };
    EntityKind::ALL.iter().map(excerpt).collect()
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::alternate::KEY_SCHEMES;
    use crate::place::{Indices, check_place};

    /// The keys of a body. Each test that calls this also checks that reading the whole body gives the same keys.
    fn keys(kind: EntityKind, body: &Value) -> RecordKeys {
        let keys = RecordKeys::of(kind, body.to_string().as_bytes());
        assert_eq!(keys, RecordKeys::read(kind, body));
        keys
    }

    #[test]
    fn every_declared_key_is_a_field_of_the_schema_and_has_a_name_of_its_own() {
        for scheme in &KEY_SCHEMES {
            for place in scheme.places {
                let path: Vec<String> =
                    format!("{}/{}", place.within, place.member).split('/').skip(1).map(str::to_owned).collect();
                assert!(check_place(scheme.entity, &path, Indices::Item).is_ok(), "{path:?}");
            }
            assert_eq!(keys_of(scheme.entity).filter(|other| other.name == scheme.name).count(), 1);
        }
    }

    #[test]
    fn an_employee_announces_number_work_mail_and_mobile_and_nothing_private() {
        let body = json!({
            "number": " E00123 ",
            "work": { "work_email": "Wang.Wei@Acme.Example" },
            "person": {
                "emails": [
                    { "address": "wang.wei@acme.example", "kind": "WORK" },
                    { "address": "wei@home.example", "kind": "PRIVATE" },
                    { "address": "somebody@acme.example" },
                    { "address": "not a mail", "kind": "WORK" },
                ],
                "phones": [
                    { "number": "138 0000 0000", "e164": "+8613800000000", "kind": "MOBILE" },
                    { "number": "010 1234", "e164": "+86101234567", "kind": "HOME" },
                    { "number": "139 0000 0000", "kind": "MOBILE" },
                ],
            },
        });
        let found = keys(EntityKind::Employee, &body);
        let announced: Vec<_> = found.announced.iter().map(|(scheme, value)| (*scheme, value.as_str())).collect();
        let wanted =
            [("employee_number", "E00123"), ("mobile", "+8613800000000"), ("work_email", "wang.wei@acme.example")];
        assert_eq!(announced, wanted);
        assert!(found.wanted.is_empty());
    }

    #[test]
    fn references_by_key_are_found_wherever_the_schema_has_them() {
        let by = |value: &str| json!({ "key": { "scheme": "employee_number", "value": value } });
        let named = json!({ "key": { "scheme": "mobile", "value": "+86 138-0000-0000", "connection": "hr" } });
        let found = keys(
            EntityKind::Assignment,
            &json!({ "employee": by("E1"), "dotted_managers": [by("E2"), named, by("E1")] }),
        );
        let wanted: Vec<_> =
            found.wanted.iter().map(|key| (key.scheme, key.value.as_str(), key.connection.is_some())).collect();
        let expected =
            [("employee_number", "E1", false), ("employee_number", "E2", false), ("mobile", "+8613800000000", true)];
        assert_eq!(wanted, expected);
        assert!(found.announced.is_empty());
    }

    #[test]
    fn an_id_counts_before_a_key_and_what_is_no_key_wants_nothing() {
        for reference in [
            json!({ "external": { "value": "7" }, "key": { "scheme": "employee_number", "value": "E1" } }),
            json!({ "key": { "scheme": "shoe_size", "value": "43" } }),
            json!({ "key": { "scheme": "mobile", "value": "13800000000" } }),
            json!({ "key": { "scheme": "work_email", "value": "nobody" } }),
            json!({ "key": { "scheme": "employee_number", "value": " " } }),
        ] {
            let found = keys(EntityKind::PayrollRecord, &json!({ "employee": reference }));
            assert_eq!(found, RecordKeys::default(), "{reference}");
        }
        assert_eq!(RecordKeys::of(EntityKind::Employee, b"{"), RecordKeys::default());
    }

    #[test]
    fn only_kinds_that_have_keys_or_refer_to_such_are_looked_at() {
        for kind in [EntityKind::Employee, EntityKind::PayrollRecord, EntityKind::OrgUnit, EntityKind::Interview] {
            assert!(RecordKeys::concern(kind), "{kind}");
        }
        assert!(!RecordKeys::concern(EntityKind::PayBand));
    }
}
