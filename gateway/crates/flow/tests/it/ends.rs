//! The ends of deliveries, what may leave, and a bad flow next to a good one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use renmen_flow::{DestinationEntry, Evaluation, Failure, Fields, FlowError, FlowOptions, Receipt};
use renmen_schema::FailureKind;
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{Desk, World, flow, place, taken, tenant};

fn person() -> Value {
    json!({
        "number": "7", "work": { "title": "Engineer", "cost_center": "CC-1" },
        "person": { "names": { "formatted": "Made Up" }, "gender": { "code": "FEMALE" }, "nationality": "XX" },
    })
}

async fn sent(place: DestinationEntry, desk: &Arc<Desk>, fields: Value) -> Value {
    let mut all = flow("vendor");
    all["fields"] = fields;
    all["map"] = json!({ "record": "record", "before": "before" });
    let world = World::new(vec![("vendor", place)], json!({ "all": all }), FlowOptions::default()).await;
    world.put("staff", &[("e7", person())]).await;
    world.until(DeliveryState::Delivered, 1).await;
    world.end().await;
    desk.inputs().remove(0)
}

#[tokio::test(start_paused = true)]
async fn what_is_not_named_never_leaves_and_what_is_named_does() {
    let desk = Arc::new(Desk::kind());
    let input = sent(place(&desk), &desk, json!(["/number", "/person/names"])).await;
    assert_eq!(input["record"], json!({ "number": "7", "person": { "names": { "formatted": "Made Up" } } }));
    let desk = Arc::new(Desk::kind());
    assert_eq!(sent(place(&desk), &desk, json!([])).await["record"], json!({}), "nothing is named, nothing leaves");
    let desk = Arc::new(Desk::kind());
    assert_eq!(sent(place(&desk), &desk, json!(["*"])).await["record"], person());
}

