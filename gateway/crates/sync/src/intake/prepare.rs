//! From what a connector makes of a delivery to what the store takes: normalized, by stream, with the delivery itself as the
//! exchange that lineage points to.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renmen_egress::{Exchange, Response, pack};
use renmen_plugin_host::{Delivery, ReceivedDelivery, Refresh};
use renmen_schema::id::StreamName;
use renmen_schema::manifest::Manifest;
use renmen_store::inbox::{DeliveryWrite, Intake, IntakePage, RefreshAsk};
use renmen_store::{DeletedBy, EXTERNAL_ID_BYTES_MAX, ExchangeWrite};

use crate::connection::plugin_ref;
use crate::exchanges::exchange_writes;
use crate::normalize::{self, Arrived, Normalized};
use crate::spool::Reel;
use crate::{ConnectionRuntime, Puller, figures};

/// The stream of what no stream of the manifest carries.
const OTHER: &str = "webhook";
/// Credentials of the caller: never kept.
const NOT_KEPT: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Every entity that may come by a delivery: what the webhook declares, and what a stream carries.
pub(crate) fn carried(manifest: &Manifest) -> Vec<String> {
    let streams = manifest.streams.values().flat_map(|stream| &stream.entities);
    let all: HashSet<&String> = streams.chain(manifest.webhook.iter().flat_map(|hook| &hook.entities)).collect();
    all.into_iter().cloned().collect()
}

/// The stream that an entity belongs to: the one that reads it, so that a listing of everything finds it gone.
pub(super) fn stream_of(manifest: &Manifest, entity: &str) -> StreamName {
    let found = manifest.streams.iter().find(|(_, stream)| stream.entities.iter().any(|carried| carried == entity));
    found.map_or_else(other, |(name, _)| name.clone())
}

fn other() -> StreamName {
    StreamName::new(OTHER).expect("a name")
}

/// What the work needs besides the delivery.
pub(super) struct Prepare {
    pub(super) connection: Arc<ConnectionRuntime>,
    pub(super) source: Arc<dyn Puller>,
    pub(super) keep_exchanges: bool,
    pub(super) now_ms: i64,
    pub(super) took: Duration,
}

impl Prepare {
    /// What is to be kept, and by stream the number of records that are dated too far ahead to be believed.
    pub(super) fn intake(
        &self,
        delivery: Delivery,
        outcome: ReceivedDelivery,
        reel: Reel,
    ) -> (Intake, Vec<(StreamName, u64)>) {
        let manifest = self.source.manifest();
        let write = self.delivery_write(&delivery, &outcome);
        let received_at_ms = delivery.received_at_ms;
        let exchanges = if self.keep_exchanges { self.exchanges(delivery, &outcome, reel) } else { Vec::new() };
        let refreshes = self.refreshes(outcome.refresh);
        let rules = self.connection.rules(&carried(manifest));
        let arrived = Arrived {
            envelopes: outcome.records,
            rejects: outcome.rejects,
            exchanges: exchanges.len(),
            clock_ms: received_at_ms,
        };
        let page = normalize::page(arrived, &rules);
        figures::payslips(self.connection.name(), page.payslips);
        let ahead = page.dated_ahead.iter().map(|(entity, count)| (stream_of(manifest, entity), *count)).collect();
        let pages = by_stream(manifest, page, &exchanges, DeletedBy::SourceEvent);
        let intake = Intake {
            tenant: self.connection.tenant().clone(),
            connection: self.connection.name().clone(),
            plugin: plugin_ref(self.source.as_ref()),
            delivery: Some(write),
            pages,
            refreshes,
            held: Vec::new(),
            done: Vec::new(),
            clock_ms: received_at_ms,
            now_ms: self.now_ms,
        };
        (intake, ahead)
    }

    /// A vendor that numbers its deliveries says which are the same. Where it does not, an equal body is the same delivery for
    /// as long as one could be replayed; later it may be news again (`user 7 changed`), and taking it twice does no harm.
    fn delivery_write(&self, delivery: &Delivery, outcome: &ReceivedDelivery) -> DeliveryWrite {
        let mut hasher = blake3::Hasher::new();
        let repeats_after_ms = match &outcome.delivery_id {
            Some(id) => {
                hasher.update(b"id").update(id.as_bytes());
                None
            }
            None => {
                hasher.update(b"body").update(delivery.method.as_bytes()).update(&delivery.body);
                Some(crate::options::millis(self.connection.hooks().window))
            }
        };
        DeliveryWrite {
            identity: *hasher.finalize().as_bytes(),
            delivery_id: outcome.delivery_id.clone(),
            repeats_after_ms,
            received_at_ms: delivery.received_at_ms,
        }
    }

