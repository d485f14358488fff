//! The whole file: loading it, and the sections it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renmen_schema::id::ConnectionName;
use renmen_schema::{Text, text};
use toml::de::DeTable;

use crate::flow::FLOWS_MAX;
use crate::section::{Context, Section};
use crate::{
    Cell, Channel, ConfigError, Connection, Elsewhere, Endpoint, Export, Flow, Gateway, Identity, Insight, Interview,
    Journal, Limits, Outbox, Plugins, Store, Templates, Vault,
};

/// Bytes of a `connectors.toml`. A thousand connections take about half of it.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Connections in one file. More tenants than this belong behind the API of several gateways.
pub const CONNECTIONS_MAX: usize = 1_000;

/// Channels, and as many endpoints, in one file.
pub const RECEIVERS_MAX: usize = 200;

/// The connection that stands for the gateway: what it writes itself comes through it.
const BUILT_IN: &str = "renmen";

/// A checked `connectors.toml`: every default filled in, every path absolute or relative to the working directory as the
/// file was, every variable replaced.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// Was it read with `--dev`?
    pub dev: bool,
    /// `[gateway]`.
    pub gateway: Gateway,
    /// `[store]`.
    pub store: Store,
    /// `[cells.NAME]`: further databases.
    pub cells: BTreeMap<ConnectionName, Cell>,
    /// Which of them this process works on; none: the database of `[store]`. See [`Config::enter`].
    pub cell: Option<ConnectionName>,
    /// The connections of the file that other cells have.
    pub elsewhere: BTreeMap<ConnectionName, Elsewhere>,
    /// `[vault]`, when there is one.
    pub vault: Option<Vault>,
    /// `[plugins]`: whose plugins may be loaded.
    pub plugins: Plugins,
    /// `[limits]`: what a connection has that says nothing of its own.
    pub limits: Limits,
    /// `[interview]`.
    pub interview: Interview,
    /// `[identity]`.
    pub identity: Identity,
    /// `[insight]`.
    pub insight: Insight,
    /// `[connections.NAME]`, also those with `enabled = false`.
    pub connections: BTreeMap<ConnectionName, Connection>,
    /// `[templates]`.
    pub templates: Templates,
    /// `[channels.NAME]`. Channels, endpoints and connections share their names: each is a place where a flow can send.
    pub channels: BTreeMap<ConnectionName, Channel>,
    /// `[endpoints.NAME]`.
    pub endpoints: BTreeMap<ConnectionName, Endpoint>,
    /// `[outbox]`.
    pub outbox: Outbox,
    /// `[flows.NAME]`, as they stand: see [`Flow`].
    pub flows: BTreeMap<String, Flow>,
    /// `[journals.NAME]`, also those with `enabled = false`.
    pub journals: BTreeMap<ConnectionName, Journal>,
    /// `[exports.NAME]`, also those with `enabled = false`.
    pub exports: BTreeMap<ConnectionName, Export>,
}

/// How to read a file.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// On a developer's machine: allows secrets in clear and plugins without a digest.
    pub dev: bool,
    /// Reads an environment variable for `${NAME}`; passed in so that a test needs no environment of its own.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

impl Config {
    /// Reads and checks a file of at most [`FILE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that was found, in the order of the file.
    pub fn load(path: &Path, options: LoadOptions<'_>) -> Result<Self, ConfigError> {
        let unreadable = |reason: Text| ConfigError::unreadable(path, &reason);
        let file = std::fs::File::open(path).map_err(|error| {
            let hint = if error.kind() == std::io::ErrorKind::NotFound {
                text!(": name the file with --config", "：请用 --config 指定文件")
            } else {
                Text::default()
            };
            unreadable(Text::rendered(|| format!("{error}{hint}")))
        })?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(file, FILE_BYTES_MAX + 1), &mut bytes)
            .map_err(|error| unreadable(Text::verbatim(error.to_string())))?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(unreadable(text!(
                "it has more than {FILE_BYTES_MAX} bytes: is it the right file?",
                "超过 {FILE_BYTES_MAX} 字节：是否选错了文件？"
            )));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            unreadable(text!(
                "it is not UTF-8 text (at byte {}): save it as UTF-8",
                "不是 UTF-8 文本（第 {} 字节处）：请存为 UTF-8",
                error.utf8_error().valid_up_to()
            ))
        })?;
        // A mark at the beginning, as some editors leave it, is not part of the text.
        Self::parse(text.strip_prefix('\u{feff}').unwrap_or(&text), path, options)
    }

    /// Checks a text as if it stood in the file `path`, which decides what relative paths mean. Reads no file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path, options: LoadOptions<'_>) -> Result<Self, ConfigError> {
        let dir = path.parent().unwrap_or(Path::new(""));
        let context = Context::new(text, dir, options);
        let (tree, syntax) = DeTable::parse_recoverable(text);
        for error in &syntax {
            context.syntax(error);
        }
        if !syntax.is_empty() {
            // What a repaired tree lacks would be reported as missing: only what stands there wrong is worth telling.
            return Err(context.into_error(path));
        }
        let config = read(&context, tree.get_ref(), path, options.dev);
        match config {
            Some(config) if context.is_clean() => Ok(config),
            _ => Err(context.into_error(path)),
        }
    }
}

