//! References by alternate key: what a key means, whichever record came first, and which references mean nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::{Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_schema::{EntityKind, WantedKey};
use renmen_store::{
    Content, FactRow, FactWrite, FactsCommit, Keyed, MemberRow, Named, PERSON, ReadUpTo, RecordQuery, RecordWrite,
    SettledCommit, Store, StreamKey, UnresolvedKeys,
};
use serde_json::json;

use crate::bed::{Bed, on_both};
use crate::older::{POSTGRES_17, SQLITE_17};
use crate::puller::{Puller, bad, gone, key, rec, tenant};

/// Through which connection a puller of this tenant reads.
fn of(tenant: &TenantId, connection: &str) -> StreamKey {
    StreamKey {
        tenant: tenant.clone(),
        connection: ConnectionName::new(connection).unwrap(),
        stream: StreamName::new("all").unwrap(),
    }
}

fn employee(id: &str, number: &str) -> RecordWrite {
    rec(id, &json!({ "person": {}, "number": number }).to_string())
}

/// A payslip, which refers to an employee by number.
fn slip(id: &str, number: &str, connection: Option<&str>) -> RecordWrite {
    let mut by = json!({ "scheme": "employee_number", "value": number });
    if let Some(connection) = connection {
        by["connection"] = json!(connection);
    }
    let body = json!({ "run": { "external": { "value": "2025-03" } }, "employee": { "key": by } }).to_string();
    RecordWrite { content: Content::of("payroll_record", body.into_bytes()), ..rec(id, "") }
}

fn number(value: &str) -> WantedKey {
    WantedKey { entity: EntityKind::Employee, scheme: "employee_number", value: value.into(), connection: None }
}

/// The record that a number means, by its id; else how many have it.
async fn meant(store: &Arc<dyn Store>, tenant: &TenantId, key: &WantedKey) -> Result<String, u64> {
    match store.keyed(tenant, key, None).await.unwrap() {
        Keyed::One(row) => Ok(row.external_id),
        Keyed::Nothing => Err(0),
        Keyed::Several(count) => Err(count),
    }
}

/// The figures of what is not resolved: ambiguous, records, values, most matches, since when.
async fn open_ones(store: &Arc<dyn Store>) -> Vec<(bool, u64, u64, u64, i64)> {
    let figures = |of: UnresolvedKeys| (of.ambiguous, of.records, of.values, of.matches_max, of.since_ms);
    store.unresolved_keys(&tenant()).await.unwrap().into_iter().map(figures).collect()
}

