//! A made-up vendor and a scripted connector to it. Each page takes two requests, so that a kill can fall between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use renmen_egress::{Exchange, Request, Response, Tape};
use renmen_plugin_host::{
    CallError, Coverage, Delivery, Envelope, Finding, Page, Pull, ReceivedDelivery, Reject, Usage,
};
use renmen_schema::FailureKind;
use renmen_schema::manifest::{Deletes, Manifest, StreamManifest, StreamMode, WebhookManifest};
use renmen_sync::{Puller, Reading, Receiver};
use serde_json::{Value, json};

pub(crate) type Mutation = Box<dyn Fn(&mut Page, Option<&str>) + Send + Sync>;
type Mapping = Box<dyn Fn(&Value) -> Envelope + Send + Sync>;
type Hook = Box<dyn Fn() -> ReceivedDelivery + Send + Sync>;

/// What the vendor holds: a name for each id, with the position of its last change.
#[derive(Default)]
pub(crate) struct Vendor {
    rows: Mutex<BTreeMap<String, (u64, String)>>,
    changes: AtomicUsize,
    pub(crate) page_size: usize,
    /// Every request that reached the network.
    pub(crate) asked: Mutex<Vec<String>>,
    /// Answers for the next requests instead of pages.
    pub(crate) failures: Mutex<Vec<CallError>>,
    /// Requests beyond this number wait for ever.
    pub(crate) hang_after: AtomicUsize,
    /// One of them waits.
    pub(crate) hung: AtomicBool,
}

impl Vendor {
    pub(crate) fn with(count: usize, page_size: usize) -> Arc<Self> {
        let vendor = Self { page_size, hang_after: AtomicUsize::new(usize::MAX), ..Self::default() };
        for n in 0..count {
            vendor.put(&format!("u{n:05}"), &format!("unit {n}"));
        }
        Arc::new(vendor)
    }

    pub(crate) fn put(&self, id: &str, name: &str) {
        let at = self.changes.fetch_add(1, Ordering::SeqCst) as u64 + 1;
        self.rows.lock().insert(id.to_owned(), (at, name.to_owned()));
    }

    pub(crate) fn remove(&self, id: &str) {
        self.rows.lock().remove(id);
    }

    /// Id and name of everything: what the store must end up with.
    pub(crate) fn truth(&self) -> BTreeMap<String, String> {
        self.rows.lock().iter().map(|(id, (_, name))| (id.clone(), name.clone())).collect()
    }

    /// By change (`full` false) or by id, after a cursor.
    fn list(&self, full: bool, cursor: Option<&str>) -> Value {
        let rows = self.rows.lock();
        let mut all: Vec<_> = rows.iter().map(|(id, (at, name))| (id, *at, name)).collect();
        if full {
            all.retain(|(id, _, _)| cursor.is_none_or(|cursor| id.as_str() > cursor));
        } else {
            let after = cursor.map_or(0, |cursor| cursor.parse().unwrap());
            all.retain(|(_, at, _)| *at > after);
            all.sort_by_key(|(_, at, _)| *at);
        }
        let more = all.len() > self.page_size;
        all.truncate(self.page_size);
        let next = match all.last() {
            Some((id, at, _)) => json!(if full { (*id).clone() } else { at.to_string() }),
            None => json!(cursor),
        };
        let items: Vec<_> = all.iter().map(|(id, at, name)| json!({"id": id, "name": name, "at": at})).collect();
        json!({"items": items, "next": next, "more": more})
    }

    fn answer(&self, url: &str, full: bool, cursor: Option<&str>) -> Value {
        self.asked.lock().push(url.to_owned());
        if url.contains("/token-page") { json!({"ok": true}) } else { self.list(full, cursor) }
    }
}

/// The connector. `mapping` can be another version's.
pub(crate) struct Script {
    vendor: Arc<Vendor>,
    manifest: Manifest,
    digest: String,
    mapping: Mapping,
    mutation: Option<Mutation>,
    /// What a delivery means.
    hook: Option<Hook>,
    /// Where it asks: another version may ask elsewhere.
    path: &'static str,
}

pub(crate) fn unit(item: &Value) -> Envelope {
    let payload = json!({"name": {"en": item["name"]}, "kind": {"code": "DEPARTMENT"}});
    Envelope {
        entity: "org_unit".to_owned(),
        external_id: item["id"].as_str().unwrap().to_owned(),
        updated_at_ms: item["at"].as_i64(),
        deleted: false,
        exchange: 1,
        pointer: String::new(),
        payload: serde_json::to_vec(&payload).unwrap(),
    }
}

impl Script {
    pub(crate) fn new(vendor: &Arc<Vendor>, mode: StreamMode, deletes: Deletes) -> Self {
        let stream =
            StreamManifest { description: "Units".to_owned(), entities: vec!["org_unit".to_owned()], mode, deletes };
        let manifest = Manifest {
            name: "scripted".to_owned(),
            version: "0.1.0".to_owned(),
            description: "A scripted connector".to_owned(),
            contract: "0.2.0".to_owned(),
            author: None,
            streams: [("units".parse().unwrap(), stream)].into(),
            actions: BTreeMap::new(),
            webhook: None,
            http: Default::default(),
            slots: BTreeMap::new(),
            config_schema: None,
            rate: None,
            budget: None,
            lineage: BTreeMap::new(),
        };
        Self {
            vendor: Arc::clone(vendor),
            manifest,
            digest: "sha256:1".to_owned(),
            mapping: Box::new(unit),
            mutation: None,
            hook: None,
            path: "units",
        }
    }

