//! What an action by hand would send: worked out by a flow or a map, or as it was typed, and held against everything that may stop it.

use renmen_schema::id::TenantId;
use renmen_schema::{EntityKind, text};
use renmen_store::outbox::{BY_HAND, FeedEntry};
use renmen_store::{ChangeKind, ContentHash};
use serde_json::{Value, json};

use super::{HandAsk, HandPlan, HandWork, Worked, action, defect, delivery, guard};
use crate::bound_flow::BoundFlow;
use crate::catalogue::Catalogue;
use crate::definition::{Definition, Target};
use crate::engine::FlowEngine;
use crate::error::FlowError;
use crate::evaluation::{self, Evaluation, Sending};

/// An input with how it came about.
struct Input {
    to: Target,
    /// The flow's name, row and version.
    flow: Option<(String, i64, i64)>,
    definition: Option<Definition>,
    sending: Sending,
}

impl FlowEngine {
    pub(super) async fn planned(
        &self,
        tenant: &TenantId,
        ask: &HandAsk,
        dry: bool,
    ) -> Result<(HandPlan, Worked), FlowError> {
        let entry = self.store.last_change(tenant, ask.record).await?;
        // What only a key made for audits reads is carried by no action either.
        let kept = |entity: &str| EntityKind::from_name(entity).is_some_and(EntityKind::is_for_audits_only);
        let entry = entry.filter(|entry| !kept(&entry.change.entity));
        let entry = entry.ok_or_else(|| FlowError::NotFound(format!("record {}", ask.record)))?;
        if entry.change.kind == ChangeKind::Deleted {
            return Err(FlowError::Refused(text!(
                "the record was deleted: nothing is sent about it any more",
                "记录已删除：不再发送其内容"
            )));
        }
        let catalogue = self.catalogue(tenant);
        let Input { to, flow, definition, sending } = match &ask.work {
            HandWork::Input { to, input } => self.typed(&catalogue, &entry, to, input)?,
            HandWork::Map { to, map, fields, with } => {
                let definition = of_map(&entry, to, map, fields, with)?;
                self.mapped(tenant, &catalogue, &entry, definition, None, dry).await?
            }
            HandWork::Flow { name, map } => {
                let view = self.flow(tenant, name).await?;
                let definition = of_flow(&entry, name, view.definition, map.as_ref())?;
                let flow = Some((name.clone(), view.row.id, view.row.version));
                self.mapped(tenant, &catalogue, &entry, definition, flow, dry).await?
            }
        };
        let defects = guard::defects(action(&catalogue, &to)?.input_schema.as_ref(), &sending.input);
        // With a flow, in order with what that sends for the record; else with what people do there.
        let lane = match (&flow, &definition) {
            (Some((name, ..)), Some(definition)) => evaluation::lane(tenant, name, definition, &entry),
            _ => {
                let lane = format!("lane {tenant} {BY_HAND} {} {}", to.connection, entry.change.id);
                ContentHash::of(lane.as_bytes()).0
            }
        };
        let times = (sending.not_before_ms, sending.deadline_ms);
        let mut made = delivery(&entry.change, &to, lane, &sending.input, times);
        let echo = self.echo(tenant, &entry).await?;
        made.hops = echo.map_or(0, |echo| echo.hops.saturating_add(1));
        made.caused_by = echo.map(|echo| echo.delivery);
        // A person may well repeat what was done for a record that is new: it counts all the same.
        let refused = self.loops(&[(&made, ChangeKind::Updated)]).await?.pop().flatten();
        let name = flow.as_ref().map(|(name, ..)| name.clone());
        let plan = HandPlan { change: entry.change, to, flow: name, input: sending.input, defects, refused };
        Ok((plan, Worked { flow: flow.map(|(_, row, version)| (row, version)), definition, delivery: made }))
    }

