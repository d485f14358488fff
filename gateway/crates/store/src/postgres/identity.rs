//! [`IdentityStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use super::{PostgresStore, in_transaction};
use crate::sql::identity::{self, decide, facts, list, load, pending, read, settle};
use crate::{
    ApplicationRow, ConflictRow, DecisionCommit, DecisionKept, DecisionRow, DigestKey, FactRow, FactsCommit,
    IdentityAsk, IdentityCounts, IdentityFound, IdentityKept, IdentityLink, IdentityPass, IdentityQuery, IdentityStand,
    IdentityStore, MemberRow, NumberedId, NumberedRecord, PendingRow, ProposalRow, RecordIdentity, SettledCommit,
    StoreError, Subjects, Undone, WornRow,
};

#[async_trait]
impl IdentityStore for PostgresStore {
    async fn identity_stand(&self, tenant: &TenantId) -> Result<Option<IdentityStand>, StoreError> {
        self.read(|c| async move { identity::stand(&c, tenant).await }).await.map(|found| found.map(|(stand, _)| stand))
    }

    async fn begin_identity(&self, tenant: &TenantId) -> Result<(IdentityStand, DigestKey), StoreError> {
        in_transaction!(self, |transaction| identity::begin(&transaction, tenant))
    }

    async fn digest_key(&self, tenant: &TenantId) -> Result<Option<DigestKey>, StoreError> {
        self.read(|c| async move { identity::stand(&c, tenant).await }).await.map(|found| found.map(|(_, key)| key))
    }

    async fn subject_changes(
        &self,
        tenant: &TenantId,
        after: i64,
        entities: &[&str],
        limit: u32,
    ) -> Result<Subjects, StoreError> {
        let entities = entities_of(entities);
        self.read(|c| async move { facts::changes(&c, tenant, after, &entities, limit).await }).await
    }

    async fn subjects(
        &self,
        tenant: &TenantId,
        after: i64,
        entities: &[&str],
        limit: u32,
    ) -> Result<Subjects, StoreError> {
        let entities = entities_of(entities);
        self.read(|c| async move { facts::all(&c, tenant, after, &entities, limit).await }).await
    }

    async fn subjects_named(
        &self,
        tenant: &TenantId,
        names: &[(String, String, String)],
    ) -> Result<Subjects, StoreError> {
        self.read(|c| async move { facts::named(&c, tenant, names).await }).await
    }

    async fn applications(
        &self,
        tenant: &TenantId,
        records: &[i64],
        whose: &[(String, String, String)],
    ) -> Result<Vec<ApplicationRow>, StoreError> {
        self.read(|c| async move { facts::applications(&c, tenant, records, whose).await }).await
    }

    async fn put_facts(&self, commit: FactsCommit) -> Result<i64, StoreError> {
        in_transaction!(self, |transaction| facts::put(&transaction, &commit))
    }

    async fn facts_after(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<FactRow>, StoreError> {
        self.read(|c| async move { facts::after(&c, tenant, after, limit).await }).await
    }

    async fn identity_load(&self, tenant: &TenantId, ask: IdentityAsk) -> Result<IdentityFound, StoreError> {
        self.read(|c| async move { load::found(&c, tenant, &ask).await }).await
    }

    async fn identity_kept(
        &self,
        tenant: &TenantId,
        records: &[i64],
        digests: &[i64],
    ) -> Result<IdentityKept, StoreError> {
        self.read(|c| async move { load::kept(&c, tenant, records, digests).await }).await
    }

    async fn put_settled(&self, commit: SettledCommit) -> Result<i64, StoreError> {
        in_transaction!(self, |transaction| settle::put(&transaction, &commit))
    }

    async fn begin_identity_pass(
        &self,
        tenant: &TenantId,
        version: i64,
        pass: &IdentityPass,
    ) -> Result<i64, StoreError> {
        in_transaction!(self, |transaction| identity::begin_pass(&transaction, tenant, version, pass))
    }

    async fn end_identity_pass(
        &self,
        tenant: &TenantId,
        pass: &IdentityPass,
        rules: &str,
        worn: Vec<WornRow>,
        now_ms: i64,
    ) -> Result<i64, StoreError> {
        in_transaction!(self, |transaction| settle::end(&transaction, tenant, pass, (rules, &worn), now_ms))
    }

    async fn pending_identities(&self, tenant: &TenantId, limit: u32) -> Result<Vec<PendingRow>, StoreError> {
        self.read(|c| async move { pending::list(&c, tenant, limit).await }).await
    }

    async fn decide_identity(&self, commit: DecisionCommit) -> Result<DecisionKept, StoreError> {
        in_transaction!(self, |transaction| decide::put(&transaction, &commit))
    }

    async fn undo_identity(&self, tenant: &TenantId, call: i64, undone: &Undone) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| decide::undo(&transaction, tenant, call, undone))
    }

    async fn identity_decisions(
        &self,
        tenant: &TenantId,
        records: Option<&[i64]>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        self.read(|c| async move { decide::list(&c, tenant, records, after, limit).await }).await
    }

    async fn identities(&self, tenant: &TenantId, query: &IdentityQuery) -> Result<Vec<MemberRow>, StoreError> {
        self.read(|c| async move { list::identities(&c, tenant, query).await }).await
    }

    async fn record_identity(&self, tenant: &TenantId, id: RecordId) -> Result<Option<RecordIdentity>, StoreError> {
        self.read(|c| async move { read::of_record(&c, &self.ids, tenant, id).await }).await
    }

    async fn identity_records(
        &self,
        tenant: &TenantId,
        identities: &[i64],
    ) -> Result<Vec<(MemberRow, NumberedRecord)>, StoreError> {
        self.read(|c| async move { read::records(&c, &self.ids, tenant, identities).await }).await
    }

    async fn record_ids(&self, tenant: &TenantId, records: &[i64]) -> Result<Vec<NumberedId>, StoreError> {
        self.read(|c| async move { read::record_ids(&c, &self.ids, tenant, records).await }).await
    }

    async fn past_links(
        &self,
        tenant: &TenantId,
        records: &[i64],
        limit: u32,
    ) -> Result<Vec<IdentityLink>, StoreError> {
        self.read(|c| async move { load::past(&c, tenant, records, limit).await }).await
    }

    async fn forget_past_links(&self, tenant: &TenantId, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| list::forget_past(&transaction, tenant, before_ms, limit))
    }

    async fn identity_proposals(
        &self,
        tenant: &TenantId,
        kind: Option<i64>,
        after: (i64, i64),
        limit: u32,
    ) -> Result<Vec<ProposalRow>, StoreError> {
        self.read(|c| async move { list::proposals(&c, tenant, kind, after, limit).await }).await
    }

    async fn identity_conflicts(
        &self,
        tenant: &TenantId,
        kind: Option<i64>,
        after: (i64, i64, i64),
        limit: u32,
    ) -> Result<Vec<ConflictRow>, StoreError> {
        self.read(|c| async move { list::conflicts(&c, tenant, kind, after, limit).await }).await
    }

    async fn worn_values(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<WornRow>, StoreError> {
        self.read(|c| async move { list::worn_values(&c, tenant, after, limit).await }).await
    }

    async fn identity_counts(&self, tenant: &TenantId) -> Result<IdentityCounts, StoreError> {
        self.read(|c| async move { load::counts(&c, tenant).await }).await
    }
}

fn entities_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
