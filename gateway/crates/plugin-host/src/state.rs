//! What a store carries: everything that belongs to one call, and nothing that outlives it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use renmen_egress::{CallMemory, Connection, Exchange, FoundSecret, GATEWAY_MEMORY, Held, Tape};

use crate::call::Call;
use crate::failure::CallError;
use crate::guest_text;
use crate::limits::CallLimits;
use crate::memory::MemoryMeter;
use crate::usage::Usage;

/// A budget that a host function found spent: it ends the call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("limit {budget}: {message}")]
pub(crate) struct Spent {
    pub(crate) budget: &'static str,
    pub(crate) message: String,
}

/// The way out. `None` during the trial at load: a plugin that is only being loaded has no connection's grant.
pub(crate) struct Outside {
    pub(crate) egress: Arc<Connection>,
    pub(crate) tape: Arc<dyn Tape>,
    /// What the host holds of its requests and answers, until its page is committed.
    pub(crate) memory: Arc<CallMemory>,
}

/// The state of one call.
pub(crate) struct CallState {
    pub(crate) plugin: Arc<str>,
    pub(crate) limits: Arc<CallLimits>,
    pub(crate) outside: Option<Outside>,
    pub(crate) now_ms: i64,
    pub(crate) memory: MemoryMeter,
    pub(crate) http: HttpMeter,
    pub(crate) log: LogMeter,
    /// How often `seal` was asked so far.
    pub(crate) seal_calls: u32,
    /// Bytes that `seal` hashed so far, keys included.
    pub(crate) sealed_bytes: u64,
    /// A signature that `seal` compared was right.
    pub(crate) signature_matched: bool,
    /// Why a host function ended the call.
    pub(crate) spent: Option<Spent>,
}

/// What went over the network, or was recalled.
#[derive(Default)]
pub(crate) struct HttpMeter {
    pub(crate) calls: u32,
    /// Requests that were named before they are sent.
    pub(crate) named_ahead: u32,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// The number of the first exchange.
    pub(crate) first_number: u32,
    /// In the order of their numbers.
    pub(crate) exchanges: Vec<Arc<Exchange>>,
    /// The copies of the last answers on their way into the guest.
    pub(crate) lent: Option<Held>,
    /// How long the call has waited for answers that came.
    pub(crate) waited: Duration,
    /// Since when it waits for one that has not come.
    pub(crate) waits_since: Option<Instant>,
}

impl HttpMeter {
    /// How long the call has waited for the vendor until now.
    pub(crate) fn waited(&self) -> Duration {
        self.waited + self.waits_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// What was logged.
#[derive(Default)]
pub(crate) struct LogMeter {
    pub(crate) lines: u32,
    pub(crate) dropped: u32,
    /// The last line, if it was an error: a panic hook writes one just before the trap.
    pub(crate) last_words: Option<String>,
}

impl CallState {
    /// The state of a call for a connection.
    pub(crate) fn new(plugin: Arc<str>, call: &Call) -> Self {
        let share = call.egress.memory();
        let memory = CallMemory::new(share, call.limits.memory_bytes_max);
        let outside = Outside { egress: call.egress.clone(), tape: call.tape.clone(), memory };
        let trial = Self::trial(plugin, call.limits.clone());
        let meter = MemoryMeter::new(call.limits.memory_bytes_max, Some(share.clone()));
        Self { outside: Some(outside), now_ms: call.now_ms, memory: meter, ..trial }
    }

    /// The state of the trial at load.
    pub(crate) fn trial(plugin: Arc<str>, limits: Arc<CallLimits>) -> Self {
        Self {
            plugin,
            outside: None,
            now_ms: 0,
            memory: MemoryMeter::new(limits.memory_bytes_max, None),
            limits,
            http: HttpMeter::default(),
            log: LogMeter::default(),
            seal_calls: 0,
            sealed_bytes: 0,
            signature_matched: false,
            spent: None,
        }
    }

    /// Ends the call: keeps the reason and gives the error that a host function returns. The reason is kept
    /// separately because an error's text also goes through the engine.
    pub(crate) fn stop(&mut self, budget: &'static str, message: String) -> wasmtime::Error {
        let spent = Spent { budget, message };
        self.spent.get_or_insert_with(|| spent.clone());
        wasmtime::Error::new(spent)
    }

    /// The account of what the call brought, with room for the records of its page besides its exchanges; the guest's own memory
    /// is given back first.
    pub(crate) fn settle(&mut self, record_bytes: u64, usage: &Usage) -> Result<Option<Arc<CallMemory>>, CallError> {
        self.memory.give_back();
        self.http.lent = None;
        let Some(outside) = &self.outside else { return Ok(None) };
        // As the connector wrote them, and as they are normalized.
        match outside.memory.keep(record_bytes.saturating_mul(2)) {
            Ok(()) => Ok(Some(outside.memory.clone())),
            Err(refused) => {
                let (budget, message) = (GATEWAY_MEMORY, refused.to_string());
                Err(CallError::Budget { budget, message, usage: usage.clone() })
            }
        }
    }

    /// Guest text for an operator.
    pub(crate) fn clean(&self, text: &str, bytes_max: usize) -> String {
        guest_text::clean(text, bytes_max, |text| self.redact(text))
    }

    /// The text without live secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.outside {
            Some(outside) => outside.egress.redact(text),
            None => text.to_owned(),
        }
    }

    /// The secret that these bytes contain, if any; for bytes of which the guest learns what became of them.
    pub(crate) fn secret_in(&self, bytes: &[u8]) -> Option<FoundSecret> {
        self.outside.as_ref()?.egress.secret_in(bytes)
    }
}
