//! From records to facts: bodies that changed are read, with the applications that other records tell of them, and only facts that differ
//! from those that are kept are written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use renmen_identity::{Body, Digests, Facts, Rules, Subject, facts_of};
use renmen_schema::id::TenantId;
use renmen_schema::{EntityKind, external_of};
use renmen_store::{ApplicationRow, FactRow, FactWrite, IdentityAsk, PERSON, Store, StoreError, SubjectBody, UNIT};
use serde_json::Value;

/// Entities that are a person or a unit, or tell whose an application is.
pub(crate) const ENTITIES: [&str; 6] = ["person", "employee", "candidate", "org_unit", "application", "employment"];

/// Fewer bodies than this are read where they are.
const APART_FROM: usize = 512;

/// A record by connection, entity and id there.
type Name = (String, String, String);

/// Reads facts of one tenant.
pub(crate) struct Reader<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a TenantId,
    pub(crate) rules: &'a Arc<Rules>,
    pub(crate) digests: &'a Digests,
    /// Threads on which many bodies are read.
    pub(crate) threads: usize,
}

/// What records say now, where it differs from what is kept.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) facts: Vec<FactWrite>,
    pub(crate) applications: Vec<(i64, Option<ApplicationRow>)>,
}

/// Who a record may be.
pub(crate) fn subject_of(entity: &str) -> Option<Subject> {
    EntityKind::from_name(entity).and_then(Subject::of)
}

/// As the store keeps it.
pub(crate) fn kind_of(subject: Subject) -> i64 {
    match subject {
        Subject::Person => PERSON,
        Subject::Unit => UNIT,
    }
}

/// Of a kind that the store keeps.
pub(crate) fn subject_of_kind(kind: i64) -> Option<Subject> {
    [Subject::Person, Subject::Unit].into_iter().find(|subject| kind_of(*subject) == kind)
}

fn name_of(record: &SubjectBody) -> Name {
    (record.connection.to_string(), record.entity.clone(), record.external_id.clone())
}

