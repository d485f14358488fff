//! Messages to people: mail and text messages, from templates in the reader's language.
//!
//! Owns what a message says and how a channel takes it. Must not know who is told what and when (that is a flow), and opens no
//! connection: `renmen-egress` does.
//!
//! A channel is a [`Destination`](renmen_flow::Destination) with the action `message.send`. Its input is either
//! `{"to": …, "template": "interview_invitation", "locale": "zh-CN", "data": {…}}` or, without a template, the texts themselves
//! (`subject`, `text`, `html`). The messages about interviews have the names of the notifications that ask for them.

mod input;
mod mail;
mod sms;
pub mod template;

pub use mail::{MailChannel, MailOptions};
pub use sms::{SmsChannel, SmsError, SmsOptions, StatusOptions, Success};
pub use template::{Form, RenderError, Rendered, TemplateErrors, TemplateProblem, Templates};

/// The action of every channel.
pub const SEND: &str = "message.send";

/// The action that reads back what became of a message, where the provider tells.
pub const RESULT: &str = "message.result";
