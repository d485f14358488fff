//! What goes to one broker: records that come while a request is under way go together with the next one. One request at a time, so that
//! what was handed over first is written first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::KafkaError;
use super::broker::{Broker, Way};
use super::leaders::topic_error;
use super::messages::{self, Node, PRODUCE, Produced};
use super::records::{KafkaRecord, batch};
use crate::EgressError;

/// Records that wait for one broker; who has another waits outside.
const WAITING_MAX: usize = 1_024;
/// Of one request. Brokers take a batch of a mebibyte unless they are told otherwise.
const REQUEST_RECORDS_MAX: usize = 500;
const REQUEST_BYTES_MAX: usize = 768 * 1024;
/// Bytes of a record besides its own.
const RECORD_HEAD: usize = 64;
/// The longest that a broker is left alone because it asked for it.
const THROTTLE_MAX: Duration = Duration::from_secs(30);

/// A record on its way, and who waits for what became of it.
pub(super) struct Item {
    pub(super) record: Arc<KafkaRecord>,
    pub(super) partition: i32,
    pub(super) answer: oneshot::Sender<Result<i64, KafkaError>>,
}

/// Begins to work for a broker; ends when there is nothing more for it to do.
pub(super) fn start(way: Arc<Way>, node: Node) -> mpsc::Sender<Item> {
    let (items, waiting) = mpsc::channel(WAITING_MAX);
    tokio::spawn(Worker { way, node, broker: None }.work(waiting));
    items
}

struct Worker {
    way: Arc<Way>,
    node: Node,
    broker: Option<Broker>,
}

impl Worker {
    async fn work(mut self, mut waiting: mpsc::Receiver<Item>) {
        while let Some(first) = waiting.recv().await {
            let mut bytes = first.record.bytes() + RECORD_HEAD;
            let mut items = vec![first];
            while items.len() < REQUEST_RECORDS_MAX && bytes < REQUEST_BYTES_MAX {
                let Ok(next) = waiting.try_recv() else { break };
                bytes += next.record.bytes() + RECORD_HEAD;
                items.push(next);
            }
            // Who gave up has it sent again later: once is enough.
            items.retain(|item| !item.answer.is_closed());
            if !items.is_empty() {
                self.send(items).await;
            }
        }
    }

    async fn send(&mut self, items: Vec<Item>) {
        let mut partitions: BTreeMap<(String, i32), Vec<Item>> = BTreeMap::new();
        for item in items {
            partitions.entry((item.record.topic.clone(), item.partition)).or_default().push(item);
        }
        let refused = self.request(partitions).await;
        // Too large together: each by itself.
        for item in refused {
            let place = (item.record.topic.clone(), item.partition);
            self.request(BTreeMap::from([(place, vec![item])])).await;
        }
    }

    /// Sends batches in one request and answers who waits; gives back the records of batches that were too large.
    async fn request(&mut self, partitions: BTreeMap<(String, i32), Vec<Item>>) -> Vec<Item> {
        let begun = Instant::now();
        let batches: Vec<(&str, i32, Vec<u8>)> = partitions
            .iter()
            .map(|((topic, partition), items)| {
                let records: Vec<&KafkaRecord> = items.iter().map(|item| &*item.record).collect();
                (topic.as_str(), *partition, batch(&records))
            })
            .collect();
        let timeout_ms = i32::try_from(self.way.spec.timeout.as_millis()).unwrap_or(i32::MAX);
        let body = messages::produce(&batches, timeout_ms);
        let produced = match tokio::time::timeout(self.way.spec.timeout, self.produce(&body)).await {
            Ok(produced) => produced,
            Err(_) => Err(EgressError::Unavailable(format!(
                "broker {}:{} acknowledged nothing within {timeout_ms} ms (request_timeout)",
                self.node.host, self.node.port
            ))),
        };
        self.audit(&produced, &partitions, body.len(), begun);
        let mut too_large = Vec::new();
        match produced {
            Err(error) => {
                // What was sent may be written, or not: it is sent again with the same ids.
                self.broker = None;
                for item in partitions.into_values().flatten() {
                    let _ = item.answer.send(Err(error.clone().into()));
                }
            }
            Ok((produced, throttle)) => {
                for ((topic, partition), items) in partitions {
                    let became = produced.iter().find(|one| one.topic == topic && one.partition == partition);
                    too_large.extend(answer(&topic, became, items));
                }
                tokio::time::sleep(throttle).await;
            }
        }
        too_large
    }

    async fn produce(&mut self, body: &[u8]) -> Result<(Vec<Produced>, Duration), EgressError> {
        loop {
            let mut broker = match self.broker.take() {
                Some(broker) => broker,
                None => self.way.open(&self.node.host, self.node.port).await?,
            };
            let was_used = broker.is_used;
            let version = broker.version(PRODUCE)?;
            match broker.ask(PRODUCE, version, body).await {
                Ok(answer) => {
                    let (produced, throttle_ms) = messages::read_produced(&answer, version)?;
                    self.broker = Some(broker);
                    let throttle = Duration::from_millis(u64::try_from(throttle_ms).unwrap_or(0));
                    return Ok((produced, throttle.min(THROTTLE_MAX)));
                }
                // Brokers close what was idle for a while, which shows with the next request alone.
                Err(EgressError::Unavailable(_)) if was_used => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// One line for each request, without what was sent.
    fn audit(
        &self,
        produced: &Result<(Vec<Produced>, Duration), EgressError>,
        partitions: &BTreeMap<(String, i32), Vec<Item>>,
        bytes: usize,
        begun: Instant,
    ) {
        let spec = &self.way.spec;
        let (tenant, connection, broker) = (&spec.tenant, &spec.connection, &self.node.id);
        let records: usize = partitions.values().map(Vec::len).sum();
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match produced {
            Ok((produced, _)) => {
                let refused = produced.iter().filter(|one| one.code != 0).count();
                tracing::info!(%tenant, %connection, broker, records, bytes, refused, took_ms, "Records sent to a Kafka broker");
            }
            Err(error) => {
                tracing::warn!(%tenant, %connection, broker, records, bytes, %error, took_ms, "Records not sent to a Kafka broker");
            }
        }
    }
}

/// Answers who waits for the records of one batch; gives back those that may fit by themselves.
fn answer(topic: &str, became: Option<&Produced>, items: Vec<Item>) -> Vec<Item> {
    let Some(became) = became else {
        for item in items {
            let _ = item.answer.send(Err(EgressError::Unavailable("the broker says nothing of a batch".into()).into()));
        }
        return Vec::new();
    };
    if became.code == 0 {
        for (item, offset) in items.into_iter().zip(became.offset..) {
            let _ = item.answer.send(Ok(offset));
        }
        return Vec::new();
    }
    // A partition that this broker does not have is led by another by now.
    let error = match became.code {
        3 => KafkaError::Stale(format!("the broker has no partition {} of the topic", became.partition)),
        code => topic_error(topic, code),
    };
    if items.len() > 1 && matches!(error, KafkaError::Refused { .. }) {
        return items;
    }
    for item in items {
        let _ = item.answer.send(Err(error.clone()));
    }
    Vec::new()
}
