//! What the steps of an interview come to: when each kind of step was first and last taken, and when anything was last heard.
//! However many steps there are, this stays as small as the list of their codes.

use std::collections::BTreeMap;

use renmen_schema::code::NodeCode;
use renmen_schema::entity::ProcessNode;

use crate::dossier::Read;

/// Steps that only a person who is present can have taken.
const PRESENT: [NodeCode; 7] = [
    NodeCode::Started,
    NodeCode::QuestionShown,
    NodeCode::AnswerSubmitted,
    NodeCode::PromptShown,
    NodeCode::Interrupted,
    NodeCode::Resumed,
    NodeCode::Completed,
];

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    /// By code: the first and the last, by the source's clock.
    taken: BTreeMap<NodeCode, (i64, i64)>,
    heard: Option<Heard>,
}

/// When the candidate was last heard from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// By the source's clock.
    pub(crate) said_ms: i64,
    /// The same, or when we learnt of it if that was later: what is only read from time to time must not look silent.
    pub(crate) known_ms: i64,
}

impl Heard {
    /// Something that happened at `said_ms` and was learnt of at `learnt_ms`.
    pub(crate) fn of(said_ms: i64, learnt_ms: i64) -> Self {
        Self { said_ms, known_ms: said_ms.max(learnt_ms) }
    }

    /// The later of both, each clock for itself.
    pub(crate) fn later(self, other: Self) -> Self {
        Self { said_ms: self.said_ms.max(other.said_ms), known_ms: self.known_ms.max(other.known_ms) }
    }
}

impl Steps {
    /// Takes a step in. A step of something else says nothing about the interview, even where it is linked to it.
    pub(crate) fn note(&mut self, node: &Read<ProcessNode>) {
        if node.body.subject.interview.is_none() {
            return;
        }
        let (code, at_ms) = (node.body.node.code, node.body.at.epoch_ms());
        let (first, last) = self.taken.entry(code).or_insert((at_ms, at_ms));
        (*first, *last) = (at_ms.min(*first), at_ms.max(*last));
        if !matches!(code, NodeCode::Dropped | NodeCode::NoShow | NodeCode::FeedbackLate) {
            let heard = Heard::of(at_ms, node.row.created_at_ms);
            self.heard = Some(self.heard.map_or(heard, |before| before.later(heard)));
        }
    }

    /// Can only a person who is present have taken such a step?
    pub(crate) fn is_of_one_present(code: NodeCode) -> bool {
        PRESENT.contains(&code)
    }

    /// Was such a step taken?
    pub(crate) fn has(&self, code: NodeCode) -> bool {
        self.taken.contains_key(&code)
    }

    /// When such a step was first taken, by the source's clock.
    pub(crate) fn first_ms(&self, code: NodeCode) -> Option<i64> {
        self.taken.get(&code).map(|(first, _)| *first)
    }

    /// When such a step was last taken, by the source's clock.
    pub(crate) fn last_ms(&self, code: NodeCode) -> Option<i64> {
        self.taken.get(&code).map(|(_, last)| *last)
    }

    /// Since when the candidate is known to be there.
    pub(crate) fn present_ms(&self) -> Option<i64> {
        PRESENT.into_iter().filter_map(|code| self.first_ms(code)).min()
    }

    /// Is a first or a last of these steps within a time?
    pub(crate) fn was_present(&self, within: impl Fn(i64) -> bool) -> bool {
        let taken = PRESENT.into_iter().filter_map(|code| self.taken.get(&code));
        taken.into_iter().any(|(first, last)| within(*first) || within(*last))
    }

    /// When the candidate was last known to be there.
    pub(crate) fn last_present_ms(&self) -> Option<i64> {
        PRESENT.into_iter().filter_map(|code| self.last_ms(code)).max()
    }

    /// When anything was last heard that says that the candidate is there.
    pub(crate) fn heard(&self) -> Option<Heard> {
        self.heard
    }
}
