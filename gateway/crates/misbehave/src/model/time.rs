//! How a source writes its times, learnt from one of them.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;

/// The form of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// RFC 3339.
    Rfc3339 {
        /// From UTC, in seconds.
        offset_s: i32,
        /// `Z` instead of an offset.
        zulu: bool,
        /// With milliseconds.
        millis: bool,
    },
    /// Since 1970.
    Epoch {
        /// Milliseconds in a unit: 1 or 1000.
        unit_ms: i64,
        /// As text.
        quoted: bool,
    },
}

impl TimeForm {
    /// The form of an example.
    #[must_use]
    pub fn of(example: &Value) -> Option<Self> {
        // Milliseconds of our days have 13 digits, seconds 10.
        let unit_ms = |number: i64| if number > 100_000_000_000 { 1 } else { 1000 };
        match example {
            Value::Number(number) => Some(Self::Epoch { unit_ms: unit_ms(number.as_i64()?), quoted: false }),
            Value::String(text) => match text.parse::<i64>() {
                Ok(number) => Some(Self::Epoch { unit_ms: unit_ms(number), quoted: true }),
                Err(_) => rfc3339(text),
            },
            _ => None,
        }
    }

    /// A time in this form. Milliseconds since 1970.
    #[must_use]
    pub fn write(self, ms: i64) -> Value {
        match self {
            Self::Epoch { unit_ms, quoted } => {
                let number = ms.div_euclid(unit_ms);
                if quoted { number.to_string().into() } else { number.into() }
            }
            Self::Rfc3339 { offset_s, zulu, millis } => {
                let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
                let offset = Offset::from_seconds(offset_s).unwrap_or(Offset::UTC);
                let local = offset.to_datetime(at);
                let day = local.strftime(if millis { "%Y-%m-%dT%H:%M:%S%.3f" } else { "%Y-%m-%dT%H:%M:%S" });
                let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
                match zulu {
                    true => format!("{day}Z").into(),
                    false => format!("{day}{sign}{:02}:{:02}", minutes / 60, minutes % 60).into(),
                }
            }
        }
    }

    /// Reads a time that a request names. Milliseconds since 1970; `None` if it is not a time.
    #[must_use]
    pub fn read(self, text: &str) -> Option<i64> {
        match self {
            Self::Epoch { unit_ms, .. } => text.parse::<i64>().ok()?.checked_mul(unit_ms),
            Self::Rfc3339 { .. } => Some(text.parse::<Timestamp>().ok()?.as_millisecond()),
        }
    }
}

fn rfc3339(text: &str) -> Option<TimeForm> {
    text.parse::<Timestamp>().ok()?;
    let zulu = text.ends_with('Z');
    let offset_s = match zulu {
        true => 0,
        false => {
            let tail = text.get(text.len().checked_sub(6)?..)?;
            let (hours, minutes) = (tail.get(1..3)?.parse::<i32>().ok()?, tail.get(4..6)?.parse::<i32>().ok()?);
            let seconds = (hours * 60 + minutes) * 60;
            if tail.starts_with('-') { -seconds } else { seconds }
        }
    };
    Some(TimeForm::Rfc3339 { offset_s, zulu, millis: text.contains('.') })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::model::FROM_MS;

    #[test]
    fn a_time_is_written_as_its_example_and_read_back() {
        for (example, written) in [
            (json!("2024-01-01T00:00:00Z"), json!("2026-03-02T01:00:00Z")),
            (json!("2024-01-01T08:00:00.000+08:00"), json!("2026-03-02T09:00:00.000+08:00")),
            (json!("2024-01-01T08:00:00-03:30"), json!("2026-03-01T21:30:00-03:30")),
            (json!(1_704_067_200_000_i64), json!(FROM_MS)),
            (json!("1704067200"), json!("1772413200")),
        ] {
            let form = TimeForm::of(&example).unwrap();
            assert_eq!(form.write(FROM_MS), written);
            assert_eq!(form.read(&crate::place::text_of(&written).unwrap()), Some(FROM_MS));
        }
        assert_eq!((TimeForm::of(&json!("yesterday")), TimeForm::of(&json!(null))), (None, None));
    }
}
