//! Points in time.

use std::fmt;

use super::LocalDate;
use super::date::MS_PER_DAY;
use crate::check::{BadValue, Walk};
use crate::json_string::string_type;
use crate::shape::shape;
use crate::{Text, text};

fn expected() -> Text {
    text!(
        "expected RFC 3339 with a zone, as 2025-03-01T01:00:00.000Z, of the years 1 to 9999",
        "应为带时区的 RFC 3339 时间，例如 2025-03-01T01:00:00.000Z，在公元 1 到 9999 年之间"
    )
}

/// A point in time in milliseconds, written as RFC 3339 in UTC: `2025-03-01T01:00:00.000Z`. Another offset is converted on
/// reading; what is finer than a millisecond is cut off. Where the local clock matters there is [`ZonedInstant`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// Reads RFC 3339; a time without a zone is refused, because it does not say which instant is meant.
    ///
    /// # Errors
    /// `bad_instant`.
    pub fn parse(text: &str) -> Result<Self, BadValue> {
        let refuse = || BadValue::new("bad_instant", expected());
        // A year of four digits, then the zone that jiff asks for. Longer texts carry annotations that we do not keep.
        if text.len() > 40 || !text.as_bytes().first().is_some_and(u8::is_ascii_digit) || text.contains('[') {
            return Err(refuse());
        }
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        Self::from_epoch_ms(timestamp.as_nanosecond().div_euclid(1_000_000) as i64)
    }

    /// From milliseconds since 1970-01-01T00:00Z.
    ///
    /// # Errors
    /// `bad_instant` outside the years 1 to 9999.
    pub fn from_epoch_ms(ms: i64) -> Result<Self, BadValue> {
        match LocalDate::from_epoch_days(ms.div_euclid(MS_PER_DAY)) {
            Some(_) => Ok(Self(ms)),
            None => Err(BadValue::new("bad_instant", expected())),
        }
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn epoch_ms(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = LocalDate::from_epoch_days(self.0.div_euclid(MS_PER_DAY)).expect("checked when it was made");
        let ms = self.0.rem_euclid(MS_PER_DAY);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1000)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

string_type!(Instant, "a time as a JSON string", {
    "description": "A point in time: RFC 3339 in UTC with milliseconds.",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"
});

shape! {
    /// A point in time with the local clock that it was read on, where a person's day matters (interviews, punches).
    pub struct ZonedInstant {
        /// The point in time.
        pub utc: Instant,
        /// IANA zone, as Asia/Shanghai.
        pub tz: Option<String>,
        /// Offset from UTC at that time, as +08:00. Kept in addition to the zone because zones change their rules.
        pub offset: Option<String>,
    }
    rules zone_rules
}

impl ZonedInstant {
    /// From milliseconds since 1970 and a named zone: `from_epoch_ms_in(ms, "Asia/Shanghai")`.
    ///
    /// # Errors
    /// `bad_instant`, `bad_zone`.
    pub fn from_epoch_ms_in(ms: i64, tz: &str) -> Result<Self, BadValue> {
        if !is_zone(tz) {
            return Err(BadValue::new("bad_zone", zone_expected()));
        }
        Ok(Self { tz: Some(tz.to_owned()), ..Self::new(Instant::from_epoch_ms(ms)?) })
    }

    /// From milliseconds since 1970 and an offset from UTC in minutes: 480 for China.
    ///
    /// # Errors
    /// `bad_instant`, `bad_offset` for more than 18 hours.
    pub fn from_epoch_ms_at_offset(ms: i64, offset_minutes: i32) -> Result<Self, BadValue> {
        if offset_minutes.abs() > 18 * 60 {
            return Err(BadValue::new("bad_offset", offset_expected()));
        }
        let sign = if offset_minutes < 0 { '-' } else { '+' };
        let minutes = offset_minutes.abs();
        let offset = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        Ok(Self { offset: Some(offset), ..Self::new(Instant::from_epoch_ms(ms)?) })
    }
}

fn zone_expected() -> Text {
    text!("expected an IANA zone, as Asia/Shanghai or UTC", "应为 IANA 时区名，例如 Asia/Shanghai 或 UTC")
}
fn offset_expected() -> Text {
    text!("expected an offset of at most 18 hours, as +08:00", "应为不超过 18 小时的偏移，例如 +08:00")
}

/// The form of an IANA name. Whether such a zone exists is for who has the zone table.
fn is_zone(tz: &str) -> bool {
    let part = |p: &str| {
        p.starts_with(|c: char| c.is_ascii_alphabetic())
            && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    tz.len() <= 64 && tz.split('/').all(part)
}

fn is_offset(offset: &str) -> bool {
    let bytes = offset.as_bytes();
    let [b'+' | b'-', h1, h2, b':', m1, m2] = bytes else { return false };
    if ![h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let minutes = i32::from((m1 - b'0') * 10 + (m2 - b'0'));
    minutes < 60 && i32::from((h1 - b'0') * 10 + (h2 - b'0')) * 60 + minutes <= 18 * 60
}

fn zone_rules(zoned: &ZonedInstant, walk: &mut Walk<'_>) {
    if zoned.tz.as_deref().is_some_and(|tz| !is_zone(tz)) {
        walk.defect_in("tz", "bad_zone", zone_expected());
    }
    if zoned.offset.as_deref().is_some_and(|offset| !is_offset(offset)) {
        walk.defect_in("offset", "bad_offset", offset_expected());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Instant, ZonedInstant};
    use crate::check::Walk;

    #[test]
    fn an_instant_is_utc_with_milliseconds() {
        let instant = Instant::parse("2025-03-01T09:00:00.1239+08:00").unwrap();
        assert_eq!(instant.to_string(), "2025-03-01T01:00:00.123Z");
        assert_eq!(Instant::from_epoch_ms(-1).unwrap().to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Instant::from_epoch_ms(0).unwrap().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_time_that_nobody_can_place_is_refused() {
        for text in
            ["", "2025-03-01", "2025-03-01T09:00:00", "2025-02-31T00:00:00Z", "2025-03-01T25:00:00Z", "1740790800000"]
        {
            assert_eq!(Instant::parse(text).unwrap_err().code, "bad_instant", "{text}");
        }
        assert!(Instant::from_epoch_ms(i64::MAX).is_err());
        assert!(Instant::from_epoch_ms(-62_135_596_800_001).is_err(), "the year 0");
        assert!(Instant::from_epoch_ms(-62_135_596_800_000).is_ok(), "the year 1");
        assert!(Instant::from_epoch_ms(253_402_300_800_000).is_err(), "the year 10000");
    }

    #[test]
    fn a_zone_and_an_offset_are_kept_apart_and_checked() {
        assert_eq!(ZonedInstant::from_epoch_ms_at_offset(0, 480).unwrap().offset.unwrap(), "+08:00");
        assert_eq!(ZonedInstant::from_epoch_ms_at_offset(0, -210).unwrap().offset.unwrap(), "-03:30");
        assert!(ZonedInstant::from_epoch_ms_at_offset(0, 1081).is_err());
        assert_eq!(ZonedInstant::from_epoch_ms_in(0, "Asia/Shanghai").unwrap().tz.unwrap(), "Asia/Shanghai");
        assert!(ZonedInstant::from_epoch_ms_in(0, "+08:00").is_err());
        let bad = ZonedInstant { tz: Some("../etc".into()), offset: Some("8".into()), ..ZonedInstant::new(Instant(0)) };
        let codes: Vec<_> = Walk::over(&bad).into_iter().map(|d| d.code).collect();
        assert_eq!(codes, ["bad_zone", "bad_offset"]);
    }
}
