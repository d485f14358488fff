//! `renmen plugin run`: pages of a real system through the real sandbox and the real network client, for its author's eyes.
//! Nothing is kept. The grant is what the manifest asks for and nothing more, so that what works here works in a gateway
//! whose operator allows what was asked.

mod seen;
mod tape;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{
    ConnectionSpec, Egress, EgressLimits, EgressOptions, Exchange, OperatorGrant, RefreshInMemory, SlotSpec, Tape,
};
use renmen_plugin_host::{Call, CallError, CallLimits, HostOptions, Page, Plugin, PluginHost, Pull};
use renmen_schema::id::{ConnectionName, SlotName, StreamName, TenantId};
use renmen_schema::{Text, text};
use renmen_vault::Secret;
use tracing::instrument::WithSubscriber as _;

pub use seen::{Field, Figures, Refused, Report, Sent, Taken};
pub(crate) use seen::{covers, walk};
pub(crate) use tape::{Played, Recorder, body_of};

use crate::watch::Watch;
use crate::{KitError, budget};

/// Pages that one trial pulls at most.
pub const PAGES_MAX: u32 = 100;
/// Time of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of one answer, and of one request.
const RESPONSE_BYTES_MAX: u64 = 32 << 20;
const REQUEST_BYTES_MAX: u64 = 8 << 20;

/// What to pull, and with what.
pub struct Trial {
    /// The component.
    pub component: PathBuf,
    /// A stream of its manifest.
    pub stream: StreamName,
    /// The connection's configuration: a JSON object that the manifest's schema allows.
    pub config: serde_json::Value,
    /// Secrets by slot.
    pub slots: BTreeMap<SlotName, Secret>,
    /// Where to begin; none at the beginning.
    pub cursor: Option<String>,
    /// Records that a page may hold.
    pub max_records: u32,
    /// Pages to pull, 1 to [`PAGES_MAX`].
    pub pages: u32,
    /// Plain http and loopback addresses are allowed: a simulator on this machine.
    pub local: bool,
    /// The drop directory, for a connector that reads files.
    pub drop: Option<PathBuf>,
}

/// What a trial brought: the pages, every exchange of theirs, and why it ended early if it did.
pub struct TrialResult {
    /// The code that was run.
    pub plugin: Arc<Plugin>,
    /// The pages in order.
    pub pages: Vec<Page>,
    /// Every exchange in order, also those of a call that failed.
    pub exchanges: Vec<Arc<Exchange>>,
    /// Why there is no further page.
    pub failure: Option<CallError>,
    /// What the connector logged.
    pub lines: Vec<String>,
    /// When it was, in milliseconds since 1970: what the connector took for now.
    pub now_ms: i64,
}

impl Trial {
    /// Loads the component: what a caller needs to know before it has a configuration.
    ///
    /// # Errors
    /// [`KitError::Component`].
    pub async fn load(component: &std::path::Path) -> Result<Arc<Plugin>, KitError> {
        // A connector that is run by hand has just been built: there is no digest to pin.
        let host = PluginHost::new(HostOptions { cache_dir: None, dev: true });
        let host = host.map_err(|error| KitError::component(component, error))?;
        host.load(component, None).await.map_err(|error| KitError::component(component, error))
    }

    /// Pulls the pages.
    ///
    /// # Errors
    /// [`KitError`] when it could not even begin. A connector that fails is an outcome.
    pub async fn run(&self, plugin: Arc<Plugin>) -> Result<TrialResult, KitError> {
        if !plugin.manifest().streams.contains_key(&self.stream) {
            let known = plugin.manifest().streams.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(KitError::Usage(text!(
                "the plugin has no stream `{}`; it has: {known}",
                "插件没有数据流 `{}`；可用的为：{known}",
                self.stream
            )));
        }
        if self.pages == 0 || self.pages > PAGES_MAX {
            return Err(KitError::Usage(text!(
                "{} pages; expected 1 to {PAGES_MAX}",
                "{} 页；应为 1 到 {PAGES_MAX}",
                self.pages
            )));
        }
        let recorder = Arc::new(Recorder::default());
        let (now_ms, watch) = (renmen_clock::now_ms(), Watch::default());
        let call = self.call(&plugin, recorder.clone(), &self.config, now_ms)?;
        let pulled = pull(&plugin, &call, &self.stream, self.cursor.clone(), self.pages);
        let (pages, failure) = pulled.with_subscriber(watch.dispatch()).await;
        let lines = watch.heard(|heard| heard.lines.clone());
        Ok(TrialResult { plugin, pages, exchanges: recorder.exchanges(), failure, lines, now_ms })
    }

