//! The input of `message.send`: to whom, and what. Owns its form for all channels.

use renmen_flow::Failure;
use renmen_schema::FailureKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::template::{Form, RenderError, Rendered, Templates};

/// Recipients that one input may name; a channel's own limit may be lower.
const RECIPIENTS_MAX: usize = 1_000;

/// A message as a flow asks for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    to: To,
    template: Option<String>,
    locale: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum To {
    One(String),
    Many(Vec<String>),
}

impl Input {
    /// # Errors
    /// [`FailureKind::InvalidInput`]: no attempt makes another input of it. No text quotes a value.
    pub(super) fn read(input: &[u8]) -> Result<Self, Failure> {
        let read: Self = serde_json::from_slice(input).map_err(|error| {
            // The parser's message quotes values; the column and the schema are enough.
            invalid(format!(
                "the input of `message.send` does not fit at column {}: see its input schema",
                error.column()
            ))
        })?;
        match read.recipients().len() {
            0 => Err(invalid("`to` names no recipient".into())),
            n if n > RECIPIENTS_MAX => Err(invalid(format!("`to` names {n}, {RECIPIENTS_MAX} are allowed"))),
            _ => Ok(read),
        }
    }

    pub(super) fn recipients(&self) -> &[String] {
        match &self.to {
            To::One(one) => std::slice::from_ref(one),
            To::Many(many) => many,
        }
    }

    /// The texts: those of the template, or those that the input brings.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`] naming template and field.
    pub(super) fn texts(&self, templates: &Templates, form: Form, fallback: &str) -> Result<Rendered, Failure> {
        let own = self.subject.is_some() || self.text.is_some() || self.html.is_some();
        match &self.template {
            Some(_) if own => Err(invalid("give either `template` or the texts themselves".into())),
            Some(template) => {
                let locale = self.locale.as_deref().unwrap_or(fallback);
                Ok(templates.render(template, form, locale, fallback, &self.data)?)
            }
            None => {
                let text = self.text.clone().ok_or_else(|| invalid("`template` or `text` is missing".into()))?;
                if form == Form::Mail && self.subject.is_none() {
                    return Err(invalid("`subject` is missing".into()));
                }
                let language = self.locale.clone().unwrap_or_else(|| fallback.to_owned());
                Ok(Rendered { language, subject: self.subject.clone(), text, html: self.html.clone() })
            }
        }
    }

    pub(super) fn template(&self) -> Option<&str> {
        self.template.as_deref()
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        invalid(error.to_string())
    }
}

/// The JSON Schema of the input.
pub(super) fn schema(templates: &Templates) -> Value {
    let names: Vec<&str> = templates.messages().map(|(name, _)| name).collect();
    json!({
        "type": "object",
        "required": ["to"],
        "additionalProperties": false,
        "properties": {
            "to": {
                "description": "One address, or several",
                "anyOf": [
                    { "type": "string", "minLength": 1 },
                    { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1, "maxItems": RECIPIENTS_MAX },
                ],
            },
            "template": { "description": "The message's name", "enum": names },
            "locale": { "description": "The reader's language: zh-CN", "type": "string" },
            "data": { "description": "The fields of the template", "type": "object" },
            "subject": { "type": "string" },
            "text": { "type": "string" },
            "html": { "type": "string" },
        },
    })
}

pub(super) fn invalid(message: String) -> Failure {
    Failure::new(FailureKind::InvalidInput, message)
}
