//! `log`: lines for the operator, limited in number and length, secrets taken out.
//!
//! Beyond `log_lines_max` lines are dropped and counted, because a chatty connector still does its work; a flood ends the
//! call, because each dropped line costs the host something. A connection whose calls follow one another has so many lines a
//! minute besides (`log_lines_per_minute`).

use crate::bindings::renmen::connector::log::{Host, Level};
use crate::limits::CallLimits;
use crate::state::CallState;

impl Host for CallState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        // Asked first: what is dropped is not worth cleaning.
        let more = if self.log.lines < self.limits.log_lines_max { self.ask_for_line() } else { None };
        // An error's words are wanted even when its line is dropped: it may be the panic that explains the crash.
        self.log.last_words = None;
        if more.is_some() || level == Level::Error {
            let line = self.clean(&message, self.limits.log_line_bytes_max as usize);
            match more.as_deref() {
                Some("") => emit(&self.plugin, level, &line),
                Some(more) => emit(&self.plugin, level, &format!("{line} ({more})")),
                None => {}
            }
            if level == Level::Error {
                self.log.last_words = Some(line);
            }
        }
        if more.is_some() {
            self.log.lines += 1;
            return Ok(());
        }
        self.log.dropped = self.log.dropped.saturating_add(1);
        let allowed = u64::from(self.limits.log_lines_max);
        let flood = allowed.saturating_mul(CallLimits::LOG_FLOOD_FACTOR).max(CallLimits::LOG_FLOOD_FACTOR);
        let written = u64::from(self.log.lines) + u64::from(self.log.dropped);
        if written > flood {
            let factor = CallLimits::LOG_FLOOD_FACTOR;
            let message = format!(
                "the connector wrote {written} lines in one call, kept are {allowed}, {factor} times as many are a flood"
            );
            return Err(self.stop("log_lines_max", message));
        }
        Ok(())
    }
}

impl CallState {
    /// Has the connection a line left in this minute? Answers what that line says besides.
    fn ask_for_line(&self) -> Option<String> {
        let Some(outside) = &self.outside else { return Some(String::new()) };
        outside.egress.guest_lines().admit().words("log_lines_per_minute")
    }
}

/// The connection is a field of the span around it.
fn emit(plugin: &str, level: Level, line: &str) {
    match level {
        Level::Error => tracing::error!(target: "renmen::plugin", plugin, "{line}"),
        Level::Warn => tracing::warn!(target: "renmen::plugin", plugin, "{line}"),
        Level::Info => tracing::info!(target: "renmen::plugin", plugin, "{line}"),
        Level::Debug => tracing::debug!(target: "renmen::plugin", plugin, "{line}"),
    }
}
