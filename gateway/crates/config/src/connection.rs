//! `[connections.NAME]`: a plugin configured for one outside system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renmen_schema::id::{SlotName, StreamName, TenantId};
use renmen_schema::text;

use crate::error::ConfigError;
use crate::field::read_field;
use crate::places::{LateProblem, Places};
use crate::section::{Node, Section};
use crate::{Grant, Limits, Payslips, Schedule, Slot};

/// Ends of keys under `config` that name a secret. A plugin sees its configuration; it must never see a secret.
const SECRET_KEYS: [&str; 7] = ["secret", "password", "passwd", "token", "api_key", "apikey", "private_key"];

/// One connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// `plugin`: the component, relative to the file.
    pub plugin: PathBuf,
    /// `digest`: `sha256:` and 64 hex digits in lower case. May be absent only with `--dev`, or while the connection is off.
    pub digest: Option<String>,
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// `enabled`: false keeps it in the file and out of the gateway. Default true.
    pub enabled: bool,
    /// `config`: a JSON object for the plugin, checked against the manifest's schema when the plugin is loaded.
    pub config: serde_json::Value,
    /// `grant`.
    pub grant: Grant,
    /// `slots`.
    pub slots: BTreeMap<SlotName, Slot>,
    /// `streams`: what is pulled and when. A stream of the plugin that is not named here is pulled only when it is
    /// requested by its name.
    pub streams: BTreeMap<StreamName, Stream>,
    /// `event_socket`: open a connection on which the vendor sends its events, where the plugin's manifest names one. Default
    /// false.
    pub event_socket: bool,
    /// `limits`, over those of the file, over the defaults.
    pub limits: Limits,
    /// `payslips`: how far a payslip may be from adding up.
    pub payslips: Payslips,
    /// `scoring`: it scores people, so nothing that could mark a protected group is ever sent to it. Default false.
    pub scoring: bool,
    /// `withhold`: fields that no flow ever sends to it, as JSON Pointers with `*` for any item.
    pub withhold: Vec<String>,
    places: Places,
}

/// One stream of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// When it is pulled.
    pub schedule: Schedule,
    /// `enabled`: false: not even by hand, and no time is needed. Default true.
    pub enabled: bool,
}

impl Connection {
    pub(crate) fn read(node: &Node<'_>, tenant: &TenantId, limits: &Limits, text: &Arc<str>) -> Option<Self> {
        let mut section = node.section()?;
        let plugin = section.require(
            "plugin",
            text!(
                "name the component: `plugin = \"plugins/staff.wasm\"`",
                "请写明插件文件：`plugin = \"plugins/staff.wasm\"`"
            ),
        );
        let plugin = plugin.and_then(|node| read_plugin(&node));
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        let digest = read_digest(&mut section, enabled);
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        let event_socket = section.get("event_socket").and_then(|node| node.flag()).unwrap_or(false);
        let config = match section.get("config") {
            Some(node) => read_config(&node),
            None => Some(serde_json::json!({})),
        };
        let scoring = section.get("scoring").and_then(|node| node.flag()).unwrap_or(false);
        let withhold = section.get("withhold").map(|node| read_withhold(&node)).unwrap_or_default();
        let grant = section.table("grant").map(Grant::read).unwrap_or_default();
        let mut slots = BTreeMap::new();
        for (name, node) in section.table("slots").map(Section::named::<SlotName>).unwrap_or_default() {
            if let Some(slot) = Slot::read(&node) {
                slots.insert(name, slot);
            }
        }
        let mut streams = BTreeMap::new();
        for (name, node) in section.table("streams").map(Section::named::<StreamName>).unwrap_or_default() {
            if let Some(stream) = node.section().and_then(Stream::read) {
                streams.insert(name, stream);
            }
        }
        let payslips = section.table("payslips").map_or_else(|| Some(Payslips::default()), Payslips::read);
        let limits = match section.table("limits") {
            Some(own) => Limits::read(own, limits),
            None => limits.clone(),
        };
        section.finish();
        Some(Self {
            plugin: plugin?,
            digest: digest?,
            tenant: tenant?,
            enabled,
            config: config?,
            grant,
            slots,
            streams,
            event_socket,
            limits,
            payslips: payslips?,
            scoring,
            withhold,
            places: Places::of(node, text),
        })
    }

