//! The time of the call.

/// Milliseconds since 1970-01-01T00:00Z. It stands still within one call, so that a replay gives the same page.
#[must_use]
pub fn now_ms() -> i64 {
    crate::host::now_ms()
}
