//! What a look at an interview or an order comes to: records to write, and when to look again.

use renmen_schema::Entity;
use renmen_store::{AuthoredRecord, Cause, Parent};

use crate::{InterviewError, author};

/// What is to be done now, and when again.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) records: Vec<AuthoredRecord>,
    /// None: not before something changes.
    pub(crate) again_ms: Option<i64>,
    /// A rule decides on a result.
    pub(crate) decides: bool,
    /// What else is to be looked at, because of what this one says.
    pub(crate) also: Vec<Parent>,
}

impl Plan {
    /// A record that is not there yet.
    pub(crate) fn create<E: Entity>(
        &mut self,
        external_id: impl Into<String>,
        body: &E,
        causes: Vec<Cause>,
    ) -> Result<(), InterviewError> {
        let mut record = author::record(external_id, body, causes)?;
        // Two gateways may look at once; the second finds the first one's record when it looks again.
        record.expect = Some(0);
        self.records.push(record);
        Ok(())
    }

    /// Looks again at this time, or earlier.
    pub(crate) fn look_at(&mut self, ms: i64) {
        self.again_ms = Some(self.again_ms.map_or(ms, |before| before.min(ms)));
    }

    /// This plan and the other one, together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.records.extend(other.records);
        self.decides |= other.decides;
        self.also.extend(other.also);
        if let Some(ms) = other.again_ms {
            self.look_at(ms);
        }
        self
    }
}
