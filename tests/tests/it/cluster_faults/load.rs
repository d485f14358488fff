//! What goes on while gateways and their database fail: a vendor whose records change, senders of webhooks that repeat until they hear
//! yes, and readers of the feed. Each notes what it was promised.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use renmen_tests::staff_api;
use serde_json::json;

use super::judge::Judge;
use crate::hooks::vendor::{Sent, updated};

/// People that webhooks are about.
const PEOPLE: usize = 40;
/// Senders side by side.
const SENDERS: usize = 3;
/// Records that change at once, and the pause until others do.
const CHANGED: usize = 45;
const CHANGE_EVERY: Duration = Duration::from_millis(1_500);
/// A pause of a sender between two events.
const SEND_EVERY: Duration = Duration::from_millis(120);

/// Under way until [`Load::end`].
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    pub(super) hooks: Arc<Hooks>,
    tasks: tokio::task::JoinSet<()>,
}

/// What was sent and taken.
#[derive(Default)]
pub(super) struct Hooks {
    next: AtomicU64,
    pub(super) taken: AtomicU64,
    /// Of each person the number of the last event.
    pub(super) last: Mutex<BTreeMap<String, u64>>,
}

impl Load {
    /// `front`: where gateways are reached.
    pub(super) fn begin(front: &str, source: &staff_api::Source, judge: &Arc<Judge>, seed: u64) -> Self {
        let (stop, hooks) = (Arc::new(AtomicBool::new(false)), Arc::new(Hooks::default()));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..SENDERS {
            let dice = StdRng::seed_from_u64(seed ^ (number as u64 + 1));
            tasks.spawn(send(front.to_owned(), Arc::clone(&hooks), Arc::clone(judge), Arc::clone(&stop), dice));
        }
        tasks.spawn(change(Arc::clone(source), Arc::clone(&stop), StdRng::seed_from_u64(seed ^ 0xff)));
        Self { stop, hooks, tasks }
    }

    /// Nothing new is begun; what was begun is brought to its end.
    pub(super) async fn end(self) -> Arc<Hooks> {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        self.hooks
    }
}

async fn change(source: staff_api::Source, stop: Arc<AtomicBool>, mut dice: StdRng) {
    while !stop.load(Ordering::SeqCst) {
        source.lock().unwrap().retitle(CHANGED, &mut dice);
        tokio::time::sleep(CHANGE_EVERY).await;
    }
}

/// As a vendor does it: one event after the other, each until it hears yes, and some once more.
async fn send(front: String, hooks: Arc<Hooks>, judge: Arc<Judge>, stop: Arc<AtomicBool>, mut dice: StdRng) {
    let client = super::client();
    while !stop.load(Ordering::SeqCst) {
        let number = hooks.next.fetch_add(1, Ordering::SeqCst);
        let person = format!("W{}", dice.random_range(0..PEOPLE));
        {
            let mut last = hooks.last.lock().unwrap();
            let known = last.entry(person.clone()).or_default();
            *known = number.max(*known);
        }
        let event = updated(&person, &format!("Person {number}"), 1_000_000 + number as i64);
        let sent = Sent::new(&format!("m{number}"), &event);
        let times = if dice.random_bool(0.2) { 2 } else { 1 };
        for _ in 0..times {
            while !judge.took("a webhook", sent.request(&client, &front)).await {
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
        hooks.taken.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(SEND_EVERY).await;
    }
}

/// The number that a person's record must carry in the end.
pub(super) fn named(number: u64) -> serde_json::Value {
    json!(format!("Person {number}"))
}
