//! The budgets of one call. Each has a key of the same name under `[limits]` and appears by that name in the failure that
//! it causes.

use std::time::Duration;

use renmen_turns::CpuShare;

/// What a guest may use of the stack, in bytes. The host's own functions run on the rest of the fiber's 2 MiB.
pub(crate) const WASM_STACK_BYTES: usize = 512 << 10;

/// What one call of a connector may use up.
#[derive(Debug, Clone, PartialEq)]
pub struct CallLimits {
    /// Units of work (about one for each wasm instruction). Not used up while waiting for an answer.
    pub fuel_max: u64,
    /// From the start of the call to its end, waiting included.
    pub wall_clock: Duration,
    /// All linear memories and tables of the connector together, in bytes; and, counted apart, the requests and answers that the
    /// host holds for the call, reserved before an answer is read.
    pub memory_bytes_max: u64,
    /// Bytes that may cross from the connector to the host at once, as arguments or as a result; and, in total, the bytes
    /// handed to `seal`.
    pub hostcall_bytes_max: u64,
    /// How often `seal` may be asked in one call.
    pub seal_calls_max: u32,
    /// Bytes that `seal` hashes at once: the parts and the key.
    pub seal_bytes_max: u64,
    /// Requests in one call, failed ones included.
    pub http_calls_max: u32,
    /// Records and rejects together in one page; the connector is told.
    pub page_records_max: u32,
    /// Payloads, rejected originals, ids and cursor of one page together, in bytes.
    pub page_bytes_max: u64,
    /// Reference and detail of one receipt together, in bytes.
    pub receipt_bytes_max: u64,
    /// Headers and body of the answer to one delivery together, in bytes.
    pub answer_bytes_max: u64,
    /// Records that one delivery may ask to be read again; a whole stream counts as one.
    pub refreshes_max: u32,
    /// How much of the threads for connectors the connection may use over a while: `cpu_share` and `cpu_window`. Beyond it
    /// its calls are slowed down, and none of them ends for it.
    pub cpu: CpuShare,
    /// Calls of the connection at the same time; 0 stands for a quarter of those that the process makes.
    pub calls_max: u32,
    /// Lines that are kept; further ones are dropped and counted, and [`CallLimits::LOG_FLOOD_FACTOR`] times as many end
    /// the call.
    pub log_lines_max: u32,
    /// Bytes kept of one line; the rest is cut.
    pub log_line_bytes_max: u32,
}

impl CallLimits {
    /// How many times `log_lines_max` a connector may write before the flood ends its call.
    pub const LOG_FLOOD_FACTOR: u64 = 100;
}

impl Default for CallLimits {
    /// Enough for a page of 1,000 records of a few kilobytes with room to spare, and little enough that a broken
    /// connector is stopped within a minute.
    fn default() -> Self {
        Self {
            fuel_max: 5_000_000_000,
            wall_clock: Duration::from_secs(60),
            memory_bytes_max: 64 << 20,
            hostcall_bytes_max: 16 << 20,
            seal_calls_max: 1_000,
            seal_bytes_max: 2 << 20,
            http_calls_max: 100,
            page_records_max: 1_000,
            page_bytes_max: 8 << 20,
            receipt_bytes_max: 64 << 10,
            answer_bytes_max: 64 << 10,
            refreshes_max: 1_000,
            cpu: CpuShare::default(),
            calls_max: 0,
            log_lines_max: 32,
            log_line_bytes_max: 4 << 10,
        }
    }
}
