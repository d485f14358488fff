//! What a page and a run may carry, and how long to wait after a failure.

use std::time::Duration;

use renmen_schema::text;
use renmen_store::{Brake, CURSOR_BYTES_MAX, EXTERNAL_ID_BYTES_MAX, POINTER_BYTES_MAX};

use crate::failure::Waits;

/// What a page and a run may carry. Each has its key under the connection's `[limits]`.
#[derive(Debug, Clone)]
pub struct IngestLimits {
    /// Bytes of one record's payload.
    pub record_bytes_max: usize,
    /// Bytes of an external id.
    pub external_id_bytes_max: usize,
    /// Bytes of a pointer into an exchange.
    pub pointer_bytes_max: usize,
    /// Bytes of a cursor.
    pub cursor_bytes_max: usize,
    /// Share of refused records (0 to 1) beyond which a run stops before the page is committed.
    pub quarantine_ratio_max: f64,
    /// Records that must have been seen before the share is judged.
    pub quarantine_records_min: u64,
    /// Share (0 to 1) of a stream's records beyond which the deletions of a whole listing wait for a person.
    pub deletes_ratio_max: f64,
    /// So many records may be deleted in any case.
    pub deletes_records_max: u64,
    /// Findings, and omissions, that are kept of one run; more are counted.
    pub findings_max: usize,
    /// How far ahead of the gateway's clock a vendor's time may lie and still be believed.
    pub dated_ahead_max: Duration,
    /// Longest wait before a run that only a person can help is tried again.
    pub attention_wait_max: Duration,
    /// Wait after a vendor that asks to slow down and does not say for how long.
    pub slow_down_wait: Duration,
    /// Pages of one run.
    pub pages_max: u64,
    /// Pages without a record in a row that still promise more.
    pub empty_pages_max: u64,
    /// Pages of one run that may lead to a cursor already used in it; one more ends the run.
    pub cursor_repeats_max: u64,
    /// Runs of the connection at the same time; 0 stands for a quarter of those of the process.
    pub runs_max: usize,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            record_bytes_max: 1 << 20,
            external_id_bytes_max: 512,
            pointer_bytes_max: 1024,
            cursor_bytes_max: 16 << 10,
            quarantine_ratio_max: 0.5,
            quarantine_records_min: 20,
            deletes_ratio_max: 0.2,
            deletes_records_max: 10,
            findings_max: 1_000,
            attention_wait_max: Duration::from_secs(6 * 3_600),
            slow_down_wait: Duration::from_secs(60),
            dated_ahead_max: Duration::from_secs(15 * 60),
            pages_max: 1_000_000,
            empty_pages_max: 1_000,
            cursor_repeats_max: 2,
            runs_max: 0,
        }
    }
}

impl IngestLimits {
    /// How long to wait after failures.
    pub(crate) fn waits(&self) -> Waits {
        Waits { attention_max: self.attention_wait_max, slow_down: self.slow_down_wait }
    }

    /// From when on deletions wait for a person.
    pub(crate) fn brake(&self) -> Brake {
        Brake { records: self.deletes_records_max, ratio: self.deletes_ratio_max }
    }

    /// What the store cannot keep must not be allowed here: it would refuse the whole page.
    pub(crate) fn check(&self) -> Result<(), renmen_schema::Text> {
        if !(0.0..=1.0).contains(&self.quarantine_ratio_max) {
            return Err(text!(
                "quarantine_ratio_max is {}, it must lie between 0 and 1",
                "quarantine_ratio_max 为 {}，应在 0 与 1 之间",
                self.quarantine_ratio_max
            ));
        }
        if !(0.0..=1.0).contains(&self.deletes_ratio_max) {
            return Err(text!(
                "deletes_ratio_max is {}, it must lie between 0 and 1",
                "deletes_ratio_max 为 {}，应在 0 与 1 之间",
                self.deletes_ratio_max
            ));
        }
        for (name, value, max) in [
            ("external_id_bytes_max", self.external_id_bytes_max, EXTERNAL_ID_BYTES_MAX),
            ("pointer_bytes_max", self.pointer_bytes_max, POINTER_BYTES_MAX),
            ("cursor_bytes_max", self.cursor_bytes_max, CURSOR_BYTES_MAX),
        ] {
            if value > max {
                return Err(text!(
                    "{name} is {value}, the store takes at most {max}",
                    "{name} 为 {value}，存储最多接受 {max}"
                ));
            }
        }
        Ok(())
    }
}