    fn typed(&self, catalogue: &Catalogue, entry: &FeedEntry, to: &Target, input: &Value) -> Result<Input, FlowError> {
        action(catalogue, to)?;
        if !input.is_object() {
            return Err(defect(
                "input",
                text!("it is not an object", "不是对象"),
                text!("write `{{ \"key\": … }}`", "请写 `{{ \"key\": … }}`"),
            ));
        }
        let (bytes, most) = (input.to_string().len(), self.options.input_bytes_max);
        if bytes > most {
            let message = text!(
                "it has {bytes} bytes; at most {most} are sent (`outbox.input_bytes_max`)",
                "有 {bytes} 字节；最多发送 {most} 字节（`outbox.input_bytes_max`）"
            );
            return Err(defect("input", message, text!("send less", "请减少内容")));
        }
        if let Some(place) = catalogue.entry(&to.connection)
            && let Some(told) = guard::told(place, entry, input)
        {
            let message = text!(
                "{told}, which is withheld from connection `{}`",
                "{told}，该内容不会发给连接 `{}`",
                to.connection
            );
            return Err(defect("input", message, text!("take it out", "请删除")));
        }
        let sending = Sending { input: input.clone(), not_before_ms: self.clock.now_ms(), deadline_ms: None };
        Ok(Input { to: to.clone(), flow: None, definition: None, sending })
    }

    async fn mapped(
        &self,
        tenant: &TenantId,
        catalogue: &Catalogue,
        entry: &FeedEntry,
        definition: Definition,
        flow: Option<(String, i64, i64)>,
        dry: bool,
    ) -> Result<Input, FlowError> {
        let defects = definition.check(catalogue);
        if !defects.is_empty() {
            return Err(FlowError::Defects(defects));
        }
        action(catalogue, &definition.to)?;
        let bound = BoundFlow::new(tenant, catalogue, &definition);
        let bound = if dry { bound.dry() } else { bound };
        match self.evaluate_by_hand(&bound, entry, self.clock.now_ms()).await? {
            Evaluation::Send(sending) => {
                Ok(Input { to: definition.to.clone(), flow, definition: Some(definition), sending })
            }
            Evaluation::Wait(why, _) => Err(FlowError::Refused(text!(
                "{why}: do it when that record has come, or send without it",
                "{why}：请在该记录到达后执行，或不带它发送"
            ))),
            Evaluation::Fault(why) => Err(defect(
                "",
                why,
                text!("use another map, or give the input itself", "请使用其他映射，或直接给出输入"),
            )),
            Evaluation::Pass(why) => {
                Err(FlowError::Refused(text!("nothing would be sent: {why}", "不会发送任何内容：{why}")))
            }
        }
    }
}

/// A definition for this one record.
fn of_map(entry: &FeedEntry, to: &Target, map: &Value, fields: &Value, with: &Value) -> Result<Definition, FlowError> {
    let source = json!({
        "when": { "entity": entry.change.entity },
        "fields": fields,
        "with": with,
        "to": { "connection": to.connection, "action": to.action },
        "map": map,
    });
    Definition::parse(&source).map_err(FlowError::Defects)
}

/// A flow's definition, with other keys in its map, if it is for this record.
fn of_flow(entry: &FeedEntry, name: &str, mut source: Value, map: Option<&Value>) -> Result<Definition, FlowError> {
    match (map, source.get_mut("map")) {
        (None, _) => {}
        (Some(Value::Object(other)), Some(Value::Object(own))) => {
            own.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        (Some(Value::Object(_)), _) => {
            let message = text!(
                "the map of flow `{name}` is one expression, which has no keys to replace",
                "流程 `{name}` 的映射是单个表达式，没有可替换的键"
            );
            return Err(defect(
                "map",
                message,
                text!(
                    "leave `map` out, or name the connection and the action instead of the flow",
                    "请不写 `map`，或改为指定连接与动作"
                ),
            ));
        }
        (Some(_), _) => {
            return Err(defect(
                "map",
                text!("with a flow it must be a table of keys to replace", "与流程一起使用时，必须是要替换的键的表"),
                text!("write `{{ \"key\": \"expression\" }}`", "请写 `{{ \"key\": \"表达式\" }}`"),
            ));
        }
    }
    let definition = Definition::parse(&source).map_err(FlowError::Defects)?;
    let (when, change) = (&definition.when, &entry.change);
    if when.entity.name() != change.entity {
        let (wants, has) = (when.entity.name(), &change.entity);
        return Err(FlowError::Refused(text!(
            "flow `{name}` is for records of the entity {wants}; this one is of {has}",
            "流程 `{name}` 针对实体 {wants} 的记录；此记录属于 {has}"
        )));
    }
    if !when.connections.is_empty() && !when.connections.contains(&change.connection) {
        let wants = when.connections.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return Err(FlowError::Refused(text!(
            "flow `{name}` is for records that came through {wants}; this one came through `{}`",
            "流程 `{name}` 针对来自 {wants} 的记录；此记录来自 `{}`",
            change.connection
        )));
    }
    Ok(definition)
}
