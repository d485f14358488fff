//! Using up what there is: time, memory, stack; and keeping what must not be kept.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bindings::exports::renmen::connector::source::Page;
use crate::page;

pub(crate) fn spin() -> ! {
    let mut n = 0_u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

/// Writes to all of it; otherwise the system would not notice.
pub(crate) fn memory() -> ! {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![0x5a; 1 << 20]);
        black_box(&hoard);
    }
}

/// A careful allocation that is denied is not a crash.
pub(crate) fn memory_until_denied() -> Page {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut more = Vec::new();
        if more.try_reserve_exact(4 << 20).is_err() {
            drop(taken);
            return page::of(vec![page::record(1, b"{}")]);
        }
        taken.push(more);
    }
}

#[allow(unconditional_recursion, reason = "that is the point")]
pub(crate) fn recursion(depth: u64) -> u64 {
    let kept = black_box([depth; 16]);
    black_box(recursion(depth + 1)) + kept[0]
}

static CALLS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn count_calls() -> Page {
    page::of(vec![page::record(CALLS.fetch_add(1, Ordering::Relaxed) + 1, b"{}")])
}
