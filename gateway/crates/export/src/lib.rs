//! Records as files for BI: a snapshot of every entity as it stood at one position of the change feed, in Parquet or CSV.
//!
//! Owns: which columns there are and what of a record may be in them ([`Terms`]), the files ([`Format`]), their partition by entity and
//! day, the manifest, and the order of writing: files first, the manifest last, so that a folder without a manifest is not a snapshot, and
//! is written again. Where the files go is behind [`Target`]; a directory is here ([`Directory`]).
//!
//! Must not know: SQL, HTTP, the configuration, when an export is due.
//!
//! The same records make the same bytes: rows come in the order of the feed, nothing in a file tells when it was written, and a snapshot is
//! named after its position. So an export that is repeated changes nothing, and one that a crash cut off is completed by the next.
//!
//! Memory: one page of records and one group of rows at a time; a file is written to the disk before it goes out.
//!
//! In reading order: `terms`, `row` (a record as cells), `table` with `parquet_file` and `csv_file`, `snapshot`, `manifest`, `target`.

mod csv_file;
mod error;
mod manifest;
mod parquet_file;
mod row;
mod snapshot;
mod table;
mod target;
mod terms;

pub use error::ExportError;
pub use manifest::{EntityRows, FileEntry, Manifest, Watermark};
pub use snapshot::{Exported, Limits, export};
pub use table::Format;
pub use target::{Directory, Target};
pub use terms::{BadTerms, Terms};
