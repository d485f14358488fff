//! Alternate keys: what a commit changes about which record has which key, and which keys are wanted. The rules for both backends,
//! without a statement. Which fields are keys, only the schema knows.
//!
//! What is kept is a function of the live bodies: a body that goes takes what it announced and wanted with it, the one in its place
//! brings its own. So the order in which records arrive makes no difference.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{EntityKind, RecordKeys, WantedKey, keys_of};

use crate::Keyed;

/// A tenant's key as one short value.
pub(crate) type KeyDigest = [u8; 16];

/// The tables' text for a reference that names no connection.
pub(crate) const ANY_CONNECTION: &str = "";

/// What one commit changes.
pub(crate) struct KeyChanges {
    tenant: TenantId,
    /// By key, scope and record: above zero where the record has the key now, below where it has it no more.
    pub(crate) announced: BTreeMap<(KeyDigest, i64, i64), i64>,
    /// By key and connection.
    pub(crate) wanted: BTreeMap<(KeyDigest, String), Wanted>,
}

/// A key that is wanted more often, or less often.
pub(crate) struct Wanted {
    pub(crate) entity: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) more: i64,
}

impl KeyChanges {
    /// None yet, of records of this tenant.
    pub(crate) fn of(tenant: TenantId) -> Self {
        Self { tenant, announced: BTreeMap::new(), wanted: BTreeMap::new() }
    }

    pub(crate) fn tenant(&self) -> &str {
        self.tenant.as_str()
    }

    pub(crate) fn whose(&self) -> &TenantId {
        &self.tenant
    }

    /// A record (scope and row) has this body now.
    pub(crate) fn add_body(&mut self, entity: &str, place: (i64, i64), body: &[u8]) {
        self.count(entity, place, body, 1);
    }

    /// A record has this body no more.
    pub(crate) fn remove_body(&mut self, entity: &str, place: (i64, i64), body: &[u8]) {
        self.count(entity, place, body, -1);
    }

    fn count(&mut self, entity: &str, place: (i64, i64), body: &[u8], by: i64) {
        let Some(kind) = concerned(entity) else { return };
        let keys = RecordKeys::of(kind, body);
        for (scheme, value) in &keys.announced {
            let key = digest(&self.tenant, kind, scheme, value);
            *self.announced.entry((key, place.0, place.1)).or_default() += by;
        }
        for WantedKey { entity, scheme, value, connection } in keys.wanted {
            let key = digest(&self.tenant, entity, scheme, &value);
            let connection = connection.map_or_else(|| ANY_CONNECTION.to_owned(), |name| name.to_string());
            let wanted = self.wanted.entry((key, connection));
            wanted.or_insert(Wanted { entity: entity.name(), scheme, more: 0 }).more += by;
        }
    }

    /// What another commit of the same transaction changes is changed with it.
    pub(crate) fn add(&mut self, other: Self) {
        for (place, more) in other.announced {
            *self.announced.entry(place).or_default() += more;
        }
        for (key, Wanted { entity, scheme, more }) in other.wanted {
            self.wanted.entry(key).or_insert(Wanted { entity, scheme, more: 0 }).more += more;
        }
    }

    /// Leaves what is not changed after all: the same key in the old and the new body.
    pub(crate) fn settle(&mut self) {
        self.announced.retain(|_, more| *more != 0);
        self.wanted.retain(|_, wanted| wanted.more != 0);
    }
}

/// The kind of an entity whose bodies say something of keys.
pub(crate) fn concerned(entity: &str) -> Option<EntityKind> {
    EntityKind::from_name(entity).filter(|kind| RecordKeys::concern(*kind))
}

/// The names of the entities that have keys.
pub(crate) fn announcing() -> Vec<&'static str> {
    EntityKind::ALL.iter().filter(|kind| keys_of(**kind).next().is_some()).map(|kind| kind.name()).collect()
}

/// Is a record of this connection among those that are asked for?
pub(crate) fn is_asked(key: &WantedKey, connections: Option<&[ConnectionName]>, of: &str) -> bool {
    key.connection.as_ref().is_none_or(|name| name.as_str() == of)
        && connections.is_none_or(|names| names.iter().any(|name| name.as_str() == of))
}

/// What a key means that so many records have, where that is not one.
pub(crate) fn not_one(count: u64) -> Keyed {
    if count == 0 { Keyed::Nothing } else { Keyed::Several(count) }
}

/// What a key is kept as.
pub(crate) fn digest_of(tenant: &TenantId, key: &WantedKey) -> KeyDigest {
    digest(tenant, key.entity, key.scheme, &key.value)
}

fn digest(tenant: &TenantId, entity: EntityKind, scheme: &str, value: &str) -> KeyDigest {
    let mut hasher = blake3::Hasher::new();
    // None of the parts but the last can hold a NUL.
    for part in [tenant.as_str(), entity.name(), scheme] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    hasher.update(value.as_bytes());
    let mut digest = KeyDigest::default();
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    digest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_schema::KEY_SCHEMES;

    use super::*;

    /// The tables hold what these rules read out of the bodies.
    #[test]
    fn a_change_of_what_is_a_key_comes_with_a_migration() {
        let rules: Vec<String> = KEY_SCHEMES.iter().map(renmen_schema::KeyScheme::fingerprint).collect();
        let migrated = [
            "employee employee_number Text /number",
            "employee work_email Mail /work/work_email /person/emails/*/address=WORK",
            "employee mobile Phone /person/phones/*/e164=MOBILE",
        ];
        assert_eq!(
            rules, migrated,
            "add a migration that announces all records again, as the thirteenth does, then list the rules here"
        );
        assert_eq!(announcing(), ["employee"]);
    }

    #[test]
    fn a_key_in_both_bodies_is_no_change() {
        let mut changes = KeyChanges::of(TenantId::new("acme").unwrap());
        let body = |number: &str, mail: &str| {
            format!(r#"{{"person":{{}},"number":"{number}","work":{{"work_email":"{mail}"}}}}"#).into_bytes()
        };
        changes.remove_body("employee", (1, 7), &body("E1", "a@b.example"));
        changes.add_body("employee", (1, 7), &body("E2", "A@b.example"));
        changes.settle();
        let ways: Vec<i64> = changes.announced.values().copied().collect();
        assert_eq!(ways.iter().sum::<i64>(), 0);
        assert_eq!(ways.len(), 2, "the number went and came, the mail is the same");
    }

    #[test]
    fn keys_of_two_tenants_schemes_or_kinds_are_not_the_same() {
        let (acme, globex) = (TenantId::new("acme").unwrap(), TenantId::new("globex").unwrap());
        let all = [
            digest(&acme, EntityKind::Employee, "employee_number", "1"),
            digest(&globex, EntityKind::Employee, "employee_number", "1"),
            digest(&acme, EntityKind::Employee, "mobile", "1"),
            digest(&acme, EntityKind::OrgUnit, "employee_number", "1"),
            digest(&acme, EntityKind::Employee, "employee_number", "11"),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
