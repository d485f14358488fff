//! What the operator must have said of a connection before it runs outside of `--dev`: which hosts it may reach, by which
//! methods, and where each of its secrets may go. Its plugin only asks: the configuration is read before the plugin is known,
//! so this is where both meet, and what is missing is told with its place in the file and with what to write.

use std::collections::BTreeSet;

use renmen_config::{Connection, LateProblem, Slot, SlotSource};
use renmen_egress::Reach;
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{Manifest, SlotManifest};
use renmen_schema::shown::line;
use renmen_schema::{Text, text};
use url::Url;

/// Everything that the operator has not said yet.
pub(super) fn missing(connection: &Connection, manifest: &Manifest) -> Vec<LateProblem> {
    let mut problems = Vec::new();
    let hosts = hosts_asked(connection, manifest);
    if !hosts.is_empty() {
        let asks =
            text!("plugin `{}` asks for {}", "插件 `{}` 请求 {}", line(&manifest.name), told(&hosts, connection));
        let grant = if connection.says("grant") {
            text!("add to `grant`", "请在 `grant` 中加上")
        } else {
            text!("write", "请写")
        };
        if connection.grant.hosts.is_none() {
            problems.push(LateProblem {
                key: "grant.hosts".into(),
                at: None,
                message: text!(
                    "`grant.hosts` is missing: which hosts a connection may reach is yours to say, not its plugin's",
                    "缺少 `grant.hosts`：连接可以访问哪些主机由您决定，而非插件"
                ),
                help: text!(
                    "{asks}; {grant} those that you allow: `{}`",
                    "{asks}；{grant}您允许的：`{}`",
                    written(connection, "hosts", &hosts)
                ),
            });
        }
        if connection.grant.methods.is_none() {
            let methods = methods_asked(connection, manifest);
            let asks = text!("plugin `{}` asks for {}", "插件 `{}` 请求 {}", line(&manifest.name), methods.join(", "));
            problems.push(LateProblem {
                key: "grant.methods".into(),
                at: None,
                message: text!("`grant.methods` is missing: by which methods a connection may ask is yours to say, not its plugin's", "缺少 `grant.methods`：连接可以使用哪些方法由您决定，而非插件"),
                help: text!("{asks}; {grant} those that you allow: `{}`", "{asks}；{grant}您允许的：`{}`", written(connection, "methods", &methods)),
            });
        }
    }
    for (name, slot) in connection.slots.iter().filter(|(_, slot)| slot.to.is_none()) {
        let to = destinations(name, connection, manifest);
        if !to.is_empty() {
            problems.push(LateProblem {
                key: format!("slots.{name}"),
                at: None,
                message: text!(
                    "it is not said where the secret of slot `{name}` may go",
                    "没有写明凭据槽 `{name}` 的密钥可以发往哪里"
                ),
                help: text!(
                    "plugin `{}` sends it to {}; write where you let it go: `slots.{name} = {{ {}, to = {} }}`",
                    "插件 `{}` 将其发往 {}；请写明允许的去向：`slots.{name} = {{ {}, to = {} }}`",
                    line(&manifest.name),
                    told(&to, connection),
                    source(slot),
                    list(&to)
                ),
            });
        }
    }
    problems
}

/// What the operator said and nothing can come of: a secret that may go somewhere and is never sent, one that is sent and may go
/// nowhere.
pub(super) fn idle(connection: &Connection, manifest: &Manifest, reach: &Reach) -> Vec<LateProblem> {
    let problem = |name: &SlotName, message: Text, help: Text| LateProblem {
        key: format!("slots.{name}"),
        at: None,
        message,
        help,
    };
    let mut problems = Vec::new();
    for (name, slot) in &connection.slots {
        let sent = users(name, connection, manifest).any(|(_, wish)| wish.auth.is_some());
        if !sent && slot.to.as_ref().is_some_and(|to| !to.is_empty()) {
            let message = text!(
                "the secret of slot `{name}` is never sent, so there is nowhere that it may go to",
                "凭据槽 `{name}` 的密钥从不发送，因此不需要去向"
            );
            problems.push(problem(
                name,
                message,
                text!("take `to` out, or write `to = []`", "请删除 `to`，或写 `to = []`"),
            ));
        }
    }
    for (slot, _) in reach.slots.iter().filter(|(_, reached)| reached.filled && reached.to.is_empty()) {
        let Some(wish) = manifest.slots.get(slot) else { continue };
        let key = key_of(slot, wish, connection);
        let wanted = destinations(key, connection, manifest);
        let message = text!("the credential of slot `{slot}` may go nowhere", "凭据槽 `{slot}` 的凭据没有可发往的地方");
        let help = text!(
            "plugin `{}` sends it to {}; of these, `grant.hosts` and `to` of slot `{key}` must both allow one",
            "插件 `{}` 将其发往 {}；其中至少一个须同时被 `grant.hosts` 与凭据槽 `{key}` 的 `to` 允许",
            line(&manifest.name),
            told(&wanted, connection)
        );
        problems.push(problem(key, message, help));
    }
    problems
}

/// What a plugin asks for, of a connection as it is configured.
pub(crate) struct Asked<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) manifest: &'a Manifest,
}

