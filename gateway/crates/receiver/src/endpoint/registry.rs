//! The life of endpoints: those of the configuration, which are only shown here, and those that are made over the API.
//!
//! What the store keeps of an endpoint is what it is. It is written first; what is in use and the flows that feed the endpoint follow
//! it. So a process that ends in between leaves nothing that the next one does not put right: [`EndpointRegistry::load`] puts every
//! kept endpoint into use, brings its flows to what it says, and ends the flows of one that was taken away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use renmen_egress::{Connection, Egress, SlotSpec};
use renmen_flow::{Clock, Definition, Destination, DestinationEntry, FLOWS_MAX, FlowEngine, FlowError};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::{DeliveryQuery, DeliveryState, FlowOrigin};
use renmen_store::{EndpointOff, EndpointRow, Store};
use renmen_vault::{Secret, Vault};
use serde_json::Value;

use super::definition::fed_endpoint;
use super::signing::{self, KeptEndpoint};
use super::{ENDPOINT_SEAL, Endpoint, EndpointDefinition, EndpointError, EndpointOptions, StoredSwitch};
use crate::access::{ReceiverGrant, ReceiverLimits, connection_spec};

/// Dead deliveries that are read at once.
const PAGE: u32 = 500;

type EndpointKey = (TenantId, ConnectionName);

/// Opens the vault; none where the configuration names none.
pub type OpenVault = Box<dyn Fn() -> Result<Option<Vault>, EndpointError> + Send + Sync>;

/// What a registry is made of.
pub struct EndpointParts {
    /// Keeps the endpoints of the API.
    pub store: Arc<dyn Store>,
    /// Feed the endpoints.
    pub flows: Arc<FlowEngine>,
    /// Sends to them.
    pub egress: Arc<Egress>,
    /// Tells until when a former secret signs.
    pub clock: Arc<dyn Clock>,
    /// Where signing secrets are kept.
    pub open_vault: OpenVault,
    /// Of every endpoint of the API.
    pub limits: ReceiverLimits,
    /// What the configuration says.
    pub names: EndpointNames,
}

/// What the configuration says of endpoints.
#[derive(Debug, Clone, Default)]
pub struct EndpointNames {
    /// The endpoints of the configuration: read-only here.
    pub configured: BTreeMap<(TenantId, ConnectionName), ConfiguredEndpoint>,
    /// Names of connections and channels: no endpoint can have one of these.
    pub taken: BTreeSet<(TenantId, ConnectionName)>,
}

/// An endpoint of the configuration, as it is shown.
#[derive(Debug, Clone)]
pub struct ConfiguredEndpoint {
    /// What it is told.
    pub definition: EndpointDefinition,
    /// Until when its former secret signs too. Milliseconds since the epoch.
    pub previous_until_ms: Option<i64>,
}

/// An endpoint as it stands. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointView {
    /// Its name.
    pub name: ConnectionName,
    /// True: of the configuration, and read-only.
    pub from_file: bool,
    /// What it is told, every change written out.
    pub definition: EndpointDefinition,
    /// Until when its former secret signs too. Milliseconds since the epoch.
    pub previous_until_ms: Option<i64>,
    /// Why nothing is sent to it although it is enabled: its receiver answered that it wants no more.
    pub off: Option<EndpointOff>,
}

/// The endpoints of every tenant.
pub struct EndpointRegistry {
    parts: EndpointParts,
    /// As they are now: those of `parts` are where it began.
    names: RwLock<Arc<EndpointNames>>,
    /// The endpoints of the API that are in use, so that one can be given another URL or secret in its place.
    in_use: Mutex<BTreeMap<EndpointKey, Arc<Endpoint>>>,
    /// One change of an endpoint after the other: store, flows and what is in use go together.
    turn: tokio::sync::Mutex<()>,
}

/// Where an endpoint's events go, with the secrets that sign them: all that can be wrong with it was looked at.
type Route = (Arc<Connection>, EndpointOptions);

