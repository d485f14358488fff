//! `[endpoints.NAME]` with `kind = "kafka"`: a cluster, and the topics that events go to.

use renmen_schema::{Text, text};

use crate::section::Section;

/// Brokers that are named: each tells of all others.
const BROKERS_MAX: usize = 20;
/// Characters of a topic's name, as brokers count.
const TOPIC_CHARS_MAX: usize = 249;
/// What a topic may differ by.
const PLACES: [&str; 3] = ["{tenant}", "{connection}", "{entity}"];

/// Topics of a Kafka cluster. The slot is `login`, which holds `user:password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// `brokers`: `host:port`, at least one.
    pub brokers: Vec<(String, u16)>,
    /// `topic`, in which `{tenant}`, `{connection}` and `{entity}` may stand.
    pub topic: String,
    /// `security`: `tls` by default; false for `plaintext`, which must be said.
    pub tls: bool,
    /// `sasl`: how the login is proved. Default `scram-sha-512`; of importance where there is a login.
    pub sasl: KafkaSasl,
    /// `mode`: `structured` by default.
    pub mode: KafkaMode,
}

/// How a login is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaSasl {
    /// The password as it is, over TLS.
    Plain,
    /// A proof of the password.
    ScramSha256,
    /// A proof of the password.
    ScramSha512,
}

/// The form of an event in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaMode {
    /// All of it as the value.
    Structured,
    /// Its data as the value, its attributes as headers.
    Binary,
}

impl Kafka {
    pub(crate) fn read(section: &mut Section<'_>, has_login: bool) -> Option<Self> {
        let brokers = section.require(
            "brokers",
            text!(
                "name the brokers: `brokers = [\"kafka-1.example.com:9093\"]`",
                "请写明 broker：`brokers = [\"kafka-1.example.com:9093\"]`"
            ),
        );
        let brokers = brokers.and_then(|node| {
            let items = node.list()?;
            if items.is_empty() || items.len() > BROKERS_MAX {
                node.problem(
                    text!("it does not name 1 to {BROKERS_MAX} brokers", "broker 的数量不在 1 到 {BROKERS_MAX} 之间"),
                    text!("a few are enough: each tells of all others", "写几个即可：每个都会告知其余的"),
                );
            }
            let help = || text!("write \"kafka-1.example.com:9093\"", "请写成 \"kafka-1.example.com:9093\"");
            Some(items.iter().filter_map(|item| item.parsed(check_broker, help())).collect::<Vec<_>>())
        });
        let topic = section.require(
            "topic",
            text!("name the topic: `topic = \"renmen.{{entity}}\"`", "请写明主题：`topic = \"renmen.{{entity}}\"`"),
        );
        let topic = topic.and_then(|node| {
            node.parsed(
                check_topic,
                text!(
                    "use letters, digits, `.`, `_` and `-`, and {{tenant}}, {{connection}} or {{entity}}",
                    "请使用字母、数字、`.`、`_`、`-`，以及 {{tenant}}、{{connection}} 或 {{entity}}"
                ),
            )
        });
        let tls = match section.get("security") {
            Some(node) => {
                node.parsed(check_security, text!("write \"tls\" or \"plaintext\"", "请写 \"tls\" 或 \"plaintext\""))
            }
            None => Some(true),
        };
        let sasl = section.get("sasl");
        if let Some(node) = sasl.as_ref().filter(|_| !has_login) {
            node.problem_at_key(
                text!("there is no login that it could prove", "没有可供证明的登录凭据"),
                text!(
                    "write `slots.login = {{ env = \"VARIABLE\" }}`",
                    "请写 `slots.login = {{ env = \"VARIABLE\" }}`"
                ),
            );
        }
        let sasl = match &sasl {
            Some(node) => node.parsed(
                check_sasl,
                text!(
                    "write \"plain\", \"scram-sha-256\" or \"scram-sha-512\"",
                    "请写 \"plain\"、\"scram-sha-256\" 或 \"scram-sha-512\""
                ),
            ),
            None => Some(KafkaSasl::ScramSha512),
        };
        if (sasl, tls) == (Some(KafkaSasl::Plain), Some(false)) {
            section.problem(
                text!("the password would go over the network in clear", "密码将以明文经过网络"),
                text!(
                    "write `sasl = \"scram-sha-512\"`, or take `security = \"plaintext\"` out",
                    "请写 `sasl = \"scram-sha-512\"`，或删除 `security = \"plaintext\"`"
                ),
            );
        }
        let mode = match section.get("mode") {
            Some(node) => node
                .parsed(check_mode, text!("write \"structured\" or \"binary\"", "请写 \"structured\" 或 \"binary\"")),
            None => Some(KafkaMode::Structured),
        };
        Some(Self { brokers: brokers?, topic: topic?, tls: tls?, sasl: sasl?, mode: mode? })
    }

    /// The cluster and its topics, as one address.
    pub(crate) fn url(&self) -> String {
        let (host, port) = self.brokers.first().map_or(("", 0), |(host, port)| (host.as_str(), *port));
        format!("kafka://{host}:{port}/{}", self.topic)
    }
}

/// `host:port`; an address of IPv6 stands in brackets.
fn check_broker(text: &str) -> Result<(String, u16), Text> {
    let bad = || text!("is not `host:port`", "不是 `主机:端口`");
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(bad)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = match bare.len() == host.len() {
        true => !bare.is_empty() && bare.chars().all(is_name),
        false => bare.parse::<std::net::Ipv6Addr>().is_ok(),
    };
    fits.then(|| (bare.to_owned(), port)).ok_or_else(bad)
}

fn check_topic(text: &str) -> Result<String, Text> {
    let plain = PLACES.iter().fold(text.to_owned(), |text, place| text.replace(place, "x"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = !plain.is_empty() && text.len() <= TOPIC_CHARS_MAX && plain.chars().all(is_name);
    (fits && plain != "." && plain != "..")
        .then(|| text.to_owned())
        .ok_or_else(|| text!("is not a name for a topic", "不是有效的主题名"))
}

fn check_security(text: &str) -> Result<bool, Text> {
    match text {
        "tls" => Ok(true),
        "plaintext" => Ok(false),
        _ => Err(text!("is not a security mode for a Kafka cluster", "不是 Kafka 集群的安全模式")),
    }
}

fn check_sasl(text: &str) -> Result<KafkaSasl, Text> {
    match text {
        "plain" => Ok(KafkaSasl::Plain),
        "scram-sha-256" => Ok(KafkaSasl::ScramSha256),
        "scram-sha-512" => Ok(KafkaSasl::ScramSha512),
        _ => Err(text!("is not a way to sign in", "不是登录方式")),
    }
}

fn check_mode(text: &str) -> Result<KafkaMode, Text> {
    match text {
        "structured" => Ok(KafkaMode::Structured),
        "binary" => Ok(KafkaMode::Binary),
        _ => Err(text!("is not a form of an event", "不是事件的形式")),
    }
}
