//! The figures of one call.

/// What one call used up: also the fields of its tracing span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel.
    pub fuel: u64,
    /// From start to end, in milliseconds.
    pub wall_ms: u64,
    /// The most that all memories and tables held at one time, in bytes.
    pub memory_peak_bytes: u64,
    /// Requests, failed ones included.
    pub http_calls: u32,
    /// Bytes of response bodies that the connector was given.
    pub bytes_in: u64,
    /// Bytes of request bodies that the connector sent.
    pub bytes_out: u64,
    /// Records and rejects in the page or the delivery.
    pub records: u32,
    /// Lines that were kept.
    pub log_lines: u32,
    /// Lines beyond `log_lines_max`, or beyond what the connection has in a minute; dropped.
    pub log_lines_dropped: u32,
}
