//! One endpoint that is topics of a Kafka cluster: to which topic an event goes, in which form, and what the cluster's answer means.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_egress::{KafkaError, KafkaProducer, KafkaRecord};
use renmen_flow::{ActionInfo, Destination, Failure, Identity, Push, Receipt, Retries, RetrySchedule};
use renmen_schema::FailureKind;
use renmen_schema::event::EVENT_MEDIA_TYPE;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::SEND;
use super::event::event;
use crate::failure::from_egress;

/// How often what says something of the event itself is tried; a cluster that is away is tried for as long as the flow has patience.
const ATTEMPTS_MAX: u32 = 10;
/// The waits of a cluster that is away: short, because it comes back for all at once.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How an event stands in a record, as CloudEvents binds it to Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventMode {
    /// All of it as the value.
    Structured,
    /// Its data as the value, its attributes as headers.
    Binary,
}

/// Where events go.
#[derive(Debug, Clone)]
pub struct TopicOptions {
    /// The topic, with `{tenant}`, `{connection}` and `{entity}` where it differs by them.
    pub topic: String,
    /// The form of an event.
    pub mode: EventMode,
}

/// Topics that take events.
pub struct TopicEndpoint {
    producer: Arc<KafkaProducer>,
    options: TopicOptions,
}

impl TopicEndpoint {
    /// An endpoint over a cluster.
    #[must_use]
    pub fn new(producer: Arc<KafkaProducer>, options: TopicOptions) -> Self {
        Self { producer, options }
    }

    fn record(&self, push: &Push) -> Result<KafkaRecord, Failure> {
        let (event, cause) = (event(push)?, &push.cause);
        let (headers, value) = match self.options.mode {
            EventMode::Structured => (vec![header("content-type", EVENT_MEDIA_TYPE)], event),
            EventMode::Binary => binary(&event)?,
        };
        let topic = self.options.topic.replace("{tenant}", push.tenant.as_str());
        let topic = topic.replace("{connection}", &cause.connection).replace("{entity}", &cause.entity);
        // What happens to one record keeps its order: one key has one partition.
        Ok(KafkaRecord { topic, key: cause.record.to_string().into_bytes(), headers, value, at_ms: cause.at_ms })
    }
}

/// The attributes of an event as headers, and its data as it stands.
fn binary(event: &[u8]) -> Result<(Vec<Header>, Vec<u8>), Failure> {
    let bad = || Failure::new(FailureKind::InvalidInput, "the event cannot be taken apart");
    let parts: BTreeMap<String, &RawValue> = serde_json::from_slice(event).map_err(|_| bad())?;
    let (mut headers, mut data) = (Vec::new(), Vec::new());
    for (name, part) in &parts {
        if name == "data" {
            data = part.get().as_bytes().to_vec();
            continue;
        }
        let value: String = serde_json::from_str(part.get()).map_err(|_| bad())?;
        let name = if name == "datacontenttype" { "content-type".to_owned() } else { format!("ce_{name}") };
        headers.push(header(&name, &value));
    }
    Ok((headers, data))
}

type Header = (String, Vec<u8>);

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}

#[async_trait]
impl Destination for TopicEndpoint {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let send = ActionInfo {
            description: "Writes the change as an event to a topic".into(),
            // A reader knows an event that it has by its id.
            identity: Identity::Key,
            ..ActionInfo::default()
        };
        BTreeMap::from([(SEND.to_owned(), send)])
    }

    fn retries(&self) -> Option<Retries> {
        let schedule = RetrySchedule::Backoff { base: WAITS.0, max: WAITS.1 };
        Some(Retries { attempts_max: ATTEMPTS_MAX, schedule })
    }

    fn is_told_changes(&self) -> bool {
        true
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        if push.action != SEND {
            let message = format!("an endpoint has no action `{}`; it has `{SEND}`", push.action);
            return Err(Failure::new(FailureKind::InvalidInput, message));
        }
        let record = self.record(&push)?;
        let topic = record.topic.clone();
        let written = self.producer.send(record).await.map_err(from_kafka)?;
        let mut detail = Map::new();
        detail.insert("topic".into(), json!(topic));
        detail.insert("partition".into(), json!(written.partition));
        detail.insert("offset".into(), json!(written.offset));
        let reference = format!("{topic}/{}/{}", written.partition, written.offset);
        Ok(Receipt { reference: Some(reference), detail, confirmed: true })
    }
}

fn from_kafka(error: KafkaError) -> Failure {
    match error {
        KafkaError::Egress(error) => from_egress(error),
        KafkaError::Refused { code, message } => {
            Failure { code: Some(code.to_owned()), ..Failure::new(FailureKind::InvalidInput, message) }
        }
        KafkaError::Stale(why) => Failure::new(FailureKind::UpstreamUnavailable, why),
    }
}
