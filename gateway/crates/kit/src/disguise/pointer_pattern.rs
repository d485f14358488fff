//! Pointers into a list, whichever item they lead to.

/// `/data/17/name` is `/data/*/name`.
pub(super) fn pattern_of(pointer: &str) -> String {
    let parts = pointer
        .split('/')
        .map(|part| if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
