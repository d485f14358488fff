//! One span for each call, `plugin.call`, with the figures of the call as its fields.

use renmen_schema::id::ConnectionName;
use tracing::Span;
use tracing::field::{Empty, display};

use crate::digest;
use crate::plugin::Plugin;
use crate::usage::Usage;

/// The span of a call. A call whose future is dropped ends with the outcome `cancelled`.
pub(crate) struct CallSpan {
    span: Span,
    ended: bool,
}

impl CallSpan {
    pub(crate) fn begin(plugin: &Plugin, export: &'static str, connection: &ConnectionName) -> Self {
        let manifest = plugin.manifest();
        let span = tracing::info_span!(
            target: "renmen::plugin",
            "plugin.call",
            plugin = manifest.name,
            version = manifest.version,
            digest8 = digest::short(plugin.digest()),
            export,
            connection = connection.as_str(),
            outcome = Empty,
            fuel = Empty,
            wall_ms = Empty,
            memory_peak_bytes = Empty,
            http_calls = Empty,
            bytes_in = Empty,
            bytes_out = Empty,
            records = Empty,
            log_lines = Empty,
            log_lines_dropped = Empty,
        );
        Self { span, ended: false }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn end(mut self, outcome: &str, usage: &Usage) {
        self.ended = true;
        self.span.record("outcome", display(outcome));
        self.span.record("fuel", usage.fuel);
        self.span.record("wall_ms", usage.wall_ms);
        self.span.record("memory_peak_bytes", usage.memory_peak_bytes);
        self.span.record("http_calls", usage.http_calls);
        self.span.record("bytes_in", usage.bytes_in);
        self.span.record("bytes_out", usage.bytes_out);
        self.span.record("records", usage.records);
        self.span.record("log_lines", usage.log_lines);
        self.span.record("log_lines_dropped", usage.log_lines_dropped);
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.span.record("outcome", display("cancelled"));
        }
    }
}
