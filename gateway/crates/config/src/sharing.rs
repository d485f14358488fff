//! Keys of `[gateway]` that say how connections share the process: threads, calls, runs.

use std::time::Duration;

use crate::limits::within_range;
use crate::section::Section;

/// How much goes on at once, and how long one run may hold its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// `plugin_threads`: plugins that are on a core at the same time; others wait for their turn. 0 stands for one less than the
    /// machine has cores, at least one. Default 0.
    pub plugin_threads: u32,
    /// `parallel_calls`: calls of plugins under way, those that wait for a vendor included. One connection has a quarter of them
    /// (`limits.calls_max`), and the last quarter is kept for connections that have none. Default 64.
    pub parallel_calls: u32,
    /// `parallel_runs`: runs that pull, one connection a quarter of them (`limits.runs_max`). Default 16.
    pub parallel_runs: u32,
    /// `run_turn`: how long a run may hold its place while others wait for one. Default `5s`.
    pub run_turn: Duration,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { plugin_threads: 0, parallel_calls: 64, parallel_runs: 16, run_turn: Duration::from_secs(5) }
    }
}

impl Sharing {
    /// What cannot be read is noted and keeps its default.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let mut sharing = Self::default();
        let mut number = |key: &'static str, least: u32, most: u32, into: &mut u32| {
            if let Some(value) = section.get(key).and_then(|node| within_range::count(&node, least, most)) {
                *into = value;
            }
        };
        number("plugin_threads", 0, 256, &mut sharing.plugin_threads);
        number("parallel_calls", 4, 4_096, &mut sharing.parallel_calls);
        number("parallel_runs", 1, 1_024, &mut sharing.parallel_runs);
        let turn = |node| within_range::duration(&node, Duration::from_millis(100), Duration::from_secs(3_600));
        if let Some(turn) = section.get("run_turn").and_then(turn) {
            sharing.run_turn = turn;
        }
        sharing
    }
}
