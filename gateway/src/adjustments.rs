//! What the API asks about adjust instructions: the bridge between two crates that do not know each other.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::{AdjustmentAsk, AdjustmentDoing, Adjustments, InterviewsError, NewAdjustment};
use renmen_config::Config;
use renmen_interview::{
    AdjustAct, AdjustActKind, AdjustOptions, Clock as _, ProposeAsk, SystemClock, act_on_adjustment, propose_adjustment,
};
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{RecordRow, Store};

use crate::deployment::{Running, Writers, sources};
use crate::interviews::told;

/// Adjust instructions over the running store.
pub(crate) struct AdjustBridge {
    store: Arc<dyn Store>,
    options: AdjustOptions,
}

impl AdjustBridge {
    pub(crate) fn new(running: &Running) -> Self {
        let options = options(&running.deployment.config, &running.writers());
        Self { store: Arc::clone(&running.store), options }
    }
}

/// What the configuration says of them.
pub(crate) fn options(config: &Config, writers: &Writers) -> AdjustOptions {
    let said = &config.interview;
    AdjustOptions {
        self_approval: said.adjust_self_approval,
        wait_ms: i64::try_from(said.adjust_wait.as_millis()).unwrap_or(i64::MAX),
        sources: sources(config, writers),
    }
}

#[async_trait]
impl Adjustments for AdjustBridge {
    async fn propose(&self, tenant: &TenantId, new: NewAdjustment) -> Result<(RecordRow, bool), InterviewsError> {
        let NewAdjustment { instruction, person, reason, idempotency_key } = new;
        let ask = ProposeAsk { instruction, person, reason, idempotency_key };
        let done = propose_adjustment(&*self.store, tenant, &self.options, &ask, SystemClock.now_ms()).await;
        done.map(|done| (done.row, done.is_new)).map_err(told)
    }

    async fn act(&self, tenant: &TenantId, id: RecordId, ask: AdjustmentAsk) -> Result<RecordRow, InterviewsError> {
        let kind = match ask.doing {
            AdjustmentDoing::Approve => AdjustActKind::Approve,
            AdjustmentDoing::Reject => AdjustActKind::Reject,
            AdjustmentDoing::Revert(version) => AdjustActKind::Revert { version },
        };
        let act = AdjustAct { kind, person: ask.person, reason: ask.reason };
        let done = act_on_adjustment(&*self.store, tenant, &self.options, (id, &act), SystemClock.now_ms()).await;
        done.map(|done| done.row).map_err(told)
    }
}
