//! One endpoint: the request for an event, and what its answer means.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::RwLock;
use renmen_egress::{Connection, EgressError, Reply, Request};
use renmen_flow::{ActionInfo, Destination, Failure, Identity, Push, Receipt, Retries};
use renmen_schema::FailureKind;
use renmen_schema::event::EVENT_MEDIA_TYPE;
use renmen_schema::id::SlotName;
use renmen_store::EndpointOff;
use serde_json::{Map, Value, json};

use super::event::event;
use super::{PREVIOUS_SECRET, SECRET, SEND, Switch, retries, signature};
use crate::failure::from_egress;

/// Characters of a receiver's answer that are kept of a refusal.
const ANSWER_CHARS_MAX: usize = 200;

/// Where events go.
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// The receiver.
    pub url: String,
    /// Until when the previous secret signs too, in milliseconds since the epoch; none: it does not.
    pub previous_until_ms: Option<i64>,
}

/// One receiver of events. Its URL and secrets may be replaced while it is in use: attempts under way go on with the old ones.
pub struct Endpoint {
    switch: Arc<dyn Switch>,
    route: RwLock<Arc<Route>>,
}

/// Where the events go now, and what signs them.
struct Route {
    connection: Arc<Connection>,
    options: EndpointOptions,
    secret: SlotName,
    previous: SlotName,
}

impl Endpoint {
    /// An endpoint over a connection to its host, whose slots are [`SECRET`] and [`PREVIOUS_SECRET`].
    ///
    /// # Errors
    /// [`EgressError::Auth`] when a secret cannot sign.
    pub fn new(
        connection: Arc<Connection>,
        switch: Arc<dyn Switch>,
        options: EndpointOptions,
    ) -> Result<Self, EgressError> {
        Ok(Self { switch, route: RwLock::new(Arc::new(Route::new(connection, options)?)) })
    }

    /// Another URL or other secrets, from the next attempt on.
    ///
    /// # Errors
    /// As [`Endpoint::new`]; everything stays as it was then.
    pub fn replace(&self, connection: Arc<Connection>, options: EndpointOptions) -> Result<(), EgressError> {
        *self.route.write() = Arc::new(Route::new(connection, options)?);
        Ok(())
    }

    async fn refused(&self, push: &Push, url: &str, reply: &Reply) -> Failure {
        let status = reply.response.status;
        if status == 410 {
            let reason = "the receiver answered 410 Gone: it no longer wants events".to_owned();
            if let Err(error) =
                self.switch.switch_off(EndpointOff { reason, url: url.to_owned(), since_ms: push.now_ms }).await
            {
                tracing::error!(%error, flow = %push.cause.flow, "Failed to disable an endpoint that answered 410");
            }
        }
        let kind = match status {
            429 => FailureKind::RateLimited,
            401 | 403 => FailureKind::AuthRequired,
            // Only a person can mend it: the outbox need not try for a day.
            410 => FailureKind::InvalidInput,
            _ => FailureKind::UpstreamUnavailable,
        };
        let message = match status {
            410 => "the receiver answers 410: the endpoint is switched off".to_owned(),
            300..=399 => {
                format!("the receiver answers {status}; redirects are not followed: give the endpoint its new URL")
            }
            _ => format!("the receiver answers {status}{}", stated_error(&reply.response.body)),
        };
        let failure = Failure::new(kind, message);
        Failure { code: Some(status.to_string()), retry_after_ms: reply.retry_after_ms, ..failure }
    }
}

#[async_trait]
impl Destination for Endpoint {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let send = ActionInfo {
            description: "Sends the change as an event".into(),
            identity: Identity::Key,
            ..ActionInfo::default()
        };
        BTreeMap::from([(SEND.to_owned(), send)])
    }

    fn retries(&self) -> Option<Retries> {
        Some(retries())
    }

    fn is_told_changes(&self) -> bool {
        true
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        if push.action != SEND {
            let message = format!("an endpoint has no action `{}`; it has `{SEND}`", push.action);
            return Err(Failure::new(FailureKind::InvalidInput, message));
        }
        let route = Arc::clone(&self.route.read());
        let off = self.switch.off().await.map_err(|why| Failure::new(FailureKind::UpstreamUnavailable, why))?;
        if let Some(EndpointOff { reason, .. }) = off.filter(|off| off.url == route.options.url) {
            let message = format!("the endpoint is off: {reason}; switch it on and replay");
            return Err(Failure::new(FailureKind::InvalidInput, message));
        }
        let request = route.request(&push, event(&push)?.into()).map_err(from_egress)?;
        let reply = route.connection.send_once(request).await.map_err(from_egress)?;
        let status = reply.response.status;
        if !(200..300).contains(&status) {
            return Err(self.refused(&push, &route.options.url, &reply).await);
        }
        let mut detail = Map::new();
        detail.insert("status".into(), json!(status));
        Ok(Receipt { reference: Some(message_id(&push)), detail, confirmed: true })
    }
}

impl Route {
    fn new(connection: Arc<Connection>, options: EndpointOptions) -> Result<Self, EgressError> {
        let slot = |name| SlotName::new(name).map_err(|error| EgressError::BadRequest(error.to_string()));
        let route = Self { connection, options, secret: slot(SECRET)?, previous: slot(PREVIOUS_SECRET)? };
        // Now rather than at the first event.
        signature::signatures(route.connection.seal(), &route.signing(i64::MIN), "check", 0, b"")?;
        Ok(route)
    }

    /// The slots that sign at a time: the new secret first.
    fn signing(&self, now_ms: i64) -> Vec<SlotName> {
        let overlaps = self.options.previous_until_ms.is_some_and(|until| now_ms < until);
        let previous = overlaps.then(|| self.previous.clone());
        [self.secret.clone()].into_iter().chain(previous).collect()
    }

    fn request(&self, push: &Push, body: Bytes) -> Result<Request, EgressError> {
        let timestamp_s = push.now_ms.div_euclid(1_000);
        let id = message_id(push);
        let slots = self.signing(push.now_ms);
        let signatures = signature::signatures(self.connection.seal(), &slots, &id, timestamp_s, &body)?;
        let headers = [
            ("content-type", EVENT_MEDIA_TYPE.to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp_s.to_string()),
            ("webhook-signature", signatures),
        ];
        Ok(Request {
            method: "POST".into(),
            url: self.options.url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: Some(body),
            slot: None,
        })
    }
}

/// The same for every attempt, and without the full stop that separates what is signed.
fn message_id(push: &Push) -> String {
    format!("msg_{}", push.idempotency_key)
}

/// What a receiver says in an `error`, `message` or `detail` of a JSON answer: more could be the event itself, sent back.
fn stated_error(body: &[u8]) -> String {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return String::new() };
    let text = ["error", "code"].iter().find_map(|key| answer.get(*key)?.as_str());
    let is_word = |text: &&str| !text.contains('@') && text.len() <= ANSWER_CHARS_MAX;
    text.filter(is_word)
        .map(|text| {
            format!(" ({})", text.chars().filter(|c| !renmen_schema::shown::is_deceptive(*c)).collect::<String>())
        })
        .unwrap_or_default()
}
