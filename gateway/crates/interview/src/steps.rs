//! What the steps of an interview come to: when each kind of step was first taken, and when anything was last heard. However many
//! steps there are, this stays as small as the list of their codes.

use std::collections::BTreeMap;

use renmen_schema::code::NodeCode;
use renmen_schema::entity::ProcessNode;

use crate::dossier::Read;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    first: BTreeMap<NodeCode, i64>,
    heard_ms: Option<i64>,
}

impl Steps {
    /// Takes one in.
    pub(crate) fn note(&mut self, node: &Read<ProcessNode>) {
        let (code, at_ms) = (node.body.node.code, node.body.at.epoch_ms());
        let first = self.first.entry(code).or_insert(at_ms);
        *first = at_ms.min(*first);
        if !matches!(code, NodeCode::Dropped | NodeCode::NoShow | NodeCode::FeedbackLate) {
            // By the source's clock or when we learnt of it, whichever is later: what is only read from time to time must not
            // look silent.
            self.heard_ms = self.heard_ms.max(Some(at_ms.max(node.row.created_at_ms)));
        }
    }

    /// Was such a step taken?
    pub(crate) fn has(&self, code: NodeCode) -> bool {
        self.first.contains_key(&code)
    }

    /// When such a step was first taken, by the source's clock.
    pub(crate) fn first_ms(&self, code: NodeCode) -> Option<i64> {
        self.first.get(&code).copied()
    }

    /// When anything was last heard that says that the candidate is there.
    pub(crate) fn heard_ms(&self) -> Option<i64> {
        self.heard_ms
    }
}
