//! Who leads which partition of a topic, as the cluster says; kept for a while, and forgotten when a broker says that it is another by now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::KafkaError;
use super::broker::{Broker, Way, shown};
use super::code::{self, Meaning};
use super::messages::{self, ClusterState, METADATA, Node};
use crate::EgressError;

/// After so long the cluster is asked again: it may have more partitions by now.
const FRESH_FOR: Duration = Duration::from_secs(5 * 60);
/// Topics that are remembered; all are forgotten when there are more.
const TOPICS_MAX: usize = 1_000;

/// The leader of each partition of a topic, in their order; none: it has none now.
pub(super) type Partitions = Arc<[(i32, Option<Node>)]>;

/// What is known of a cluster.
pub(super) struct Leaders {
    topics: Mutex<HashMap<String, (Instant, Partitions)>>,
    /// Asks the cluster. One asks at a time; who waited finds what the other learnt.
    asking: tokio::sync::Mutex<Option<Broker>>,
}

impl Leaders {
    pub(super) fn new() -> Self {
        Self { topics: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// A topic's partitions.
    ///
    /// # Errors
    /// [`KafkaError::Stale`] while the topic has no leaders; [`EgressError::BadRequest`] where the topic does not exist.
    pub(super) async fn of(&self, way: &Way, topic: &str) -> Result<Partitions, KafkaError> {
        if let Some(known) = self.known(topic) {
            return Ok(known);
        }
        let mut asking = self.asking.lock().await;
        if let Some(known) = self.known(topic) {
            return Ok(known);
        }
        let said = ask(&mut asking, way, &[topic]).await?;
        let partitions = partitions(&said, topic)?;
        let mut topics = self.topics.lock();
        if topics.len() >= TOPICS_MAX {
            topics.clear();
        }
        topics.insert(topic.to_owned(), (Instant::now(), Arc::clone(&partitions)));
        Ok(partitions)
    }

    fn known(&self, topic: &str) -> Option<Partitions> {
        let topics = self.topics.lock();
        let (at, partitions) = topics.get(topic)?;
        (at.elapsed() < FRESH_FOR).then(|| Arc::clone(partitions))
    }

    pub(super) fn forget(&self, topic: &str) {
        self.topics.lock().remove(topic);
    }

    /// Asks the cluster for these topics, and remembers nothing: how many brokers it has.
    pub(super) async fn probe(&self, way: &Way, topics: &[&str]) -> Result<usize, KafkaError> {
        let mut asking = self.asking.lock().await;
        // A new connection: that it can be made is what is asked.
        *asking = None;
        let said = ask(&mut asking, way, topics).await?;
        for topic in topics {
            partitions(&said, topic)?;
        }
        Ok(said.nodes.len())
    }
}

/// From the broker that was asked last, or from the first of the configured ones that answers.
async fn ask(asking: &mut Option<Broker>, way: &Way, topics: &[&str]) -> Result<ClusterState, EgressError> {
    if let Some(mut broker) = asking.take()
        && let Ok(said) = ask_one(&mut broker, topics).await
    {
        *asking = Some(broker);
        return Ok(said);
    }
    let mut why = EgressError::BadRequest("no broker is configured".into());
    let first = rand::random_range(0..way.spec.brokers.len().max(1));
    for at in 0..way.spec.brokers.len() {
        let (host, port) = &way.spec.brokers[(first + at) % way.spec.brokers.len()];
        let opened = way.open(host, *port).await;
        let asked = match opened {
            Ok(mut broker) => ask_one(&mut broker, topics).await.map(|said| (broker, said)),
            Err(error) => Err(error),
        };
        match asked {
            Ok((broker, said)) => {
                *asking = Some(broker);
                return Ok(said);
            }
            // What a person must mend says more than what may pass.
            Err(error) if matches!(why, EgressError::NotGranted(_) | EgressError::Auth(_)) => drop(error),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn ask_one(broker: &mut Broker, topics: &[&str]) -> Result<ClusterState, EgressError> {
    let version = broker.version(METADATA)?;
    let answer = broker.ask(METADATA, version, &messages::metadata(topics)).await?;
    messages::read_metadata(&answer, version)
}

fn partitions(said: &ClusterState, topic: &str) -> Result<Partitions, KafkaError> {
    let state = said.topics.iter().find(|state| state.name == topic);
    let Some(state) = state else { return Err(KafkaError::Stale("the cluster says nothing of the topic".into())) };
    if state.code != 0 {
        return Err(topic_error(topic, state.code));
    }
    if state.leaders.is_empty() {
        return Err(KafkaError::Stale(format!("topic `{}` has no partitions yet", shown(topic))));
    }
    let node = |id: i32| said.nodes.iter().find(|node| node.id == id).cloned();
    Ok(state.leaders.iter().map(|(partition, leader)| (*partition, node(*leader))).collect())
}

/// What a code means that is about a topic.
pub(super) fn topic_error(topic: &str, error: i16) -> KafkaError {
    let (name, meaning) = code::meaning(error);
    let topic = shown(topic);
    match meaning {
        Meaning::Topic => EgressError::BadRequest(format!(
            "the cluster has no topic `{topic}` ({name}): make it, with as many partitions as it is to have"
        ))
        .into(),
        Meaning::Auth => EgressError::Auth(format!("the login may not write to topic `{topic}` ({name})")).into(),
        Meaning::Stale => KafkaError::Stale(format!("topic `{topic}`: {name}")),
        Meaning::Refused | Meaning::TooLarge => {
            KafkaError::Refused { code: name, message: format!("topic `{topic}` does not take this record") }
        }
        Meaning::Slower => {
            EgressError::RateLimited { message: format!("topic `{topic}`: {name}"), retry_after_ms: None }.into()
        }
        Meaning::Later => EgressError::Unavailable(format!("topic `{topic}`: {name} ({error})")).into(),
    }
}
