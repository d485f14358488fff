//! What the API asks of the interview loop, in the loop's own types.
//!
//! It is a trait although the loop is its only implementation: what the loop says under load, in a race or over a limit, and each state
//! that the decision page can show, is scripted in this crate's tests, where the loop itself would have to be driven there.

use async_trait::async_trait;
use renmen_interview::{
    BandAsk, CorrectionAsk, DecisionAsk, InterviewError, InterviewLoop, Judged, LoopProgress, ReopenAsk, ScreenToken,
    ScreenView, Timeline, Verdict,
};
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::RecordRow;

/// The interview loop as the API sees it. Each method is that of [`InterviewLoop`] with the same name, where its refusals stand.
#[async_trait]
pub trait Interviews: Send + Sync {
    async fn match_band(&self, tenant: &TenantId, caller: &str, ask: BandAsk<'_>) -> Result<Verdict, InterviewError>;
    async fn decide(&self, tenant: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError>;
    async fn reopen(&self, tenant: &TenantId, id: RecordId, ask: &ReopenAsk) -> Result<RecordRow, InterviewError>;
    async fn overrule(&self, tenant: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError>;
    async fn judged(&self, tenant: &TenantId, id: RecordId) -> Result<Judged, InterviewError>;
    async fn correct(&self, tenant: &TenantId, id: RecordId, ask: &CorrectionAsk) -> Result<RecordRow, InterviewError>;
    async fn timeline(&self, tenant: &TenantId, application: RecordId) -> Result<Timeline, InterviewError>;
    async fn candidate_timeline(&self, tenant: &TenantId, candidate: RecordId) -> Result<Timeline, InterviewError>;
    async fn screen_token(&self, tenant: &TenantId, interview: RecordId) -> Result<ScreenToken, InterviewError>;
    async fn screen(&self, token: &str, interview: RecordId) -> Result<Option<ScreenView>, InterviewError>;
    fn progress(&self, tenant: &TenantId) -> Option<LoopProgress>;
}

#[async_trait]
impl Interviews for InterviewLoop {
    async fn match_band(&self, tenant: &TenantId, caller: &str, ask: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        self.match_band(tenant, caller, ask).await
    }
    async fn decide(&self, tenant: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        self.decide(tenant, id, ask).await
    }
    async fn reopen(&self, tenant: &TenantId, id: RecordId, ask: &ReopenAsk) -> Result<RecordRow, InterviewError> {
        self.reopen(tenant, id, ask).await
    }
    async fn overrule(&self, tenant: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        self.overrule(tenant, id, ask).await
    }
    async fn judged(&self, tenant: &TenantId, id: RecordId) -> Result<Judged, InterviewError> {
        self.judged(tenant, id).await
    }
    async fn correct(&self, tenant: &TenantId, id: RecordId, ask: &CorrectionAsk) -> Result<RecordRow, InterviewError> {
        self.correct(tenant, id, ask).await
    }
    async fn timeline(&self, tenant: &TenantId, application: RecordId) -> Result<Timeline, InterviewError> {
        self.timeline(tenant, application).await
    }
    async fn candidate_timeline(&self, tenant: &TenantId, candidate: RecordId) -> Result<Timeline, InterviewError> {
        self.candidate_timeline(tenant, candidate).await
    }
    async fn screen_token(&self, tenant: &TenantId, interview: RecordId) -> Result<ScreenToken, InterviewError> {
        self.screen_token(tenant, interview).await
    }
    async fn screen(&self, token: &str, interview: RecordId) -> Result<Option<ScreenView>, InterviewError> {
        self.screen(token, interview).await
    }
    fn progress(&self, tenant: &TenantId) -> Option<LoopProgress> {
        self.progress(tenant)
    }
}
