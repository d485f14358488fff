//! Readers of the change feed: one by long poll, one by an event stream. No matter what happens to gateways and database, each sees every position
//! once, in order, without a gap.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use super::judge::Judge;

/// What a reader saw.
#[derive(Default)]
pub(super) struct Seen {
    changes: Mutex<Vec<Value>>,
    cursor: Mutex<Option<String>>,
}

impl Seen {
    pub(super) fn count(&self) -> usize {
        self.changes.lock().unwrap().len()
    }

    pub(super) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.changes.lock().unwrap())
    }

    /// Notes a change; the first position is 1.
    fn note(&self, who: &str, mut change: Value, judge: &Judge) {
        let cursor = change["cursor"].as_str().unwrap().to_owned();
        let seq = take_position(&mut change);
        let mut changes = self.changes.lock().unwrap();
        if seq != changes.len() + 1 {
            judge.fault(format!("{who}: position {seq} after {}", changes.len()));
        }
        changes.push(change);
        *self.cursor.lock().unwrap() = Some(cursor);
    }
}

/// Its position, which takes the place of its cursor: each gateway writes there when it began, too.
pub(super) fn take_position(change: &mut Value) -> usize {
    let seq = change["cursor"].as_str().unwrap().split('.').next().unwrap().parse().unwrap();
    change["cursor"] = Value::from(seq);
    seq
}

/// Both of them, until they are dropped.
pub(super) struct Readers {
    pub(super) poll: Arc<Seen>,
    pub(super) stream: Arc<Seen>,
    stop: Arc<AtomicBool>,
    tasks: tokio::task::JoinSet<()>,
}

impl Readers {
    pub(super) fn begin(front: &str, key: &str, judge: &Arc<Judge>) -> Self {
        let (poll, stream) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let reader = Reader { client: super::client(), front: front.to_owned(), key: key.to_owned() };
        let mut tasks = tokio::task::JoinSet::new();
        let (judged, ended, seen) = (Arc::clone(judge), Arc::clone(&stop), Arc::clone(&poll));
        let polling = reader.clone();
        tasks.spawn(async move {
            while !ended.load(Ordering::SeqCst) {
                polling.poll(&seen, &judged).await;
            }
        });
        let (judged, ended, seen) = (Arc::clone(judge), Arc::clone(&stop), Arc::clone(&stream));
        let streaming = reader.clone();
        tasks.spawn(async move {
            while !ended.load(Ordering::SeqCst) {
                streaming.stream(&seen, &judged, &ended).await;
            }
        });
        let (judged, ended) = (Arc::clone(judge), Arc::clone(&stop));
        tasks.spawn(async move {
            while !ended.load(Ordering::SeqCst) {
                reader.look(&judged).await;
            }
        });
        Self { poll, stream, stop, tasks }
    }

    pub(super) async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
    }
}

#[derive(Clone)]
struct Reader {
    client: Client,
    front: String,
    key: String,
}

impl Reader {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.front)).bearer_auth(&self.key)
    }

    async fn poll(&self, seen: &Seen, judge: &Judge) {
        let after = seen.cursor.lock().unwrap().clone().map_or_else(String::new, |cursor| format!("&after={cursor}"));
        let asked = self.get(&format!("/v1/changes?limit=500&wait=1{after}"));
        let Some(answer) = judge.ask("a long poll", asked).await else {
            return tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let Ok(page) = answer.json::<Value>().await else { return };
        for change in page["data"].as_array().unwrap() {
            seen.note("long poll", change.clone(), judge);
        }
    }

    /// One stream, until it is closed or cut.
    async fn stream(&self, seen: &Seen, judge: &Judge, ended: &AtomicBool) {
        let mut asked = self.get("/v1/changes/stream");
        if let Some(cursor) = seen.cursor.lock().unwrap().clone() {
            asked = asked.header("last-event-id", cursor);
        }
        let Some(mut answer) = judge.ask("an event stream", asked).await else {
            return tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let mut text = String::new();
        while !ended.load(Ordering::SeqCst) {
            // Cut when nothing comes for a while: its gateway may be stopped.
            let piece = tokio::time::timeout(Duration::from_secs(2), answer.chunk()).await;
            let Ok(Ok(Some(piece))) = piece else { return };
            text.push_str(std::str::from_utf8(&piece).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let is_change = event.lines().any(|line| line.starts_with("id: "));
                if let Some(data) = data.filter(|_| is_change) {
                    seen.note("event stream", serde_json::from_str(data).unwrap(), judge);
                }
                text = rest.to_owned();
            }
        }
    }

    /// What a dashboard asks.
    async fn look(&self, judge: &Judge) {
        for path in ["/v1/employees?limit=5", "/v1/connections", "/v1/health", "/readyz"] {
            judge.took(path, self.get(path)).await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }
}
