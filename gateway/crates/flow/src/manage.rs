//! What people ask of flows: define, take away, look, try, send again.

use std::collections::BTreeMap;

use renmen_schema::id::TenantId;
use renmen_schema::text;
use renmen_store::ChangeRow;
use renmen_store::outbox::{DeliveryRow, FeedEntry, FlowOrigin, FlowPut, FlowRow, FlowVersionRow};
use serde_json::Value;

use crate::bound_flow::BoundFlow;
use crate::by_hand::ByHand;
use crate::definition::{Defect, Definition};
use crate::engine::FlowEngine;
use crate::error::FlowError;
use crate::evaluation::{self, Evaluation, Sending};
use crate::options::millis;
use crate::withholding;

/// Changes that a dry run is asked about at most.
pub const DRY_RUN_CHANGES_MAX: u32 = 1_000;
/// Flows of one tenant.
pub const FLOWS_MAX: usize = 200;

/// A flow as it stands.
#[derive(Debug, Clone)]
pub struct FlowView {
    /// The flow as it is stored.
    pub row: FlowRow,
    /// The definition as JSON.
    pub definition: Value,
    /// Why it cannot run, when it cannot: its destination went away since it was defined.
    pub defects: Vec<Defect>,
}

/// What a flow would have made of one change.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The change that the flow was tried on.
    pub change: ChangeRow,
    /// What the flow makes of the change.
    pub evaluation: Evaluation,
    /// The key that it would be sent with.
    pub key: String,
}

impl FlowEngine {
    /// Checks a definition without keeping it.
    ///
    /// # Errors
    /// [`FlowError::Defects`].
    pub fn check(&self, tenant: &TenantId, source: &Value) -> Result<Definition, FlowError> {
        let definition = Definition::parse(source).map_err(FlowError::Defects)?;
        // One that is switched off may name what is not there yet.
        let defects = if definition.enabled { definition.check(&self.catalogue(tenant)) } else { Vec::new() };
        if defects.is_empty() { Ok(definition) } else { Err(FlowError::Defects(defects)) }
    }

    /// The same for a flow of the configuration, which may name a destination that is off: it waits for it.
    ///
    /// # Errors
    /// [`FlowError::Defects`].
    pub fn check_configured(&self, tenant: &TenantId, source: &Value) -> Result<Definition, FlowError> {
        let definition = Definition::parse(source).map_err(FlowError::Defects)?;
        if definition.waits_for(&self.catalogue(tenant)).is_some() {
            return Ok(definition);
        }
        self.check(tenant, source)
    }

    /// Keeps the flows of the configuration of one tenant: new ones begin, changed ones get another version, those that are no
    /// longer there end. One whose destination is off is kept and waits.
    ///
    /// # Errors
    /// The defects of the first flow that has some, or the store's.
    pub async fn register(&self, tenant: &TenantId, flows: &BTreeMap<String, Value>) -> Result<(), FlowError> {
        for (name, source) in flows {
            let definition = self.check_configured(tenant, source)?;
            if let Some((connection, _)) = definition.waits_for(&self.catalogue(tenant)) {
                tracing::warn!(flow = %name, %connection, "Flow is waiting because its destination is off");
            }
            self.keep(tenant, name, FlowOrigin::File, &definition).await?;
        }
        for row in self.store.flows(tenant).await? {
            if row.origin == FlowOrigin::File && !flows.contains_key(&row.name) {
                self.store.retire_flow(tenant, &row.name, self.clock.now_ms()).await?;
            }
        }
        withholding::settle(&*self.store, tenant, &self.catalogue(tenant)).await?;
        self.changed.notify_one();
        Ok(())
    }

