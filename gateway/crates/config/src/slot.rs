//! `slots.NAME`: where the secret of a slot comes from and where it may go. The configuration describes the source; the vault
//! fetches it.

use std::fmt;
use std::path::PathBuf;

use renmen_schema::text;
use zeroize::Zeroizing;

use crate::grant::read_origins;
use crate::section::{Node, Section};

/// One slot as the operator fills it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// One of `env`, `file`, `vault`, `value`.
    pub source: SlotSource,
    /// `to`: the origins that the secret, and anything made from it, may go to, written as in `grant.hosts`. The
    /// manifest's audience can only narrow it. Absent: wherever the audience says.
    pub to: Option<Vec<String>>,
    /// `public`: the members of a secret that is JSON which are identifiers and not secret, by name (`"client_id"`) or by JSON
    /// Pointer (`"/app/id"`). Every other member is secret, regardless of its name. Default: none.
    pub public: Vec<String>,
}

impl Slot {
    /// A slot of a connection.
    pub(crate) fn read(slot: &Node<'_>) -> Option<Self> {
        Self::read_with(slot, |node| read_origins(&node), |node| read_public(&node))
    }

    /// A slot of a channel or an endpoint: its secret goes to the address that stands next to it.
    pub(crate) fn read_of_receiver(slot: &Node<'_>) -> Option<Self> {
        let to = |node: Node<'_>| {
            node.problem_at_key(
                text!("`to` is for the slots of connections", "`to` 只用于连接的凭据槽"),
                text!(
                    "take it out: this secret goes to the address of this section alone",
                    "请删除：此密钥只发往本节的地址"
                ),
            );
            None
        };
        Self::read_with(slot, to, |node| {
            node.problem_at_key(
                text!("`public` is for the slots of connections", "`public` 只用于连接的凭据槽"),
                text!("take it out: this secret is used as a whole", "请删除：此密钥整体使用"),
            );
            Vec::new()
        })
    }

    fn read_with(
        slot: &Node<'_>,
        read_to: impl FnOnce(Node<'_>) -> Option<Vec<String>>,
        read_public: impl FnOnce(Node<'_>) -> Vec<String>,
    ) -> Option<Self> {
        let mut section = SlotSource::table(slot)?;
        let to = section.get("to").and_then(read_to);
        let public = section.get("public").map(read_public).unwrap_or_default();
        let source = SlotSource::read(&mut section);
        section.finish();
        Some(Self { source: source?, to, public })
    }
}

fn read_public(node: &Node<'_>) -> Vec<String> {
    let items = node.list().unwrap_or_default();
    items.iter().filter_map(|item| item.filled().map(|text| text.value)).collect()
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotSource {
    /// `{ env = "STAFF_APP" }`
    Env(String),
    /// `{ file = "secrets/app.json" }`, relative to the file.
    File(PathBuf),
    /// `{ vault = "staff/app" }`
    Vault(String),
    /// `{ value = "…" }`: in clear, with `--dev` alone.
    Value(DevValue),
}

/// A secret that stood in clear in the file of a developer. Wiped when dropped, and not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DevValue(Zeroizing<String>);

impl DevValue {
    /// Gives the text away, to be made a secret of at once.
    #[must_use]
    pub fn into_text(mut self) -> String {
        std::mem::take(&mut *self.0)
    }
}

impl fmt::Debug for DevValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SlotSource {
    /// The password of the store.
    pub(crate) fn read_of_store(node: &Node<'_>) -> Option<Self> {
        let mut section = Self::table(node)?;
        let source = Self::read(&mut section);
        section.finish();
        source
    }

    /// The table of a slot, which a text is not.
    fn table<'a>(slot: &Node<'a>) -> Option<Section<'a>> {
        if slot.is_string() {
            // The likeliest mistake, and the one whose text must not be shown.
            slot.problem(
                text!(
                    "a slot says where its secret comes from, it does not hold it",
                    "凭据槽写明密钥的来源，而不存放密钥本身"
                ),
                text!(
                    "write `{{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}` or `{{ vault = \"NAME\" }}`",
                    "请写 `{{ env = \"NAME\" }}`、`{{ file = \"PATH\" }}` 或 `{{ vault = \"NAME\" }}`"
                ),
            );
            return None;
        }
        slot.section()
    }

    fn read(section: &mut Section<'_>) -> Option<Self> {
        let found: Vec<(&str, Node<'_>)> = ["env", "file", "vault", "value"]
            .into_iter()
            .filter_map(|kind| section.get(kind).map(|node| (kind, node)))
            .collect();
        match found.as_slice() {
            [] => {
                section.problem(
                    text!("this slot has no source", "该凭据槽没有来源"),
                    text!("write one of `env`, `file`, `vault`", "请写 `env`、`file`、`vault` 之一"),
                );
                None
            }
            [(kind, node)] => one(kind, node, section),
            [_, (_, second), ..] => {
                second.problem_at_key(
                    text!("a slot has one source, this is a second one", "一个凭据槽只有一个来源，这是第二个"),
                    text!("keep one of `env`, `file`, `vault`", "请只保留 `env`、`file`、`vault` 之一"),
                );
                None
            }
        }
    }
}

fn one(kind: &str, node: &Node<'_>, section: &Section<'_>) -> Option<SlotSource> {
    match kind {
        "env" => node.variable().map(SlotSource::Env),
        "file" => node.path().map(SlotSource::File),
        "vault" => node.filled().map(|text| SlotSource::Vault(text.value)),
        _ if !section.context().dev() => {
            node.problem_at_key(
                text!("a secret stands in clear in this file", "此文件中有明文密钥"),
                text!(
                    "put it into the environment, a file or the vault: `{{ env = \"NAME\" }}` (or start with --dev)",
                    "请把它放到环境变量、文件或保险库中：`{{ env = \"NAME\" }}`（或以 --dev 启动）"
                ),
            );
            None
        }
        _ => node.filled().map(|text| SlotSource::Value(DevValue(Zeroizing::new(text.value)))),
    }
}
