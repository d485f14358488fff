//! Alternate keys: what a commit changes about which record has which key, and which keys are wanted. The rules for both backends,
//! without a statement. Which fields are keys, only the schema knows.
//!
//! What is kept is a function of the live bodies: a body that goes takes what it announced and wanted with it, the one in its place
//! brings its own. So the order in which records arrive makes no difference.
//!
//! Keys are sorted only where one is asked for. In the order of their digests they lie anywhere, so that the keys of one page of
//! records touch nearly every page of the index; each commit would write most of it again. While no record of a tenant refers by a key, a
//! commit writes what it changes in one piece, as it came: the log. With the first reference, or when much has gathered, the log is sorted
//! into the index at once.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{EntityKind, WantedKey, keys_of};

use crate::Keyed;
use crate::model::{Content, ContentKeys};

/// A tenant's key as one short value.
pub(crate) type KeyDigest = [u8; 16];

/// The tables' text for a reference that names no connection.
pub(crate) const ANY_CONNECTION: &str = "";

/// So few keys are sorted into the index at once, where nothing waits in the log.
const FEW: usize = 64;
/// What a row of the log weighs besides its keys, in keys: many small ones are sorted in before they are many to read.
const ROW_WEIGHT: i64 = 64;

/// What one commit changes.
pub(crate) struct KeyChanges {
    tenant: TenantId,
    /// The position of the tenant's feed after it: its place in the log.
    pub(crate) seq: i64,
    pub(crate) announced: Vec<Announced>,
    /// By key and connection.
    pub(crate) wanted: BTreeMap<(KeyDigest, String), Wanted>,
}

/// A record that has a key more often than before, or less often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Announced {
    pub(crate) key: KeyDigest,
    pub(crate) scope: i64,
    pub(crate) record: i64,
    /// Above zero where the record has the key now, below where it has it no more.
    pub(crate) more: i64,
}

/// A key that is wanted more often, or less often.
pub(crate) struct Wanted {
    pub(crate) entity: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) more: i64,
}

/// How a tenant's keys stand before a commit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeyState {
    /// Its records refer by a key.
    pub(crate) in_use: bool,
    /// What waits in the log, by weight.
    pub(crate) waiting: i64,
}

/// Where a commit's changes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Behind the log, which has this weight then.
    Log(i64),
    /// Into the index.
    Index,
    /// Into the index, with all that waits in the log.
    Sort,
}

impl KeyChanges {
    /// None yet, of records of this tenant.
    pub(crate) fn of(tenant: TenantId) -> Self {
        Self { tenant, seq: 0, announced: Vec::new(), wanted: BTreeMap::new() }
    }

    pub(crate) fn tenant(&self) -> &str {
        self.tenant.as_str()
    }

    pub(crate) fn whose(&self) -> &TenantId {
        &self.tenant
    }

    /// A record (scope and row) has this content now.
    pub(crate) fn add(&mut self, content: &Content, place: (i64, i64)) {
        if let Some(keys) = content.keys() {
            self.count(keys, place, 1);
        }
    }

    /// A record has this body now, or has had it since before keys were known.
    pub(crate) fn add_body(&mut self, entity: &str, place: (i64, i64), body: &[u8]) {
        if let Some(keys) = ContentKeys::of(entity, body) {
            self.count(&keys, place, 1);
        }
    }

    /// A record has this body no more.
    pub(crate) fn remove_body(&mut self, entity: &str, place: (i64, i64), body: &[u8]) {
        if let Some(keys) = ContentKeys::of(entity, body) {
            self.count(&keys, place, -1);
        }
    }

    fn count(&mut self, keys: &ContentKeys, (scope, record): (i64, i64), more: i64) {
        for (scheme, value) in &keys.announced {
            let key = digest(&self.tenant, keys.kind, scheme, value);
            self.announced.push(Announced { key, scope, record, more });
        }
        for WantedKey { entity, scheme, value, connection } in &keys.wanted {
            let key = digest(&self.tenant, *entity, scheme, value);
            let connection = connection.as_ref().map_or_else(|| ANY_CONNECTION.to_owned(), ToString::to_string);
            let wanted = self.wanted.entry((key, connection));
            wanted.or_insert(Wanted { entity: entity.name(), scheme, more: 0 }).more += more;
        }
    }

    /// What another commit of the same transaction changes is changed with it.
    pub(crate) fn join(&mut self, other: Self) {
        self.seq = self.seq.max(other.seq);
        self.announced.extend(other.announced);
        for (key, Wanted { entity, scheme, more }) in other.wanted {
            self.wanted.entry(key).or_insert(Wanted { entity, scheme, more: 0 }).more += more;
        }
    }

