//! How well it works, on people of whom it is known who is who. Measured as others measure record linkage: precision and recall over pairs
//! of records, the share of people that are exactly right, and how much of the rest a person is asked about.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use renmen_identity::{
    Counts, Digests, Facts, Grounds, IdentityId, Key, MemberId, Obstacle, Pass, Rules, Settled, Source,
};

use crate::made_up::Somebody;
use crate::shelf::Shelf;

const PEOPLE: u64 = 10_000;

/// Any other beginning makes other people.
const FIRST: u64 = 0;

/// Member → the facts and the person.
struct Everyone {
    records: BTreeMap<MemberId, (Arc<Facts>, u64)>,
}

impl Everyone {
    fn make_up(rules: &Rules, people: std::ops::Range<u64>) -> Self {
        let digests = Digests::new([5; 32]);
        let of = |number| Somebody::new(number).records(rules, &digests).into_iter().map(move |facts| (facts, number));
        let all = people.flat_map(of).zip(1..);
        Self { records: all.map(|((facts, number), at)| (MemberId(at), (Arc::new(facts), number))).collect() }
    }
}

impl Source for Everyone {
    type Error = std::convert::Infallible;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Self::Error> {
        Ok(members.iter().map(|member| self.records.get(member).map(|(facts, _)| Arc::clone(facts))).collect())
    }
}

fn passed(rules: &Rules, everyone: &Everyone) -> Settled {
    let mut pass = Pass::new(rules, &[]);
    everyone.records.iter().for_each(|(member, (facts, _))| pass.add(*member, facts));
    let all = Mutex::new(Settled::default());
    let found = pass.run(everyone, 2, |settled| {
        let mut all = all.lock().unwrap();
        all.identities.extend(settled.identities);
        all.proposals.extend(settled.proposals);
        all.conflicts.extend(settled.conflicts);
    });
    let summary = found.unwrap();
    assert_eq!(summary.records, everyone.records.len());
    // What is held of a record is a few numbers, however long its body is.
    assert!(summary.bytes_max < 320 * summary.records, "{} bytes of {} records", summary.bytes_max, summary.records);
    all.into_inner().unwrap()
}

fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

/// Pairs of records of one person, by how many of each person are in each identity.
fn true_pairs<'a>(groups: impl Iterator<Item = &'a Vec<u64>>) -> u64 {
    groups
        .map(|people| {
            let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
            people.iter().for_each(|person| *counts.entry(*person).or_default() += 1);
            counts.into_values().map(pairs).sum::<u64>()
        })
        .sum()
}

/// Identities that a person is asked about together.
fn asked_together(settled: &Settled, home: &HashMap<MemberId, IdentityId>) -> HashMap<IdentityId, IdentityId> {
    let mut root: HashMap<IdentityId, IdentityId> = settled.identities.iter().map(|one| (one.id, one.id)).collect();
    let top = |root: &HashMap<IdentityId, IdentityId>, mut id: IdentityId| {
        while root[&id] != id {
            id = root[&id];
        }
        id
    };
    let proposed = settled.proposals.iter().map(|one| (one.one, one.other));
    let held = settled.conflicts.iter().map(|one| (home[&one.between.0], home[&one.between.1]));
    for (a, b) in proposed.chain(held) {
        let (a, b) = (top(&root, a), top(&root, b));
        root.insert(a.max(b), a.min(b));
    }
    let ids: Vec<IdentityId> = root.keys().copied().collect();
    ids.into_iter().map(|id| (id, top(&root, id))).collect()
}

/// Pairs of records of one person that have a value in common, or are connected by records of the same person that have.
fn findable_pairs(rules: &Rules, everyone: &Everyone) -> u64 {
    let supports = |rule: u8| rules.rules[usize::from(rule)].counts == Counts::Supports;
    let records: Vec<_> = everyone.records.values().collect();
    let mut found = 0;
    for person in records.chunk_by(|a, b| a.1 == b.1) {
        let mut groups: Vec<(BTreeSet<Key>, u64)> = Vec::new();
        for (facts, _) in person {
            let own = facts.keys().iter().filter(|key| !supports(key.rule)).copied().collect();
            let (met, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(keys, _)| !keys.is_disjoint(&own));
            let whole =
                met.into_iter().fold((own, 1), |(keys, count), (more, members)| (&keys | &more, count + members));
            groups = apart;
            groups.push(whole);
        }
        found += groups.into_iter().map(|(_, count)| pairs(count)).sum::<u64>();
    }
    found
}

