//! Along the feed: each flow is asked about each change once, and what it says is kept with its new position in one transaction.

use std::sync::Arc;
use std::time::Instant;

use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use renmen_store::outbox::{
    Advance, DeliveryState, Echo, EchoAsk, FeedEntry, FeedPiece, FlowRow, NewDelivery, Repeats,
};
use renmen_store::{ChangeKind, ContentHash, StoreError};

use crate::bound_flow::BoundFlow;
use crate::catalogue::Catalogue;
use crate::definition::Definition;
use crate::definition_cache::CachedFlow;
use crate::engine::FlowEngine;
use crate::evaluation::{self, Evaluation, Sending};
use crate::list;
use crate::options::millis;

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedPass {
    /// Deliveries made.
    pub made: u64,
    /// There is more of the feed to read.
    pub more: bool,
    /// There is more, and in a moment it will be known what belongs to it.
    pub soon: bool,
}

impl FlowEngine {
    /// Asks every flow of every tenant about the next changes.
    ///
    /// # Errors
    /// The store's. Nothing was written for a tenant whose step failed.
    pub async fn pass(&self) -> Result<FeedPass, StoreError> {
        let mut passed = FeedPass::default();
        for (tenant, catalogue) in self.tenants() {
            let one = match self.pass_tenant(&tenant, &catalogue).await {
                Ok(one) => one,
                // A flow was changed, or another gateway was quicker: read it again.
                Err(StoreError::Fenced(_)) => FeedPass { more: true, ..FeedPass::default() },
                Err(error) => return Err(error),
            };
            passed.made += one.made;
            passed.more |= one.more;
            passed.soon |= one.soon;
        }
        if passed.made > 0 {
            metrics::counter!("renmen_deliveries_made_total").increment(passed.made);
            self.wake_couriers();
        }
        Ok(passed)
    }

    async fn pass_tenant(&self, tenant: &TenantId, catalogue: &Arc<Catalogue>) -> Result<FeedPass, StoreError> {
        let mut passed = FeedPass::default();
        let mut steps = Vec::new();
        let head = *self.store.watch(tenant).borrow();
        for entry in self.definitions.flows(&*self.store, tenant, catalogue).await? {
            let Ok(definition) = entry.definition.clone() else { continue };
            if !entry.row.enabled || entry.row.position >= head {
                continue;
            }
            let (piece, cut) = self.piece(tenant, &entry.row, &definition).await?;
            passed.soon |= cut;
            if let Some((step, more)) = self.step(tenant, catalogue, &entry, &definition, piece).await? {
                steps.push(step);
                passed.more |= more;
            }
        }
        if !steps.is_empty() {
            passed.made = self.store.advance(steps, self.clock.now_ms()).await?;
        }
        Ok(passed)
    }

    /// What a flow is to read next. Where it lists what belongs to a record, it goes no further than that is known; then true.
    async fn piece(
        &self,
        tenant: &TenantId,
        row: &FlowRow,
        definition: &Definition,
    ) -> Result<(FeedPiece, bool), StoreError> {
        // BoundFlow first: what is committed in between is then read the next time.
        let known = if definition.lists() { list::known_up_to(&*self.store, tenant).await? } else { i64::MAX };
        let entity = definition.when.entity.name();
        let mut piece = self.store.feed(tenant, row.position, entity, self.options.batch).await?;
        let all = piece.entries.len();
        piece.entries.retain(|entry| entry.change.seq <= known);
        let cut = piece.entries.len() < all;
        if cut {
            piece.up_to = piece.up_to.min(known);
        }
        Ok((piece, cut))
    }

    async fn step(
        &self,
        tenant: &TenantId,
        catalogue: &Catalogue,
        flow: &CachedFlow,
        definition: &Definition,
        piece: FeedPiece,
    ) -> Result<Option<(Advance, bool)>, StoreError> {
        let row = &flow.row;
        if piece.up_to <= row.position {
            return Ok(None);
        }
        let mut more = piece.entries.len() >= self.options.batch as usize;
        let (mut up_to, began) = (piece.up_to, Instant::now());
        let bound = BoundFlow::new(tenant, catalogue, definition);
        let now_ms = self.clock.now_ms();
        let (mut deliveries, mut supersede) = (Vec::new(), Vec::new());
        for (entry, left) in piece.entries.iter().zip((0..piece.entries.len()).rev()) {
            if definition.delay.is_some() && entry.change.revision > 1 {
                supersede.push((evaluation::lane(tenant, &row.name, definition, entry), entry.change.seq));
                // Those of this very step are not in the store yet.
                deliveries.retain(|made: &NewDelivery| {
                    made.record != entry.change.id || made.state != DeliveryState::Pending
                });
            }
            match self.evaluate(&bound, entry, now_ms).await? {
                Evaluation::Pass(_) => {}
                Evaluation::Send(sending) => {
                    deliveries.push(self.delivery(tenant, &row.name, definition, entry, &sending).await?);
                }
                Evaluation::Wait(why, sending) => {
                    deliveries.push(NewDelivery {
                        not_before_ms: sending.not_before_ms,
                        deadline_ms: sending.deadline_ms,
                        state: DeliveryState::Pending,
                        // Nothing that waits looks like anything else that waits.
                        input_hash: evaluation::key(tenant, &row.name, definition, entry),
                        ..dead(tenant, &row.name, definition, entry, &why)
                    });
                }
                Evaluation::Fault(why) => {
                    tracing::warn!(flow = %row.name, seq = entry.change.seq, %why, "Flow failed to compute what to send");
                    deliveries.push(dead(tenant, &row.name, definition, entry, &why));
                }
            }
            // The other flows have their turn before this one goes on.
            if left > 0 && began.elapsed() >= self.options.step_max {
                (up_to, more) = (entry.change.seq, true);
                break;
            }
        }
        let step = Advance { flow: row.id, version: row.version, from: row.position, to: up_to, deliveries, supersede };
        Ok(Some((step, more)))
    }

