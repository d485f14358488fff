//! Which records are one person or unit, as it is kept. Records and identities are named by the row of the record here; what facts, grounds
//! and obstacles say is opaque.

use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use crate::RecordRow;

/// Who a record may be, as it is kept.
pub type IdentityKind = i64;
/// A person.
pub const PERSON: IdentityKind = 1;
/// An organisational unit.
pub const UNIT: IdentityKind = 2;

/// Where the work on the identities of a tenant stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityStand {
    /// Counts up with each write.
    pub version: i64,
    /// Up to this position of the feed, facts are those of the records.
    pub followed: i64,
    /// The fingerprint of the rules that what was found is by; none before the first time.
    pub rules: Option<String>,
    /// The pass that is under way.
    pub pass: Option<IdentityPass>,
    /// When the last pass ended.
    pub passed_ms: Option<i64>,
    /// Links that there are.
    pub links: u64,
}

/// A pass over all records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPass {
    /// The fingerprint of its rules, and what tells it from another pass by the same.
    pub rules: String,
    /// Up to this record facts were read again.
    pub after: i64,
}

/// The key with which a tenant's values are hashed. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestKey(pub [u8; 32]);

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A record as it stands, with what identity asks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectBody {
    pub record: i64,
    pub entity: String,
    pub connection: ConnectionName,
    pub external_id: String,
    /// None: a tombstone.
    pub body: Option<Vec<u8>>,
}

/// A piece of the feed, or of all records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    /// Each once, as it stands now.
    pub records: Vec<SubjectBody>,
    /// Up to where it was read: a position of the feed, or a record. None: there is nothing more.
    pub to: Option<i64>,
    /// Of the feed: the time of its first change.
    pub since_ms: Option<i64>,
}

/// What of a record counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    pub record: i64,
    pub kind: IdentityKind,
    pub place: i64,
    pub name: i64,
    pub facts: Vec<u8>,
}

/// The facts of a record that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactWrite {
    pub record: i64,
    /// Digest and rule of the keys that it had before.
    pub before: Vec<(i64, i64)>,
    /// None: it is gone.
    pub now: Option<FactRow>,
    /// The digests of the keys that it has now.
    pub keys: Vec<i64>,
}

/// An application, as the record tells it that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRow {
    /// The record that tells it.
    pub record: i64,
    /// The record that it is of: connection, entity and id there.
    pub whose: (String, String, String),
    /// Its connection, and its id there.
    pub application: (String, String),
}

/// Facts, with the place up to which they were read.
#[derive(Debug, Clone)]
pub struct FactsCommit {
    pub tenant: TenantId,
    /// As it was read before; refused with [`crate::StoreError::Fenced`] when it is another by now.
    pub version: i64,
    pub facts: Vec<FactWrite>,
    /// Records of which it is known now whose application they tell, or that they tell none.
    pub applications: Vec<(i64, Option<ApplicationRow>)>,
    /// Where the feed was read up to, or the pass.
    pub read: ReadUpTo,
    pub now_ms: i64,
}

/// What was read for facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadUpTo {
    /// The feed: whose facts changed is settled afterwards.
    Feed(i64),
    /// All records, for a pass: everyone is settled at its end.
    Pass(IdentityPass),
}

/// What is asked for a settling.
#[derive(Debug, Clone, Default)]
pub struct IdentityAsk {
    /// The facts of these.
    pub facts: Vec<i64>,
    /// Who has these digests.
    pub holders: Vec<i64>,
    /// Of each digest at most so many.
    pub most: u32,
    /// The decisions in force about these.
    pub decisions: Vec<i64>,
    /// Where these belong.
    pub standing: Vec<i64>,
    /// The members of these.
    pub members: Vec<i64>,
}

/// The answer; what is not in it is not there.
#[derive(Debug, Clone, Default)]
pub struct IdentityFound {
    pub facts: Vec<FactRow>,
    pub holders: Vec<HolderRow>,
    pub decisions: Vec<DecisionRow>,
    pub standing: Vec<MemberRow>,
    pub members: Vec<MemberRow>,
}

/// A record that has a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderRow {
    pub digest: i64,
    pub record: i64,
    pub place: i64,
    pub name: i64,
}

/// To which identity a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberRow {
    pub record: i64,
    pub identity: i64,
    pub kind: IdentityKind,
    pub too_large: bool,
    pub since_ms: i64,
}

