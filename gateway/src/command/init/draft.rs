//! The text of a first connectors.toml. What the first connection needs is read out of its plugin's manifest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use renmen_config::{Config, LoadOptions};
use renmen_plugin_host::Inspection;
use renmen_schema::id::{ConnectionName, SlotName, StreamName};
use renmen_schema::manifest::Manifest;
use renmen_schema::shown::line;
use renmen_schema::{Text, text};
use serde_json::{Map, Value};

use super::Ask;
use super::question::Questions;
use crate::deployment::Asked;
use crate::exit::Usage;

/// How often a stream is pulled when no other interval is given.
const EVERY: &str = "1h";

/// The host that plugins ask for when they read files.
const DROP: &str = "drop:";

/// The file.
pub(super) struct Draft {
    pub(super) data_dir: String,
    pub(super) listen: String,
    /// None: SQLite in the data directory.
    pub(super) store: Option<String>,
    pub(super) connection: Option<Connection>,
}

/// The first connection.
pub(super) struct Connection {
    name: ConnectionName,
    plugin: PathBuf,
    digest: String,
    manifest: Manifest,
    config: Map<String, Value>,
    /// Each as `env = "VARIABLE"`.
    slots: BTreeMap<SlotName, String>,
    streams: Vec<(StreamName, String)>,
    drop: Option<String>,
    local: bool,
}

impl Draft {
    pub(super) fn text(&self) -> String {
        let mut text = String::from(
            "# Written by `renmen init`. docs/configuration.md and connectors.toml of the repository have every key.\n\n",
        );
        let _ = write!(
            text,
            "[gateway]\ndata_dir = {}\nlisten = {}\n",
            toml(&self.data_dir.as_str().into()),
            toml(&self.listen.as_str().into())
        );
        if let Some(store) = &self.store {
            let _ = write!(text, "\n[store]\nurl = {}\n", toml(&store.as_str().into()));
        }
        match &self.connection {
            Some(connection) => connection.write(&mut text),
            None => text.push_str(
                "\n# A connection for each outside system: `renmen plugin inspect FILE` shows what a plugin asks for.\n\
                 # [connections.people]\n# plugin = \"plugins/staff-api.wasm\"\n# digest = \"sha256:…\"\n# streams.users = { every = \"15m\" }\n",
            ),
        }
        text
    }
}

impl Connection {
    /// From the flags, the manifest, and the answers on the terminal.
    pub(super) fn ask(
        ask: &Ask,
        found: &Inspection,
        plugin: PathBuf,
        questions: &mut Questions<impl BufRead, impl Write>,
    ) -> anyhow::Result<Self> {
        let manifest = found.manifest.clone();
        let name =
            questions.answer(&text!("name of the connection", "连接的名称"), ask.name.clone(), &manifest.name)?;
        let name: ConnectionName = name.parse().map_err(|error| Usage(text!("--name: {error}", "--name：{error}")))?;
        let config = config(ask, &manifest, questions)?;
        let slots = slots(ask, &name, &manifest, questions)?;
        let streams = streams(ask, &manifest, questions)?;
        let reads_files = manifest.http.hosts.iter().any(|host| host == DROP);
        let drop = match reads_files {
            true => Some(questions.answer(
                &text!("drop directory", "投放目录"),
                ask.drop.as_ref().map(|dir| dir.display().to_string()),
                "inbox",
            )?),
            false => None,
        };
        Ok(Self {
            name,
            plugin,
            digest: found.digest.clone(),
            manifest,
            config,
            slots,
            streams,
            drop,
            local: ask.local,
        })
    }

    fn write(&self, text: &mut String) {
        let Self { name, manifest, .. } = self;
        let _ = write!(
            text,
            "\n# {}\n[connections.{name}]\nplugin = {}\ndigest = {}\n",
            line(&manifest.description),
            toml(&self.plugin.display().to_string().into()),
            toml(&self.digest.as_str().into()),
        );
        if !self.config.is_empty() {
            let _ = writeln!(text, "config = {}", toml(&Value::Object(self.config.clone())));
        }
        let _ = writeln!(text, "# What the plugin may reach and write. Anything else it requests is refused.");
        let _ = writeln!(text, "grant = {}", toml(&self.grant(&[], &[])));
        for (slot, source) in &self.slots {
            let _ = writeln!(text, "slots.{slot} = {{ {source} }}");
        }
        let _ = write!(text, "\n# Streams that are not named here are not pulled.\n[connections.{name}.streams]\n");
        for (stream, every) in &self.streams {
            let about =
                manifest.streams.get(stream).map(|stream| line(&stream.description).into_owned()).unwrap_or_default();
            let _ = writeln!(text, "{stream} = {{ every = {} }} # {about}", toml(&every.as_str().into()));
        }
    }

