//! A provider as data: templates of its requests, and how its answers are read. Everything that can be known to be wrong is said
//! when it is made.

use bytes::Bytes;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use renmen_egress::{Reply, Request};
use renmen_flow::Failure;
use renmen_schema::FailureKind;
use renmen_schema::id::SlotName;
use serde_json::Value;

use super::super::input::invalid;

/// Steps of one rendering.
const STEPS_MAX: u64 = 20_000;

/// Characters of a provider's id of a message.
const REFERENCE_CHARS_MAX: usize = 200;

/// How a provider takes a text message. `url`, `body` and the values of `headers` are templates over `to`, `text`, `language` and
/// `id` (the idempotency key); the filters `urlencode` and `tojson` put a text into its place.
#[derive(Debug, Clone)]
pub struct SmsOptions {
    /// The HTTP method, such as `POST`.
    pub method: String,
    /// The address of the request.
    pub url: String,
    /// The headers, in this order.
    pub headers: Vec<(String, String)>,
    /// The body; without it none is sent.
    pub body: Option<String>,
    /// The slot whose credential goes along.
    pub slot: Option<SlotName>,
    /// What means that the message was taken.
    pub success: Success,
    /// JSON Pointer to the provider's id of the message.
    pub reference: Option<String>,
    /// Where to ask what became of it.
    pub status: Option<StatusOptions>,
    /// Characters of one message; a longer one is refused. Providers charge by the piece.
    pub chars_max: usize,
    /// The language for readers whose language is unknown: `zh`.
    pub language: String,
}

/// What in an answer means yes: one of the statuses and, where a pointer is given, one of the values behind it.
#[derive(Debug, Clone)]
pub struct Success {
    /// HTTP statuses; empty means any of 200 to 299.
    pub status: Vec<u16>,
    /// JSON Pointer into the answer.
    pub pointer: Option<String>,
    /// Values there, as text: `0`, `OK`, `true`.
    pub values: Vec<String>,
    /// Values there that mean that another attempt cannot help: an invalid number, a text that is not allowed.
    pub refused: Vec<String>,
}

/// Where to ask what became of a message.
#[derive(Debug, Clone)]
pub struct StatusOptions {
    /// A template over `reference`.
    pub url: String,
    /// JSON Pointer to the state.
    pub pointer: String,
    /// States that mean that it arrived.
    pub delivered: Vec<String>,
    /// States that mean that it never will.
    pub failed: Vec<String>,
}

/// An option that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{option}`: {reason}")]
pub struct SmsError {
    /// Its key: `body`, `headers.x-id`, `status.url`.
    pub option: String,
    /// What is wrong and what to write.
    pub reason: String,
}

/// What a request is made of.
pub(super) struct Known<'a> {
    pub(super) to: &'a str,
    pub(super) text: &'a str,
    pub(super) language: &'a str,
    pub(super) id: &'a str,
}

/// The checked form of [`SmsOptions`].
pub(super) struct Provider {
    environment: Environment<'static>,
    options: SmsOptions,
}