    /// Keeps a flow that was given over the API, or its next version.
    ///
    /// # Errors
    /// [`FlowError::Defects`]; [`FlowError::ReadOnly`] for one of the configuration.
    pub async fn put(&self, tenant: &TenantId, name: &str, source: &Value) -> Result<FlowView, FlowError> {
        let known = self.store.flow(tenant, name).await?.filter(|row| !row.retired);
        if known.as_ref().is_some_and(|row| row.origin == FlowOrigin::File) {
            return Err(FlowError::ReadOnly(name.to_owned()));
        }
        if known.is_none() && self.store.flows(tenant).await?.len() >= FLOWS_MAX {
            return Err(FlowError::Refused(text!(
                "a tenant has at most {FLOWS_MAX} flows: take one away first",
                "一个租户最多 {FLOWS_MAX} 个流程：请先删除一个"
            )));
        }
        let definition = self.check(tenant, source)?;
        let row = self.keep(tenant, name, FlowOrigin::Api, &definition).await?;
        self.changed.notify_one();
        Ok(self.view(row))
    }

    async fn keep(
        &self,
        tenant: &TenantId,
        name: &str,
        origin: FlowOrigin,
        definition: &Definition,
    ) -> Result<FlowRow, FlowError> {
        let put = FlowPut {
            tenant: tenant.clone(),
            name: name.to_owned(),
            origin,
            definition: definition.source.to_string(),
            enabled: definition.enabled,
            from_beginning: definition.from_beginning,
            now_ms: self.clock.now_ms(),
        };
        Ok(self.store.put_flow(put).await?)
    }

    /// Takes a flow of the API away; what it still has to send is withheld.
    ///
    /// # Errors
    /// [`FlowError::NotFound`]; [`FlowError::ReadOnly`] for one of the configuration.
    pub async fn remove(&self, tenant: &TenantId, name: &str) -> Result<(), FlowError> {
        let view = self.flow(tenant, name).await?;
        if view.row.origin == FlowOrigin::File {
            return Err(FlowError::ReadOnly(name.to_owned()));
        }
        self.store.retire_flow(tenant, name, self.clock.now_ms()).await?;
        Ok(())
    }

    /// One flow.
    ///
    /// # Errors
    /// [`FlowError::NotFound`].
    pub async fn flow(&self, tenant: &TenantId, name: &str) -> Result<FlowView, FlowError> {
        let row = self.store.flow(tenant, name).await?.filter(|row| !row.retired);
        row.map(|row| self.view(row)).ok_or_else(|| FlowError::NotFound(format!("flow `{name}`")))
    }

