//! Rows follow records through everything that happens to them, and say the same as rows that are made from scratch.

use std::time::Duration;

use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renmen_schema::EntityKind as Kind;
use renmen_store::insight::{Ask, Need};
use renmen_store::{StoreError, StoreOptions, open, open_read_only};
use serde_json::json;
use tokio::sync::mpsc;

use super::world::{Got, World, ask, rows_of};
use crate::bed::{Bed, on_both};

const ALL: [Need; 11] = [
    Need::People,
    Need::Applications,
    Need::Steps,
    Need::Interviews,
    Need::Employments,
    Need::Reviews,
    Need::Metrics,
    Need::Results,
    Need::Scores,
    Need::Answers,
    Need::Offers,
];

/// Every row, in an order of its own, with names.
fn shown(got: &Got) -> Vec<String> {
    let mut all = Vec::new();
    for rows in &got.rows {
        match rows {
            renmen_store::insight::Rows::Metrics(rows) => {
                all.extend(
                    rows.iter().map(|row| {
                        format!("{} {row:?}", got.name(row.code)).replace(&format!("code: {},", row.code), "")
                    }),
                );
            }
            renmen_store::insight::Rows::Employments(rows) => all.extend(rows.iter().map(|row| format!("{row:?}"))),
            renmen_store::insight::Rows::People(rows) => all.extend(rows.iter().map(|row| format!("{row:?}"))),
            other => all.push(format!("{other:?}")),
        }
    }
    all.sort();
    all
}

const FORGOTTEN: &str = "UPDATE insight_made SET version = 0";

