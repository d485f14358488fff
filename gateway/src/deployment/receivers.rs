//! Channels and endpoints of the configuration, put together: secrets, grants, limits, texts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use renmen_config::{Channel, ChannelKind, Endpoint as Planned, Grant, Limits, Mail, MailSecurity, Slot, Sms};
use renmen_egress::{Connection, ConnectionSpec, Egress, EgressLimits, MailSpec, OperatorGrant, SlotSpec};
use renmen_flow::Destination;
use renmen_flow::endpoint::{ENDPOINT_SEAL, Endpoint, EndpointOptions, Off, Switch};
use renmen_flow::notify::{MailChannel, MailOptions, SmsChannel, SmsOptions, StatusOptions, Success, Templates};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::{AuthRecipe, HttpWish, SealManifest};
use renmen_store::{EndpointOff, Store};
use renmen_vault::Vault;
use url::Url;

use super::connection::log_limits;
use super::{Deployment, Unloaded};
use crate::exit::Usage;

/// Bytes read of an answer: what a receiver has to say is in its status.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// What one attempt may take beyond its request: signing, waiting for a place.
const PUSH_MARGIN: Duration = Duration::from_secs(5);

/// A place where flows can send that is no connection of a plugin.
pub(crate) struct Receiver {
    pub(crate) tenant: TenantId,
    pub(crate) name: ConnectionName,
    pub(crate) destination: Arc<dyn Destination>,
    /// Attempts side by side.
    pub(crate) parallel_max: u32,
    /// For one attempt.
    pub(crate) push_timeout: Duration,
    /// The same place, when it is an endpoint.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
}

impl Receiver {
    /// A receiver that is no endpoint.
    pub(super) fn new(
        tenant: &TenantId,
        name: &ConnectionName,
        destination: Arc<dyn Destination>,
        limits: &Limits,
    ) -> Self {
        Self {
            tenant: tenant.clone(),
            name: name.clone(),
            destination,
            parallel_max: limits.parallel_max,
            push_timeout: limits.request_timeout.saturating_mul(2).saturating_add(PUSH_MARGIN),
            endpoint: None,
        }
    }

    /// One line at the start: where flows can send, and what.
    pub(crate) fn announce(&self) {
        let Self { tenant, name, destination, parallel_max, push_timeout, .. } = self;
        let actions = destination.actions().into_keys().collect::<Vec<_>>().join(", ");
        tracing::info!(%tenant, receiver = %name, actions, parallel_max, ?push_timeout, "Receiver ready");
    }
}

impl Deployment {
    /// Every channel and endpoint that is switched on, and those that are off because of what can be known to be wrong before
    /// anything is sent: an empty slot, a secret that cannot sign.
    ///
    /// # Errors
    /// Templates that cannot be read: they belong to all.
    pub(crate) fn receivers(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        store: &Arc<dyn Store>,
    ) -> anyhow::Result<(Vec<Receiver>, Vec<Unloaded>)> {
        let texts = &self.config.templates;
        let templates = Arc::new(
            Templates::load(texts.dir.as_deref(), texts.zone.clone()).map_err(|errors| Usage(errors.to_string()))?,
        );
        let (mut receivers, mut off) = (Vec::new(), Vec::new());
        for (name, channel) in self.config.channels.iter().filter(|(_, channel)| channel.enabled) {
            match self.channel(egress, vault, name, channel, &templates) {
                Ok(destination) => {
                    receivers.push(Receiver::new(&channel.tenant, name, destination, &channel.limits));
                }
                Err(error) => off.push(Unloaded::note("channel", &channel.tenant, name, &error)),
            }
        }
        for (name, endpoint) in self.config.endpoints.iter().filter(|(_, endpoint)| endpoint.enabled) {
            match self.endpoint(egress, vault, name, endpoint, store) {
                Ok(made) => {
                    let made = Arc::new(made);
                    let destination = Arc::clone(&made) as Arc<dyn Destination>;
                    let receiver = Receiver::new(&endpoint.tenant, name, destination, &endpoint.limits);
                    receivers.push(Receiver { endpoint: Some(made), ..receiver });
                }
                Err(error) => off.push(Unloaded::note("endpoint", &endpoint.tenant, name, &error)),
            }
        }
        Ok((receivers, off))
    }

