//! Pages as the kit keeps them: comparable, and without what belongs to the host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use renmen_egress::Exchange;
use renmen_plugin_host::{CallError, Coverage, Page, RunFinding};

/// One record of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pulled {
    pub(super) entity: String,
    pub(super) external_id: String,
    pub(super) updated_at_ms: Option<i64>,
    pub(super) deleted: bool,
    pub(super) exchange: u32,
    pub(super) pointer: String,
    pub(super) payload: Vec<u8>,
}

/// One reject of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) external_id: Option<String>,
    pub(super) reason: String,
}

/// One page.
#[derive(Debug, Clone)]
pub(super) struct PulledPage {
    /// The cursor that it was asked for with.
    pub(super) asked: Option<String>,
    pub(super) records: Vec<Pulled>,
    pub(super) rejects: Vec<Rejected>,
    pub(super) findings: Vec<RunFinding>,
    pub(super) next: Option<String>,
    pub(super) has_more: bool,
    pub(super) everything: bool,
    pub(super) exchanges: Vec<Arc<Exchange>>,
}

impl PulledPage {
    pub(super) fn of(page: Page, asked: Option<String>) -> Self {
        let record = |envelope: renmen_plugin_host::Envelope| Pulled {
            entity: envelope.entity,
            external_id: envelope.external_id,
            updated_at_ms: envelope.updated_at_ms,
            deleted: envelope.deleted,
            exchange: envelope.exchange,
            pointer: envelope.pointer,
            payload: envelope.payload,
        };
        let reject =
            |reject: renmen_plugin_host::Reject| Rejected { external_id: reject.external_id, reason: reject.reason };
        Self {
            asked,
            records: page.records.into_iter().map(record).collect(),
            rejects: page.rejects.into_iter().map(reject).collect(),
            findings: page.findings,
            next: page.next,
            has_more: page.has_more,
            everything: page.coverage == Coverage::Everything,
            exchanges: page.exchanges,
        }
    }

    /// Is it the same for a gateway that takes it in?
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.records, &self.rejects, &self.findings, self.has_more, self.everything)
            == (&other.records, &other.rejects, &other.findings, other.has_more, other.everything)
    }
}

/// Entity and external id.
pub(super) type Key = (String, String);

/// Why a run did not come to its end.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// The call failed.
    Failed(CallError),
    /// The cursor stood still although there should be more: a gateway ends the run.
    StoodStill,
    /// More pages than the source can have.
    Endless(usize),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "{error}"),
            Self::StoodStill => f.write_str("the cursor stands still although the page says that there is more"),
            Self::Endless(pages) => write!(f, "no end after {pages} pages"),
        }
    }
}

/// The pages of a run.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) pages: Vec<PulledPage>,
    pub(super) stop: Option<Stop>,
}

impl Run {
    pub(super) fn records(&self) -> impl Iterator<Item = &Pulled> {
        self.pages.iter().flat_map(|page| &page.records)
    }

    pub(super) fn rejects(&self) -> impl Iterator<Item = &Rejected> {
        self.pages.iter().flat_map(|page| &page.rejects)
    }

    /// The last state of each record that the run told of.
    pub(super) fn by_key(&self) -> BTreeMap<Key, &Pulled> {
        self.records().map(|record| ((record.entity.clone(), record.external_id.clone()), record)).collect()
    }

    pub(super) fn keys(&self) -> BTreeSet<Key> {
        self.by_key().into_keys().collect()
    }

    /// What the run amounts to: its last page says so.
    pub(super) fn lists_everything(&self) -> bool {
        self.stop.is_none() && self.pages.last().is_some_and(|page| page.everything)
    }

    /// Where the next run starts.
    pub(super) fn next(&self) -> Option<String> {
        self.pages.last().and_then(|page| page.next.clone())
    }
}

/// Some of many, for a line of the card.
pub(super) fn some(keys: impl IntoIterator<Item = Key>) -> String {
    let all: Vec<String> = keys.into_iter().map(|(entity, id)| format!("{entity} {id}")).collect();
    let shown = all.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > 4 { format!("{shown} and {} more", all.len() - 4) } else { shown }
}