    pub(crate) fn call(
        &self,
        plugin: &Plugin,
        tape: Arc<dyn Tape>,
        config: &serde_json::Value,
        now_ms: i64,
    ) -> Result<Call, KitError> {
        let manifest = plugin.manifest();
        let refused = |error: renmen_egress::EgressError| KitError::Usage(Text::rendered(|| error.to_string()));
        let spec = ConnectionSpec {
            tenant: TenantId::new("default").map_err(|error| KitError::Usage(Text::rendered(|| error.to_string())))?,
            connection: connection_name()?,
            wish: manifest.http.clone(),
            grant: OperatorGrant {
                hosts: None,
                methods: None,
                plaintext: self.local,
                addresses: if self.local { loopback() } else { Vec::new() },
                drop: self.drop.clone(),
            },
            limits: EgressLimits {
                request_timeout: REQUEST_TIMEOUT,
                response_bytes_max: RESPONSE_BYTES_MAX,
                request_bytes_max: REQUEST_BYTES_MAX,
                retries_max: 1,
                retry_wait_max: Duration::from_secs(5),
                parallel_max: 4,
                rate: manifest.rate,
                budget: manifest.budget.clone(),
                logs: renmen_egress::LogLimits::default(),
            },
            slots: self.slot_specs(plugin)?,
            config: config.clone(),
        };
        let refresh_tokens = Some(Arc::new(RefreshInMemory::default()) as _);
        let options = EgressOptions { refresh_tokens, ..EgressOptions::default() };
        let egress = Egress::with(options).and_then(|egress| egress.connect(spec)).map_err(refused)?;
        let limits = CallLimits { page_records_max: self.max_records, ..budget::gateway_limits() };
        Ok(Call {
            connection: connection_name()?,
            config: config.to_string().into_bytes().into(),
            limits: Arc::new(limits),
            egress,
            tape,
            now_ms,
        })
    }

    fn slot_specs(&self, plugin: &Plugin) -> Result<BTreeMap<SlotName, SlotSpec>, KitError> {
        let manifest = plugin.manifest();
        let known = manifest.slots.keys().map(SlotName::as_str).collect::<Vec<_>>().join(", ");
        if let Some(stray) = self.slots.keys().find(|slot| !manifest.slots.contains_key(*slot)) {
            return Err(KitError::Usage(text!(
                "the plugin has no slot `{stray}`; it has: {known}",
                "插件没有凭据槽 `{stray}`；可用的为：{known}"
            )));
        }
        let mut specs = BTreeMap::new();
        for (name, wish) in &manifest.slots {
            let shared = wish.same_as.as_ref().and_then(|other| self.slots.get(other));
            let secret = self.slots.get(name).or(shared).cloned();
            if secret.is_none() && !wish.optional {
                let from = wish.same_as.as_ref().unwrap_or(name);
                let what = &wish.description;
                return Err(KitError::Usage(text!(
                    "slot `{from}` is empty ({what}): give --slot {from}=env:VARIABLE",
                    "凭据槽 `{from}` 为空（{what}）：请给出 --slot {from}=env:变量"
                )));
            }
            let (audience, auth) = (wish.audience.clone(), wish.auth.clone());
            specs.insert(
                name.clone(),
                SlotSpec { secret, to: None, audience, auth, public: Vec::new(), seal: wish.seal },
            );
        }
        Ok(specs)
    }
}

/// Page after page, as the gateway would pull them.
pub(crate) async fn pull(
    plugin: &Plugin,
    call: &Call,
    stream: &StreamName,
    mut cursor: Option<String>,
    pages_max: u32,
) -> (Vec<Page>, Option<CallError>) {
    let mut pages = Vec::new();
    for _ in 0..pages_max {
        let ask = Pull { stream: stream.clone(), cursor: cursor.clone(), only: Vec::new() };
        match plugin.pull(call.clone(), ask).await {
            Ok(page) => {
                let stands = page.next == cursor;
                cursor.clone_from(&page.next);
                let goes_on = page.has_more && !stands;
                pages.push(page);
                if !goes_on {
                    break;
                }
            }
            Err(error) => return (pages, Some(error)),
        }
    }
    (pages, None)
}

/// Of a trial there is one connection.
fn connection_name() -> Result<ConnectionName, KitError> {
    ConnectionName::new("trial").map_err(|error| KitError::Usage(Text::rendered(|| error.to_string())))
}

fn loopback() -> Vec<ipnet::IpNet> {
    ["127.0.0.0/8", "::1/128"].iter().filter_map(|range| range.parse().ok()).collect()
}
