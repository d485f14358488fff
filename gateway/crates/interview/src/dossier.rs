//! Everything that is known of one interview, read at once: what the rules look at.
//!
//! Each kind is read separately, and only through the connections that count for it: what the vendor says through the
//! interview's own connection and those listed along with it, what was decided and corrected through the gateway's own.
//! So records of one kind cannot push out those of another, however many they are, and neither can a stranger's.

use std::collections::BTreeMap;

use renmen_schema::Entity;
use renmen_schema::code::{InterviewStatus, NodeCode};
use renmen_schema::entity::{Application, Decision, DimensionScore, Interview, InterviewOrder, InterviewResult};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::Instant;
use renmen_store::{Parent, RecordRow, Store, StoreError};

use crate::children::Shelf;
use crate::steps::Steps;
use crate::{InterviewError, author, subject};

/// Scores that are looked at for the version of the profile: each of them names it.
const PROFILE_SCORES: usize = 20;

/// A record with its body read.
#[derive(Debug, Clone)]
pub(crate) struct Read<E> {
    pub(crate) row: RecordRow,
    pub(crate) body: E,
}

impl<E: Entity> Read<E> {
    /// None for another entity, a tombstone, or a body of another release that cannot be read.
    pub(crate) fn of(row: RecordRow) -> Option<Self> {
        if row.entity != E::KIND.name() || row.deleted.is_some() {
            return None;
        }
        match serde_json::from_slice(&row.body) {
            Ok(body) => Some(Self { row, body }),
            Err(_) => {
                tracing::warn!(entity = row.entity, record = %row.id, "Failed to read a record; it is left out");
                None
            }
        }
    }
}

/// One interview with what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Dossier {
    pub(crate) key: Parent,
    /// None: only its children came so far.
    pub(crate) interview: Option<Read<Interview>>,
    pub(crate) application: Option<Read<Application>>,
    pub(crate) order: Option<Read<InterviewOrder>>,
    pub(crate) results: Vec<Read<InterviewResult>>,
    /// Scores that people at the gateway wrote over others.
    pub(crate) corrections: Vec<Read<DimensionScore>>,
    /// The scores that those correct, in the end.
    pub(crate) originals: BTreeMap<RecordId, Read<DimensionScore>>,
    /// Which version of the position's profile was scored against, where a score says so.
    pub(crate) scored_against: Option<u32>,
    pub(crate) steps: Steps,
    /// False: it has more steps than are looked at.
    pub(crate) all_steps: bool,
    pub(crate) decisions: Vec<Read<Decision>>,
}

impl Dossier {
    /// Reads it, without what the watch has written: which of that is needed is known when the rest is.
    ///
    /// # Errors
    /// [`InterviewError::Fault`] for one with more results, decisions or corrections than may be looked at: half of them would
    /// lead to another decision than all.
    pub(crate) async fn read(shelf: Shelf<'_>, key: &Parent) -> Result<Self, InterviewError> {
        let mut dossier = Self {
            key: key.clone(),
            application: None,
            order: None,
            interview: find::<Interview>(shelf.store, shelf.tenant, key).await?,
            results: Vec::new(),
            corrections: Vec::new(),
            originals: BTreeMap::new(),
            scored_against: None,
            steps: Steps::default(),
            all_steps: true,
            decisions: Vec::new(),
        };
        dossier.read_theirs(shelf).await?;
        dossier.read_ours(shelf).await?;
        dossier.read_originals(shelf).await?;
        dossier.read_above(shelf).await?;
        Ok(dossier)
    }

    async fn read_theirs(&mut self, shelf: Shelf<'_>) -> Result<(), InterviewError> {
        let sources = shelf.sources.of(&self.key);
        let results = &mut self.results;
        let all = shelf.each(&self.key, sources.clone(), &["interview_result"], |row| {
            results.extend(Read::of(row));
            true
        });
        let all = all.await?;
        self.whole(all, shelf, "results")?;
        let steps = &mut self.steps;
        let all = shelf.each(&self.key, sources.clone(), &["process_node"], |row| {
            Read::of(row).iter().for_each(|node| steps.note(node));
            true
        });
        self.all_steps = all.await?;
        let (mut against, mut seen) = (None, 0);
        let scores = shelf.each(&self.key, sources, &["dimension_score"], |row| {
            against = Read::<DimensionScore>::of(row).and_then(|score| score.body.profile_version);
            seen += 1;
            against.is_none() && seen < PROFILE_SCORES
        });
        scores.await?;
        self.scored_against = against;
        Ok(())
    }

