//! A flow may send what belongs to a record: all of it that counts, as it is now, and never a part of it in silence. And what it sends
//! about one thing may keep its order across records.

use std::sync::Arc;

use renmen_flow::{DestinationEntry, Evaluation, Failure, Fields, FlowOptions};
use renmen_schema::FailureKind;
use renmen_schema::id::StreamName;
use renmen_store::outbox::DeliveryState;
use renmen_store::{AuthoredCommit, Follow, LINKS_STREAM, LinkWrite, Parent, RecordQuery, RecordRow, StreamKey};
use serde_json::{Value, json};

use crate::world::{Desk, World, name, place, taken, tenant};

/// A result goes out with the scores of its interview.
fn flow(change: impl Fn(&mut Value)) -> Value {
    let mut flow = json!({
        "when": { "entity": "interview_result", "connection": "vendor" },
        "fields": ["/overall"],
        "with": {
            "interview": { "ref": "/interview", "fields": ["/started_at"] },
            "scores": { "list": "dimension_score", "of": "interview", "fields": ["/dimension", "/score/value"] },
        },
        "to": { "connection": "hr", "action": "send" },
        "map": {
            "overall": "record.overall.value", "count": "size(scores)", "all": "scores",
            "scores": "scores.map(one, {'title': one.dimension.und, 'value': one.score.value})",
        },
        "patience": "1d",
    });
    change(&mut flow);
    flow
}

async fn world(flow: Value, place: DestinationEntry) -> World {
    let world = World::new(vec![("hr", place)], json!({ "out": flow }), FlowOptions::default()).await;
    world.put_of("interview", "vendor", &[("i1", json!({ "started_at": { "utc": "2026-03-02T01:00:00Z" } }))]).await;
    world
}

fn score(title: &str, value: &str) -> Value {
    json!({ "interview": { "external": { "connection": "vendor", "value": "i1" } }, "dimension": { "und": title },
            "score": { "value": value, "min": "0", "max": "100" }, "explanation": { "und": "never told" } })
}

fn result(overall: &str) -> Value {
    json!({ "interview": { "external": { "value": "i1" } }, "overall": { "value": overall } })
}

async fn row(world: &World, connection: &str, id: &str) -> RecordRow {
    let query = RecordQuery {
        connection: Some(name(connection)),
        external_id: Some(id.into()),
        limit: 1,
        ..RecordQuery::default()
    };
    world.store.records(&tenant(), &query).await.unwrap().items.remove(0)
}

/// Notes, as the follower of the feed does, that these belong to the interview; and that everything up to now was noted.
async fn link(world: &World, children: &[(&str, &str)]) {
    let stream = StreamName::new(LINKS_STREAM).unwrap();
    let key = StreamKey { tenant: tenant(), connection: name("renmen"), stream: stream.clone() };
    let from = world.store.stream_state(&key).await.unwrap().cursor.map_or(0, |text| text.parse().unwrap());
    let mut commit = AuthoredCommit::of(tenant(), stream, 1);
    commit.follow = Some(Follow { from, to: *world.store.watch(&tenant()).borrow() });
    for (connection, id) in children {
        let parent = Parent { connection: name("vendor"), entity: "interview".into(), external_id: "i1".into() };
        commit.links.push(LinkWrite { child: row(world, connection, id).await.id, parents: vec![parent] });
    }
    world.store.author(commit).await.unwrap();
}