/// A link between two records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdentityLink {
    pub a: i64,
    pub b: i64,
    pub grounds: Vec<u8>,
    pub since_ms: i64,
    /// Of one that is history.
    pub until_ms: Option<i64>,
}

/// Two identities that may be one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProposalRow {
    pub one: i64,
    pub other: i64,
    pub a: i64,
    pub b: i64,
    pub grounds: Vec<u8>,
    pub since_ms: i64,
}

/// A link that is held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConflictRow {
    pub a: i64,
    pub b: i64,
    /// Counts those of one pair from 0.
    pub no: i64,
    pub grounds: Vec<u8>,
    pub obstacle: Vec<u8>,
    pub since_ms: i64,
}

/// A value that too many have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WornRow {
    pub digest: i64,
    pub rule: String,
    pub holders: i64,
    pub since_ms: i64,
}

/// What is kept of some records.
#[derive(Debug, Clone, Default)]
pub struct IdentityKept {
    pub members: Vec<MemberRow>,
    pub links: Vec<IdentityLink>,
    pub proposals: Vec<ProposalRow>,
    pub conflicts: Vec<ConflictRow>,
    pub worn: Vec<WornRow>,
}

/// What was found, as the difference to what is kept.
#[derive(Debug, Clone)]
pub struct SettledCommit {
    pub tenant: TenantId,
    /// As [`FactsCommit::version`]; none in a pass, which no decision stops, but another pass does.
    pub version: Option<i64>,
    /// The pass that this is of.
    pub pass: Option<IdentityPass>,
    /// Records that wait no more.
    pub done: Vec<i64>,
    pub members: Vec<MemberRow>,
    pub gone: Vec<i64>,
    pub unlinked: Vec<(i64, i64)>,
    /// New ones, and those whose grounds changed.
    pub links: Vec<IdentityLink>,
    pub proposals_gone: Vec<(i64, i64)>,
    pub proposals: Vec<ProposalRow>,
    pub conflicts_gone: Vec<(i64, i64, i64)>,
    pub conflicts: Vec<ConflictRow>,
    pub worn_gone: Vec<i64>,
    pub worn: Vec<WornRow>,
    pub now_ms: i64,
}

/// A record that waits, with digest and rule of the keys that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRow {
    pub record: i64,
    pub keys: Vec<(i64, i64)>,
}

/// A decision about two records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    pub seq: i64,
    /// The first number of those that were decided together.
    pub call: i64,
    /// `link`, `split`, `never`.
    pub act: String,
    /// Are they the same? Otherwise they never are.
    pub same: bool,
    pub a: i64,
    pub b: i64,
    pub who: String,
    pub why: String,
    pub at_ms: i64,
    pub undone: Option<Undone>,
}

/// A decision that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    pub at_ms: i64,
    pub who: String,
    pub why: String,
}

/// A decision that is to be kept.
#[derive(Debug, Clone)]
pub struct DecisionCommit {
    pub tenant: TenantId,
    pub act: &'static str,
    pub same: bool,
    /// Records, two by two.
    pub pairs: Vec<(i64, i64)>,
    pub who: String,
    pub why: String,
    /// The caller's name for it: one that comes again is answered as before. Empty without one.
    pub request: String,
    pub now_ms: i64,
}

/// How a decision was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionKept {
    /// Its first number.
    pub call: i64,
    /// It came before under this name.
    pub repeated: bool,
}

/// Which identities are listed.
#[derive(Debug, Clone, Default)]
pub struct IdentityQuery {
    pub kind: IdentityKind,
    /// Only those with a record of this connection.
    pub connection: Option<ConnectionName>,
    /// Only those with a proposal or a conflict.
    pub unresolved: bool,
    /// Only those of at least so many records.
    pub members_min: u32,
    /// After this identity.
    pub after: i64,
    pub limit: u32,
}

/// Where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordIdentity {
    pub record: i64,
    pub identity: i64,
    pub kind: IdentityKind,
}

/// A record with its row.
#[derive(Debug, Clone)]
pub struct NumberedRecord {
    pub number: i64,
    pub row: RecordRow,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdentityCounts {
    pub proposals: u64,
    pub conflicts: u64,
    pub worn: u64,
    pub pending: u64,
    /// Since when the oldest of them waits.
    pub pending_since_ms: Option<i64>,
}

/// A record's id with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedId {
    pub number: i64,
    pub id: RecordId,
}
