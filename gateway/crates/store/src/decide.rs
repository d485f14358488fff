//! What a commit does with each record, and the sums of it: the rules, without a statement.

use std::collections::BTreeMap;

use renmen_schema::id::RunId;

use crate::{ChangeKind, CommitOutcome, Known, RecordWrite, StoreError};

/// What becomes of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A first revision.
    Create,
    /// Another revision: another body, or one that came back.
    Update,
    /// A tombstone.
    Delete,
    /// Nothing is written.
    Keep,
}

/// The rule. A deletion of what was never here is nothing: there is no body that a tombstone could keep.
pub(crate) fn decide(known: Option<Known>, write: &RecordWrite) -> Decision {
    match (known, write.deleted.is_some()) {
        (None, false) => Decision::Create,
        (None, true) => Decision::Keep,
        (Some(known), true) => {
            if known.deleted {
                Decision::Keep
            } else {
                Decision::Delete
            }
        }
        (Some(known), false) => {
            if known.deleted || known.hash != write.hash() {
                Decision::Update
            } else {
                Decision::Keep
            }
        }
    }
}

/// A stored time this far ahead of the clock is nothing to go by: `dated_ahead_max` lets no more in. Milliseconds.
const AHEAD_MAX_MS: i64 = 86_400_000;

/// The rule for what comes out of order: of two states that both carry the vendor's time, an older one is nothing. Equal
/// times, and states without one, count in the order in which they come; so does what stands with a time that is still to come.
pub(crate) fn is_older(write: &RecordWrite, than_ms: Option<i64>, now_ms: i64) -> bool {
    let than_ms = than_ms.filter(|than_ms| *than_ms <= now_ms.saturating_add(AHEAD_MAX_MS));
    matches!((write.updated_at_ms, than_ms), (Some(at), Some(than)) if at < than)
}

/// A release, or a look, at what is not held.
pub(crate) fn not_held(id: RunId) -> StoreError {
    StoreError::BadInput(format!("run {id} holds no deletions; a later listing may have taken its place"))
}

/// One of each id: the last of two wins. Sorted by entity and vendor id, so that the index is walked in its own order.
pub(crate) fn last_wins(mut records: Vec<RecordWrite>) -> Vec<RecordWrite> {
    records.reverse();
    records.sort_by(|a, b| (a.entity(), &a.external_id).cmp(&(b.entity(), &b.external_id)));
    records.dedup_by(|later, first| (later.entity(), &later.external_id) == (first.entity(), &first.external_id));
    records
}

/// See [`quarantine_identity`].
pub(crate) type QuarantineIdentity = [u8; 16];

/// Who a quarantined thing is: its entity and vendor id or, without an id, its bytes. The same bad record of the next run
/// takes the place of the one before; the good record takes it out.
pub(crate) fn quarantine_identity(entity: &str, external_id: Option<&str>, raw: &[u8]) -> QuarantineIdentity {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(entity.len() as u64).to_be_bytes());
    hasher.update(entity.as_bytes());
    match external_id {
        Some(id) => hasher.update(b"id").update(id.as_bytes()),
        None => hasher.update(b"raw").update(raw),
    };
    let mut identity = [0; 16];
    identity.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    identity
}

/// Sums of a commit: for the caller, for the counters of each scope, and for its run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// What the caller hears.
    pub(crate) outcome: CommitOutcome,
    /// By scope: how many more are live, how many more are tombstones.
    pub(crate) scopes: BTreeMap<i64, (i64, i64)>,
    /// Bytes of the revisions that it adds.
    pub(crate) bytes: i64,
    /// What the page listed: records, unchanged ones and refused ones.
    pub(crate) listed: u64,
}