fn titles(input: &Value) -> Vec<(&str, &str)> {
    let all = input["scores"].as_array().unwrap().iter();
    all.map(|one| (one["title"].as_str().unwrap(), one["value"].as_str().unwrap())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_has_what_counts_with_its_corrections_and_nothing_of_a_stranger() {
    for (survey_counts, wanted) in [
        (false, vec![("Clarity", "60"), ("Depth", "70")]),
        (true, vec![("Clarity", "60"), ("Depth", "70"), ("Rumour", "1")]),
    ] {
        let desk = Arc::new(Desk::kind());
        let named = flow(|flow| {
            if survey_counts {
                flow["with"]["scores"]["connection"] = json!("survey");
            }
        });
        let world = world(named, place(&desk)).await;
        world
            .put_of("dimension_score", "vendor", &[("s1", score("Clarity", "40")), ("s2", score("Depth", "70"))])
            .await;
        world.put_of("dimension_score", "survey", &[("s3", score("Rumour", "1"))]).await;
        let correct = async |id: &str, of: String, value: &str| {
            let mut body = score("Clarity", value);
            body["adjusts"] = json!({ "id": of });
            world.put_of("dimension_score", "renmen", &[(id, body)]).await;
        };
        let first = row(&world, "vendor", "s1").await.id.to_string();
        correct("correction/s1/1", first.clone(), "50").await;
        // A correction of a correction is one of the first score.
        correct("correction/s1/2", row(&world, "renmen", "correction/s1/1").await.id.to_string(), "60").await;
        // What a stranger calls a correction takes no place.
        let mut forged = score("Forged", "100");
        forged["adjusts"] = json!({ "id": first });
        world.put_of("dimension_score", "forger", &[("f1", forged)]).await;
        world.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
        let all = [
            ("vendor", "s1"),
            ("vendor", "s2"),
            ("survey", "s3"),
            ("renmen", "correction/s1/1"),
            ("renmen", "correction/s1/2"),
            ("forger", "f1"),
        ];
        link(&world, &all).await;
        world.until(DeliveryState::Delivered, 1).await;
        let sent = desk.inputs().remove(0);
        assert_eq!(titles(&sent), wanted);
        assert_eq!(sent["count"], wanted.len());
        assert!(!sent.to_string().contains("never told") && !sent.to_string().contains("max"), "{sent}");
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_that_is_withheld_is_in_no_item_of_a_list() {
    let desk = Arc::new(Desk::kind());
    let withhold = Fields::parse(["/explanation"]).unwrap();
    let whole = flow(|flow| flow["with"]["scores"]["fields"] = json!(["*"]));
    let world = world(whole, DestinationEntry { withhold, ..place(&desk) }).await;
    world.put_of("dimension_score", "vendor", &[("s1", score("Clarity", "40"))]).await;
    world.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
    link(&world, &[("vendor", "s1")]).await;
    world.until(DeliveryState::Delivered, 1).await;
    let sent = desk.inputs().remove(0);
    assert_eq!(sent["all"][0]["score"]["max"], "100", "the rest is there");
    assert!(!sent.to_string().contains("never told"), "{sent}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_again_when_a_field_is_withheld_after_its_delivery_was_made() {
    let refusing = Arc::new(Desk::new(|_| Err(Failure::new(FailureKind::InvalidInput, "not today"))));
    let whole = flow(|flow| flow["with"]["scores"]["fields"] = json!(["*"]));
    let first = world(whole.clone(), place(&refusing)).await;
    first.put_of("dimension_score", "vendor", &[("s1", score("Clarity", "40"))]).await;
    first.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
    link(&first, &[("vendor", "s1")]).await;
    first.until(DeliveryState::Dead, 1).await;
    assert!(refusing.inputs()[0].to_string().contains("never told"), "made before anything was withheld");

    let desk = Arc::new(Desk::kind());
    let withhold = Fields::parse(["/explanation"]).unwrap();
    let places = vec![("hr", DestinationEntry { withhold, ..place(&desk) })];
    let folder = first.kill().await;
    let again = World::over(folder, places, json!({ "out": whole }), FlowOptions::default()).await;
    // By now a person corrected the score.
    let mut correction = score("Clarity", "60");
    correction["adjusts"] = json!({ "id": row(&again, "vendor", "s1").await.id.to_string() });
    again.put_of("dimension_score", "renmen", &[("correction/s1/1", correction)]).await;
    link(&again, &[("renmen", "correction/s1/1")]).await;
    let dead = again.deliveries().await.remove(0).id;
    again.engine.replay(&tenant(), dead).await.unwrap();
    again.until(DeliveryState::Delivered, 1).await;
    let sent = desk.inputs().remove(0);
    assert_eq!(titles(&sent), [("Clarity", "60")], "as it is now");
    assert!(!sent.to_string().contains("never told"), "{sent}");
    again.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_over_the_bound_is_told_and_not_cut() {
    for (most, state) in [(2, DeliveryState::Dead), (3, DeliveryState::Delivered)] {
        let desk = Arc::new(Desk::kind());
        let world = world(flow(|flow| flow["with"]["scores"]["most"] = json!(most)), place(&desk)).await;
        let scores = [("s1", score("A", "1")), ("s2", score("B", "2")), ("s3", score("C", "3"))];
        world.put_of("dimension_score", "vendor", &scores).await;
        world.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
        link(&world, &[("vendor", "s1"), ("vendor", "s2"), ("vendor", "s3")]).await;
        world.until(state, 1).await;
        assert_eq!(desk.inputs().len(), usize::from(most == 3));
        if most == 2 {
            let why = world.deliveries().await.remove(0).error.unwrap();
            assert!(
                why.contains("more than 2 records of dimension_score") && why.contains("with.scores.most"),
                "{why}"
            );
        }
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_waits_for_as_many_as_the_flow_wants() {
    let desk = Arc::new(Desk::kind());
    let world = world(flow(|flow| flow["with"]["scores"]["least"] = json!(1)), place(&desk)).await;
    world.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
    link(&world, &[]).await;
    world.settle().await;
    let waiting = world.deliveries().await.remove(0);
    assert!(waiting.state == DeliveryState::Pending && desk.inputs().is_empty());
    let dry = world.engine.dry_run(&tenant(), "out", 1).await.unwrap();
    assert!(
        matches!(&dry[0].evaluation, Evaluation::Wait(why, _) if why.english().contains("0 of 1 records of dimension_score"))
    );
    world.put_of("dimension_score", "vendor", &[("s1", score("Clarity", "40"))]).await;
    link(&world, &[("vendor", "s1")]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(titles(&desk.inputs()[0]), [("Clarity", "40")]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_waited_for_goes_out_as_it_is_when_its_time_is_over() {
    let desk = Arc::new(Desk::kind());
    let waits = flow(|flow| {
        flow["with"]["scores"]["least"] = json!(2);
        flow["with"]["scores"]["wait"] = json!("10m");
        flow["backoff"] = json!({ "base": "1s", "max": "1m" });
    });
    let world = world(waits, place(&desk)).await;
    world.put_of("dimension_score", "vendor", &[("s1", score("Clarity", "40"))]).await;
    world.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
    link(&world, &[("vendor", "s1")]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert!(desk.at_ms.lock()[0] >= crate::world::BEGIN_MS + 600_000, "not before");
    assert_eq!(titles(&desk.inputs()[0]), [("Clarity", "40")], "what there is");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_is_read_only_once_it_is_known_what_belongs_to_it() {
    let desk = Arc::new(Desk::kind());
    let world = world(flow(|_| {}), place(&desk)).await;
    world.put_of("dimension_score", "vendor", &[("s1", score("Clarity", "40"))]).await;
    world.put_of("interview_result", "vendor", &[("r1", result("80"))]).await;
    world.settle().await;
    assert!(world.deliveries().await.is_empty(), "it is not recorded yet what belongs to what");
    link(&world, &[("vendor", "s1")]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(titles(&desk.inputs()[0]), [("Clarity", "40")]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn deliveries_about_one_thing_keep_their_order_across_records_where_the_flow_says_so() {
    for (sequence, wanted) in [(None, ["2", "1"]), (Some("/interview"), ["1", "2"])] {
        let desk = Arc::new(Desk::new(|push| match String::from_utf8_lossy(&push.input).contains("\"1\"") {
            true if push.attempt < 3 => Err(Failure::new(FailureKind::Internal, "not yet")),
            _ => Ok(taken("v")),
        }));
        let plain = json!({
            "when": { "entity": "interview_result" }, "fields": ["/overall"], "sequence": sequence,
            "to": { "connection": "hr", "action": "send" }, "map": { "overall": "record.overall.value" },
        });
        let world = world(plain, place(&desk)).await;
        // The same interview by another reference, which also holds our own id.
        let mut second = result("2");
        second["interview"]["id"] = json!(row(&world, "vendor", "i1").await.id.to_string());
        world.put_of("interview_result", "vendor", &[("r1", result("1")), ("r2", second)]).await;
        world.until(DeliveryState::Delivered, 2).await;
        let mut last: Vec<Value> = Vec::new();
        for input in desk.inputs() {
            last.retain(|known| *known != input["overall"]);
            last.push(input["overall"].clone());
        }
        assert_eq!(last, wanted, "{sequence:?}");
        world.end().await;
    }
}
