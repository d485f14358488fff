//! Channels and endpoints of the configuration, put together: secrets, grants, limits, texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use renmen_config::{
    Channel, ChannelKind, Endpoint as EndpointConfig, EndpointKind, Grant, Kafka, KafkaMode, KafkaSasl, Limits, Mail,
    MailSecurity, Slot, Sms,
};
use renmen_egress::{Egress, KafkaMechanism, KafkaSpec, MailSpec, SlotSpec};
use renmen_flow::{Destination, DestinationEntry};
use renmen_receiver::access::{ReceiverGrant, ReceiverLimits, connection_spec};
use renmen_receiver::channel::{MailChannel, MailOptions, SmsChannel, SmsOptions, StatusOptions, Success, Templates};
use renmen_receiver::endpoint::{
    ENDPOINT_SEAL, Endpoint, EndpointOptions, EventMode, StoredSwitch, TopicEndpoint, TopicOptions,
};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::{AuthRecipe, SealManifest};
use renmen_schema::{Text, text};
use renmen_store::Store;
use renmen_vault::Vault;

use super::connection::log_limits;
use super::{Deployment, Unloaded};
use crate::exit::Usage;

/// A `channel` or an `endpoint` that could not be loaded.
pub(super) type Failed = (&'static str, Unloaded);

/// A destination of flows that is not a connection of a plugin.
pub(crate) struct Receiver {
    pub(crate) tenant: TenantId,
    pub(crate) name: ConnectionName,
    pub(crate) entry: DestinationEntry,
}

impl Receiver {
    fn new(tenant: &TenantId, name: &ConnectionName, destination: Arc<dyn Destination>, limits: &Limits) -> Self {
        let entry = receiver_limits(limits).entry(destination);
        Self { tenant: tenant.clone(), name: name.clone(), entry }
    }

    /// One line at the start: where flows can send, and what.
    pub(crate) fn announce(&self) {
        let Self { tenant, name, entry } = self;
        let actions = entry.actions.keys().cloned().collect::<Vec<_>>().join(", ");
        let (parallel_max, push_timeout) = (entry.parallel_max, entry.push_timeout);
        tracing::info!(%tenant, receiver = %name, actions, parallel_max, ?push_timeout, "Receiver ready");
    }
}

/// The limits of a channel or an endpoint.
pub(super) fn receiver_limits(limits: &Limits) -> ReceiverLimits {
    ReceiverLimits {
        request_timeout: limits.request_timeout,
        response_bytes_max: limits.response_bytes_max,
        request_bytes_max: limits.request_bytes_max,
        parallel_max: limits.parallel_max,
        rate: limits.rate,
        logs: log_limits(limits),
    }
}

fn receiver_grant(grant: &Grant) -> ReceiverGrant {
    ReceiverGrant { plaintext: grant.plaintext, addresses: grant.addresses.clone() }
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
        let (receivers, failed) = self.receivers_unlogged(egress, vault, store)?;
        failed.iter().for_each(|(kind, off)| off.log(kind));
        Ok((receivers, failed.into_iter().map(|(_, off)| off).collect()))
    }

    /// The same without a line in the log for what cannot be loaded.
    pub(super) fn receivers_unlogged(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        store: &Arc<dyn Store>,
    ) -> anyhow::Result<(Vec<Receiver>, Vec<Failed>)> {
        let texts = &self.config.templates;
        let templates = Arc::new(
            Templates::load(texts.dir.as_deref(), texts.zone.clone())
                .map_err(|errors| Usage(Text::rendered(|| errors.to_string())))?,
        );
        let (mut receivers, mut off) = (Vec::new(), Vec::new());
        for (name, channel) in self.config.channels.iter().filter(|(_, channel)| channel.enabled) {
            match self.channel(egress, vault, name, channel, &templates) {
                Ok(destination) => {
                    receivers.push(Receiver::new(&channel.tenant, name, destination, &channel.limits));
                }
                Err(error) => off.push(("channel", Unloaded::of(&channel.tenant, name, &error))),
            }
        }
        for (name, endpoint) in self.config.endpoints.iter().filter(|(_, endpoint)| endpoint.enabled) {
            match self.endpoint(egress, vault, name, endpoint, store) {
                Ok(made) => receivers.push(Receiver::new(&endpoint.tenant, name, made, &endpoint.limits)),
                Err(error) => off.push(("endpoint", Unloaded::of(&endpoint.tenant, name, &error))),
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
                let (owner, limits) = ((&channel.tenant, name), receiver_limits(&channel.limits));
                let spec = connection_spec(owner, &urls, &receiver_grant(&channel.grant), &limits, slots);
                let spec = spec.context(text!("its URL", "其 URL"))?;
                let options = sms_options(sms, channel, spec.slots.keys().next().cloned());
                let made = SmsChannel::new(egress.connect(spec)?, Arc::clone(templates), options);
                Ok(Arc::new(made.map_err(|error| Usage(Text::rendered(|| error.to_string())))?))
            }
        }
    }

    pub(super) fn mail_spec(
        &self,
        vault: Option<&Vault>,
        name: &ConnectionName,
        channel: &Channel,
        mail: &Mail,
    ) -> anyhow::Result<MailSpec> {
        let login = channel.slots.iter().next();
        let credential = login.map(|(slot, given)| {
            self.secret(vault, &channel.tenant, given).with_context(|| text!("slot `{slot}`", "凭据槽 `{slot}`"))
        });
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
        endpoint: &EndpointConfig,
        store: &Arc<dyn Store>,
    ) -> anyhow::Result<Arc<dyn Destination>> {
        let (url, previous_until_ms) = match &endpoint.kind {
            EndpointKind::Webhook { url, previous_until_ms } => (url, *previous_until_ms),
            EndpointKind::Kafka(kafka) => return self.topics(egress, vault, name, endpoint, kafka),
        };
        let slots = self.receiver_slots(vault, &endpoint.tenant, &endpoint.slots, None, Some(ENDPOINT_SEAL))?;
        let (owner, limits) = ((&endpoint.tenant, name), receiver_limits(&endpoint.limits));
        let spec = connection_spec(owner, &[url], &receiver_grant(&endpoint.grant), &limits, slots);
        let options = EndpointOptions { url: url.clone(), previous_until_ms };
        let switch = StoredSwitch::new(Arc::clone(store), endpoint.tenant.clone(), name.clone());
        let connection = egress.connect(spec.context(text!("its URL", "其 URL"))?)?;
        Ok(Arc::new(Endpoint::new(connection, Arc::new(switch), options)?))
    }

    fn topics(
        &self,
        egress: &Arc<Egress>,
        vault: Option<&Vault>,
        name: &ConnectionName,
        endpoint: &EndpointConfig,
        kafka: &Kafka,
    ) -> anyhow::Result<Arc<dyn Destination>> {
        let producer = egress.kafka(self.kafka_spec(vault, name, endpoint, kafka)?)?;
        let mode = match kafka.mode {
            KafkaMode::Structured => EventMode::Structured,
            KafkaMode::Binary => EventMode::Binary,
        };
        Ok(Arc::new(TopicEndpoint::new(producer, TopicOptions { topic: kafka.topic.clone(), mode })))
    }

    pub(super) fn kafka_spec(
        &self,
        vault: Option<&Vault>,
        name: &ConnectionName,
        endpoint: &EndpointConfig,
        kafka: &Kafka,
    ) -> anyhow::Result<KafkaSpec> {
        let mechanism = match kafka.sasl {
            KafkaSasl::Plain => KafkaMechanism::Plain,
            KafkaSasl::ScramSha256 => KafkaMechanism::ScramSha256,
            KafkaSasl::ScramSha512 => KafkaMechanism::ScramSha512,
        };
        let login = endpoint.slots.iter().next().map(|(slot, given)| {
            let secret = self.secret(vault, &endpoint.tenant, given);
            secret.with_context(|| text!("slot `{slot}`", "凭据槽 `{slot}`")).map(|secret| (mechanism, secret))
        });
        let limits = &endpoint.limits;
        Ok(KafkaSpec {
            tenant: endpoint.tenant.clone(),
            connection: name.clone(),
            brokers: kafka.brokers.clone(),
            tls: kafka.tls,
            login: login.transpose()?,
            addresses: endpoint.grant.addresses.clone(),
            timeout: limits.request_timeout,
            record_bytes_max: limits.request_bytes_max,
            answer_bytes_max: limits.response_bytes_max,
            rate: limits.rate,
        })
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
            let secret =
                self.secret(vault, tenant, given).with_context(|| text!("slot `{name}`", "凭据槽 `{name}`"))?;
            // Its address is next to it in the file: the operator wrote both.
            let auth = auth.cloned();
            Ok((
                name.clone(),
                SlotSpec { secret: Some(secret), to: None, audience: vec![], auth, public: vec![], seal },
            ))
        };
        given.iter().map(slot).collect()
    }
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