#[test]
#[allow(clippy::print_stderr)]
fn ten_thousand_people_over_five_systems_are_told_apart() {
    let rules = Rules::default();
    let everyone = Everyone::make_up(&rules, FIRST..FIRST + PEOPLE);
    let settled = passed(&rules, &everyone);
    let person = |member: &MemberId| everyone.records[member].1;
    let members = |identity: &renmen_identity::Identity| identity.members.iter().map(person).collect::<Vec<u64>>();
    let groups: Vec<Vec<u64>> = settled.identities.iter().map(members).collect();
    let linked: u64 = groups.iter().map(|people| pairs(people.len() as u64)).sum();
    let right = true_pairs(groups.iter());
    let everybody: Vec<u64> = everyone.records.values().map(|(_, number)| *number).collect();
    let wanted = true_pairs(std::iter::once(&everybody));
    let (precision, recall) = (right as f64 / linked as f64, right as f64 / wanted as f64);

    let home: HashMap<MemberId, IdentityId> =
        settled.identities.iter().flat_map(|one| one.members.iter().map(|member| (*member, one.id))).collect();
    let together = asked_together(&settled, &home);
    let mut asked: BTreeMap<IdentityId, Vec<u64>> = BTreeMap::new();
    everyone.records.keys().for_each(|member| asked.entry(together[&home[member]]).or_default().push(person(member)));
    let found_or_asked = true_pairs(asked.values());
    // Records of one person that have nothing in common, not even by way of others, cannot be found.
    let findable = findable_pairs(&rules, &everyone);
    let told = (found_or_asked - right) as f64 / (findable - right) as f64;

    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    everybody.iter().for_each(|number| *sizes.entry(*number).or_default() += 1);
    let exact = groups
        .iter()
        .filter(|people| people.iter().collect::<BTreeSet<_>>().len() == 1 && people.len() == sizes[&people[0]]);
    let exact = exact.count() as f64 / sizes.len() as f64;
    let apt = settled.proposals.iter().filter(|one| person(&one.between.0) == person(&one.between.1)).count();
    let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for link in settled.identities.iter().flat_map(|one| &one.links) {
        let Grounds::Rules(agreement) = &link.grounds else { panic!("no one decided") };
        agreement
            .keys
            .iter()
            .for_each(|key| *by_rule.entry(&rules.rules[usize::from(key.rule)].name).or_default() += 1);
    }
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for conflict in &settled.conflicts {
        let why = match conflict.obstacle {
            Obstacle::Claim(kind, ..) => format!("{kind:?}"),
            other => format!("{other:?}"),
        };
        *held.entry(why).or_default() += 1;
    }
    eprintln!(
        "{} records of {} people: precision {precision:.5}, recall {recall:.5} ({right} of {wanted}), exactly right {exact:.4}; of the rest {told:.4} is asked about, {} pairs have nothing in common; \
         {} proposals, {apt} of them right; held {held:?}; links by rule {by_rule:?}; {} wrong pairs of {linked}",
        everyone.records.len(),
        sizes.len(),
        wanted - findable,
        settled.proposals.len(),
        linked - right,
    );
    assert!(precision >= 0.999, "precision {precision}");
    assert!(recall >= 0.97, "recall {recall}");
    assert!(told >= 0.95, "of what is not linked {told} is proposed or held");
}

#[test]
fn people_who_come_record_by_record_in_any_order_are_those_of_one_pass() {
    let rules = Rules::default();
    let everyone = Everyone::make_up(&rules, 0..250);
    let mut settled = passed(&rules, &everyone);
    let mut shelf = Shelf::default();
    // In an order that has nothing to do with that in which they were made up.
    let mut records: Vec<MemberId> = everyone.records.keys().copied().collect();
    records.sort_by_key(|member| member.0.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for member in &records {
        shelf.put(&rules, *member, Facts::clone(&everyone.records[member].0));
    }
    assert_eq!(shelf.facts.len(), records.len());
    settled.identities.sort_unstable();
    assert_eq!(shelf.identities.into_values().collect::<Vec<_>>(), settled.identities);
    assert_eq!(shelf.proposals, settled.proposals.into_iter().collect());
    assert_eq!(shelf.conflicts, settled.conflicts.into_iter().collect());
    assert!(shelf.rounds_max <= 12, "{} round trips", shelf.rounds_max);
}
