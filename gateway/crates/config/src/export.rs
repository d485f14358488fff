//! `[exports.NAME]`: snapshots of records as files for BI, by hand or at times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::{EntityKind, Sensitivity, Text, text};

use crate::channel::read_slots;
use crate::grant::known_entity;
use crate::limits::within_range;
use crate::section::{Node, Section};
use crate::{Grant, Schedule, Slot};

/// Exports in one file.
pub const EXPORTS_MAX: usize = 100;
/// Classes of fields that an export may ask for.
pub const EXPORT_CLASSES: [&str; 3] = ["PERSONAL", "SENSITIVE", "SPECIAL"];
/// Formats of files.
pub const EXPORT_FORMATS: [&str; 2] = ["parquet", "csv"];

/// An export.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// `enabled`
    pub enabled: bool,
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// `every`, `cron` with `zone`, or neither: by hand alone.
    pub schedule: Schedule,
    /// `entities`; none: all.
    pub entities: Vec<EntityKind>,
    /// `format`: one of [`EXPORT_FORMATS`].
    pub format: String,
    /// `classes`: of fields besides PUBLIC and INTERNAL.
    pub classes: BTreeSet<Sensitivity>,
    /// `to`
    pub to: ExportTo,
    /// `keep`: snapshots that stay.
    pub keep: u32,
    /// `group_rows`: rows that are held at a time.
    pub group_rows: u32,
    /// `group_bytes`: the same in bytes.
    pub group_bytes: u64,
    /// `file_bytes`: a larger file is followed by another.
    pub file_bytes: u64,
    /// `timeout`: of one request to a storage.
    pub timeout: Duration,
    /// `grant`: addresses that are otherwise refused.
    pub grant: Grant,
    /// `slots`: `key`.
    pub slots: BTreeMap<SlotName, Slot>,
}

/// Where an export goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportTo {
    /// A directory.
    Directory(PathBuf),
    /// A bucket of an S3-compatible storage.
    Bucket {
        /// `endpoint`: its address.
        endpoint: String,
        /// `region`
        region: String,
        /// Of `to = "s3://BUCKET/PREFIX"`.
        bucket: String,
        /// Stands before every name; may be empty.
        prefix: String,
    },
}

impl Export {
    pub(crate) fn read_all(section: Option<Section<'_>>, tenant: &TenantId) -> BTreeMap<ConnectionName, Self> {
        let mut exports = BTreeMap::new();
        for (name, node) in section.map(Section::named::<ConnectionName>).unwrap_or_default() {
            if exports.len() == EXPORTS_MAX {
                node.problem(
                    text!("more than {EXPORTS_MAX} exports", "导出超过 {EXPORTS_MAX} 个"),
                    text!("give the others to a second gateway", "请把其余的放到另一个网关"),
                );
                break;
            }
            if let Some(export) = node.section().and_then(|section| Self::read(section, tenant)) {
                exports.insert(name, export);
            }
        }
        exports
    }

    fn read(mut section: Section<'_>, tenant: &TenantId) -> Option<Self> {
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        // One that says no time is made by hand.
        let timed = ["every", "cron", "manual"].into_iter().any(|key| section.get(key).is_some());
        let schedule = match timed {
            true => Schedule::read(&mut section, true),
            false => by_hand(&mut section),
        };
        let entities = section.get("entities").map(|node| read_entities(&node)).unwrap_or_default();
        let format = match section.get("format") {
            None => Some("parquet".to_owned()),
            Some(node) => word(&node, &EXPORT_FORMATS),
        };
        let classes = section.get("classes").map(|node| read_classes(&node)).unwrap_or_default();
        let to = read_to(&mut section);
        let mut count = |key: &'static str, (least, most): (u32, u32), default: u32| {
            section.get(key).and_then(|node| within_range::count(&node, least, most)).unwrap_or(default)
        };
        let keep = count("keep", (1, 10_000), 7);
        let group_rows = count("group_rows", (100, 1_000_000), 10_000);
        let mut bytes = |key: &'static str, (least, most): (u64, u64), default: u64| {
            section.get(key).and_then(|node| within_range::bytes(&node, least, most)).unwrap_or(default)
        };
        let group_bytes = bytes("group_bytes", (64 << 10, 256 << 20), 16 << 20);
        let file_bytes = bytes("file_bytes", (64 << 10, 512 << 20), 64 << 20);
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3_600));
        let timeout = section.get("timeout").and_then(|node| within_range::duration(&node, second, hour));
        let grant = section.table("grant").map(Grant::read_of_receiver).unwrap_or_default();
        let slots = section.table("slots").map(|slots| read_slots(slots, &["key"])).unwrap_or_default();
        if matches!(to, Some(ExportTo::Bucket { .. })) && slots.is_empty() {
            section.problem(
                text!(
                    "the slot `key` is empty, so the storage would take nothing",
                    "凭据槽 `key` 为空，存储不会接受任何内容"
                ),
                text!("write `slots.key = {{ env = \"VARIABLE\" }}`", "请写 `slots.key = {{ env = \"VARIABLE\" }}`"),
            );
        }
        section.finish();
        Some(Self {
            enabled,
            tenant: tenant?,
            schedule: schedule?,
            entities,
            format: format?,
            classes,
            to: to?,
            keep,
            group_rows,
            group_bytes,
            file_bytes,
            timeout: timeout.unwrap_or(Duration::from_secs(300)),
            grant,
            slots,
        })
    }
}

