//! The list of decisions: every record list's parameters, and by what people look for decisions: whether one is open, and on whose
//! interview or application it is.
//!
//! Two ways to read, one answer. Decisions of an interview or an application are linked to it and read from there. All others are
//! read as every collection is, and those that do not fit are passed over: an answer may hold few of them, or none, and still name
//! a cursor.

use axum::extract::State;
use axum::{Extension, Json};
use renmen_schema::code::DecisionStatus;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{EntityKind, external_of};
use renmen_store::{BUILT_IN_CONNECTION, Parent, RecordQuery, RecordRow};
use serde_json::Value;
use utoipa::ToSchema;

use super::linked_list::{self, From, PIECE, PIECES_MAX};
use super::records::{self, RecordList};
use super::references;
use crate::caller::Caller;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;

/// Status of a decision.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the parameter in the OpenAPI document")]
pub(crate) enum DecisionStatusFilter {
    /// It waits for a person.
    #[schema(rename = "AWAITING_PERSON")]
    AwaitingPerson,
    /// It was made and stands.
    #[schema(rename = "DECIDED")]
    Decided,
    /// Another one took its place.
    #[schema(rename = "SUPERSEDED")]
    Superseded,
}

/// What was asked for besides the parameters of every list.
struct Wanted {
    status: Option<DecisionStatus>,
    interview: Option<Holder>,
    application: Option<Holder>,
}

/// An interview or an application, by both of its names.
struct Holder {
    id: RecordId,
    key: Parent,
}

/// Decisions, in the order in which they were recorded.
#[utoipa::path(
    get, path = "/v1/decisions", tag = "records", operation_id = "list_decisions",
    params(
        ("status" = Option<DecisionStatusFilter>, Query, description = "Only decisions with this status; those with `AWAITING_PERSON` wait for a person to decide"),
        ("interview" = Option<String>, Query, format = "uuid", description = "Only decisions on this interview: its record's id"),
        ("application" = Option<String>, Query, format = "uuid", description = "Only decisions on this application: its record's id"),
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
    let statuses = DecisionStatus::ALL.iter().map(|status| (status.as_str(), *status)).collect::<Vec<_>>();
    let status = params.word("status", &statuses)?;
    let interview = params.id("interview")?;
    let application = params.id("application")?;
    let query = records::asked(EntityKind::Decision, &mut params)?;
    let expand = references::asked(EntityKind::Decision, &mut params)?;
    params.end()?;
    let tenant = &caller.tenant;
    let mut wanted = Wanted { status, interview: None, application: None };
    for (id, kind, place) in [
        (interview, EntityKind::Interview, &mut wanted.interview),
        (application, EntityKind::Application, &mut wanted.application),
    ] {
        let Some(id) = id else { continue };
        let row = state.store.record(tenant, id).await?.filter(|row| row.entity == kind.name());
        // Nothing was decided on what is not there.
        let Some(row) = row else { return Ok(Json(RecordList::empty(&expand))) };
        let key = linked_list::key_of(&row);
        *place = Some(Holder { id, key });
    }
    let (rows, next) = match wanted.interview.as_ref().or(wanted.application.as_ref()) {
        Some(holder) => linked(&state, tenant, &wanted, holder, &query).await?,
        None if wanted.status.is_none() => {
            let slice = records::read_within_bytes(&state, tenant, query).await?;
            (slice.items, slice.next)
        }
        None => passed_over(&state, tenant, &wanted, query).await?,
    };
    RecordList::of(&state, &caller, (EntityKind::Decision, rows), next, expand).await.map(Json)
}

/// Reads from the interview or the application.
async fn linked(
    state: &AppState,
    tenant: &TenantId,
    wanted: &Wanted,
    holder: &Holder,
    query: &RecordQuery,
) -> Result<(Vec<RecordRow>, Option<String>), Problem> {
    let own = ConnectionName::new(BUILT_IN_CONNECTION).map_err(|error| Problem::fault(&error))?;
    let from = From { parent: holder.key.clone(), connections: vec![own], kind: EntityKind::Decision };
    linked_list::read(state, tenant, from, query, |row| wanted.fits(row)).await
}

/// Reads the collection and passes over what does not fit.
async fn passed_over(
    state: &AppState,
    tenant: &TenantId,
    wanted: &Wanted,
    mut query: RecordQuery,
) -> Result<(Vec<RecordRow>, Option<String>), Problem> {
    let (limit, mut found, mut bytes) = (query.limit as usize, Vec::new(), 0);
    query.limit = PIECE;
    for _ in 0..PIECES_MAX {
        let slice = state.store.records(tenant, &query).await?;
        let mut fitting = Vec::new();
        let mut cut = None;
        for (at, row) in slice.items.iter().enumerate().filter(|(_, row)| wanted.fits(row)) {
            let full = found.len() + fitting.len() == limit;
            let heavy =
                bytes + row.body.len() > state.options.page_bytes_max && !(found.is_empty() && fitting.is_empty());
            if full || heavy {
                cut = Some(at);
                break;
            }
            bytes += row.body.len();
            fitting.push(row.clone());
        }
        if cut == Some(0) {
            return Ok((found, query.after));
        }
        if let Some(at) = cut {
            // Only the store knows the cursor in front of this one.
            query.limit = u32::try_from(at).unwrap_or(PIECE);
            let shorter = state.store.records(tenant, &query).await?;
            found.extend(shorter.items.into_iter().filter(|row| wanted.fits(row)));
            return Ok((found, shorter.next));
        }
        found.extend(fitting);
        let Some(next) = slice.next else { return Ok((found, None)) };
        query.after = Some(next);
    }
    Ok((found, query.after))
}

impl Wanted {
    fn fits(&self, row: &RecordRow) -> bool {
        // A tombstone of what was never read has no body; a decision has one for ever.
        let Ok(body) = serde_json::from_slice::<Value>(&row.body) else { return false };
        let stands = self.status.is_none_or(|status| body["status"] == status.as_str());
        let of = |holder: &Option<Holder>, member: &str| {
            holder.as_ref().is_none_or(|holder| holder.is_meant_by(&body[member], &row.connection))
        };
        stands && of(&self.interview, "interview") && of(&self.application, "application")
    }
}

impl Holder {
    fn is_meant_by(&self, reference: &Value, from: &ConnectionName) -> bool {
        let external = external_of(reference, from);
        reference["id"] == self.id.to_string()
            || external.is_some_and(|(connection, id)| connection == self.key.connection && id == self.key.external_id)
    }
}
