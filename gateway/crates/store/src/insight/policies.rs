//! What the policies of a person's records and their consents say, folded: hundreds of thousands of people have a few different sets.

use std::collections::HashMap;
use std::sync::Arc;

use renmen_schema::code::{ConsentStatus, LegalBasis};
use renmen_schema::entity::Consent;
use renmen_schema::types::{DataPolicy, Instant, Ref};

use super::pack::Field;
use super::shapes::{self, Policy};
use super::targets::{ConnectionNo, Connections, Map, Meant};
use crate::model::insight::Person;

/// A consent without its person and purposes, which are the same for many.
#[derive(Debug, Clone)]
struct Kept {
    purpose: u32,
    basis: LegalBasis,
    status: ConsentStatus,
    given_at: Option<Instant>,
    expires_at: Option<Instant>,
    withdrawn_at: Option<Instant>,
}

/// People with their policies and consents.
#[derive(Debug, Default)]
pub(super) struct Policies {
    different: Vec<Option<DataPolicy>>,
    places: HashMap<Vec<u8>, u32>,
    sets: Vec<Vec<u32>>,
    set_places: HashMap<Vec<u32>, u32>,
    /// The set that comes of a set and one policy more.
    grown: Map<u64, u32>,
    people: Map<i64, u32>,
    purposes: Vec<Vec<String>>,
    purpose_places: HashMap<Vec<String>, u32>,
    consents: Vec<Kept>,
    /// The person of each consent.
    given: Vec<(i64, u32)>,
    /// Consents that policies name: whose records name them.
    named: HashMap<Meant, Vec<i64>>,
}

impl Policies {
    /// A person is there, and perhaps nothing is said of what their records may be used for.
    pub(super) fn add_person(&mut self, person: i64) {
        let none = self.set(Vec::new());
        self.people.entry(person).or_insert(none);
    }

    /// A record of a person has this policy, or none.
    pub(super) fn add(
        &mut self,
        person: i64,
        policy: Option<&Policy<'_>>,
        from: ConnectionNo,
        connections: &Connections,
    ) {
        self.add_person(person);
        let meant = policy.and_then(|policy| connections.meant(from, policy.consent.as_ref()?));
        if let Some(meant) = meant {
            self.named.entry(meant).or_default().push(person);
        }
        let policy = self.place(policy);
        let Some(set) = self.people.get(&person).copied() else { return };
        let way = u64::from(set) << 32 | u64::from(policy);
        let grown = match self.grown.get(&way) {
            Some(grown) => *grown,
            None => {
                let mut with = self.sets[set as usize].clone();
                if let Err(at) = with.binary_search(&policy) {
                    with.insert(at, policy);
                }
                let grown = self.set(with);
                self.grown.insert(way, grown);
                grown
            }
        };
        self.people.insert(person, grown);
    }

    fn place(&mut self, policy: Option<&Policy<'_>>) -> u32 {
        let mut bytes = Vec::new();
        if let Some(policy) = policy {
            Policy { consent: None, ..policy.clone() }.pack(&mut bytes);
        }
        if let Some(place) = self.places.get(&bytes) {
            return *place;
        }
        let whole = policy.map(|policy| {
            let mut whole = DataPolicy::new();
            whole.purpose = policy.purpose.iter().map(|purpose| (*purpose).to_owned()).collect();
            whole.legal_basis = policy.legal_basis.map(Into::into);
            whole.retain_until = policy.retain_until;
            whole
        });
        let place = number(self.different.len());
        self.different.push(whole);
        self.places.insert(bytes, place);
        place
    }

    fn set(&mut self, of: Vec<u32>) -> u32 {
        if let Some(place) = self.set_places.get(&of) {
            return *place;
        }
        let place = number(self.sets.len());
        self.sets.push(of.clone());
        self.set_places.insert(of, place);
        place
    }

    /// A consent, of the person that it names and of those whose policies name it. False: no such person is known.
    pub(super) fn add_consent(&mut self, consent: &shapes::Consent<'_>, person: Option<i64>, by: [Meant; 2]) -> bool {
        let of_policies = by.iter().filter_map(|meant| self.named.get(meant)).flatten().copied();
        let people: Vec<i64> = person.into_iter().chain(of_policies).collect();
        if people.is_empty() {
            return false;
        }
        let purpose: Vec<String> = consent.purpose.iter().map(|purpose| (*purpose).to_owned()).collect();
        let place = match self.purpose_places.get(&purpose) {
            Some(place) => *place,
            None => {
                let place = number(self.purposes.len());
                self.purposes.push(purpose.clone());
                self.purpose_places.insert(purpose, place);
                place
            }
        };
        let at = number(self.consents.len());
        self.consents.push(Kept {
            purpose: place,
            basis: consent.legal_basis,
            status: consent.status,
            given_at: consent.given_at,
            expires_at: consent.expires_at,
            withdrawn_at: consent.withdrawn_at,
        });
        self.given.extend(people.into_iter().map(|person| (person, at)));
        true
    }

    /// Everybody, in the order of their keys.
    pub(super) fn into_people(mut self) -> impl Iterator<Item = Person> + Send {
        let mut people: Vec<(i64, u32)> = std::mem::take(&mut self.people).into_iter().collect();
        people.sort_unstable();
        self.given.sort_unstable();
        self.given.dedup();
        let whole = |set: &Vec<u32>| set.iter().map(|place| self.different[*place as usize].clone()).collect();
        let sets: Vec<Arc<[Option<DataPolicy>]>> = self.sets.iter().map(whole).collect();
        let mut next = 0;
        people.into_iter().map(move |(person, set)| {
            while self.given.get(next).is_some_and(|(other, _)| *other < person) {
                next += 1;
            }
            let own = self.given[next..].iter().take_while(|(other, _)| *other == person);
            let consents = own.map(|(_, at)| self.whole(&self.consents[*at as usize])).collect();
            Person { person, policies: Arc::clone(&sets[set as usize]), consents }
        })
    }

    fn whole(&self, kept: &Kept) -> Consent {
        // The person is kept next to it.
        let mut consent = Consent::new(Ref::external(""), kept.basis.into(), kept.status);
        consent.purpose = self.purposes[kept.purpose as usize].clone();
        consent.given_at = kept.given_at;
        consent.expires_at = kept.expires_at;
        consent.withdrawn_at = kept.withdrawn_at;
        consent
    }
}

/// Places are counted in 32 bits: what is held is bounded before.
fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
