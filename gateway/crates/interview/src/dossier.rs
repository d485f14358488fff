//! Everything that is known of one interview, read at once: what the rules look at.

use renmen_schema::Entity;
use renmen_schema::entity::{
    Application, Decision, DimensionScore, Interview, InterviewOrder, InterviewResult, Notification, ProcessNode,
};
use renmen_schema::id::TenantId;
use renmen_store::{Parent, RecordQuery, RecordRow, Store, StoreError};

use crate::subject;

/// Children of an interview that are looked at: a few hundred questions with their steps.
pub(crate) const CHILDREN_MAX: u32 = 1_000;

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
                tracing::warn!(entity = row.entity, record = %row.id, "A record cannot be read; it is left out");
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
    pub(crate) scores: Vec<Read<DimensionScore>>,
    pub(crate) nodes: Vec<Read<ProcessNode>>,
    pub(crate) decisions: Vec<Read<Decision>>,
    pub(crate) notifications: Vec<Read<Notification>>,
}

impl Dossier {
    /// Reads it.
    pub(crate) async fn read(store: &dyn Store, tenant: &TenantId, key: &Parent) -> Result<Self, StoreError> {
        let interview = find::<Interview>(store, tenant, key).await?;
        let mut dossier = Self {
            key: key.clone(),
            application: None,
            order: None,
            interview,
            results: Vec::new(),
            scores: Vec::new(),
            nodes: Vec::new(),
            decisions: Vec::new(),
            notifications: Vec::new(),
        };
        for row in store.linked(tenant, key, CHILDREN_MAX).await? {
            match row.entity.as_str() {
                "interview_result" => dossier.results.extend(Read::of(row)),
                "dimension_score" => dossier.scores.extend(Read::of(row)),
                "process_node" => dossier.nodes.extend(Read::of(row)),
                "decision" => dossier.decisions.extend(Read::of(row)),
                "notification" => dossier.notifications.extend(Read::of(row)),
                _ => {}
            }
        }
        if let Some(interview) = &dossier.interview {
            for parent in subject::parents(store, tenant, &interview.row).await? {
                match parent.entity.as_str() {
                    "application" => dossier.application = find(store, tenant, &parent).await?,
                    "interview_order" => dossier.order = find(store, tenant, &parent).await?,
                    _ => {}
                }
            }
        }
        Ok(dossier)
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
    let query = RecordQuery {
        entity: Some(key.entity.clone()),
        connection: Some(key.connection.clone()),
        external_id: Some(key.external_id.clone()),
        limit: 1,
        ..RecordQuery::default()
    };
    Ok(store.records(tenant, &query).await?.items.into_iter().next().and_then(Read::of))
}