    async fn read_ours(&mut self, shelf: Shelf<'_>) -> Result<(), InterviewError> {
        let (decisions, corrections) = (&mut self.decisions, &mut self.corrections);
        let all = shelf.each(&self.key, vec![author::built_in()], &["decision", "dimension_score"], |row| {
            match row.entity.as_str() {
                "decision" => decisions.extend(Read::of(row)),
                _ => corrections.extend(Read::of(row)),
            }
            true
        });
        let all = all.await?;
        self.whole(all, shelf, "decisions and corrections")
    }

    /// The scores that corrections stand on: of this interview, through a connection that counts for it.
    async fn read_originals(&mut self, shelf: Shelf<'_>) -> Result<(), InterviewError> {
        let adjusted = |read: &Read<DimensionScore>| read.body.adjusts.as_ref().and_then(|of| of.id);
        for id in self.corrections.iter().filter_map(adjusted).collect::<Vec<_>>() {
            if self.originals.contains_key(&id) {
                continue;
            }
            let row = shelf.store.record(shelf.tenant, id).await?;
            let row = row.filter(|row| shelf.sources.of(&self.key).contains(&row.connection));
            let Some(read) = row.and_then(Read::<DimensionScore>::of) else { continue };
            if subject::parents(shelf.store, shelf.tenant, &read.row).await?.contains(&self.key) {
                self.originals.insert(id, read);
            }
        }
        Ok(())
    }

    /// The application and the order. An order that came through a stranger's connection does not count.
    async fn read_above(&mut self, shelf: Shelf<'_>) -> Result<(), InterviewError> {
        let Some(interview) = &self.interview else { return Ok(()) };
        let (store, tenant) = (shelf.store, shelf.tenant);
        for parent in subject::parents(store, tenant, &interview.row).await? {
            match parent.entity.as_str() {
                "application" => self.application = find(store, tenant, &parent).await?,
                "interview_order" if shelf.sources.of(&self.key).contains(&parent.connection) => {
                    self.order = find(store, tenant, &parent).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn whole(&self, all: bool, shelf: Shelf<'_>, what: &str) -> Result<(), InterviewError> {
        if all {
            return Ok(());
        }
        let max = shelf.children_max;
        Err(InterviewError::Fault(format!(
            "an interview of connection `{}` has more than {max} {what}: raise `interview.children_max`",
            self.key.connection
        )))
    }

    /// Is it over, by its own status or by what was told?
    pub(crate) fn is_over(&self) -> bool {
        let status = self.interview.as_ref().map(|read| read.body.status.code);
        status == Some(InterviewStatus::Completed) || self.steps.has(NodeCode::Completed)
    }

    /// When it is said to have ended: by the step that says so, by the interview, or by its first result.
    pub(crate) fn said_ended_ms(&self) -> Option<i64> {
        let ended = || Some(self.interview.as_ref()?.body.ended_at.as_ref()?.utc.epoch_ms());
        let results = || self.results.iter().filter_map(|result| result.body.completed_at).map(Instant::epoch_ms).min();
        self.steps.first_ms(NodeCode::Completed).or_else(ended).or_else(results)
    }

    /// The same, or when it was planned to end.
    pub(crate) fn ended_ms(&self) -> Option<i64> {
        let planned = || Some(self.interview.as_ref()?.body.end.as_ref()?.utc.epoch_ms());
        self.said_ended_ms().or_else(planned)
    }

    /// The interview's key as a part of ids and names of our own.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.key.connection, self.key.external_id)
    }
}

/// The live record with this key.
pub(crate) async fn find<E: Entity>(
    store: &dyn Store,
    tenant: &TenantId,
    key: &Parent,
) -> Result<Option<Read<E>>, StoreError> {
    Ok(subject::row(store, tenant, key).await?.and_then(Read::of))
}
