//! Flows, endpoints and interviews of two tenants: `acme` has what is called `own`, `other` what is called `canary`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use renmen_api::{
    ActionAsk, ActionEntry, ActionPlan, ActionWork, AdjustmentAsk, Adjustments, AskedAbout, BandQuestion, BandVerdict,
    ControlError, DryRunInfo, EndpointControl, EndpointDefinition, EndpointInfo, EndpointWithSecret, FlowControl,
    FlowInfo, FlowRefusal, Interviews, InterviewsError, LoopHealth, NewAdjustment, PersonDecision, PersonReopening,
    ScoreCorrection, ScreenSteps, TimelineStep,
};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::outbox::FlowOrigin;
use renmen_store::{RecordQuery, RecordRow, Store};
use serde_json::{Value, json};

/// A token of the own interview's screen.
pub(super) const TOKEN: &str = "rs_0000000000000000000000000000000000000000000000000000000000000000";

pub(super) struct Scripted(pub(super) Arc<dyn Store>);

/// Whose a name is.
fn owns(tenant: &TenantId, name: &str) -> bool {
    matches!((tenant.as_str(), name), ("acme", "own") | ("other", "canary"))
}

fn flow(name: &str) -> FlowInfo {
    FlowInfo {
        name: name.into(),
        version: 1,
        origin: FlowOrigin::Api,
        enabled: true,
        definition: json!({}),
        position: 0,
        changed_at_ms: 0,
        defects: Vec::new(),
    }
}

fn its_flow(tenant: &TenantId, name: &str) -> Result<FlowInfo, FlowRefusal> {
    if owns(tenant, name) { Ok(flow(name)) } else { Err(FlowRefusal::NotFound) }
}

#[async_trait]
impl FlowControl for Scripted {
    async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowInfo>, FlowRefusal> {
        Ok(["own", "canary"].into_iter().filter_map(|name| its_flow(tenant, name).ok()).collect())
    }
    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<FlowInfo, FlowRefusal> {
        its_flow(tenant, name)
    }
    async fn put_flow(&self, _tenant: &TenantId, name: &str, _definition: &Value) -> Result<FlowInfo, FlowRefusal> {
        Ok(flow(name))
    }
    async fn remove_flow(&self, tenant: &TenantId, name: &str) -> Result<(), FlowRefusal> {
        its_flow(tenant, name).map(drop)
    }
    async fn dry_run(&self, tenant: &TenantId, name: &str, _last: u32) -> Result<Vec<DryRunInfo>, FlowRefusal> {
        its_flow(tenant, name).map(|_| Vec::new())
    }
    async fn replay(&self, tenant: &TenantId, delivery: i64) -> Result<(), FlowRefusal> {
        let found = self.0.delivery(tenant, delivery).await.unwrap();
        found.map(drop).ok_or(FlowRefusal::NotFound)
    }
    async fn replay_dead(&self, tenant: &TenantId, name: &str) -> Result<u64, FlowRefusal> {
        its_flow(tenant, name).map(|_| 0)
    }
    fn actions(&self, _tenant: &TenantId) -> Vec<ActionEntry> {
        Vec::new()
    }
    async fn try_action(&self, tenant: &TenantId, ask: ActionAsk) -> Result<ActionPlan, FlowRefusal> {
        let entry = self.0.last_change(tenant, ask.record).await.unwrap().ok_or(FlowRefusal::NotFound)?;
        let ActionWork::Input { connection, action, input } = ask.work else { return Err(FlowRefusal::NotFound) };
        let (flow, defects, refused) = (None, Vec::new(), None);
        Ok(ActionPlan { change: entry.change, connection, action, flow, input, defects, refused })
    }
    async fn act(&self, _tenant: &TenantId, _ask: ActionAsk) -> Result<(i64, bool), FlowRefusal> {
        Err(FlowRefusal::Refused("only tried here".into()))
    }
}

fn endpoint(name: &str) -> EndpointInfo {
    EndpointInfo {
        name: name.into(),
        from_file: false,
        url: format!("https://{name}.example.com/hooks"),
        enabled: true,
        entities: vec!["employee".into()],
        changes: BTreeSet::new(),
        fields: BTreeMap::new(),
        previous_until_ms: None,
        off: None,
    }
}

fn its_endpoint(tenant: &TenantId, name: &str) -> Result<EndpointInfo, ControlError> {
    if owns(tenant, name) { Ok(endpoint(name)) } else { Err(ControlError::NotFound("no such endpoint".into())) }
}

