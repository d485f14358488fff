//! Every limit: its name, its default, its unit, what it is for, and how far it may be moved. This is the one place.
//!
//! The names are the keys under `[limits]` and under a connection's `limits`, the names in the failures that the limits
//! cause, and the rows of the table in the documentation, which [`limits_table`] prints from here.

mod read;
mod table;

use std::time::Duration;

pub(crate) use read::within_range;
use read::{bytes, count, duration, manifests, ratio};
use renmen_schema::manifest::{CallBudget, Rate};
pub use table::{GATEWAY_LIMITS, LIMITS, LimitSpec, gateway_limits_table, limits_table};

use crate::section::Section;

macro_rules! limits {
    ($(#[doc = $about:literal])+ $limits:ident $(with $extra:ident: $extra_type:ty = $extra_read:path, $extra_about:literal)?;
     $( $(#[doc = $meaning:literal])+ $name:ident : $type:ty = $kind:ident($default:expr, $least:expr, $most:expr); )+) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $limits {
            $( $(#[doc = $meaning])+ pub $name: $type, )+
            $( #[doc = $extra_about] pub $extra: Option<$extra_type>, )?
        }

        impl Default for $limits {
            fn default() -> Self {
                Self { $( $name: $default, )+ $( $extra: None, )? }
            }
        }

        impl $limits {
            /// Reads a table of limits; what it does not name stays as in `base`.
            pub(crate) fn read(mut section: Section<'_>, base: &Self) -> Self {
                let mut limits = base.clone();
                $(
                    if let Some(value) = section.get(stringify!($name)).and_then(|node| $kind::read(&node, $least, $most)) {
                        limits.$name = value;
                    }
                )+
                $(
                    if let Some(value) = section.table(stringify!($extra)).and_then($extra_read) {
                        limits.$extra = Some(value);
                    }
                )?
                section.finish();
                limits
            }

            /// One entry for each field with a range; `table.rs` adds the other one.
            pub(in crate::limits) fn specs() -> Vec<LimitSpec> {
                vec![ $( LimitSpec {
                    name: stringify!($name),
                    unit: $kind::UNIT,
                    default: $kind::show({ let value: $type = $default; value }),
                    least: $kind::show({ let value: $type = $least; value }),
                    most: $kind::show({ let value: $type = $most; value }),
                    meaning: concat!($($meaning),+).trim(),
                }, )+ ]
            }
        }
    };
}

mod process;

pub use process::GatewayLimits;

limits! {
    /// What one connection may use. Each field is a key under `[limits]`; see [`LIMITS`] for units and defaults.
    Limits with rate: Rate = read::rate, "Requests a period that the vendor allows; none leaves it to the plugin's manifest.";

    /// Instructions of the plugin in one call; roughly one billion per second.
    fuel_max: u64 = count(20_000_000_000, 1_000_000, u64::MAX);
    /// Time of one call, waiting for the vendor included.
    wall_clock: Duration = duration(Duration::from_secs(180), Duration::from_millis(100), Duration::from_secs(3_600));
    /// Share of the threads for plugins that the connection may use, over `cpu_window`; beyond it the connection is slowed down. 1 holds nothing back.
    cpu_share: f64 = ratio(0.5, 0.01, 1.0);
    /// Over which time `cpu_share` is counted: what it gives in so long may be used at once.
    cpu_window: Duration = duration(Duration::from_secs(600), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Calls of the plugin at the same time; 0 stands for a quarter of `gateway.parallel_calls`.
    calls_max: u32 = count(0, 0, 4_096);
    /// Runs of the connection at the same time; 0 stands for a quarter of `gateway.parallel_runs`.
    runs_max: u32 = count(0, 0, 1_024);
    /// Memory of one call, all linear memories and tables together; and, counted apart, the requests and answers that the gateway holds for it.
    memory_bytes_max: u64 = bytes(128 << 20, 1 << 20, 4 << 30);
    /// Bytes that one value may carry between the plugin and the gateway.
    hostcall_bytes_max: u64 = bytes(64 << 20, 64 << 10, 2 << 30);
    /// Signatures that the plugin asks the gateway for in one call.
    seal_calls_max: u32 = count(100, 0, 100_000);
    /// Bytes of one such signature's message, the key included; a signed delivery must fit.
    seal_bytes_max: u64 = bytes(2 << 20, 1 << 10, 64 << 20);
    /// HTTP requests of one call.
    http_calls_max: u32 = count(500, 0, 100_000);
    /// Records of one page.
    page_records_max: u32 = count(10_000, 1, 1_000_000);
    /// Bytes of all records of one page.
    page_bytes_max: u64 = bytes(32 << 20, 1 << 10, 1 << 30);
    /// Bytes of what an action's receipt says.
    receipt_bytes_max: u64 = bytes(64 << 10, 256, 1 << 20);
    /// Bytes of the answer to one delivery of a webhook, headers included.
    answer_bytes_max: u64 = bytes(64 << 10, 256, 1 << 20);
    /// Records that one delivery of a webhook may ask to be read again; a whole stream counts as one.
    refreshes_max: u32 = count(1_000, 0, 100_000);
    /// Records that deliveries asked to be read again and that may wait for it; a delivery that asks for more is sent away and comes again.
    refreshes_waiting_max: u32 = count(100_000, 1, 10_000_000);
    /// Bytes of one delivery to the connection's webhook.
    webhook_bytes_max: u64 = bytes(1 << 20, 1 << 10, 64 << 20);
    /// Time of one delivery, from its arrival to its answer.
    webhook_deadline: Duration = duration(Duration::from_millis(1_500), Duration::from_millis(50), Duration::from_secs(60));
    /// How far the time that a delivery is signed with may lie from ours, either way.
    webhook_window: Duration = duration(Duration::from_secs(300), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Proved deliveries a second; further ones are sent away and come again.
    webhooks_per_second: u32 = count(1_000, 1, 1_000_000);
    /// Deliveries that are proved at the same time; further ones wait, by sender in turn.
    webhooks_parallel_max: u32 = count(8, 1, 4_096);
    /// Log lines of one call; further ones are counted and dropped.
    log_lines_max: u32 = count(1_000, 0, 1_000_000);
    /// Bytes of one log line; the rest is cut off.
    log_line_bytes_max: u32 = bytes(4 << 10, 64, 1 << 20);
    /// Log lines of one connection's plugin in a minute, regardless of the number of its calls; further ones are counted and dropped.
    log_lines_per_minute: u32 = count(2_000, 0, 1_000_000);
    /// Log lines a minute that tell of a request of one connection which was refused or failed; further ones are counted.
    refusals_logged_per_minute: u32 = count(20, 0, 100_000);
    /// Time of one HTTP request, from the first byte sent to the last byte read.
    request_timeout: Duration = duration(Duration::from_secs(30), Duration::from_millis(10), Duration::from_secs(3_600));
    /// Bytes of one request: method, URL, headers and body.
    request_bytes_max: u64 = bytes(8 << 20, 1 << 10, 1 << 30);
    /// Bytes of one response's body after decompression, and of one file of a drop directory.
    response_bytes_max: u64 = bytes(32 << 20, 1 << 10, 1 << 30);
    /// Further attempts of a request that failed in a way that may pass.
    retries_max: u32 = count(4, 0, 20);
    /// The longest wait before a further attempt; a vendor that asks for more ends the run, which goes on later.
    retry_wait_max: Duration = duration(Duration::from_secs(60), Duration::ZERO, Duration::from_secs(3_600));
    /// Requests of one connection at the same time.
    parallel_max: u32 = count(4, 1, 256);
    /// Requests to the vendor in a calendar month, over restarts; what counts, and where a month begins, the plugin's manifest says. 0 stops the counting.
    month_calls_max: Option<u64> = manifests(None, Some(0), Some(CallBudget::CALLS_MAX));
    /// Share of refused records in a page above which the run stops before it commits that page.
    quarantine_ratio_max: f64 = ratio(0.5, 0.0, 1.0);
    /// Records that a page or run must have before quarantine_ratio_max is applied to it.
    quarantine_records_min: u32 = count(20, 1, 1_000_000);
    /// Share of a stream's records above which the deletions that a whole listing implies wait for `renmen sweep approve`; 1 lets all go.
    deletes_ratio_max: f64 = ratio(0.2, 0.0, 1.0);
    /// Records that a full listing may delete regardless of their share.
    deletes_records_max: u32 = count(10, 0, 1_000_000);
    /// Findings of one run that are kept, and as many lists of what rules left out; more are counted.
    findings_max: u32 = count(1_000, 1, 100_000);
    /// Longest wait before a run is tried again that only a person can help (a credential, a right, the configuration); the first is two minutes.
    attention_wait_max: Duration = duration(Duration::from_secs(6 * 3_600), Duration::from_secs(60), Duration::from_secs(7 * 86_400));
    /// Wait after a vendor that asks to slow down and does not say for how long.
    slow_down_wait: Duration = duration(Duration::from_secs(60), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Bytes on disk of the connection's records with their earlier revisions, and of the pages that they came in; beyond, a run stops before the page.
    records_bytes_max: u64 = bytes(64 << 30, 1 << 20, 1 << 50);
    /// Bytes on disk of the connection's recorded exchanges; beyond, the oldest are removed, and with them their lineage and replay.
    exchanges_bytes_max: u64 = bytes(16 << 30, 1 << 20, 1 << 50);
    /// Records of the connection that may wait in quarantine; beyond, a run stops before the page.
    quarantine_records_max: u32 = count(100_000, 1, 10_000_000);
    /// Bytes of them; beyond, a run stops before the page.
    quarantine_bytes_max: u64 = bytes(1 << 30, 1 << 10, 1 << 40);
    /// Bytes of one record as the plugin passes it.
    record_bytes_max: u64 = bytes(1 << 20, 1 << 10, 4 << 20);
    /// Bytes of a cursor.
    cursor_bytes_max: u64 = bytes(64 << 10, 64, 64 << 10);
    /// Pages of one run that may lead to a cursor which was used in it before; one more ends the run.
    cursor_repeats_max: u32 = count(2, 1, 1_000);
    /// How far ahead of the gateway's clock a vendor's time of change may lie; a record beyond is taken in as if it named no time, and is counted as dated ahead.
    dated_ahead_max: Duration = duration(Duration::from_secs(900), Duration::ZERO, Duration::from_secs(86_400));
    /// Pages of one run.
    pages_max: u32 = count(1_000_000, 1, u32::MAX);
    /// Empty pages one after the other in one run.
    empty_pages_max: u32 = count(100, 1, 1_000_000);
}