impl EndpointRegistry {
    /// A registry that has nothing in use yet.
    #[must_use]
    pub fn new(parts: EndpointParts) -> Self {
        let names = RwLock::new(Arc::new(parts.names.clone()));
        Self { parts, names, in_use: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Another configuration: what it says counts from now on. [`EndpointRegistry::load`] is to follow.
    pub fn replace_names(&self, names: EndpointNames) {
        *self.names.write() = Arc::new(names);
    }

    fn names(&self) -> Arc<EndpointNames> {
        Arc::clone(&self.names.read())
    }

    /// The endpoints of the API that are in use, as flows send to them.
    #[must_use]
    pub fn destinations(&self) -> Vec<((TenantId, ConnectionName), DestinationEntry)> {
        let in_use = self.in_use.lock();
        let entry = |(key, endpoint): (&EndpointKey, &Arc<Endpoint>)| {
            (key.clone(), self.parts.limits.entry(Arc::clone(endpoint) as Arc<dyn Destination>))
        };
        in_use.iter().map(entry).collect()
    }

    /// Puts the kept endpoints into use, and their flows in order, for all that a former process left undone. One that cannot be used
    /// is logged and passed over: its events wait. `tenants`: whose flows are looked at.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(&self, tenants: &BTreeSet<TenantId>) -> Result<(), EndpointError> {
        let _turn = self.turn.lock().await;
        let rows = self.parts.store.endpoints().await?;
        let kept: BTreeSet<EndpointKey> = rows
            .iter()
            .filter(|row| row.definition.is_some())
            .map(|row| (row.tenant.clone(), row.name.clone()))
            .collect();
        for EndpointRow { tenant, name, definition, .. } in rows {
            let Some(definition) = definition else { continue };
            if let Err(error) = self.load_one(&tenant, &name, &definition).await {
                tracing::error!(%tenant, endpoint = %name, %error, "An endpoint cannot be used; its events wait");
            }
        }
        // Taken away through another gateway.
        let gone: Vec<EndpointKey> = self.in_use.lock().keys().filter(|key| !kept.contains(*key)).cloned().collect();
        for (tenant, name) in gone {
            self.in_use.lock().remove(&(tenant.clone(), name.clone()));
            if !self.is_configured(&tenant, &name) && !self.names().taken.contains(&(tenant.clone(), name.clone())) {
                self.parts.flows.remove_destination(&tenant, &name);
            }
        }
        for tenant in tenants.iter().chain(kept.iter().map(|(tenant, _)| tenant)).collect::<BTreeSet<_>>() {
            let ended = self.end_flows(tenant, |name| !kept.contains(&(tenant.clone(), name.clone()))).await?;
            if ended > 0 {
                tracing::warn!(%tenant, flows = ended, "Flows ended whose endpoint had been taken away");
            }
        }
        Ok(())
    }

    async fn load_one(&self, tenant: &TenantId, name: &ConnectionName, text: &str) -> Result<(), EndpointError> {
        let kept = KeptEndpoint::read(text)?;
        self.check_name(tenant, name)?;
        kept.definition.check()?;
        let route = self.route(tenant, name, &kept)?;
        self.use_route(tenant, name, route)?;
        self.bring_flows(tenant, name, &kept.definition.flows(name)).await
    }

    /// A tenant's endpoints by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<EndpointView>, EndpointError> {
        let rows = self.parts.store.endpoints().await?;
        let mut rows: BTreeMap<ConnectionName, EndpointRow> =
            rows.into_iter().filter(|row| row.tenant == *tenant).map(|row| (row.name.clone(), row)).collect();
        let mut views = Vec::new();
        let names = self.names();
        for ((_, name), one) in names.configured.iter().filter(|((owner, _), _)| owner == tenant) {
            let off = rows.remove(name).and_then(|row| row.off);
            views.push(view(name, true, one.definition.clone(), one.previous_until_ms, off));
        }
        for (name, row) in rows {
            let Some(Ok(kept)) = row.definition.as_deref().map(KeptEndpoint::read) else { continue };
            if self.check_name(tenant, &name).and_then(|()| kept.definition.check()).is_ok() {
                views.push(view(&name, false, kept.definition, kept.signing.previous_until_ms(), row.off));
            }
        }
        views.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(views)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`EndpointError::NotFound`]; the store's.
    pub async fn endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointView, EndpointError> {
        let found = self.endpoints(tenant).await?.into_iter().find(|view| view.name == *name);
        found.ok_or_else(|| EndpointError::NotFound(name.clone()))
    }

