//! Everything that happened to one application, in order, each step with its source.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use renmen_interview::{Copied, Step, Timeline};
use renmen_schema::EntityKind;
use renmen_schema::id::RecordId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// A timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Timeline)]
pub(crate) struct TimelineView {
    /// In the order of their times.
    steps: Vec<StepView>,
    /// True: there is more than is shown.
    truncated: bool,
}

/// A page of a candidate's timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CandidateTimeline)]
pub(crate) struct CandidateTimelineView {
    /// In the order of their times.
    data: Vec<StepView>,
    /// For `cursor` of the next request; null at the end.
    next_cursor: Option<String>,
    /// True: the candidate has more records than a timeline is made of, and it is not whole.
    truncated: bool,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineStep)]
pub(crate) struct StepView {
    /// When, by the source's own clock where it says.
    at: Time,
    /// When the gateway learnt of it.
    recorded_at: Time,
    /// `application`, `order`, `interview`, `node`, `environment`, `result`, `correction`, `decision`, `notification`,
    /// `delivery`, `assessment`, `offer`, `survey`; of a candidate also `candidate`, `answer`, `score` and `tag`.
    kind: String,
    /// Which: a node's code, a template's name, `connection:action` of a delivery.
    code: Option<String>,
    /// Where it stood then.
    status: Option<String>,
    /// The connection that it came through, or went to; `renmen` for what the gateway wrote.
    connection: String,
    /// The id there.
    external_id: String,
    /// The record.
    #[schema(format = "uuid")]
    record_id: String,
    /// Its revision, from 1.
    revision: i64,
    /// The record with where its values came from, as a path of this API.
    lineage_url: Option<String>,
    /// What it was made from, for what the gateway wrote.
    causes: Vec<CauseView>,
    /// The delivery, as a path of this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_url: Option<String>,
    /// What other systems keep of the same interview or application, as it stands now. They are not steps of their own.
    copies: Vec<CopyView>,
}

/// A record that another system keeps of what a step is about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineCopy)]
pub(crate) struct CopyView {
    /// The record.
    #[schema(format = "uuid")]
    record_id: String,
    /// Entity of the record.
    entity: String,
    /// The connection that it came through.
    connection: String,
    /// The id there.
    external_id: String,
    /// The record with where its values came from, as a path of this API.
    lineage_url: Option<String>,
}

impl CopyView {
    fn of(copy: Copied) -> Self {
        Self {
            lineage_url: lineage_url(&copy.entity, copy.record),
            record_id: copy.record.to_string(),
            entity: copy.entity,
            connection: copy.connection.to_string(),
            external_id: copy.external_id,
        }
    }
}

fn lineage_url(entity: &str, record: RecordId) -> Option<String> {
    let collection = EntityKind::from_name(entity)?.collection();
    Some(format!("/v1/{collection}/{record}?include=lineage"))
}

/// A revision that another was made from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineCause)]
pub(crate) struct CauseView {
    /// The record.
    #[schema(format = "uuid")]
    record_id: String,
    /// Its revision, from 1.
    revision: i64,
}

impl StepView {
    fn of(step: Step) -> Self {
        Self {
            at: Time(step.at_ms),
            recorded_at: Time(step.recorded_at_ms),
            kind: step.kind.to_owned(),
            code: step.code,
            status: step.status,
            connection: step.connection.to_string(),
            external_id: step.external_id,
            record_id: step.record.to_string(),
            revision: step.revision,
            lineage_url: lineage_url(&step.entity, step.record),
            causes: step
                .causes
                .into_iter()
                .map(|cause| CauseView { record_id: cause.record.to_string(), revision: cause.revision })
                .collect(),
            delivery_url: step.delivery.map(|id| format!("/v1/deliveries/{id}")),
            copies: step.copies.into_iter().map(CopyView::of).collect(),
        }
    }
}

/// Everything that happened to one application, from all sources, in order.
#[utoipa::path(
    get, path = "/v1/applications/{id}/timeline", tag = "interviews", operation_id = "get_timeline",
    params(("id" = String, Path, format = "uuid", description = "The application's id")),
    responses((status = 200, body = TimelineView)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<TimelineView>, Problem> {
    params.end()?;
    let id: RecordId = path_id(&id, "application", "应聘记录")?;
    let Timeline { steps, truncated } = state.interviews.timeline(&caller.tenant, id).await?;
    Ok(Json(TimelineView { steps: steps.into_iter().map(StepView::of).collect(), truncated }))
}

/// Everything that happened to one candidate across all their applications, from all sources, in order, with answers and scores.
#[utoipa::path(
    get, path = "/v1/candidates/{id}/timeline", tag = "interviews", operation_id = "get_candidate_timeline",
    params(
        ("id" = String, Path, format = "uuid", description = "The candidate's id"),
        ("limit" = Option<u32>, Query, description = "Steps per response", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", max_length = 128, pattern = "^-?[0-9]{1,18}_-?[0-9]{1,18}_[0-9a-f-]{36}_[0-9]{1,18}_[0-9]{1,18}$"),
    ),
    responses((status = 200, body = CandidateTimelineView)),
)]
pub(crate) async fn of_candidate(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Json<CandidateTimelineView>, Problem> {
    let limit = params.limit()? as usize;
    let after = params.text("cursor")?.map(|text| TimelineCursor::read(&text)).transpose()?;
    params.end()?;
    let id: RecordId = path_id(&id, "candidate", "候选人")?;
    let Timeline { steps, truncated } = state.interviews.candidate_timeline(&caller.tenant, id).await?;
    let rest = steps.into_iter().filter(|step| after.as_ref().is_none_or(|after| TimelineCursor::of(step) > *after));
    let mut page: Vec<Step> = rest.take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let next_cursor = page.last().filter(|_| more).map(|last| TimelineCursor::of(last).text());
    Ok(Json(CandidateTimelineView { data: page.into_iter().map(StepView::of).collect(), next_cursor, truncated }))
}

/// Where a step stands in its timeline: a page goes on behind it, also when steps have come in before it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TimelineCursor(i64, i64, RecordId, i64, i64);

impl TimelineCursor {
    fn of(step: &Step) -> Self {
        Self(step.at_ms, step.recorded_at_ms, step.record, step.revision, step.delivery.unwrap_or(0))
    }

    fn text(&self) -> String {
        let Self(at, recorded_at, record, revision, delivery) = self;
        format!("{at}_{recorded_at}_{record}_{revision}_{delivery}")
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let parts: Vec<_> = text.split('_').collect();
        let read = || {
            let [at, recorded_at, record, revision, delivery] = parts.as_slice() else { return None };
            let number = |text: &str| text.parse::<i64>().ok();
            Some(Self(number(at)?, number(recorded_at)?, record.parse().ok()?, number(revision)?, number(delivery)?))
        };
        read().ok_or_else(|| {
            Problem::new(ProblemCode::InvalidCursor)
                .detail("use a `next_cursor` of this timeline", "请使用本时间线返回的 `next_cursor`")
        })
    }
}
