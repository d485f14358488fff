//! The limits as data and as a table for the documentation.

use std::fmt::Write as _;
use std::sync::LazyLock;

use renmen_schema::manifest::Rate;

use super::read::show_rate;

/// One limit, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSpec {
    /// The key under `[limits]` or `[gateway.limits]`.
    pub name: &'static str,
    /// `number`, `bytes`, `duration`, `share`, …
    pub unit: &'static str,
    /// As it would be written in the file.
    pub default: String,
    /// The smallest value that is taken.
    pub least: String,
    /// The largest value that is taken.
    pub most: String,
    /// One or two sentences.
    pub meaning: &'static str,
}

/// Every limit, in the order of the documentation.
pub static LIMITS: LazyLock<Vec<LimitSpec>> = LazyLock::new(|| {
    let mut specs = super::Limits::specs();
    specs.push(LimitSpec {
        name: "rate",
        unit: "requests a period",
        default: "the plugin's manifest".to_owned(),
        least: show_rate(&Rate { requests: 1, per_ms: 86_400_000, burst: None }),
        most: show_rate(&Rate { requests: 1_000_000, per_ms: 1, burst: Some(1_000_000) }),
        meaning: "Requests per period that the vendor allows; after a pause, `burst` may be sent at once.",
    });
    specs
});

/// Every limit of the process, in the order of the documentation.
pub static GATEWAY_LIMITS: LazyLock<Vec<LimitSpec>> = LazyLock::new(super::GatewayLimits::specs);

/// The table of a connection's limits in Markdown, for the documentation.
#[must_use]
pub fn limits_table() -> String {
    table("limit", &LIMITS)
}

/// The table of the process's limits in Markdown, for the documentation.
#[must_use]
pub fn gateway_limits_table() -> String {
    table("limit of the process", &GATEWAY_LIMITS)
}

fn table(what: &str, limits: &[LimitSpec]) -> String {
    let mut table = format!("| {what} | default | unit | from | to | meaning |\n|---|---|---|---|---|---|\n");
    for limit in limits {
        let LimitSpec { name, unit, default, least, most, meaning } = limit;
        writeln!(table, "| `{name}` | {default} | {unit} | {least} | {most} | {meaning} |")
            .expect("writing to a string cannot fail");
    }
    table
}
