//! [`BrokenStore`] as the keeper of identities.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{
    ApplicationRow, ConflictRow, DecisionCommit, DecisionKept, DecisionRow, DigestKey, FactRow, FactsCommit,
    IdentityAsk, IdentityCounts, IdentityFound, IdentityKept, IdentityLink, IdentityPass, IdentityQuery, IdentityStand,
    IdentityStore, MemberRow, NumberedId, NumberedRecord, PendingRow, ProposalRow, RecordIdentity, SettledCommit,
    StoreError, Subjects, Undone, WornRow,
};

use crate::broken_store::BrokenStore;

#[async_trait]
impl IdentityStore for BrokenStore {
    async fn identity_stand(&self, _tenant: &TenantId) -> Result<Option<IdentityStand>, StoreError> {
        self.fail().await
    }
    async fn begin_identity(&self, _tenant: &TenantId) -> Result<(IdentityStand, DigestKey), StoreError> {
        self.fail().await
    }
    async fn digest_key(&self, _tenant: &TenantId) -> Result<Option<DigestKey>, StoreError> {
        self.fail().await
    }
    async fn subject_changes(
        &self,
        _tenant: &TenantId,
        _after: i64,
        _entities: &[&str],
        _limit: u32,
    ) -> Result<Subjects, StoreError> {
        self.fail().await
    }
    async fn subjects(
        &self,
        _tenant: &TenantId,
        _after: i64,
        _entities: &[&str],
        _limit: u32,
    ) -> Result<Subjects, StoreError> {
        self.fail().await
    }
    async fn subjects_named(
        &self,
        _tenant: &TenantId,
        _names: &[(String, String, String)],
    ) -> Result<Subjects, StoreError> {
        self.fail().await
    }
    async fn applications(
        &self,
        _tenant: &TenantId,
        _records: &[i64],
        _whose: &[(String, String, String)],
    ) -> Result<Vec<ApplicationRow>, StoreError> {
        self.fail().await
    }
    async fn put_facts(&self, _commit: FactsCommit) -> Result<i64, StoreError> {
        self.fail().await
    }
    async fn facts_after(&self, _tenant: &TenantId, _after: i64, _limit: u32) -> Result<Vec<FactRow>, StoreError> {
        self.fail().await
    }
    async fn identity_load(&self, _tenant: &TenantId, _ask: IdentityAsk) -> Result<IdentityFound, StoreError> {
        self.fail().await
    }
    async fn identity_kept(
        &self,
        _tenant: &TenantId,
        _records: &[i64],
        _digests: &[i64],
    ) -> Result<IdentityKept, StoreError> {
        self.fail().await
    }
    async fn put_settled(&self, _commit: SettledCommit) -> Result<i64, StoreError> {
        self.fail().await
    }
    async fn begin_identity_pass(
        &self,
        _tenant: &TenantId,
        _version: i64,
        _pass: &IdentityPass,
    ) -> Result<i64, StoreError> {
        self.fail().await
    }
    async fn end_identity_pass(
        &self,
        _tenant: &TenantId,
        _pass: &IdentityPass,
        _rules: &str,
        _worn: Vec<WornRow>,
        _now_ms: i64,
    ) -> Result<i64, StoreError> {
        self.fail().await
    }
    async fn pending_identities(&self, _tenant: &TenantId, _limit: u32) -> Result<Vec<PendingRow>, StoreError> {
        self.fail().await
    }
    async fn decide_identity(&self, _commit: DecisionCommit) -> Result<DecisionKept, StoreError> {
        self.fail().await
    }
    async fn undo_identity(&self, _tenant: &TenantId, _call: i64, _undone: &Undone) -> Result<bool, StoreError> {
        self.fail().await
    }
    async fn identity_decisions(
        &self,
        _tenant: &TenantId,
        _records: Option<&[i64]>,
        _after: i64,
        _limit: u32,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        self.fail().await
    }
    async fn identities(&self, _tenant: &TenantId, _query: &IdentityQuery) -> Result<Vec<MemberRow>, StoreError> {
        self.fail().await
    }
    async fn record_identity(&self, _tenant: &TenantId, _id: RecordId) -> Result<Option<RecordIdentity>, StoreError> {
        self.fail().await
    }
    async fn identity_records(
        &self,
        _tenant: &TenantId,
        _identities: &[i64],
    ) -> Result<Vec<(MemberRow, NumberedRecord)>, StoreError> {
        self.fail().await
    }
    async fn record_ids(&self, _tenant: &TenantId, _records: &[i64]) -> Result<Vec<NumberedId>, StoreError> {
        self.fail().await
    }
    async fn past_links(
        &self,
        _tenant: &TenantId,
        _records: &[i64],
        _limit: u32,
    ) -> Result<Vec<IdentityLink>, StoreError> {
        self.fail().await
    }
    async fn forget_past_links(&self, _tenant: &TenantId, _before_ms: i64, _limit: u32) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn identity_proposals(
        &self,
        _tenant: &TenantId,
        _kind: Option<i64>,
        _after: (i64, i64),
        _limit: u32,
    ) -> Result<Vec<ProposalRow>, StoreError> {
        self.fail().await
    }
    async fn identity_conflicts(
        &self,
        _tenant: &TenantId,
        _kind: Option<i64>,
        _after: (i64, i64, i64),
        _limit: u32,
    ) -> Result<Vec<ConflictRow>, StoreError> {
        self.fail().await
    }
    async fn worn_values(&self, _tenant: &TenantId, _after: i64, _limit: u32) -> Result<Vec<WornRow>, StoreError> {
        self.fail().await
    }
    async fn identity_counts(&self, _tenant: &TenantId) -> Result<IdentityCounts, StoreError> {
        self.fail().await
    }
}
