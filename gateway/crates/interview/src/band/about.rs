//! What a question is about: from the interview or the order that it names to the application, its candidate and its job.
//!
//! All of it is the gateway's own knowledge. The vendor says which of its interviews; it can name no job, and its records lead to
//! none but the application's own.

use renmen_schema::Entity;
use renmen_schema::code::{InterviewStatus, OrderStatus};
use renmen_schema::entity::{Application, Interview, InterviewOrder, Job, Subject};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::Ref;
use renmen_store::{LinkedQuery, Parent, Store, StoreError};

use super::index::{JobFacts, JobId};
use crate::dossier::{self, Read};
use crate::sources::Sources;
use crate::{InterviewError, author, subject};

/// Jobs above a posting or requisition that are looked at.
const ABOVE_MAX: usize = 3;

/// What a question names: by the ids of the connection that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// An interview.
    Interview(&'a str),
    /// An order of an interview.
    Order(&'a str),
}

impl Asked<'_> {
    /// The interview, where one is named.
    pub(super) fn interview(self, connection: &ConnectionName) -> Option<Parent> {
        match self {
            Self::Interview(id) => Some(key::<Interview>(connection, id)),
            Self::Order(_) => None,
        }
    }
}

/// What a question named: it was found, and it is not over.
pub(super) struct Case {
    /// What the question is written down as a step of, and counted for: the interview, or the application where no
    /// interview exists yet.
    pub(super) key: Parent,
    application: Parent,
}

/// What a question turned out to be about.
pub(super) struct About {
    /// The candidate that it is counted for too, no matter which interview and connection the next question comes by.
    pub(super) candidate: Parent,
    pub(super) job: JobFacts,
}

/// Where to look.
#[derive(Clone, Copy)]
pub(super) struct Library<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) tenant: &'a TenantId,
    pub(super) sources: &'a Sources,
}

