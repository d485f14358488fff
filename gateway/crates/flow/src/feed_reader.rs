//! Along the feed: each flow is asked about each change once, and what it says is kept with its new position in one transaction.

use std::sync::Arc;
use std::time::Instant;

use renmen_schema::Text;
use renmen_schema::id::TenantId;
use renmen_store::outbox::{Advance, DeliveryState, FeedEntry, FeedPiece, FlowRow, NewDelivery};
use renmen_store::{ContentHash, StoreError};

use crate::bound_flow::BoundFlow;
use crate::catalogue::Catalogue;
use crate::definition::Definition;
use crate::definition_cache::CachedFlow;
use crate::engine::FlowEngine;
use crate::evaluation::{self, Evaluation, Sending};
use crate::list;
use crate::seen_feeds::SeenFeeds;

/// Changes that a flow is asked about before its time is looked at.
const AT_ONCE: usize = 64;

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
        self.pass_moved(&mut SeenFeeds::default()).await
    }

    /// The same for the tenants whose feed has moved beyond what was seen.
    pub(crate) async fn pass_moved(&self, seen: &mut SeenFeeds) -> Result<FeedPass, StoreError> {
        let mut passed = FeedPass::default();
        for (tenant, catalogue) in self.tenants() {
            let head = *self.store.watch(&tenant).borrow();
            if seen.is_read(&tenant, head) {
                continue;
            }
            let (one, runs) = match self.pass_tenant(&tenant, &catalogue, head).await {
                Ok(one) => one,
                // A flow was changed, or another gateway was quicker: read it again.
                Err(StoreError::Fenced(_)) => (FeedPass { more: true, ..FeedPass::default() }, true),
                Err(error) => return Err(error),
            };
            seen.read(tenant, (!one.more && !one.soon).then_some(head), runs);
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

    /// One tenant; also whether any flow of it runs.
    async fn pass_tenant(
        &self,
        tenant: &TenantId,
        catalogue: &Arc<Catalogue>,
        head: i64,
    ) -> Result<(FeedPass, bool), StoreError> {
        let (mut passed, mut runs) = (FeedPass::default(), false);
        // One time for all: a clock that steps in between would make what is due now due by a time that is not.
        let now_ms = self.clock.now_ms();
        let mut steps = Vec::new();
        for entry in self.definitions.flows(&*self.store, tenant, catalogue).await? {
            let Ok(definition) = entry.definition.clone() else { continue };
            runs |= entry.row.enabled;
            if !entry.row.enabled || entry.row.position >= head {
                continue;
            }
            let (piece, cut) = self.piece(tenant, &entry.row, &definition).await?;
            passed.soon |= cut;
            if let Some((step, more)) = self.step((tenant, catalogue), &entry, &definition, piece, now_ms).await? {
                steps.push(step);
                passed.more |= more;
            }
        }
        if !steps.is_empty() {
            passed.made = self.store.advance(steps, now_ms).await?;
        }
        Ok((passed, runs))
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
        (tenant, catalogue): (&TenantId, &Catalogue),
        flow: &CachedFlow,
        definition: &Definition,
        piece: FeedPiece,
        now_ms: i64,
    ) -> Result<Option<(Advance, bool)>, StoreError> {
        let row = &flow.row;
        if piece.up_to <= row.position {
            return Ok(None);
        }
        let FeedPiece { entries, mut up_to } = piece;
        let mut more = entries.len() >= self.options.batch as usize;
        let bound = BoundFlow::new(tenant, catalogue, definition);
        let until = Instant::now() + self.options.step_max;
        let mut made = StepDeliveries::default();
        let mut rest = &entries[..];
        while !rest.is_empty() {
            let some = &rest[..rest.len().min(AT_ONCE)];
            let evaluated = self.evaluate_some(&bound, some, now_ms, until).await?;
            let (asked, left) = rest.split_at(evaluated.len());
            self.add(&mut made, (tenant, &row.name, definition), asked, evaluated).await?;
            rest = left;
            // The other flows have their turn before this one goes on.
            if let (Some(last), false) = (asked.last(), rest.is_empty())
                && Instant::now() >= until
            {
                (up_to, more) = (last.change.seq, true);
                break;
            }
        }
        let StepDeliveries { deliveries, supersede } = made;
        let step = Advance { flow: row.id, version: row.version, from: row.position, to: up_to, deliveries, supersede };
        Ok(Some((step, more)))
    }

    /// What a flow makes of changes, added to what it made of those before.
    async fn add(
        &self,
        made: &mut StepDeliveries,
        (tenant, flow, definition): (&TenantId, &str, &Definition),
        entries: &[FeedEntry],
        evaluated: Vec<Evaluation>,
    ) -> Result<(), StoreError> {
        let mut sent = Vec::new();
        for (entry, evaluation) in entries.iter().zip(&evaluated) {
            if let Evaluation::Send(sending) = evaluation {
                sent.push((sent_delivery(tenant, flow, definition, entry, sending), entry));
            }
        }
        let mut sent = self.guarded(tenant, flow, sent).await?.into_iter();
        for (entry, evaluation) in entries.iter().zip(evaluated) {
            if definition.delay.is_some() && entry.change.revision > 1 {
                made.supersede(evaluation::lane(tenant, flow, definition, entry), entry);
            }
            match evaluation {
                Evaluation::Pass(_) => {}
                Evaluation::Send(_) => made.deliveries.extend(sent.next()),
                Evaluation::Wait(why, sending) => {
                    made.deliveries.push(NewDelivery {
                        not_before_ms: sending.not_before_ms,
                        deadline_ms: sending.deadline_ms,
                        state: DeliveryState::Pending,
                        // Nothing that waits looks like anything else that waits.
                        input_hash: evaluation::key(tenant, flow, definition, entry),
                        ..dead(tenant, flow, definition, entry, &why)
                    });
                }
                Evaluation::Fault(why) => {
                    tracing::warn!(flow, seq = entry.change.seq, %why, "Flow failed to compute what to send");
                    made.deliveries.push(dead(tenant, flow, definition, entry, &why));
                }
            }
        }
        Ok(())
    }
}

/// What a flow made of a piece of the feed.
#[derive(Default)]
struct StepDeliveries {
    deliveries: Vec<NewDelivery>,
    supersede: Vec<([u8; 16], i64)>,
}

impl StepDeliveries {
    /// What waits for its time in a lane is out of date since this change.
    fn supersede(&mut self, lane: [u8; 16], entry: &FeedEntry) {
        self.supersede.push((lane, entry.change.seq));
        // Those of this very step are not in the store yet.
        self.deliveries.retain(|made| made.record != entry.change.id || made.state != DeliveryState::Pending);
    }
}

fn sent_delivery(
    tenant: &TenantId,
    flow: &str,
    definition: &Definition,
    entry: &FeedEntry,
    sending: &Sending,
) -> NewDelivery {
    let input = sending.input.to_string().into_bytes();
    NewDelivery {
        not_before_ms: sending.not_before_ms,
        deadline_ms: sending.deadline_ms,
        state: DeliveryState::Pending,
        input_hash: ContentHash::of(&input).0,
        input,
        error: None,
        ..dead(tenant, flow, definition, entry, &Text::default())
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
