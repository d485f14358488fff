//! A flow is asked about a change: what it is, whom it refers to, and what is to be sent.

use renmen_schema::id::TenantId;
use renmen_store::StoreError;
use renmen_store::outbox::FeedEntry;
use renmen_turns::aside;

use crate::catalogue::{Catalogue, Place};
use crate::definition::Definition;
use crate::engine::FlowEngine;
use crate::evaluate::{self, Verdict};
use crate::fields::Fields;
use crate::related::{self, Found};

/// A flow with what is known of its destination, for many changes.
pub(crate) struct Asked<'d> {
    tenant: &'d TenantId,
    definition: &'d Definition,
    place: Option<&'d Place>,
    withheld: Fields,
}

impl<'d> Asked<'d> {
    pub(crate) fn new(tenant: &'d TenantId, catalogue: &'d Catalogue, definition: &'d Definition) -> Self {
        let place = catalogue.place(&definition.to.connection);
        let withheld = place.map(|place| place.withheld(definition.when.entity)).unwrap_or_default();
        Self { tenant, definition, place, withheld }
    }
}

impl FlowEngine {
    /// Asks it about one change.
    pub(crate) async fn ask(&self, asked: &Asked<'_>, entry: &FeedEntry, now_ms: i64) -> Result<Verdict, StoreError> {
        let Asked { tenant, definition, place, withheld } = asked;
        let met = match aside(|| evaluate::consider(definition, withheld, entry, now_ms, &self.options)) {
            Ok(met) => met,
            Err(verdict) => return Ok(verdict),
        };
        let connection = &entry.change.connection;
        let found = related::look_up(&*self.store, tenant, definition, *place, met.record(), connection).await?;
        Ok(match found {
            Found::All(related) => aside(|| met.fill(definition, related, &self.options)),
            Found::Missing(why) => met.wait(definition, why),
            Found::Refused(why) => Verdict::Fault(why),
        })
    }
}