    /// Makes an endpoint with a signing secret of its own, which is given this once; or changes one that was made here, and leaves its
    /// secret as it is. One that its receiver had switched off is on again.
    ///
    /// # Errors
    /// [`EndpointError::Invalid`] with what is wrong; [`EndpointError::Refused`] for one of the configuration, and where a limit is
    /// reached. Nothing is kept then. The vault's and the store's.
    pub async fn put(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        definition: EndpointDefinition,
    ) -> Result<(EndpointView, Option<Secret>), EndpointError> {
        let _turn = self.turn.lock().await;
        self.check_name(tenant, name)?;
        definition.check()?;
        let flows = definition.flows(name);
        self.check_flows(tenant, &flows).await?;
        let (signing, made) = match self.kept(tenant, name).await? {
            Some(kept) => (kept.signing, None),
            None => {
                let (signing, secret) = signing::make(&self.vault()?, tenant, name)?;
                (signing, Some(secret))
            }
        };
        let kept = KeptEndpoint { definition, signing };
        let route = self.route(tenant, name, &kept).inspect_err(|_| {
            if made.is_some() {
                self.forget(tenant, &kept.signing.names());
            }
        })?;
        // From here on a new secret stays: a write that fails may have been done all the same.
        self.keep(tenant, name, &kept).await?;
        self.parts.store.switch_endpoint(tenant, name, None, self.parts.clock.now_ms()).await?;
        self.use_route(tenant, name, route)?;
        self.bring_flows(tenant, name, &flows).await?;
        Ok((self.endpoint(tenant, name).await?, made))
    }

