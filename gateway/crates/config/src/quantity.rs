//! Durations (`15m`) and sizes (`64MiB`) as people write them.

use std::time::Duration;

use renmen_schema::{Text, text};

/// Durations have a whole number and a unit: `500ms`, `30s`, `15m`, `2h`, `7d`.
const DURATION_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Sizes have a whole number and perhaps a unit: `4096`, `512KiB`, `64MiB`, `2GiB`; `KB`, `MB`, `GB` are powers of 1000.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Reads a duration such as `15m`; the error goes on after the text: `is …`.
///
/// # Errors
/// The rest of a sentence about the text.
pub fn duration(text: &str) -> Result<Duration, Text> {
    scaled(text, &DURATION_UNITS).map(Duration::from_millis).ok_or_else(|| {
        text!(
            "is not a duration: write a whole number with ms, s, m, h or d, such as \"15m\"",
            "不是时长：请写整数加 ms、s、m、h 或 d，例如 \"15m\""
        )
    })
}

/// Reads a size in bytes; the error is the whole sentence.
pub(crate) fn bytes(text: &str) -> Result<u64, Text> {
    scaled(text, &SIZE_UNITS).ok_or_else(|| {
        text!(
            "is not a size: write a whole number with KiB, MiB or GiB, such as \"64MiB\", or plain bytes",
            "不是字节数：请写整数加 KiB、MiB 或 GiB，例如 \"64MiB\"，或直接写字节数"
        )
    })
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let number: u64 = text[..split].replace('_', "").parse().ok()?;
    let unit = text[split..].trim();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

/// A duration in the largest unit that leaves no rest: `15m`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let unit = DURATION_UNITS.iter().rev().find(|(_, factor)| ms > 0 && ms.is_multiple_of(*factor));
    match unit {
        Some((name, factor)) => format!("{}{name}", ms / factor),
        None => format!("{ms}ms"),
    }
}

/// A size in the largest binary unit that leaves no rest: `64MiB`.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    let unit = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match unit.iter().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor)) {
        Some((name, factor)) => format!("{}{name}", bytes / factor),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_are_read_and_shown() {
        for (text, ms) in
            [("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(ms), "{text}");
            if ms > 0 {
                assert_eq!(show_duration(Duration::from_millis(ms)), text);
            }
        }
        assert_eq!(show_duration(Duration::ZERO), "0ms");
        assert_eq!(show_duration(Duration::from_millis(90_500)), "90500ms");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "15", "m", "15 minutes", "1.5h", "-1s", "15M", "99999999999999999999d", "9999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, want) in [
            ("4096", 4096),
            ("1_000", 1000),
            ("512KiB", 524_288),
            ("64 MiB", 67_108_864),
            ("2GiB", 1 << 31),
            ("5MB", 5_000_000),
        ] {
            assert_eq!(bytes(text).unwrap(), want, "{text}");
        }
        assert_eq!(show_bytes(64 << 20), "64MiB");
        assert_eq!(show_bytes(1000), "1000B");
        assert_eq!(show_bytes(0), "0B");
        for text in ["", "MiB", "64mib", "1.5MiB", "64 M", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
