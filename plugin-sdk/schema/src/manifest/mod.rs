//! `plugin.toml`: everything about a connector that is known without running it. It travels inside the component as the
//! custom section [`SECTION`], so that listing a plugin, checking its grants and showing its lineage run no guest code.
//!
//! What it asks for is a wish: what a connection may do is the wish AND what the operator allows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{SlotName, StreamName};

mod auth;
mod budget;
mod check;
mod expression;
mod proof;
mod rate;
mod seal;
mod seal_check;
mod socket;
mod write;
pub use auth::{AuthRecipe, ClientAuth, JwtAlgorithm, Placement, SignedParameter, StaleToken, TokenBody};
pub use budget::{BudgetPeriod, CallBudget};
pub use check::{MANIFEST_BYTES_MAX, ManifestError, ManifestFault};
pub use expression::{Expression, ExpressionPiece, Expressions, ValueDigest, ValueFunction};
pub use proof::{AnswerManifest, OpenManifest, Place, ProofManifest, QuestionManifest, SignedPart, TokenManifest};
pub use rate::{Rate, RetryHeader, RetryHeaderUnit};
pub use seal::{KeyForm, SealKind, SealManifest, SealScheme, SealUse};
pub use socket::{
    EventSocketManifest, SocketAnswersManifest, SocketControlManifest, SocketEventManifest, SocketOpenManifest,
    fill_placeholders, placeholders,
};
pub use write::{ActionManifest, Idempotence, WebhookManifest};

/// The name of the custom section that carries the manifest's TOML text in a component.
pub const SECTION: &str = "renmen:manifest";

/// The whole of a `plugin.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `staff-api`: also the crate's folder. 1 to 63 of `a-z`, `0-9`, `-`, `_`.
    pub name: String,
    /// Semantic version of the connector.
    pub version: String,
    /// One line for people.
    pub description: String,
    /// The contract release it was built for: `0.2.0`.
    pub contract: String,
    /// Contact for questions about the connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What it can pull.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<StreamName, StreamManifest>,
    /// What it can push, by name: `message.send`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, ActionManifest>,
    /// What it takes of the vendor's own accord; none takes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookManifest>,
    /// Where it wants to go.
    #[serde(default)]
    pub http: HttpWish,
    /// The secrets that it uses by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slots: BTreeMap<SlotName, SlotManifest>,
    /// JSON Schema of the connection's `config`, as a TOML table; none takes no configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<serde_json::Value>,
    /// The vendor's rate, when the vendor publishes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many calls the vendor answers in a month, when it limits them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<CallBudget>,
    /// Field lineage: entity, then canonical pointer, then the vendor field it comes from and how.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lineage: BTreeMap<String, BTreeMap<String, LineageRule>>,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamManifest {
    /// One line for people.
    pub description: String,
    /// The canonical entities that its pages carry. Not `decision`, `decision_rule`, `notification`, `insight` and `bias_audit`: the
    /// gateway alone writes those.
    pub entities: Vec<String>,
    /// How a run begins.
    #[serde(default)]
    pub mode: StreamMode,
    /// How the vendor tells of what is gone.
    #[serde(default)]
    pub deletes: Deletes,
}

/// Where a run of a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// At the cursor that the last run left.
    #[default]
    Incremental,
    /// At the beginning: the vendor cannot say what changed. A run that was cut goes on from its last page all the same.
    Full,
}

/// How the vendor tells of what is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// It does not.
    #[default]
    None,
    /// Envelopes with `deleted`.
    Explicit,
    /// What a run that listed everything did not list is gone.
    Diff,
}

/// The hosts that a connector wants to reach.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpWish {
    /// Origins: `https://api.example.com`, `https://*.example.com`, or `{base_url}` for the origin of that key of the
    /// connection's configuration; `drop:` for the connection's drop directory.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Methods; empty means `GET` alone.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Headers of this API's answers that say when to ask again, besides `Retry-After`, which the gateway knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_headers: Vec<RetryHeader>,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotManifest {
    /// What to put in, for people.
    pub description: String,
    /// Uses the secret of this other slot, so that the operator gives it once (one app, two API generations).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<SlotName>,
    /// May the connection leave it empty?
    #[serde(default)]
    pub optional: bool,
    /// The origins that its credential may go to, as in [`HttpWish::hosts`]; empty means any granted host.
    #[serde(default)]
    pub audience: Vec<String>,
    /// How the credential is made and where it goes. None: it goes onto no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthRecipe>,
    /// What the secret is a key for. None: for nothing. Never together with `auth`; through `same_as` with a
    /// slot that has `auth` only to check HMACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<SealManifest>,
}

/// Where a canonical field comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum LineageRule {
    /// A pointer relative to the record in the exchange: `/mobile`.
    From(String),
    /// A pointer and what was done to the value.
    Transformed {
        /// Relative pointer, or several separated by a blank.
        from: String,
        /// One line: `thousands of yuan to yuan`.
        transform: String,
    },
}
