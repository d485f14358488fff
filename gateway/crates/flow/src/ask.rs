//! A flow is asked about a change: what it is, whom it refers to, and what is to be sent.

use std::borrow::Cow;
use std::sync::Arc;

use renmen_schema::id::TenantId;
use renmen_store::StoreError;
use renmen_store::outbox::FeedEntry;
use renmen_turns::aside;

use crate::catalogue::{Catalogue, Place};
use crate::definition::Definition;
use crate::engine::FlowEngine;
use crate::evaluate::{self, Met, Verdict};
use crate::fields::Fields;
use crate::links::{DecisionLinks, LinkMaker};
use crate::related::{self, Changed, Found, Held};

/// A flow with what is known of its destination, for many changes.
pub(crate) struct Asked<'d> {
    tenant: &'d TenantId,
    definition: &'d Definition,
    place: Option<&'d Place>,
    withheld: Fields,
    links: Option<&'d Arc<dyn DecisionLinks>>,
    /// Nothing is sent: a link is shown as what it is.
    dry: bool,
}

impl<'d> Asked<'d> {
    pub(crate) fn new(tenant: &'d TenantId, catalogue: &'d Catalogue, definition: &'d Definition) -> Self {
        let place = catalogue.place(&definition.to.connection);
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
    /// Asks it about one change.
    pub(crate) async fn ask(&self, asked: &Asked<'_>, entry: &FeedEntry, now_ms: i64) -> Result<Verdict, StoreError> {
        let Asked { definition, withheld, .. } = asked;
        match aside(|| evaluate::consider(definition, withheld, entry, now_ms, &self.options)) {
            Ok(met) => self.complete(asked, met, entry, now_ms).await,
            Err(verdict) => Ok(verdict),
        }
    }

    /// Asks it what a person who asks for it now would send.
    pub(crate) async fn ask_by_hand(
        &self,
        asked: &Asked<'_>,
        entry: &FeedEntry,
        now_ms: i64,
    ) -> Result<Verdict, StoreError> {
        match evaluate::by_hand(&asked.withheld, entry, now_ms) {
            Ok(met) => self.complete(asked, met, entry, now_ms).await,
            Err(verdict) => Ok(verdict),
        }
    }

    async fn complete(
        &self,
        asked: &Asked<'_>,
        met: Met,
        entry: &FeedEntry,
        now_ms: i64,
    ) -> Result<Verdict, StoreError> {
        let Asked { tenant, definition, place, .. } = asked;
        let record = Held {
            body: Cow::Borrowed(met.record()),
            connection: entry.change.connection.clone(),
            external_id: entry.change.external_id.clone(),
        };
        let changed = Changed { record, age_ms: now_ms.saturating_sub(entry.change.at_ms) };
        let found = related::look_up(&*self.store, tenant, definition, *place, changed).await?;
        Ok(match found {
            Found::All(related) => {
                let links = asked.links_to(entry, now_ms);
                aside(|| met.fill(definition, related, links, &self.options))
            }
            Found::Missing(why) => met.wait(definition, why),
            Found::Refused(why) => Verdict::Fault(why),
        })
    }
}