impl Tally {
    /// Counts one decision; gives the change that it makes. `was_deleted`: the record was a tombstone before.
    pub(crate) fn count(&mut self, scope: i64, decision: Decision, was_deleted: bool) -> Option<ChangeKind> {
        let (kind, live, dead) = match decision {
            Decision::Keep => {
                self.outcome.unchanged += 1;
                return None;
            }
            Decision::Create => {
                self.outcome.created += 1;
                (ChangeKind::Created, 1, 0)
            }
            Decision::Update => {
                self.outcome.updated += 1;
                let back = i64::from(was_deleted);
                (ChangeKind::Updated, back, -back)
            }
            Decision::Delete => {
                self.outcome.deleted += 1;
                (ChangeKind::Deleted, -1, 1)
            }
        };
        let sums = self.scopes.entry(scope).or_default();
        sums.0 += live;
        sums.1 += dead;
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, ContentHash, DeletedBy};

    fn write(external_id: &str, body: &str, deleted: Option<DeletedBy>) -> RecordWrite {
        let content = if deleted.is_some() { Content::gone("employee") } else { Content::of("employee", body.into()) };
        RecordWrite {
            external_id: external_id.into(),
            content,
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted,
        }
    }

    #[test]
    fn each_case_has_its_decision() {
        let live = Known { hash: ContentHash::of(b"a"), deleted: false };
        let dead = Known { deleted: true, ..live };
        let gone = Some(DeletedBy::SourceFlag);
        let cases = [
            (None, write("1", "a", None), Decision::Create),
            (None, write("1", "", gone), Decision::Keep),
            (Some(live), write("1", "a", None), Decision::Keep),
            (Some(live), write("1", "b", None), Decision::Update),
            (Some(live), write("1", "", gone), Decision::Delete),
            (Some(dead), write("1", "", gone), Decision::Keep),
            (Some(dead), write("1", "a", None), Decision::Update),
        ];
        for (known, write, wanted) in cases {
            assert_eq!(decide(known, &write), wanted, "{known:?} {:?}", write.deleted);
        }
    }

    #[test]
    fn only_a_time_before_the_other_is_older() {
        let at = |updated_at_ms| RecordWrite { updated_at_ms, ..write("1", "a", None) };
        let is_older = |write: &RecordWrite, than_ms: Option<i64>| is_older(write, than_ms, 10);
        assert!(is_older(&at(Some(1)), Some(2)));
        assert!(!is_older(&at(Some(2)), Some(2)) && !is_older(&at(Some(3)), Some(2)));
        assert!(!is_older(&at(None), Some(2)) && !is_older(&at(Some(1)), None));
        assert!(is_older(&at(Some(1)), Some(10 + AHEAD_MAX_MS)));
        assert!(!is_older(&at(Some(1)), Some(11 + AHEAD_MAX_MS)), "a time that is still to come freezes nothing");
    }

    #[test]
    fn the_last_of_two_wins_and_the_rest_is_sorted() {
        let records = last_wins(vec![write("b", "1", None), write("a", "2", None), write("b", "3", None)]);
        let bodies: Vec<_> = records.iter().map(|record| (record.external_id.as_str(), record.body())).collect();
        assert_eq!(bodies, [("a", b"2".as_slice()), ("b", b"3")]);
    }

    #[test]
    fn a_record_that_comes_back_moves_from_the_dead_to_the_living() {
        let mut tally = Tally::default();
        tally.count(1, Decision::Create, false);
        tally.count(1, Decision::Delete, false);
        assert_eq!(tally.count(1, Decision::Update, true), Some(ChangeKind::Updated));
        assert_eq!(tally.scopes[&1], (1, 0));
        assert_eq!(tally.count(1, Decision::Keep, false), None);
    }

    #[test]
    fn a_quarantined_thing_is_known_by_its_id_or_else_by_its_bytes() {
        let by_id = quarantine_identity("employee", Some("1"), b"x");
        assert_eq!(by_id, quarantine_identity("employee", Some("1"), b"y"));
        assert_ne!(by_id, quarantine_identity("org_unit", Some("1"), b"x"));
        assert_ne!(quarantine_identity("employee", None, b"x"), quarantine_identity("employee", None, b"y"));
    }
}