#[async_trait]
impl EndpointControl for Scripted {
    async fn endpoints(&self, tenant: &TenantId) -> Result<Vec<EndpointInfo>, ControlError> {
        Ok(["own", "canary"].into_iter().filter_map(|name| its_endpoint(tenant, name).ok()).collect())
    }
    async fn put_endpoint(
        &self,
        _tenant: &TenantId,
        name: &ConnectionName,
        _definition: EndpointDefinition,
    ) -> Result<EndpointWithSecret, ControlError> {
        Ok(EndpointWithSecret { endpoint: endpoint(name.as_str()), secret: None })
    }
    async fn rotate_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        _overlap: Duration,
    ) -> Result<EndpointWithSecret, ControlError> {
        Ok(EndpointWithSecret { endpoint: its_endpoint(tenant, name.as_str())?, secret: None })
    }
    async fn remove_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<(), ControlError> {
        its_endpoint(tenant, name.as_str()).map(drop)
    }
    async fn enable_endpoint(&self, tenant: &TenantId, name: &ConnectionName) -> Result<EndpointInfo, ControlError> {
        its_endpoint(tenant, name.as_str())
    }
    async fn replay_endpoint(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        _since_ms: i64,
    ) -> Result<u64, ControlError> {
        its_endpoint(tenant, name.as_str()).map(|_| 0)
    }
}

impl Scripted {
    /// A live record of this entity and tenant.
    async fn live(&self, tenant: &TenantId, id: RecordId, entity: &'static str) -> Result<RecordRow, InterviewsError> {
        let found = self.0.record(tenant, id).await?;
        found.filter(|row| row.entity == entity && row.deleted.is_none()).ok_or(InterviewsError::NotFound("record"))
    }
}

#[async_trait]
impl Adjustments for Scripted {
    async fn propose(&self, tenant: &TenantId, _new: NewAdjustment) -> Result<(RecordRow, bool), InterviewsError> {
        let query = RecordQuery { limit: 1, ..RecordQuery::default() };
        Ok((self.0.records(tenant, &query).await?.items.remove(0), true))
    }
    async fn act(&self, tenant: &TenantId, id: RecordId, _ask: AdjustmentAsk) -> Result<RecordRow, InterviewsError> {
        self.live(tenant, id, "model_adjustment").await
    }
}

#[async_trait]
impl Interviews for Scripted {
    fn health(&self, _tenant: &TenantId) -> Option<LoopHealth> {
        None
    }

    async fn match_band(
        &self,
        tenant: &TenantId,
        _caller: &str,
        ask: BandQuestion,
    ) -> Result<BandVerdict, InterviewsError> {
        let (entity, id) = match ask.about {
            AskedAbout::Interview(id) => ("interview", id),
            AskedAbout::Order(id) => ("interview_order", id),
        };
        let query = RecordQuery {
            entity: Some(entity.into()),
            connection: Some(ask.connection),
            external_id: Some(id),
            limit: 1,
            ..RecordQuery::default()
        };
        let found = self.0.records(tenant, &query).await?.items.pop();
        found.map(|_| BandVerdict { answer: "in", unknown: None }).ok_or(InterviewsError::NotFound("interview"))
    }
    async fn decide(&self, tenant: &TenantId, id: RecordId, _by: PersonDecision) -> Result<RecordRow, InterviewsError> {
        self.live(tenant, id, "decision").await
    }
    async fn reopen(
        &self,
        tenant: &TenantId,
        id: RecordId,
        _by: PersonReopening,
    ) -> Result<RecordRow, InterviewsError> {
        self.live(tenant, id, "decision").await
    }
    async fn overrule(
        &self,
        tenant: &TenantId,
        id: RecordId,
        _by: PersonDecision,
    ) -> Result<RecordRow, InterviewsError> {
        self.live(tenant, id, "decision").await
    }
    async fn correct(
        &self,
        tenant: &TenantId,
        id: RecordId,
        _by: ScoreCorrection,
    ) -> Result<RecordRow, InterviewsError> {
        self.live(tenant, id, "dimension_score").await
    }
    async fn timeline(&self, tenant: &TenantId, id: RecordId) -> Result<(Vec<TimelineStep>, bool), InterviewsError> {
        self.live(tenant, id, "application").await.map(|_| (Vec::new(), false))
    }
    async fn candidate_timeline(
        &self,
        tenant: &TenantId,
        id: RecordId,
    ) -> Result<(Vec<TimelineStep>, bool), InterviewsError> {
        self.live(tenant, id, "candidate").await.map(|_| (Vec::new(), false))
    }
    async fn screen_token(&self, tenant: &TenantId, id: RecordId) -> Result<(String, i64), InterviewsError> {
        self.live(tenant, id, "interview").await.map(|_| (TOKEN.to_owned(), 0))
    }
    async fn screen(&self, token: &str, id: RecordId) -> Result<Option<ScreenSteps>, InterviewsError> {
        let acme = TenantId::new("acme").unwrap();
        let own = self.0.record(&acme, id).await?.is_some_and(|row| row.external_id == "own-interview");
        Ok((own && token == TOKEN).then(|| ScreenSteps {
            tenant: TenantId::new("acme").unwrap(),
            stage: "waiting",
            nodes: Vec::new(),
        }))
    }
}