impl Reader<'_> {
    /// What these records say. Of those whom they tell about, records beyond `until` are left out: a pass comes to them later.
    pub(crate) async fn read(&self, records: Vec<SubjectBody>, until: i64) -> Result<Read, StoreError> {
        let mut read = Read::default();
        let (mut subjects, tellers): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| subject_of(&record.entity).is_some());
        let mut told: BTreeSet<Name> = BTreeSet::new();
        if !tellers.is_empty() {
            let numbers: Vec<i64> = tellers.iter().map(|record| record.record).collect();
            let before = self.store.applications(self.tenant, &numbers, &[]).await?;
            let before: BTreeMap<i64, ApplicationRow> = before.into_iter().map(|row| (row.record, row)).collect();
            for teller in &tellers {
                let (was, now) = (before.get(&teller.record), self.told_by(teller).await?);
                if was != now.as_ref() {
                    told.extend(was.into_iter().chain(&now).map(|row| row.whose.clone()));
                    read.applications.push((teller.record, now));
                }
            }
        }
        let there: BTreeSet<Name> = subjects.iter().map(name_of).collect();
        let others: Vec<Name> = told.into_iter().filter(|name| !there.contains(name)).collect();
        if !others.is_empty() {
            let others = self.store.subjects_named(self.tenant, &others).await?.records;
            subjects.extend(others.into_iter().filter(|record| record.record <= until));
        }
        read.facts = self.facts(subjects, &read.applications).await?;
        Ok(read)
    }

    async fn facts(
        &self,
        subjects: Vec<SubjectBody>,
        told: &[(i64, Option<ApplicationRow>)],
    ) -> Result<Vec<FactWrite>, StoreError> {
        let names: Vec<Name> =
            subjects.iter().filter(|one| one.entity != "org_unit" && one.entity != "person").map(name_of).collect();
        let mut applications: BTreeMap<i64, ApplicationRow> = BTreeMap::new();
        if !names.is_empty() {
            let known = self.store.applications(self.tenant, &[], &names).await?;
            applications.extend(known.into_iter().map(|row| (row.record, row)));
        }
        for (record, row) in told {
            applications.remove(record);
            applications.extend(row.clone().map(|row| (*record, row)));
        }
        let mut by_name: BTreeMap<Name, Vec<(String, String)>> = BTreeMap::new();
        for row in applications.into_values() {
            by_name.entry(row.whose).or_default().push(row.application);
        }
        let facts = subjects.iter().map(|record| record.record).collect();
        let before = self.store.identity_load(self.tenant, IdentityAsk { facts, ..IdentityAsk::default() }).await?;
        let mut before: BTreeMap<i64, FactRow> = before.facts.into_iter().map(|row| (row.record, row)).collect();
        let with_what_is_known = |record: SubjectBody| Known {
            applications: by_name.get(&name_of(&record)).cloned().unwrap_or_default(),
            before: before.remove(&record.record),
            record,
        };
        self.compare(subjects.into_iter().map(with_what_is_known).collect()).await
    }

    /// What differs from what is kept; of many on threads of their own.
    async fn compare(&self, mut known: Vec<Known>) -> Result<Vec<FactWrite>, StoreError> {
        if known.len() < APART_FROM {
            return Ok(known.into_iter().filter_map(|one| one.write(self.rules, self.digests)).collect());
        }
        let share = known.len().div_ceil(self.threads.max(1));
        let mut tasks = Vec::new();
        while !known.is_empty() {
            let some = known.split_off(known.len().saturating_sub(share));
            let (rules, digests) = (Arc::clone(self.rules), self.digests.clone());
            let work = move || some.into_iter().filter_map(|one| one.write(&rules, &digests)).collect::<Vec<_>>();
            tasks.push(tokio::task::spawn_blocking(work));
        }
        let mut all = Vec::new();
        for task in tasks {
            let ended = |error| StoreError::Fault(format!("bodies were not read to their end: {error}"));
            all.append(&mut task.await.map_err(ended)?);
        }
        Ok(all)
    }

    /// The application that a record tells of, and the record that it is of.
    async fn told_by(&self, teller: &SubjectBody) -> Result<Option<ApplicationRow>, StoreError> {
        let Some(body) = teller.body.as_ref().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok()) else {
            return Ok(None);
        };
        let (whose, application) = if teller.entity == "application" {
            let own = (teller.connection.to_string(), teller.external_id.clone());
            (self.named(teller, &body["candidate"], "candidate").await?, Some(own))
        } else {
            let of = self.named(teller, &body["source_application"], "application").await?;
            (self.named(teller, &body["employee"], "employee").await?, of.map(|(connection, _, id)| (connection, id)))
        };
        let row = |(whose, application)| ApplicationRow { record: teller.record, whose, application };
        Ok(whose.zip(application).map(row))
    }

    async fn named(&self, teller: &SubjectBody, reference: &Value, entity: &str) -> Result<Option<Name>, StoreError> {
        if let Some((connection, id)) = external_of(reference, &teller.connection) {
            return Ok(Some((connection.to_string(), entity.to_owned(), id.to_owned())));
        }
        let Some(id) = reference["id"].as_str().and_then(|id| id.parse().ok()) else { return Ok(None) };
        let found = self.store.record(self.tenant, id).await?.filter(|row| row.entity == entity);
        Ok(found.map(|row| (row.connection.to_string(), row.entity, row.external_id)))
    }
}

/// A record with what is kept of it.
struct Known {
    record: SubjectBody,
    applications: Vec<(String, String)>,
    before: Option<FactRow>,
}

impl Known {
    /// None: nothing that counts changed.
    fn write(mut self, rules: &Rules, digests: &Digests) -> Option<FactWrite> {
        let record = &self.record;
        let kind = EntityKind::from_name(&record.entity)?;
        self.applications.sort_unstable();
        self.applications.dedup();
        let now = record.body.as_ref().and_then(|bytes| {
            let body = Body {
                connection: record.connection.as_str(),
                kind,
                external_id: &record.external_id,
                bytes,
                applications: &self.applications,
            };
            facts_of(rules, digests, body)
        });
        let row = now.as_ref().map(|facts| FactRow {
            record: record.record,
            kind: Subject::of(kind).map_or(0, kind_of),
            place: i64::from(facts.place),
            name: facts.name().cast_signed(),
            facts: facts.to_bytes(),
        });
        if self.before == row {
            return None;
        }
        let keys_before = self.before.and_then(|row| Facts::from_bytes(&row.facts));
        let key = |key: &renmen_identity::Key| (key.digest.cast_signed(), i64::from(key.rule));
        Some(FactWrite {
            record: record.record,
            before: keys_before.map(|facts| facts.keys().iter().map(key).collect()).unwrap_or_default(),
            keys: now.map(|facts| facts.keys().iter().map(|one| key(one).0).collect()).unwrap_or_default(),
            now: row,
        })
    }
}
