//! Calendar months in a time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::EgressError;

/// Where months begin.
pub(super) struct Calendar {
    zone: TimeZone,
}

/// One month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Month {
    /// `2026-11`
    pub(super) name: String,
    /// When the next one begins, in milliseconds since the epoch.
    pub(super) ends_ms: i64,
    /// The same, for people.
    pub(super) ends: String,
}

impl Calendar {
    /// # Errors
    /// [`EgressError::BadRequest`] for a zone that is not there.
    pub(super) fn in_zone(name: &str) -> Result<Self, EgressError> {
        let zone = TimeZone::get(name).map_err(|_| {
            EgressError::BadRequest(format!(
                "budget: `zone` of the plugin's manifest is `{}`; expected a time zone such as Asia/Shanghai",
                crate::shown::shown(name, 64)
            ))
        })?;
        Ok(Self { zone })
    }

    /// # Errors
    /// [`EgressError::Unavailable`] for a time beyond the calendar.
    pub(super) fn month(&self, now_ms: i64) -> Result<Month, EgressError> {
        let month = || {
            let now = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(self.zone.clone());
            let next = now.date().last_of_month().tomorrow().ok()?.to_zoned(self.zone.clone()).ok()?;
            Some(Month {
                name: now.strftime("%Y-%m").to_string(),
                ends_ms: next.timestamp().as_millisecond(),
                ends: next.strftime("%Y-%m-%d %H:%M %Q").to_string(),
            })
        };
        month().ok_or_else(|| EgressError::Unavailable("the gateway's clock stands beyond the calendar: set it".into()))
    }
}
