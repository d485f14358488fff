//! How many lines of the log something may cause in a minute. What goes beyond is counted and told with the next line that is
//! written, so that a flood leaves a number and not a full disk.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Lines a minute, counted over all calls of one connection.
#[derive(Debug)]
pub struct LineBudget {
    per_minute: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    asked: u64,
    /// Of the windows before, not yet told.
    dropped: u64,
}

/// May a line be written?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineVerdict {
    /// Yes, and this many were dropped since the last line that said so.
    Write {
        /// How many were dropped.
        dropped: u64,
    },
    /// Yes, and it is the last one of this minute: it should say so.
    Last {
        /// How many were dropped before.
        dropped: u64,
    },
    /// No; it is counted.
    Drop,
}

impl LineBudget {
    /// A budget of so many lines a minute.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, window: Mutex::new(Window { began: Instant::now(), asked: 0, dropped: 0 }) }
    }

    /// Asks for one line.
    pub fn admit(&self) -> LineVerdict {
        let allowed = u64::from(self.per_minute);
        let mut window = self.window.lock();
        if window.began.elapsed() >= MINUTE {
            let beyond = window.asked.saturating_sub(allowed);
            *window = Window { began: Instant::now(), asked: 0, dropped: window.dropped.saturating_add(beyond) };
        }
        window.asked = window.asked.saturating_add(1);
        if window.asked > allowed {
            return LineVerdict::Drop;
        }
        let dropped = std::mem::take(&mut window.dropped);
        if window.asked == allowed { LineVerdict::Last { dropped } } else { LineVerdict::Write { dropped } }
    }
}

impl LineVerdict {
    /// What the line says of those that are not written; none when it is not written itself. `limit`: the key that moves it.
    #[must_use]
    pub fn words(self, limit: &str) -> Option<String> {
        let dropped = |dropped: u64| match dropped {
            0 => String::new(),
            some => format!("{some} earlier lines were not written; "),
        };
        match self {
            Self::Write { dropped: 0 } => Some(String::new()),
            Self::Write { dropped: some } => Some(dropped(some).trim_end_matches("; ").to_owned()),
            Self::Last { dropped: some } => {
                Some(format!("{}more of this minute are counted and not written ({limit})", dropped(some)))
            }
            Self::Drop => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_has_so_many_lines_and_the_next_one_tells_what_was_dropped() {
        let budget = LineBudget::new(3);
        let verdicts: Vec<_> = (0..100).map(|_| budget.admit()).collect();
        assert_eq!(verdicts[..2], [LineVerdict::Write { dropped: 0 }; 2]);
        assert_eq!(verdicts[2], LineVerdict::Last { dropped: 0 });
        assert!(verdicts[3..].iter().all(|verdict| *verdict == LineVerdict::Drop));
        tokio::time::advance(MINUTE).await;
        assert_eq!(budget.admit(), LineVerdict::Write { dropped: 97 });
        assert_eq!(budget.admit(), LineVerdict::Write { dropped: 0 });
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_dropped_is_remembered_over_quiet_minutes_and_none_is_a_budget_too() {
        let budget = LineBudget::new(1);
        assert_eq!(budget.admit(), LineVerdict::Last { dropped: 0 });
        assert_eq!(budget.admit(), LineVerdict::Drop);
        tokio::time::advance(MINUTE * 10).await;
        assert_eq!(budget.admit(), LineVerdict::Last { dropped: 1 });
        assert_eq!(LineBudget::new(0).admit(), LineVerdict::Drop);
    }

    #[test]
    fn the_words_name_the_limit_once() {
        assert_eq!(LineVerdict::Write { dropped: 0 }.words("x").as_deref(), Some(""));
        assert_eq!(LineVerdict::Write { dropped: 2 }.words("x").as_deref(), Some("2 earlier lines were not written"));
        let last = LineVerdict::Last { dropped: 0 }.words("log_lines_per_minute");
        assert_eq!(last.as_deref(), Some("more of this minute are counted and not written (log_lines_per_minute)"));
        assert_eq!(LineVerdict::Drop.words("x"), None);
    }
}
