//! Work that does not belong to one connection alone, such as asking a flow: short and bounded, but too long for the reactor.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does the work where it is, and has another thread take over what this one's reactor would have to do meanwhile. A
/// reactor of one thread has no other thread to take over: there the work is done in place.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    let others = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if others { tokio::task::block_in_place(work) } else { work() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_only_thread_of_a_reactor_goes_on_meanwhile() {
        let (tell, told) = mpsc::channel();
        let other = tokio::spawn(async move { tell.send(()).unwrap() });
        // In a task of its own: this one is not on the reactor's thread.
        tokio::spawn(async move { aside(|| told.recv_timeout(Duration::from_secs(60)).unwrap()) }).await.unwrap();
        other.await.unwrap();
    }

    #[tokio::test]
    async fn a_reactor_of_one_thread_does_it_as_it_comes() {
        assert_eq!(aside(|| 7), 7);
    }
}
