//! What a person asks for, and why it may be refused.

use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::{Defect, EntityKind, Text};
use renmen_store::StoreError;
use sha2::{Digest, Sha256};

/// Who writes: what the API key says, never a body.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The tenant that owns the records.
    pub tenant: TenantId,
    /// The key's name.
    pub person: String,
    /// The key's id.
    pub key: String,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who.
    pub writer: Writer,
    /// What kind of record.
    pub kind: EntityKind,
    /// What to do.
    pub act: Act,
    /// Why.
    pub reason: String,
    /// Set where the same request may come again.
    pub repeatable: Option<RepeatableAs>,
}

/// What to do.
#[derive(Debug, Clone)]
pub enum Act {
    /// Writes a record that is not there.
    Create {
        /// The client's id of it; none: the desk makes one.
        external_id: Option<String>,
        /// As the client sent it.
        body: Vec<u8>,
    },
    /// Writes another revision of one that is.
    Replace {
        /// Which.
        id: RecordId,
        /// The revision that the client read; none: it did not say.
        revision: Option<i64>,
        /// As the client sent it.
        body: Vec<u8>,
    },
    /// Leaves a tombstone.
    Remove {
        /// Which.
        id: RecordId,
        /// The revision that the client read; none: it did not say.
        revision: Option<i64>,
    },
}

/// The client's own name for a request that it may send again.
#[derive(Debug, Clone)]
pub struct RepeatableAs {
    /// The name.
    pub name: String,
    /// How long its answer is kept, in milliseconds.
    pub kept_ms: i64,
}

impl Act {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "created",
            Self::Replace { .. } => "replaced",
            Self::Remove { .. } => "removed",
        }
    }
}

impl Ask {
    /// Tells this request from another one under the same name.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut add = |part: &[u8]| {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        };
        add(self.kind.name().as_bytes());
        add(self.act.word().as_bytes());
        add(self.reason.as_bytes());
        match &self.act {
            Act::Create { external_id, body } => {
                add(external_id.as_deref().unwrap_or_default().as_bytes());
                add(body);
            }
            Act::Replace { id, revision, body } => {
                add(id.to_string().as_bytes());
                add(&revision.unwrap_or_default().to_be_bytes());
                add(body);
            }
            Act::Remove { id, revision } => {
                add(id.to_string().as_bytes());
                add(&revision.unwrap_or_default().to_be_bytes());
            }
        }
        hasher.finalize().into()
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The tenant has no such record, or no longer has it.
    #[error("the record was not found")]
    NotFound,
    /// All that is wrong with the body.
    #[error("the body has {} defects", .0.len())]
    Defects(Vec<Defect>),
    /// It does not go together with what is there.
    #[error("refused: {}", .0.en)]
    Conflict(Box<Conflict>),
    /// The client did not say which revision it read.
    #[error("the revision is missing")]
    NoRevision {
        /// The revision that it has.
        is: i64,
    },
    /// The record changed since the client read it.
    #[error("it has another revision")]
    Moved {
        /// The revision that it has.
        is: i64,
    },
    /// Another request had the same name.
    #[error("another request had the same name")]
    OtherRequest,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault.
    #[error("fault: {0}")]
    Fault(String),
}

/// What is in the way, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// The record that is in the way.
    pub related: Option<(EntityKind, RecordId)>,
}

impl Refusal {
    pub(crate) fn conflict(
        related: Option<(EntityKind, RecordId)>,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self::Conflict(Box::new(Conflict { en: en.into(), zh: zh.into(), related }))
    }
}

/// Something wrong at a place of the body.
pub(crate) fn defect(path: impl Into<String>, code: &'static str, message: Text) -> Defect {
    Defect { path: path.into(), code, message }
}
