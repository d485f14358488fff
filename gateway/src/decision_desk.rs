//! What the page for a person who decides asks of the interview loop: the bridge between two crates that do not know each other.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::{
    DecisionDesk, DimensionView, InterviewsError, JudgedView, LinkRefusal, OpenedLink, StandsView, VerdictView,
};
use renmen_interview::{
    By, Clock as _, DecisionLink, Dimension, InterviewLoop, Judged, LinkDesk, LinkFault, Made, Stands, SystemClock,
};
use renmen_schema::id::{RecordId, TenantId};

use crate::interviews::told;

/// The page's desk over the running loop.
pub(crate) struct DeskBridge {
    interviews: Arc<InterviewLoop>,
    links: LinkDesk,
}

impl DeskBridge {
    pub(crate) fn new(interviews: Arc<InterviewLoop>, links: LinkDesk) -> Self {
        Self { interviews, links }
    }
}

#[async_trait]
impl DecisionDesk for DeskBridge {
    fn open(&self, token: &str) -> Result<OpenedLink, LinkRefusal> {
        match self.links.open(token, SystemClock.now_ms()) {
            Ok(DecisionLink { tenant, decision, person, expires_at_ms }) => {
                Ok(OpenedLink { tenant, decision, person, expires_at_ms })
            }
            Err(LinkFault::NotOurs) => Err(LinkRefusal::NotOurs),
            Err(LinkFault::Expired) => Err(LinkRefusal::Expired),
        }
    }

    fn onward(&self, link: &OpenedLink, decision: RecordId) -> Option<String> {
        let OpenedLink { tenant, person, expires_at_ms, .. } = link.clone();
        self.links.seal(&DecisionLink { tenant, decision, person, expires_at_ms })
    }

    async fn judged(&self, tenant: &TenantId, decision: RecordId) -> Result<JudgedView, InterviewsError> {
        Ok(view(self.interviews.judged(tenant, decision).await.map_err(told)?))
    }
}

fn view(judged: Judged) -> JudgedView {
    JudgedView {
        candidate: judged.candidate,
        position: judged.position,
        score: judged.score,
        pass: judged.pass,
        border: judged.border,
        rule_passes: judged.rule_passes,
        reason: judged.reason,
        reasons: judged.reasons,
        stands: match judged.stands {
            Stands::Open => StandsView::Open,
            Stands::Made(made) => StandsView::Made(verdict(made)),
            Stands::Superseded => StandsView::Superseded,
        },
        opened_by: judged.opened_by,
        dimensions: judged.dimensions.into_iter().map(dimension).collect(),
        more_dimensions: judged.more_dimensions,
        before: judged.before.map(|before| (before.score, before.made.map(verdict))),
    }
}

fn verdict(made: Made) -> VerdictView {
    let person = match made.by {
        By::Rule => None,
        By::Person(name) => Some(name),
    };
    VerdictView { passes: made.passes, person, at_ms: made.at_ms }
}

fn dimension(of: Dimension) -> DimensionView {
    DimensionView {
        name: of.name,
        value: of.value,
        max: of.max,
        weight_bp: of.weight_bp,
        corrected: of.corrected.map(|corrected| (corrected.value, corrected.by, corrected.reason)),
    }
}