    /// All of them by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn flows(&self, tenant: &TenantId) -> Result<Vec<FlowView>, FlowError> {
        Ok(self.store.flows(tenant).await?.into_iter().map(|row| self.view(row)).collect())
    }

    /// A flow's versions, newest first.
    ///
    /// # Errors
    /// [`FlowError::NotFound`].
    pub async fn versions(&self, tenant: &TenantId, name: &str, limit: u32) -> Result<Vec<FlowVersionRow>, FlowError> {
        self.flow(tenant, name).await?;
        Ok(self.store.flow_versions(tenant, name, limit).await?)
    }

    fn view(&self, row: FlowRow) -> FlowView {
        let read = self.definitions.of_row(&row, &self.catalogue(&row.tenant));
        let defects = read.err().map(|defects| defects.to_vec()).unwrap_or_default();
        let definition = serde_json::from_str(&row.definition).unwrap_or(Value::Null);
        FlowView { row, definition, defects }
    }

    /// What a flow would have sent for the last changes of its entity. Nothing is kept, nothing is sent.
    ///
    /// # Errors
    /// [`FlowError::NotFound`]; [`FlowError::Defects`] for one that cannot run.
    pub async fn dry_run(&self, tenant: &TenantId, name: &str, last: u32) -> Result<Vec<DryRun>, FlowError> {
        let view = self.flow(tenant, name).await?;
        self.try_out(tenant, name, &view.definition, last).await
    }

    /// The same for a definition that is not kept.
    ///
    /// # Errors
    /// [`FlowError::Defects`].
    pub async fn try_out(
        &self,
        tenant: &TenantId,
        name: &str,
        source: &Value,
        last: u32,
    ) -> Result<Vec<DryRun>, FlowError> {
        let definition = self.check(tenant, source)?;
        let kind = definition.when.entity;
        let catalogue = self.catalogue(tenant);
        let bound = BoundFlow::new(tenant, &catalogue, &definition).dry();
        let entries = self.store.feed_tail(tenant, kind.name(), last.clamp(1, DRY_RUN_CHANGES_MAX)).await?;
        let now_ms = self.clock.now_ms();
        let mut runs = Vec::with_capacity(entries.len());
        for entry in entries {
            let evaluation = self.evaluate(&bound, &entry, now_ms).await?;
            let key = hex::encode(evaluation::key(tenant, name, &definition, &entry));
            runs.push(DryRun { change: entry.change, evaluation, key });
        }
        Ok(runs)
    }

    /// Sends a dead, withheld or expired delivery again, with the same key. One that the flow could not work out is
    /// worked out again, by the flow as it is now.
    ///
    /// # Errors
    /// [`FlowError::NotFound`]; [`FlowError::Refused`] for one that is under way or arrived.
    pub async fn replay(&self, tenant: &TenantId, id: i64) -> Result<DeliveryRow, FlowError> {
        let row = self.store.delivery(tenant, id).await?;
        let row = row.ok_or_else(|| FlowError::NotFound(format!("delivery {id}")))?;
        let input = match row.input.is_empty() {
            false => None,
            true => match self.work_out(&row).await? {
                Evaluation::Send(Sending { input, .. }) => Some(input.to_string().into_bytes()),
                Evaluation::Pass(why) => {
                    return Err(FlowError::Refused(text!(
                        "the flow would send nothing now: {why}",
                        "流程现在不会发送任何内容：{why}"
                    )));
                }
                Evaluation::Wait(why, _) | Evaluation::Fault(why) => {
                    return Err(FlowError::Refused(text!(
                        "the flow still cannot tell what to send: {why}",
                        "流程仍无法得出要发送的内容：{why}"
                    )));
                }
            },
        };
        if !self.store.replay_delivery(tenant, id, input, self.clock.now_ms()).await? {
            return Err(FlowError::Refused(text!(
                "delivery {id} is {:?}: only what failed is sent again",
                "投递 {id} 的状态为 {:?}：只能重发失败的投递",
                row.state
            )));
        }
        self.wake_couriers();
        let row = self.store.delivery(tenant, id).await?;
        row.ok_or_else(|| FlowError::NotFound(format!("delivery {id}")))
    }

    /// Sends every dead delivery of a flow again; how many.
    ///
    /// # Errors
    /// [`FlowError::NotFound`].
    pub async fn replay_dead(&self, tenant: &TenantId, name: &str) -> Result<u64, FlowError> {
        self.flow(tenant, name).await?;
        let sent = self.store.replay_dead(tenant, name, self.clock.now_ms()).await?;
        self.wake_couriers();
        Ok(sent)
    }

    /// Asks a delivery's flow, as it is now, what it is to send.
    pub(crate) async fn work_out(&self, row: &DeliveryRow) -> Result<Evaluation, FlowError> {
        if let Some(by_hand) = ByHand::of(row) {
            return self.work_out_by_hand(row, &by_hand).await;
        }
        let view = self.flow(&row.tenant, &row.flow).await?;
        let definition = self.check(&row.tenant, &view.definition)?;
        let entry = self.entry_of(row).await?;
        let catalogue = self.catalogue(&row.tenant);
        let bound = BoundFlow::new(&row.tenant, &catalogue, &definition);
        Ok(self.evaluate(&bound, &entry, self.clock.now_ms()).await?)
    }

    /// The change that a delivery is made for.
    pub(crate) async fn entry_of(&self, row: &DeliveryRow) -> Result<FeedEntry, FlowError> {
        let (seq, entity) = (row.change.seq, &row.change.entity);
        let piece = self.store.feed(&row.tenant, seq - 1, entity, 1).await?;
        let entry = piece.entries.into_iter().next().filter(|entry| entry.change.seq == seq);
        entry.ok_or_else(|| FlowError::NotFound(format!("change {seq}")))
    }

    /// How long ended deliveries are kept, in milliseconds.
    #[must_use]
    pub fn keeps_ms(&self) -> i64 {
        millis(self.options.keep)
    }
}
