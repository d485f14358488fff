//! Records, corrections, decisions, withdrawals and erasures in any order lead to the same end, and to that of one pass over everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use renmen_identity::{
    Agreement, ClaimKind, Collector, Day, Decision, DecisionKind, Digests, Facts, Grounds, IdentityId, MemberId,
    Obstacle, Pass, Rules, Source, Span,
};

use crate::shelf::{Shelf, decision};

/// What a record says, out of so few values that records meet all the time.
#[derive(Debug, Clone)]
struct Says {
    connection: &'static str,
    staff: Option<u8>,
    mail: Option<u8>,
    mobile: Option<u8>,
    card: Option<u8>,
    born: Option<u8>,
    name: Option<&'static str>,
}

fn says() -> impl Strategy<Value = Says> {
    let some = |most: u8| proptest::option::weighted(0.45, 0..most);
    let names = proptest::sample::select(vec!["王伟", "李娜", "Bob Smith", "Robert Smith", "Anna Smith"]);
    (
        proptest::sample::select(vec!["hr", "chat", "ats"]),
        (some(4), some(4), some(3), some(3), some(3)),
        proptest::option::weighted(0.8, names),
    )
        .prop_map(|(connection, (staff, mail, mobile, card, born), name)| Says {
            connection,
            staff,
            mail,
            mobile,
            card,
            born,
            name,
        })
}

#[derive(Debug, Clone)]
enum Step {
    Put(usize, Says),
    Erase(usize),
    Decide(u64, DecisionKind, usize, usize),
    Withdraw(u64),
}

/// A life of a few records: each comes, some are corrected, some erased, some decided about.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = proptest::collection::vec(says(), 5..11);
    let kind = proptest::sample::select(vec![DecisionKind::Same, DecisionKind::Never]);
    let decisions = proptest::collection::vec((kind, 0..11_usize, 0..11_usize, any::<bool>()), 0..5);
    let corrections = proptest::collection::vec((0..11_usize, says()), 0..4);
    let erasures = proptest::collection::btree_set(0..11_usize, 0..3);
    (put, corrections, decisions, erasures).prop_map(|(put, corrections, decisions, erasures)| {
        let count = put.len();
        let mut steps: Vec<Step> = put.into_iter().enumerate().map(|(record, says)| Step::Put(record, says)).collect();
        steps.extend(corrections.into_iter().map(|(record, says)| Step::Put(record % count, says)));
        for (seq, (kind, a, b, withdrawn)) in (1..).zip(decisions) {
            if a % count != b % count {
                steps.push(Step::Decide(seq, kind, a % count, b % count));
                steps.extend(withdrawn.then_some(Step::Withdraw(seq)));
            }
        }
        let erased: BTreeSet<usize> = erasures.into_iter().map(|record| record % count).collect();
        steps.extend(erased.into_iter().map(Step::Erase));
        steps
    })
}

/// Must the second come after the first? What is about one record, or about one decision, keeps its order, and what a person decides about
/// records comes after they came.
fn ordered(first: &Step, second: &Step) -> bool {
    match (first, second) {
        (Step::Put(a, _), Step::Put(b, _) | Step::Erase(b)) => a == b,
        (Step::Put(record, _), Step::Decide(_, _, a, b)) => record == a || record == b,
        (Step::Decide(seq, ..), Step::Withdraw(of)) => seq == of,
        _ => false,
    }
}

/// The steps in another order that is possible, by numbers that choose.
fn shuffled(steps: &[Step], choices: &[usize]) -> Vec<Step> {
    let mut left: Vec<Step> = steps.to_vec();
    let mut done = Vec::new();
    for choice in choices.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let free = |at: &usize| !left[..*at].iter().any(|earlier| ordered(earlier, &left[*at]));
        let open: Vec<usize> = (0..left.len()).filter(free).collect();
        done.push(left.remove(open[choice % open.len()]));
    }
    done
}

fn digests() -> Digests {
    Digests::new([9; 32])
}

fn facts(rules: &Rules, record: usize, says: &Says) -> Facts {
    let (digests, id) = (digests(), record.to_string());
    let mut collector = Collector::new(rules, &digests, says.connection, "employee", &id);
    let staff = says.staff.map(|number| format!("E{number}"));
    staff.iter().for_each(|number| collector.staff_number(number, Span::ALWAYS));
    says.mail.iter().for_each(|mail| collector.mail(&format!("m{mail}@work.example"), true));
    says.mobile.iter().for_each(|mobile| collector.mobile(&format!("1380000000{mobile}")));
    says.card.iter().for_each(|card| collector.national_id("ID_CARD", "CN", &format!("11010119900101000{card}"), true));
    says.born.iter().for_each(|born| collector.birth_date(Day(19_900_101 + i32::from(*born))));
    says.name.iter().for_each(|name| collector.name(name));
    collector.done()
}

type Pair = [usize; 2];
type Records = BTreeSet<usize>;
type Links = BTreeSet<(Pair, String)>;
type Against = (Pair, String, Option<(ClaimKind, Pair)>);

