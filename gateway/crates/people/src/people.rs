//! The persons and units as their users see them: one object to ask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use renmen_clock::Clock;
use renmen_identity::{Rules, Subject, Survivorship};
use renmen_schema::id::{RecordId, TenantId};
use renmen_seat::Seat;
use renmen_store::{IdentityQuery, LeaseStore, RecordIdentity, Store};

use crate::follow::{Follower, Seen};
use crate::person::{
    Ask, Conflict, Decided, Decision, Happened, Page, Person, PersonQuery, Portrait, Proposal, SharedValue,
};
use crate::portrait::Gallery;
use crate::progress::{PeopleProgress, Progress};
use crate::reader::{kind_of, subject_of, subject_of_kind};
use crate::work::{PeopleWork, Shift};
use crate::{PeopleError, decide, timeline, token};

/// What the work is called among the work that one gateway does at a time.
const WORK: &str = "identity";

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct PeopleOptions {
    /// The rules.
    pub rules: Rules,
    /// Which source's value is preferred.
    pub prefer: Survivorship,
    /// How long links are kept that ended, in milliseconds.
    pub history_ms: i64,
    /// Changes read, and records settled, at once.
    pub batch: u32,
    /// Threads of a pass over all records.
    pub threads: usize,
    /// This gateway's name, which no other over the same database has.
    pub gateway: String,
    /// How long a gateway may show no sign of life before another works on in its place.
    pub takeover_after: Duration,
}

impl Default for PeopleOptions {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            prefer: Survivorship::default(),
            history_ms: 366 * 86_400_000,
            batch: 500,
            threads: 2,
            gateway: "gateway".to_owned(),
            takeover_after: Duration::from_secs(15),
        }
    }
}

/// The persons and units of every tenant.
pub struct People {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: Arc<Rules>,
    prefer: Survivorship,
    progresses: BTreeMap<TenantId, Arc<Progress>>,
}

