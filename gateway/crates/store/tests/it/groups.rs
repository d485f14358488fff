//! Deliveries that share a commit: each is what it would be alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::inbox::{DeliveryWrite, Intake, IntakePage, RefreshAsk, Taken};
use renmen_store::{Content, Quota, RecordWrite, Store, StoreError, StoreOptions, open};

use crate::bed::{Bed, on_both};
use crate::puller::{exchange, rec};

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn connection(name: &str) -> ConnectionName {
    ConnectionName::new(name).unwrap()
}

fn employee(id: &str, number: &str, at_ms: i64) -> RecordWrite {
    let body = format!(r#"{{"person":{{}},"number":"{number}"}}"#);
    RecordWrite { content: Content::of("employee", body.into_bytes()), updated_at_ms: Some(at_ms), ..rec(id, "") }
}

fn intake(of: (&str, &str), id: &str, records: Vec<RecordWrite>) -> Intake {
    Intake {
        tenant: tenant(of.0),
        connection: connection(of.1),
        plugin: renmen_store::PluginRef { name: "p".into(), version: "1".into(), digest: "sha256:1".into() },
        delivery: Some(DeliveryWrite {
            identity: *blake3::hash(id.as_bytes()).as_bytes(),
            delivery_id: Some(id.into()),
            repeats_after_ms: None,
            received_at_ms: 1_000,
        }),
        pages: vec![IntakePage {
            stream: StreamName::new("users").unwrap(),
            records,
            quarantine: Vec::new(),
            exchanges: vec![exchange(0)],
        }],
        refreshes: Vec::new(),
        done: Vec::new(),
        held: Vec::new(),
        clock_ms: 900,
        now_ms: 1_000,
    }
}

async fn all_at_once(store: &Arc<dyn Store>, intakes: Vec<Intake>) -> Vec<Result<Taken, StoreError>> {
    join_all(intakes.into_iter().map(|intake| store.take_in(intake))).await
}

/// What stands in the store of these tenants, but for ids and the order in which they came.
async fn contents(store: &Arc<dyn Store>, tenants: &[&str]) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for name in tenants {
        let tenant = tenant(name);
        let query = renmen_store::RecordQuery { include_deleted: true, limit: 1_000, ..Default::default() };
        for row in store.records(&tenant, &query).await.unwrap().items {
            let what = (
                String::from_utf8(row.body).unwrap(),
                row.deleted,
                row.source_updated_at_ms,
                row.origin.exchange.is_some(),
            );
            told.insert(format!("{name} {} {}", row.connection, row.external_id), format!("{what:?}"));
        }
        told.insert(format!("{name} counts"), format!("{:?}", store.counts(&tenant).await.unwrap()));
        told.insert(format!("{name} disk"), format!("{:?}", store.disk_use(&tenant).await.unwrap()));
        let mut runs = store.runs(&tenant, None, 100).await.unwrap();
        runs.sort_by(|a, b| a.connection.cmp(&b.connection));
        let runs: Vec<_> = runs
            .into_iter()
            .map(|run| (run.connection, run.trigger, run.state, run.pages, run.records, run.outcome, run.ended_at_ms))
            .collect();
        told.insert(format!("{name} runs"), format!("{runs:?}"));
        let mut inbox = store.inbox(&tenant, None, None, 1_000).await.unwrap();
        inbox.sort_by(|a, b| a.delivery_id.cmp(&b.delivery_id));
        let inbox: Vec<_> = inbox
            .into_iter()
            .map(|row| (row.connection, row.delivery_id, row.records, row.changes, row.refreshes, row.repeats))
            .collect();
        told.insert(format!("{name} inbox"), format!("{inbox:?}"));
        told.insert(format!("{name} keys"), format!("{:?}", store.unresolved_keys(&tenant).await.unwrap()));
        told.insert(format!("{name} head"), store.watch(&tenant).borrow().to_string());
    }
    told
}

/// Deliveries whose end does not depend on their order: records of their own, or states that carry the vendor's time.
fn deliveries() -> Vec<Intake> {
    let mut all = Vec::new();
    for (at, of) in
        [("acme", "people"), ("globex", "people"), ("acme", "other")].into_iter().cycle().take(60).enumerate()
    {
        let id = format!("d{at}");
        let own = employee(&format!("own{at}"), &format!("E{at}"), 10);
        let twice = employee(&format!("own{at}"), &format!("F{at}"), 10);
        let mut one = intake(of, &id, vec![own, twice, employee(&format!("more{at}"), "", 10)]);
        if at % 7 == 0 {
            one.refreshes = vec![RefreshAsk { stream: StreamName::new("units").unwrap(), external_id: Some(id) }];
        }
        if at % 10 == 9 {
            one.pages.clear();
        }
        all.push(one);
    }
    all
}

