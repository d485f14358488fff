//! Mail as a destination.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use renmen_egress::{Mail, MailError, Mailer};
use renmen_flow::{ActionInfo, Destination, Failure, Identity, Push, Receipt};
use serde_json::json;

use super::input::{self, Input};
use super::template::{Form, Templates};
use super::{SEND, input::invalid};
use crate::failure::from_egress;

/// What the deployment says of its mail.
#[derive(Debug, Clone)]
pub struct MailOptions {
    /// `Renmen <hr@example.com>`.
    pub from: String,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<String>,
    /// The language for readers whose language is unknown: `zh`.
    pub language: String,
}

/// A mail server that takes messages.
pub struct MailChannel {
    mailer: Arc<Mailer>,
    templates: Arc<Templates>,
    options: MailOptions,
}

impl MailChannel {
    /// A channel over a server.
    #[must_use]
    pub fn new(mailer: Arc<Mailer>, templates: Arc<Templates>, options: MailOptions) -> Self {
        Self { mailer, templates, options }
    }
}

#[async_trait]
impl Destination for MailChannel {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let send = ActionInfo {
            description: "Sends a mail".into(),
            input_schema: Some(input::schema(&self.templates)),
            // The message id stays the same, and most readers show such a mail once; a server promises nothing.
            identity: Identity::None,
            confirm: None,
        };
        BTreeMap::from([(SEND.to_owned(), send)])
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        if push.action != SEND {
            return Err(invalid(format!("a mail server has no action `{}`; it has `{SEND}`", push.action)));
        }
        let input = Input::read(&push.input)?;
        let texts = input.texts(&self.templates, Form::Mail, &self.options.language)?;
        let mail = Mail {
            from: self.options.from.clone(),
            reply_to: self.options.reply_to.clone(),
            to: input.recipients().to_vec(),
            subject: texts.subject.unwrap_or_default(),
            text: texts.text,
            html: texts.html,
            id: push.idempotency_key,
            at: instant(push.now_ms),
        };
        let taken = self.mailer.send(&mail).await.map_err(from_mail)?;
        let detail = json!({
            "status": taken.code, "answer": taken.answer, "language": texts.language,
            "template": input.template(), "recipients": mail.to.len(),
        });
        let serde_json::Value::Object(detail) = detail else { unreachable!("it is written as an object") };
        Ok(Receipt { reference: Some(mail.id), detail, confirmed: true })
    }
}

fn from_mail(error: MailError) -> Failure {
    match error {
        MailError::Egress(error) => from_egress(error),
        MailError::Refused { ref code } => Failure { code: Some(code.clone()), ..invalid(error.to_string()) },
        MailError::Invalid(message) => invalid(message),
    }
}

fn instant(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
