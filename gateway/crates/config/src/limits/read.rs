//! One module for each kind of limit: how it is read, how it is shown, and its unit. `limits!` names them.

use renmen_schema::manifest::Rate;
use renmen_schema::text;

use crate::section::{Node, Section};
use crate::show_duration;

/// Notes a value outside of its range.
fn within<T: PartialOrd + Copy>(node: &Node<'_>, value: T, least: T, most: T, show: impl Fn(T) -> String) -> Option<T> {
    if value >= least && value <= most {
        return Some(value);
    }
    node.problem(
        text!("`{}` is out of range", "`{}` 超出范围", show(value)),
        text!("this limit goes from {} to {}", "此限额的范围为 {} 到 {}", show(least), show(most)),
    );
    None
}

/// As text without a rest: 4294967295 for the largest `u32`.
fn wide<T: Into<u64>>(value: T) -> u64 {
    value.into()
}

/// A whole number in either width; the range of the limit keeps it within the type.
fn narrow<T: TryFrom<u64> + Into<u64> + Copy>(
    node: &Node<'_>,
    value: Option<u64>,
    least: T,
    most: T,
    show: impl Fn(u64) -> String,
) -> Option<T> {
    within(node, value?, wide(least), wide(most), show).and_then(|value| T::try_from(value).ok())
}

/// A number of things.
pub(super) mod count {
    use super::{Node, narrow, wide};

    pub(crate) const UNIT: &str = "number";

    pub(crate) fn read<T: TryFrom<u64> + Into<u64> + Copy>(node: &Node<'_>, least: T, most: T) -> Option<T> {
        narrow(node, node.count(), least, most, show)
    }

    pub(crate) fn show<T: Into<u64>>(value: T) -> String {
        wide(value).to_string()
    }
}

/// A number of things that the plugin's manifest names where the operator does not.
pub(super) mod manifests {
    use super::{Node, count};

    pub(crate) const UNIT: &str = "number";

    pub(crate) fn read(node: &Node<'_>, least: Option<u64>, most: Option<u64>) -> Option<Option<u64>> {
        count::read(node, least.unwrap_or(0), most.unwrap_or(u64::MAX)).map(Some)
    }

    pub(crate) fn show(value: Option<u64>) -> String {
        value.map_or_else(|| "the plugin's manifest".to_owned(), count::show)
    }
}

/// A size.
pub(super) mod bytes {
    use super::{Node, narrow, wide};

    pub(crate) const UNIT: &str = "bytes";

    pub(crate) fn read<T: TryFrom<u64> + Into<u64> + Copy>(node: &Node<'_>, least: T, most: T) -> Option<T> {
        narrow(node, node.bytes(), least, most, show)
    }

    pub(crate) fn show<T: Into<u64>>(value: T) -> String {
        crate::show_bytes(wide(value))
    }
}

/// A length of time.
pub(super) mod duration {
    use std::time::Duration;

    use super::{Node, within};

    pub(crate) const UNIT: &str = "duration";

    pub(crate) fn read(node: &Node<'_>, least: Duration, most: Duration) -> Option<Duration> {
        within(node, node.duration()?, least, most, show)
    }

    pub(crate) fn show(value: Duration) -> String {
        crate::show_duration(value)
    }
}

/// A share from 0 to 1.
pub(super) mod ratio {
    use super::{Node, within};

    pub(crate) const UNIT: &str = "share";

    pub(crate) fn read(node: &Node<'_>, least: f64, most: f64) -> Option<f64> {
        within(node, node.number()?, least, most, show)
    }

    pub(crate) fn show(value: f64) -> String {
        value.to_string()
    }
}

/// `rate = { requests = 20, per = "1s", burst = 5 }`.
pub(super) fn rate(mut section: Section<'_>) -> Option<Rate> {
    use std::time::Duration;
    const MOST: u32 = Rate::REQUESTS_MAX;
    let requests = section
        .require("requests", text!("say how many: `requests = 20`", "请写请求数：`requests = 20`"))
        .and_then(|node| count::read(&node, 1_u32, MOST));
    let per = section
        .require("per", text!("say in which time: `per = \"1s\"`", "请写每个周期的时长：`per = \"1s\"`"))
        .and_then(|node| duration::read(&node, Duration::from_millis(1), Duration::from_millis(Rate::PER_MS_MAX)));
    let burst = match section.get("burst") {
        Some(node) => count::read(&node, 1_u32, MOST).map(Some),
        None => Some(None),
    };
    let per_ms = per.and_then(|per| u64::try_from(per.as_millis()).ok());
    let rate = requests.zip(per_ms).zip(burst).map(|((requests, per_ms), burst)| Rate { requests, per_ms, burst });
    if let Some(wrong) = rate.and_then(|rate| rate.fault()) {
        section.problem(wrong, text!("write a smaller `burst`", "请写更小的 `burst`"));
    }
    section.finish();
    rate
}

/// As it is written in the file.
pub(super) fn show_rate(rate: &Rate) -> String {
    let burst = rate.burst.map(|burst| format!(", burst = {burst}")).unwrap_or_default();
    format!(
        "{{ requests = {}, per = \"{}\"{burst} }}",
        rate.requests,
        show_duration(std::time::Duration::from_millis(rate.per_ms))
    )
}

/// The same checks for numbers of other sections.
pub(crate) mod within_range {
    pub(crate) use super::bytes::read as bytes;
    pub(crate) use super::count::read as count;
    pub(crate) use super::duration::read as duration;
}
