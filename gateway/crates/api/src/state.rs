//! What every request handler shares, and the limits that it works under.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use renmen_analysis::{Analysis, Schedule};
use renmen_flow::FlowEngine;
use renmen_interview::{AdjustOptions, LinkDesk};
use renmen_ledger::Ledger;
use renmen_people::People;
use renmen_receiver::endpoint::EndpointRegistry;
use renmen_records::Desk;
use renmen_schema::id::TenantId;
use renmen_store::{ApiKeyRow, KeyRole, Store};
use tokio_util::sync::CancellationToken;

use crate::caller::Caller;
use crate::configuration::Configuration;
use crate::control::Control;
use crate::fan_out::FanOut;
use crate::guesses::Guesses;
use crate::hooks::Hooks;
use crate::interviews::Interviews;
use crate::key::ApiKey;
use crate::key_ring::KeyRing;
use crate::limit::Reached;
use crate::pool::Pool;

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Who shows an API key, and then of its own tenant.
    Key,
    /// Besides, any program on this machine: all of it. A proxy on this machine is one, so it must not pass `/metrics` on.
    Loopback,
    /// Closed to everyone: the path does not exist.
    Off,
}

/// Limits of the API. Each has a default that suits one machine.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Network connections at once; further ones take the place of those that make the gateway wait, or are turned away.
    pub connections_max: usize,
    /// The same from one address that is neither this machine nor one of `proxies`.
    pub connections_per_address_max: usize,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpNet>,
    /// From a request's first byte to the end of its head.
    pub head_timeout: Duration,
    /// From an answer to the next request on the same connection.
    pub idle_timeout: Duration,
    /// How long a client may leave an answer untaken.
    pub write_timeout: Duration,
    /// Headers of one request; one with more is refused with 431.
    pub headers_max: usize,
    /// A request's head beyond this is refused with 431. Bytes.
    pub head_bytes_max: usize,
    /// A request body beyond this is refused with 413. Bytes.
    pub body_bytes_max: usize,
    /// A path with its query beyond this is refused with 414. Bytes.
    pub uri_bytes_max: usize,
    /// A request that takes longer is answered with 503; long poll and event stream take their own time.
    pub deadline: Duration,
    /// Requests worked on at once, shared by tenants; the next one is answered with 503 and `Retry-After`.
    pub requests_max: usize,
    /// Keys and tokens looked up at once, shared by senders; the next one is answered with 503.
    pub lookups_max: usize,
    /// Deliveries of vendors held at once, shared by connections and senders; the next one is answered with 503 and comes
    /// again. Bytes.
    pub delivery_bytes_max: usize,
    /// Links to decisions that open nothing, of one sender in a minute; the next one is answered with 429.
    pub link_guesses_per_minute: u32,
    /// Long polls and event streams open at once, shared by tenants and their keys; the next one is answered with 429.
    pub streams_max: usize,
    /// What the event streams of one tenant keep in memory together. A reader that is further behind reads the store. Bytes.
    pub change_ring_bytes_max: usize,
    /// Longest `wait` of a long poll.
    pub wait_max: Duration,
    /// An event stream is closed after this; the reader goes on with `Last-Event-ID` and proves its key again.
    pub stream_life_max: Duration,
    /// A comment goes down an idle event stream this often, so that proxies keep it open.
    pub heartbeat: Duration,
    /// How much of a recorded body is shown, each of request and response. Bytes.
    pub exchange_body_bytes_max: usize,
    /// Bodies of one page of records: the page ends early when they pass this. Bytes.
    pub page_bytes_max: usize,
    /// References of the records of one answer that are looked up.
    pub references_max: usize,
    /// Revisions shown with a record.
    pub revisions_max: u32,
    /// How long a key that was good is believed without asking the store: also how long one that was revoked elsewhere still
    /// works. One that is revoked through this API is refused at once.
    pub key_cache_life: Duration,
    /// How long the answer to a request with an `Idempotency-Key` is kept.
    pub idempotency_life: Duration,
    /// How often it is written down when keys were last used.
    pub key_use_every: Duration,
    /// Who may read `/metrics`.
    pub metrics: MetricsAccess,
    /// How long requests under way may take to end after a shutdown was asked for.
    pub shutdown_grace: Duration,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            connections_per_address_max: 128,
            proxies: Vec::new(),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            headers_max: 100,
            head_bytes_max: 32 * 1024,
            body_bytes_max: 64 * 1024,
            uri_bytes_max: 8 * 1024,
            deadline: Duration::from_secs(5),
            requests_max: 256,
            lookups_max: 32,
            delivery_bytes_max: 64 * 1024 * 1024,
            link_guesses_per_minute: 30,
            streams_max: 64,
            change_ring_bytes_max: 4 * 1024 * 1024,
            wait_max: Duration::from_secs(60),
            stream_life_max: Duration::from_secs(15 * 60),
            heartbeat: Duration::from_secs(15),
            exchange_body_bytes_max: 1024 * 1024,
            page_bytes_max: 8 * 1024 * 1024,
            references_max: 2_000,
            revisions_max: 100,
            key_cache_life: Duration::from_secs(5),
            idempotency_life: Duration::from_secs(24 * 3_600),
            key_use_every: Duration::from_secs(60),
            metrics: MetricsAccess::Key,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// What the API serves.
