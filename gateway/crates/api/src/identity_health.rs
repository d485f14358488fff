//! How the work on who is one person is, as health shows it: how far behind the change feed it is, and what waits for people.

use renmen_people::PeopleProgress;
use serde::Serialize;
use utoipa::ToSchema;

/// Behind the change feed for longer than this is trouble, in milliseconds.
const BEHIND_MS_MAX: i64 = 15 * 60_000;

/// How the work on who is one person is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IdentityHealth {
    /// How far it has read the change feed: a position as `GET /v1/changes` gives.
    pub(crate) followed: i64,
    /// When the oldest change was recorded that it has not looked at; null while it has looked at all.
    #[serde(rename = "behind_since", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) behind_since_ms: Option<i64>,
    /// Links between records that are one person or unit.
    pub(crate) linked: u64,
    /// Pairs of persons, or of units, that may be one: people decide.
    pub(crate) proposed: u64,
    /// Links that are held back because something contradicts them.
    pub(crate) conflicts: u64,
    /// Values that do not count because too many records share them.
    pub(crate) shared_values: u64,
    /// Records that wait to be looked at again.
    pub(crate) waiting: u64,
    /// Since when the oldest of them waits.
    #[serde(rename = "waiting_since", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) waiting_since_ms: Option<i64>,
    /// A pass over all records is under way: the first one, or because rules changed. What was found before stays until it is replaced.
    pub(crate) pass: Option<IdentityPassHealth>,
    /// When the last such pass ended.
    #[serde(rename = "passed_at", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) passed_ms: Option<i64>,
    /// Which gateway works on it, of those that share the database; null until it has looked, and while no gateway does.
    pub(crate) holder: Option<String>,
    /// Why it waits, for instance for the store; null while it works.
    pub(crate) waits: Option<String>,
}

/// How far a pass is, since this gateway began to work on it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IdentityPassHealth {
    /// Records whose values were read.
    pub(crate) read: u64,
    /// Records that were compared with all others.
    pub(crate) settled: u64,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since_ms: i64,
}

impl IdentityHealth {
    /// Is something wrong that an operator should see to? What waits for people is not.
    pub(crate) fn is_troubled(&self, now_ms: i64) -> bool {
        let late = |since_ms: Option<i64>| since_ms.is_some_and(|since_ms| now_ms - since_ms > BEHIND_MS_MAX);
        let working = self.pass.is_some();
        self.waits.is_some() || !working && (late(self.behind_since_ms) || late(self.waiting_since_ms))
    }
}

impl From<PeopleProgress> for IdentityHealth {
    fn from(progress: PeopleProgress) -> Self {
        let counts = progress.counts;
        Self {
            followed: progress.followed,
            behind_since_ms: progress.behind_since_ms,
            linked: progress.linked,
            proposed: counts.proposals,
            conflicts: counts.conflicts,
            shared_values: counts.worn,
            waiting: counts.pending,
            waiting_since_ms: counts.pending_since_ms,
            pass: progress.pass.map(|pass| IdentityPassHealth {
                read: pass.read,
                settled: pass.settled,
                since_ms: pass.since_ms,
            }),
            passed_ms: progress.passed_ms,
            holder: progress.holder.and_then(|holder| holder.gateway),
            waits: progress.waits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_late_and_waiting_for_the_store_is_trouble_and_what_people_decide_is_not() {
        let well = IdentityHealth::from(PeopleProgress::default());
        assert!(!well.is_troubled(BEHIND_MS_MAX));
        assert!(!IdentityHealth { proposed: 5, conflicts: 5, shared_values: 5, ..well.clone() }.is_troubled(0));
        assert!(IdentityHealth { waits: Some("unavailable".into()), ..well.clone() }.is_troubled(0));
        for late in [
            IdentityHealth { behind_since_ms: Some(0), ..well.clone() },
            IdentityHealth { waiting_since_ms: Some(0), waiting: 1, ..well.clone() },
        ] {
            assert!(!late.is_troubled(BEHIND_MS_MAX));
            assert!(late.is_troubled(BEHIND_MS_MAX + 1));
            let pass = Some(IdentityPassHealth { read: 0, settled: 0, since_ms: 0 });
            assert!(!IdentityHealth { pass, ..late }.is_troubled(BEHIND_MS_MAX + 1), "it works");
        }
    }
}
