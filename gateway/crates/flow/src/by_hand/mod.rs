//! An action that a person triggers by hand, for one record: cancel an order, order again, notify someone.
//!
//! It is a delivery like a flow's (one courier, retries, receipts, replays), and it also records who asked for it and
//! why. The person cannot decide what may leave: what is withheld from the destination is withheld from a map by hand
//! just as from a flow's map, and an input that was typed is refused when it names or repeats something withheld
//! (`guard`). A person who does the same over and over, and a program that answers each change with the next action,
//! are stopped in the same way as a flow.
//!
//! Reading order: what is asked ([`HandAsk`]), what would be sent (`plan`), what is kept ([`ByHand`]).

mod guard;
mod plan;

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{Text, text};
use renmen_store::outbox::{DeliveryRow, DeliveryState, HandMade, NewDelivery};
use renmen_store::{ChangeRow, ContentHash, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bound_flow::BoundFlow;
use crate::catalogue::Catalogue;
use crate::definition::{Defect, Definition, Target};
use crate::destination::ActionInfo;
use crate::engine::FlowEngine;
use crate::error::FlowError;
use crate::evaluation::Evaluation;

pub use guard::InputDefect;

/// Tries when a flow was changed while its action was being made.
const TRIES: u32 = 3;

/// What a person wants done.
#[derive(Debug, Clone)]
pub struct HandAsk {
    /// What it is about.
    pub record: RecordId,
    /// What to do, and what to send.
    pub work: HandWork,
    /// Who asks: the name of their key.
    pub by: String,
    /// Why they ask for it.
    pub reason: String,
    /// What makes a second request the same as the first; without it every request is a new one.
    pub idempotency_key: Option<String>,
}

/// Where the input of an action by hand comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum HandWork {
    /// What a flow would send for the record, regardless of its condition. Keys of `map` replace the flow's own.
    Flow {
        /// The name of the flow.
        name: String,
        /// As in a flow.
        map: Option<Value>,
    },
    /// What a map makes of the record.
    Map {
        /// Where to, and what to do there.
        to: Target,
        /// As in a flow.
        map: Value,
        /// As in a flow; null: nothing.
        fields: Value,
        /// As in a flow; null: nothing.
        with: Value,
    },
    /// As it is given.
    Input {
        /// Where to, and what to do there.
        to: Target,
        /// An object.
        input: Value,
    },
}

/// What an action by hand would send.
#[derive(Debug, Clone)]
pub struct HandPlan {
    /// The change of the record that it is made for.
    pub change: ChangeRow,
    /// Where to, and what to do there.
    pub to: Target,
    /// The flow that it is worked out by.
    pub flow: Option<String>,
    /// The action's input.
    pub input: Value,
    /// What of it the action does not take; empty: it fits.
    pub defects: Vec<InputDefect>,
    /// Why it would not be done; none: it would.
    pub refused: Option<Text>,
}

/// What became of an action by hand.
#[derive(Debug, Clone)]
pub struct Acted {
    /// The delivery, as it stands.
    pub delivery: DeliveryRow,
    /// False: it was made before, with the same idempotency key.
    pub is_new: bool,
}

/// One action that can be done.
#[derive(Debug, Clone)]
pub struct ActionView {
    /// The destination.
    pub connection: ConnectionName,
    /// Its name there.
    pub action: String,
    /// As the destination declares it.
    pub info: ActionInfo,
}

/// What is kept with a delivery that a person made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ByHand {
    /// Who asked for it. This is personal data.
    pub by: String,
    /// Why they asked for it.
    pub reason: String,
    /// What was asked for, as a hash: the same key for something else is a mistake.
    asked: String,
    /// How it was worked out; none: the input was given as it is.
    definition: Option<Value>,
}

impl ByHand {
    /// Of a delivery that a person made.
    #[must_use]
    pub fn of(row: &DeliveryRow) -> Option<Self> {
        row.by_hand.as_deref().and_then(|text| serde_json::from_str(text).ok())
    }

    pub(crate) fn definition(&self) -> Option<Definition> {
        self.definition.as_ref().and_then(|source| Definition::parse(source).ok())
    }
}