/// What was found, by the records' own numbers.
#[derive(Debug, PartialEq)]
struct End {
    identities: BTreeSet<(Records, Links, bool)>,
    proposals: BTreeSet<(Records, Records, Pair, Agreement)>,
    conflicts: BTreeSet<Against>,
    worn_out: BTreeSet<renmen_identity::Use>,
}

fn end(shelf: &Shelf, records: &BTreeMap<MemberId, usize>) -> End {
    let pair = |a: MemberId, b: MemberId| {
        let mut pair = [records[&a], records[&b]];
        pair.sort_unstable();
        pair
    };
    let all = |id: &IdentityId| shelf.identities[id].members.iter().map(|member| records[member]).collect();
    let grounds = |grounds: &Grounds| format!("{grounds:?}");
    let identities = shelf.identities.values().map(|identity| {
        let links = identity.links.iter().map(|link| (pair(link.a, link.b), grounds(&link.grounds)));
        (all(&identity.id), links.collect(), identity.too_large)
    });
    let proposals = shelf.proposals.iter().map(|proposal| {
        let (mut one, mut other): (Records, Records) = (all(&proposal.one), all(&proposal.other));
        if other < one {
            std::mem::swap(&mut one, &mut other);
        }
        (one, other, pair(proposal.between.0, proposal.between.1), proposal.agreement.clone())
    });
    let conflicts = shelf.conflicts.iter().map(|conflict| {
        let claim = match conflict.obstacle {
            Obstacle::Claim(kind, a, b) => Some((kind, pair(a, b))),
            _ => None,
        };
        let other = if claim.is_none() { format!("{:?}", conflict.obstacle) } else { String::new() };
        (pair(conflict.between.0, conflict.between.1), grounds(&conflict.grounds) + &other, claim)
    });
    End {
        identities: identities.collect(),
        proposals: proposals.collect(),
        conflicts: conflicts.collect(),
        worn_out: shelf.worn_out.clone(),
    }
}

/// Does the steps one by one; records are numbered as they come.
fn lived(rules: &Rules, steps: &[Step]) -> (End, Shelf, BTreeMap<MemberId, usize>) {
    let mut shelf = Shelf::default();
    let (mut ids, mut erased) = (BTreeMap::new(), BTreeSet::new());
    let mut decided: BTreeMap<u64, Decision> = BTreeMap::new();
    let mut withdrawn = BTreeSet::new();
    for step in steps {
        match step {
            Step::Put(record, says) => {
                let next = MemberId(u64::try_from(ids.len()).unwrap() + 1);
                shelf.put(rules, *ids.entry(*record).or_insert(next), facts(rules, *record, says));
            }
            Step::Erase(record) => {
                erased.insert(*record);
                shelf.erase(rules, ids[record]);
            }
            // No one decides about an erased record.
            Step::Decide(_, _, a, b) if erased.contains(a) || erased.contains(b) => {}
            Step::Decide(seq, kind, a, b) => {
                decided.insert(*seq, decision(*seq, *kind, ids[a], ids[b]));
                shelf.decide(rules, decided[seq]);
            }
            Step::Withdraw(seq) => {
                withdrawn.insert(*seq);
                decided.get(seq).copied().into_iter().for_each(|decision| shelf.withdraw(rules, decision));
            }
        }
    }
    let records = ids.iter().map(|(record, id)| (*id, *record)).collect();
    (end(&shelf, &records), shelf, records)
}

struct Kept<'a>(&'a Shelf);

impl Source for Kept<'_> {
    type Error = std::convert::Infallible;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Self::Error> {
        Ok(members.iter().map(|member| self.0.facts.get(member).cloned()).collect())
    }
}

/// One pass over what is there.
fn passed(rules: &Rules, shelf: &Shelf, records: &BTreeMap<MemberId, usize>) -> End {
    let decisions: Vec<Decision> = shelf.decisions.iter().copied().collect();
    let mut pass = Pass::new(rules, &decisions);
    shelf.facts.iter().for_each(|(member, facts)| pass.add(*member, facts));
    let found = Mutex::new(Shelf::default());
    let Ok(summary) = pass.run(&Kept(shelf), 2, |settled| found.lock().unwrap().keep(settled));
    let mut found = found.into_inner().unwrap();
    found.worn_out = summary.worn_out.into_iter().collect();
    end(&found, records)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_decision_and_erasure_has_the_same_end(
        steps in steps(),
        choices in proptest::collection::vec(any::<usize>(), 24),
        tight in any::<bool>(),
    ) {
        let rules = if tight { Rules { component_max: 4, holders_max: 4, ..Rules::default() } } else { Rules::default() };
        let (wanted, shelf, records) = lived(&rules, &steps);
        let other = shuffled(&steps, &choices);
        let (found, ..) = lived(&rules, &other);
        prop_assert_eq!(&wanted, &found, "in the order {:?}", other);
        prop_assert_eq!(&wanted, &passed(&rules, &shelf, &records), "one pass");
    }
}
