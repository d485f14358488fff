//! What the API asks of the flows: the bridge between two crates that do not know each other.

use async_trait::async_trait;
use renmen_api::{
    ActionAsk, ActionEntry, ActionPlan, ActionWork, DryRunInfo, DryRunSend, FlowControl, FlowDefect, FlowInfo,
    FlowRefusal,
};
use renmen_flow::{
    ActionView, Defect, DryRun, Evaluation, FlowEngine, FlowError, FlowView, HandAsk, HandWork, Identity, Target,
};
use renmen_schema::id::TenantId;
use renmen_store::StoreError;
use serde_json::Value;
use std::sync::Arc;

/// The running flows as the API sees them.
pub(crate) struct FlowBridge(pub(crate) Arc<FlowEngine>);

fn info(view: FlowView) -> FlowInfo {
    FlowInfo {
        name: view.row.name,
        version: view.row.version,
        origin: view.row.origin,
        enabled: view.row.enabled,
        definition: view.definition,
        position: view.row.position,
        changed_at_ms: view.row.changed_at_ms,
        defects: view.defects.into_iter().map(defect).collect(),
    }
}

fn defect(defect: Defect) -> FlowDefect {
    FlowDefect { key: defect.key, at: defect.at, message: defect.message, help: defect.help }
}

fn dry(run: DryRun) -> DryRunInfo {
    let (sends, reason, fault) = match run.evaluation {
        Evaluation::Send(sending) => {
            let send = DryRunSend {
                input: sending.input,
                key: run.key,
                not_before_ms: sending.not_before_ms,
                deadline_ms: sending.deadline_ms,
            };
            (Some(send), None, false)
        }
        Evaluation::Pass(why) => (None, Some(why.to_owned()), false),
        Evaluation::Wait(why, _) => (None, Some(format!("it waits: {why}")), false),
        Evaluation::Fault(why) => (None, Some(why), true),
    };
    DryRunInfo { change: run.change, sends, reason, fault }
}

fn refused(error: FlowError) -> FlowRefusal {
    match error {
        FlowError::NotFound(_) => FlowRefusal::NotFound,
        FlowError::Defects(defects) => FlowRefusal::Defects(defects.into_iter().map(defect).collect()),
        FlowError::ReadOnly(_) | FlowError::Refused(_) => FlowRefusal::Refused(error.to_string()),
        FlowError::Store(StoreError::Unavailable(why) | StoreError::Busy(why)) => FlowRefusal::Unavailable(why),
        FlowError::Store(error) => FlowRefusal::Failed(error.to_string()),
    }
}

fn by_hand(ask: ActionAsk) -> HandAsk {
    let work = match ask.work {
        ActionWork::Flow { name, map } => HandWork::Flow { name, map },
        ActionWork::Map { connection, action, map, fields, with } => {
            HandWork::Map { to: Target { connection, action }, map, fields, with }
        }
        ActionWork::Input { connection, action, input } => HandWork::Input { to: Target { connection, action }, input },
    };
    let ActionAsk { record, by, reason, idempotency_key, .. } = ask;
    HandAsk { record, work, by, reason, idempotency_key }
}

#[async_trait]
impl FlowControl for FlowBridge {
    async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowInfo>, FlowRefusal> {
        Ok(self.0.flows(tenant).await.map_err(refused)?.into_iter().map(info).collect())
    }

    async fn flow(&self, tenant: &TenantId, name: &str) -> Result<FlowInfo, FlowRefusal> {
        self.0.flow(tenant, name).await.map(info).map_err(refused)
    }

    async fn put_flow(&self, tenant: &TenantId, name: &str, definition: &Value) -> Result<FlowInfo, FlowRefusal> {
        self.0.put(tenant, name, definition).await.map(info).map_err(refused)
    }

    async fn remove_flow(&self, tenant: &TenantId, name: &str) -> Result<(), FlowRefusal> {
        self.0.remove(tenant, name).await.map_err(refused)
    }

    async fn dry_run(&self, tenant: &TenantId, name: &str, last: u32) -> Result<Vec<DryRunInfo>, FlowRefusal> {
        Ok(self.0.dry_run(tenant, name, last).await.map_err(refused)?.into_iter().map(dry).collect())
    }

    async fn replay(&self, tenant: &TenantId, delivery: i64) -> Result<(), FlowRefusal> {
        self.0.replay(tenant, delivery).await.map(drop).map_err(refused)
    }

    async fn replay_dead(&self, tenant: &TenantId, name: &str) -> Result<u64, FlowRefusal> {
        self.0.replay_dead(tenant, name).await.map_err(refused)
    }

    fn actions(&self, tenant: &TenantId) -> Vec<ActionEntry> {
        let entry = |view: ActionView| ActionEntry {
            connection: view.connection,
            action: view.action,
            description: view.info.description,
            input_schema: view.info.input_schema,
            may_repeat: view.info.identity == Identity::None,
        };
        self.0.actions(tenant).into_iter().map(entry).collect()
    }

    async fn try_action(&self, tenant: &TenantId, ask: ActionAsk) -> Result<ActionPlan, FlowRefusal> {
        let plan = self.0.plan_by_hand(tenant, &by_hand(ask)).await.map_err(refused)?;
        Ok(ActionPlan {
            change: plan.change,
            connection: plan.to.connection,
            action: plan.to.action,
            flow: plan.flow,
            input: plan.input,
            defects: plan.defects.into_iter().map(|defect| (defect.pointer, defect.message)).collect(),
            refused: plan.refused,
        })
    }

    async fn act(&self, tenant: &TenantId, ask: ActionAsk) -> Result<(i64, bool), FlowRefusal> {
        let acted = self.0.act(tenant, &by_hand(ask)).await.map_err(refused)?;
        Ok((acted.delivery.id, acted.is_new))
    }
}
