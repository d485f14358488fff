//! The period that a question is about.

use renmen_schema::types::{DateSpan, Instant, LocalDate};

/// Days of a calendar, both ends included, and where a day begins for points in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    span: DateSpan,
    offset_minutes: i32,
    from_ms: i64,
    until_ms: i64,
}

const MS_PER_DAY: i64 = 86_400_000;

impl Window {
    /// Days at an offset from UTC in minutes: 480 for China.
    #[must_use]
    pub fn new(span: DateSpan, offset_minutes: i32) -> Self {
        let offset_ms = i64::from(offset_minutes) * 60_000;
        // Every day from the year 1 on begins at an instant.
        let midnight = |day: LocalDate| Instant::parse(&format!("{day}T00:00:00Z")).map_or(0, Instant::epoch_ms);
        let (from_ms, until_ms) = (midnight(span.start) - offset_ms, midnight(span.end) + MS_PER_DAY - offset_ms);
        Self { span, offset_minutes, from_ms, until_ms }
    }

    /// The days.
    #[must_use]
    pub fn span(&self) -> &DateSpan {
        &self.span
    }

    /// The day of a point in time; none outside the years 1 to 9999.
    #[must_use]
    pub fn day(&self, at: Instant) -> Option<LocalDate> {
        LocalDate::from_epoch_ms_at_offset(at.epoch_ms(), self.offset_minutes).ok()
    }

    /// Does a point in time lie in it?
    #[must_use]
    pub fn has(&self, at: Instant) -> bool {
        (self.from_ms..self.until_ms).contains(&at.epoch_ms())
    }

    /// Does a day lie in it?
    #[must_use]
    pub fn has_day(&self, day: LocalDate) -> bool {
        self.span.start <= day && day <= self.span.end
    }
}