on_both! {
    async fn until_rows_are_made_nothing_is_answered(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("hr", Kind::Employee, "e1", json!({ "person": {} })).await;
        let refused = world.stream(&ask(&[Need::People]), None).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("has not made all yet")), "{refused}");
        world.make().await;
        assert_eq!(world.stream(&ask(&[Need::People]), None).await.unwrap().read.rows, 1);
        // What comes after is told, and is there once it was followed.
        world.put("hr", Kind::Employee, "e2", json!({ "person": {} })).await;
        let read = world.stream(&ask(&[Need::People]), None).await.unwrap().read;
        assert_eq!((read.rows, read.behind), (1, 1));
        world.make().await;
        let read = world.stream(&ask(&[Need::People]), None).await.unwrap().read;
        assert_eq!((read.rows, read.behind), (2, 0));
        // A tenant of which nothing is known has no rows.
        let nobody = World::named(&bed.store, "nobody");
        nobody.make().await;
        assert_eq!(nobody.stream(&ask(&ALL), None).await.unwrap().read.rows, 0);
    }

    async fn rows_of_another_tenant_are_never_among_ours(bed: &Bed) {
        let (mut ours, mut theirs) = (World::of(bed), World::named(&bed.store, "globex"));
        ours.put("hr", Kind::Employee, "e1", json!({ "person": {}, "number": "E1" })).await;
        theirs.put("hr", Kind::Employee, "e1", json!({ "person": {}, "number": "E2" })).await;
        let id = ours.id("hr", Kind::Employee, "e1").await;
        let metric = |of| json!({
            "metric": { "code": "sales", "name": { "en": "Sales" }, "objective": true }, "employee": of,
            "period": { "start": "2025-01-01", "end": "2025-03-31" }, "value": "1",
        });
        for (name, of) in [("1", json!({ "key": { "scheme": "employee_number", "value": "E1" } })), ("2", json!({ "id": id }))] {
            theirs.put("pms", Kind::PerformanceMetric, name, metric(of)).await;
        }
        let got = theirs.got(&[Need::People, Need::Metrics]).await;
        assert_eq!((rows_of!(got, People).len(), got.read.unresolved), (1, 2), "neither by key nor by id");
        assert_eq!(theirs.store.insight_key(&theirs.tenant, id).await.unwrap(), None);
        let key = ours.key("hr", Kind::Employee, "e1").await;
        assert_eq!(theirs.store.insight_ids(&theirs.tenant, &[key]).await.unwrap(), [None]);
    }

    async fn a_body_that_cannot_be_read_gives_no_row_and_is_counted(bed: &Bed) {
        let mut world = World::of(bed);
        let metric = r#"{"metric":{"code":"sales","name":{"en":"x"},"objective":true},"position":{"external":{"value":"p"}},"period":{"start":"2025-01-01","end":"2025-03-31"},"value":"1"}"#;
        world.put_raw("pms", Kind::PerformanceMetric, "good", metric).await;
        for (id, bad) in [
            ("date", metric.replace("2025-03-31", "2025-02-31")),
            ("value", metric.replace(r#""1""#, "1.5")),
            ("absent", metric.replace(r#""period":{"start":"2025-01-01","end":"2025-03-31"},"#, "")),
            ("no json", "{".to_owned()),
        ] {
            world.put_raw("pms", Kind::PerformanceMetric, id, &bad).await;
        }
        let got = world.got(&[Need::Metrics]).await;
        assert_eq!((got.read.rows, got.read.unreadable), (1, 4));
        world.put_raw("pms", Kind::PerformanceMetric, "date", metric).await;
        world.gone("pms", Kind::PerformanceMetric, "value").await;
        let got = world.got(&[Need::Metrics]).await;
        assert_eq!((got.read.rows, got.read.unreadable), (2, 2));
    }

    async fn more_than_may_be_held_is_an_error_and_one_less_is_not(bed: &Bed) {
        let mut world = World::of(bed);
        for id in ["c1", "c2", "c3"] {
            world.put("ats", Kind::Candidate, id, json!({ "person": {} })).await;
        }
        world.make().await;
        let with = |entries_max| Ask { entries_max, ..ask(&[Need::People]) };
        assert_eq!(world.stream(&with(3), None).await.unwrap().read.rows, 3);
        let refused = world.stream(&with(2), None).await.unwrap_err();
        assert!(matches!(&refused, StoreError::BadInput(why) if why.contains("more than 2 records")), "{refused}");
    }

    async fn whoever_stops_listening_ends_the_reading(bed: &Bed) {
        let mut world = World::of(bed);
        for id in 0..3 {
            world.put("ats", Kind::Candidate, &id.to_string(), json!({ "person": {} })).await;
        }
        world.make().await;
        let (to, batches) = mpsc::channel(1);
        drop(batches);
        let read = world.store.insight_rows(&world.tenant, &ask(&[Need::People, Need::Applications]), to).await;
        assert!(read.is_ok(), "{read:?}");
        // One who takes nothing and goes away leaves the connection to others.
        for _ in 0..8 {
            let (to, batches) = mpsc::channel(1);
            let waiting = tokio::time::timeout(Duration::from_millis(1), async {
                let read = world.store.insight_rows(&world.tenant, &ask(&[Need::People]), to).await;
                std::future::pending::<()>().await;
                read
            });
            assert!(waiting.await.is_err());
            drop(batches);
        }
        assert_eq!(world.stream(&ask(&[Need::People]), None).await.unwrap().read.rows, 3);
    }

    async fn what_rows_say_is_what_rows_made_anew_say_whatever_happened(bed: &Bed) {
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        for case in 0..12 {
            let steps = proptest::collection::vec(step(), 1..24).new_tree(&mut runner).unwrap().current();
            play(bed, &format!("case{case}"), &steps).await;
        }
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// An employee with a number, in one of two connections; none: it is gone.
    Employee(bool, u8, Option<u8>),
    /// A metric of an employee, by id, external id or number; none: it is gone.
    Metric(u8, Option<(u8, u8)>),
    /// A review that is settled, or not.
    Review(u8, bool),
    /// So many records are followed.
    Follow(u32),
    /// Two gateways follow at a time.
    Both,
    /// One is stopped in the middle.
    Stopped,
    /// Rows are made from scratch by another release.
    Anew,
    /// Two employees of one number are found to be one person.
    Joined(u8),
}

fn step() -> impl Strategy<Value = Step> {
    (0..11_u8, 0..3_u8, 0..3_u8, 0..3_u8, any::<bool>()).prop_map(|(kind, a, b, c, flag)| match kind {
        0..=2 => Step::Employee(flag, a, (b > 0).then_some(c)),
        3..=5 => Step::Metric(a, (b > 0 || flag).then_some((b, c))),
        6 => Step::Review(a, flag),
        7 => Step::Follow(u32::from(a) + 1),
        8 => {
            if flag {
                Step::Both
            } else {
                Step::Stopped
            }
        }
        9 => Step::Anew,
        _ => Step::Joined(a),
    })
}

async fn play(bed: &Bed, tenant: &str, steps: &[Step]) {
    let mut world = World::named(&bed.store, tenant);
    let mut joined = std::collections::BTreeSet::new();
    for step in steps {
        match step {
            Step::Employee(second, id, Some(number)) => {
                let work = json!({ "start_date": format!("2024-0{}-01", number + 1) });
                let body = json!({ "person": {}, "number": format!("E{number}"), "work": work });
                world.put(if *second { "two" } else { "one" }, Kind::Employee, &id.to_string(), body).await;
            }
            Step::Employee(second, id, None) => {
                world.gone(if *second { "two" } else { "one" }, Kind::Employee, &id.to_string()).await;
            }
            Step::Metric(id, None) => world.gone("one", Kind::PerformanceMetric, &id.to_string()).await,
            Step::Metric(id, Some((by, of))) => {
                let employee = match by {
                    0 => json!({ "external": { "value": of.to_string() } }),
                    1 => json!({ "external": { "value": of.to_string(), "connection": "two" } }),
                    _ => json!({ "key": { "scheme": "employee_number", "value": format!("E{of}") } }),
                };
                let body = json!({
                    "metric": { "code": format!("m{by}"), "name": { "en": "x" }, "objective": true }, "employee": employee,
                    "period": { "start": "2025-01-01", "end": "2025-03-31" }, "value": of.to_string(),
                });
                world.put("one", Kind::PerformanceMetric, &id.to_string(), body).await;
            }
            Step::Review(id, settled) => {
                let body = json!({
                    "cycle": { "kind": { "code": "ANNUAL" } }, "reviewee": { "external": { "value": id.to_string() } },
                    "rating": { "value": "3", "min": "1", "max": "5", "scale": "STARS" }, "calibrated": settled,
                });
                world.put("one", Kind::PerformanceReview, &id.to_string(), body).await;
            }
            Step::Follow(records) => drop(world.store.make_insight_rows(&world.tenant, *records).await.unwrap()),
            Step::Both => {
                let make = || world.store.make_insight_rows(&world.tenant, 2);
                let (one, other) = tokio::join!(make(), make());
                one.unwrap();
                other.unwrap();
            }
            Step::Stopped => {
                let make = world.store.make_insight_rows(&world.tenant, 2);
                let _ = tokio::time::timeout(Duration::from_micros(300), make).await;
            }
            Step::Anew => bed.beside(&format!("{FORGOTTEN} WHERE tenant = '{tenant}'")).await,
            Step::Joined(id) => {
                let all = crate::puller::drain_of(&world.store, &world.tenant).await;
                let of = |connection: &str| {
                    all.iter().find(|row| {
                        row.entity == "employee"
                            && row.connection.as_str() == connection
                            && row.external_id == id.to_string()
                    })
                };
                if let (Some(one), Some(two)) = (of("one"), of("two"))
                    && joined.insert(*id)
                {
                    let key = async |id| world.store.insight_key(&world.tenant, id).await.unwrap().unwrap();
                    let (one, two) = (key(one.id).await, key(two.id).await);
                    world.link(bed, one.min(two), one).await;
                    world.link(bed, one.min(two), two).await;
                }
            }
        }
    }
    let needs = [Need::People, Need::Employments, Need::Metrics, Need::Reviews];
    let followed = world.got(&needs).await;
    bed.beside(&format!("{FORGOTTEN} WHERE tenant = '{tenant}'")).await;
    let anew = world.got(&needs).await;
    assert_eq!(shown(&followed), shown(&anew), "{steps:?}");
    assert_eq!(followed.read, anew.read, "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_takes_too_long_is_given_up_and_a_store_for_reading_makes_nothing() {
    let bed = Bed::sqlite().await;
    let mut world = World::of(&bed);
    world.put("ats", Kind::Candidate, "c1", json!({ "person": {} })).await;
    world.make().await;
    let beside = open_read_only(bed.options.clone()).await.unwrap();
    let reading = World::named(&beside, "acme");
    assert_eq!(reading.stream(&ask(&[Need::People]), None).await.unwrap().read.rows, 1);
    world.put("ats", Kind::Candidate, "c2", json!({ "person": {} })).await;
    assert!(matches!(beside.make_insight_rows(&world.tenant, 10).await, Err(StoreError::Busy(_))));
    assert_eq!(reading.stream(&ask(&[Need::People]), None).await.unwrap().read.behind, 1);
    drop((reading, beside));

    let application = json!({
        "candidate": { "external": { "value": "c1" } }, "job": { "external": { "value": "j1" } }, "status": { "code": "ACTIVE" },
    });
    world.put("ats", Kind::Application, "a1", application).await;
    world.make().await;
    let hurried = open_read_only(StoreOptions { insight_timeout_ms: 50, ..bed.options.clone() }).await.unwrap();
    let (to, batches) = mpsc::channel(1);
    // The channel holds one batch and it is not taken: that of the second stream has no place.
    let asked = ask(&[Need::People, Need::Applications]);
    let refused = hurried.insight_rows(&world.tenant, &asked, to).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("longer than 50 ms")), "{refused}");
    drop(batches);
    let got = World::named(&hurried, "acme").stream(&asked, None).await.unwrap();
    assert_eq!(got.read.rows, 3, "two candidates and an application");
    let refused = open(StoreOptions { insight_timeout_ms: 0, ..StoreOptions::at("sqlite:unused.db") }).await;
    assert!(matches!(refused, Err(StoreError::BadInput(_))));
}