impl HandAsk {
    /// The same for the same request, no matter who makes it.
    fn hash(&self) -> String {
        let work = match &self.work {
            HandWork::Flow { name, map } => json!({ "flow": name, "map": map }),
            HandWork::Map { to, map, fields, with } => {
                json!({ "to": [to.connection, to.action], "map": map, "fields": fields, "with": with })
            }
            HandWork::Input { to, input } => json!({ "to": [to.connection, to.action], "input": input }),
        };
        let asked = json!({ "record": self.record, "work": work, "reason": self.reason });
        hex::encode(ContentHash::of(asked.to_string().as_bytes()).0)
    }

    fn key(&self, tenant: &TenantId) -> [u8; 16] {
        match &self.idempotency_key {
            Some(key) => key_of(tenant, key),
            None => rand::random(),
        }
    }
}

impl FlowEngine {
    /// Every action of every destination of a tenant; endpoints have none that a person could do.
    #[must_use]
    pub fn actions(&self, tenant: &TenantId) -> Vec<ActionView> {
        let catalogue = self.catalogue(tenant);
        let view = |(name, place): (&ConnectionName, &crate::DestinationEntry)| {
            let view = |(action, info): (&String, &ActionInfo)| ActionView {
                connection: name.clone(),
                action: action.clone(),
                info: info.clone(),
            };
            place.actions.iter().map(view).collect::<Vec<_>>()
        };
        catalogue.entries().filter(|(_, place)| !place.destination.is_told_changes()).flat_map(view).collect()
    }

    /// The delivery that was made by hand with an idempotency key; none before, and none after it was pruned.
    ///
    /// # Errors
    /// [`FlowError::Store`].
    pub async fn made_by_hand(
        &self,
        tenant: &TenantId,
        idempotency_key: &str,
    ) -> Result<Option<DeliveryRow>, FlowError> {
        match self.store.made_by_hand(key_of(tenant, idempotency_key)).await? {
            Some(id) => Ok(self.store.delivery(tenant, id).await?),
            None => Ok(None),
        }
    }

    /// What an action by hand would send. Nothing is kept, nothing is sent.
    ///
    /// # Errors
    /// [`FlowError::NotFound`]; [`FlowError::Defects`] for what cannot be worked out; [`FlowError::Refused`].
    pub async fn plan_by_hand(&self, tenant: &TenantId, ask: &HandAsk) -> Result<HandPlan, FlowError> {
        Ok(self.planned(tenant, ask, true).await?.0)
    }

    /// Does an action by hand: makes its delivery. The same ask with the same idempotency key makes one.
    ///
    /// # Errors
    /// As [`FlowEngine::plan_by_hand`]; [`FlowError::Defects`] also for an input that the action does not take, and
    /// [`FlowError::Refused`] for one that would go round in circles.
    pub async fn act(&self, tenant: &TenantId, ask: &HandAsk) -> Result<Acted, FlowError> {
        let key = ask.key(tenant);
        if let Some(id) = self.store.made_by_hand(key).await? {
            return self.acted(tenant, ask, id, false).await;
        }
        for _ in 0..TRIES {
            let (plan, worked) = self.planned(tenant, ask, false).await?;
            if !plan.defects.is_empty() {
                return Err(FlowError::Defects(plan.defects.into_iter().map(InputDefect::told).collect()));
            }
            if let Some(why) = plan.refused {
                return Err(FlowError::Refused(why));
            }
            let kept = ByHand {
                by: ask.by.clone(),
                reason: ask.reason.clone(),
                asked: ask.hash(),
                definition: worked.definition.map(|definition| definition.source),
            };
            let made = HandMade {
                tenant: tenant.clone(),
                flow: worked.flow,
                delivery: NewDelivery { key, ..worked.delivery },
                by_hand: serde_json::to_string(&kept).map_err(|_| fault("what a person asked for cannot be kept"))?,
                now_ms: self.clock.now_ms(),
            };
            let to = (made.delivery.connection.to_string(), made.delivery.action.clone());
            match self.store.make_by_hand(made).await {
                Ok((id, is_new)) => {
                    if is_new {
                        metrics::counter!("renmen_actions_by_hand_total", "connection" => to.0, "action" => to.1)
                            .increment(1);
                        self.wake_couriers();
                    }
                    return self.acted(tenant, ask, id, is_new).await;
                }
                Err(StoreError::Fenced(why)) => tracing::debug!(why, "Computing a manual action again"),
                Err(error) => return Err(error.into()),
            }
        }
        Err(FlowError::Refused(text!(
            "the flow kept changing while its action was being made: try again",
            "生成动作期间流程不断变更：请重试"
        )))
    }

