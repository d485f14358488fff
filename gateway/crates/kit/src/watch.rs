//! What a connector lets be heard: its log lines, and the requests that the way out refused. Both are told through tracing,
//! so the kit listens there, for its own calls alone.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// The target of a connector's own lines.
const PLUGIN: &str = "renmen::plugin";
/// What the way out says of a request that it did not let out.
const REFUSED: &str = "Request refused";

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The connector's lines.
    pub(crate) lines: Vec<String>,
    /// Requests that were refused, with the reason.
    pub(crate) refused: Vec<String>,
}

/// Listens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Heard>>);

impl Watch {
    /// To be the subscriber of a call.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(self.clone())
    }

    /// What was heard so far.
    pub(crate) fn heard<R>(&self, look: impl FnOnce(&Heard) -> R) -> R {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Subscriber for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && (metadata.target() == PLUGIN || metadata.target().starts_with("renmen_egress"))
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if event.metadata().target() == PLUGIN {
            heard.lines.push(text.message);
        } else if text.message == REFUSED {
            heard.refused.push(text.fields);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "method" | "place" | "error" => drop(write!(self.fields, "{value:?} ")),
            _ => {}
        }
    }
}
