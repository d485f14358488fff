//! Which records are one person or unit: the facts of records, what was found, and what people decided.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use crate::{
    ApplicationRow, ConflictRow, DecisionCommit, DecisionKept, DecisionRow, DigestKey, FactRow, FactsCommit,
    IdentityAsk, IdentityCounts, IdentityFound, IdentityKept, IdentityLink, IdentityPass, IdentityQuery, IdentityStand,
    MemberRow, NumberedId, NumberedRecord, PendingRow, ProposalRow, RecordIdentity, SettledCommit, StoreError,
    Subjects, Undone, WornRow,
};

/// What is kept of identities. One gateway at a time works on those of a tenant; each of its writes is fenced by
/// [`IdentityStand::version`] all the same, and so are decisions, which any gateway takes in.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Where the work on a tenant stands; none where it never began.
    async fn identity_stand(&self, tenant: &TenantId) -> Result<Option<IdentityStand>, StoreError>;

    /// The same, and begins where it never did, at the end of the feed as it is now; with the key for digests.
    async fn begin_identity(&self, tenant: &TenantId) -> Result<(IdentityStand, DigestKey), StoreError>;

    /// The key for digests; none where the work never began.
    async fn digest_key(&self, tenant: &TenantId) -> Result<Option<DigestKey>, StoreError>;

    /// Changes of the feed after a position, `limit` of any entity, as the records of these entities stand now.
    async fn subject_changes(
        &self,
        tenant: &TenantId,
        after: i64,
        entities: &[&str],
        limit: u32,
    ) -> Result<Subjects, StoreError>;

    /// Live records of these entities after a record, out of `limit` of any entity.
    async fn subjects(
        &self,
        tenant: &TenantId,
        after: i64,
        entities: &[&str],
        limit: u32,
    ) -> Result<Subjects, StoreError>;

    /// The records that references name, by connection, entity and id there, where they are live.
    async fn subjects_named(
        &self,
        tenant: &TenantId,
        names: &[(String, String, String)],
    ) -> Result<Subjects, StoreError>;

    /// Which applications these records tell of, and which of these are told of: by whose they are.
    async fn applications(
        &self,
        tenant: &TenantId,
        records: &[i64],
        whose: &[(String, String, String)],
    ) -> Result<Vec<ApplicationRow>, StoreError>;

    /// Keeps facts.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when something was written since the version was read. Nothing was written then.
    async fn put_facts(&self, commit: FactsCommit) -> Result<i64, StoreError>;

    /// Facts after a record, by record.
    async fn facts_after(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<FactRow>, StoreError>;

    /// What a settling asks for.
    async fn identity_load(&self, tenant: &TenantId, ask: IdentityAsk) -> Result<IdentityFound, StoreError>;

    /// What is kept of these records: where they belong, links from them, proposals and conflicts with them. `digests`: values that may be
    /// worn out.
    async fn identity_kept(
        &self,
        tenant: &TenantId,
        records: &[i64],
        digests: &[i64],
    ) -> Result<IdentityKept, StoreError>;

    /// Keeps what was found.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] as [`IdentityStore::put_facts`], and when the pass is not under way any more.
    async fn put_settled(&self, commit: SettledCommit) -> Result<i64, StoreError>;

    /// Begins a pass, in the place of one that is under way.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] as [`IdentityStore::put_facts`].
    async fn begin_identity_pass(
        &self,
        tenant: &TenantId,
        version: i64,
        pass: &IdentityPass,
    ) -> Result<i64, StoreError>;

    /// Ends a pass: what was found is by rules of this fingerprint. Values that are worn out are these and no others.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it is not under way.
    async fn end_identity_pass(
        &self,
        tenant: &TenantId,
        pass: &IdentityPass,
        rules: &str,
        worn: Vec<WornRow>,
        now_ms: i64,
    ) -> Result<i64, StoreError>;

    /// Records that wait to be settled, the oldest row first.
    async fn pending_identities(&self, tenant: &TenantId, limit: u32) -> Result<Vec<PendingRow>, StoreError>;

    /// Keeps a decision; whom it names waits to be settled.
    ///
    /// # Errors
    /// [`StoreError::BadInput`] for a name that came before with something else.
    async fn decide_identity(&self, commit: DecisionCommit) -> Result<DecisionKept, StoreError>;

    /// Takes a decision back, all that was decided together; whom it names waits to be settled. False where it is not in force.
    async fn undo_identity(&self, tenant: &TenantId, call: i64, undone: &Undone) -> Result<bool, StoreError>;

    /// Decisions after a number, of these records or of all, also those that were undone.
    async fn identity_decisions(
        &self,
        tenant: &TenantId,
        records: Option<&[i64]>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, StoreError>;

    /// The identities in the order of their oldest records.
    async fn identities(&self, tenant: &TenantId, query: &IdentityQuery) -> Result<Vec<MemberRow>, StoreError>;

    /// Where a record belongs, by its id. A record that was not settled yet is by itself; none for one that is not there.
    async fn record_identity(&self, tenant: &TenantId, id: RecordId) -> Result<Option<RecordIdentity>, StoreError>;

    /// The records of identities, tombstones not, by row.
    async fn identity_records(
        &self,
        tenant: &TenantId,
        identities: &[i64],
    ) -> Result<Vec<(MemberRow, NumberedRecord)>, StoreError>;

    /// The ids of records, tombstones too.
    async fn record_ids(&self, tenant: &TenantId, records: &[i64]) -> Result<Vec<NumberedId>, StoreError>;

    /// Links that ended, of these records, the latest first.
    async fn past_links(&self, tenant: &TenantId, records: &[i64], limit: u32)
    -> Result<Vec<IdentityLink>, StoreError>;

    /// Forgets links that ended before a time, at most so many. Gives how many.
    async fn forget_past_links(&self, tenant: &TenantId, before_ms: i64, limit: u32) -> Result<u64, StoreError>;

    /// Proposals after one, by the two identities.
    async fn identity_proposals(
        &self,
        tenant: &TenantId,
        kind: Option<i64>,
        after: (i64, i64),
        limit: u32,
    ) -> Result<Vec<ProposalRow>, StoreError>;

    /// Conflicts after one, by the two records.
    async fn identity_conflicts(
        &self,
        tenant: &TenantId,
        kind: Option<i64>,
        after: (i64, i64, i64),
        limit: u32,
    ) -> Result<Vec<ConflictRow>, StoreError>;

    /// Values that too many have, after a digest.
    async fn worn_values(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<WornRow>, StoreError>;

    /// How much there is.
    async fn identity_counts(&self, tenant: &TenantId) -> Result<IdentityCounts, StoreError>;
}
