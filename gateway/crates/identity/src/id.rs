//! The ids of members and identities.

/// A record that may be a person or an organisational unit: its row in the store. Rows are numbered as records come, so the smallest is the
/// oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// A person or a unit: named after its oldest member.
///
/// So the id stays while younger records join and leave, and an id that stands no longer needs no table to be followed: it leads to its
/// member, and that to where it belongs now. When two people turn out to be one, the id of the younger leads to the older; when they are
/// separated again, it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId(pub MemberId);

/// A day as a number that orders as days do: 20240131.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let digits = bytes.iter().filter(|byte| **byte != b'-');
        let read = |sum: i32, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0'));
        digits.copied().try_fold(0, |sum, byte| read(sum, &byte)).map(Self)
    }
}

/// From a day up to, and without, another. What is not known is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    from: i32,
    to: i32,
}

impl Span {
    /// At all times.
    pub const ALWAYS: Self = Self { from: i32::MIN, to: i32::MAX };

    /// From the first day to the last.
    #[must_use]
    pub fn of(first: Option<Day>, last: Option<Day>) -> Self {
        // The day after the last one, as a number: not a day, perhaps, but in its order.
        Self { from: first.map_or(i32::MIN, |day| day.0), to: last.map_or(i32::MAX, |day| day.0.saturating_add(1)) }
    }

    /// As it was kept: [`Span::ends`].
    pub(crate) fn between(from: i32, to: i32) -> Self {
        Self { from, to }
    }

    /// The first day and the one after the last.
    pub(crate) fn ends(self) -> (i32, i32) {
        (self.from, self.to)
    }

    /// Is there a day in both?
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_meet_on_a_common_day_only() {
        let span = |first, last| Span::of(Day::parse(first), Day::parse(last));
        assert!(span("2020-01-01", "2020-12-31").meets(span("2020-12-31", "")));
        assert!(!span("2020-01-01", "2020-12-30").meets(span("2020-12-31", "")));
        assert!(span("", "").meets(span("2020-01-01", "2020-01-01")));
        assert!(Span::ALWAYS.meets(Span::ALWAYS));
    }

    #[test]
    fn only_a_date_is_a_day() {
        assert_eq!(Day::parse("2024-01-31"), Some(Day(20_240_131)));
        for bad in ["", "2024-1-31", "20240131", "2024/01/31", "2024-0a-31"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}
