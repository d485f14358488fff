//! Everything that happened to one application, in order, each step with its source.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use renmen_schema::EntityKind;
use renmen_schema::id::RecordId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::instant::Time;
use crate::interviews::TimelineStep;
use crate::params::{Params, path_id};
use crate::problem::Problem;
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

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineStep)]
pub(crate) struct StepView {
    /// When, by the source's own clock where it says.
    at: Time,
    /// When the gateway learnt of it.
    recorded_at: Time,
    /// `application`, `order`, `interview`, `node`, `environment`, `result`, `correction`, `decision`, `notification`,
    /// `delivery`, `assessment`, `offer`, `survey`.
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
    fn of(step: TimelineStep) -> Self {
        let collection = EntityKind::from_name(&step.entity).map(EntityKind::collection);
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
            lineage_url: collection.map(|collection| format!("/v1/{collection}/{}?include=lineage", step.record)),
            causes: step
                .causes
                .into_iter()
                .map(|cause| CauseView { record_id: cause.record.to_string(), revision: cause.revision })
                .collect(),
            delivery_url: step.delivery.map(|id| format!("/v1/deliveries/{id}")),
        }
    }
}

/// Everything that happened to one application, whoever said so, in order.
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
    let (steps, truncated) = state.interviews()?.timeline(&caller.tenant, id).await?;
    Ok(Json(TimelineView { steps: steps.into_iter().map(StepView::of).collect(), truncated }))
}
