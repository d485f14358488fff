//! Of a tenant, how many references by alternate key lead to no record.

use renmen_store::UnresolvedKeys;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::ReferenceState;
use crate::instant::Time;

/// How long a reference by key may mean nothing before that is worth a word. Milliseconds.
const LATE_MS: i64 = 86_400_000;

/// References by one alternate key that lead to no record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnresolvedReferences {
    /// The entity that they mean: `employee`.
    entity: String,
    /// The alternate key by which they refer: `employee_number`.
    scheme: String,
    /// The connection whose record the references name; null: any.
    connection: Option<String>,
    /// `waiting`: no record has the key. `ambiguous`: several have it.
    state: ReferenceState,
    /// How many references wait so.
    references: u64,
    /// By how many different values of the key.
    values: u64,
    /// Where it is ambiguous: how many records have the same value, at most.
    matches_max: Option<u64>,
    /// Since when the first of them does.
    since: Time,
}

impl UnresolvedReferences {
    pub(crate) fn of(of: UnresolvedKeys) -> Self {
        Self {
            entity: of.entity,
            scheme: of.scheme,
            connection: of.connection.map(|name| name.to_string()),
            state: if of.ambiguous { ReferenceState::Ambiguous } else { ReferenceState::Waiting },
            references: of.records,
            values: of.values,
            matches_max: of.ambiguous.then_some(of.matches_max),
            since: Time(of.since_ms),
        }
    }

    /// Does it need a look? What waits for a record that is still to be read does not, for a day.
    pub(crate) fn is_troubled(&self, now_ms: i64) -> bool {
        self.state == ReferenceState::Ambiguous || now_ms - self.since.0 > LATE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_more_than_a_day_or_is_ambiguous_needs_a_look() {
        let waiting = |ambiguous, since_ms| {
            UnresolvedReferences::of(UnresolvedKeys {
                entity: "employee".into(),
                scheme: "employee_number".into(),
                connection: None,
                ambiguous,
                records: 1,
                values: 1,
                matches_max: 2,
                since_ms,
            })
        };
        assert!(!waiting(false, 1_000).is_troubled(1_000 + LATE_MS));
        assert!(waiting(false, 1_000).is_troubled(1_001 + LATE_MS));
        assert!(waiting(true, 1_000).is_troubled(1_000));
    }
}