fn read(context: &Context<'_>, tree: &DeTable<'_>, path: &Path, dev: bool) -> Option<Config> {
    let mut top = Section::top(context, tree);
    let gateway = Gateway::read(top.table("gateway"), context);
    let store = Store::read(top.table("store"), context, &gateway);
    let cells = Cell::read_all(top.table("cells"), context, &store);
    let vault = top.table("vault").map(Vault::read);
    let plugins = Plugins::read(top.table("plugins"));
    let limits = match top.table("limits") {
        Some(section) => Limits::read(section, &Limits::default()),
        None => Limits::default(),
    };
    let interview = Interview::read(top.table("interview"));
    let identity = Identity::read(top.table("identity"));
    let outbox = top.table("outbox").map(Outbox::read).unwrap_or_default();
    let text: Arc<str> = context.text().into();
    let insight = Insight::read(top.table("insight"), &text);
    let flows = read_flows(&mut top, &text, &gateway);
    let exports = Export::read_all(top.table("exports"), &gateway.tenant);
    let journals = Journal::read_all(top.table("journals"), &gateway.tenant, &text);
    let mut connections = BTreeMap::new();
    if let Some(section) = top.table("connections") {
        for (name, node) in section.named::<ConnectionName>() {
            if name.as_str() == BUILT_IN {
                node.problem_at_key(
                    text!("`renmen` is the gateway itself", "`renmen` 是网关自身"),
                    text!("give the connection another name", "请给该连接另取一个名称"),
                );
                continue;
            }
            if connections.len() == CONNECTIONS_MAX {
                node.problem(
                    text!("more than {CONNECTIONS_MAX} connections", "连接超过 {CONNECTIONS_MAX} 个"),
                    text!("give the others to a second gateway", "请把其余的放到另一个网关"),
                );
                break;
            }
            if let Some(connection) = Connection::read(&node, &gateway.tenant, &limits, &text) {
                connections.insert(name, connection);
            }
        }
    }
    let templates = top.table("templates").map(Templates::read).unwrap_or_default();
    let mut taken: BTreeSet<ConnectionName> = connections.keys().cloned().collect();
    let channels = receivers(top.table("channels"), &mut taken, |s| Channel::read(s, &gateway.tenant, &limits));
    let endpoints = receivers(top.table("endpoints"), &mut taken, |s| Endpoint::read(s, &gateway.tenant, &limits));
    top.finish();
    // An absent `[vault]` is fine, a wrong one is not.
    let vault = match vault {
        None => None,
        Some(read) => Some(read?),
    };
    Some(Config {
        path: path.to_owned(),
        dev,
        gateway,
        store,
        cells,
        cell: None,
        elsewhere: BTreeMap::new(),
        vault,
        plugins,
        limits,
        interview,
        identity,
        insight,
        connections,
        templates,
        channels,
        endpoints,
        outbox,
        flows,
        journals,
        exports,
    })
}

/// The tables of a section of receivers. A flow sends to a name: no two receivers may have the same.
fn receivers<'a, T>(
    section: Option<Section<'a>>,
    taken: &mut BTreeSet<ConnectionName>,
    read: impl Fn(Section<'a>) -> Option<T>,
) -> BTreeMap<ConnectionName, T> {
    let mut found = BTreeMap::new();
    for (name, node) in section.map(Section::named::<ConnectionName>).unwrap_or_default() {
        if found.len() == RECEIVERS_MAX {
            node.problem(
                text!("more than {RECEIVERS_MAX} of these", "此类配置超过 {RECEIVERS_MAX} 个"),
                text!("give the others to a second gateway", "请把其余的放到另一个网关"),
            );
            break;
        }
        if name.as_str() == BUILT_IN {
            node.problem_at_key(
                text!("`renmen` is the gateway itself", "`renmen` 是网关自身"),
                text!("give it another name", "请另取一个名称"),
            );
            continue;
        }
        if !taken.insert(name.clone()) {
            node.problem_at_key(
                text!(
                    "this name is taken by a connection, a channel or an endpoint",
                    "此名称已被某个连接、渠道或端点使用"
                ),
                text!("rename it", "请改名"),
            );
        }
        if let Some(receiver) = node.section().and_then(&read) {
            found.insert(name, receiver);
        }
    }
    found
}

fn read_flows(top: &mut Section<'_>, text: &Arc<str>, gateway: &Gateway) -> BTreeMap<String, Flow> {
    let mut flows = BTreeMap::new();
    let Some(section) = top.table("flows") else { return flows };
    // A flow is named as a connection is.
    for (name, node) in section.named::<ConnectionName>() {
        if flows.len() == FLOWS_MAX {
            node.problem(
                text!("more than {FLOWS_MAX} flows", "流程超过 {FLOWS_MAX} 个"),
                text!("give the others to a second gateway", "请把其余的放到另一个网关"),
            );
            break;
        }
        if let Some(flow) = Flow::read(&node, &gateway.tenant, text) {
            flows.insert(name.to_string(), flow);
        }
    }
    flows
}