    /// Makes a new signing secret for an endpoint that was made here. The one before signs too for the overlap.
    ///
    /// # Errors
    /// [`EndpointError::NotFound`]; [`EndpointError::Refused`] for one of the configuration. The vault's and the store's.
    pub async fn rotate(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        overlap: Duration,
    ) -> Result<(EndpointView, Secret), EndpointError> {
        let _turn = self.turn.lock().await;
        if self.is_configured(tenant, name) {
            return Err(EndpointError::refused(
                format!("endpoint `{name}` is defined in the configuration: change its slots there"),
                format!("端点 `{name}` 在配置文件中定义，请在那里修改其 slots"),
            ));
        }
        let before = self.kept(tenant, name).await?.ok_or_else(|| EndpointError::NotFound(name.clone()))?;
        let (made, secret) = signing::make(&self.vault()?, tenant, name)?;
        let (fresh, now_ms) = (made.names(), self.parts.clock.now_ms());
        let until_ms = now_ms.saturating_add(i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX));
        let (signing, unused) = made.after(before.signing, until_ms, now_ms);
        let kept = KeptEndpoint { definition: before.definition, signing };
        let route = self.route(tenant, name, &kept).inspect_err(|_| self.forget(tenant, &fresh))?;
        // Kept before it signs: what signed is never unknown after a restart.
        self.keep(tenant, name, &kept).await?;
        self.use_route(tenant, name, route)?;
        self.forget(tenant, &unused);
        Ok((self.endpoint(tenant, name).await?, secret))
    }

    /// Takes an endpoint away that was made here; what it still has to get is withheld. What a former attempt at it left undone is
    /// done.
    ///
    /// # Errors
    /// [`EndpointError::NotFound`]; [`EndpointError::Refused`] for one of the configuration. The store's.
    pub async fn remove(&self, tenant: &TenantId, name: &ConnectionName) -> Result<(), EndpointError> {
        let _turn = self.turn.lock().await;
        if self.is_configured(tenant, name) {
            return Err(EndpointError::refused(
                format!("endpoint `{name}` is defined in the configuration: remove it there"),
                format!("端点 `{name}` 在配置文件中定义，请在那里删除"),
            ));
        }
        let row = self.parts.store.endpoint(tenant, name).await?.and_then(|row| row.definition);
        if row.is_some() {
            self.parts.store.drop_endpoint(tenant, name).await?;
        }
        if self.in_use.lock().remove(&(tenant.clone(), name.clone())).is_some() {
            self.parts.flows.remove_destination(tenant, name);
        }
        let ended = self.end_flows(tenant, |fed| fed == name).await?;
        if let Some(kept) = row.as_deref().and_then(|text| KeptEndpoint::read(text).ok()) {
            self.forget(tenant, &kept.signing.names());
        }
        if row.is_none() && ended == 0 { Err(EndpointError::NotFound(name.clone())) } else { Ok(()) }
    }

    /// Switches one on that its receiver had switched off.
    ///
    /// # Errors
    /// [`EndpointError::NotFound`]; the store's.
    pub async fn enable(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointView, EndpointError> {
        self.endpoint(tenant, name).await?;
        self.parts.store.switch_endpoint(tenant, name, None, self.parts.clock.now_ms()).await?;
        self.endpoint(tenant, name).await
    }

    /// Sends every event again that died at or after a time; how many.
    ///
    /// # Errors
    /// [`EndpointError::NotFound`]; the store's.
    pub async fn replay(&self, tenant: &TenantId, name: &ConnectionName, since_ms: i64) -> Result<u64, EndpointError> {
        self.endpoint(tenant, name).await?;
        let (state, connection) = (Some(DeliveryState::Dead), Some(name.clone()));
        let mut query = DeliveryQuery { state, connection, limit: PAGE, ..DeliveryQuery::default() };
        // All are found before one is sent again: what is replayed may be dead again by then. Oldest first, as they were made.
        let mut found = Vec::new();
        loop {
            let rows = self.parts.store.deliveries(tenant, &query).await?;
            query.before = rows.last().map(|row| row.id);
            let is_last = rows.len() < PAGE as usize;
            found.extend(rows.into_iter().filter(|row| row.updated_at_ms >= since_ms).map(|row| row.id));
            if is_last {
                break;
            }
        }
        let mut replayed = 0;
        for id in found.into_iter().rev() {
            match self.parts.flows.replay(tenant, id).await {
                Ok(_) => replayed += 1,
                // Another request was faster.
                Err(FlowError::Refused(_) | FlowError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(replayed)
    }
}

impl EndpointRegistry {
    fn is_configured(&self, tenant: &TenantId, name: &ConnectionName) -> bool {
        self.names().configured.contains_key(&(tenant.clone(), name.clone()))
    }

    /// Names of other tenants do not matter, so that nothing can be learnt about them.
    fn check_name(&self, tenant: &TenantId, name: &ConnectionName) -> Result<(), EndpointError> {
        if self.names().taken.contains(&(tenant.clone(), name.clone())) {
            return Err(EndpointError::refused(
                format!("`{name}` is the name of a connection or a channel: choose another name"),
                format!("`{name}` 已是某个连接或渠道的名称，请换一个名称"),
            ));
        }
        if self.is_configured(tenant, name) {
            return Err(EndpointError::refused(
                format!("endpoint `{name}` is defined in the configuration: change it there"),
                format!("端点 `{name}` 在配置文件中定义，请在那里修改"),
            ));
        }
        Ok(())
    }

    /// Can these flows be kept? Asked before anything is.
    async fn check_flows(&self, tenant: &TenantId, wanted: &BTreeMap<String, Value>) -> Result<(), EndpointError> {
        for source in wanted.values() {
            Definition::parse(source).map_err(FlowError::Defects)?;
        }
        let known: BTreeSet<String> =
            self.parts.flows.flows(tenant).await?.into_iter().map(|view| view.row.name).collect();
        let fresh = wanted.keys().filter(|flow| !known.contains(*flow)).count();
        if fresh == 0 || known.len() + fresh <= FLOWS_MAX {
            return Ok(());
        }
        let had = known.len();
        Err(EndpointError::refused(
            format!(
                "each of its entities needs a flow: {fresh} more, and this tenant has {had} of {FLOWS_MAX}; remove flows first"
            ),
            format!(
                "每个实体需要一个流程：还需 {fresh} 个，而该租户已有 {had} 个（上限 {FLOWS_MAX}），请先删除一些流程"
            ),
        ))
    }

    /// An endpoint that was made here; `None` when it does not exist or cannot be read.
    async fn kept(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Option<KeptEndpoint>, EndpointError> {
        let row = self.parts.store.endpoint(tenant, name).await?;
        Ok(row.and_then(|row| KeptEndpoint::read(&row.definition?).ok()))
    }

    async fn keep(&self, tenant: &TenantId, name: &ConnectionName, kept: &KeptEndpoint) -> Result<(), EndpointError> {
        let text = serde_json::to_string(kept).map_err(|error| EndpointError::Fault(error.to_string()))?;
        Ok(self.parts.store.put_endpoint(tenant, name, text, self.parts.clock.now_ms()).await?)
    }

    fn vault(&self) -> Result<Vault, EndpointError> {
        (self.parts.open_vault)()?.ok_or_else(|| {
            EndpointError::refused(
                "this gateway has no vault, so it has nowhere to keep the secret that would sign these events: its operator adds \
                 [vault] to the configuration, or defines the endpoint there",
                "此网关没有密钥库，无处保存为这些事件签名的密钥：请由运维人员在配置中添加 [vault]，或在配置中定义该端点",
            )
        })
    }

    fn forget(&self, tenant: &TenantId, names: &[String]) {
        if let Ok(Some(vault)) = (self.parts.open_vault)() {
            signing::forget(&vault, tenant, names);
        }
    }

    fn route(&self, tenant: &TenantId, name: &ConnectionName, kept: &KeptEndpoint) -> Result<Route, EndpointError> {
        let vault = self.vault()?;
        let mut slots = BTreeMap::new();
        for (slot, entry) in kept.signing.slots() {
            let secret = Some(vault.get(tenant, entry)?);
            let seal = Some(ENDPOINT_SEAL);
            slots.insert(slot, SlotSpec { secret, to: None, audience: vec![], auth: None, public: vec![], seal });
        }
        let (url, grant) = (kept.definition.url.clone(), ReceiverGrant::default());
        let spec = connection_spec((tenant, name), &[&url], &grant, &self.parts.limits, slots);
        let spec = spec.map_err(|error| EndpointError::Fault(format!("`url`: {error}")))?;
        let options = EndpointOptions { url, previous_until_ms: kept.signing.previous_until_ms() };
        Ok((self.parts.egress.connect(spec)?, options))
    }

    fn use_route(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        (connection, options): Route,
    ) -> Result<(), EndpointError> {
        let key = (tenant.clone(), name.clone());
        let mut in_use = self.in_use.lock();
        if let Some(known) = in_use.get(&key) {
            return Ok(known.replace(connection, options)?);
        }
        let switch = StoredSwitch::new(Arc::clone(&self.parts.store), tenant.clone(), name.clone());
        let endpoint = Arc::new(Endpoint::new(connection, Arc::new(switch), options)?);
        self.parts.flows.add_destination(tenant, name.clone(), self.parts.limits.entry(endpoint.clone()));
        in_use.insert(key, endpoint);
        Ok(())
    }

    /// Brings the flows that feed an endpoint to what its definition says. Those that say so already are left alone.
    async fn bring_flows(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        wanted: &BTreeMap<String, Value>,
    ) -> Result<(), EndpointError> {
        let known = self.parts.flows.flows(tenant).await?;
        for (flow, source) in wanted {
            if !known.iter().any(|view| view.row.name == *flow && view.definition == *source) {
                self.parts.flows.put(tenant, flow, source).await?;
            }
        }
        let surplus = |flow: &str| fed_endpoint(flow).as_ref() == Some(name) && !wanted.contains_key(flow);
        for view in known.iter().filter(|view| surplus(&view.row.name)) {
            self.parts.flows.remove(tenant, &view.row.name).await?;
        }
        Ok(())
    }

    /// Ends the flows that feed endpoints of the API of which this is true; how many.
    async fn end_flows(
        &self,
        tenant: &TenantId,
        ended: impl Fn(&ConnectionName) -> bool,
    ) -> Result<usize, EndpointError> {
        let mut count = 0;
        for view in self.parts.flows.flows(tenant).await? {
            let of_api = view.row.origin == FlowOrigin::Api;
            if of_api && fed_endpoint(&view.row.name).is_some_and(|name| ended(&name)) {
                self.parts.flows.remove(tenant, &view.row.name).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}

fn view(
    name: &ConnectionName,
    from_file: bool,
    mut definition: EndpointDefinition,
    previous_until_ms: Option<i64>,
    off: Option<EndpointOff>,
) -> EndpointView {
    definition.changes = definition.told_changes();
    // With another URL it is on again.
    let off = off.filter(|off| off.url == definition.url);
    EndpointView { name: name.clone(), from_file, definition, previous_until_ms, off }
}