    fn channel(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        name: &ConnectionName,
        channel: &Channel,
        templates: &Arc<Templates>,
    ) -> anyhow::Result<Arc<dyn Destination>> {
        match &channel.kind {
            ChannelKind::Mail(mail) => {
                let mailer = egress.mailer(self.mail_spec(vault, name, channel, mail)?)?;
                let options = MailOptions {
                    from: mail.from.clone(),
                    reply_to: mail.reply_to.clone(),
                    language: channel.language.clone(),
                };
                Ok(Arc::new(MailChannel::new(mailer, Arc::clone(templates), options)))
            }
            ChannelKind::Sms(sms) => {
                let slots = self.receiver_slots(vault, &channel.tenant, &channel.slots, sms.auth.as_ref(), None)?;
                let mut urls = vec![sms.url.as_str()];
                urls.extend(sms.status.as_ref().map(|status| status.url.as_str()));
                let owner = (&channel.tenant, name);
                let spec = spec(owner, &urls, &channel.grant, &channel.limits, slots)?;
                let options = sms_options(sms, channel, spec.slots.keys().next().cloned());
                let made = SmsChannel::new(egress.connect(spec)?, Arc::clone(templates), options);
                Ok(Arc::new(made.map_err(|error| Usage(error.to_string()))?))
            }
        }
    }

    fn mail_spec(
        &self,
        vault: Option<&Vault>,
        name: &ConnectionName,
        channel: &Channel,
        mail: &Mail,
    ) -> anyhow::Result<MailSpec> {
        let login = channel.slots.iter().next();
        let credential = login
            .map(|(slot, given)| self.secret(vault, &channel.tenant, given).with_context(|| format!("slot `{slot}`")));
        let limits = &channel.limits;
        Ok(MailSpec {
            tenant: channel.tenant.clone(),
            connection: name.clone(),
            host: mail.host.clone(),
            port: mail.port,
            security: match mail.security {
                MailSecurity::StartTls => renmen_egress::MailSecurity::StartTls,
                MailSecurity::Tls => renmen_egress::MailSecurity::Tls,
                MailSecurity::Plaintext => renmen_egress::MailSecurity::Plaintext,
            },
            credential: credential.transpose()?,
            addresses: channel.grant.addresses.clone(),
            timeout: limits.request_timeout,
            message_bytes_max: limits.request_bytes_max,
            recipients_max: mail.recipients_max,
            parallel_max: limits.parallel_max,
            rate: limits.rate,
        })
    }

    fn endpoint(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        name: &ConnectionName,
        endpoint: &Planned,
        store: &Arc<dyn Store>,
    ) -> anyhow::Result<Endpoint> {
        let (connection, options) = self.endpoint_way(egress, vault, name, endpoint)?;
        Ok(Endpoint::new(connection, endpoint_switch(store, name, endpoint), options)?)
    }

    /// The way to an endpoint's host, with its secrets.
    pub(super) fn endpoint_way(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        name: &ConnectionName,
        endpoint: &Planned,
    ) -> anyhow::Result<(Arc<Connection>, EndpointOptions)> {
        let slots = self.receiver_slots(vault, &endpoint.tenant, &endpoint.slots, None, Some(ENDPOINT_SEAL))?;
        let owner = (&endpoint.tenant, name);
        let connection = egress.connect(spec(owner, &[&endpoint.url], &endpoint.grant, &endpoint.limits, slots)?)?;
        let options = EndpointOptions { url: endpoint.url.clone(), previous_until_ms: endpoint.previous_until_ms };
        Ok((connection, options))
    }

