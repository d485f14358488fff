//! Text messages through any provider that takes them over HTTP. Which provider is data: how the request is written, what in the
//! answer means that it was taken, and where to ask later what became of it.

mod provider;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use renmen_egress::Connection;
use renmen_flow::{ActionInfo, Destination, Failure, Identity, Push, Receipt};
use renmen_schema::FailureKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use provider::{Known, Provider};
pub use provider::{SmsError, SmsOptions, StatusOptions, Success};

use super::input::{self, Input, invalid};
use super::template::{Form, Templates};
use super::{RESULT, SEND};
use crate::failure::from_egress;

/// A provider that takes text messages.
pub struct SmsChannel {
    connection: Arc<Connection>,
    templates: Arc<Templates>,
    provider: Provider,
}

/// The input of `message.result`, as a receipt gives it.
#[derive(Deserialize)]
struct Asked {
    reference: Option<String>,
}

impl SmsChannel {
    /// A channel over a connection to the provider's host.
    ///
    /// # Errors
    /// [`SmsError`] naming the option that cannot work.
    pub fn new(connection: Arc<Connection>, templates: Arc<Templates>, options: SmsOptions) -> Result<Self, SmsError> {
        Ok(Self { connection, templates, provider: Provider::new(options)? })
    }

    async fn send(&self, push: &Push) -> Result<Receipt, Failure> {
        let input = Input::read(&push.input)?;
        let texts = input.texts(&self.templates, Form::Sms, self.provider.language())?;
        let [to] = input.recipients() else {
            // One request each, so that one wrong number does not hold up the others.
            return Err(invalid("a text message has one recipient: make a delivery for each".into()));
        };
        let known = Known { to, text: &texts.text, language: &texts.language, id: &push.idempotency_key };
        let request = self.provider.request(&known)?;
        let reply = self.connection.send_once(request).await.map_err(from_egress)?;
        let reference = self.provider.taken(&reply)?;
        let detail = json!({
            "status": reply.response.status, "language": texts.language, "template": input.template(),
            "characters": texts.text.chars().count(),
        });
        let confirmed = reference.is_none() || !self.provider.tells();
        Ok(Receipt { reference, detail: object(detail), confirmed })
    }

    async fn result(&self, push: &Push) -> Result<Receipt, Failure> {
        let asked: Asked = serde_json::from_slice(&push.input)
            .map_err(|_| invalid(format!("the input of `{RESULT}` is the receipt of `{SEND}`")))?;
        let reference = asked.reference.ok_or_else(|| invalid("the receipt has no reference to ask for".into()))?;
        let request = self.provider.question(&reference)?;
        let reply = self.connection.send_once(request).await.map_err(from_egress)?;
        let (state, confirmed) = self.provider.state(&reply)?;
        Ok(Receipt { reference: Some(reference), detail: object(json!({ "state": state })), confirmed })
    }
}

#[async_trait]
impl Destination for SmsChannel {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let send = ActionInfo {
            description: "Sends a text message".into(),
            input_schema: Some(input::schema(&self.templates)),
            identity: if self.provider.knows_key() { Identity::Key } else { Identity::None },
            confirm: self.provider.tells().then(|| RESULT.to_owned()),
        };
        let mut actions = BTreeMap::from([(SEND.to_owned(), send)]);
        if self.provider.tells() {
            let result = ActionInfo {
                description: "Asks the provider what became of a text message".into(),
                identity: Identity::ReadBeforeWrite,
                ..ActionInfo::default()
            };
            actions.insert(RESULT.to_owned(), result);
        }
        actions
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        match push.action.as_str() {
            SEND => self.send(&push).await,
            RESULT if self.provider.tells() => self.result(&push).await,
            other => Err(Failure::new(FailureKind::InvalidInput, format!("this provider has no action `{other}`"))),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
