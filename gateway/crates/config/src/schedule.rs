//! When a stream is pulled.

use std::time::Duration;

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use renmen_schema::{Text, text};

use crate::limits::within_range;
use crate::section::{Node, Section};

/// The shortest and the longest interval.
const EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(366 * 86_400));

/// When a stream is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// `{ every = "15m" }`, from start to start.
    Every(Duration),
    /// `{ cron = "0 2 * * *", zone = "Asia/Shanghai" }`: minute, hour, day of month, month, day of week. The zone is UTC by
    /// default.
    Cron {
        /// Five fields.
        expr: String,
        /// IANA name.
        zone: String,
    },
    /// `{ manual = true }`: by hand or over the API alone.
    Manual,
}

impl Schedule {
    /// Reads the keys of a stream that say when; the caller reads the others. One that is switched off need not say it.
    pub(crate) fn read(section: &mut Section<'_>, enabled: bool) -> Option<Self> {
        let (every, cron, zone, manual) =
            (section.get("every"), section.get("cron"), section.get("zone"), section.get("manual"));
        if let (Some(zone), None) = (&zone, &cron) {
            zone.problem_at_key(
                text!(
                    "`zone` belongs to `cron`, which is not here",
                    "`zone` 只能与 `cron` 一起使用，而这里没有 `cron`"
                ),
                text!("take it out: an interval has no zone", "请删除：间隔没有时区"),
            );
        }
        let manual_flag = manual.as_ref().and_then(Node::flag);
        match (every, cron, manual) {
            (Some(node), None, None) => within_range::duration(&node, EVERY.0, EVERY.1).map(Self::Every),
            (None, Some(node), None) => read_cron(&node, zone.as_ref()),
            (None, None, Some(node)) => match manual_flag? {
                true => Some(Self::Manual),
                false => {
                    node.problem(
                        text!("a stream that is not manual needs a time", "非手动的数据流需要运行时间"),
                        text!("write `every` or `cron` instead", "请改写 `every` 或 `cron`"),
                    );
                    None
                }
            },
            // The unknown key is told at its own place, and is what has to be put right.
            (None, None, None) if section.has_unknown() => None,
            (None, None, None) if !enabled => Some(Self::Manual),
            (None, None, None) => {
                section.problem(
                    text!("this stream has no schedule", "该数据流没有调度"),
                    text!("write `every = \"15m\"`, `cron = \"0 2 * * *\"` or `manual = true`; `enabled = false` switches it off", "请写 `every = \"15m\"`、`cron = \"0 2 * * *\"` 或 `manual = true`；`enabled = false` 表示停用"),
                );
                None
            }
            _ => {
                section.problem(
                    text!("`every`, `cron` and `manual` exclude each other", "`every`、`cron` 与 `manual` 只能选其一"),
                    text!("keep one of them", "请只保留一个"),
                );
                None
            }
        }
    }
}

fn read_cron(node: &Node<'_>, zone: Option<&Node<'_>>) -> Option<Schedule> {
    let zone = match zone {
        Some(node) => read_zone(node)?,
        None => ("UTC".to_owned(), TimeZone::UTC),
    };
    let like = text!(
        "five fields: minute, hour, day of month, month, day of week, such as \"30 2 * * MON-FRI\"",
        "请写五个字段：分、时、日、月、星期，例如 \"30 2 * * MON-FRI\""
    );
    let expr = node.parsed(|text| check_cron(text, &zone.1).map(|()| text.to_owned()), like)?;
    Some(Schedule::Cron { expr, zone: zone.0 })
}

fn read_zone(node: &Node<'_>) -> Option<(String, TimeZone)> {
    let known = |text: &str| {
        TimeZone::get(text)
            .map(|zone| (text.to_owned(), zone))
            .map_err(|_| text!("is not a known time zone", "不是已知的时区"))
    };
    node.parsed(
        known,
        text!(
            "write an IANA name, such as \"Asia/Shanghai\" or \"UTC\"",
            "请写 IANA 时区名，例如 \"Asia/Shanghai\" 或 \"UTC\""
        ),
    )
}

/// Does the expression parse, and does it ever come true? `0 0 31 2 *` parses.
fn check_cron(text: &str, zone: &TimeZone) -> Result<(), Text> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser
        .parse(text)
        .map_err(|error| text!("is not a cron expression: {}", "不是 cron 表达式：{}", lower(&error.to_string())))?;
    let from = jiff::Timestamp::UNIX_EPOCH.to_zoned(zone.clone());
    cron.find_next_occurrence(&from, false).map(|_| ()).map_err(|_| text!("never comes true", "永远不会到达"))
}

/// A sentence of another crate as the end of one of ours.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
