//! The published profile of a position, with its weights under the names that scores use.

use std::collections::BTreeMap;

use renmen_schema::entity::{Competency, PositionProfile};
use renmen_schema::id::RecordId;
use renmen_schema::text;
use renmen_schema::types::{Ref, Weight};

use crate::engine::Asking;
use crate::shelf::Shelf;
use crate::{AnalysisError, shelf};

/// A profile as it counts.
pub(super) struct Published {
    pub(super) version: u32,
    pub(super) weights: Vec<NamedWeight>,
}

/// A competency of it.
pub(super) struct NamedWeight {
    /// As scores name it: the competency's code, or its id in its system.
    pub(super) dimension: String,
    pub(super) competency: Ref<Competency>,
    pub(super) weight: Weight,
}

/// The newest published version.
pub(super) async fn published(asking: &Asking<'_>, position: RecordId) -> Result<Published, AnalysisError> {
    let shelf = Shelf { store: &*asking.analysis.store, tenant: asking.tenant };
    let job = shelf.row(position).await?.ok_or(AnalysisError::NotFound("position"))?;
    let mut newest: Option<shelf::Read<PositionProfile>> = None;
    let mut offer = |read: shelf::Read<PositionProfile>| {
        let theirs = shelf::names(&read.body.position, &read.row.connection, &job);
        let published = read.body.published_at.is_some();
        let newer = newest.as_ref().is_none_or(|known| known.body.version < read.body.version);
        if theirs && published && newer {
            newest = Some(read);
        }
    };
    shelf.each(None, &mut offer).await?;
    let Some(found) = newest else {
        return Err(AnalysisError::Refused(text!(
            "the position has no published profile; publish one, so that there are weights to change",
            "该职位没有已发布的岗位画像；请先发布，才有可调整的权重"
        )));
    };
    let mut weights = Vec::with_capacity(found.body.competencies.len());
    for one in found.body.competencies {
        let known = shelf.meant::<Competency>(&one.competency, &found.row.connection).await?;
        let own = || one.competency.external.as_ref().map(|external| external.value.clone());
        let dimension = known.as_ref().and_then(|known| known.body.code.clone()).or_else(own);
        let dimension = dimension.or_else(|| known.map(|known| known.row.external_id)).unwrap_or_default();
        weights.push(NamedWeight { dimension, competency: one.competency, weight: one.weight });
    }
    Ok(Published { version: found.body.version, weights })
}

/// The version that a draft for a position gets.
pub(super) async fn next_version(asking: &Asking<'_>, position: RecordId) -> Result<u32, AnalysisError> {
    let shelf = Shelf { store: &*asking.analysis.store, tenant: asking.tenant };
    let job = shelf.row(position).await?.ok_or(AnalysisError::NotFound("position"))?;
    let mut newest = 0;
    let mut count = |read: shelf::Read<PositionProfile>| {
        if shelf::names(&read.body.position, &read.row.connection, &job) {
            newest = read.body.version.max(newest);
        }
    };
    shelf.each(None, &mut count).await?;
    Ok(newest.saturating_add(1))
}

/// The competencies that dimensions are named after, by code or by their id in their system.
pub(super) async fn competencies(
    asking: &Asking<'_>,
    dimensions: &[&str],
) -> Result<BTreeMap<String, Ref<Competency>>, AnalysisError> {
    let shelf = Shelf { store: &*asking.analysis.store, tenant: asking.tenant };
    let mut found = BTreeMap::new();
    let mut take = |read: shelf::Read<Competency>| {
        let names = [read.body.code.clone(), Some(read.row.external_id.clone())];
        for name in names.into_iter().flatten().filter(|name| dimensions.contains(&name.as_str())) {
            found.entry(name).or_insert_with(|| Ref::to(read.row.id));
        }
    };
    shelf.each(None, &mut take).await?;
    Ok(found)
}
