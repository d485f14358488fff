//! Two gateways on one database: one works, another goes on when it ends, and decisions are taken in by either.

use std::time::Duration;

use renmen_people::{Act, PeopleOptions};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::bed::Bed;
use crate::world::{Rec, World, ask, everyone, set, tenant};

fn employee(number: usize) -> [Rec; 2] {
    let says = json!({ "number": format!("E{number}") });
    let id = number.to_string();
    [Rec::employee("hr", &id, "王伟", says.clone()), Rec::employee("chat", &id, "王伟", says)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_works_and_another_goes_on() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut world = World::of(&bed.store);
    let second = World::of(&bed.second().await);
    let options = |gateway: &str| PeopleOptions { gateway: gateway.to_owned(), ..PeopleOptions::default() };
    let ((one, one_works), (other, other_works)) = (world.people(options("one")), second.people(options("other")));
    world.put(&employee(1)).await;
    one_works.turn().await.unwrap();
    other_works.turn().await.unwrap();
    assert_eq!(everyone(&world, &one).await, [set(&["hr/1", "chat/1"])].into());
    let shown = other.progress(&tenant()).unwrap();
    assert_eq!(shown.holder.unwrap().gateway.as_deref(), Some("one"), "the other one sees who works");
    assert_eq!((shown.linked, shown.behind_since_ms), (1, None));

    world.put(&employee(2)).await;
    other_works.turn().await.unwrap();
    assert_eq!(everyone(&world, &other).await.len(), 1, "it leaves the work to the one that does it");
    // A decision is taken in and settled by whichever gateway is asked.
    let (hr, chat) = (second.employee("hr", "1").await, second.employee("chat", "1").await);
    assert!(other.decide(&tenant(), &ask(Act::Split, &[chat])).await.unwrap().in_force);
    assert_eq!(one.get(&tenant(), hr).await.unwrap().unwrap().person.sources.len(), 1);

    // The first one stands still: the other goes on after it saw no sign of life.
    second.clock.pass(Duration::from_secs(60));
    other_works.turn().await.unwrap();
    let found = everyone(&second, &other).await;
    assert_eq!(found, [set(&["hr/1"]), set(&["chat/1"]), set(&["hr/2", "chat/2"])].into());
    one_works.turn().await.unwrap();
    assert_eq!(one.progress(&tenant()).unwrap().holder.unwrap().gateway.as_deref(), Some("other"));
    drop((one, one_works, other, other_works, second));
    bed.end().await;
}

/// Both work at the same time, as when one was asleep and does not know yet that it lost its seat: what each writes is fenced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_work_at_once_find_what_one_finds() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut world = World::of(&bed.store);
    let second = World::of(&bed.second().await);
    for number in 0..40 {
        world.put(&employee(number)).await;
    }
    let small = || PeopleOptions { batch: 3, ..PeopleOptions::default() };
    let ((people, one), (_, other)) = (world.people(small()), second.people(small()));
    let (first, then) = tokio::join!(one.catch_up(), other.catch_up());
    first.unwrap();
    then.unwrap();
    assert_eq!(everyone(&world, &people).await.len(), 40);
    for number in 0..40 {
        let says = json!({ "number": format!("E{}", number / 2) });
        world.put(&[Rec::employee("hr", &number.to_string(), "王伟", says)]).await;
    }
    let (first, then) = tokio::join!(one.catch_up(), other.catch_up());
    first.unwrap();
    then.unwrap();
    let counts = bed.store.identity_counts(&tenant()).await.unwrap();
    assert_eq!(counts.pending, 0);
    let found = everyone(&world, &people).await;
    let calm = {
        let other = Bed::sqlite().await;
        let mut calm = World::of(&other.store);
        for number in 0..40 {
            let says = json!({ "number": format!("E{}", number / 2) });
            let chat = employee(number)[1].clone();
            calm.put(&[Rec::employee("hr", &number.to_string(), "王伟", says), chat]).await;
        }
        let people = calm.settled(PeopleOptions::default()).await;
        let found = everyone(&calm, &people).await;
        other.end().await;
        found
    };
    assert_eq!(found, calm);
    drop((people, one, other, second));
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_until_it_is_cancelled_and_a_changed_record_is_linked_meanwhile() {
    let bed = Bed::sqlite().await;
    let mut world = World::of(&bed.store);
    let clock = std::sync::Arc::new(renmen_people::SystemClock);
    let (people, work) =
        renmen_people::People::open(std::sync::Arc::clone(&bed.store), clock, &[tenant()], PeopleOptions::default());
    let cancel = CancellationToken::new();
    let running = tokio::spawn(work.run(cancel.clone()));
    world.put(&employee(1)).await;
    let wanted = [set(&["hr/1", "chat/1"])].into();
    let linked = async {
        while everyone(&world, &people).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), linked).await.unwrap();
    cancel.cancel();
    running.await.unwrap();
    let seat = bed.store.lease(&tenant(), "identity").await.unwrap().unwrap();
    assert_eq!(seat.holder, None, "another need not wait");
    drop(people);
    bed.end().await;
}