/// Without a time; a zone alone says nothing.
fn by_hand(section: &mut Section<'_>) -> Option<Schedule> {
    if let Some(zone) = section.get("zone") {
        zone.problem_at_key(
            text!("`zone` belongs to `cron`, which is not here", "`zone` 只能与 `cron` 一起使用，而这里没有 `cron`"),
            text!("take it out, or write `cron`", "请删除，或写明 `cron`"),
        );
    }
    Some(Schedule::Manual)
}

fn read_to(section: &mut Section<'_>) -> Option<ExportTo> {
    let like = || text!("write a directory, or \"s3://BUCKET/PREFIX\"", "请写目录，或 \"s3://桶/前缀\"");
    let to = section.require("to", like());
    let endpoint = section.get("endpoint").and_then(|node| read_endpoint(&node));
    let region = section.get("region").and_then(|node| node.filled()).map(|text| text.value);
    let node = to?;
    let text = node.filled()?;
    let Some(rest) = text.value.strip_prefix("s3://") else {
        return node.path().map(ExportTo::Directory);
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    if !fits {
        node.problem(text!("this names no bucket", "没有写明桶"), like());
        return None;
    }
    let Some(endpoint) = endpoint else {
        section.problem(
            text!("the key `endpoint` is missing: the address of the storage", "缺少配置项 `endpoint`：存储的地址"),
            text!(
                "write `endpoint = \"https://storage.example.com\"`",
                "请写 `endpoint = \"https://storage.example.com\"`"
            ),
        );
        return None;
    };
    Some(ExportTo::Bucket {
        endpoint,
        region: region.unwrap_or_else(|| "us-east-1".to_owned()),
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}

fn read_endpoint(node: &Node<'_>) -> Option<String> {
    let read = |text: &str| {
        let url: Option<url::Url> = text.parse().ok();
        let fits = url.is_some_and(|url| {
            matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.host().is_some()
        });
        fits.then(|| text.to_owned()).ok_or_else(|| text!("is not an address", "不是地址"))
    };
    node.parsed(read, text!("write \"https://storage.example.com\"", "请写 \"https://storage.example.com\""))
}

fn read_entities(node: &Node<'_>) -> Vec<EntityKind> {
    let entity = |text: &str| {
        let kind = known_entity(text)?;
        match kind.is_for_audits_only() {
            true => Err(text!("is read by auditors alone, over the API", "只能由审计角色通过 API 读取")),
            false => Ok(kind),
        }
    };
    let help = || text!("`renmen schema` lists the entities", "`renmen schema` 列出全部实体");
    node.list().unwrap_or_default().iter().filter_map(|item| item.parsed(entity, help())).collect()
}

fn read_classes(node: &Node<'_>) -> BTreeSet<Sensitivity> {
    let items = node.list().unwrap_or_default();
    let class = |item: &Node<'_>| Sensitivity::from_code(&word(item, &EXPORT_CLASSES)?);
    items.iter().filter_map(class).collect()
}

fn word(node: &Node<'_>, known: &[&str]) -> Option<String> {
    let words = known.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let find = |text: &str| -> Result<String, Text> {
        let found = known.iter().find(|word| **word == text);
        found
            .map(|word| (*word).to_owned())
            .ok_or_else(|| text!("is not one of the words known here", "不在可用的词之中"))
    };
    node.parsed(find, text!("use one of {words}", "请使用其中之一：{words}"))
}
