//! Named places where a test may end the process as `kill -9` would.
//!
//! Compiled in only with the feature `failpoints`. `RENMEN_STORE_FAILPOINT=before_commit:3` aborts the third time that a
//! commit comes to that place. Places: `after_records`, `before_commit`, `after_commit`.

#[cfg(feature = "failpoints")]
pub(crate) fn reach(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ASKED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static REACHED: AtomicU64 = AtomicU64::new(0);

    let asked = ASKED.get_or_init(|| {
        let text = std::env::var("RENMEN_STORE_FAILPOINT").ok()?;
        let (place, nth) = text.split_once(':')?;
        Some((place.to_owned(), nth.parse().ok()?))
    });
    if let Some((place, nth)) = asked
        && place == name
        && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == *nth
    {
        std::process::abort();
    }
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn reach(_name: &str) {}