    /// The error of a connection that does not fit its plugin, with the place of each problem in the file.
    #[must_use]
    pub fn refuse(&self, path: &Path, problems: &[LateProblem]) -> ConfigError {
        self.places.refuse(path, problems, |_| None)
    }

    /// Does the other one say the same, wherever in its file it stands?
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        *self == Self { places: self.places.clone(), ..other.clone() }
    }

    /// Does the file say something under this key of the connection: `grant`?
    #[must_use]
    pub fn says(&self, key: &str) -> bool {
        self.places.has(key)
    }
}

impl Stream {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        let schedule = Schedule::read(&mut section, enabled);
        section.finish();
        Some(Self { schedule: schedule?, enabled })
    }
}

fn read_plugin(node: &Node<'_>) -> Option<PathBuf> {
    let path = node.path()?;
    if path.extension().is_none_or(|extension| extension != "wasm") {
        node.problem(
            text!("a plugin is a file that ends in .wasm", "插件是以 .wasm 结尾的文件"),
            text!(
                "build one with `cargo xtask plugins` or `renmen plugin build`",
                "请用 `cargo xtask plugins` 或 `renmen plugin build` 构建"
            ),
        );
        return None;
    }
    Some(path)
}

fn read_withhold(node: &Node<'_>) -> Vec<String> {
    node.list().unwrap_or_default().iter().filter_map(read_field).collect()
}

/// `Some(None)`: there is none and there need not be one.
fn read_digest(section: &mut Section<'_>, enabled: bool) -> Option<Option<String>> {
    let print = text!("print it with `renmen plugin inspect FILE`", "请用 `renmen plugin inspect FILE` 查看");
    let Some(node) = section.get("digest") else {
        // The file of a connection that is off is never loaded.
        if section.context().dev() || !enabled {
            return Some(None);
        }
        section.problem(
            text!(
                "the key `digest` is missing, so any file in the plugin's place would be run",
                "缺少配置项 `digest`，插件位置上的任何文件都会被运行"
            ),
            text!(
                "{print} and write `digest = \"sha256:…\"` (or start with --dev)",
                "{print}，并写 `digest = \"sha256:…\"`（或以 --dev 启动）"
            ),
        );
        return None;
    };
    let well_formed = |text: &str| {
        let hex = text.strip_prefix("sha256:").unwrap_or("");
        let fits = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| text.to_owned()).ok_or_else(|| {
            text!("is not `sha256:` with 64 hex digits in lower case", "不是 `sha256:` 加 64 位小写十六进制数字")
        })
    };
    node.parsed(well_formed, print).map(Some)
}

fn read_config(node: &Node<'_>) -> Option<serde_json::Value> {
    refuse_secrets(&node.section()?);
    node.json()
}

/// At every depth: a secret in a nested table is as visible to the plugin as one at the top.
fn refuse_secrets(section: &Section<'_>) {
    for (key, node) in section.nodes() {
        let lower = key.to_ascii_lowercase();
        if node.is_string() && SECRET_KEYS.iter().any(|end| lower.ends_with(end)) {
            node.problem_at_key(
                text!(
                    "`{key}` looks like a secret, and a plugin can read its config",
                    "`{key}` 像是密钥，而插件能读取其配置"
                ),
                text!(
                    "give the secret to a slot: `slots.NAME = {{ env = \"VARIABLE\" }}`",
                    "请把密钥放到凭据槽：`slots.NAME = {{ env = \"VARIABLE\" }}`"
                ),
            );
        }
        if let Some(table) = node.as_table() {
            refuse_secrets(&table);
        }
    }
}
