//! What goes in and what comes out: the same shapes on both backends. Times are milliseconds since the epoch.

mod authored;
mod content;
mod identity;
pub(crate) mod insight;
mod kept;
mod key;
mod lease;
mod moving;
mod note;
mod page;
mod record;
mod reference;
mod signed;
mod stream;
mod trigger;

pub use authored::{
    AuthorOutcome, AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, Cause, FILE_RULES_STREAM, Follow, LINKS_STREAM,
    LinkWrite, LinkedQuery, MESSAGES_STREAM, PEOPLES_RECORDS_STREAM, Parent, TimerRow, TimerWrite,
};
pub use content::Content;
pub(crate) use content::{ContentKeys, concerned};
pub use identity::{
    ApplicationRow, ConflictRow, DecisionCommit, DecisionKept, DecisionRow, DigestKey, FactRow, FactWrite, FactsCommit,
    HolderRow, IdentityAsk, IdentityCounts, IdentityFound, IdentityKept, IdentityKind, IdentityLink, IdentityPass,
    IdentityQuery, IdentityStand, MemberRow, NumberedId, NumberedRecord, PERSON, PendingRow, ProposalRow, ReadUpTo,
    RecordIdentity, SettledCommit, SubjectBody, Subjects, UNIT, Undone, WornRow,
};
pub use kept::{ExchangeRow, PageRow, QuarantineRow, ScreenTokenRow};
pub use key::{ApiKeyRow, FoundKey, KeyId, KeyRole, NotAKeyId};
pub use lease::LeaseRow;
pub(crate) use moving::MOVING;
pub use moving::{MoveState, TenantMove};
pub use note::{Brake, HeldRecord, HeldSweep, PageNotes};
pub use page::{CommitOutcome, ExchangeWrite, PageCommit, QuarantineWrite, RecordWrite, Sweep};
pub use record::{
    ChangeKind, ChangeRow, ContentHash, DeletedBy, EntityCount, Known, Origin, RecordQuery, RecordRow, Slice,
};
pub use reference::{Keyed, Named, UnresolvedKeys};
pub use renmen_schema::{RunFinding, RunOmission};
pub use signed::{Answered, Once, OnceKey, Signature, SignedRevision};
pub use stream::{NewRun, PluginRef, RunEnd, RunRow, RunState, StreamKey, StreamStand, StreamState};
pub use trigger::RunTrigger;
