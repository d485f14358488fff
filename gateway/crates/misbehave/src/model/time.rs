//! How a source writes its times, learnt from one of them.

use jiff::Timestamp;
use jiff::civil::DateTime;
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
        /// `+08:00` and not `+0800`.
        colon: bool,
        /// With milliseconds.
        millis: bool,
    },
    /// `2024-01-01 08:00:00`, in a zone that everyone knows.
    Local {
        /// From UTC, in seconds.
        offset_s: i32,
        /// A `T` between day and time.
        tee: bool,
        /// With milliseconds.
        millis: bool,
    },
    /// `/Date(1704067200000)/`, in milliseconds.
    Wrapped,
    /// Since 1970.
    Epoch {
        /// Milliseconds in a unit: 1 or 1000.
        unit_ms: i64,
        /// As text.
        quoted: bool,
    },
}

impl TimeForm {
    /// The form of an example; `offset_s` is the zone of one that names none, in seconds from UTC.
    #[must_use]
    pub fn of(example: &Value, offset_s: i32) -> Option<Self> {
        // Milliseconds of our days have 13 digits, seconds 10.
        let unit_ms = |number: i64| if number > 100_000_000_000 { 1 } else { 1000 };
        match example {
            Value::Number(number) => Some(Self::Epoch { unit_ms: unit_ms(number.as_i64()?), quoted: false }),
            Value::String(text) => match text.parse::<i64>() {
                Ok(number) => Some(Self::Epoch { unit_ms: unit_ms(number), quoted: true }),
                Err(_) if wrapped(text).is_some() => Some(Self::Wrapped),
                Err(_) => rfc3339(text).or_else(|| {
                    text.parse::<DateTime>().ok().filter(|_| text.len() >= 19)?;
                    Some(Self::Local { offset_s, tee: text.contains('T'), millis: text.contains('.') })
                }),
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
            Self::Wrapped => format!("/Date({ms})/").into(),
            Self::Local { offset_s, tee, millis } => local(ms, offset_s, tee, millis).into(),
            Self::Rfc3339 { offset_s, zulu, colon, millis } => {
                let day = local(ms, offset_s, true, millis);
                let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
                let colon = if colon { ":" } else { "" };
                match zulu {
                    true => format!("{day}Z").into(),
                    false => format!("{day}{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60).into(),
                }
            }
        }
    }

    /// Reads a time that a request names: in this form, or in RFC 3339. Milliseconds since 1970; `None` if it is not a time.
    #[must_use]
    pub fn read(self, text: &str) -> Option<i64> {
        let own = match self {
            Self::Epoch { unit_ms, .. } => text.parse::<i64>().ok().and_then(|number| number.checked_mul(unit_ms)),
            Self::Rfc3339 { .. } => None,
            Self::Wrapped => wrapped(text),
            Self::Local { offset_s, .. } => text.parse::<DateTime>().ok().and_then(|local| {
                Some(Offset::from_seconds(offset_s).ok()?.to_timestamp(local).ok()?.as_millisecond())
            }),
        };
        // A local time that is read as one must not be read as one in UTC.
        own.or_else(|| Some(text.parse::<Timestamp>().ok()?.as_millisecond()))
    }
}

/// The offset of `+08:00`, `-0330` or `Z`, in seconds.
#[must_use]
pub fn offset_of(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let digits: String = zone.get(1..)?.chars().filter(|c| *c != ':').collect();
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i32>().ok();
    let seconds = (number(0..2)? * 60 + number(2..4)?) * 60;
    match zone.as_bytes()[0] {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn local(ms: i64, offset_s: i32, tee: bool, millis: bool) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = Offset::from_seconds(offset_s).unwrap_or(Offset::UTC).to_datetime(at);
    let text = local.strftime(if millis { "%Y-%m-%d %H:%M:%S%.3f" } else { "%Y-%m-%d %H:%M:%S" }).to_string();
    if tee { text.replacen(' ', "T", 1) } else { text }
}

/// The milliseconds in `/Date(…)/`, with or without the offset that changes nothing.
fn wrapped(text: &str) -> Option<i64> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    inner.split('+').next()?.parse().ok()
}

fn rfc3339(text: &str) -> Option<TimeForm> {
    text.parse::<Timestamp>().ok()?;
    let zulu = text.ends_with('Z');
    let at = text.rfind(['+', '-'])?;
    let offset_s = if zulu { 0 } else { offset_of(&text[at..])? };
    Some(TimeForm::Rfc3339 { offset_s, zulu, colon: text[at..].contains(':'), millis: text.contains('.') })
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
            (json!("2024-01-01T08:00:00.000+0000"), json!("2026-03-02T01:00:00.000+0000")),
            (json!("2024-01-01 08:00:00"), json!("2026-03-02 09:00:00")),
            (json!("2024-01-01T08:00:00.000"), json!("2026-03-02T09:00:00.000")),
            (json!("/Date(1704067200000)/"), json!("/Date(1772413200000)/")),
        ] {
            let form = TimeForm::of(&example, 8 * 3600).unwrap();
            assert_eq!(form.write(FROM_MS), written);
            assert_eq!(form.read(&crate::place::text_of(&written).unwrap()), Some(FROM_MS));
        }
        let wrapped = TimeForm::of(&json!("/Date(1704067200000+0000)/"), 0).unwrap();
        assert_eq!(wrapped.read("2026-03-02T01:00:00Z"), Some(FROM_MS), "a filter may write it otherwise");
        for none in [json!("yesterday"), json!("2024-01-01"), json!(null)] {
            assert_eq!(TimeForm::of(&none, 0), None, "{none}");
        }
        assert_eq!(
            [offset_of("Z"), offset_of("+08:00"), offset_of("-0330"), offset_of("8")],
            [Some(0), Some(28_800), Some(-12_600), None]
        );
    }
}