impl Provider {
    pub(super) fn new(options: SmsOptions) -> Result<Self, SmsError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(STEPS_MAX));
        // The engine's own leaves `/` as it is, with which a text could leave its place in a path.
        environment.add_filter("urlencode", |text: String| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
        let mut provider = Self { environment, options };
        let message = ["to", "text", "language", "id"];
        let SmsOptions { url, body, headers, status, .. } = provider.options.clone();
        provider.template("url", url, &message)?;
        if let Some(body) = body {
            provider.template("body", body, &message)?;
        }
        for (name, value) in headers {
            provider.template(&format!("headers.{name}"), value, &message)?;
        }
        if let Some(status) = status {
            provider.template("status.url", status.url, &["reference"])?;
            provider.pointer("status.pointer", Some(&status.pointer))?;
            if provider.options.reference.is_none() {
                return Err(SmsError {
                    option: "reference".into(),
                    reason: "asking for the state needs the provider's id: write a pointer such as \"/data/id\"".into(),
                });
            }
        }
        provider.pointer("reference", provider.options.reference.as_deref())?;
        provider.pointer("success.pointer", provider.options.success.pointer.as_deref())?;
        Ok(provider)
    }

    fn template(&mut self, option: &str, text: String, fields: &[&str]) -> Result<(), SmsError> {
        let bad = |reason: String| SmsError { option: option.to_owned(), reason };
        self.environment.add_template_owned(option.to_owned(), text).map_err(|error| {
            bad(format!("line {}: {}: {}", error.line().unwrap_or(1), error.kind(), error.detail().unwrap_or_default()))
        })?;
        let template = self.environment.get_template(option).map_err(|error| bad(error.kind().to_string()))?;
        let mut named: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        named.sort();
        match named.iter().find(|name| !fields.contains(&name.as_str())) {
            Some(unknown) => Err(bad(format!("there is no `{unknown}` here; there are: {}", fields.join(", ")))),
            None => Ok(()),
        }
    }

    fn pointer(&self, option: &str, pointer: Option<&str>) -> Result<(), SmsError> {
        match pointer {
            Some(text) if !text.is_empty() && !text.starts_with('/') => Err(SmsError {
                option: option.to_owned(),
                reason: "a JSON Pointer begins with `/`, such as \"/data/id\"".into(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn language(&self) -> &str {
        &self.options.language
    }

    /// Can it be asked later?
    pub(super) fn tells(&self) -> bool {
        self.options.status.is_some()
    }

    /// Does a request carry the idempotency key? Then the provider can tell a repetition.
    pub(super) fn knows_key(&self) -> bool {
        let names = |name: &str| {
            self.environment.get_template(name).is_ok_and(|t| t.undeclared_variables(false).contains("id"))
        };
        names("url") || names("body") || self.options.headers.iter().any(|(name, _)| names(&format!("headers.{name}")))
    }

    /// The request for one message.
    pub(super) fn request(&self, known: &Known<'_>) -> Result<Request, Failure> {
        let chars = known.text.chars().count();
        let max = self.options.chars_max;
        if chars > max {
            return Err(invalid(format!("the text has {chars} characters, {max} are allowed (chars_max)")));
        }
        let values = context! { to => known.to, text => known.text, language => known.language, id => known.id };
        let mut headers = Vec::with_capacity(self.options.headers.len());
        for (name, _) in &self.options.headers {
            headers.push((name.clone(), self.rendered(&format!("headers.{name}"), &values)?));
        }
        let body = match &self.options.body {
            Some(_) => Some(Bytes::from(self.rendered("body", &values)?)),
            None => None,
        };
        Ok(Request {
            method: self.options.method.clone(),
            url: self.rendered("url", &values)?,
            headers,
            body,
            slot: self.options.slot.clone(),
        })
    }

    /// The request for a message's state.
    pub(super) fn question(&self, reference: &str) -> Result<Request, Failure> {
        let url = self.rendered("status.url", &context! { reference })?;
        Ok(Request { method: "GET".into(), url, headers: vec![], body: None, slot: self.options.slot.clone() })
    }

    fn rendered(&self, name: &str, values: &minijinja::Value) -> Result<String, Failure> {
        let template = self.environment.get_template(name);
        // The engine's detail may quote the text: only its kind is told.
        template
            .and_then(|template| template.render(values.clone()))
            .map_err(|error| invalid(format!("`{name}`: {}", error.kind())))
    }

    /// The provider's id of the message, when it took it.
    pub(super) fn taken(&self, reply: &Reply) -> Result<Option<String>, Failure> {
        check_status(reply, &self.options.success.status)?;
        let body = body_of(reply);
        if let Some(pointer) = &self.options.success.pointer {
            let found = body.as_ref().and_then(|body| text_at(body, pointer));
            if !found.as_ref().is_some_and(|found| self.options.success.values.contains(found)) {
                let refused = found.as_ref().is_some_and(|found| self.options.success.refused.contains(found));
                let kind = if refused { FailureKind::InvalidInput } else { FailureKind::UpstreamUnavailable };
                // A code says why; anything longer may repeat the text or the number.
                let code = found.filter(|code| code.len() <= 40 && !code.contains(char::is_whitespace));
                let message = "the provider's answer does not say that the message was taken".to_owned();
                return Err(Failure { code, ..Failure::new(kind, message) });
            }
        }
        let pointer = self.options.reference.as_deref();
        let reference = pointer.and_then(|pointer| text_at(body.as_ref()?, pointer));
        Ok(reference.map(|text| text.chars().take(REFERENCE_CHARS_MAX).collect()))
    }

    /// What became of a message, and whether that is the end of it.
    pub(super) fn state(&self, reply: &Reply) -> Result<(String, bool), Failure> {
        check_status(reply, &[])?;
        let Some(options) = &self.options.status else { return Err(invalid("this provider tells no states".into())) };
        let state = body_of(reply).as_ref().and_then(|body| text_at(body, &options.pointer)).ok_or_else(|| {
            Failure::new(FailureKind::UpstreamChanged, format!("the answer has no state at {}", options.pointer))
        })?;
        let state: String = state.chars().filter(|c| !renmen_schema::shown::is_deceptive(*c)).take(40).collect();
        if options.failed.contains(&state) {
            let message = "the provider says that the message will not arrive";
            return Err(Failure { code: Some(state), ..invalid(message.to_owned()) });
        }
        let delivered = options.delivered.contains(&state);
        Ok((state, delivered))
    }
}

fn check_status(reply: &Reply, wanted: &[u16]) -> Result<(), Failure> {
    let status = reply.response.status;
    let good = if wanted.is_empty() { (200..300).contains(&status) } else { wanted.contains(&status) };
    if good {
        return Ok(());
    }
    let kind = match status {
        401 | 403 => FailureKind::AuthRequired,
        429 => FailureKind::RateLimited,
        400 | 413 | 422 => FailureKind::InvalidInput,
        404 | 405 | 410 => FailureKind::BadConfig,
        _ => FailureKind::UpstreamUnavailable,
    };
    let message = format!("the provider answers with status {status}");
    Err(Failure { retry_after_ms: reply.retry_after_ms, code: Some(status.to_string()), ..Failure::new(kind, message) })
}

fn body_of(reply: &Reply) -> Option<Value> {
    serde_json::from_slice(&reply.response.body).ok()
}

fn text_at(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