    async fn delivery(
        &self,
        tenant: &TenantId,
        flow: &str,
        definition: &Definition,
        entry: &FeedEntry,
        sending: &Sending,
    ) -> Result<NewDelivery, StoreError> {
        let input = sending.input.to_string().into_bytes();
        let mut made = NewDelivery {
            not_before_ms: sending.not_before_ms,
            deadline_ms: sending.deadline_ms,
            state: DeliveryState::Pending,
            input_hash: ContentHash::of(&input).0,
            input,
            error: None,
            ..dead(tenant, flow, definition, entry, &Text::default())
        };
        let echo = self.echo(tenant, entry).await?;
        made.hops = echo.map_or(0, |echo| echo.hops.saturating_add(1));
        made.caused_by = echo.map(|echo| echo.delivery);
        if let Some(why) = self.loops(&made, entry.change.kind).await? {
            tracing::warn!(flow, record = %made.record, %why, "Flow triggers itself: delivery withheld");
            metrics::counter!("renmen_deliveries_withheld_total").increment(1);
            made.state = DeliveryState::Withheld;
            made.error = Some(why.to_string());
        }
        Ok(made)
    }

    /// The delivery that the change probably came of: it went to the change's connection not long ago, and it named this record.
    pub(crate) async fn echo(&self, tenant: &TenantId, entry: &FeedEntry) -> Result<Option<Echo>, StoreError> {
        let change = &entry.change;
        let ask = EchoAsk {
            connection: change.connection.clone(),
            external_id: change.external_id.clone(),
            record: change.id,
        };
        let since_ms = change.at_ms.saturating_sub(millis(self.options.echo_window));
        Ok(self.store.echoes(tenant, &[ask], since_ms).await?.into_iter().next().flatten())
    }

    /// Why this delivery would go round in circles.
    pub(crate) async fn loops(&self, made: &NewDelivery, kind: ChangeKind) -> Result<Option<Text>, StoreError> {
        let (hops_max, repeats_max) = (self.options.hops_max, self.options.repeats_max);
        if made.hops > hops_max {
            let from = made.caused_by.unwrap_or_default();
            return Ok(Some(text!(
                "loop: {} deliveries led to this one, the last is {from}; at most {hops_max} may (`outbox.hops_max`)",
                "循环：此投递由 {} 次投递引起，最近一次为 {from}；最多 {hops_max} 次（`outbox.hops_max`）",
                made.hops
            )));
        }
        // A record that is new was never sent before.
        if kind == ChangeKind::Created {
            return Ok(None);
        }
        let since_ms = self.clock.now_ms().saturating_sub(millis(self.options.repeats_window));
        let of = Repeats { record: made.record, lane: made.lane, input_hash: made.input_hash, since_ms };
        let repeats = self.store.repeats(of).await?;
        Ok((repeats >= repeats_max).then(|| {
            text!("loop: the same was made {repeats} times for this record; at most {repeats_max} may (`outbox.repeats_max`)", "循环：同一内容已为此记录生成 {repeats} 次；最多 {repeats_max} 次（`outbox.repeats_max`）")
        }))
    }
}

/// What a flow could not work out: dead from the beginning, so that the change is not lost. It has no input; a replay asks the
/// flow again.
fn dead(tenant: &TenantId, flow: &str, definition: &Definition, entry: &FeedEntry, why: &Text) -> NewDelivery {
    NewDelivery {
        seq: entry.change.seq,
        record: entry.change.id,
        connection: definition.to.connection.clone(),
        action: definition.to.action.clone(),
        key: evaluation::key(tenant, flow, definition, entry),
        lane: evaluation::lane(tenant, flow, definition, entry),
        not_before_ms: entry.change.at_ms,
        deadline_ms: None,
        state: DeliveryState::Dead,
        input: Vec::new(),
        input_hash: [0; 16],
        hops: 0,
        caused_by: None,
        error: Some(format!("evaluation: {why}")),
    }
}