pub struct ApiParts {
    /// Records, runs, keys and deliveries.
    pub store: Arc<dyn Store>,
    /// The running engine.
    pub control: Arc<dyn Control>,
    /// The configuration in use.
    pub configuration: Arc<dyn Configuration>,
    /// Takes vendors' deliveries in.
    pub hooks: Arc<dyn Hooks>,
    /// The interview loop.
    pub interviews: Arc<dyn Interviews>,
    /// Who is one person.
    pub people: Arc<People>,
    /// What the operator says of adjust instructions.
    pub adjust: AdjustOptions,
    /// Opens the links with which people decide. `None`: no address is set for them, so no link leads to a decision.
    pub decision_links: Option<LinkDesk>,
    /// The flows and their deliveries.
    pub flows: Arc<FlowEngine>,
    /// Payroll to the ledger.
    pub ledger: Arc<Ledger>,
    /// The endpoints of outgoing events.
    pub endpoints: Arc<EndpointRegistry>,
    /// Answers questions over many records.
    pub analysis: Arc<Analysis>,
    /// What is asked by itself, by tenant.
    pub schedules: BTreeMap<TenantId, Arc<Schedule>>,
    /// Renders what the process's recorder has collected.
    pub metrics: PrometheusHandle,
}

/// Shared by every request handler; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub(crate) store: Arc<dyn Store>,
    /// Takes what people write.
    pub(crate) desk: Arc<Desk>,
    pub(crate) control: Arc<dyn Control>,
    pub(crate) configuration: Arc<dyn Configuration>,
    pub(crate) hooks: Arc<dyn Hooks>,
    pub(crate) interviews: Arc<dyn Interviews>,
    pub(crate) people: Arc<People>,
    pub(crate) adjust: Arc<AdjustOptions>,
    /// None: no link leads to a decision.
    pub(crate) decision_links: Option<Arc<LinkDesk>>,
    pub(crate) flows: Arc<FlowEngine>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) endpoints: Arc<EndpointRegistry>,
    pub(crate) analysis: Arc<Analysis>,
    pub(crate) schedules: Arc<BTreeMap<TenantId, Arc<Schedule>>>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) options: Arc<ApiOptions>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) requests: Arc<Pool>,
    /// Keys and tokens that this process does not know and asks the store for.
    pub(crate) lookups: Arc<Pool>,
    /// Bytes of deliveries.
    pub(crate) deliveries: Arc<Pool>,
    pub(crate) streams: Arc<Pool>,
    /// What the event streams of a tenant read together.
    pub(crate) fan_out: Arc<FanOut>,
    /// Links that open nothing.
    pub(crate) guesses: Arc<Guesses>,
    pub(crate) reached: Arc<Reached>,
    /// Cancelled when the server closes: long polls and event streams end at once.
    pub(crate) closing: CancellationToken,
}

impl AppState {
    /// Puts together what the API serves, and the limits that it works under.
    #[must_use]
    pub fn new(parts: ApiParts, options: ApiOptions) -> Self {
        Self {
            desk: Arc::new(Desk::new(Arc::clone(&parts.store))),
            control: parts.control,
            configuration: parts.configuration,
            hooks: parts.hooks,
            interviews: parts.interviews,
            people: parts.people,
            adjust: Arc::new(parts.adjust),
            decision_links: parts.decision_links.map(Arc::new),
            flows: parts.flows,
            ledger: parts.ledger,
            endpoints: parts.endpoints,
            analysis: parts.analysis,
            schedules: Arc::new(parts.schedules),
            metrics: parts.metrics,
            keys: Arc::new(KeyRing::new(options.key_cache_life)),
            requests: Pool::new(options.requests_max as u64),
            lookups: Pool::new(options.lookups_max as u64),
            deliveries: Pool::new(options.delivery_bytes_max as u64),
            streams: Pool::new(options.streams_max as u64),
            fan_out: Arc::new(FanOut::new(Arc::clone(&parts.store), options.change_ring_bytes_max)),
            guesses: Arc::new(Guesses::new(options.link_guesses_per_minute)),
            reached: Arc::default(),
            store: parts.store,
            closing: CancellationToken::new(),
            options: Arc::new(options),
        }
    }

    /// Takes an owner's key that no store knows: it is good until this process ends, however it ends.
    #[must_use]
    pub fn with_key_of_this_process(self, key: &ApiKey, tenant: TenantId) -> Self {
        let row = ApiKeyRow::new(key.hash(), String::new(), tenant, KeyRole::Owner, 0);
        self.keys.own(Caller { stored: false, ..Caller::of(row) });
        self
    }

    /// The same for commands on this machine: they say for which person something is done.
    #[must_use]
    pub fn with_key_of_this_machine(self, key: &ApiKey, tenant: TenantId) -> Self {
        let row = ApiKeyRow::new(key.hash(), "command line", tenant, KeyRole::Owner, 0);
        self.keys.own(Caller { stored: false, names_people: true, ..Caller::of(row) });
        self
    }

    /// Forgets which keys were good a moment ago, because another process has revoked some.
    pub fn forget_keys(&self) {
        self.keys.forget_all();
    }
}
