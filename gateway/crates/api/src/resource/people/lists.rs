//! Lists: who there is, who may be one, what is held back, what people decided, and values that do not count.

use axum::extract::State;
use axum::{Extension, Json};
use renmen_people::{Page, PeopleError, PersonQuery, Subject};
use renmen_schema::id::RecordId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::{IdentityConflict, IdentityDecision, IdentityProposal, IdentitySharedValue, IdentityView};
use crate::access;
use crate::caller::Caller;
use crate::params::Params;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Records that are asked for at least of each person.
const RECORDS_MIN_MAX: u32 = 1_000;

macro_rules! list {
    ($(#[$doc:meta])* $name:ident of $item:ident) => {
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        pub(crate) struct $name {
            /// In the order of the list.
            data: Vec<$item>,
            /// Pass it as `cursor` to read the next page; null at the end.
            next_cursor: Option<String>,
        }
    };
}

/// A piece of a list. A place to go on from that is not from here is a wrong cursor.
fn piece<T, N>(found: Result<Page<T, N>, PeopleError>) -> Result<Page<T, N>, Problem> {
    found.map_err(|error| match error {
        PeopleError::NotFound | PeopleError::BadInput(_) => Problem::new(ProblemCode::InvalidCursor),
        other => other.into(),
    })
}

list! {
    /// A piece of the people or units.
    IdentityList of IdentityView
}
list! {
    /// A piece of the proposals.
    IdentityProposalList of IdentityProposal
}
list! {
    /// A piece of the links that are held back.
    IdentityConflictList of IdentityConflict
}
list! {
    /// A piece of the decisions.
    IdentityDecisionList of IdentityDecision
}
list! {
    /// A piece of the values that do not count.
    IdentitySharedValueList of IdentitySharedValue
}

/// The people that all connections know, each once.
///
/// A record that is linked with no other one is a person by itself.
#[utoipa::path(
    get, path = "/v1/people", tag = "people", operation_id = "list_people",
    params(
        ("connection" = Option<String>, Query, description = "Only those with a record from this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("unresolved" = Option<bool>, Query, description = "`true`: only those with a proposal or a conflict"),
        ("records_min" = Option<u32>, Query, description = "Only those with at least so many records", minimum = 1, maximum = 1000),
        ("limit" = Option<u32>, Query, description = "People per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, format = "uuid", description = "`next_cursor` of the previous response, with the same filters"),
    ),
    responses((status = 200, body = IdentityList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(subject): Extension<Subject>,
    mut params: Params,
) -> Result<Json<IdentityList>, Problem> {
    let query = PersonQuery {
        subject,
        connection: params.connection()?,
        unresolved: params.word("unresolved", &[("true", true), ("false", false)])?.unwrap_or(false),
        records_min: params.number("records_min", 1, RECORDS_MIN_MAX)?.unwrap_or(1),
        limit: params.limit()?,
        after: params.id("cursor")?,
    };
    params.end()?;
    let Page { items, next } = piece(state.people.list(&caller.tenant, &query).await)?;
    let may_read = |kind| access::may_read(&caller.role, kind);
    let data = items.iter().filter_map(|person| IdentityView::of(person, &may_read)).collect();
    Ok(Json(IdentityList { data, next_cursor: next.map(|id: RecordId| id.to_string()) }))
}

/// People who may be one: the rules found much in common, and too little to link them. They wait for a decision.
#[utoipa::path(
    get, path = "/v1/people/proposals", tag = "people", operation_id = "list_people_proposals",
    params(
        ("limit" = Option<u32>, Query, description = "Proposals per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", max_length = 512),
    ),
    responses((status = 200, body = IdentityProposalList)),
)]
pub(crate) async fn proposals(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(subject): Extension<Subject>,
    mut params: Params,
) -> Result<Json<IdentityProposalList>, Problem> {
    let (limit, after) = (params.limit()?, params.text("cursor")?);
    params.end()?;
    let Page { items, next } =
        piece(state.people.proposals(&caller.tenant, Some(subject), after.as_deref(), limit).await)?;
    Ok(Json(IdentityProposalList { data: items.iter().map(IdentityProposal::of).collect(), next_cursor: next }))
}

/// Links that are held back: rules would make one person of two who cannot be one.
#[utoipa::path(
    get, path = "/v1/people/conflicts", tag = "people", operation_id = "list_people_conflicts",
    params(
        ("limit" = Option<u32>, Query, description = "Conflicts per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", max_length = 512),
    ),
    responses((status = 200, body = IdentityConflictList)),
)]
pub(crate) async fn conflicts(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(subject): Extension<Subject>,
    mut params: Params,
) -> Result<Json<IdentityConflictList>, Problem> {
    let (limit, after) = (params.limit()?, params.text("cursor")?);
    params.end()?;
    let Page { items, next } =
        piece(state.people.conflicts(&caller.tenant, Some(subject), after.as_deref(), limit).await)?;
    Ok(Json(IdentityConflictList { data: items.iter().map(IdentityConflict::of).collect(), next_cursor: next }))
}

/// Values that too many records share to tell one person from another: they do not count. Only how many and which records, never the
/// values.
#[utoipa::path(
    get, path = "/v1/people/shared-values", tag = "people", operation_id = "list_people_shared_values",
    params(
        ("limit" = Option<u32>, Query, description = "Values per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", max_length = 512),
    ),
    responses((status = 200, body = IdentitySharedValueList)),
)]
pub(crate) async fn shared_values(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<IdentitySharedValueList>, Problem> {
    let (limit, after) = (params.limit()?, params.text("cursor")?);
    params.end()?;
    let Page { items, next } = piece(state.people.shared_values(&caller.tenant, after.as_deref(), limit).await)?;
    Ok(Json(IdentitySharedValueList { data: items.iter().map(IdentitySharedValue::of).collect(), next_cursor: next }))
}

/// What people decided, of people and of units, in the order in which it was decided; also what was undone.
#[utoipa::path(
    get, path = "/v1/people/decisions", tag = "people", operation_id = "list_people_decisions",
    params(
        ("limit" = Option<u32>, Query, description = "Decisions per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", pattern = "^[0-9]{1,18}$"),
    ),
    responses((status = 200, body = IdentityDecisionList)),
)]
pub(crate) async fn decisions(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<IdentityDecisionList>, Problem> {
    let (limit, after) = (params.limit()?, params.numbered_cursor()?);
    params.end()?;
    let Page { items, next } = piece(state.people.decisions(&caller.tenant, after, limit).await)?;
    let data = items.iter().map(IdentityDecision::of).collect();
    Ok(Json(IdentityDecisionList { data, next_cursor: next.map(|number: i64| number.to_string()) }))
}