on_both! {
    async fn a_group_writes_what_each_would_write_alone(bed: &Bed) {
        let folder = tempfile::tempdir().unwrap();
        let alone = StoreOptions::at(format!("sqlite:{}", folder.path().join("alone.db").display()));
        let alone = open(alone).await.unwrap();
        for delivery in deliveries() {
            alone.take_in(delivery).await.unwrap();
        }
        let taken = all_at_once(&bed.store, deliveries()).await;
        assert!(taken.iter().all(|taken| taken.as_ref().is_ok_and(|taken| !taken.repeated)));
        let (one, other) = (contents(&alone, &["acme", "globex"]).await, contents(&bed.store, &["acme", "globex"]).await);
        assert_eq!(one, other);
        // Again: all of it is known.
        let again = all_at_once(&bed.store, deliveries()).await;
        assert!(again.iter().all(|taken| taken.as_ref().is_ok_and(|taken| taken.repeated)));
    }

    async fn of_equal_deliveries_at_once_one_counts(bed: &Bed) {
        let equal = || intake(("acme", "people"), "same", vec![employee("a", "E1", 10)]);
        let taken = all_at_once(&bed.store, (0..9).map(|_| equal()).collect()).await;
        let new = taken.iter().filter(|taken| taken.as_ref().is_ok_and(|taken| !taken.repeated)).count();
        assert_eq!((taken.iter().filter(|taken| taken.is_ok()).count(), new), (9, 1));
        assert_eq!(bed.store.inbox(&tenant("acme"), None, None, 10).await.unwrap()[0].repeats, 8);
        assert_eq!(bed.store.changes(&tenant("acme"), 0, None, 10).await.unwrap().len(), 1);
    }

    async fn states_of_one_record_that_come_at_once_leave_the_newest(bed: &Bed) {
        let states = (0..40_i64).map(|at| {
            let at_ms = (at * 17) % 40 + 100;
            intake(("acme", "people"), &format!("s{at}"), vec![employee("a", &format!("E{at_ms}"), at_ms)])
        });
        let taken = all_at_once(&bed.store, states.collect()).await;
        assert!(taken.iter().all(Result::is_ok));
        let changes = bed.store.changes(&tenant("acme"), 0, None, 100).await.unwrap();
        let row = bed.store.record(&tenant("acme"), changes[0].id).await.unwrap().unwrap();
        assert_eq!((row.source_updated_at_ms, row.revision), (Some(139), changes.len() as i64));
        assert_eq!(changes.iter().map(|change| change.revision).collect::<Vec<_>>(), (1..=row.revision).collect::<Vec<_>>());
        // The keys of the states between are gone with them.
        let revisions = bed.store.revisions(&tenant("acme"), row.id, 100).await.unwrap();
        for revision in revisions {
            let number = serde_json::from_slice::<serde_json::Value>(&revision.body).unwrap()["number"].clone();
            let key = renmen_schema::WantedKey {
                entity: renmen_schema::EntityKind::Employee,
                scheme: "employee_number",
                value: number.as_str().unwrap().to_owned(),
                connection: None,
            };
            let found = bed.store.keyed(&tenant("acme"), &key, None).await.unwrap();
            let wanted = revision.revision == row.revision;
            assert_eq!(matches!(found, renmen_store::Keyed::One(_)), wanted, "{number}: {found:?}");
        }
    }

    async fn one_that_is_refused_takes_no_other_with_it(bed: &Bed) {
        let quota = Quota { records_bytes_max: 10, ..Quota::UNLIMITED };
        bed.store.set_quota(&tenant("acme"), &connection("full"), quota);
        let deliveries = (0..30).map(|at| {
            let of = if at % 5 == 0 { ("acme", "full") } else { ("acme", "people") };
            intake(of, &format!("d{at}"), vec![employee(&format!("e{at}"), "E", 10)])
        });
        let taken = all_at_once(&bed.store, deliveries.collect()).await;
        for (at, taken) in taken.iter().enumerate() {
            match taken {
                Err(StoreError::Quota { limit, .. }) => assert_eq!((*limit, at % 5), ("records_bytes_max", 0)),
                Ok(taken) => assert!(taken.outcome.created == 1 && at % 5 != 0, "{at}: {taken:?}"),
                Err(error) => panic!("{at}: {error}"),
            }
        }
        assert_eq!(bed.store.inbox(&tenant("acme"), None, None, 100).await.unwrap().len(), 24);
        let changes = bed.store.changes(&tenant("acme"), 0, None, 100).await.unwrap();
        assert_eq!(changes.iter().map(|change| change.seq).collect::<Vec<_>>(), (1..=24).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_one_delivery_is_a_group_too() {
    for make in [true, false] {
        let bed = if make { Some(Bed::sqlite().await) } else { Bed::postgres().await };
        let Some(mut bed) = bed else { return };
        bed.options.intake_group = 1;
        let bed = bed.reopened("", "SELECT 1").await;
        let taken = all_at_once(&bed.store, deliveries()).await;
        assert!(taken.iter().all(Result::is_ok));
        // Repeats wait for the group after the one that they repeat.
        let equal = (0..20).map(|at| intake(("acme", "people"), &format!("same{}", at % 4), Vec::new()));
        let taken = all_at_once(&bed.store, equal.collect()).await;
        let new = taken.iter().filter(|taken| taken.as_ref().is_ok_and(|taken| !taken.repeated)).count();
        assert_eq!((taken.iter().filter(|taken| taken.is_ok()).count(), new), (20, 4));
        bed.end().await;
    }
}