    fn receiver_slots(
        &self,
        vault: Option<&Vault>,
        tenant: &TenantId,
        given: &BTreeMap<SlotName, Slot>,
        auth: Option<&AuthRecipe>,
        seal: Option<SealManifest>,
    ) -> anyhow::Result<BTreeMap<SlotName, SlotSpec>> {
        let slot = |(name, given): (&SlotName, &Slot)| {
            let secret = self.secret(vault, tenant, given).with_context(|| format!("slot `{name}`"))?;
            // Its address stands beside it in the file: the operator wrote both.
            let auth = auth.cloned();
            Ok((
                name.clone(),
                SlotSpec { secret: Some(secret), to: None, audience: vec![], auth, public: vec![], seal },
            ))
        };
        given.iter().map(slot).collect()
    }
}

/// An endpoint's switch, kept in the store.
pub(super) fn endpoint_switch(store: &Arc<dyn Store>, name: &ConnectionName, endpoint: &Planned) -> Arc<dyn Switch> {
    Arc::new(StoredSwitch { store: Arc::clone(store), tenant: endpoint.tenant.clone(), name: name.clone() })
}

/// A way to the hosts of these URLs and nowhere else. Nothing is repeated: the delivery is.
fn spec(
    (tenant, name): (&TenantId, &ConnectionName),
    urls: &[&str],
    grant: &Grant,
    limits: &Limits,
    slots: BTreeMap<SlotName, SlotSpec>,
) -> anyhow::Result<ConnectionSpec> {
    let origin = |url: &&str| {
        let url = Url::parse(url.split("{{").next().unwrap_or_default()).context("its URL")?;
        Ok(url.origin().ascii_serialization())
    };
    Ok(ConnectionSpec {
        tenant: tenant.clone(),
        connection: name.clone(),
        wish: HttpWish {
            hosts: urls.iter().map(origin).collect::<anyhow::Result<_>>()?,
            methods: ["POST", "PUT", "GET"].map(str::to_owned).into(),
        },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: grant.plaintext,
            addresses: grant.addresses.clone(),
            drop: None,
        },
        limits: EgressLimits {
            request_timeout: limits.request_timeout,
            response_bytes_max: limits.response_bytes_max.min(ANSWER_BYTES_MAX),
            request_bytes_max: limits.request_bytes_max,
            retries_max: 0,
            retry_wait_max: Duration::ZERO,
            parallel_max: limits.parallel_max,
            rate: limits.rate,
            budget: None,
            logs: log_limits(limits),
        },
        slots,
        config: serde_json::json!({}),
    })
}

fn sms_options(sms: &Sms, channel: &Channel, slot: Option<SlotName>) -> SmsOptions {
    SmsOptions {
        method: sms.method.clone(),
        url: sms.url.clone(),
        headers: sms.headers.clone(),
        body: sms.body.clone(),
        slot: slot.filter(|_| sms.auth.is_some()),
        success: Success {
            status: sms.success_status.clone(),
            pointer: sms.success_pointer.clone(),
            values: sms.success_values.clone(),
            refused: sms.success_refused.clone(),
        },
        reference: sms.reference.clone(),
        status: sms.status.as_ref().map(|status| StatusOptions {
            url: status.url.clone(),
            pointer: status.pointer.clone(),
            delivered: status.delivered.clone(),
            failed: status.failed.clone(),
        }),
        chars_max: sms.chars_max as usize,
        language: channel.language.clone(),
    }
}

/// An endpoint's switch in the store: "gone" outlasts the process.
struct StoredSwitch {
    store: Arc<dyn Store>,
    tenant: TenantId,
    name: ConnectionName,
}

#[async_trait]
impl Switch for StoredSwitch {
    async fn off(&self) -> Result<Option<Off>, String> {
        let row = self.store.endpoint(&self.tenant, &self.name).await.map_err(|error| error.to_string())?;
        let off = row.and_then(|row| row.off);
        Ok(off.map(|EndpointOff { reason, url, since_ms }| Off { reason, url, since_ms }))
    }

    async fn switch_off(&self, off: Off) -> Result<(), String> {
        let Off { reason, url, since_ms } = off;
        let row = Some(EndpointOff { reason, url, since_ms });
        let kept = self.store.switch_endpoint(&self.tenant, &self.name, row, since_ms).await;
        kept.map_err(|error| error.to_string())
    }
}
