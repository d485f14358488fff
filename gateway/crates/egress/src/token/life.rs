//! How long a token lives, as vendors write it. A life that cannot be read is told instead of guessed: a token that is used
//! too long fails in the middle of a run.

use std::time::Duration;

use serde_json::Value;

/// The life that an answer states, in seconds: a number, whole or not, or the text of one. `None`: it states none, or 0, which
/// some vendors write for a token that does not end.
///
/// # Errors
/// What is wrong with it, as words that follow its name; the value is not repeated.
pub(super) fn of(value: Option<&Value>) -> Result<Option<Duration>, &'static str> {
    const NOT_A_NUMBER: &str = "is not a number of seconds";
    let seconds = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(_) => None,
    };
    match seconds.filter(|seconds| seconds.is_finite()).ok_or(NOT_A_NUMBER)? {
        seconds if seconds < 0.0 => Err("is negative"),
        seconds if seconds < 1.0 => Ok(None),
        // Rounded down, and no further than a number of seconds goes.
        seconds => Ok(Some(Duration::from_secs(seconds as u64))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_life_is_read_in_every_form_that_vendors_write() {
        for value in [json!(3600), json!(3600.0), json!(3600.9), json!("3600"), json!("3600.0"), json!(" 3600 ")] {
            assert_eq!(of(Some(&value)).unwrap(), Some(Duration::from_secs(3600)), "{value}");
        }
        for value in [json!(null), json!(0), json!("0"), json!(0.0)] {
            assert_eq!(of(Some(&value)).unwrap(), None, "{value}");
        }
        assert_eq!(of(None).unwrap(), None);
        assert_eq!(of(Some(&json!(1e300))).unwrap(), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_life_that_cannot_be_read_is_told_by_what_is_wrong_with_it() {
        for value in [json!(-1), json!("-3600"), json!(-0.5)] {
            assert_eq!(of(Some(&value)).unwrap_err(), "is negative", "{value}");
        }
        for value in [
            json!(""),
            json!("1h"),
            json!("2026-03-02T00:00:00Z"),
            json!("NaN"),
            json!("inf"),
            json!(true),
            json!([3600]),
            json!({}),
        ] {
            assert_eq!(of(Some(&value)).unwrap_err(), "is not a number of seconds", "{value}");
        }
    }
}
