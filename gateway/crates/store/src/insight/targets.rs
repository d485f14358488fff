//! The records that others refer to, held while a question is read: by what a reference names them with, and what they lead on to.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::reference::{Digest, Named};
use crate::StoreError;
use crate::model::insight::UNKNOWN;

/// Digests and numbers of records are spread well enough already.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(ODD));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(ODD);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;
pub(super) type Set<K> = HashSet<K, BuildHasherDefault<Spread>>;

/// A connection of the tenant, by its place among them.
pub(super) type ConnectionNo = u16;

/// An external id in a connection, or an alternate key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name(u64, u64);

impl Name {
    /// A record by its id in the system of a connection.
    pub(super) fn external(digest: &Digest, connection: ConnectionNo) -> Self {
        let Self(low, high) = Self::key(digest);
        Self(low ^ (u64::from(connection) + 1).wrapping_mul(ODD), high)
    }

    fn key(digest: &Digest) -> Self {
        let (low, high) = digest.split_at(8);
        let half = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        Self(half(low), half(high))
    }
}

/// What a reference means, before it is known whether that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meant {
    Row(i64),
    Name(Name),
}

/// An application, with what it leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct ApplicationTarget {
    /// Or [`UNKNOWN`].
    pub(super) person: i64,
    /// Or [`UNKNOWN`].
    pub(super) job: i64,
}

/// The connections of a tenant.
#[derive(Debug, Default)]
pub(super) struct Connections {
    names: Vec<String>,
}

impl Connections {
    /// The place of a connection, which it gets where it is new.
    pub(super) fn place(&mut self, name: &str) -> ConnectionNo {
        let at = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        ConnectionNo::try_from(at).unwrap_or(ConnectionNo::MAX)
    }

    fn find(&self, name: &str) -> Option<ConnectionNo> {
        self.names.iter().position(|known| known == name).and_then(|at| at.try_into().ok())
    }

    pub(super) fn name(&self, place: ConnectionNo) -> &str {
        self.names.get(usize::from(place)).map_or("", |name| name)
    }

    /// What a reference by an id means that stands in a record of a connection; none for one by an alternate key, or of a connection
    /// that the tenant does not have.
    pub(super) fn meant(&self, from: ConnectionNo, named: &Named<'_>) -> Option<Meant> {
        match named {
            Named::Row(row) => Some(Meant::Row(*row)),
            Named::External { digest, connection } => {
                let connection = connection.map_or(Some(from), |name| self.find(name))?;
                Some(Meant::Name(Name::external(digest, connection)))
            }
            Named::Key { .. } => None,
        }
    }
}

/// Records that others refer to.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) connections: Connections,
    names: Map<Name, i64>,
    /// Of each alternate key the first holder, and those after it.
    keys: Map<Name, (i64, ConnectionNo)>,
    more: Map<Name, Vec<(i64, ConnectionNo)>>,
    /// Person, candidate and employee records with their identity.
    people: Map<i64, i64>,
    units: Map<i64, i64>,
    jobs: Set<i64>,
    bands: Set<i64>,
    applications: Map<i64, ApplicationTarget>,
    /// With their application.
    interviews: Map<i64, i64>,
    held: u64,
    held_max: u64,
}

impl Targets {
    pub(super) fn new(held_max: u64) -> Self {
        Self { held_max, ..Self::default() }
    }

    /// One more thing is held.
    pub(super) fn hold(&mut self) -> Result<(), StoreError> {
        self.held += 1;
        if self.held <= self.held_max {
            return Ok(());
        }
        Err(StoreError::BadInput(format!(
            "more than {} records that others refer to: raise the limit of what an insight may hold",
            self.held_max
        )))
    }

    /// A record is there under its external id.
    pub(super) fn add_name(&mut self, own: &Digest, connection: ConnectionNo, record: i64) -> Result<(), StoreError> {
        self.names.insert(Name::external(own, connection), record);
        self.hold()
    }

