//! One person or one unit with everything that is known.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use renmen_people::Subject;
use renmen_schema::id::RecordId;

use super::view::IdentityDetail;
use crate::access;
use crate::caller::Caller;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// One person, from every connection: the records that are this person, each field with the values of all records, which one is preferred
/// and why, what links the records, what is proposed, held back and decided, and what happened with the person.
///
/// The id is that of any of the person's records; the answer has the id of the oldest one. Values that linked records are shown in part.
#[utoipa::path(
    get, path = "/v1/people/{id}", tag = "people", operation_id = "show_person",
    params(("id" = String, Path, format = "uuid", description = "The id of a person, or of one of their records")),
    responses((status = 200, body = IdentityDetail)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(subject): Extension<Subject>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<IdentityDetail>, Problem> {
    params.end()?;
    let none = || Problem::not_found("person or unit", "人员或组织单元");
    let id: RecordId = path_id(&id, "person or unit", "人员或组织单元")?;
    let tenant = &caller.tenant;
    let portrait =
        state.people.get(tenant, id).await?.filter(|found| found.person.subject == subject).ok_or_else(none)?;
    let timeline = match subject {
        Subject::Person => state.people.timeline(tenant, id).await?,
        Subject::Unit => Vec::new(),
    };
    let may_read = |kind| access::may_read(&caller.role, kind);
    IdentityDetail::of(&portrait, &timeline, &may_read).map(Json).ok_or_else(none)
}
