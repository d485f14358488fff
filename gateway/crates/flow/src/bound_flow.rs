//! One flow, evaluated for one change with everything that it needs of the store: whom the record refers to, and what is to be sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use renmen_schema::id::TenantId;
use renmen_store::StoreError;
use renmen_store::outbox::FeedEntry;
use renmen_turns::aside;

use crate::catalogue::{Catalogue, DestinationEntry};
use crate::definition::Definition;
use crate::engine::FlowEngine;
use crate::evaluation::{self, Evaluation, MatchedChange};
use crate::fields::Fields;
use crate::links::{DecisionLinks, LinkMaker};
use crate::lookup::{self, Changed, Held, RelatedRecords};

/// A flow with what is known of its destination, to be evaluated for many changes.
pub(crate) struct BoundFlow<'d> {
    tenant: &'d TenantId,
    definition: &'d Definition,
    place: Option<&'d DestinationEntry>,
    withheld: Fields,
    links: Option<&'d Arc<dyn DecisionLinks>>,
    /// Nothing is sent: a link is shown as what it is.
    dry: bool,
}

impl<'d> BoundFlow<'d> {
    pub(crate) fn new(tenant: &'d TenantId, catalogue: &'d Catalogue, definition: &'d Definition) -> Self {
        let place = catalogue.entry(&definition.to.connection);
        let withheld = place.map(|place| place.withheld(definition.when.entity)).unwrap_or_default();
        let links = catalogue.links().filter(|_| definition.map.asks_for_a_link());
        Self { tenant, definition, place, withheld, links, dry: false }
    }

    /// The same for a dry run.
    pub(crate) fn dry(self) -> Self {
        Self { dry: true, ..self }
    }

    fn links_to(&self, entry: &FeedEntry, now_ms: i64) -> Option<LinkMaker> {
        let links = Arc::clone(self.links?);
        let maker = LinkMaker::new(links, self.tenant.clone(), entry.change.id, now_ms);
        Some(if self.dry { maker.for_show() } else { maker })
    }
}

impl FlowEngine {
    /// Evaluates it for one change.
    pub(crate) async fn evaluate(
        &self,
        bound: &BoundFlow<'_>,
        entry: &FeedEntry,
        now_ms: i64,
    ) -> Result<Evaluation, StoreError> {
        let BoundFlow { definition, withheld, .. } = bound;
        match aside(|| evaluation::match_change(definition, withheld, entry, now_ms, &self.options)) {
            Ok(matched) => self.complete(bound, matched, entry, now_ms).await,
            Err(evaluation) => Ok(evaluation),
        }
    }

    /// Evaluates it for the first of these changes, for as many as there is time until then, and for at least one.
    pub(crate) async fn evaluate_some(
        &self,
        bound: &BoundFlow<'_>,
        entries: &[FeedEntry],
        now_ms: i64,
        until: Instant,
    ) -> Result<Vec<Evaluation>, StoreError> {
        if !bound.definition.with.is_empty() {
            let mut evaluated = Vec::with_capacity(entries.len());
            for entry in entries {
                evaluated.push(self.evaluate(bound, entry, now_ms).await?);
                if Instant::now() >= until {
                    break;
                }
            }
            return Ok(evaluated);
        }
        // Nothing is to be looked up: all of it is one piece of work.
        Ok(aside(|| {
            let mut evaluated = Vec::with_capacity(entries.len());
            for entry in entries {
                evaluated.push(self.evaluate_alone(bound, entry, now_ms));
                if Instant::now() >= until {
                    break;
                }
            }
            evaluated
        }))
    }

    /// Evaluates one that refers to nothing.
    fn evaluate_alone(&self, bound: &BoundFlow<'_>, entry: &FeedEntry, now_ms: i64) -> Evaluation {
        let BoundFlow { definition, withheld, .. } = bound;
        match evaluation::match_change(definition, withheld, entry, now_ms, &self.options) {
            Ok(matched) => matched.fill(definition, BTreeMap::new(), bound.links_to(entry, now_ms), &self.options),
            Err(evaluation) => evaluation,
        }
    }

    /// Evaluates it as a person wants it who asks for it now: without its condition.
    pub(crate) async fn evaluate_by_hand(
        &self,
        bound: &BoundFlow<'_>,
        entry: &FeedEntry,
        now_ms: i64,
    ) -> Result<Evaluation, StoreError> {
        match evaluation::by_hand(&bound.withheld, entry, now_ms) {
            Ok(matched) => self.complete(bound, matched, entry, now_ms).await,
            Err(evaluation) => Ok(evaluation),
        }
    }

    async fn complete(
        &self,
        bound: &BoundFlow<'_>,
        matched: MatchedChange,
        entry: &FeedEntry,
        now_ms: i64,
    ) -> Result<Evaluation, StoreError> {
        let BoundFlow { tenant, definition, place, .. } = bound;
        let record = Held {
            body: Cow::Borrowed(matched.record()),
            connection: entry.change.connection.clone(),
            external_id: entry.change.external_id.clone(),
        };
        let changed = Changed { record, age_ms: now_ms.saturating_sub(entry.change.at_ms) };
        let looked_up = lookup::look_up(&*self.store, tenant, definition, *place, changed).await?;
        Ok(match looked_up {
            RelatedRecords::All(related) => {
                let links = bound.links_to(entry, now_ms);
                aside(|| matched.fill(definition, related, links, &self.options))
            }
            RelatedRecords::Missing(why) => matched.wait(definition, why),
            RelatedRecords::Refused(why) => Evaluation::Fault(why),
        })
    }
}
