//! What a connection is built from. Owns the shapes alone: who fills them (configuration, manifest, vault) is not known here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::{AuthRecipe, CallBudget, HttpWish, Rate, SealManifest};
use renmen_vault::Secret;

/// What the operator allows a connection.
#[derive(Debug, Clone)]
pub struct OperatorGrant {
    /// `None`: all that the manifest asks for. Otherwise origins or patterns; the grant is the intersection. Token
    /// endpoints must be among them too, because a slot's secret goes there.
    pub hosts: Option<Vec<String>>,
    /// `None`: all that the manifest asks for. Otherwise the grant is the intersection.
    pub methods: Option<Vec<String>>,
    /// Plain http is refused unless true.
    pub plaintext: bool,
    /// Address ranges that are otherwise refused (loopback, private): `127.0.0.0/8`.
    pub addresses: Vec<IpNet>,
    /// The drop directory.
    pub drop: Option<PathBuf>,
}

/// The limits of a connection, each with its key under `[limits]`.
#[derive(Debug, Clone)]
pub struct EgressLimits {
    /// For one attempt: from its start to the last byte of the answer. Also the longest wait for the connection's own rate.
    pub request_timeout: Duration,
    /// Bytes of one answer's body after decompression; also of one file of the drop directory.
    pub response_bytes_max: u64,
    /// Bytes of one request: method, URL, headers and body; also of what the gateway signs at once.
    pub request_bytes_max: u64,
    /// Attempts after the first one.
    pub retries_max: u32,
    /// The longest pause between two attempts. A vendor that asks for more gets no further attempt in this call.
    pub retry_wait_max: Duration,
    /// Requests of this connection that are under way at the same time; 0 counts as 1.
    pub parallel_max: u32,
    /// Requests in a period, token requests included; `None` means no limit.
    pub rate: Option<Rate>,
    /// Requests in a calendar month, over restarts; `None` means that they are not counted.
    pub budget: Option<CallBudget>,
    /// What may be written about the connection.
    pub logs: LogLimits,
}

/// How many lines of the log one connection may cause, no matter what its connector does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// Lines that the connector writes.
    pub lines_per_minute: u32,
    /// Lines that tell of a request which was refused or failed.
    pub refusals_per_minute: u32,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { lines_per_minute: 2_000, refusals_per_minute: 20 }
    }
}

/// One slot: its secret, where its credential may go, and how the credential is made.
#[derive(Debug, Clone)]
pub struct SlotSpec {
    /// `None`: the operator left it empty; requests that name the slot fail before anything is sent.
    pub secret: Option<Secret>,
    /// The origins that the operator lets the secret go to, and everything that is made from it. `None`: the operator
    /// does not say, which is possible only with `--dev` and in the author's kit.
    pub to: Option<Vec<String>>,
    /// What the manifest narrows that to. Origins as in its wish; empty means any granted host.
    pub audience: Vec<String>,
    /// `None`: it is not added to requests.
    pub auth: Option<AuthRecipe>,
    /// Members of a secret that is JSON which are identifiers and not secret: by name, or by JSON Pointer.
    pub public: Vec<String>,
    /// What its secret is a key for. `None`: for nothing.
    pub seal: Option<SealManifest>,
}

/// Everything that egress must know of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionSpec {
    /// The tenant that owns the data.
    pub tenant: TenantId,
    /// The connection's name.
    pub connection: ConnectionName,
    /// What the manifest asks for.
    pub wish: HttpWish,
    /// What the operator allows.
    pub grant: OperatorGrant,
    /// How much of it.
    pub limits: EgressLimits,
    /// The slots by name.
    pub slots: BTreeMap<SlotName, SlotSpec>,
    /// The connection's configuration, a JSON object: fills `{key}` in hosts and token URLs.
    pub config: serde_json::Value,
}