impl Library<'_> {
    /// # Errors
    /// [`InterviewError::NotFound`] for what this connection does not have, [`InterviewError::Refused`] for what is over.
    pub(super) async fn case(&self, connection: &ConnectionName, asked: Asked<'_>) -> Result<Case, InterviewError> {
        match asked {
            Asked::Interview(id) => self.interview(key::<Interview>(connection, id)).await,
            Asked::Order(id) => self.order(key::<InterviewOrder>(connection, id)).await,
        }
    }

    pub(super) async fn about(&self, case: &Case) -> Result<About, StoreError> {
        let found = dossier::find::<Application>(self.store, self.tenant, &case.application).await?;
        let candidate = self.candidate(&case.application, found.as_ref()).await?;
        let job = match &found {
            Some(found) => self.job(found).await?,
            None => JobFacts::default(),
        };
        Ok(About { candidate, job })
    }

    /// The candidate of an interview or application that was asked about before.
    pub(super) async fn candidate_of(&self, case: &Parent) -> Result<Option<Parent>, StoreError> {
        let application = if case.entity == Interview::KIND.name() {
            let Some(found) = dossier::find::<Interview>(self.store, self.tenant, case).await? else { return Ok(None) };
            self.key_of(&found.body.application, &found.row.connection).await?
        } else {
            Some(case.clone())
        };
        let Some(application) = application else { return Ok(None) };
        let found = dossier::find::<Application>(self.store, self.tenant, &application).await?;
        self.candidate(&application, found.as_ref()).await.map(Some)
    }

    /// Only an interview that is to come or under way has a reason to ask.
    async fn interview(&self, key: Parent) -> Result<Case, InterviewError> {
        use InterviewStatus::{Confirmed, InProgress, Interrupted, Scheduled};
        let found = dossier::find::<Interview>(self.store, self.tenant, &key).await?;
        let found = found.ok_or(InterviewError::NotFound("interview"))?;
        if !matches!(found.body.status.code, Scheduled | Confirmed | InProgress | Interrupted) {
            return Err(InterviewError::refused(
                "the interview is not open: it is over, or was called off",
                "该面试不在进行中：已结束或已取消",
            ));
        }
        let application = self.key_of(&found.body.application, &found.row.connection).await?;
        Ok(Case { key, application: application.ok_or(InterviewError::NotFound("interview"))? })
    }

    /// An order stands for its interview, once there is one.
    async fn order(&self, order: Parent) -> Result<Case, InterviewError> {
        use OrderStatus::{Acknowledged, Deferred, InProgress, Invited, Requested, Scheduled};
        let found = dossier::find::<InterviewOrder>(self.store, self.tenant, &order).await?;
        let found = found.ok_or(InterviewError::NotFound("order"))?;
        if !matches!(found.body.status.code, Requested | Acknowledged | Invited | Scheduled | InProgress | Deferred) {
            return Err(InterviewError::refused(
                "the order is not open: it is over, or was called off",
                "该面试订单不在进行中：已结束或已取消",
            ));
        }
        let application = self.key_of(&found.body.application, &found.row.connection).await?;
        let application = application.ok_or(InterviewError::NotFound("order"))?;
        let query = LinkedQuery {
            connections: vec![order.connection.clone()],
            parent: order,
            entities: vec![Interview::KIND.name().to_owned()],
            after: None,
            limit: 1,
        };
        let interview = self.store.linked(self.tenant, &query).await?.first().map(subject::key_of);
        Ok(Case { key: interview.unwrap_or_else(|| application.clone()), application })
    }

    async fn candidate(&self, application: &Parent, found: Option<&Read<Application>>) -> Result<Parent, StoreError> {
        let candidate = match found {
            Some(found) => self.key_of(&found.body.candidate, &found.row.connection).await?,
            None => None,
        };
        Ok(candidate.unwrap_or_else(|| application.clone()))
    }

    /// The job of an application, as the connections say that count for it.
    async fn job(&self, application: &Read<Application>) -> Result<JobFacts, StoreError> {
        let counted = self.sources.of(&key::<Job>(&application.row.connection, ""));
        let mut facts = JobFacts::default();
        let (mut reference, mut from) = (Some(application.body.job.clone()), application.row.connection.clone());
        for _ in 0..ABOVE_MAX {
            let Some(named) = reference.take() else { break };
            let key = self.key_of(&named, &from).await?.filter(|key| counted.contains(&key.connection));
            let Some(key) = key else { break };
            let found = dossier::find::<Job>(self.store, self.tenant, &key).await?;
            facts.ids.push(JobId {
                record: found.as_ref().map(|found| found.row.id),
                external: Some((key.connection.clone(), key.external_id)),
            });
            let Some(found) = found else { break };
            facts.add(&found.body);
            if let Some(band) = found.body.pay_band.as_ref().filter(|_| facts.own.is_none()) {
                facts.own = Some(self.id_of(band, &found.row.connection).await?.into_iter().collect());
            }
            reference.clone_from(&found.body.parent);
            from = found.row.connection;
        }
        Ok(facts)
    }

    /// What a reference names: by its source's id, else by ours.
    async fn key_of<E: Entity>(&self, to: &Ref<E>, from: &ConnectionName) -> Result<Option<Parent>, StoreError> {
        if let Some(external) = &to.external {
            let connection = external.connection.as_ref().unwrap_or(from);
            return Ok(Some(key::<E>(connection, &external.value)));
        }
        let Some(id) = to.id else { return Ok(None) };
        let row = self.store.record(self.tenant, id).await?;
        Ok(row.filter(|row| row.entity == E::KIND.name()).map(|row| subject::key_of(&row)))
    }

    async fn id_of<E: Entity>(&self, to: &Ref<E>, from: &ConnectionName) -> Result<Option<RecordId>, StoreError> {
        let Some(key) = self.key_of(to, from).await? else { return Ok(None) };
        Ok(dossier::find::<E>(self.store, self.tenant, &key).await?.map(|found| found.row.id))
    }
}

/// What a step is a step of.
pub(super) fn subject_of(case: &Parent) -> Subject {
    if case.entity == Interview::KIND.name() {
        let interview = author::reference::<Interview>(&case.connection, &case.external_id, None);
        return Subject { interview: Some(interview), ..Subject::new() };
    }
    let application = author::reference::<Application>(&case.connection, &case.external_id, None);
    Subject { application: Some(application), ..Subject::new() }
}

/// What a step of ours is a step of.
pub(super) fn case_of(subject: &Subject) -> Option<Parent> {
    fn named<E: Entity>(reference: Option<&Ref<E>>) -> Option<Parent> {
        let external = reference?.external.as_ref()?;
        Some(key::<E>(external.connection.as_ref()?, &external.value))
    }
    named(subject.interview.as_ref()).or_else(|| named(subject.application.as_ref()))
}

fn key<E: Entity>(connection: &ConnectionName, external_id: &str) -> Parent {
    Parent { connection: connection.clone(), entity: E::KIND.name().to_owned(), external_id: external_id.to_owned() }
}