    async fn acted(&self, tenant: &TenantId, ask: &HandAsk, id: i64, is_new: bool) -> Result<Acted, FlowError> {
        let delivery = self.store.delivery(tenant, id).await?;
        let delivery = delivery.ok_or_else(|| FlowError::NotFound(format!("delivery {id}")))?;
        let same = ByHand::of(&delivery).is_some_and(|kept| kept.asked == ask.hash());
        if !is_new && !same {
            return Err(FlowError::Refused(text!(
                "this idempotency key was used before, for something else (delivery {id}): give each act a key of its own",
                "此幂等键已用于其他动作（投递 {id}）：每个动作请使用各自的键"
            )));
        }
        Ok(Acted { delivery, is_new })
    }

    /// What a delivery by hand is to send, once more: what is withheld changed before it was sent.
    pub(crate) async fn work_out_by_hand(&self, row: &DeliveryRow, by_hand: &ByHand) -> Result<Evaluation, FlowError> {
        let Some(definition) = by_hand.definition() else {
            let why = text!(
                "by_hand: what is withheld changed before this was sent, and its input was typed by a person, \
                       so it cannot be worked out again: do the action again",
                "by_hand：发送前不可发出的字段有变更，而输入由人填写，无法重新计算：请重新执行该动作"
            );
            return Ok(Evaluation::Fault(why));
        };
        let catalogue = self.catalogue(&row.tenant);
        let defects = definition.check(&catalogue);
        if !defects.is_empty() {
            return Err(FlowError::Defects(defects));
        }
        let entry = self.entry_of(row).await?;
        let bound = BoundFlow::new(&row.tenant, &catalogue, &definition);
        Ok(self.evaluate_by_hand(&bound, &entry, self.clock.now_ms()).await?)
    }
}

fn key_of(tenant: &TenantId, idempotency_key: &str) -> [u8; 16] {
    ContentHash::of(format!("by hand {tenant} {idempotency_key}").as_bytes()).0
}

/// What the delivery of an action by hand is made of, in addition to what is shown.
struct Worked {
    flow: Option<(i64, i64)>,
    definition: Option<Definition>,
    delivery: NewDelivery,
}

fn fault(why: &str) -> FlowError {
    FlowError::Store(StoreError::Fault(why.to_owned()))
}

/// A defect of the whole.
fn defect(key: &str, message: Text, help: Text) -> FlowError {
    FlowError::Defects(vec![Defect { key: key.to_owned(), at: None, message, help }])
}

/// What it does, and where, as `target` of a definition checks it.
fn action<'c>(catalogue: &'c Catalogue, to: &Target) -> Result<&'c ActionInfo, FlowError> {
    if catalogue.entry(&to.connection).is_some_and(|place| place.destination.is_told_changes()) {
        let name = &to.connection;
        return Err(FlowError::Refused(text!(
            "`{name}` is an endpoint, which receives changes as they happen: to send a change again, use `POST /v1/endpoints/{name}/replay`",
            "`{name}` 是端点，变更发生时自动接收：如需重发变更，请用 `POST /v1/endpoints/{name}/replay`"
        )));
    }
    let mut defects = Vec::new();
    match crate::definition::target(to, "to", catalogue, &mut defects) {
        Some(info) => Ok(info),
        None => Err(FlowError::Defects(defects)),
    }
}

/// A delivery that is yet to get its key.
fn delivery(change: &ChangeRow, to: &Target, lane: [u8; 16], input: &Value, times: (i64, Option<i64>)) -> NewDelivery {
    let input = input.to_string().into_bytes();
    NewDelivery {
        seq: change.seq,
        record: change.id,
        connection: to.connection.clone(),
        action: to.action.clone(),
        key: [0; 16],
        lane,
        not_before_ms: times.0,
        deadline_ms: times.1,
        state: DeliveryState::Pending,
        input_hash: ContentHash::of(&input).0,
        input,
        hops: 0,
        caused_by: None,
        error: None,
    }
}