on_both! {
    async fn a_reference_means_its_record_whichever_comes_first(bed: &Bed) {
        let mut payroll = Puller::begin(&bed.store, of(&tenant(), "payroll"), 1_000).await;
        payroll.put(vec![slip("1", "E1", None), slip("2", "E1", None), slip("3", "E2", None)]).await;
        assert_eq!(open_ones(&bed.store).await, [(false, 3, 2, 0, 1_000)]);
        let told = bed.store.unresolved_keys(&tenant()).await.unwrap().remove(0);
        assert_eq!((told.entity.as_str(), told.scheme.as_str(), told.connection), ("employee", "employee_number", None));
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(0));

        let mut people = Puller::begin(&bed.store, key(), 2_000).await;
        people.put(vec![employee("user1", "E1"), employee("user9", "E9")]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Ok("user1".into()));
        assert_eq!(open_ones(&bed.store).await, [(false, 1, 1, 0, 1_000)], "one still waits, as long as before");
        people.put(vec![employee("user2", "E2")]).await;
        assert!(open_ones(&bed.store).await.is_empty());
        // One that comes last is there at once.
        payroll.put(vec![slip("4", "E9", None)]).await;
        assert!(open_ones(&bed.store).await.is_empty());
    }

    async fn a_key_that_changes_or_goes_takes_its_references_with_it(bed: &Bed) {
        let mut people = Puller::begin(&bed.store, key(), 1_000).await;
        people.put(vec![employee("user1", "E1"), slip("1", "E1", None), slip("2", "E2", None)]).await;
        assert_eq!(open_ones(&bed.store).await, [(false, 1, 1, 0, 1_000)]);
        people.now_ms = 2_000;
        people.put(vec![employee("user1", "E2")]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E2")).await, Ok("user1".into()));
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(0));
        assert_eq!(open_ones(&bed.store).await, [(false, 1, 1, 0, 2_000)], "the other one waits now");
        people.put(vec![gone("user1")]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E2")).await, Err(0));
        assert_eq!(open_ones(&bed.store).await, [(false, 2, 2, 0, 2_000)]);
        people.put(vec![employee("user1", "E2")]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E2")).await, Ok("user1".into()), "it came back");
        // Swept away, as what a listing did not list.
        people.sweep(true, true, vec![slip("1", "E1", None), slip("2", "E2", None)]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E2")).await, Err(0));
        // Who refers no more, or is gone, waits for nothing.
        people.sweep(true, true, vec![slip("2", "E7", None)]).await;
        let told = bed.store.unresolved_keys(&tenant()).await.unwrap();
        assert_eq!((told.len(), told[0].records, told[0].values), (1, 1, 1));
    }

    async fn a_key_that_several_records_have_means_none_of_them(bed: &Bed) {
        let mut people = Puller::begin(&bed.store, key(), 1_000).await;
        people.put(vec![employee("user1", "E1"), employee("user2", "E1"), slip("1", "E1", None)]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(2), "two people with one number");
        assert_eq!(open_ones(&bed.store).await, [(true, 1, 1, 2, 1_000)]);
        people.put(vec![employee("user2", "E2")]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Ok("user1".into()));
        assert!(open_ones(&bed.store).await.is_empty());

        // Two connections that know one person: the one that is named is meant.
        let mut other = Puller::begin(&bed.store, of(&tenant(), "feishu"), 3_000).await;
        other.put(vec![employee("ou_1", "E1"), slip("2", "E1", Some("feishu")), slip("3", "E1", Some("nowhere"))]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(2));
        let named = |name: &str| WantedKey { connection: Some(ConnectionName::new(name).unwrap()), ..number("E1") };
        assert_eq!(meant(&bed.store, &tenant(), &named("feishu")).await, Ok("ou_1".into()));
        assert_eq!(meant(&bed.store, &tenant(), &named("dingtalk")).await, Ok("user1".into()));
        let told = bed.store.unresolved_keys(&tenant()).await.unwrap();
        let of_whom: Vec<_> = told.iter().map(|of| (of.connection.as_ref().map(ConnectionName::as_str), of.ambiguous)).collect();
        assert_eq!(of_whom, [(None, true), (Some("nowhere"), false)]);
        // Who may look at some connections alone sees no other's.
        let among = [ConnectionName::new("dingtalk").unwrap()];
        let found = bed.store.keyed(&tenant(), &number("E1"), Some(&among)).await.unwrap();
        assert_eq!(found.one().unwrap().external_id, "user1");
        let none = bed.store.keyed(&tenant(), &named("feishu"), Some(&among)).await.unwrap();
        assert!(matches!(none, Keyed::Nothing));
    }

    async fn a_key_that_records_of_one_person_have_means_that_person(bed: &Bed) {
        let mut people = Puller::begin(&bed.store, key(), 1_000).await;
        people.put(vec![employee("user1", "E1"), employee("user2", "E2"), slip("1", "E1", None)]).await;
        let mut other = Puller::begin(&bed.store, of(&tenant(), "feishu"), 2_000).await;
        other.put(vec![employee("ou_1", "E1")]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(2));
        assert_eq!(open_ones(&bed.store).await, [(true, 1, 1, 2, 2_000)]);
        let row = async |external: &str| {
            let query = RecordQuery { external_id: Some(external.into()), limit: 1, ..RecordQuery::default() };
            let id = bed.store.records(&tenant(), &query).await.unwrap().items[0].id;
            bed.store.record_identity(&tenant(), id).await.unwrap().unwrap().record
        };
        let (first, second) = (row("user1").await, row("ou_1").await);
        let fact = |record| {
            let row = FactRow { record, kind: PERSON, place: 0, name: 0, facts: Vec::new() };
            FactWrite { record, before: Vec::new(), now: Some(row), keys: Vec::new() }
        };
        let (stand, _) = bed.store.begin_identity(&tenant()).await.unwrap();
        let facts = FactsCommit {
            tenant: tenant(),
            version: stand.version,
            facts: vec![fact(first), fact(second)],
            applications: Vec::new(),
            read: ReadUpTo::Feed(stand.followed),
            now_ms: 3_000,
        };
        bed.store.put_facts(facts).await.unwrap();
        let is_one = async |identity: i64| {
            let (stand, _) = bed.store.begin_identity(&tenant()).await.unwrap();
            let member = |record, identity| MemberRow { record, identity, kind: PERSON, too_large: false, since_ms: 3_000 };
            let found = SettledCommit {
                tenant: tenant(),
                version: Some(stand.version),
                pass: None,
                done: Vec::new(),
                members: vec![member(first, first), member(second, identity)],
                gone: Vec::new(),
                unlinked: Vec::new(),
                links: Vec::new(),
                proposals_gone: Vec::new(),
                proposals: Vec::new(),
                conflicts_gone: Vec::new(),
                conflicts: Vec::new(),
                worn_gone: Vec::new(),
                worn: Vec::new(),
                now_ms: 3_000,
            };
            bed.store.put_settled(found).await.unwrap();
        };
        is_one(first).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Ok("user1".into()), "the oldest record of the one");
        let at_once = bed.store.meant(&tenant(), &[Named::Key(number("E1"))]).await.unwrap().remove(0);
        assert_eq!(at_once.one().unwrap().external_id, "user1");
        assert!(open_ones(&bed.store).await.is_empty(), "it waits for nothing");
        is_one(second).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(2), "they are two again");
        assert_eq!(open_ones(&bed.store).await, [(true, 1, 1, 2, 2_000)]);
    }

    async fn many_names_at_once_mean_what_each_means_alone(bed: &Bed) {
        let mut people = Puller::begin(&bed.store, key(), 1_000).await;
        people.put(vec![employee("user1", "E1"), employee("user2", "E2"), employee("user3", "E2"), employee("left", "E4")]).await;
        people.put(vec![slip("slip", "E1", None)]).await;
        people.put(vec![gone("left")]).await;
        let globex = TenantId::new("globex").unwrap();
        let mut theirs = Puller::begin(&bed.store, of(&globex, "dingtalk"), 1_000).await;
        theirs.put(vec![employee("theirs", "E5")]).await;
        let id = async |whose: &TenantId, external: &str| {
            let query = RecordQuery { external_id: Some(external.into()), include_deleted: true, limit: 1, ..RecordQuery::default() };
            bed.store.records(whose, &query).await.unwrap().items[0].id
        };
        let (person, slip) = (EntityKind::Employee, EntityKind::PayrollRecord);
        let external = |kind, connection: &str, id: &str| Named::External(kind, ConnectionName::new(connection).unwrap(), id.to_owned());
        let mistyped = RecordId(uuid::Uuid::from_u128(id(&tenant(), "user1").await.0.as_u128() ^ (1 << 64)));
        let asked = [
            (external(person, "dingtalk", "user1"), Ok("user1")),
            (Named::Key(number("E1")), Ok("user1")),
            (Named::Key(number("E2")), Err(2)),
            (Named::Id(person, id(&tenant(), "user2").await), Ok("user2")),
            (Named::Id(slip, id(&tenant(), "user2").await), Err(0)),
            (Named::Id(slip, id(&tenant(), "slip").await), Ok("slip")),
            (Named::Id(person, mistyped), Err(0)),
            (external(slip, "dingtalk", "user1"), Err(0)),
            (external(person, "nowhere", "user1"), Err(0)),
            (external(person, "dingtalk", "left"), Err(0)),
            (Named::Id(person, id(&tenant(), "left").await), Err(0)),
            (Named::Key(number("E4")), Err(0)),
            (external(person, "dingtalk", "theirs"), Err(0)),
            (Named::Id(person, id(&globex, "theirs").await), Err(0)),
            (Named::Key(number("E5")), Err(0)),
            (external(person, "dingtalk", "a\0b"), Err(0)),
            (external(person, "dingtalk", "\"quoted\" 引号\n"), Err(0)),
            (external(person, "dingtalk", "user1"), Ok("user1")),
        ];
        let names: Vec<Named> = asked.iter().map(|(name, _)| name.clone()).collect();
        let meant = bed.store.meant(&tenant(), &names).await.unwrap();
        assert_eq!(meant.len(), asked.len());
        for (meant, (name, wanted)) in meant.into_iter().zip(asked) {
            let found = match meant {
                Keyed::One(row) => Ok(row.external_id),
                Keyed::Nothing => Err(0),
                Keyed::Several(count) => Err(count),
            };
            assert_eq!(found, wanted.map(str::to_owned), "{name:?}");
        }
        assert!(bed.store.meant(&tenant(), &[]).await.unwrap().is_empty());
    }

    async fn a_key_of_another_tenant_is_as_unknown_as_none(bed: &Bed) {
        let globex = TenantId::new("globex").unwrap();
        let mut theirs = Puller::begin(&bed.store, of(&globex, "dingtalk"), 1_000).await;
        theirs.put(vec![employee("user1", "E1"), slip("1", "E2", None)]).await;
        let mut ours = Puller::begin(&bed.store, key(), 1_000).await;
        ours.put(vec![slip("1", "E1", None)]).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Err(0));
        assert_eq!(meant(&bed.store, &globex, &number("E1")).await, Ok("user1".into()));
        assert_eq!(open_ones(&bed.store).await, [(false, 1, 1, 0, 1_000)]);
    }

    async fn a_record_announces_its_keys_by_whichever_door_it_comes(bed: &Bed) {
        let mut people = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = people.page(vec![]);
        page.quarantine = vec![bad(Some("user1"), "{")];
        people.commit(page).await.unwrap();
        let waiting = bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap().remove(0);
        bed.store.quarantine_accept(&tenant(), waiting.id, employee("user1", "E1"), 2_000).await.unwrap();
        assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Ok("user1".into()));
    }

    async fn the_same_records_in_any_order_mean_the_same(bed: &Bed) {
        let records = [
            employee("user1", "E1"),
            employee("user2", "E2"),
            slip("1", "E1", None),
            slip("2", "E2", Some("dingtalk")),
        ];
        for (at, order) in permutations(records.len()).into_iter().enumerate() {
            let tenant = TenantId::new(&format!("t{at}")).unwrap();
            let mut puller = Puller::begin(&bed.store, of(&tenant, "dingtalk"), 1_000).await;
            for which in &order {
                puller.put(vec![records[*which].clone()]).await;
            }
            assert!(bed.store.unresolved_keys(&tenant).await.unwrap().is_empty(), "{order:?}");
            for (key, wanted) in [("E1", "user1"), ("E2", "user2")] {
                assert_eq!(meant(&bed.store, &tenant, &number(key)).await, Ok(wanted.into()), "{order:?}");
            }
        }
    }

    async fn whatever_happens_keys_mean_what_the_live_bodies_say(bed: &Bed) {
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        for case in 0..24 {
            let steps = proptest::collection::vec(step(), 1..20).new_tree(&mut runner).unwrap().current();
            check(&bed.store, &TenantId::new(&format!("case{case}")).unwrap(), &steps, case % 2 == 0).await;
        }
    }

    async fn keys_of_a_large_page_mean_their_records_before_and_after_a_record_refers_by_one(bed: &Bed) {
        let mut people = Puller::begin(&bed.store, key(), 1_000).await;
        people.put((0..100).map(|at| employee(&format!("user{at}"), &format!("E{at}"))).collect()).await;
        assert_eq!(meant(&bed.store, &tenant(), &number("E7")).await, Ok("user7".into()));
        people.put(vec![employee("user7", "E700"), gone("user8"), employee("user100", "E9")]).await;
        let as_expected = async |when: &str| {
            for (key, wanted) in
                [("E7", Err(0)), ("E700", Ok("user7")), ("E8", Err(0)), ("E9", Err(2)), ("E10", Ok("user10"))]
            {
                let wanted = wanted.map(str::to_owned);
                assert_eq!(meant(&bed.store, &tenant(), &number(key)).await, wanted, "{key} {when}");
            }
        };
        as_expected("before").await;
        people.now_ms = 2_000;
        people.put(vec![slip("1", "E700", None), slip("2", "E8", None), slip("3", "E9", None)]).await;
        as_expected("after").await;
        assert_eq!(open_ones(&bed.store).await, [(false, 1, 1, 0, 2_000), (true, 1, 1, 2, 2_000)]);
        // When no record refers any more they are kept as they come once more.
        people.put(["1", "2", "3"].map(|id| RecordWrite { content: Content::gone("payroll_record"), ..gone(id) }).into()).await;
        people.put((0..100).map(|at| employee(&format!("new{at}"), &format!("N{at}"))).collect()).await;
        people.put(vec![employee("user7", "E7"), employee("user8", "E8"), gone("user9"), gone("new3")]).await;
        for (key, wanted) in [("E7", "user7"), ("E700", ""), ("E8", "user8"), ("E9", "user100"), ("N2", "new2"), ("N3", "")] {
            let wanted = if wanted.is_empty() { Err(0) } else { Ok(wanted.to_owned()) };
            assert_eq!(meant(&bed.store, &tenant(), &number(key)).await, wanted, "{key}");
        }
    }
}