    /// The delivery as exchange 0, then what the connector asked meanwhile.
    fn exchanges(&self, delivery: Delivery, outcome: &ReceivedDelivery, reel: Reel) -> Vec<ExchangeWrite> {
        let redact = |bytes: Bytes| self.source.receiver().map_or_else(Bytes::new, |receiver| receiver.redact(bytes));
        let exchange = self.recorded(delivery, outcome, &redact);
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(exchange.request_body.as_deref().unwrap_or_default()).as_bytes()[..16]);
        let mut writes = vec![ExchangeWrite {
            no: 0,
            method: exchange.method.clone(),
            url: exchange.url.clone(),
            status: exchange.response.status,
            key,
            body_hash: *blake3::hash(&exchange.response.body).as_bytes(),
            packed: pack(&exchange),
            body_at: None,
            at_ms: exchange.at_ms,
        }];
        let asked = exchange_writes(&outcome.exchanges, reel);
        // No two deliveries are the same: nothing would be gained by keeping their bodies apart.
        writes.extend(asked.into_iter().map(|write| ExchangeWrite { no: write.no + 1, body_at: None, ..write }));
        writes
    }

    /// Turned round: the request is the vendor's, the response is ours. Pointers of its records point into the request.
    fn recorded(&self, delivery: Delivery, outcome: &ReceivedDelivery, redact: &dyn Fn(Bytes) -> Bytes) -> Exchange {
        let text = |text: String| String::from_utf8_lossy(&redact(Bytes::from(text))).into_owned();
        let url = format!("/hooks/{}{}", self.connection.name(), delivery.path_and_query);
        let headers = delivery.headers.into_iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str()));
        Exchange {
            method: delivery.method,
            url: text(url),
            request_headers: headers.map(|(name, value)| (name, text(value))).collect(),
            request_body: Some(redact(delivery.body)),
            response: Response {
                status: outcome.answer.status,
                headers: outcome.answer.headers.clone(),
                body: outcome.answer.body.clone(),
            },
            at_ms: self.now_ms,
            took_ms: u32::try_from(self.took.as_millis()).unwrap_or(u32::MAX),
        }
    }

    /// Each record once. A name that no stream can have is a mistake of the connector's: there is nothing that it could mean.
    fn refreshes(&self, asked: Vec<Refresh>) -> Vec<RefreshAsk> {
        let (mut asks, mut seen) = (Vec::new(), HashSet::new());
        for Refresh { stream, only } in asked {
            let Ok(name) = StreamName::new(&stream) else {
                tracing::warn!(connection = %self.connection.name(), "A delivery asks for a stream with an invalid name");
                continue;
            };
            if only.is_empty() && seen.insert((name.clone(), None)) {
                asks.push(RefreshAsk { stream: name.clone(), external_id: None });
            }
            for id in only {
                if id.is_empty() || id.len() > EXTERNAL_ID_BYTES_MAX || id.contains('\0') {
                    tracing::warn!(connection = %self.connection.name(), "A delivery asks for a record with an invalid id");
                } else if seen.insert((name.clone(), Some(id.clone()))) {
                    asks.push(RefreshAsk { stream: name.clone(), external_id: Some(id) });
                }
            }
        }
        asks
    }
}

/// A page a stream; at least one, for the exchange. Each holds the exchanges, because its records point into them.
pub(super) fn by_stream(
    manifest: &Manifest,
    page: Normalized,
    exchanges: &[ExchangeWrite],
    deleted_by: DeletedBy,
) -> Vec<IntakePage> {
    let mut pages = BTreeMap::<StreamName, IntakePage>::new();
    let empty = |stream: &StreamName| IntakePage {
        stream: stream.clone(),
        records: Vec::new(),
        quarantine: Vec::new(),
        exchanges: exchanges.to_vec(),
    };
    for mut record in page.records {
        record.deleted = record.deleted.map(|_| deleted_by);
        let stream = stream_of(manifest, record.entity());
        pages.entry(stream.clone()).or_insert_with(|| empty(&stream)).records.push(record);
    }
    for item in page.quarantine {
        let stream = stream_of(manifest, &item.entity);
        pages.entry(stream.clone()).or_insert_with(|| empty(&stream)).quarantine.push(item);
    }
    if pages.is_empty() {
        return vec![empty(&other())];
    }
    pages.into_values().collect()
}