    pub(crate) fn mutating(mut self, mutation: impl Fn(&mut Page, Option<&str>) + Send + Sync + 'static) -> Self {
        self.mutation = Some(Box::new(mutation));
        self
    }

    pub(crate) fn mapping(
        mut self,
        digest: &str,
        mapping: impl Fn(&Value) -> Envelope + Send + Sync + 'static,
    ) -> Self {
        self.digest = digest.to_owned();
        self.mapping = Box::new(mapping);
        self
    }

    /// With other entities than units.
    pub(crate) fn carrying(mut self, entities: &[&str]) -> Self {
        let stream = self.manifest.streams.values_mut().next().unwrap();
        stream.entities = entities.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// With a webhook.
    pub(crate) fn taking(mut self, hook: impl Fn() -> ReceivedDelivery + Send + Sync + 'static) -> Self {
        let description = "Events".to_owned();
        let (entities, slots) = (Vec::new(), Vec::new());
        self.manifest.webhook =
            Some(WebhookManifest { description, entities, slots, proof: None, answer: None, socket: None });
        self.hook = Some(Box::new(hook));
        self
    }

    pub(crate) fn asking(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    fn full(&self) -> bool {
        self.manifest.streams.values().next().unwrap().mode == StreamMode::Full
    }

    /// What egress does: the tape first, then the network.
    async fn send(&self, tape: &dyn Tape, url: String, cursor: Option<&str>) -> Result<Arc<Exchange>, CallError> {
        let request = Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None, slot: None };
        let key = Exchange::key_of(&request);
        if let Some(exchange) = tape.recall(key) {
            return Ok(exchange);
        }
        if tape.sealed() {
            return Err(failure(FailureKind::InvalidInput, Some("not_recorded"), None));
        }
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        if self.vendor.asked.lock().len() >= self.vendor.hang_after.load(Ordering::SeqCst) {
            self.vendor.hung.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        if let Some(failure) = self.vendor.failures.lock().pop() {
            return Err(failure);
        }
        let body = serde_json::to_vec(&self.vendor.answer(&request.url, self.full(), cursor)).unwrap();
        let exchange = Arc::new(Exchange {
            method: request.method,
            url: request.url,
            request_headers: Vec::new(),
            request_body: None,
            response: Response { status: 200, headers: Vec::new(), body: Bytes::from(body) },
            at_ms: 1,
            took_ms: 1,
        });
        tape.record(key, Arc::clone(&exchange));
        tokio::task::yield_now().await;
        Ok(exchange)
    }
}

pub(crate) fn failure(kind: FailureKind, code: Option<&str>, retry_after_ms: Option<u64>) -> CallError {
    let code = code.map(str::to_owned);
    CallError::Failure {
        kind,
        code,
        message: "scripted".to_owned(),
        retry_after_ms,
        proved: false,
        usage: Usage::default(),
    }
}

#[async_trait]
impl Puller for Script {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    async fn pull(&self, reading: Reading, pull: Pull) -> Result<Page, CallError> {
        let cursor = pull.cursor.as_deref();
        let place = cursor.unwrap_or("begin");
        // The clock is part of the request, as with vendors that sign it: a resumed call must see the same one.
        let clock = reading.clock_ms;
        let first = self
            .send(reading.tape.as_ref(), format!("https://vendor.test/token-page/{place}?at={clock}"), cursor)
            .await?;
        let second = self
            .send(reading.tape.as_ref(), format!("https://vendor.test/{}?after={place}&at={clock}", self.path), cursor)
            .await?;
        let body: Value = serde_json::from_slice(&second.response.body).unwrap();
        let items = body["items"].as_array().unwrap();
        let mut records: Vec<_> = items.iter().map(|item| (self.mapping)(item)).collect();
        for (at, record) in records.iter_mut().enumerate() {
            record.pointer = format!("/items/{at}");
        }
        let mut page = Page {
            records,
            rejects: Vec::new(),
            findings: Vec::new(),
            omissions: Vec::new(),
            total: None,
            next: body["next"].as_str().map(str::to_owned),
            has_more: body["more"].as_bool().unwrap(),
            coverage: if self.full() { Coverage::Everything } else { Coverage::Changes },
            exchanges: vec![first, second],
            memory: None,
            usage: Usage::default(),
        };
        if let Some(mutation) = &self.mutation {
            mutation(&mut page, cursor);
        }
        Ok(page)
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        self.hook.is_some().then_some(self as &dyn Receiver)
    }

    async fn probe(&self, _reading: Reading) -> Result<Vec<Finding>, CallError> {
        Ok(vec![Finding { name: "token".to_owned(), ok: true, message: "good".to_owned() }])
    }
}

#[async_trait]
impl Receiver for Script {
    async fn receive(&self, _: Reading, _: Duration, _: Delivery) -> Result<ReceivedDelivery, CallError> {
        Ok((self.hook.as_ref().unwrap())())
    }

    fn redact(&self, bytes: Bytes) -> Bytes {
        bytes
    }
}

pub(crate) fn reject(id: Option<&str>) -> Reject {
    Reject {
        entity: "org_unit".to_owned(),
        external_id: id.map(str::to_owned),
        exchange: 1,
        pointer: "/items/0".to_owned(),
        reason: "/name: expected a string".to_owned(),
        raw: b"{}".to_vec(),
        code: "connector",
    }
}
