//! Deliveries that would go round in circles: what a delivery causes comes back as a change, which makes the next one.

use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use renmen_store::outbox::{DeliveryState, Echo, EchoAsk, FeedEntry, NewDelivery, Repeats};
use renmen_store::{ChangeKind, StoreError};

use crate::engine::FlowEngine;
use crate::options::millis;

impl FlowEngine {
    /// Deliveries, each with the change that it is made for, with what caused them; one that would go round in circles is withheld.
    pub(crate) async fn guarded(
        &self,
        tenant: &TenantId,
        flow: &str,
        mut made: Vec<(NewDelivery, &FeedEntry)>,
    ) -> Result<Vec<NewDelivery>, StoreError> {
        let asked: Vec<EchoAsk> = made.iter().map(|(_, entry)| self.echo_ask(entry)).collect();
        let echoes = if asked.is_empty() { Vec::new() } else { self.store.echoes(tenant, &asked).await? };
        for ((one, _), echo) in made.iter_mut().zip(echoes) {
            one.hops = echo.map_or(0, |echo| echo.hops.saturating_add(1));
            one.caused_by = echo.map(|echo| echo.delivery);
        }
        let asked: Vec<(&NewDelivery, ChangeKind)> = made.iter().map(|(one, entry)| (one, entry.change.kind)).collect();
        let loops = self.loops(&asked).await?;
        let withheld = |((mut one, _), why): ((NewDelivery, &FeedEntry), Option<Text>)| {
            if let Some(why) = why {
                tracing::warn!(flow, record = %one.record, %why, "Flow triggers itself: delivery withheld");
                metrics::counter!("renmen_deliveries_withheld_total").increment(1);
                one.state = DeliveryState::Withheld;
                one.error = Some(why.to_string());
            }
            one
        };
        Ok(made.into_iter().zip(loops).map(withheld).collect())
    }

    /// The delivery that the change probably came of: it went to the change's connection not long ago, and it named this record.
    pub(crate) async fn echo(&self, tenant: &TenantId, entry: &FeedEntry) -> Result<Option<Echo>, StoreError> {
        Ok(self.store.echoes(tenant, &[self.echo_ask(entry)]).await?.into_iter().next().flatten())
    }

    fn echo_ask(&self, entry: &FeedEntry) -> EchoAsk {
        let change = &entry.change;
        EchoAsk {
            connection: change.connection.clone(),
            external_id: change.external_id.clone(),
            record: change.id,
            since_ms: change.at_ms.saturating_sub(millis(self.options.echo_window)),
        }
    }

    /// Of each delivery: why it would go round in circles.
    pub(crate) async fn loops(&self, made: &[(&NewDelivery, ChangeKind)]) -> Result<Vec<Option<Text>>, StoreError> {
        let (hops_max, repeats_max) = (self.options.hops_max, self.options.repeats_max);
        let since_ms = self.clock.now_ms().saturating_sub(millis(self.options.repeats_window));
        // A record that is new was never sent before.
        let is_asked = |made: &NewDelivery, kind: ChangeKind| made.hops <= hops_max && kind != ChangeKind::Created;
        let asked = made.iter().filter(|(made, kind)| is_asked(made, *kind)).map(|(made, _)| Repeats {
            record: made.record,
            lane: made.lane,
            input_hash: made.input_hash,
            since_ms,
        });
        let asked: Vec<Repeats> = asked.collect();
        let repeats = if asked.is_empty() { Vec::new() } else { self.store.repeats(asked).await? };
        let mut repeats = repeats.into_iter();
        let why = |(made, kind): &(&NewDelivery, ChangeKind)| {
            if made.hops > hops_max {
                let from = made.caused_by.unwrap_or_default();
                return Some(text!(
                    "loop: {} deliveries led to this one, the last is {from}; at most {hops_max} may (`outbox.hops_max`)",
                    "循环：此投递由 {} 次投递引起，最近一次为 {from}；最多 {hops_max} 次（`outbox.hops_max`）",
                    made.hops
                ));
            }
            let repeats = if is_asked(made, *kind) { repeats.next()? } else { return None };
            (repeats >= repeats_max).then(|| {
                text!("loop: the same was made {repeats} times for this record; at most {repeats_max} may (`outbox.repeats_max`)", "循环：同一内容已为此记录生成 {repeats} 次；最多 {repeats_max} 次（`outbox.repeats_max`）")
            })
        };
        Ok(made.iter().map(why).collect())
    }
}
