//! `[endpoints.NAME]`: who is told of changes, of which, and how much of each record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use renmen_schema::event::{CHANGE_KINDS, is_change_kind, is_field_pointer};
use renmen_schema::id::{SlotName, TenantId};
use renmen_schema::{Text, text};

use crate::channel::{read_slots, read_url};
use crate::grant::known_entity;
use crate::kafka::Kafka;
use crate::section::{Node, Section};
use crate::{Grant, Limits, Slot};

/// A receiver of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// `kind` and what belongs to it.
    pub kind: EndpointKind,
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// `enabled`. Default true.
    pub enabled: bool,
    /// `entities`: whose changes are told. At least one.
    pub entities: Vec<String>,
    /// `changes`: by default all of `created`, `updated`, `deleted`.
    pub changes: BTreeSet<String>,
    /// `fields.ENTITY`: what may leave of a record. An entity without a list tells that something changed, and nothing more.
    pub fields: BTreeMap<String, Vec<String>>,
    /// `grant`: of it, `plaintext` and `addresses` count here.
    pub grant: Grant,
    /// `slots`.
    pub slots: BTreeMap<SlotName, Slot>,
    /// `limits`, as of a channel.
    pub limits: Limits,
}

/// How events reach an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum EndpointKind {
    /// `kind = "webhook"`, the default. Its slots are `secret` and, while it still signs too, `previous_secret`.
    Webhook {
        /// `url`
        url: String,
        /// `previous_until`: until when the previous secret signs too.
        previous_until_ms: Option<i64>,
    },
    /// `kind = "kafka"`. Its slot is `login`.
    Kafka(Kafka),
}

impl Endpoint {
    pub(crate) fn read(mut section: Section<'_>, tenant: &TenantId, limits: &Limits) -> Option<Self> {
        let kind = match section.get("kind") {
            Some(node) => {
                node.parsed(check_kind, text!("write \"webhook\" or \"kafka\"", "请写 \"webhook\" 或 \"kafka\""))?
            }
            None => "webhook",
        };
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        let entities = section.require(
            "entities",
            text!(
                "name whose changes are told: `entities = [\"employee\"]`",
                "请写明通知哪些实体的变更：`entities = [\"employee\"]`"
            ),
        );
        let entities = entities.map(|node| read_entities(&node)).unwrap_or_default();
        let changes = match section.get("changes") {
            Some(node) => read_changes(&node),
            None => CHANGE_KINDS.map(str::to_owned).into(),
        };
        let fields = section.table("fields").map(|fields| read_fields(&fields, &entities)).unwrap_or_default();
        let slots = section.table("slots");
        let (kind, slots) = match kind {
            "kafka" => {
                let slots = slots.map(|slots| read_slots(slots, &["login"])).unwrap_or_default();
                (Kafka::read(&mut section, !slots.is_empty()).map(EndpointKind::Kafka), slots)
            }
            _ => {
                let slots = slots.map(|slots| read_slots(slots, &["secret", "previous_secret"])).unwrap_or_default();
                (read_webhook(&mut section, &slots), slots)
            }
        };
        let grant = section.table("grant").map(Grant::read_of_receiver).unwrap_or_default();
        let limits = match section.table("limits") {
            Some(own) => Limits::read(own, limits),
            None => limits.clone(),
        };
        section.finish();
        Some(Self { kind: kind?, tenant: tenant?, enabled, entities, changes, fields, grant, slots, limits })
    }

    /// Where its events go, as one address.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.kind {
            EndpointKind::Webhook { url, .. } => url.clone(),
            EndpointKind::Kafka(kafka) => kafka.url(),
        }
    }

    /// Until when its previous secret signs too, in milliseconds since the epoch.
    #[must_use]
    pub fn previous_until_ms(&self) -> Option<i64> {
        match &self.kind {
            EndpointKind::Webhook { previous_until_ms, .. } => *previous_until_ms,
            EndpointKind::Kafka(_) => None,
        }
    }
}

fn check_kind(text: &str) -> Result<&'static str, Text> {
    ["webhook", "kafka"]
        .into_iter()
        .find(|kind| *kind == text)
        .ok_or_else(|| text!("is not a kind of endpoint", "不是端点的种类"))
}

