//! Records into topics of a Kafka cluster. Owns the protocol from the first byte to the acknowledgement; which event goes to which topic
//! is not known here.
//!
//! The client is the gateway's own because it must not resolve and dial by itself: a cluster names the brokers to write to, and each of
//! them is held against the same address rules as the ones that the operator named. A record is acknowledged when every replica that
//! keeps up has it. One whose acknowledgement is lost is sent again by who sent it, so a reader may find it twice.

mod broker;
mod bytes;
mod code;
mod leaders;
mod messages;
mod records;
mod scram;
mod spec;
mod worker;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use self::broker::Way;
use self::leaders::Leaders;
use self::messages::Node;
use self::worker::Item;
use crate::rate::Pace;
use crate::resolve::AddressBook;
use crate::{Egress, EgressError};
pub use records::KafkaRecord;
pub use spec::{KafkaMechanism, KafkaSpec};

/// The waits before the cluster is asked again who leads: the first, doubled each time, and the longest.
const ELECTION: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The way into one cluster. Made by [`Egress::kafka`].
pub struct KafkaProducer {
    way: Arc<Way>,
    leaders: Leaders,
    workers: Mutex<HashMap<Node, mpsc::Sender<Item>>>,
    pace: Option<Pace>,
}

/// Where an acknowledged record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KafkaReceipt {
    /// Of its topic.
    pub partition: i32,
    /// Its position there; -1 where the broker does not say.
    pub offset: i64,
}

/// A record that was not acknowledged, by what can be done about it. No text holds what was sent or a broker's words.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KafkaError {
    /// The cluster does not take this record, however often it is sent.
    #[error("{message}: {code}")]
    Refused {
        /// The broker's code.
        code: &'static str,
        /// What was refused.
        message: String,
    },
    /// Another broker leads the partition, or none does for a moment.
    #[error("{0}")]
    Stale(String),
    /// As for HTTP.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

impl Egress {
    /// The way into a Kafka cluster.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] for a rate of nothing, or for a password that would go over the network in clear;
    /// [`EgressError::Auth`] for a secret that is not `user:password`.
    pub fn kafka(self: &Arc<Self>, spec: KafkaSpec) -> Result<Arc<KafkaProducer>, EgressError> {
        if let Some((mechanism, secret)) = &spec.login {
            if *mechanism == KafkaMechanism::Plain && !spec.tls {
                return Err(EgressError::BadRequest(
                    "a password would go over the network in clear: use TLS, or SCRAM, which proves it without sending it".into(),
                ));
            }
            if !secret.expose().trim().contains(':') {
                return Err(EgressError::Auth("the slot of a Kafka cluster must hold `user:password`".into()));
            }
        }
        let pace = spec.rate.map(|rate| Pace::new(rate, spec.timeout)).transpose()?;
        let addresses = AddressBook::new(self.lookup(), spec.addresses.clone());
        let tls = spec.tls.then(|| self.plain_tls());
        let way = Arc::new(Way { spec, addresses, tls });
        Ok(Arc::new(KafkaProducer { way, leaders: Leaders::new(), workers: Mutex::default(), pace }))
    }
}

impl KafkaProducer {
    /// Sends one record and waits until it is acknowledged.
    ///
    /// # Errors
    /// [`KafkaError`], by what can be done.
    pub async fn send(&self, record: KafkaRecord) -> Result<KafkaReceipt, KafkaError> {
        let (bytes, most) = (record.bytes() as u64, self.way.spec.record_bytes_max);
        if bytes > most {
            let message = format!("the record has {bytes} bytes; at most {most} are sent");
            return Err(EgressError::Limit { limit: "request_bytes_max", message }.into());
        }
        if let Some(pace) = &self.pace {
            pace.wait().await?;
        }
        let (record, why) = (Arc::new(record), Mutex::new(None));
        let sent = tokio::time::timeout(self.way.spec.timeout, self.until_led(&record, &why)).await;
        sent.unwrap_or_else(|_| {
            let limit = self.way.spec.timeout.as_millis();
            let why = why.into_inner().map(|why: String| format!(": {why}")).unwrap_or_default();
            Err(EgressError::Unavailable(format!("not acknowledged within {limit} ms (request_timeout){why}")).into())
        })
    }

    /// Opens a connection and asks for these topics: nothing is sent. How many brokers the cluster has.
    ///
    /// # Errors
    /// As [`KafkaProducer::send`].
    pub async fn probe(&self, topics: &[&str]) -> Result<usize, KafkaError> {
        let asked = tokio::time::timeout(self.way.spec.timeout, self.leaders.probe(&self.way, topics)).await;
        asked.unwrap_or_else(|_| {
            let limit = self.way.spec.timeout.as_millis();
            Err(EgressError::Unavailable(format!("no answer within {limit} ms (request_timeout)")).into())
        })
    }

    /// Follows the leader. `why` tells what it was that took so long.
    async fn until_led(
        &self,
        record: &Arc<KafkaRecord>,
        why: &Mutex<Option<String>>,
    ) -> Result<KafkaReceipt, KafkaError> {
        let mut wait = ELECTION.0;
        loop {
            match self.once(record).await {
                Err(KafkaError::Stale(reason)) => *why.lock() = Some(reason),
                ended => return ended,
            }
            self.leaders.forget(&record.topic);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(ELECTION.1);
        }
    }

    async fn once(&self, record: &Arc<KafkaRecord>) -> Result<KafkaReceipt, KafkaError> {
        let partitions = self.leaders.of(&self.way, &record.topic).await?;
        let (partition, leader) = &partitions[records::partition_of(&record.key, partitions.len())];
        let Some(leader) = leader else {
            return Err(KafkaError::Stale(format!("partition {partition} has no leader now")));
        };
        let (answer, answered) = oneshot::channel();
        let item = Item { record: Arc::clone(record), partition: *partition, answer };
        let ended = || KafkaError::from(EgressError::Unavailable("the way to the broker broke".into()));
        self.worker(leader).send(item).await.map_err(|_| ended())?;
        let offset = answered.await.map_err(|_| ended())?;
        if matches!(offset, Err(KafkaError::Egress(EgressError::Unavailable(_)))) {
            // Its broker may be gone for good: the next attempt asks who leads.
            self.leaders.forget(&record.topic);
        }
        Ok(KafkaReceipt { partition: *partition, offset: offset? })
    }

    fn worker(&self, node: &Node) -> mpsc::Sender<Item> {
        let mut workers = self.workers.lock();
        if let Some(known) = workers.get(node).filter(|known| !known.is_closed()) {
            return known.clone();
        }
        // A broker that was named otherwise before is not written to any more.
        workers.retain(|other, _| other.id != node.id);
        let made = worker::start(Arc::clone(&self.way), node.clone());
        workers.insert(node.clone(), made.clone());
        made
    }
}

impl fmt::Debug for KafkaProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducer").field("spec", &self.way.spec).finish_non_exhaustive()
    }
}
