//! The list of position profiles: every record list's parameters, and the position whose versions are asked for.

use axum::extract::State;
use axum::{Extension, Json};
use renmen_schema::EntityKind;

use super::linked_list::{self, From};
use super::records::{self, RecordList};
use super::references;
use crate::caller::Caller;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;

/// Versions of position profiles, in the order in which they were recorded.
#[utoipa::path(
    get, path = "/v1/position-profiles", tag = "records", operation_id = "list_position_profiles",
    params(
        ("position" = Option<String>, Query, format = "uuid", description = "Only versions of this position's profile: the record's id of the job"),
        ("updated_since" = Option<String>, Query, format = DateTime, description = "Only records stored at or after this time (RFC 3339)"),
        ("connection" = Option<String>, Query, description = "Only records from this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("external_id" = Option<String>, Query, description = "Only the record with this id in the source system", max_length = 1024, pattern = r"^[^\x00]*$"),
        ("deleted" = Option<super::records::DeletedFilter>, Query, description = "Tombstones: leave them out (the default), list only them, or include them"),
        ("expand" = Option<String>, Query, description = "Names of references, or `all`: adds to each record what these references mean, and to the response the records that are meant, each once, under `expanded`"),
        ("limit" = Option<u32>, Query, description = "Records per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response, with the same filters", max_length = 2082, pattern = "^[0-9a-f]{34,}$"),
    ),
    responses((status = 200, body = RecordList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<RecordList>, Problem> {
    let position = params.id("position")?;
    let query = records::asked(EntityKind::PositionProfile, &mut params)?;
    let expand = references::asked(EntityKind::PositionProfile, &mut params)?;
    params.end()?;
    let tenant = &caller.tenant;
    let (rows, next) = match position {
        None => {
            let slice = records::read_within_bytes(&state, tenant, query).await?;
            (slice.items, slice.next)
        }
        Some(id) => {
            let job = state.store.record(tenant, id).await?.filter(|row| row.entity == EntityKind::Job.name());
            // What is not there has no versions.
            let Some(job) = job else { return Ok(Json(RecordList::empty(&expand))) };
            let counts = state.store.counts(tenant).await?;
            let of = counts.into_iter().filter(|count| count.entity == EntityKind::PositionProfile.name());
            let from = From {
                parent: linked_list::key_of(&job),
                connections: of.map(|count| count.connection).collect(),
                kind: EntityKind::PositionProfile,
            };
            linked_list::read(&state, tenant, from, &query, |_| true).await?
        }
    };
    RecordList::of(&state, &caller, (EntityKind::PositionProfile, rows), next, expand).await.map(Json)
}
