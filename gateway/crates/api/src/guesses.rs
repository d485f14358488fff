//! Links that open nothing, counted by sender. A seal cannot be guessed; a sender who tries all the same is slowed
//! down, and the log and the health say that someone tries.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Senders that are remembered; beyond, every further one is over its limit until a minute of another's is over.
const SENDERS_MAX: usize = 4_096;
const MINUTE: Duration = Duration::from_secs(60);

/// What was tried lately.
pub(crate) struct Guesses {
    per_minute: u32,
    tried: Mutex<HashMap<String, (Instant, u32)>>,
}

impl Guesses {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, tried: Mutex::default() }
    }

    /// Notes a link that opens nothing. True: this sender tries more of them than it may.
    pub(crate) fn is_over(&self, sender: String) -> bool {
        let now = Instant::now();
        let recent = |since: &Instant| now.saturating_duration_since(*since) < MINUTE;
        let mut tried = self.tried.lock();
        if tried.len() >= SENDERS_MAX && !tried.contains_key(&sender) {
            tried.retain(|_, (since, _)| recent(since));
            if tried.len() >= SENDERS_MAX {
                return true;
            }
        }
        let entry = tried.entry(sender).or_insert((now, 0));
        if !recent(&entry.0) {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 > self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sender_may_try_so_often_a_minute_and_does_not_count_for_another() {
        let guesses = Guesses::new(2);
        let over = |who: &str| guesses.is_over(who.to_owned());
        assert_eq!([over("a"), over("a"), over("a"), over("b")], [false, false, true, false]);
        tokio::time::advance(MINUTE).await;
        assert!(!over("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn no_number_of_senders_fills_the_memory() {
        let guesses = Guesses::new(2);
        assert!((0..SENDERS_MAX).all(|n| !guesses.is_over(n.to_string())));
        assert!(guesses.is_over("one more".to_owned()));
        tokio::time::advance(MINUTE).await;
        assert!(!guesses.is_over("one more".to_owned()));
    }
}
