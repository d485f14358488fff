//! An application with what belongs to it: its job, its candidate, the bands of the job, and the results of its interviews.
//!
//! A result counts through the connection of its own interview alone, and that must be one that the gateway acts on: what a stranger says of
//! an interview changes nothing here either.

use renmen_schema::code::BandStatus;
use renmen_schema::entity::{Application, Candidate, Interview, InterviewResult, Job, PayBand};
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::{Entity, text};
use renmen_store::{Cause, LinkedQuery, Parent, RecordRow};

use crate::engine::Asking;
use crate::shelf::{self, Read, Shelf};
use crate::{AnalysisError, Ask};

/// Interviews, results or scores of one application that are looked at.
const CHILDREN_MAX: u32 = 1_000;

/// An application with its job.
pub(super) struct Case<'a> {
    pub(super) shelf: Shelf<'a>,
    pub(super) application: Read<Application>,
    pub(super) job: Option<Read<Job>>,
    vendors: &'a [ConnectionName],
    pay_bands: &'a [ConnectionName],
}

impl<'a> Case<'a> {
    /// The application that is asked about.
    pub(super) async fn open(asking: &Asking<'a>) -> Result<Self, AnalysisError> {
        let id = Ask::need(asking.ask.application.as_ref(), "application")?;
        let shelf = Shelf { store: &*asking.analysis.store, tenant: asking.tenant };
        let application: Read<Application> = shelf.get(id).await?.ok_or(AnalysisError::NotFound("application"))?;
        let job = shelf.meant(&application.body.job, &application.row.connection).await?;
        let settings = asking.analysis.settings();
        Ok(Self { shelf, application, job, vendors: &settings.vendors, pay_bands: &settings.pay_bands })
    }

    pub(super) async fn candidate(&self) -> Result<Option<Read<Candidate>>, AnalysisError> {
        self.shelf.meant(&self.application.body.candidate, &self.application.row.connection).await
    }

    /// The level that is hired for.
    pub(super) fn level(&self) -> Option<&str> {
        let job = &self.job.as_ref()?.body;
        job.min_level.as_deref().or(job.max_level.as_deref())
    }

    /// The active bands of the job, those that are most exactly its own first.
    pub(super) async fn bands(&self) -> Result<Vec<Read<PayBand>>, AnalysisError> {
        let Some(job) = &self.job else { return Ok(Vec::new()) };
        let mut found: Vec<(u8, Read<PayBand>)> = Vec::new();
        if let Some(named) = &job.body.pay_band
            && let Some(band) = self.shelf.meant(named, &job.row.connection).await?
            && self.pay_bands.contains(&band.row.connection)
        {
            found.push((0, band));
        }
        let mut take = |band: Read<PayBand>| {
            let known = found.iter().any(|(_, known)| known.row.id == band.row.id);
            let counts = self.pay_bands.contains(&band.row.connection) && band.body.status == BandStatus::Active;
            if let Some(rank) = rank(&band, job).filter(|_| !known && counts) {
                found.push((rank, band));
            }
        };
        self.shelf.each(None, &mut take).await?;
        found.sort_by_key(|(rank, band)| (*rank, band.row.id));
        Ok(found.into_iter().map(|(_, band)| band).collect())
    }

    /// The results of its interviews, the newest first.
    pub(super) async fn results(&self) -> Result<Vec<Read<InterviewResult>>, AnalysisError> {
        let mut found = Vec::new();
        for interview in self.interviews().await? {
            let of = [interview.row.connection.clone()];
            let rows = self.children(&interview.row, InterviewResult::KIND.name(), &of).await?;
            found.extend(rows.into_iter().filter_map(Read::<InterviewResult>::of));
        }
        found.sort_by_key(|one| std::cmp::Reverse((one.body.completed_at, one.row.recorded_at_ms, one.row.id)));
        Ok(found)
    }

    /// The result that was said, or the newest.
    pub(super) async fn result(&self, said: Option<RecordId>) -> Result<Read<InterviewResult>, AnalysisError> {
        let mut results = self.results().await?.into_iter();
        match said {
            Some(id) => results.find(|one| one.row.id == id).ok_or(AnalysisError::NotFound("result")),
            None => results.next().ok_or_else(|| {
                AnalysisError::Refused(text!(
                    "the application has no result of an interview yet; ask again when there is one",
                    "该应聘还没有面试结果；请在有结果后再问"
                ))
            }),
        }
    }

    async fn interviews(&self) -> Result<Vec<Read<Interview>>, AnalysisError> {
        let rows = self.children(&self.application.row, Interview::KIND.name(), self.vendors).await?;
        Ok(rows.into_iter().filter_map(Read::of).collect())
    }

    /// What belongs to a record, of these connections.
    pub(super) async fn children(
        &self,
        parent: &RecordRow,
        entity: &str,
        connections: &[ConnectionName],
    ) -> Result<Vec<RecordRow>, AnalysisError> {
        let query = LinkedQuery {
            parent: Parent {
                connection: parent.connection.clone(),
                entity: parent.entity.clone(),
                external_id: parent.external_id.clone(),
            },
            connections: connections.to_vec(),
            entities: vec![entity.to_owned()],
            after: None,
            limit: CHILDREN_MAX,
        };
        Ok(self.shelf.store.linked(self.shelf.tenant, &query).await?)
    }
}

/// How exactly a band is that of a job: none where it is another's.
fn rank(band: &Read<PayBand>, job: &Read<Job>) -> Option<u8> {
    let (key, body) = (&band.body.key, &job.body);
    if let Some(position) = &key.position {
        return shelf::names(position, &band.row.connection, &job.row).then_some(1);
    }
    if let Some(name) = &key.position_name {
        return body.title.iter().any(|(_, title)| title == name).then_some(2);
    }
    match (&key.job_family, &body.job_family) {
        (Some(theirs), Some(own)) => (theirs == own).then_some(3),
        (Some(_), None) => None,
        // Of a level or grade alone.
        (None, _) => Some(4),
    }
}

/// A record as what another was made from.
pub(super) fn cause(row: &RecordRow) -> Cause {
    Cause { record: row.id, revision: row.revision }
}