impl People {
    /// Those of these tenants are kept; of others there is only what was found before.
    #[must_use]
    pub fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tenants: &[TenantId],
        options: PeopleOptions,
    ) -> (Arc<Self>, PeopleWork) {
        let rules = Arc::new(options.rules);
        let (mut shifts, mut progresses) = (Vec::new(), BTreeMap::new());
        for tenant in tenants {
            let seat = Arc::new(Seat::of(
                Arc::clone(&store) as Arc<dyn LeaseStore>,
                Arc::clone(&clock),
                (tenant.clone(), WORK.to_owned()),
                options.gateway.clone(),
                options.takeover_after,
            ));
            let progress = Arc::new(Progress::of(Some(Arc::clone(&seat))));
            let follower = Follower {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                tenant: tenant.clone(),
                rules: Arc::clone(&rules),
                batch: options.batch,
                threads: options.threads,
                history_ms: options.history_ms,
                progress: Arc::clone(&progress),
                seen: Seen::default(),
            };
            shifts.push(Shift { seat, follower });
            progresses.insert(tenant.clone(), progress);
        }
        let people = Self { store, clock, rules, prefer: options.prefer, progresses };
        (Arc::new(people), PeopleWork::of(shifts))
    }

    /// Are the persons of this tenant kept?
    #[must_use]
    pub fn keeps(&self, tenant: &TenantId) -> bool {
        self.progresses.contains_key(tenant)
    }

    /// Where the work on a tenant stands; none for one whose persons are not kept.
    #[must_use]
    pub fn progress(&self, tenant: &TenantId) -> Option<PeopleProgress> {
        self.progresses.get(tenant).map(|progress| progress.shown())
    }

    fn gallery<'a>(&'a self, tenant: &'a TenantId) -> Gallery<'a> {
        Gallery { store: &*self.store, tenant, rules: &self.rules, prefer: &self.prefer }
    }

    /// Persons or units, in the order of their oldest records.
    ///
    /// # Errors
    /// [`PeopleError::Store`]; [`PeopleError::NotFound`] for a place to go on from that is not a record's id.
    pub async fn list(&self, tenant: &TenantId, query: &PersonQuery) -> Result<Page<Person, RecordId>, PeopleError> {
        let after = match query.after {
            None => 0,
            Some(id) => self.store.record_identity(tenant, id).await?.ok_or(PeopleError::NotFound)?.record,
        };
        let limit = query.limit.clamp(1, renmen_store::LIST_LIMIT_MAX);
        let asked = IdentityQuery {
            kind: kind_of(query.subject),
            connection: query.connection.clone(),
            unresolved: query.unresolved,
            members_min: query.records_min,
            after,
            limit,
        };
        let heads = self.store.identities(tenant, &asked).await?;
        let ids: Vec<i64> = heads.iter().map(|head| head.identity).collect();
        let items = self.gallery(tenant).persons(&ids).await?;
        let full = heads.len() >= limit as usize;
        let last = heads.last().filter(|_| full).map(|head| head.record);
        let next = match last {
            Some(last) => self.store.record_ids(tenant, &[last]).await?.first().map(|found| found.id),
            None => None,
        };
        Ok(Page { items, next })
    }

    /// The person or unit that a record is of, by any record's id, with what made it one; none for a record that is deleted, or is not a
    /// person's or unit's.
    ///
    /// # Errors
    /// [`PeopleError::Store`].
    pub async fn get(&self, tenant: &TenantId, id: RecordId) -> Result<Option<Portrait>, PeopleError> {
        match self.place(tenant, id).await? {
            None => Ok(None),
            Some((place, subject)) => self.gallery(tenant).portrait(place, subject, id).await,
        }
    }

    /// Where a live record belongs. One that was not settled yet is by itself.
    async fn place(&self, tenant: &TenantId, id: RecordId) -> Result<Option<(RecordIdentity, Subject)>, PeopleError> {
        let Some(place) = self.store.record_identity(tenant, id).await? else { return Ok(None) };
        if let Some(subject) = subject_of_kind(place.kind) {
            return Ok(Some((place, subject)));
        }
        let record = self.store.record(tenant, id).await?.filter(|record| record.deleted.is_none());
        Ok(record.and_then(|record| subject_of(&record.entity)).map(|subject| (place, subject)))
    }

    /// What happened with a person, over all connections.
    ///
    /// # Errors
    /// [`PeopleError::Store`]; [`PeopleError::NotFound`].
    pub async fn timeline(&self, tenant: &TenantId, id: RecordId) -> Result<Vec<Happened>, PeopleError> {
        let (place, subject) = self.place(tenant, id).await?.ok_or(PeopleError::NotFound)?;
        if subject != Subject::Person {
            return Err(PeopleError::NotFound);
        }
        let sources = self.gallery(tenant).sources(place, id).await?;
        timeline::of(&*self.store, tenant, &sources).await
    }

    /// Persons, units, or both that may be one, the oldest first.
    ///
    /// # Errors
    /// [`PeopleError::Store`]; [`PeopleError::BadInput`] for a place to go on from that is not from here.
    pub async fn proposals(
        &self,
        tenant: &TenantId,
        subject: Option<Subject>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Proposal, String>, PeopleError> {
        let [one, other] = token::read(after)?;
        let limit = limit.clamp(1, renmen_store::LIST_LIMIT_MAX);
        let rows = self.store.identity_proposals(tenant, subject.map(kind_of), (one, other), limit).await?;
        let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| token::write([row.one, row.other]));
        Ok(Page { items: self.gallery(tenant).proposals(&rows).await?, next })
    }

    /// Links that are held back, of persons, units, or both.
    ///
    /// # Errors
    /// As [`People::proposals`].
    pub async fn conflicts(
        &self,
        tenant: &TenantId,
        subject: Option<Subject>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Conflict, String>, PeopleError> {
        let [a, b, no] = token::read(after)?;
        let limit = limit.clamp(1, renmen_store::LIST_LIMIT_MAX);
        let rows = self.store.identity_conflicts(tenant, subject.map(kind_of), (a, b, no), limit).await?;
        let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| token::write([row.a, row.b, row.no]));
        Ok(Page { items: self.gallery(tenant).conflicts(&rows).await?, next })
    }

    /// Values that do not count, for too many share them.
    ///
    /// # Errors
    /// As [`People::proposals`].
    pub async fn shared_values(
        &self,
        tenant: &TenantId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<SharedValue, String>, PeopleError> {
        let digest = if after.is_none() { i64::MIN } else { token::read::<1>(after)?[0] };
        let limit = limit.clamp(1, 100);
        let rows = self.store.worn_values(tenant, digest, limit).await?;
        let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| token::write([row.digest]));
        Ok(Page { items: self.gallery(tenant).shared_values(&rows).await?, next })
    }

    /// What people decided, in the order in which they did.
    ///
    /// # Errors
    /// [`PeopleError::Store`].
    pub async fn decisions(
        &self,
        tenant: &TenantId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Page<Decision, i64>, PeopleError> {
        let limit = limit.clamp(1, renmen_store::LIST_LIMIT_MAX);
        let rows = self.store.identity_decisions(tenant, None, after.unwrap_or(0), limit).await?;
        let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| row.seq);
        Ok(Page { items: self.gallery(tenant).decisions(rows).await?, next })
    }

    /// A person decides. It is kept for good, wins over every rule, and acts at once.
    ///
    /// # Errors
    /// [`PeopleError::Store`]; [`PeopleError::NotFound`] for a record that is not there or is deleted; [`PeopleError::BadInput`] for what
    /// cannot be meant; [`PeopleError::Refused`] for what stands already, or where too many records are concerned.
    pub async fn decide(&self, tenant: &TenantId, ask: &Ask) -> Result<Decided, PeopleError> {
        let places = self.places(tenant, &ask.records).await?;
        let desk = decide::Desk { store: &*self.store, clock: &*self.clock, tenant, rules: &self.rules };
        desk.decide(ask, &places).await
    }

    async fn places(
        &self,
        tenant: &TenantId,
        records: &[RecordId],
    ) -> Result<Vec<(RecordIdentity, Subject)>, PeopleError> {
        let (mut places, mut seen) = (Vec::with_capacity(records.len()), BTreeSet::new());
        for id in records.iter().take(decide::RECORDS_MAX + 1) {
            if seen.insert(*id) {
                places.push(self.place(tenant, *id).await?.ok_or(PeopleError::NotFound)?);
            }
        }
        Ok(places)
    }

    /// Undoes a decision: the rules say again what is one.
    ///
    /// # Errors
    /// [`PeopleError::Store`]; [`PeopleError::NotFound`] for a number that is not that of a decision in force; [`PeopleError::BadInput`]
    /// without who or why.
    pub async fn undo(&self, tenant: &TenantId, number: i64, who: &str, why: &str) -> Result<Decided, PeopleError> {
        let desk = decide::Desk { store: &*self.store, clock: &*self.clock, tenant, rules: &self.rules };
        desk.undo(number, who, why).await
    }
}
