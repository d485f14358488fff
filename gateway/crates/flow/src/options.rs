//! The limits of flows.

use std::time::Duration;

use crate::expression::ExpressionLimits;

/// Limits of flows and their deliveries. Each has a default that suits one machine.
#[derive(Debug, Clone)]
pub struct FlowOptions {
    /// Of each evaluation of an expression.
    pub expression: ExpressionLimits,
    /// Changes that one flow is asked about at a time, 1 to 1,000.
    pub batch: u32,
    /// How long one flow may be asked about changes before the other flows have their turn.
    pub step_max: Duration,
    /// An action's input beyond this is not sent. Bytes of JSON.
    pub input_bytes_max: usize,
    /// A change may come of a delivery that was made for a change that came of a delivery …: so often and not once more.
    pub hops_max: u32,
    /// A change so long after a delivery may have come of it.
    pub echo_window: Duration,
    /// A flow may send the same of the same record so often …
    pub repeats_max: u32,
    /// … within this time.
    pub repeats_window: Duration,
    /// How often it is looked whether something is due.
    pub tick: Duration,
    /// How long deliveries that came to their end are kept.
    pub keep: Duration,
    /// How much longer than its attempt a claim lasts: time to write its end down.
    pub lease_margin: Duration,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            expression: ExpressionLimits::default(),
            batch: 500,
            step_max: Duration::from_millis(250),
            input_bytes_max: 256 * 1024,
            hops_max: 8,
            echo_window: Duration::from_secs(30 * 60),
            repeats_max: 10,
            repeats_window: Duration::from_secs(86_400),
            tick: Duration::from_millis(500),
            keep: Duration::from_secs(30 * 86_400),
            lease_margin: Duration::from_secs(30),
        }
    }
}

/// A duration as the store counts it.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-03-02T01:00:00.000Z`: the form in which records hold their times.
pub(crate) fn instant(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}