impl Asked<'_> {
    /// Every host, as the manifest writes it.
    pub(crate) fn hosts(&self) -> Vec<String> {
        hosts_asked(self.connection, self.manifest)
    }

    /// By which methods.
    pub(crate) fn methods(&self) -> Vec<String> {
        methods_asked(self.connection, self.manifest)
    }

    /// Everywhere that it sends the secret of a slot.
    pub(crate) fn destinations(&self, slot: &SlotName) -> Vec<String> {
        destinations(slot, self.connection, self.manifest)
    }
}

/// Under which slot the operator gave the secret that this slot of the manifest uses.
fn key_of<'a>(name: &'a SlotName, wish: &'a SlotManifest, connection: &Connection) -> &'a SlotName {
    match &wish.same_as {
        Some(other) if !connection.slots.contains_key(name) => other,
        _ => name,
    }
}

/// The slots of the manifest that use the secret which the operator gave under this name.
fn users<'a>(
    key: &'a SlotName,
    connection: &'a Connection,
    manifest: &'a Manifest,
) -> impl Iterator<Item = (&'a SlotName, &'a SlotManifest)> {
    manifest.slots.iter().filter(move |(name, wish)| key_of(name, wish, connection) == key)
}

/// Everywhere that the manifest wants to send a secret of the operator's, as it writes it.
fn destinations(key: &SlotName, connection: &Connection, manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    for (name, wish) in users(key, connection, manifest) {
        let Some(auth) = &wish.auth else { continue };
        let audience = if wish.audience.is_empty() { &manifest.http.hosts } else { &wish.audience };
        found.extend(audience.iter().filter(|host| *host != "drop:").cloned());
        found.extend(auth.token_url().and_then(origin_text));
        if let Some(socket) = socket_of(connection, manifest).filter(|socket| socket.slot == *name) {
            found.extend(origin_text(&socket.open_url));
            found.extend(socket.hosts.iter().cloned());
        }
    }
    each_once(found, connection)
}

/// Every host that the manifest asks for, as it writes it; those of configuration keys that are not set are not asked for.
fn hosts_asked(connection: &Connection, manifest: &Manifest) -> Vec<String> {
    let mut found: Vec<String> = manifest.http.hosts.iter().filter(|host| *host != "drop:").cloned().collect();
    for (name, wish) in &manifest.slots {
        if connection.slots.contains_key(key_of(name, wish, connection)) {
            found.extend(wish.auth.as_ref().and_then(|auth| auth.token_url()).and_then(origin_text));
        }
    }
    if let Some(socket) = socket_of(connection, manifest) {
        found.extend(origin_text(&socket.open_url));
        found.extend(socket.hosts.iter().cloned());
    }
    each_once(found, connection)
}

fn methods_asked(connection: &Connection, manifest: &Manifest) -> Vec<String> {
    let mut methods = manifest.http.methods.clone();
    if methods.is_empty() {
        methods.push("GET".into());
    }
    if socket_of(connection, manifest).is_some() {
        methods.extend(["GET".into(), "POST".into()]);
    }
    let mut seen = BTreeSet::new();
    methods.retain(|method| seen.insert(method.clone()));
    methods
}

fn socket_of<'a>(
    connection: &Connection,
    manifest: &'a Manifest,
) -> Option<&'a renmen_schema::manifest::EventSocketManifest> {
    manifest.webhook.as_ref()?.socket.as_ref().filter(|_| connection.event_socket)
}

/// `{api_url}/token` is at `{api_url}`, `https://a.example/token` at `https://a.example`.
fn origin_text(url: &str) -> Option<String> {
    if url.starts_with('{') {
        return url.find('}').map(|end| url[..=end].to_owned());
    }
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

fn each_once(texts: Vec<String>, connection: &Connection) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let set = |text: &String| key_in(text).is_none_or(|key| connection.config.get(key).is_some_and(|v| !v.is_null()));
    texts.into_iter().filter(set).filter(|text| seen.insert(text.clone())).collect()
}

fn key_in(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}

/// For people: `{api_url}` with what it is here.
fn told(hosts: &[String], connection: &Connection) -> String {
    let one = |host: &String| match key_in(host).and_then(|key| connection.config.get(key)?.as_str()) {
        Some(value) => format!("{} (here {})", line(host), line(&origin_text(value).unwrap_or_default())),
        None => line(host).into_owned(),
    };
    hosts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// For the file: `grant = { hosts = […] }`, or the key alone where there is a `grant` already.
fn written(connection: &Connection, key: &str, values: &[String]) -> String {
    let pair = format!("{key} = {}", list(values));
    if connection.says("grant") { pair } else { format!("grant.{pair}") }
}

/// A list of TOML. JSON's strings are strings of TOML too.
fn list(values: &[String]) -> String {
    let one = |value: &String| renmen_schema::shown::json(&serde_json::json!(value).to_string()).into_owned();
    format!("[{}]", values.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn source(slot: &Slot) -> String {
    match &slot.source {
        SlotSource::Env(name) => format!("env = \"{name}\""),
        SlotSource::File(path) => format!("file = {}", serde_json::json!(path.display().to_string())),
        SlotSource::Vault(name) => format!("vault = {}", serde_json::json!(name)),
        SlotSource::Value(_) => "value = \"…\"".to_owned(),
    }
}

#[cfg(test)]
mod tests;
