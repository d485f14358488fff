//! The outbox with endpoints in it (F10): how often and for how long an event is tried, that it keeps its id, and that one endpoint
//! that is down holds up no other. The clock runs as fast as the work allows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_flow::{ActionInfo, Destination, DestinationEntry, Failure, FlowOptions, Push, Receipt, Retries};
use renmen_receiver::endpoint::{SEND, retries};
use renmen_schema::FailureKind;
use renmen_store::outbox::DeliveryState;
use serde_json::{Value, json};

use crate::world::{World, taken};

/// An endpoint whose receiver answers by script instead of over a socket, which a stopped clock cannot wait for.
struct Scripted {
    up: AtomicBool,
    /// Key, time, input.
    pushes: Mutex<Vec<(String, i64, Value)>>,
}

impl Scripted {
    fn new(up: bool) -> Arc<Self> {
        Arc::new(Self { up: AtomicBool::new(up), pushes: Mutex::default() })
    }
}

#[async_trait]
impl Destination for Scripted {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        BTreeMap::from([(SEND.to_owned(), ActionInfo::default())])
    }

    fn retries(&self) -> Option<Retries> {
        Some(retries())
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        let input = serde_json::from_slice(&push.input).unwrap();
        self.pushes.lock().push((push.idempotency_key.clone(), push.now_ms, input));
        match self.up.load(Ordering::SeqCst) {
            true => Ok(taken("msg")),
            false => Err(Failure::new(FailureKind::UpstreamUnavailable, "the receiver answers 503")),
        }
    }
}

fn flow(to: &str) -> Value {
    json!({
        "when": { "entity": "employee" },
        "fields": ["/work/title"],
        "map": { "title": "record.work.title" },
        "to": { "connection": to, "action": SEND },
    })
}

fn place(endpoint: &Arc<Scripted>) -> DestinationEntry {
    DestinationEntry::new(Arc::clone(endpoint) as Arc<dyn Destination>)
}

fn options() -> FlowOptions {
    FlowOptions { tick: Duration::from_secs(20), keep: Duration::from_secs(30 * 86_400), ..FlowOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_tried_at_least_8_times_over_27_hours_with_one_id_and_then_waits_for_a_hand_f10() {
    let endpoint = Scripted::new(false);
    let world = World::new(vec![("hr", place(&endpoint))], json!({ "events": flow("hr") }), options()).await;
    world.put("staff", &[("e1", json!({ "number": "1", "title": "a" }))]).await;
    while world.count(DeliveryState::Dead).await == 0 && world.elapsed() < Duration::from_secs(5 * 86_400) {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let pushes = endpoint.pushes.lock().clone();
    let lasted = Duration::from_millis(u64::try_from(pushes.last().unwrap().1 - pushes[0].1).unwrap());
    assert!(pushes.len() >= 8, "{} attempts", pushes.len());
    assert!(lasted >= Duration::from_secs(27 * 3_600), "over {lasted:?}");
    assert!(pushes.iter().all(|(key, _, input)| *key == pushes[0].0 && *input == json!({ "title": "a" })));
    assert_eq!(world.count(DeliveryState::Dead).await, 1);

    // Sent again by hand, it is the same event.
    endpoint.up.store(true, Ordering::SeqCst);
    let dead = world.deliveries().await[0].id;
    world.engine.replay(&crate::world::tenant(), dead).await.unwrap();
    world.until(DeliveryState::Delivered, 1).await;
    assert_eq!(endpoint.pushes.lock().last().unwrap().0, pushes[0].0);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_holds_up_no_other_and_misses_nothing_f10() {
    let (down, up) = (Scripted::new(false), Scripted::new(true));
    let flows = json!({ "down": flow("down"), "up": flow("up") });
    let world = World::new(vec![("down", place(&down)), ("up", place(&up))], flows, options()).await;
    for title in ["a", "b", "c"] {
        let records: Vec<(String, Value)> =
            (0..20).map(|n| (format!("e{n}"), json!({ "number": n.to_string(), "title": title }))).collect();
        let records: Vec<(&str, Value)> = records.iter().map(|(id, body)| (id.as_str(), body.clone())).collect();
        world.put("staff", &records).await;
    }
    world.until(DeliveryState::Delivered, 60).await;
    assert_eq!(up.pushes.lock().len(), 60, "each once, while the other is down");
    assert!(world.elapsed() < Duration::from_secs(1_800), "{:?}", world.elapsed());

    down.up.store(true, Ordering::SeqCst);
    down.pushes.lock().clear();
    while world.count(DeliveryState::Delivered).await < 120 && world.elapsed() < Duration::from_secs(2 * 86_400) {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    assert_eq!(world.count(DeliveryState::Delivered).await, 120, "nothing was skipped");
    let titles: Vec<Value> = down.pushes.lock().iter().map(|(_, _, input)| input["title"].clone()).collect();
    assert_eq!(titles.len(), 60);
    // A record's events come in their order: every first one before every last one of the same record, so in sum too.
    assert!(titles.iter().position(|t| t == "c").unwrap() > titles.iter().position(|t| t == "a").unwrap());
    world.end().await;
}
