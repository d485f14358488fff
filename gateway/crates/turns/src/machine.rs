//! What the machine says of the thread that asks: how many cores there are, how long it ran, how much it gives way.

use std::time::Duration;

/// How much less a thread of this crate weighs than the others of the process, in steps of `nice`: about a third. Enough that
/// a request of the API never waits for a connector, and not so much that a busy machine stops all pulls.
const NICE: i32 = 5;

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Lets the other threads of the process go first. On Linux `nice` is a matter of each thread; elsewhere nothing is done.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "Failed to lower the priority of connector threads");
    }
}

/// How long the calling thread has run on a core.
#[cfg(target_os = "linux")]
pub(crate) fn thread_time() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// Where the system does not tell, the time since the process began: it counts a wait for a core as work.
#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_sleeps_has_not_run() {
        let before = thread_time();
        std::thread::sleep(Duration::from_millis(200));
        assert!(thread_time() - before < Duration::from_millis(100));
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn giving_way_is_a_matter_of_one_thread() {
        let nice = || rustix::process::nice(0).unwrap();
        let own = nice();
        let other = std::thread::spawn(move || {
            give_way();
            nice()
        });
        assert_eq!(other.join().unwrap(), (own + NICE).min(19));
        assert_eq!(nice(), own);
    }
}
