//! `[outbox]`: the limits of flows and of what they send.

use std::time::Duration;

use crate::limits::within_range;
use crate::section::Section;

const DAY: Duration = Duration::from_secs(86_400);

/// The limits of flows, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// `hops_max`: how often a change may come of a delivery that was made for a change that came of a delivery, and so on.
    /// Default 8.
    pub hops_max: u32,
    /// `echo_window`: a change so long after a delivery to its connection may have come of it. Default `30m`.
    pub echo_window: Duration,
    /// `repeats_max`: a flow may send the same for the same record so often within `repeats_window`. Default 10.
    pub repeats_max: u32,
    /// `repeats_window`. Default `1d`.
    pub repeats_window: Duration,
    /// `keep`: how long deliveries that came to their end are kept. Default `30d`.
    pub keep: Duration,
    /// `input_bytes_max`: bytes of an action's input as JSON. Default `256KiB`.
    pub input_bytes_max: u32,
    /// `expression_steps_max`: turns of the loops of one expression. Default 10,000.
    pub expression_steps_max: u32,
    /// `expression_time_max`: time of one expression with loops. Default `100ms`.
    pub expression_time_max: Duration,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            hops_max: 8,
            echo_window: Duration::from_secs(30 * 60),
            repeats_max: 10,
            repeats_window: DAY,
            keep: 30 * DAY,
            input_bytes_max: 256 << 10,
            expression_steps_max: 10_000,
            expression_time_max: Duration::from_millis(100),
        }
    }
}

impl Outbox {
    /// What cannot be read is noted and keeps its default.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let mut outbox = Self::default();
        let second = Duration::from_secs(1);
        let mut count = |name: &'static str, least: u32, most: u32, into: &mut u32| {
            if let Some(found) = section.get(name).and_then(|node| within_range::count(&node, least, most)) {
                *into = found;
            }
        };
        count("hops_max", 1, 1_000, &mut outbox.hops_max);
        count("repeats_max", 1, 100_000, &mut outbox.repeats_max);
        count("expression_steps_max", 1, 10_000_000, &mut outbox.expression_steps_max);
        let mut duration = |name: &'static str, least: Duration, most: Duration, into: &mut Duration| {
            if let Some(found) = section.get(name).and_then(|node| within_range::duration(&node, least, most)) {
                *into = found;
            }
        };
        duration("echo_window", second, 30 * DAY, &mut outbox.echo_window);
        duration("repeats_window", second, 30 * DAY, &mut outbox.repeats_window);
        duration("keep", 3_600 * second, 3_650 * DAY, &mut outbox.keep);
        duration("expression_time_max", Duration::from_millis(1), 60 * second, &mut outbox.expression_time_max);
        if let Some(found) =
            section.get("input_bytes_max").and_then(|node| within_range::bytes(&node, 1_u32 << 10, 4 << 20))
        {
            outbox.input_bytes_max = found;
        }
        section.finish();
        outbox
    }
}
