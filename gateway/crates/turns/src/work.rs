//! Work that the gateway does for a connection: reading its pages, packing what it heard, evaluating flows. It takes time on a
//! core and cannot be interrupted, so it is done on threads of its own, which the whole process shares.

use std::sync::{Arc, LazyLock};

use crate::account::Account;
use crate::executor::{Options, Threads};
use crate::machine;
use crate::queue::Class;

/// Threads at least: the system shares the cores among them, and a short piece does not wait for a long one.
const THREADS_MIN: usize = 4;

/// `None` where the system gives no threads: then the caller does the work itself, in place.
static THREADS: LazyLock<Option<Threads>> = LazyLock::new(|| {
    let threads = machine::cores().max(THREADS_MIN);
    // Half of them at most for one connection: however much it brings, the others find one that is free.
    let options = Options { name: "renmen-work", threads, most_each: threads / 2, interrupt: None };
    Threads::start(options)
        .inspect_err(
            |error| tracing::error!(%error, "Failed to start worker threads; running work on the async runtime"),
        )
        .ok()
});

/// Does a piece of work for a connection, off the reactor. The time counts as the connection's.
///
/// When the future is dropped, a piece that has not begun is not done.
///
/// # Panics
/// When the work does.
pub async fn work<T: Send + 'static>(
    account: &Arc<Account>,
    class: Class,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    // The process keeps these threads until its end: `Stopped` cannot come of them, and would mean that nothing was done.
    let Some(threads) = THREADS.as_ref() else { return work() };
    match threads.run(account, class, async move { work() }).await {
        Ok(done) => done,
        Err(stopped) => panic!("{stopped}"),
    }
}

/// The same for a thread that may wait, such as one for blocking work: it waits while the work is done in its turn.
///
/// # Panics
/// When the work does.
pub fn work_waiting<T: Send + 'static>(
    account: &Arc<Account>,
    class: Class,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let Some(threads) = THREADS.as_ref() else { return work() };
    match threads.begin(account, class, async move { work() }).wait() {
        Ok(done) => done,
        Err(stopped) => panic!("{stopped}"),
    }
}
