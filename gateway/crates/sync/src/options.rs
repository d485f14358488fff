//! What the engine is built with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use renmen_clock::{Clock, SystemClock};

/// How failed runs are tried again.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// First wait after a vendor that is down; doubled with each failure in a row.
    pub base: Duration,
    /// Longest such wait.
    pub max: Duration,
    /// First wait where only a person can help (credentials, grant, configuration); doubled with each failure in a row up to the
    /// connection's `attention_wait_max`.
    pub attention: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { base: Duration::from_secs(5), max: Duration::from_secs(15 * 60), attention: Duration::from_secs(2 * 60) }
    }
}

/// Everything the engine can be told.
#[derive(Clone)]
pub struct SyncOptions {
    /// Where the resume spool lives (`spool/` below it, mode 0700). `None`: a killed run asks the vendor again.
    pub data_dir: Option<PathBuf>,
    /// How long a gateway may show no sign of life before another one takes its streams over. It shows one four times as often.
    pub lease: Duration,
    /// This gateway's name, which no other over the same store has.
    pub gateway: String,
    /// Keep what was read along with what was made of it: lineage and replay need it.
    pub keep_exchanges: bool,
    /// How old a spooled answer may be when a run resumes with it.
    pub spool_age_max: Duration,
    /// Bytes of spooled answers a page; beyond, a killed page is fetched again in part.
    pub spool_bytes_max: u64,
    /// Runs at the same time.
    pub parallel_runs: usize,
    /// How long a run may hold its place among them while others wait.
    pub run_turn: Duration,
    /// Targeted reads at the same time: what deliveries announced.
    pub parallel_reads: usize,
    /// How failed runs are tried again.
    pub retry: RetryPolicy,
    /// How long a delivery is remembered: a vendor that sends it again within this time changes nothing.
    pub inbox_age: Duration,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl SyncOptions {
    /// Defaults with a data directory.
    #[must_use]
    pub fn in_dir(data_dir: PathBuf) -> Self {
        Self { data_dir: Some(data_dir), ..Self::default() }
    }
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            lease: Duration::from_secs(12),
            gateway: format!("gateway-{:016x}", rand::random::<u64>()),
            keep_exchanges: true,
            spool_age_max: Duration::from_secs(3600),
            spool_bytes_max: 64 << 20,
            parallel_runs: 16,
            run_turn: Duration::from_secs(5),
            parallel_reads: 8,
            retry: RetryPolicy::default(),
            inbox_age: Duration::from_secs(7 * 24 * 3600),
            clock: Arc::new(SystemClock),
        }
    }
}

/// A duration as the milliseconds that the store and the contract speak in.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
