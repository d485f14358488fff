//! What goes in and what comes out: the same shapes on both backends. Times are milliseconds since the epoch.

mod kept;
mod page;
mod record;
mod stream;

pub use kept::{ApiKeyRow, ExchangeRow, PageRow, QuarantineRow};
pub use page::{CommitOutcome, ExchangeWrite, PageCommit, QuarantineWrite, RecordWrite, Sweep};
pub use record::{
    ChangeKind, ChangeRow, ContentHash, DeletedBy, EntityCount, Known, Origin, RecordQuery, RecordRow, Slice,
};
pub use stream::{NewRun, PluginRef, RunEnd, RunRow, RunState, StreamKey, StreamState};