fn read_webhook(section: &mut Section<'_>, slots: &BTreeMap<SlotName, Slot>) -> Option<EndpointKind> {
    let url = section.require(
        "url",
        text!(
            "say where events go: `url = \"https://receiver.example.com/hooks\"`",
            "请写明事件发往哪里：`url = \"https://receiver.example.com/hooks\"`"
        ),
    );
    let url = url.and_then(|node| read_url(&node));
    let until = section.get("previous_until");
    let previous_until_ms = until.as_ref().and_then(|node| {
        let read = |text: &str| {
            text.parse::<Timestamp>().map_err(|_| text!("is not a time with a UTC offset", "不是带 UTC 偏移的时间"))
        };
        node.parsed(read, text!("write it as \"2026-12-01T00:00:00+08:00\"", "请写成 \"2026-12-01T00:00:00+08:00\""))
            .map(Timestamp::as_millisecond)
    });
    check_secrets(section, slots, until.is_some());
    Some(EndpointKind::Webhook { url: url?, previous_until_ms })
}

/// Receivers must be able to verify the sender, and a previous secret must have its end.
fn check_secrets(section: &Section<'_>, slots: &BTreeMap<SlotName, Slot>, has_end: bool) {
    let has = |name: &str| slots.keys().any(|slot| slot.as_str() == name);
    if !has("secret") {
        section.problem(
            text!(
                "the slot `secret` is empty, so receivers could not verify the sender",
                "凭据槽 `secret` 为空，接收方无法验证发送方"
            ),
            text!("write `slots.secret = {{ env = \"VARIABLE\" }}`", "请写 `slots.secret = {{ env = \"VARIABLE\" }}`"),
        );
    }
    if has("previous_secret") != has_end {
        section.problem(
            text!(
                "`slots.previous_secret` and `previous_until` belong together",
                "`slots.previous_secret` 与 `previous_until` 必须一起使用"
            ),
            text!(
                "write until when the previous secret signs too, or take both out",
                "请写明旧密钥同时签名到何时，或两者都删除"
            ),
        );
    }
}

fn read_entities(node: &Node<'_>) -> Vec<String> {
    let items = node.list().unwrap_or_default();
    if items.is_empty() {
        node.problem(
            text!("no entity is named", "没有写明实体"),
            text!("write `entities = [\"employee\"]`", "请写 `entities = [\"employee\"]`"),
        );
    }
    let name = |text: &str| known_entity(text).map(|kind| kind.name().to_owned());
    items
        .iter()
        .filter_map(|item| {
            item.parsed(name, text!("`renmen schema` lists the entities", "`renmen schema` 列出全部实体"))
        })
        .collect()
}

fn read_changes(node: &Node<'_>) -> BTreeSet<String> {
    let known = |text: &str| {
        is_change_kind(text).then(|| text.to_owned()).ok_or_else(|| text!("is not a kind of change", "不是变更的种类"))
    };
    let items = node.list().unwrap_or_default();
    if items.is_empty() {
        node.problem(
            text!("no change is named", "没有写明变更的种类"),
            text!("take the key out for all of them", "若要全部种类，请删除该配置项"),
        );
    }
    items
        .iter()
        .filter_map(|item| {
            item.parsed(
                known,
                text!("use some of created, updated, deleted", "请使用 created、updated、deleted 中的若干个"),
            )
        })
        .collect()
}

fn read_fields(section: &Section<'_>, entities: &[String]) -> BTreeMap<String, Vec<String>> {
    let pointer = |text: &str| {
        is_field_pointer(text)
            .then(|| text.to_owned())
            .ok_or_else(|| text!("is not a path into a record", "不是记录中的路径"))
    };
    let mut fields = BTreeMap::new();
    for (entity, node) in section.nodes() {
        if !entities.iter().any(|known| known == entity) {
            node.problem_at_key(
                text!("this entity is not among `entities`", "该实体不在 `entities` 中"),
                text!("add it there, or take it out here", "请在那里加上，或在此处删除"),
            );
            continue;
        }
        let items = node.list().unwrap_or_default();
        let paths = items
            .iter()
            .filter_map(|item| {
                item.parsed(
                    pointer,
                    text!("write a JSON Pointer, such as \"/name\"", "请写 JSON Pointer，例如 \"/name\""),
                )
            })
            .collect();
        fields.insert(entity.to_owned(), paths);
    }
    fields
}
