//! The interviews of two tenants: `acme` has what is called `own`, `other` what is called `canary`.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::Interviews;
use renmen_interview::{
    Asked, BandAsk, CorrectionAsk, DecisionAsk, InterviewError, Judged, LoopProgress, ReopenAsk, ScreenStage,
    ScreenToken, ScreenView, Timeline, Verdict,
};
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{RecordQuery, RecordRow, Store};

/// A token of the own interview's screen.
pub(super) const TOKEN: &str = "rs_0000000000000000000000000000000000000000000000000000000000000000";

pub(super) struct Scripted(pub(super) Arc<dyn Store>);

impl Scripted {
    /// A live record of this entity and tenant.
    async fn live(&self, tenant: &TenantId, id: RecordId, entity: &'static str) -> Result<RecordRow, InterviewError> {
        let found = self.0.record(tenant, id).await?;
        found.filter(|row| row.entity == entity && row.deleted.is_none()).ok_or(InterviewError::NotFound("record"))
    }
}

#[async_trait]
impl Interviews for Scripted {
    fn progress(&self, _tenant: &TenantId) -> Option<LoopProgress> {
        None
    }

    async fn match_band(&self, tenant: &TenantId, _caller: &str, ask: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        let (entity, id) = match ask.about {
            Asked::Interview(id) => ("interview", id),
            Asked::Order(id) => ("interview_order", id),
        };
        let query = RecordQuery {
            entity: Some(entity.into()),
            connection: Some(ask.connection.clone()),
            external_id: Some(id.to_owned()),
            limit: 1,
            ..RecordQuery::default()
        };
        let found = self.0.records(tenant, &query).await?.items.pop();
        found.map(|_| Verdict::In).ok_or(InterviewError::NotFound("interview"))
    }
    async fn decide(&self, tenant: &TenantId, id: RecordId, _: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        self.live(tenant, id, "decision").await
    }
    async fn reopen(&self, tenant: &TenantId, id: RecordId, _: &ReopenAsk) -> Result<RecordRow, InterviewError> {
        self.live(tenant, id, "decision").await
    }
    async fn overrule(&self, tenant: &TenantId, id: RecordId, _: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        self.live(tenant, id, "decision").await
    }
    async fn judged(&self, _: &TenantId, _: RecordId) -> Result<Judged, InterviewError> {
        Err(InterviewError::NotFound("decision"))
    }
    async fn correct(&self, tenant: &TenantId, id: RecordId, _: &CorrectionAsk) -> Result<RecordRow, InterviewError> {
        self.live(tenant, id, "dimension_score").await
    }
    async fn timeline(&self, tenant: &TenantId, id: RecordId) -> Result<Timeline, InterviewError> {
        self.live(tenant, id, "application").await.map(|_| empty())
    }
    async fn candidate_timeline(&self, tenant: &TenantId, id: RecordId) -> Result<Timeline, InterviewError> {
        self.live(tenant, id, "candidate").await.map(|_| empty())
    }
    async fn screen_token(&self, tenant: &TenantId, id: RecordId) -> Result<ScreenToken, InterviewError> {
        self.live(tenant, id, "interview").await.map(|_| ScreenToken { token: TOKEN.to_owned(), expires_at_ms: 0 })
    }
    async fn screen(&self, token: &str, id: RecordId) -> Result<Option<ScreenView>, InterviewError> {
        let tenant = TenantId::new("acme").unwrap();
        let own = self.0.record(&tenant, id).await?.is_some_and(|row| row.external_id == "own-interview");
        let view = || ScreenView { tenant, stage: ScreenStage::Waiting, nodes: Vec::new() };
        Ok((own && token == TOKEN).then(view))
    }
}

fn empty() -> Timeline {
    Timeline { steps: Vec::new(), truncated: false }
}
