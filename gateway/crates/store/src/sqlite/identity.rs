//! [`IdentityStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::sql::identity::{self, decide, facts, list, load, pending, read, settle};
use crate::{
    ApplicationRow, ConflictRow, DecisionCommit, DecisionKept, DecisionRow, DigestKey, FactRow, FactsCommit,
    IdentityAsk, IdentityCounts, IdentityFound, IdentityKept, IdentityLink, IdentityPass, IdentityQuery, IdentityStand,
    IdentityStore, MemberRow, NumberedId, NumberedRecord, PendingRow, ProposalRow, RecordIdentity, SettledCommit,
    StoreError, Subjects, Undone, WornRow,
};

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn identity_stand(&self, tenant: &TenantId) -> Result<Option<IdentityStand>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(identity::stand(c, &tenant))).await.map(|found| found.map(|(stand, _)| stand))
    }

    async fn begin_identity(&self, tenant: &TenantId) -> Result<(IdentityStand, DigestKey), StoreError> {
        let tenant = tenant.clone();
        self.writer()?.run(move |c| at_once(identity::begin(c, &tenant))).await
    }

    async fn digest_key(&self, tenant: &TenantId) -> Result<Option<DigestKey>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(identity::stand(c, &tenant))).await.map(|found| found.map(|(_, key)| key))
    }

    async fn subject_changes(
        &self,
        tenant: &TenantId,
        after: i64,
        entities: &[&str],
        limit: u32,
    ) -> Result<Subjects, StoreError> {
        let tenant = tenant.clone();
        let entities = entities_of(entities);
        self.readers.run(move |c| at_once(facts::changes(c, &tenant, after, &entities, limit))).await
    }

    async fn subjects(
        &self,
        tenant: &TenantId,
        after: i64,
        entities: &[&str],
        limit: u32,
    ) -> Result<Subjects, StoreError> {
        let tenant = tenant.clone();
        let entities = entities_of(entities);
        self.readers.run(move |c| at_once(facts::all(c, &tenant, after, &entities, limit))).await
    }

    async fn subjects_named(
        &self,
        tenant: &TenantId,
        names: &[(String, String, String)],
    ) -> Result<Subjects, StoreError> {
        let tenant = tenant.clone();
        let names = names.to_vec();
        self.readers.run(move |c| at_once(facts::named(c, &tenant, &names))).await
    }

    async fn applications(
        &self,
        tenant: &TenantId,
        records: &[i64],
        whose: &[(String, String, String)],
    ) -> Result<Vec<ApplicationRow>, StoreError> {
        let tenant = tenant.clone();
        let records = records.to_vec();
        let whose = whose.to_vec();
        self.readers.run(move |c| at_once(facts::applications(c, &tenant, &records, &whose))).await
    }

    async fn put_facts(&self, commit: FactsCommit) -> Result<i64, StoreError> {
        self.writer()?.run(move |c| at_once(facts::put(c, &commit))).await
    }

    async fn facts_after(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<FactRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(facts::after(c, &tenant, after, limit))).await
    }

    async fn identity_load(&self, tenant: &TenantId, ask: IdentityAsk) -> Result<IdentityFound, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(load::found(c, &tenant, &ask))).await
    }

    async fn identity_kept(
        &self,
        tenant: &TenantId,
        records: &[i64],
        digests: &[i64],
    ) -> Result<IdentityKept, StoreError> {
        let tenant = tenant.clone();
        let records = records.to_vec();
        let digests = digests.to_vec();
        self.readers.run(move |c| at_once(load::kept(c, &tenant, &records, &digests))).await
    }

    async fn put_settled(&self, commit: SettledCommit) -> Result<i64, StoreError> {
        self.writer()?.run(move |c| at_once(settle::put(c, &commit))).await
    }

    async fn begin_identity_pass(
        &self,
        tenant: &TenantId,
        version: i64,
        pass: &IdentityPass,
    ) -> Result<i64, StoreError> {
        let tenant = tenant.clone();
        let pass = pass.clone();
        self.writer()?.run(move |c| at_once(identity::begin_pass(c, &tenant, version, &pass))).await
    }

    async fn end_identity_pass(
        &self,
        tenant: &TenantId,
        pass: &IdentityPass,
        rules: &str,
        worn: Vec<WornRow>,
        now_ms: i64,
    ) -> Result<i64, StoreError> {
        let tenant = tenant.clone();
        let pass = pass.clone();
        let rules = rules.to_owned();
        self.writer()?.run(move |c| at_once(settle::end(c, &tenant, &pass, (&rules, &worn), now_ms))).await
    }

    async fn pending_identities(&self, tenant: &TenantId, limit: u32) -> Result<Vec<PendingRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(pending::list(c, &tenant, limit))).await
    }

    async fn decide_identity(&self, commit: DecisionCommit) -> Result<DecisionKept, StoreError> {
        self.writer()?.run(move |c| at_once(decide::put(c, &commit))).await
    }

    async fn undo_identity(&self, tenant: &TenantId, call: i64, undone: &Undone) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        let undone = undone.clone();
        self.writer()?.run(move |c| at_once(decide::undo(c, &tenant, call, &undone))).await
    }

    async fn identity_decisions(
        &self,
        tenant: &TenantId,
        records: Option<&[i64]>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let tenant = tenant.clone();
        let records = records.map(<[i64]>::to_vec);
        self.readers.run(move |c| at_once(decide::list(c, &tenant, records.as_deref(), after, limit))).await
    }

    async fn identities(&self, tenant: &TenantId, query: &IdentityQuery) -> Result<Vec<MemberRow>, StoreError> {
        let tenant = tenant.clone();
        let query = query.clone();
        self.readers.run(move |c| at_once(list::identities(c, &tenant, &query))).await
    }

    async fn record_identity(&self, tenant: &TenantId, id: RecordId) -> Result<Option<RecordIdentity>, StoreError> {
        let tenant = tenant.clone();
        let ids = self.ids.clone();
        self.readers.run(move |c| at_once(read::of_record(c, &ids, &tenant, id))).await
    }

    async fn identity_records(
        &self,
        tenant: &TenantId,
        identities: &[i64],
    ) -> Result<Vec<(MemberRow, NumberedRecord)>, StoreError> {
        let tenant = tenant.clone();
        let identities = identities.to_vec();
        let ids = self.ids.clone();
        self.readers.run(move |c| at_once(read::records(c, &ids, &tenant, &identities))).await
    }

    async fn record_ids(&self, tenant: &TenantId, records: &[i64]) -> Result<Vec<NumberedId>, StoreError> {
        let tenant = tenant.clone();
        let records = records.to_vec();
        let ids = self.ids.clone();
        self.readers.run(move |c| at_once(read::record_ids(c, &ids, &tenant, &records))).await
    }

    async fn past_links(
        &self,
        tenant: &TenantId,
        records: &[i64],
        limit: u32,
    ) -> Result<Vec<IdentityLink>, StoreError> {
        let tenant = tenant.clone();
        let records = records.to_vec();
        self.readers.run(move |c| at_once(load::past(c, &tenant, &records, limit))).await
    }

    async fn forget_past_links(&self, tenant: &TenantId, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        self.writer()?.run(move |c| at_once(list::forget_past(c, &tenant, before_ms, limit))).await
    }

    async fn identity_proposals(
        &self,
        tenant: &TenantId,
        kind: Option<i64>,
        after: (i64, i64),
        limit: u32,
    ) -> Result<Vec<ProposalRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(list::proposals(c, &tenant, kind, after, limit))).await
    }

    async fn identity_conflicts(
        &self,
        tenant: &TenantId,
        kind: Option<i64>,
        after: (i64, i64, i64),
        limit: u32,
    ) -> Result<Vec<ConflictRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(list::conflicts(c, &tenant, kind, after, limit))).await
    }

    async fn worn_values(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<WornRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(list::worn_values(c, &tenant, after, limit))).await
    }

    async fn identity_counts(&self, tenant: &TenantId) -> Result<IdentityCounts, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(load::counts(c, &tenant))).await
    }
}

fn entities_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
