//! Records, corrections, decisions, deletions and returns, read in pieces by gateways that are killed at any place, lead to the same end as
//! the same records and decisions on a store of their own where nothing happens but them.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renmen_people::{Act, PeopleError, PeopleOptions, Rules};
use renmen_store::DecisionCommit;
use serde_json::json;

use crate::bed::Bed;
use crate::world::{Rec, World, ask, everyone, killed_after, tenant};

const RECORDS: usize = 9;
const CONNECTIONS: [&str; 3] = ["hr", "chat", "ats"];

/// What a record says, out of so few values that records meet all the time.
#[derive(Debug, Clone)]
struct Says {
    staff: Option<u8>,
    mobile: Option<u8>,
    mail: Option<u8>,
    born: Option<u8>,
    name: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum Step {
    Put(usize, Says),
    Delete(usize),
    Decide(Act, usize, usize),
    Undo(usize),
    /// The gateway works, and is killed after so many polls; so many changes at once.
    Work(usize, u32),
    /// By other rules, until it is killed.
    OtherRules(usize),
}

fn says() -> impl Strategy<Value = Says> {
    let some = |most: u8| proptest::option::weighted(0.5, 0..most);
    let names = proptest::sample::select(vec!["王伟", "李娜", "Bob Smith", "Robert Smith", "Anna Smith"]);
    (some(4), some(3), some(4), some(3), proptest::option::weighted(0.8, names))
        .prop_map(|(staff, mobile, mail, born, name)| Says { staff, mobile, mail, born, name })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = proptest::sample::select(vec![Act::Link, Act::Split, Act::Never]);
    let step = prop_oneof![
        8 => (0..RECORDS, says()).prop_map(|(record, says)| Step::Put(record, says)),
        2 => (0..RECORDS).prop_map(Step::Delete),
        3 => (act, 0..RECORDS, 0..RECORDS).prop_map(|(act, a, b)| Step::Decide(act, a, b)),
        1 => (0..4_usize).prop_map(Step::Undo),
        6 => (1..60_usize, 1..4_u32).prop_map(|(polls, batch)| Step::Work(polls, batch)),
        1 => (1..80_usize).prop_map(Step::OtherRules),
    ];
    proptest::collection::vec(step, 10..40)
}

fn record(number: usize, says: Option<&Says>) -> Rec {
    let connection = CONNECTIONS[number % CONNECTIONS.len()];
    let mut person = json!({});
    let mut body = json!({});
    if let Some(Says { staff, mobile, mail, born, name }) = says {
        if let Some(name) = name {
            person["names"] = json!({ "formatted": name });
        }
        if let Some(mobile) = mobile {
            person["phones"] = json!([{ "kind": "MOBILE", "e164": format!("+861380000000{mobile}") }]);
        }
        if let Some(mail) = mail {
            person["emails"] = json!([{ "kind": "WORK", "address": format!("m{mail}@work.example") }]);
        }
        if let Some(born) = born {
            person["birth_date"] = json!(format!("1990-01-0{}", born + 1));
        }
        if let Some(staff) = staff {
            body["number"] = json!(format!("E{staff}"));
        }
    }
    body["person"] = person;
    let record = Rec::new(connection, "employee", &number.to_string(), body);
    if says.is_none() { record.gone() } else { record }
}

fn other_rules() -> Rules {
    Rules { link_at: 60, ..Rules::default() }
}

fn options(batch: u32) -> PeopleOptions {
    PeopleOptions { batch, ..PeopleOptions::default() }
}

type Named = (String, String);

/// What was found, by the names of records.
#[derive(Debug, PartialEq)]
struct End {
    persons: BTreeSet<BTreeSet<String>>,
    proposals: BTreeSet<(BTreeSet<BTreeSet<String>>, Option<i32>)>,
    conflicts: BTreeSet<(Named, String)>,
    shared: usize,
}

async fn end(world: &World, people: &Arc<renmen_people::People>) -> End {
    let names = world.names().await;
    let pair = |(a, b): (_, _)| {
        let mut pair = [names[&a].clone(), names[&b].clone()];
        pair.sort();
        let [a, b] = pair;
        (a, b)
    };
    let all = people.list(&tenant(), &crate::world::query(renmen_people::Subject::Person)).await.unwrap().items;
    let mut whole = std::collections::BTreeMap::new();
    for person in &all {
        let portrait = crate::world::portrait(people, person.id).await;
        assert!(!portrait.waits, "all is done");
        // Which of two equally strong links are shown depends on the key of the tenant's hashes.
        assert_eq!(portrait.links.len() + 1, person.sources.len(), "links are a tree");
        let records: BTreeSet<String> = person.sources.iter().map(|one| names[&one.record.id].clone()).collect();
        whole.insert(person.id, records);
    }
    let proposals = people.proposals(&tenant(), None, None, 1_000).await.unwrap().items;
    let conflicts = people.conflicts(&tenant(), None, None, 1_000).await.unwrap().items;
    // Decisions have other numbers in another store.
    let told = |text: String| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    End {
        persons: everyone(world, people).await,
        proposals: proposals
            .into_iter()
            .map(|one| ([one.one, one.other].map(|id| whole[&id].clone()).into(), one.grounds.score))
            .collect(),
        conflicts: conflicts.into_iter().map(|one| (pair(one.between), told(one.against.to_string()))).collect(),
        shared: people.shared_values(&tenant(), None, 100).await.unwrap().items.len(),
    }
}

/// Lives through the steps; gives the records as they stand then.
async fn live(world: &mut World, steps: &[Step]) -> Vec<Option<Says>> {
    let mut stand: Vec<Option<Says>> = vec![None; RECORDS];
    let mut decided = Vec::new();
    for step in steps {
        match step {
            Step::Put(number, says) => {
                world.put(&[record(*number, Some(says))]).await;
                stand[*number] = Some(says.clone());
            }
            Step::Delete(number) if stand[*number].is_some() => {
                world.put(&[record(*number, None)]).await;
                stand[*number] = None;
            }
            Step::Delete(_) => {}
            Step::Decide(act, a, b) => {
                if a == b || stand[*a].is_none() || stand[*b].is_none() {
                    continue;
                }
                let id = async |number: usize| {
                    world.employee(CONNECTIONS[number % CONNECTIONS.len()], &number.to_string()).await
                };
                let records = if *act == Act::Split { vec![id(*a).await] } else { vec![id(*a).await, id(*b).await] };
                let (people, _) = world.people(options(3));
                match people.decide(&tenant(), &ask(*act, &records)).await {
                    Ok(done) => decided.push(done.number),
                    Err(PeopleError::Refused(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Undo(which) => {
                if let Some(number) = decided.get(*which).copied() {
                    let (people, _) = world.people(options(3));
                    match people.undo(&tenant(), number, "Li Na", "I was wrong").await {
                        Ok(_) | Err(PeopleError::NotFound) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            Step::Work(polls, batch) => {
                let (_, work) = world.people(options(*batch));
                killed_after(*polls, work.catch_up()).await.transpose().unwrap();
            }
            Step::OtherRules(polls) => {
                let (_, work) = world.people(PeopleOptions { rules: other_rules(), ..options(2) });
                killed_after(*polls, work.catch_up()).await.transpose().unwrap();
            }
        }
    }
    stand
}

/// The same records and decisions in a store of their own: nothing else ever happened there.
async fn calm(world: &World, stand: &[Option<Says>], back_to_front: bool) -> End {
    let bed = Bed::sqlite().await;
    let mut other = World::of(&bed.store);
    let mut numbers: Vec<usize> = (0..RECORDS).filter(|number| stand[*number].is_some()).collect();
    if back_to_front {
        numbers.reverse();
    }
    for number in numbers {
        other.put(&[record(number, stand[number].as_ref())]).await;
    }
    let people = other.settled(options(500)).await;
    let names = world.names().await;
    let there: std::collections::BTreeMap<String, _> =
        other.names().await.into_iter().map(|(id, name)| (name, id)).collect();
    for decision in world.store.identity_decisions(&tenant(), None, 0, 1_000).await.unwrap() {
        let ids = world.store.record_ids(&tenant(), &[decision.a, decision.b]).await.unwrap();
        let name = |row: i64| &names[&ids.iter().find(|found| found.number == row).unwrap().id];
        let (Some(a), Some(b)) = (there.get(name(decision.a)), there.get(name(decision.b))) else { continue };
        if decision.undone.is_some() {
            continue;
        }
        let number = async |id| other.store.record_identity(&tenant(), id).await.unwrap().unwrap().record;
        let commit = DecisionCommit {
            tenant: tenant(),
            act: "link",
            same: decision.same,
            pairs: vec![(number(*a).await, number(*b).await)],
            who: decision.who,
            why: decision.why,
            request: String::new(),
            now_ms: 0,
        };
        other.store.decide_identity(commit).await.unwrap();
    }
    let (_, work) = other.people(options(500));
    work.catch_up().await.unwrap();
    let found = end(&other, &people).await;
    bed.end().await;
    found
}

async fn check(bed: &Bed, steps: &[Step]) {
    let mut world = World::of(&bed.store);
    let stand = live(&mut world, steps).await;
    let people = world.settled(options(2)).await;
    let found = end(&world, &people).await;
    assert_eq!(found, calm(&world, &stand, false).await, "{steps:#?}");
    assert_eq!(found, calm(&world, &stand, true).await, "{steps:#?}");
    let again = world.settled(options(500)).await;
    assert_eq!(found, end(&world, &again).await, "nothing changes where nothing is to be done");
}

/// More of them for a long run: `RENMEN_SCHEDULES=500`.
fn cases(usual: u32) -> u32 {
    std::env::var("RENMEN_SCHEDULES").map_or(usual, |cases| cases.parse().unwrap())
}

fn schedules(cases: u32) -> Vec<Vec<Step>> {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    (0..cases).map(|_| steps().new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_and_any_kill_have_the_same_end_on_sqlite() {
    for steps in schedules(cases(12)) {
        let bed = Bed::sqlite().await;
        check(&bed, &steps).await;
        bed.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_and_any_kill_have_the_same_end_on_postgres() {
    for steps in schedules(cases(4)) {
        let Some(bed) = Bed::postgres().await else { return };
        check(&bed, &steps).await;
        bed.end().await;
    }
}

/// So that a schedule does not pass because its kills come too late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_stops_the_work_before_its_end() {
    let bed = Bed::sqlite().await;
    let mut world = World::of(&bed.store);
    let says = Says { staff: Some(1), mobile: None, mail: None, born: None, name: None };
    world.put(&[record(0, Some(&says))]).await;
    let (_, work) = world.people(options(3));
    assert!(killed_after(2, work.catch_up()).await.is_none());
    assert!(bed.store.identity_stand(&tenant()).await.unwrap().is_none_or(|stand| stand.rules.is_none()));
    assert!(killed_after(10_000, work.catch_up()).await.is_some());
    let store = Arc::clone(&bed.store);
    assert!(store.identity_stand(&tenant()).await.unwrap().unwrap().rules.is_some());
    bed.end().await;
}
