//! Rows go along: into a copy of the store, to another database with their tenant, and into a store that was of an earlier release.

use renmen_schema::EntityKind as Kind;
use renmen_store::insight::Need;
use renmen_store::{StoreOptions, copy_store, open, tenant_moved};
use serde_json::json;

use super::world::{World, ask, rows_of};
use crate::bed::{Bed, Database};
use crate::moving::{Cell, export, forget, import};
use crate::older::{POSTGRES_17, SQLITE_17};
use crate::puller::tenant;

async fn fill(world: &mut World) {
    world.put("ats", Kind::Candidate, "c1", json!({ "person": {} })).await;
    let application = json!({
        "candidate": { "external": { "value": "c1" } }, "job": { "external": { "value": "j1" } }, "status": { "code": "ACTIVE" },
    });
    world.put("ats", Kind::Application, "a1", application).await;
}

async fn check(world: &World) {
    let got = world.stream(&ask(&[Need::Applications]), None).await.unwrap();
    let rows = rows_of!(got, Applications);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].person, Some(world.key("ats", Kind::Candidate, "c1").await));
    assert_eq!(got.read.behind, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_store_has_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| StoreOptions::at(format!("sqlite:{}", folder.path().join(name).display()));
    let store = open(at("from.db")).await.unwrap();
    let mut world = World::named(&store, "acme");
    fill(&mut world).await;
    world.make().await;
    drop((world, store));
    copy_store(at("from.db"), at("to.db"), &|_| ()).await.unwrap();
    check(&World::named(&open(at("to.db")).await.unwrap(), "acme")).await;
    if let Some(database) = Database::empty().await {
        copy_store(at("from.db"), StoreOptions::at(&database.url), &|_| ()).await.unwrap();
        check(&World::named(&open(StoreOptions::at(&database.url)).await.unwrap(), "acme")).await;
        database.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_moves_takes_its_rows_along_and_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (Cell::sqlite(folder.path(), 0), Cell::sqlite(folder.path(), 1));
    let file = folder.path().join("acme.rnt");
    {
        let store = from.open().await;
        let mut world = World::named(&store, "acme");
        fill(&mut world).await;
        world.make().await;
        let mut other = World::named(&store, "globex");
        fill(&mut other).await;
        other.make().await;
    }
    export(&from, &file).await.unwrap();
    import(&to, &file).await.unwrap();
    {
        let store = to.open().await;
        let mut world = World::named(&store, "acme");
        check(&world).await;
        // And goes on there.
        world.gone("ats", Kind::Candidate, "c1").await;
        let got = world.got(&[Need::Applications]).await;
        assert_eq!(rows_of!(got, Applications)[0].person, None);
    }
    tenant_moved(from.options.clone(), &tenant(), "cell b", 8_000).await.unwrap();
    forget(&from).await.unwrap();
    check(&World::named(&from.open().await, "globex")).await;
}

async fn is_made_anew(bed: Bed) {
    let mut world = World::of(&bed);
    fill(&mut world).await;
    drop(world);
    let bed = bed.reopened(SQLITE_17, POSTGRES_17).await;
    let world = World::of(&bed);
    assert!(world.stream(&ask(&[Need::Applications]), None).await.is_err());
    world.make().await;
    check(&world).await;
    drop(world);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_file_gets_its_rows_when_it_is_brought_up() {
    is_made_anew(Bed::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_gets_its_rows_when_it_is_brought_up() {
    if let Some(bed) = Bed::postgres().await {
        is_made_anew(bed).await;
    }
}