    pub(super) fn add_key(&mut self, key: &Digest, connection: ConnectionNo, record: i64) -> Result<(), StoreError> {
        let key = Name::key(key);
        match self.keys.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert((record, connection));
            }
            Entry::Occupied(_) => self.more.entry(key).or_default().push((record, connection)),
        }
        self.hold()
    }

    pub(super) fn add_person(&mut self, record: i64, identity: i64) {
        self.people.insert(record, identity);
    }

    pub(super) fn add_unit(&mut self, record: i64, identity: i64) {
        self.units.insert(record, identity);
    }

    pub(super) fn add_job(&mut self, record: i64) {
        self.jobs.insert(record);
    }

    pub(super) fn add_band(&mut self, record: i64) {
        self.bands.insert(record);
    }

    pub(super) fn add_application(&mut self, record: i64, target: ApplicationTarget) {
        self.applications.insert(record, target);
    }

    pub(super) fn add_interview(&mut self, record: i64, application: Option<i64>) {
        self.interviews.insert(record, application.unwrap_or(UNKNOWN));
    }

    /// The record that a reference means which stands in a record of a connection, of whichever kind; it may be gone where it is named by its
    /// own number.
    fn record(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<i64> {
        if let Named::Key { digest, connection } = &named? {
            return self.holder(Name::key(digest), connection.map(|name| self.connections.find(name)));
        }
        match self.connections.meant(from, &named?)? {
            Meant::Row(row) => Some(row),
            Meant::Name(name) => self.names.get(&name).copied(),
        }
    }

    /// Who has a key, of one connection's where one is named: the oldest record of the one person who has it, none where several do.
    fn holder(&self, key: Name, named: Option<Option<ConnectionNo>>) -> Option<i64> {
        let all = self.keys.get(&key).into_iter().chain(self.more.get(&key).into_iter().flatten());
        let among = all.filter(|(_, connection)| named.is_none_or(|named| named == Some(*connection)));
        let mut oldest: Option<i64> = None;
        for (record, _) in among {
            if oldest.is_some_and(|other| self.people.get(&other) != self.people.get(record)) {
                return None;
            }
            oldest = Some(oldest.map_or(*record, |other| other.min(*record)));
        }
        oldest
    }

    /// The identity of a person.
    pub(super) fn person(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<i64> {
        self.people.get(&self.record(from, named)?).copied()
    }

    /// The identity of a person by a record of theirs.
    pub(super) fn identity(&self, record: i64) -> Option<i64> {
        self.people.get(&record).copied()
    }

    /// The identity of a unit.
    pub(super) fn unit(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<i64> {
        self.units.get(&self.record(from, named)?).copied()
    }

    pub(super) fn job(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<i64> {
        self.record(from, named).filter(|record| self.jobs.contains(record))
    }

    pub(super) fn band(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<i64> {
        self.record(from, named).filter(|record| self.bands.contains(record))
    }

    pub(super) fn application(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<(i64, ApplicationTarget)> {
        let record = self.record(from, named)?;
        self.applications.get(&record).map(|target| (record, *target))
    }

    /// The interview that a reference means, with its application.
    pub(super) fn interview(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<(i64, i64)> {
        let record = self.record(from, named)?;
        self.interviews.get(&record).map(|application| (record, *application))
    }

    /// Who applied for which job.
    pub(super) fn of_application(&self, application: i64) -> (Option<i64>, Option<i64>) {
        let known = |key: i64| Some(key).filter(|key| *key != UNKNOWN);
        let target = self.applications.get(&application);
        (target.and_then(|target| known(target.person)), target.and_then(|target| known(target.job)))
    }

    /// Is a record known by this name?
    pub(super) fn is_named(&self, digest: &Digest, connection: ConnectionNo) -> bool {
        self.names.contains_key(&Name::external(digest, connection))
    }

    /// Any record by reference, whose kind is told by who asks.
    pub(super) fn any(&self, from: ConnectionNo, named: Option<Named<'_>>) -> Option<i64> {
        self.record(from, named)
    }

    pub(super) fn built_in(&self) -> Option<ConnectionNo> {
        self.connections.find(crate::BUILT_IN_CONNECTION)
    }
}
