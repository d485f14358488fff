//! How the gateway proves and opens a vendor's delivery, and how it builds an answer that the vendor wants sealed. Data alone:
//! the connector sees what was opened, never a key, a digest or a cipher text of its own making.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::SlotName;

/// How the gateway proves a delivery before the connector sees it. A delivery that is not proved is answered with 401, and the
/// connector never hears of it. What comes over a connection that the gateway itself opened needs no proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofManifest {
    /// The slot whose secret proves it; sealed with `use = "host"`.
    pub slot: SlotName,
    /// Where the signature stands, in hexadecimal digits.
    pub signature: Place,
    /// What is signed, in the vendor's order. With `sha1-sorted` the order does not count, and it is one time, one nonce and the
    /// cipher text.
    pub signed: Vec<SignedPart>,
    /// How the body is opened once it is proved; none: it came in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenManifest>,
}

/// Where a text stands in a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Place {
    /// In the query.
    Query {
        /// Names; the first that is there counts.
        query: Vec<String>,
    },
    /// In a header.
    Header {
        /// Its name, compared without case.
        header: String,
    },
}

/// One piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum SignedPart {
    /// The slot's secret itself: needed once with `sha1` and `sha256`, refused with the others.
    Key {},
    /// The vendor's time in milliseconds: 13 digits. It must lie within `webhook_window` of ours.
    TimeMs {
        /// Where the part is in the delivery.
        at: Place,
    },
    /// The vendor's time in seconds: 10 digits. It must lie within `webhook_window` of ours.
    TimeS {
        /// Where the part is in the delivery.
        at: Place,
    },
    /// A text that the vendor chose at random: 1 to 36 letters, digits, `-`, `_` and `.` where the cipher text is a piece of its
    /// own, otherwise 1 to 64 visible characters.
    Nonce {
        /// Where the part is in the delivery.
        at: Place,
    },
    /// The cipher text as it stands in the body, in base64.
    Cipher {},
    /// The whole body as it came.
    Body {},
}

/// How a proved body is opened: the connector gets the plain text as `delivery.opened`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenManifest {
    /// The slot whose secret opens it; sealed with an AES scheme and `use = "host"`.
    pub slot: SlotName,
    /// JSON Pointer to the cipher text in the body, in base64: `/encrypt`.
    pub cipher: String,
    /// Set where the plain text is framed: 16 random bytes, the length of the text in 4 bytes (big-endian), the text, its owner.
    /// This is the owner; `{key}` stands for a text of the connection's configuration. A text of another owner is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A text in the opened JSON that must be equal to a slot's secret, where that slot is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenManifest>,
    /// A question that the vendor encrypts and does not sign; the gateway answers it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionManifest>,
}

/// A text in the opened JSON that must be a slot's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenManifest {
    /// The slot; sealed with `equal` and `use = "host"`.
    pub slot: SlotName,
    /// JSON Pointers; the text stands at the first that leads to something.
    pub at: Vec<String>,
}

/// A question of the vendor's that is encrypted and not signed: whether this address is ours. It is answered without the
/// connector, whose code never sees a text that was not proved. Only with `aes-256-cbc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionManifest {
    /// What tells the question: JSON Pointers into the opened text, each with the text that must stand there.
    pub when: BTreeMap<String, String>,
    /// The JSON object that answers it: each member with the pointer to its value in the opened text, which must be 1 to 128
    /// letters, digits and `-_.+/=`.
    pub answer: BTreeMap<String, String>,
}

/// How the gateway builds the sealed answer to a delivery that it proved and opened: it frames and encrypts what the connector
/// answers, with the slots and the owner of `[webhook.proof]`, and signs it with a time and a nonce of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerManifest {
    /// The answer's JSON object: member to text. `{cipher}`, `{signature}`, `{time}` and `{nonce}` stand for what the gateway made.
    pub body: BTreeMap<String, String>,
}

impl SignedPart {
    /// Its kind, as the manifest writes it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Key {} => "key",
            Self::TimeMs { .. } => "time_ms",
            Self::TimeS { .. } => "time_s",
            Self::Nonce { .. } => "nonce",
            Self::Cipher {} => "cipher",
            Self::Body {} => "body",
        }
    }
}

impl ProofManifest {
    /// Is a piece of this kind signed?
    #[must_use]
    pub fn signs(&self, name: &str) -> bool {
        self.signed.iter().any(|part| part.name() == name)
    }
}
