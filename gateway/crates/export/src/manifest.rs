//! What a snapshot is: written last, so that one that has it is whole.

use serde::{Deserialize, Serialize};

/// The version of this description.
pub(crate) const MANIFEST_VERSION: u32 = 1;
/// Its name in a snapshot's folder.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The newest snapshot: a copy of its manifest.
pub(crate) const LATEST: &str = "latest.json";

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this description: 1.
    pub manifest_version: u32,
    /// Version of the canonical schema.
    pub schema_version: String,
    /// The tenant of the records.
    pub tenant: String,
    /// The folder of the snapshot, which paths are relative to.
    pub snapshot: String,
    /// As of when.
    pub watermark: Watermark,
    /// `parquet` or `csv`.
    pub format: String,
    /// Classes of fields that are in it.
    pub classes: Vec<String>,
    /// Rows of each entity, also of those without any.
    pub entities: Vec<EntityRows>,
    /// Every file, in the order of its path.
    pub files: Vec<FileEntry>,
}

/// The position of the change feed that a snapshot stands at. Changes after it are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The last change that is in it; 0: there was none.
    pub position: i64,
    /// When that was, RFC 3339 in UTC; null: there was none.
    pub at: Option<String>,
}

/// How many rows an entity has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityRows {
    /// `employee`
    pub entity: String,
    /// Live records.
    pub rows: u64,
    /// Names of the columns, in their order.
    pub columns: Vec<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Within the snapshot's folder.
    pub path: String,
    /// Its entity.
    pub entity: String,
    /// The day (UTC) on which its records were last changed.
    pub day: String,
    /// Rows.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
}
