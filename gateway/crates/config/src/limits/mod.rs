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
    /// Time of one call, including waiting for the vendor.
    wall_clock: Duration = duration(Duration::from_secs(180), Duration::from_millis(100), Duration::from_secs(3_600));
    /// Share of the plugin threads that the connection may use, over `cpu_window`; beyond it the connection is throttled. 1 disables throttling.
    cpu_share: f64 = ratio(0.5, 0.01, 1.0);
    /// Time over which `cpu_share` is counted; the whole share may be used at once.
    cpu_window: Duration = duration(Duration::from_secs(600), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Concurrent calls of the plugin; 0 is a quarter of `gateway.parallel_calls`.
    calls_max: u32 = count(0, 0, 4_096);
    /// Concurrent runs of the connection; 0 is a quarter of `gateway.parallel_runs`.
    runs_max: u32 = count(0, 0, 1_024);
    /// Memory of one call, all linear memories and tables together; and, counted separately, the requests and responses that the gateway holds for it.
    memory_bytes_max: u64 = bytes(128 << 20, 1 << 20, 4 << 30);
    /// Bytes of one value passed between the plugin and the gateway.
    hostcall_bytes_max: u64 = bytes(64 << 20, 64 << 10, 2 << 30);
    /// Signatures that the plugin may request in one call.
    seal_calls_max: u32 = count(1_000, 0, 100_000);
    /// Bytes of one such signature's message, the key included; a signed delivery must fit.
    seal_bytes_max: u64 = bytes(2 << 20, 1 << 10, 64 << 20);
    /// HTTP requests of one call.
    http_calls_max: u32 = count(500, 0, 100_000);
    /// Records of one page.
    page_records_max: u32 = count(10_000, 1, 1_000_000);
    /// Bytes of all records of one page.
    page_bytes_max: u64 = bytes(32 << 20, 1 << 10, 1 << 30);
    /// Bytes of an action's receipt.
    receipt_bytes_max: u64 = bytes(64 << 10, 256, 1 << 20);
    /// Bytes of the answer to one delivery of a webhook, headers included.
    answer_bytes_max: u64 = bytes(64 << 10, 256, 1 << 20);
    /// Records that one webhook delivery may ask to be read again; a whole stream counts as one.
    refreshes_max: u32 = count(1_000, 0, 100_000);
    /// Records that may wait to be read again because deliveries asked for it; a delivery that asks for more is refused, and the vendor repeats it.
    refreshes_waiting_max: u32 = count(100_000, 1, 10_000_000);
    /// Bytes of one delivery to the connection's webhook.
    webhook_bytes_max: u64 = bytes(1 << 20, 1 << 10, 64 << 20);
    /// Time of one delivery, from its arrival to its answer.
    webhook_deadline: Duration = duration(Duration::from_millis(1_500), Duration::from_millis(50), Duration::from_secs(60));
    /// How far a delivery's signed time may differ from the gateway's clock, either way.
    webhook_window: Duration = duration(Duration::from_secs(300), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Verified deliveries per second; further ones are refused, and the vendor repeats them.
    webhooks_per_second: u32 = count(1_000, 1, 1_000_000);
    /// Deliveries that are verified concurrently; further ones wait, taking turns by sender.
    webhooks_parallel_max: u32 = count(8, 1, 4_096);
    /// Log lines of one call; further ones are counted and dropped.
    log_lines_max: u32 = count(1_000, 0, 1_000_000);
    /// Bytes of one log line; the rest is cut off.
    log_line_bytes_max: u32 = bytes(4 << 10, 64, 1 << 20);
    /// Log lines of one connection's plugin in a minute, regardless of the number of its calls; further ones are counted and dropped.
    log_lines_per_minute: u32 = count(2_000, 0, 1_000_000);
    /// Log lines per minute about refused or failed requests of one connection; further ones are counted.
    refusals_logged_per_minute: u32 = count(20, 0, 100_000);
    /// Time of one HTTP request, from the first byte sent to the last byte read.
    request_timeout: Duration = duration(Duration::from_secs(30), Duration::from_millis(10), Duration::from_secs(3_600));
    /// Bytes of one request: method, URL, headers and body.
    request_bytes_max: u64 = bytes(8 << 20, 1 << 10, 1 << 30);
    /// Bytes of one response's body after decompression, and of one file of a drop directory.
    response_bytes_max: u64 = bytes(32 << 20, 1 << 10, 1 << 30);
    /// Retries of a request after a temporary failure.
    retries_max: u32 = count(4, 0, 20);
    /// Longest wait before a retry; if the vendor asks for more, the run ends and continues later.
    retry_wait_max: Duration = duration(Duration::from_secs(60), Duration::ZERO, Duration::from_secs(3_600));
    /// Concurrent requests of one connection, of all gateways on one database together.
    parallel_max: u32 = count(4, 1, 256);
    /// Requests to the vendor per calendar month, across restarts; the plugin's manifest says what counts and when a month begins. 0 disables counting.
    month_calls_max: Option<u64> = manifests(None, Some(0), Some(CallBudget::CALLS_MAX));
    /// Share of rejected records in a page above which the run stops before committing that page.
    quarantine_ratio_max: f64 = ratio(0.5, 0.0, 1.0);
    /// Records that a page or run must have before `quarantine_ratio_max` applies.
    quarantine_records_min: u32 = count(20, 1, 1_000_000);
    /// Share of a stream's records above which deletions implied by a full listing wait for `renmen sweep approve`; 1 never waits.
    deletes_ratio_max: f64 = ratio(0.2, 0.0, 1.0);
    /// Records that a full listing may delete regardless of their share.
    deletes_records_max: u32 = count(10, 0, 1_000_000);
    /// Findings kept per run, and lists of omitted records; further ones are counted.
    findings_max: u32 = count(1_000, 1, 100_000);
    /// Longest wait before retrying a run that needs a person (a credential, a permission, the configuration); the first wait is two minutes.
    attention_wait_max: Duration = duration(Duration::from_secs(6 * 3_600), Duration::from_secs(60), Duration::from_secs(7 * 86_400));
    /// Wait after a vendor asks to slow down without saying for how long.
    slow_down_wait: Duration = duration(Duration::from_secs(60), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Bytes on disk of the connection's records, their earlier revisions and their pages; beyond it, a run stops before the page.
    records_bytes_max: u64 = bytes(64 << 30, 1 << 20, 1 << 50);
    /// Bytes on disk of the connection's recorded exchanges; beyond it, the oldest are removed, and lineage and replay with them.
    exchanges_bytes_max: u64 = bytes(16 << 30, 1 << 20, 1 << 50);
    /// Age beyond which recorded exchanges are removed, and replay with them; those that a record's newest revision leads to stay. 0 keeps them until `exchanges_bytes_max`.
    exchanges_age_max: Duration = duration(Duration::ZERO, Duration::ZERO, Duration::from_secs(3_650 * 86_400));
    /// Age beyond which finished runs that changed nothing are removed with their pages, and the findings of other runs; at least two days are kept. 0 keeps them.
    runs_age_max: Duration = duration(Duration::ZERO, Duration::ZERO, Duration::from_secs(3_650 * 86_400));
    /// Age beyond which records in quarantine are given up, and their original bytes with them. 0 keeps them until they are accepted or dropped.
    quarantine_age_max: Duration = duration(Duration::ZERO, Duration::ZERO, Duration::from_secs(3_650 * 86_400));
    /// Records of the connection in quarantine; beyond it, a run stops before the page.
    quarantine_records_max: u32 = count(100_000, 1, 10_000_000);
    /// Bytes of the records in quarantine; beyond it, a run stops before the page.
    quarantine_bytes_max: u64 = bytes(1 << 30, 1 << 10, 1 << 40);
    /// Bytes of one record as the plugin passes it.
    record_bytes_max: u64 = bytes(1 << 20, 1 << 10, 4 << 20);
    /// Bytes of a cursor.
    cursor_bytes_max: u64 = bytes(64 << 10, 64, 64 << 10);
    /// Pages of one run that may return a cursor already used in it; one more ends the run.
    cursor_repeats_max: u32 = count(2, 1, 1_000);
    /// How far ahead of the gateway's clock a vendor's time of change may be; beyond it the time is ignored and the record counted as dated ahead.
    dated_ahead_max: Duration = duration(Duration::from_secs(900), Duration::ZERO, Duration::from_secs(86_400));
    /// Pages of one run.
    pages_max: u32 = count(1_000_000, 1, u32::MAX);
    /// Consecutive empty pages in one run.
    empty_pages_max: u32 = count(100, 1, 1_000_000);
}
