//! A tenant that moves to another database, and a store that is copied, take their persons along: nothing is looked at again, and the work goes
//! on where it was.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use renmen_people::{Act, PeopleOptions};
use renmen_store::{Store, StoreOptions, copy_store, export_tenant, forget_tenant, import_tenant, open, tenant_moved};
use serde_json::json;

use crate::world::{Rec, World, ask, everyone, portrait, set, tenant};

async fn filled(store: &Arc<dyn Store>) -> World {
    let mut world = World::of(store);
    for connection in ["hr", "chat"] {
        world.put(&[Rec::employee(connection, "1", "王伟", json!({ "number": "E1" }))]).await;
    }
    world.put(&[Rec::employee("payroll", "1", "Kevin", json!({}))]).await;
    let people = world.settled(PeopleOptions::default()).await;
    let (chat, payroll) = (world.employee("chat", "1").await, world.employee("payroll", "1").await);
    people.decide(&tenant(), &ask(Act::Link, &[chat, payroll])).await.unwrap();
    world
}

async fn check(world: &mut World, connection: &'static str) {
    let (people, _) = world.people(PeopleOptions::default());
    assert_eq!(everyone(world, &people).await, [set(&["hr/1", "chat/1", "payroll/1"])].into(), "at once");
    let passed = world.store.identity_stand(&tenant()).await.unwrap().unwrap().passed_ms;
    // The key for digests came along: a new record meets those that were there.
    world.put(&[Rec::employee(connection, "2", "王伟", json!({ "number": "E1" }))]).await;
    world.clock.advance(1_000);
    let people = world.settled(PeopleOptions::default()).await;
    let stand = world.store.identity_stand(&tenant()).await.unwrap().unwrap();
    assert_eq!(stand.passed_ms, passed, "no pass was needed");
    let new = world.employee(connection, "2").await;
    assert_eq!(portrait(&people, new).await.person.sources.len(), 4);
    assert_eq!(people.decisions(&tenant(), None, 10).await.unwrap().items.len(), 1);
}

fn cell(folder: &Path, number: u8) -> StoreOptions {
    let url = format!("sqlite:{}", folder.join(format!("cell{number}.db")).display());
    StoreOptions { cell: Some(number), ..StoreOptions::at(url) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_moves_takes_its_persons_along() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (cell(folder.path(), 0), cell(folder.path(), 1));
    drop(open(to.clone()).await.unwrap());
    drop(filled(&open(from.clone()).await.unwrap()).await);
    let file = folder.path().join("acme.tenant");
    export_tenant(from.clone(), &tenant(), &file, (5_000, Duration::from_millis(200)), &|_| ()).await.unwrap();

    // While it leaves nothing is written for it.
    let left = open(from.clone()).await.unwrap();
    let world = World::of(&left);
    let (people, work) = world.people(PeopleOptions::default());
    let hr = world.employee("hr", "1").await;
    let payroll = world.employee("payroll", "1").await;
    assert!(people.decide(&tenant(), &ask(Act::Link, &[hr, payroll])).await.is_err());
    assert!(people.undo(&tenant(), 1, "Li Na", "no").await.is_err());
    assert!(work.catch_up().await.is_err());
    drop((people, work, world, left));

    import_tenant(to.clone(), &file, 6_000, &|_| ()).await.unwrap();
    let arrived = open(to).await.unwrap();
    check(&mut World::of(&arrived), "sales").await;

    tenant_moved(from.clone(), &tenant(), "cell1", 7_000).await.unwrap();
    let deleted = forget_tenant(from.clone(), &tenant(), &|_| ()).await.unwrap();
    for table in ["identity_member", "identity_fact", "identity_key", "identity_decision", "identity_state"] {
        assert!(deleted.iter().any(|one| one.name == table && one.rows > 0), "{table}: {deleted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_copied_takes_persons_along() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (cell(folder.path(), 0), cell(folder.path(), 1));
    drop(filled(&open(from.clone()).await.unwrap()).await);
    let to = StoreOptions { cell: None, ..to };
    copy_store(from, to.clone(), &|_| ()).await.unwrap();
    let copied = open(to).await.unwrap();
    check(&mut World::of(&copied), "sales").await;
}
