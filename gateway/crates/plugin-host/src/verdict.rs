//! What an ended call means: which budget, or which crash.
//!
//! wasmtime tells little: fuel is a trap, a denied growth is a bare `unreachable` of the guest, too much data across the
//! border is an error known by its text alone (a test holds on to that text).

use renmen_egress::GATEWAY_MEMORY;
use wasmtime::{Trap, WasmBacktrace};

use crate::failure::CallError;
use crate::guest_text::MESSAGE_BYTES_MAX;
use crate::limits::WASM_STACK_BYTES;
use crate::memory::Denied;
use crate::state::CallState;
use crate::usage::Usage;
use renmen_schema::FailureKind;

/// In the text of the error with which wasmtime ends a call that lifts more than the hostcall fuel allows.
const HOSTCALL_FUEL_TEXT: &str = "fuel allocated for hostcalls has been exhausted";
/// How many functions of a backtrace are shown.
const FRAMES_MAX: usize = 6;

/// The verdict over a call that ended with an error of the engine.
pub(crate) fn over(error: &wasmtime::Error, state: &CallState, usage: Usage) -> CallError {
    if let Some(spent) = &state.spent {
        return CallError::Budget { budget: spent.budget, message: spent.message.clone(), usage };
    }
    let trap = error.downcast_ref::<Trap>();
    let limits = &state.limits;
    if trap == Some(&Trap::OutOfFuel) {
        let message = format!("the connector used up its {} units of work in {} ms", limits.fuel_max, usage.wall_ms);
        return CallError::Budget { budget: "fuel_max", message, usage };
    }
    match state.memory.denied() {
        Some(Denied::Call(wanted)) => {
            let allowed = limits.memory_bytes_max;
            let message = format!("the connector wanted {wanted} bytes of memory, allowed are {allowed}");
            return CallError::Budget { budget: "memory_bytes_max", message, usage };
        }
        Some(Denied::Process(refused)) => {
            return CallError::Budget { budget: GATEWAY_MEMORY, message: refused.to_string(), usage };
        }
        None => {}
    }
    if trap.is_none() && error.root_cause().to_string().contains(HOSTCALL_FUEL_TEXT) {
        let allowed = limits.hostcall_bytes_max;
        let message = format!("the connector handed over more than {allowed} bytes at once");
        return CallError::Budget { budget: "hostcall_bytes_max", message, usage };
    }
    CallError::Crashed { message: crash(error, trap, state), usage }
}

/// The verdict over a call that ran out of time, maybe because its connection is held back.
pub(crate) fn late(state: &CallState, usage: Usage, held_back: bool) -> CallError {
    let allowed = state.limits.wall_clock.as_millis();
    let (calls, waited) = (usage.http_calls, state.http.waited().as_millis());
    if !held_back && waited * 5 >= allowed * 4 {
        // The connector had hardly any of the time: it is not to blame, and the vendor may be back in a while.
        let message = format!(
            "the vendor did not answer in time: the call was stopped after {allowed} ms, and {waited} ms of them it waited for the \
             vendor ({calls} requests sent). If the vendor is known to be slow, raise wall_clock and request_timeout"
        );
        let (kind, code) = (FailureKind::UpstreamUnavailable, Some("no_answer".to_owned()));
        let proved = state.signature_matched;
        return CallError::Failure { kind, code, message, retry_after_ms: None, proved, usage };
    }
    let mut message = format!("the call was stopped after {allowed} ms ({calls} requests sent)");
    if held_back {
        message.push_str("; its connection is held back by its CPU budget: raise cpu_share, or mend the connector");
    }
    CallError::Budget { budget: "wall_clock", message, usage }
}

/// A function's name as its author wrote it.
fn readable(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Rust's own way from a panic to its end: above every author's function, and none of it is theirs.
fn is_machinery(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '*']);
    ["core::", "std::", "alloc::", "__rustc", "rust_"].iter().any(|begin| name.starts_with(begin))
}

fn crash(error: &wasmtime::Error, trap: Option<&Trap>, state: &CallState) -> String {
    let cause = match (trap, &state.log.last_words) {
        // Cleaned when it was logged.
        (Some(Trap::UnreachableCodeReached), Some(words)) => words.clone(),
        (Some(Trap::StackOverflow), _) => {
            format!("its call stack ({} KiB) is exhausted: is there an endless recursion?", WASM_STACK_BYTES >> 10)
        }
        (Some(trap), _) => trap.to_string(),
        (None, _) => error.root_cause().to_string(),
    };
    let mut message = cause;
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    let names = frames.iter().filter_map(|frame| frame.func_name()).map(readable);
    let names: Vec<String> = names.filter(|name| !is_machinery(name)).take(FRAMES_MAX).collect();
    if !names.is_empty() {
        message.push_str(" (in ");
        message.push_str(&names.join(" < "));
        message.push(')');
    }
    state.clean(&message, MESSAGE_BYTES_MAX)
}