    fn grant(&self, hosts: &[String], methods: &[String]) -> Value {
        let mut grant = Map::new();
        if !hosts.is_empty() {
            grant.insert("hosts".into(), hosts.into());
            grant.insert("methods".into(), methods.into());
        }
        let mut entities: Vec<String> = Vec::new();
        let chosen = self.streams.iter().filter_map(|(stream, _)| self.manifest.streams.get(stream));
        for entity in chosen.flat_map(|stream| &stream.entities) {
            if !entities.contains(entity) {
                entities.push(entity.clone());
            }
        }
        grant.insert("entities".into(), entities.into());
        if let Some(drop) = &self.drop {
            grant.insert("drop".into(), drop.as_str().into());
        }
        if self.local {
            grant.insert("plaintext".into(), true.into());
            grant.insert("addresses".into(), vec!["127.0.0.0/8"].into());
        }
        Value::Object(grant)
    }

    /// The text with where the plugin may go and where each of its secrets may go, read out of the manifest and the rest of the text.
    pub(super) fn with_destinations(&self, text: &str, file: &Path) -> anyhow::Result<String> {
        let env = |_: &str| Some("set".to_owned());
        let config = Config::parse(text, file, LoadOptions { dev: false, env: &env })?;
        let connection =
            config.connections.get(&self.name).ok_or_else(|| Usage(text!("the connection is lost", "连接丢失")))?;
        let asked = Asked { connection, manifest: &self.manifest };
        let (before, after) = (toml(&self.grant(&[], &[])), toml(&self.grant(&asked.hosts(), &asked.methods())));
        let mut text = text.replacen(&format!("grant = {before}"), &format!("grant = {after}"), 1);
        for (slot, source) in &self.slots {
            let to = asked.destinations(slot);
            if !to.is_empty() {
                let written = format!("slots.{slot} = {{ {source}, to = {} }}", toml(&to.into()));
                text = text.replacen(&format!("slots.{slot} = {{ {source} }}"), &written, 1);
            }
        }
        Ok(text)
    }
}

/// The keys that the plugin cannot do without, and those that were said.
fn config(
    ask: &Ask,
    manifest: &Manifest,
    questions: &mut Questions<impl BufRead, impl Write>,
) -> anyhow::Result<Map<String, Value>> {
    let mut config = Map::new();
    for pair in &ask.set {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Usage(text!("--set {pair}: expected KEY=VALUE", "--set {pair}：应为 键=值")))?;
        config.insert(key.to_owned(), value_of(value));
    }
    let Some(schema) = &manifest.config_schema else { return Ok(config) };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for key in required {
        if config.contains_key(key) {
            continue;
        }
        let property = &schema["properties"][key];
        let about = property["description"].as_str().unwrap_or_default();
        let default = match &property["default"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let typed = questions.answer(&Text::verbatim(format!("config.{key} ({})", line(about))), None, &default)?;
        if typed.is_empty() {
            return Err(Usage(text!(
                "plugin `{}` needs `config.{key}` ({}): give it with --set {key}=VALUE",
                "插件 `{}` 需要 `config.{key}`（{}）：请用 --set {key}=值 给出",
                line(&manifest.name),
                line(about)
            ))
            .into());
        }
        config.insert(key.to_owned(), value_of(&typed));
    }
    Ok(config)
}

