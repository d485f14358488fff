//! Log lines, panics and the clock.

use std::sync::Once;

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::types::{Failure, FailureKind};
use crate::bindings::renmen::connector::{clock, log};
use crate::{network, page};

/// As the SDK does it: the panic's message and line go to the log before the trap.
pub(crate) fn hook_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| std::panic::set_hook(Box::new(|info| log::write(log::Level::Error, &info.to_string()))));
}

pub(crate) fn chatter(lines: u32) -> Page {
    for line in 0..lines {
        log::write(log::Level::Info, &format!("line {line}"));
    }
    page::of(Vec::new())
}

pub(crate) fn long_line() -> Page {
    log::write(log::Level::Warn, &format!("\u{1b}[2J{}", "y".repeat(64 << 10)));
    page::of(Vec::new())
}

pub(crate) fn leak(request: &PullRequest) -> Failure {
    let canary = network::config(&request.config, "canary");
    log::write(log::Level::Info, &format!("the secret is {canary}"));
    page::failure(FailureKind::Internal, &format!("failed with {canary}"))
}

pub(crate) fn clock() -> Page {
    let (first, second) = (clock::now_ms(), clock::now_ms());
    assert_eq!(first, second, "the clock moved");
    let number = u64::try_from(first).unwrap_or_default();
    page::of(vec![page::record(number, b"{}")])
}

/// Never inlined, because what the operator is told names this function.
#[inline(never)]
pub(crate) fn panics() -> ! {
    panic!("vendor field `mobile` is missing")
}
