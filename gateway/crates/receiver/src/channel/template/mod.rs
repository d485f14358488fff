//! Templates of messages: built into the binary, replaced or added to by a directory of the deployment.
//!
//! One file is one message (`interview_invitation.toml`): which fields it has, with a sample of each, and its texts in each
//! language. Everything that can be known to be wrong is said at load, with file and line: an unknown field, a text that does not
//! parse, one that fails with the sample. At run time only the data can be wrong.

mod file;
mod filters;
mod load;
mod problem;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde_json::Map;

pub use problem::{TemplateErrors, TemplateProblem};

/// Steps of one rendering; the longest built-in text takes a few hundred.
const STEPS_MAX: u64 = 200_000;

/// Bytes of one rendered text. A mail's own limit is its channel's.
pub const RENDERED_BYTES_MAX: usize = 256 * 1024;

/// One text of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// One line over a mail.
    Subject,
    /// A mail without markup.
    Text,
    /// The same as HTML; data is escaped.
    Html,
    /// A text message.
    Sms,
}

impl Part {
    const ALL: [Self; 4] = [Self::Subject, Self::Text, Self::Html, Self::Sms];

    fn key(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Html => "html",
            Self::Sms => "sms",
        }
    }
}

/// What a channel sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The language that was found, such as `zh`.
    pub language: String,
    /// One line; none for a text message.
    pub subject: Option<String>,
    /// The mail's text, or the text message.
    pub text: String,
    /// For readers that show HTML.
    pub html: Option<String>,
}

/// A message is personal data, so only its size is shown.
impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered")
            .field("language", &self.language)
            .field("text_bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// Which form is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Subject, text and, where there is one, HTML.
    Mail,
    /// One short text.
    Sms,
}

/// Why a message could not be made of this data. No text holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No message of this name, or not in this form.
    #[error("{0}")]
    Unknown(String),
    /// A field is missing or has the wrong form.
    #[error("{0}")]
    Data(String),
}

/// All messages of a deployment.
pub struct Templates {
    environment: Environment<'static>,
    messages: BTreeMap<String, Message>,
}

/// What is known of one message.
struct Message {
    description: String,
    /// Fields with a sample value each.
    sample: Map<String, serde_json::Value>,
    optional: BTreeSet<String>,
    /// Language to the parts it has.
    languages: BTreeMap<String, BTreeSet<Part>>,
}

impl Templates {
    fn empty(zone: TimeZone) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(STEPS_MAX));
        filters::add(&mut environment, zone);
        Self { environment, messages: BTreeMap::new() }
    }

    /// The names of all messages, each with its one line for people.
    pub fn messages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.messages.iter().map(|(name, message)| (name.as_str(), message.description.as_str()))
    }

    /// Makes a message. `language` is a language tag (`zh-CN`); the message's own languages are searched for it, then for
    /// `fallback`, then the first one is taken. A field that the message does not know is passed over; an optional one that
    /// the data lacks is empty.
    ///
    /// # Errors
    /// [`RenderError`], naming message and field.
    pub fn render(
        &self,
        name: &str,
        form: Form,
        language: &str,
        fallback: &str,
        data: &Map<String, serde_json::Value>,
    ) -> Result<Rendered, RenderError> {
        let message = self.messages.get(name).ok_or_else(|| {
            let known = self.messages.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            RenderError::Unknown(format!("unknown message `{name}`; there are: {known}"))
        })?;
        let needed = if form == Form::Mail { Part::Text } else { Part::Sms };
        let language = message.language(needed, language, fallback).ok_or_else(|| {
            RenderError::Unknown(format!("message `{name}` has no `{}` in any language", needed.key()))
        })?;
        let data = message.complete(name, data)?;
        let text = |part: Part| match message.languages[language].contains(&part) {
            true => self.text(name, language, part, &data).map(Some),
            false => Ok(None),
        };
        let body = text(needed)?.unwrap_or_default();
        let (subject, html) = match form {
            Form::Sms => (None, None),
            // A line break in a name must not end the header.
            Form::Mail => (text(Part::Subject)?.map(|s| one_line(&s)), text(Part::Html)?),
        };
        let text = if form == Form::Sms { one_line(&body) } else { body };
        Ok(Rendered { language: language.to_owned(), subject, text, html })
    }

    fn text(&self, name: &str, language: &str, part: Part, data: &Value) -> Result<String, RenderError> {
        let at = || format!("message `{name}`, {}.{}", language, part.key());
        let template = self
            .environment
            .get_template(&template_name(name, language, part))
            .map_err(|_| RenderError::Unknown(format!("{} was not loaded", at())))?;
        // The engine's detail may quote a value: only its kind and line are told.
        let text = template.render(data.clone()).map_err(|error| {
            let line = error.line().unwrap_or(0);
            RenderError::Data(format!("{}, line {line}: {}", at(), error.kind()))
        })?;
        if text.len() > RENDERED_BYTES_MAX {
            let have = text.len();
            return Err(RenderError::Data(format!("{} has {have} bytes, {RENDERED_BYTES_MAX} are allowed", at())));
        }
        Ok(text)
    }
}

impl Message {
    fn language(&self, part: Part, wanted: &str, fallback: &str) -> Option<&str> {
        let has = |tag: &str| {
            let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
            self.languages.get_key_value(&primary).filter(|(_, parts)| parts.contains(&part))
        };
        let any = || self.languages.iter().find(|(_, parts)| parts.contains(&part));
        has(wanted).or_else(|| has(fallback)).or_else(any).map(|(language, _)| language.as_str())
    }

    /// The data with an empty value for every optional field that it lacks.
    fn complete(&self, name: &str, data: &Map<String, serde_json::Value>) -> Result<Value, RenderError> {
        let mut complete = Map::new();
        for (field, sample) in &self.sample {
            let given = data.get(field).filter(|value| !value.is_null());
            let value = match given {
                Some(value) if same_form(value, sample) => value.clone(),
                Some(_) => {
                    let form = form_of(sample);
                    return Err(RenderError::Data(format!("message `{name}`: field `{field}` must be {form}")));
                }
                None if self.optional.contains(field) => serde_json::Value::Null,
                None => {
                    return Err(RenderError::Data(format!("message `{name}`: field `{field}` is missing")));
                }
            };
            complete.insert(field.clone(), value);
        }
        Ok(Value::from(Serde(complete)))
    }
}

/// HTML is escaped by the ending of this name.
fn template_name(message: &str, language: &str, part: Part) -> String {
    let ending = if part == Part::Html { ".html" } else { ".txt" };
    format!("{message}/{language}/{}{ending}", part.key())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same_form(value: &serde_json::Value, sample: &serde_json::Value) -> bool {
    // A number may come as the text that a decimal is in the canonical records.
    form_of(value) == form_of(sample)
        || (value.is_string() && sample.is_number())
        || (value.is_number() && sample.is_string())
}

fn form_of(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "nothing",
        serde_json::Value::Bool(_) => "true or false",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
