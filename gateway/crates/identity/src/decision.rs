//! What people decided: it wins over every rule, for good.

use crate::id::MemberId;

/// What was decided of two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// They are the same.
    Same,
    /// They are never the same.
    Never,
}

/// A decision of a person about two records. It speaks of records and not of people, so that it means the same regardless of what else is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decision {
    /// Counts up as decisions are made: of two that contradict each other the later one holds.
    pub seq: u64,
    /// What was decided.
    pub kind: DecisionKind,
    /// One record.
    pub a: MemberId,
    /// The other one.
    pub b: MemberId,
}

impl Decision {
    /// The other of the two records.
    #[must_use]
    pub fn other(&self, member: MemberId) -> MemberId {
        if self.a == member { self.b } else { self.a }
    }
}

/// The decision that these records are not who the rest are, record by record. Its numbers begin with `seq`.
#[must_use]
pub fn split(seq: u64, out: &[MemberId], rest: &[MemberId]) -> Vec<Decision> {
    let pairs = out.iter().flat_map(|a| rest.iter().map(move |b| (*a, *b)));
    (seq..).zip(pairs).map(|(seq, (a, b))| Decision { seq, kind: DecisionKind::Never, a, b }).collect()
}
