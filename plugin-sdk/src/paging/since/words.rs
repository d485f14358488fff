//! A time in a vendor's own words, moved back. What asks for changes sends times back in the form in which they came,
//! so the form is learnt from the text: a number since 1970, or a date with a time in the usual order, with any
//! separators.

use jiff::{SignedDuration, civil};

/// The text of a time `back_ms` earlier, rounded to the earlier second. `at_ms` is what the text means: it tells the unit of a
/// number. `None` for a form that is not known.
pub(super) fn earlier(text: &str, at_ms: i64, back_ms: i64) -> Option<String> {
    if back_ms <= 0 {
        return Some(text.to_owned());
    }
    match text.parse::<i64>() {
        Ok(number) => since_1970(number, at_ms, back_ms),
        Err(_) => civil_time(text, back_ms),
    }
}

/// In which unit does this number mean that time? Never before 1970: vendors refuse such a number.
fn since_1970(number: i64, at_ms: i64, back_ms: i64) -> Option<String> {
    let earlier_ms = at_ms.saturating_sub(back_ms).max(0);
    let per_ms = [1, 1_000, 1_000_000].into_iter().find(|per_ms| number.div_euclid(*per_ms) == at_ms);
    let moved = match per_ms {
        Some(per_ms) => earlier_ms.checked_mul(per_ms)?,
        None if number == at_ms.div_euclid(1_000) => earlier_ms.div_euclid(1_000),
        None => return None,
    };
    Some(moved.to_string())
}

/// `2026-03-02`, `2026/03/02 09:30`, `2026-03-02T09:30:00.123+08:00`: what is behind the seconds stays as it is.
fn civil_time(text: &str, back_ms: i64) -> Option<String> {
    let number = |at: usize, digits: usize| {
        let part = text.get(at..at + digits).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse::<i8>().map(i16::from).or_else(|_| part.parse::<i16>()).ok()
    };
    let small = |at: usize| number(at, 2).and_then(|number| i8::try_from(number).ok());
    let is = |at: usize, one_of: &[u8]| text.as_bytes().get(at).is_some_and(|byte| one_of.contains(byte));
    let (dash, slash) = (is(4, b"-") && is(7, b"-"), is(4, b"/") && is(7, b"/"));
    if !dash && !slash {
        return None;
    }
    let day = civil::Date::new(number(0, 4)?, small(5)?, small(8)?).ok()?;
    let has_time = is(10, b"Tt ") && is(13, b":");
    let has_seconds = has_time && is(16, b":");
    let (hour, minute) = if has_time { (small(11)?, small(14)?) } else { (0, 0) };
    let time = civil::Time::new(hour, minute, if has_seconds { small(17)? } else { 0 }, 0).ok()?;
    let seconds = back_ms.div_euclid(1_000).checked_add(i64::from(back_ms.rem_euclid(1_000) > 0))?;
    let moved = day.to_datetime(time).checked_sub(SignedDuration::from_secs(seconds)).ok()?;
    let mut out = moved.strftime(if dash { "%Y-%m-%d" } else { "%Y/%m/%d" }).to_string();
    let end = match (has_time, has_seconds) {
        (true, true) => 19,
        (true, false) => 16,
        (false, _) => 10,
    };
    if has_time {
        out.push_str(text.get(10..11)?);
        out.push_str(&moved.strftime(if has_seconds { "%H:%M:%S" } else { "%H:%M" }).to_string());
    }
    out.push_str(text.get(end..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::earlier;

    const MINUTE_MS: i64 = 60_000;

    #[test]
    fn each_form_is_written_as_it_came() {
        let at_ms = 1_772_415_000_123;
        let cases = [
            ("2026-03-02T01:30:00.123Z", "2026-03-02T01:29:00.123Z"),
            ("2026-03-02T09:30:00.123456+08:00", "2026-03-02T09:29:00.123456+08:00"),
            ("2026-03-02 09:30:00", "2026-03-02 09:29:00"),
            ("2026/03/02 09:30", "2026/03/02 09:29"),
            ("2026-03-02T00:00:30Z", "2026-03-01T23:59:30Z"),
            ("2026-03-01", "2026-02-28"),
            ("1772415000123", "1772414940123"),
            ("1772415000", "1772414940"),
            ("1772415000123456", "1772414940123000"),
        ];
        for (text, wanted) in cases {
            assert_eq!(earlier(text, at_ms, MINUTE_MS).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_moved_keeps_its_words_and_what_is_not_known_is_not_guessed() {
        assert_eq!(earlier("whenever", 5, 0).as_deref(), Some("whenever"));
        for text in
            ["whenever", "", "03/02/2026", "20260302093000", "2026-13-02", "2026-03-02T25:00:00Z", "２０２６-03-02"]
        {
            assert_eq!(earlier(text, 1_772_415_000_123, MINUTE_MS), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_never_moved_forward_and_a_number_never_below_zero() {
        assert_eq!(earlier("2026-03-02T01:30:00Z", 0, 1).as_deref(), Some("2026-03-02T01:29:59Z"));
        assert_eq!(earlier("1772415000", 1_772_415_000_999, 1).as_deref(), Some("1772415000"));
        assert_eq!(earlier("7", 7_000, i64::MAX).as_deref(), Some("0"));
        assert_eq!(earlier("0001-01-01", 0, i64::MAX), None);
    }
}