#[tokio::test(start_paused = true)]
async fn r73_what_marks_a_protected_group_never_reaches_a_scoring_vendor() {
    let desk = Arc::new(Desk::kind());
    let withhold = Fields::parse(["/work/cost_center"]).unwrap();
    let scoring = DestinationEntry { scoring: true, withhold, ..place(&desk) };
    let input = sent(scoring, &desk, json!(["*"])).await;
    let expected = json!({
        "number": "7", "work": { "title": "Engineer" }, "person": { "names": { "formatted": "Made Up" } },
    });
    assert_eq!(input["record"], expected);
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_cannot_tell_what_to_send_leaves_a_dead_letter_and_holds_up_nobody() {
    let desk = Arc::new(Desk::kind());
    let mut bad = flow("vendor");
    bad["map"] = json!({ "number": "record.number", "title": "record.work.title" });
    let flows = json!({ "bad": bad, "good": flow("vendor") });
    let world = World::new(vec![("vendor", place(&desk))], flows, FlowOptions::default()).await;
    world.put("staff", &[("e1", json!({ "number": "1" })), ("e2", json!({ "number": "2", "title": "x" }))]).await;
    world.until(DeliveryState::Delivered, 3).await;
    let dead = world.deliveries().await.into_iter().find(|row| row.state == DeliveryState::Dead).unwrap();
    assert_eq!(dead.flow, "bad");
    let why = dead.error.unwrap();
    assert!(why.contains("evaluation: map.title: `work` is not there: ask with has()"), "{why}");

    let refused = world.engine.replay(&tenant(), dead.id).await.unwrap_err();
    assert!(matches!(refused, FlowError::Refused(_)), "{refused}");
    let mended = json!({ "bad": flow("vendor"), "good": flow("vendor") });
    world.engine.register(&tenant(), &serde_json::from_value(mended).unwrap()).await.unwrap();
    world.engine.replay(&tenant(), dead.id).await.unwrap();
    world.until(DeliveryState::Delivered, 4).await;
    assert_eq!(world.engine.flow(&tenant(), "bad").await.unwrap().row.version, 2);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_takes_its_time_lets_the_others_have_their_turn() {
    let desk = Arc::new(Desk::kind());
    let flows = json!({ "one": flow("vendor"), "two": flow("vendor") });
    // Each answer is the last of its turn.
    let options = FlowOptions { step_max: Duration::ZERO, ..FlowOptions::default() };
    let world = World::new(vec![("vendor", place(&desk))], flows, options).await;
    let people: Vec<_> = (0..5).map(|n| (format!("e{n}"), json!({ "number": n.to_string() }))).collect();
    let people: Vec<_> = people.iter().map(|(id, person)| (id.as_str(), person.clone())).collect();
    world.put("staff", &people).await;
    world.until(DeliveryState::Delivered, 10).await;
    let mut made = world.deliveries().await;
    made.sort_by_key(|row| row.id);
    let flows: Vec<_> = made.iter().map(|row| row.flow.as_str()).collect();
    assert_eq!(flows, ["one", "two"].repeat(5));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_end() {
    let tries = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&tries);
    let desk = Arc::new(Desk::new(move |push| {
        let input: Value = serde_json::from_slice(&push.input).unwrap();
        match input["number"].as_str().unwrap_or_default() {
            "refused" => Err(Failure::new(FailureKind::InvalidInput, "no such person")),
            "broken" => {
                count.fetch_add(1, Ordering::SeqCst);
                Err(Failure { code: Some("E7".into()), ..Failure::new(FailureKind::Internal, "broken") })
            }
            _ => Ok(taken("v")),
        }
    }));
    let hr = Arc::new(Desk::kind());
    let mut staff = flow("vendor");
    staff["attempts"] = json!(4);
    staff["on_failure"] = json!({ "connection": "hr", "action": "notice" });
    let places = vec![("vendor", place(&desk)), ("hr", place(&hr))];
    let world = World::new(places, json!({ "staff": staff }), FlowOptions::default()).await;
    for number in ["refused", "broken", "fine"] {
        world.put("staff", &[(number, json!({ "number": number }))]).await;
    }
    world.until(DeliveryState::Dead, 2).await;
    world.until(DeliveryState::Delivered, 3).await;
    let rows = world.deliveries().await;
    let error = |id: &str| rows.iter().find(|row| row.change.external_id == id).unwrap().error.clone().unwrap();
    assert_eq!(error("refused"), "invalid-input: no such person");
    assert_eq!(error("broken"), "internal: broken [E7] (attempt 4 of 4)");
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    let notices = hr.inputs();
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[0]["event"], "delivery.failed");
    assert!(notices.iter().all(|notice| notice.get("title").is_none() && notice.get("number").is_none()));

    assert_eq!(world.engine.replay_dead(&tenant(), "staff").await.unwrap(), 2);
    world.settle().await;
    world.until(DeliveryState::Dead, 2).await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_asked_for_is_kept_and_a_deadline_ends_what_comes_too_late() {
    let first = Arc::new(AtomicU32::new(0));
    let begun = Arc::clone(&first);
    let desk = Arc::new(Desk::new(move |_| match begun.fetch_add(1, Ordering::SeqCst) {
        0 => Err(Failure { retry_after_ms: Some(90_000), ..Failure::new(FailureKind::RateLimited, "slow down") }),
        _ => Ok(taken("v")),
    }));
    let mut soon = flow("vendor");
    soon["deadline"] = json!("60s");
    soon["when"]["if"] = json!("record.number == '2'");
    let mut staff = flow("vendor");
    staff["when"]["if"] = json!("record.number == '1'");
    let world =
        World::new(vec![("vendor", place(&desk))], json!({ "a": staff, "b": soon }), FlowOptions::default()).await;
    world.put("staff", &[("e1", json!({ "number": "1" }))]).await;
    world.until(DeliveryState::Pending, 1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.put("staff", &[("e2", json!({ "number": "2" }))]).await;
    world.until(DeliveryState::Delivered, 1).await;
    let at = desk.at_ms.lock().clone();
    assert!(at[1] - at[0] >= 90_000, "{at:?}");
    world.until(DeliveryState::Expired, 1).await;
    assert_eq!(at.len(), 2, "what expired was not sent");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_says_too_much_is_found_out_by_asking() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let desk = Arc::new(
        Desk::new(move |push| {
            let input: Value = serde_json::from_slice(&push.input).unwrap();
            if push.action == "send" {
                let reference = input["number"].as_str().unwrap().to_owned();
                return Ok(Receipt { reference: Some(reference), confirmed: false, ..Receipt::default() });
            }
            match (input["reference"].as_str().unwrap(), count.fetch_add(1, Ordering::SeqCst)) {
                ("lost", _) => Err(Failure::new(FailureKind::InvalidInput, "over the daily limit")),
                (_, 0..=2) => Ok(Receipt::default()),
                _ => Ok(taken("ignored")),
            }
        })
        .confirming("send.result"),
    );
    let world =
        World::new(vec![("vendor", place(&desk))], json!({ "staff": flow("vendor") }), FlowOptions::default()).await;
    world.put("staff", &[("a", json!({ "number": "kept" })), ("b", json!({ "number": "lost" }))]).await;
    world.until(DeliveryState::Unconfirmed, 2).await;
    world.until(DeliveryState::Delivered, 1).await;
    world.until(DeliveryState::Dead, 1).await;
    let rows = world.deliveries().await;
    let row = |id: &str| rows.iter().find(|row| row.change.external_id == id).unwrap().clone();
    assert_eq!(row("a").receipt.unwrap().reference.as_deref(), Some("kept"));
    assert_eq!(row("b").error.as_deref(), Some("not_arrived: over the daily limit"));
    assert_eq!(row("b").attempts, 1, "asking is not an attempt");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_reminder_goes_at_its_time_and_a_newer_change_takes_its_place() {
    let desk = Arc::new(Desk::kind());
    let mut late = flow("vendor");
    late["delay"] = json!("10m");
    let world = World::new(vec![("vendor", place(&desk))], json!({ "late": late }), FlowOptions::default()).await;
    world.put("staff", &[("e1", json!({ "number": "1", "title": "old" }))]).await;
    world.until(DeliveryState::Pending, 1).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    let begun = world.elapsed();
    world.put("staff", &[("e1", json!({ "number": "1", "title": "new" }))]).await;
    world.until(DeliveryState::Delivered, 1).await;
    assert!(world.elapsed() - begun >= Duration::from_secs(600));
    world.settle().await;
    assert_eq!(desk.inputs().iter().map(|input| input["title"].clone()).collect::<Vec<_>>(), ["new"]);
    assert_eq!(world.count(DeliveryState::Withheld).await, 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_what_would_be_sent_and_sends_nothing() {
    let desk = Arc::new(Desk::kind());
    let mut off = flow("vendor");
    off["enabled"] = json!(false);
    off["when"]["if"] = json!("record.number == '2'");
    let world = World::new(vec![("vendor", place(&desk))], json!({ "off": off }), FlowOptions::default()).await;
    world.put("staff", &[("e1", json!({ "number": "1" })), ("e2", json!({ "number": "2" }))]).await;
    world.settle().await;
    let dry = world.engine.dry_run(&tenant(), "off", 10).await.unwrap();
    assert_eq!(dry.len(), 2);
    assert_eq!(dry[0].evaluation, Evaluation::Pass(renmen_schema::text!("the condition is not met", "条件不满足")));
    let Evaluation::Send(sending) = &dry[1].evaluation else { panic!("{:?}", dry[1]) };
    assert_eq!(sending.input, json!({ "number": "2", "title": "" }));
    assert!(desk.pushes.lock().is_empty() && world.deliveries().await.is_empty());
    assert!(matches!(world.engine.dry_run(&tenant(), "none", 1).await, Err(FlowError::NotFound(_))));
    let over_api = world.engine.put(&tenant(), "off", &flow("vendor")).await;
    assert!(matches!(over_api, Err(FlowError::ReadOnly(_))), "it stands in the configuration");
    world.end().await;
}
