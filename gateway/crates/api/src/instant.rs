//! Times cross the API as RFC 3339 in UTC with milliseconds; the store speaks milliseconds since the epoch.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

pub(crate) use renmen_clock::now_ms;

/// A time in an answer, held in milliseconds since the epoch: `2026-01-31T08:00:00.000Z` (RFC 3339, UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Time(pub(crate) i64);

impl Time {
    /// In milliseconds since the epoch.
    #[must_use]
    pub fn ms(self) -> i64 {
        self.0
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

/// For fields of public types that are milliseconds in Rust and a time in JSON.
pub(crate) fn optional<S: Serializer>(ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    ms.map(Time).serialize(serializer)
}

/// The same for one that is always there.
pub(crate) fn required<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    Time(*ms).serialize(serializer)
}

/// `2026-11-22T09:20:00.000Z`. What lies outside of jiff's years (-9999 to 9999) is shown at its edge.
pub(crate) fn rfc3339(ms: i64) -> String {
    let edge = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or(edge))
}

/// Milliseconds since the epoch of an RFC 3339 time with any offset; a finer fraction is cut towards the past.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.as_nanosecond().div_euclid(1_000_000) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_there_and_back() {
        assert_eq!(rfc3339(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(parse("2023-11-14T22:13:20.123Z"), Some(1_700_000_000_123));
        assert_eq!(parse("2023-11-15T06:13:20.123+08:00"), Some(1_700_000_000_123));
    }

    #[test]
    fn what_has_no_offset_or_is_no_time_is_none() {
        for bad in ["", "2023-11-14", "2023-11-14T22:13:20", "2023-02-31T00:00:00Z", "yesterday"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_outside_of_the_calendar_do_not_panic() {
        assert!(rfc3339(i64::MAX).starts_with("9999"));
        assert!(rfc3339(i64::MIN).starts_with("-"));
    }
}