/// Numbers, booleans, lists and objects as in JSON; anything else is a text.
fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn slots(
    ask: &Ask,
    connection: &ConnectionName,
    manifest: &Manifest,
    questions: &mut Questions<impl BufRead, impl Write>,
) -> anyhow::Result<BTreeMap<SlotName, String>> {
    let mut said = BTreeMap::new();
    for text in &ask.slot {
        // The value may be the secret itself: it is not repeated.
        let wrong = || {
            Usage(text!(
                "--slot: expected SLOT=env:VARIABLE, SLOT=file:PATH or SLOT=vault:ENTRY, never the secret itself",
                "--slot：应为 凭据槽=env:变量、凭据槽=file:路径 或 凭据槽=vault:条目，绝不可写密钥本身"
            ))
        };
        let (name, source) = text.split_once('=').ok_or_else(wrong)?;
        let name = SlotName::new(name).map_err(|error| Usage(text!("--slot: {error}", "--slot：{error}")))?;
        if !manifest.slots.contains_key(&name) {
            let known = manifest.slots.keys().map(SlotName::as_str).collect::<Vec<_>>().join(", ");
            return Err(Usage(text!(
                "plugin `{}` has no slot `{name}`; it has: {known}",
                "插件 `{}` 没有凭据槽 `{name}`；可用的为：{known}",
                line(&manifest.name)
            ))
            .into());
        }
        said.insert(name, source_of(source).ok_or_else(wrong)?);
    }
    for (name, slot) in &manifest.slots {
        if said.contains_key(name) || slot.optional || slot.same_as.is_some() {
            continue;
        }
        let variable = format!("env:{}_{}", connection.as_str(), name.as_str()).replace('-', "_");
        let default = format!("env:{}", variable["env:".len()..].to_ascii_uppercase());
        let typed = questions.answer(
            &text!(
                "where the secret of slot {name} is ({})",
                "凭据槽 {name} 的密钥在哪里（{}）",
                line(&slot.description)
            ),
            None,
            &default,
        )?;
        let source = source_of(&typed);
        said.insert(
            name.clone(),
            source.ok_or_else(|| {
                Usage(text!("write env:VARIABLE, file:PATH or vault:ENTRY", "请写 env:变量、file:路径 或 vault:条目"))
            })?,
        );
    }
    Ok(said)
}

/// `env:VARIABLE` as the file writes it.
fn source_of(text: &str) -> Option<String> {
    let (kind, value) = text.split_once(':')?;
    let known = matches!(kind, "env" | "file" | "vault") && !value.is_empty();
    known.then(|| format!("{kind} = {}", toml(&value.into())))
}

fn streams(
    ask: &Ask,
    manifest: &Manifest,
    questions: &mut Questions<impl BufRead, impl Write>,
) -> anyhow::Result<Vec<(StreamName, String)>> {
    let known = || manifest.streams.keys().map(StreamName::as_str).collect::<Vec<_>>().join(", ");
    let mut chosen = Vec::new();
    for text in &ask.stream {
        let (name, every) = text.split_once('=').unwrap_or((text, EVERY));
        let name = manifest.streams.keys().find(|stream| stream.as_str() == name);
        let name = name.ok_or_else(|| {
            Usage(text!(
                "--stream {text}: plugin `{}` has {}",
                "--stream {text}：插件 `{}` 的数据流为 {}",
                line(&manifest.name),
                known()
            ))
        })?;
        renmen_config::duration(every)
            .map_err(|why| Usage(text!("--stream {text}: `{every}` {why}", "--stream {text}：`{every}` {why}")))?;
        chosen.push((name.clone(), every.to_owned()));
    }
    if !ask.stream.is_empty() {
        return Ok(chosen);
    }
    for (name, stream) in &manifest.streams {
        let question = text!("pull {name} ({}) every", "拉取 {name}（{}）的间隔", line(&stream.description));
        let every = questions.answer(&text!("{question}, or no", "{question}，或写 no"), None, EVERY)?;
        if every == "no" {
            continue;
        }
        renmen_config::duration(&every).map_err(|why| Usage(text!("`{every}` {why}", "`{every}` {why}")))?;
        chosen.push((name.clone(), every));
    }
    Ok(chosen)
}

/// A value of TOML on one line. JSON's strings are strings of TOML too.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let pair = |(key, value): (&String, &Value)| format!("{} = {}", key_of(key), toml(value));
            let pairs: Vec<String> = object.iter().filter(|(_, value)| !value.is_null()).map(pair).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        plain => renmen_schema::shown::json(&plain.to_string()).into_owned(),
    }
}

fn key_of(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { key.to_owned() } else { toml(&key.into()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{source_of, toml};

    #[test]
    fn values_are_written_as_toml_reads_them() {
        let value = json!({ "a": "x\"y", "b c": [1, true, { "d": 1.5 }], "none": null });
        assert_eq!(toml(&value), r#"{ a = "x\"y", "b c" = [1, true, { d = 1.5 }] }"#);
    }

    #[test]
    fn a_source_is_one_of_three_and_never_a_secret() {
        assert_eq!(source_of("env:APP").as_deref(), Some("env = \"APP\""));
        assert_eq!(source_of("vault:a/b").as_deref(), Some("vault = \"a/b\""));
        assert_eq!([source_of("hunter2"), source_of("plain:hunter2"), source_of("env:")], [None, None, None]);
    }
}
