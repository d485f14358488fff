//! Whether the channels and endpoints that flows send to, besides connections, can be reached: a mail server accepts a
//! session with its login, and something answers behind a URL. Nothing is sent to anyone, and the only secret that
//! leaves is the login that the mail server asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use renmen_config::{Channel, ChannelKind, Endpoint, EndpointKind, Grant, Limits};
use renmen_egress::{ConnectionSpec, EgressLimits, NoTape, OperatorGrant, Request};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::HttpWish;
use renmen_schema::text;
use serde::Serialize;
use url::Url;

use super::Running;
use super::connection::log_limits;
use crate::exit::Usage;

/// Bytes of an answer of which only the status counts.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// The result for one channel or endpoint.
#[derive(Debug, Serialize)]
pub(crate) struct ReceiverCheck {
    /// Its key in the configuration.
    pub(crate) receiver: ConnectionName,
    /// `channel` or `endpoint`.
    pub(crate) kind: &'static str,
    pub(crate) ok: bool,
    /// What was proved, or why it cannot be reached.
    pub(crate) details: String,
}

impl Running {
    /// Every channel and endpoint that is on.
    pub(crate) async fn check_receivers(&self) -> Vec<ReceiverCheck> {
        let current = self.current();
        let config = &current.deployment.config;
        let is_off = |name: &ConnectionName| current.off.iter().any(|off| off.name == *name);
        let mut checks = Vec::new();
        for (name, channel) in config.channels.iter().filter(|(name, one)| one.enabled && !is_off(name)) {
            checks.push(ended(name, "channel", self.check_channel(name, channel).await));
        }
        for (name, endpoint) in config.endpoints.iter().filter(|(name, one)| one.enabled && !is_off(name)) {
            checks.push(ended(name, "endpoint", self.check_endpoint(name, endpoint).await));
        }
        checks
    }

    async fn check_channel(&self, name: &ConnectionName, channel: &Channel) -> anyhow::Result<String> {
        match &channel.kind {
            ChannelKind::Mail(mail) => {
                let current = self.current();
                let vault = current.deployment.vault()?;
                let spec = current.deployment.mail_spec(vault.as_ref(), name, channel, mail)?;
                let signed_in = if spec.credential.is_some() { ", and the login is taken" } else { "" };
                self.egress.mailer(spec)?.probe().await?;
                Ok(format!("{}:{} takes a session{signed_in}; no mail was sent", mail.host, mail.port))
            }
            ChannelKind::Sms(sms) => {
                self.answers((&channel.tenant, name), &sms.url, &channel.grant, &channel.limits).await
            }
        }
    }

    async fn check_endpoint(&self, name: &ConnectionName, endpoint: &Endpoint) -> anyhow::Result<String> {
        let kafka = match &endpoint.kind {
            EndpointKind::Webhook { url, .. } => {
                return self.answers((&endpoint.tenant, name), url, &endpoint.grant, &endpoint.limits).await;
            }
            EndpointKind::Kafka(kafka) => kafka,
        };
        let current = self.current();
        let vault = current.deployment.vault()?;
        let spec = current.deployment.kafka_spec(vault.as_ref(), name, endpoint, kafka)?;
        let signed_in = if spec.login.is_some() { ", the login is taken" } else { "" };
        // A topic that differs by tenant and entity is known; by connection, only when something is sent.
        let topic = kafka.topic.replace("{tenant}", endpoint.tenant.as_str());
        let mut topics: Vec<String> =
            endpoint.entities.iter().map(|entity| topic.replace("{entity}", entity)).collect();
        topics.retain(|topic| !topic.contains('{'));
        topics.dedup();
        let asked: Vec<&str> = topics.iter().map(String::as_str).collect();
        let brokers = self.egress.kafka(spec)?.probe(&asked).await?;
        Ok(format!(
            "the cluster of {brokers} brokers answers{signed_in}, topics found: {}; nothing was written",
            topics.len()
        ))
    }

    /// Asks the root of a URL's host, so that nothing of the receiver's own runs.
    async fn answers(
        &self,
        (tenant, name): (&TenantId, &ConnectionName),
        url: &str,
        grant: &Grant,
        limits: &Limits,
    ) -> anyhow::Result<String> {
        let fixed = url.split("{{").next().unwrap_or_default();
        let origin = Url::parse(fixed)
            .map_err(|_| Usage(text!("its URL cannot be read", "无法读取其 URL")))?
            .origin()
            .ascii_serialization();
        let spec = ConnectionSpec {
            tenant: tenant.clone(),
            connection: name.clone(),
            wish: HttpWish { hosts: vec![origin.clone()], methods: vec!["GET".to_owned()], ..HttpWish::default() },
            grant: OperatorGrant {
                hosts: None,
                methods: None,
                plaintext: grant.plaintext,
                addresses: grant.addresses.clone(),
                drop: None,
            },
            limits: EgressLimits {
                request_timeout: limits.request_timeout,
                response_bytes_max: ANSWER_BYTES_MAX,
                request_bytes_max: limits.request_bytes_max,
                retries_max: 0,
                retry_wait_max: Duration::ZERO,
                parallel_max: 1,
                rate: None,
                budget: None,
                logs: log_limits(limits),
            },
            slots: BTreeMap::new(),
            config: serde_json::json!({}),
        };
        let request = Request {
            method: "GET".to_owned(),
            url: format!("{origin}/"),
            headers: Vec::new(),
            body: None,
            slot: None,
        };
        let exchange = self.egress.connect(spec)?.send(request, &NoTape).await?;
        Ok(format!("{origin} answers (status {}); nothing was sent to it", exchange.response.status))
    }
}

fn ended(name: &ConnectionName, kind: &'static str, proved: anyhow::Result<String>) -> ReceiverCheck {
    let ok = proved.is_ok();
    let details = proved.unwrap_or_else(|error| format!("{error:#}"));
    ReceiverCheck { receiver: name.clone(), kind, ok, details }
}
