//! Links that a map can put into what it sends: the page on which a person decides on the changed decision. Who makes them, and
//! what is behind them, is the deployment's; a flow says only whom one is for.

use std::fmt;
use std::sync::Arc;

use renmen_schema::id::{RecordId, TenantId};

/// The function by which a map asks for one: `decision_link('li.na')`.
pub(crate) const FUNCTION: &str = "decision_link";
/// What a dry run shows in place of a link: with a real one, anyone who sees it could decide under another person's
/// name.
const NOT_SENT: &str = "[made when it is sent]";

/// Makes links to decisions.
pub trait DecisionLinks: Send + Sync {
    /// A link with which this person can decide on this decision; none for a name that is blank or too long.
    fn link(&self, tenant: &TenantId, decision: RecordId, person: &str, now_ms: i64) -> Option<String>;
}

/// The links of one evaluation: all of them lead to the decision that changed.
#[derive(Clone)]
pub struct LinkMaker {
    /// None: for show.
    links: Option<Arc<dyn DecisionLinks>>,
    tenant: TenantId,
    decision: RecordId,
    now_ms: i64,
}

impl LinkMaker {
    /// Of one decision.
    #[must_use]
    pub fn new(links: Arc<dyn DecisionLinks>, tenant: TenantId, decision: RecordId, now_ms: i64) -> Self {
        Self { links: Some(links), tenant, decision, now_ms }
    }

    /// The same for a dry run.
    pub(crate) fn for_show(self) -> Self {
        Self { links: None, ..self }
    }

    pub(crate) fn link(&self, person: &str) -> Option<String> {
        match &self.links {
            Some(links) => links.link(&self.tenant, self.decision, person, self.now_ms),
            None => Some(NOT_SENT.to_owned()),
        }
    }
}

impl fmt::Debug for LinkMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkMaker").field("decision", &self.decision).finish_non_exhaustive()
    }
}