    /// Leaves what is not changed after all (the same key in the old and the new body), in the order of the index. False: nothing is left.
    pub(crate) fn settle(&mut self) -> bool {
        self.announced.sort_unstable();
        self.announced.dedup_by(|next, one| {
            let same = (next.key, next.scope, next.record) == (one.key, one.scope, one.record);
            one.more += if same { next.more } else { 0 };
            same
        });
        self.announced.retain(|announced| announced.more != 0);
        self.wanted.retain(|_, wanted| wanted.more != 0);
        !self.announced.is_empty() || !self.wanted.is_empty()
    }

    /// Where they go. `waiting_max` bounds how long a commit sorts.
    pub(crate) fn way(&self, state: KeyState, waiting_max: i64) -> Way {
        let weight = ROW_WEIGHT.saturating_add(i64::try_from(self.announced.len()).unwrap_or(i64::MAX));
        let after = state.waiting.saturating_add(weight);
        let few = state.waiting == 0 && self.announced.len() <= FEW;
        if state.in_use || !self.wanted.is_empty() || few || after > waiting_max {
            return if state.waiting > 0 { Way::Sort } else { Way::Index };
        }
        Way::Log(after)
    }
}

/// One announcement as the log keeps it: key, scope, record, and whether it came or went.
const PACKED: usize = 33;

/// A commit's announcements as one row of the log keeps them.
pub(crate) fn pack(announced: &[Announced]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(announced.len() * PACKED);
    for Announced { key, scope, record, more } in announced {
        packed.extend_from_slice(key);
        packed.extend_from_slice(&scope.to_le_bytes());
        packed.extend_from_slice(&record.to_le_bytes());
        packed.push(u8::from(*more > 0));
    }
    packed
}

/// What [`pack`] made a row of.
pub(crate) fn unpack(packed: &[u8]) -> impl Iterator<Item = Announced> {
    let (rows, _) = packed.as_chunks::<PACKED>();
    rows.iter().map(|row| {
        let number = |at: usize| i64::from_le_bytes(std::array::from_fn(|byte| row[at + byte]));
        let key = std::array::from_fn(|byte| row[byte]);
        Announced { key, scope: number(16), record: number(24), more: if row[32] == 1 { 1 } else { -1 } }
    })
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

/// The records that have a key: the oldest of them, and how many people or units they are. Records of one person count as one, and the
/// oldest of them is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holders {
    oldest: Option<i64>,
    identities: BTreeSet<i64>,
}

impl Holders {
    /// This record, which is of this person or unit, has the key too.
    pub(crate) fn add(&mut self, record: i64, identity: i64) {
        self.oldest = Some(self.oldest.map_or(record, |oldest| oldest.min(record)));
        self.identities.insert(identity);
    }

    /// The record that is meant; what the key means otherwise.
    pub(crate) fn one(&self) -> Result<i64, Keyed> {
        match (self.oldest, self.identities.len()) {
            (Some(oldest), 1) => Ok(oldest),
            (_, 0) => Err(Keyed::Nothing),
            (_, count) => Err(Keyed::Several(count as u64)),
        }
    }
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
        let ways: Vec<i64> = changes.announced.iter().map(|announced| announced.more).collect();
        assert_eq!(ways.iter().sum::<i64>(), 0);
        assert_eq!(ways.len(), 2, "the number went and came, the mail is the same");
        assert_eq!(unpack(&pack(&changes.announced)).collect::<Vec<_>>(), changes.announced);
    }

    #[test]
    fn keys_are_sorted_when_one_is_asked_for_and_when_many_wait() {
        let changes = |announced: usize, wanted: bool| {
            let mut changes = KeyChanges::of(TenantId::new("acme").unwrap());
            let one = |record| Announced { key: [1; 16], scope: 1, record, more: 1 };
            changes.announced = (0..announced).map(|record| one(record as i64)).collect();
            if wanted {
                let wanted = Wanted { entity: "employee", scheme: "mobile", more: 1 };
                changes.wanted.insert(([1; 16], String::new()), wanted);
            }
            changes
        };
        let state = |in_use, waiting| KeyState { in_use, waiting };
        for (announced, wanted, state, way) in [
            (1_000, false, state(false, 0), Way::Log(1_064)),
            (1_000, false, state(false, 500), Way::Log(1_564)),
            (1_000, false, state(false, 936), Way::Log(2_000)),
            (1_000, false, state(false, 937), Way::Sort),
            (1_000, false, state(true, 0), Way::Index),
            (1_000, true, state(false, 0), Way::Index),
            (0, true, state(false, 500), Way::Sort),
            (64, false, state(false, 0), Way::Index),
            (65, false, state(false, 0), Way::Log(129)),
            // It may undo what still waits in the log.
            (1, false, state(false, 500), Way::Log(565)),
        ] {
            assert_eq!(changes(announced, wanted).way(state, 2_000), way, "{announced} {wanted} {state:?}");
        }
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
