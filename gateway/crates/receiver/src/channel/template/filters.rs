//! What templates can do beyond the engine: show a time where its reader is, and let only web addresses be links.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, Error, ErrorKind};

pub(super) fn add(environment: &mut Environment<'_>, zone: TimeZone) {
    // `{{ starts_at | time("%H:%M") }}`: an instant of the records (RFC 3339), in the deployment's zone.
    environment.add_filter("time", move |text: String, pattern: String| show(&text, &pattern, &zone));
    environment.add_filter("url", |text: String| web_address(&text).map(str::to_owned));
}

fn show(text: &str, pattern: &str, zone: &TimeZone) -> Result<String, Error> {
    let bad = |what: &'static str| Error::new(ErrorKind::InvalidOperation, what);
    let instant: Timestamp = text.parse().map_err(|_| bad("`time` takes an instant such as 2026-11-23T02:00:00Z"))?;
    let shown = jiff::fmt::strtime::format(pattern, &instant.to_zoned(zone.clone()));
    shown.map_err(|_| bad("`time` does not know this pattern; it is that of strftime"))
}

/// A mail's reader clicks on it: no `javascript:` and no `data:`.
fn web_address(text: &str) -> Result<&str, Error> {
    let lower = text.trim_start().to_ascii_lowercase();
    match lower.starts_with("https://") || lower.starts_with("http://") {
        true => Ok(text),
        false => Err(Error::new(ErrorKind::InvalidOperation, "`url` takes an address that begins with https://")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_is_shown_where_its_reader_is() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(show("2026-11-22T18:05:00Z", "%-m月%-d日 %H:%M", &shanghai).unwrap(), "11月23日 02:05");
        assert_eq!(show("2026-11-23T02:05:00+08:00", "%H:%M %:z", &shanghai).unwrap(), "02:05 +08:00");
        assert!(show("tomorrow", "%H", &shanghai).is_err());
        assert!(show("2026-11-22T18:05:00Z", "%!", &shanghai).is_err());
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert!(web_address("https://a.test/x").is_ok() && web_address("HTTP://a.test").is_ok());
        for bad in ["javascript:alert(1)", "data:text/html,x", "//a.test", ""] {
            assert!(web_address(bad).is_err(), "{bad}");
        }
    }
}