/// What happens to one record: which connection's, an employee or a payslip, which one, and its number, or none for its end.
#[derive(Debug, Clone)]
struct Step {
    connection: usize,
    is_slip: bool,
    id: u8,
    number: Option<u8>,
    named: bool,
}

const CONNECTIONS: [&str; 2] = ["dingtalk", "feishu"];

fn step() -> impl Strategy<Value = Step> {
    let number = prop_oneof![4 => (0..3_u8).prop_map(Some), 1 => proptest::strategy::Just(None)];
    (0..2_usize, proptest::bool::ANY, 0..3_u8, number, proptest::bool::ANY)
        .prop_map(|(connection, is_slip, id, number, named)| Step { connection, is_slip, id, number, named })
}

/// Plays the steps, and asks after each what the live bodies say. After a large page what the steps change waits to be sorted.
async fn check(store: &Arc<dyn Store>, tenant: &TenantId, steps: &[Step], large: bool) {
    let mut pullers = Vec::new();
    for name in CONNECTIONS {
        pullers.push(Puller::begin(store, of(tenant, name), 1_000).await);
    }
    if large {
        pullers[0].put((0..70).map(|at| employee(&format!("other{at}"), &format!("F{at}"))).collect()).await;
    }
    let mut live: BTreeMap<(usize, bool, u8), (u8, bool)> = BTreeMap::new();
    for step in steps {
        let id = step.id.to_string();
        let write = match (step.is_slip, step.number) {
            (false, Some(number)) => employee(&id, &format!("E{number}")),
            (true, Some(number)) => slip(&id, &format!("E{number}"), step.named.then_some(CONNECTIONS[0])),
            (false, None) => gone(&id),
            (true, None) => RecordWrite { content: Content::gone("payroll_record"), ..gone(&id) },
        };
        pullers[step.connection].put(vec![write]).await;
        let place = (step.connection, step.is_slip, step.id);
        match step.number {
            Some(number) => _ = live.insert(place, (number, step.named)),
            None => _ = live.remove(&place),
        }
        let having = |number: u8, only: bool| {
            let has = |((connection, is_slip, _), (has, _)): &(&(usize, bool, u8), &(u8, bool))| {
                !is_slip && *has == number && (!only || *connection == 0)
            };
            live.iter().filter(has).count() as u64
        };
        for number_at in 0..3 {
            let found = meant(store, tenant, &number(&format!("E{number_at}"))).await;
            let count = found.as_ref().map_or_else(|count| *count, |_| 1);
            assert_eq!(count, having(number_at, false), "E{number_at} after {step:?} of {steps:?}");
        }
        // By connection asked for and whether it is ambiguous: references, and different values.
        let mut wanted: BTreeMap<(bool, bool), (u64, BTreeSet<u8>)> = BTreeMap::new();
        for (_, (number, named)) in live.iter().filter(|((_, is_slip, _), _)| *is_slip) {
            let count = having(*number, *named);
            if count != 1 {
                let entry = wanted.entry((*named, count > 1)).or_default();
                entry.0 += 1;
                entry.1.insert(*number);
            }
        }
        let wanted: Vec<_> =
            wanted.into_iter().map(|(of, (records, values))| (of, records, values.len() as u64)).collect();
        let told = store.unresolved_keys(tenant).await.unwrap();
        let told: Vec<_> =
            told.into_iter().map(|of| ((of.connection.is_some(), of.ambiguous), of.records, of.values)).collect();
        assert_eq!(told, wanted, "after {step:?} of {steps:?}");
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let insert = |order: &Vec<usize>, at: usize| [&order[..at], &[of - 1], &order[at..]].concat();
    shorter.iter().flat_map(|order| (0..of).map(move |at| insert(order, at))).collect()
}

async fn announces_what_was_there(bed: Bed) {
    let mut people = Puller::begin(&bed.store, key(), 1_000).await;
    people.put(vec![employee("user1", "E1"), employee("user2", "E2"), gone("user2")]).await;
    drop(people);
    let before = "DROP TABLE record_key; DROP TABLE wanted_key; DROP TABLE feed_epoch; DROP TABLE lease; DROP TABLE month_calls; \
                  ALTER TABLE quarantine DROP COLUMN reason_zh;";
    let sqlite = format!("{SQLITE_17} {before} PRAGMA user_version = 12;");
    let postgres = format!("{POSTGRES_17} {before} UPDATE meta SET version = 12;");
    let bed = bed.reopened(&sqlite, &postgres).await;
    assert_eq!(meant(&bed.store, &tenant(), &number("E1")).await, Ok("user1".into()));
    assert_eq!(meant(&bed.store, &tenant(), &number("E2")).await, Err(0), "it was gone before");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_file_announces_the_keys_of_its_records_when_it_is_brought_up() {
    announces_what_was_there(Bed::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_announces_the_keys_of_its_records_when_it_is_brought_up() {
    if let Some(bed) = Bed::postgres().await {
        announces_what_was_there(bed).await;
    }
}
