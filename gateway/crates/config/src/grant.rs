//! `grant`: what the operator allows a connection. What it may do is this AND what its manifest asks for.

use std::path::PathBuf;

use ipnet::IpNet;
use renmen_schema::{EntityKind, Text, text};

use crate::section::{Node, Section};
use crate::suggest;

/// Methods that a grant may name.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// How a host is written.
fn host_help() -> Text {
    text!(
        "write an origin, such as \"https://api.example.com\", \"https://*.example.com\" or \"{{base_url}}\"",
        "请写源地址，例如 \"https://api.example.com\"、\"https://*.example.com\" 或 \"{{base_url}}\""
    )
}

/// What a connection is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// `hosts`: origins (`https://api.example.com`, `https://*.example.com`, `{base_url}` for the origin of that key of the
    /// connection's `config`). Absent: everything that the manifest asks for.
    pub hosts: Option<Vec<String>>,
    /// `methods`, upper case. Absent: everything that the manifest asks for.
    pub methods: Option<Vec<String>>,
    /// `plaintext`: is http without TLS allowed? Default false.
    pub plaintext: bool,
    /// `addresses`: ranges that are otherwise refused (loopback, private): `"10.0.0.0/8"`, or one address.
    pub addresses: Vec<IpNet>,
    /// `drop`: the directory where files for this connection are put, relative to the file.
    pub drop: Option<PathBuf>,
    /// `entities`: what this connection may write, of what its manifest carries. Absent: all of it, which only `--dev` takes.
    pub entities: Option<Vec<EntityKind>>,
}

impl Grant {
    /// The grant of a channel or an endpoint. What would not count there is refused rather than passed over.
    pub(crate) fn read_of_receiver(section: Section<'_>) -> Self {
        for (key, node) in section.nodes() {
            if ["hosts", "methods", "drop", "entities"].contains(&key) {
                node.problem_at_key(
                    text!(
                        "`{key}` does not count here: the address of this section says where it goes",
                        "`{key}` 在此处不起作用：去向由本节的地址决定"
                    ),
                    text!("take it out, and use plaintext or addresses", "请删除，并使用 plaintext 或 addresses"),
                );
            }
        }
        Self::read(section)
    }

    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let hosts = section.get("hosts").and_then(|node| each(&node, read_host));
        let methods = section.get("methods").and_then(|node| each(&node, read_method));
        let plaintext = section.get("plaintext").and_then(|node| node.flag()).unwrap_or(false);
        let addresses = section.get("addresses").and_then(|node| each(&node, read_addresses)).unwrap_or_default();
        let drop = section.get("drop").and_then(|node| node.path());
        let entities = section.get("entities").and_then(|node| each(&node, read_entity));
        section.finish();
        Self { hosts, methods, plaintext, addresses, drop, entities }
    }
}

fn each<T>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<Vec<T>> {
    Some(node.list()?.iter().filter_map(read).collect())
}

/// Origins as in `hosts`, without the drop directory.
pub(crate) fn read_origins(node: &Node<'_>) -> Option<Vec<String>> {
    each(node, |item| {
        let origin = |text: &str| match text {
            "drop:" => Err(text!(
                "is not an origin: a file of the drop directory needs no secret",
                "不是源地址：投放目录中的文件不需要密钥"
            )),
            _ => check_host(text),
        };
        item.parsed(origin, host_help())
    })
}

fn read_host(node: &Node<'_>) -> Option<String> {
    node.parsed(check_host, host_help())
}

fn check_host(text: &str) -> Result<String, Text> {
    renmen_origin::check(text).map(|()| text.trim_end_matches('/').to_owned())
}

fn read_method(node: &Node<'_>) -> Option<String> {
    let known = |text: &str| {
        let upper = text.to_ascii_uppercase();
        METHODS
            .contains(&upper.as_str())
            .then_some(upper)
            .ok_or_else(|| text!("is not an HTTP method", "不是 HTTP 方法"))
    };
    node.parsed(known, text!("use some of {}", "请使用其中的：{}", METHODS.join(", ")))
}

fn read_addresses(node: &Node<'_>) -> Option<IpNet> {
    let range = |text: &str| {
        let one = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| one()).map_err(|_| text!("is not an address range", "不是地址段"))
    };
    node.parsed(
        range,
        text!("write a range, such as \"10.0.0.0/8\", or one address", "请写地址段，例如 \"10.0.0.0/8\"，或单个地址"),
    )
}

fn read_entity(node: &Node<'_>) -> Option<EntityKind> {
    let kind =
        node.parsed(known_entity, text!("`renmen schema` lists the entities", "`renmen schema` 列出全部实体"))?;
    if kind.is_gateway_only() {
        node.problem(
            text!("`{}` is written by the gateway alone", "`{}` 只由网关写入", kind.name()),
            text!("take it out: no connection can be given it", "请删除：不能授予任何连接"),
        );
        return None;
    }
    Some(kind)
}

/// The entity of a name, or the one that was most likely meant.
pub(crate) fn known_entity(text: &str) -> Result<EntityKind, Text> {
    EntityKind::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = EntityKind::ALL.iter().map(|kind| kind.name()).collect();
        match suggest::nearest(text, &known) {
            Some(word) => text!("is not an entity; did you mean `{word}`?", "不是实体；是否想写 `{word}`？"),
            None => text!("is not an entity", "不是实体"),
        }
    })
}
