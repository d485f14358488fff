//! Deliveries that were taken in.

use axum::extract::State;
use axum::{Extension, Json};
use renmen_schema::id::ExchangeId;
use renmen_store::inbox::InboxRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::instant::Time;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;

/// One delivery of a vendor's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// Its number: later ones have higher ones.
    id: i64,
    /// Through which connection it came.
    connection: String,
    /// The vendor's id of it, where the vendor gives one.
    delivery_id: Option<String>,
    /// When it came first.
    received_at: Time,
    /// What it meant: `records`, `refresh`, `refused` where all that it brought was refused, or `nothing` for an event that the
    /// connector does not know.
    verdict: &'static str,
    /// Records that it brought.
    records: u64,
    /// Of them, those that changed something.
    changes: u64,
    /// Records that were refused.
    quarantined: u64,
    /// Reads that it asked for.
    refreshes: u64,
    /// How often the vendor sent it again.
    repeats: u64,
    /// The delivery as it came, as a path of this API; answers 404 where exchanges are not kept.
    exchange_url: String,
}

/// The newest deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceivedList {
    /// Newest first.
    data: Vec<Received>,
    /// Give it as `before` for the ones before these; none at the end.
    next_before: Option<i64>,
}

impl Received {
    fn of(row: InboxRow) -> Self {
        let verdict = match (row.records, row.refreshes, row.quarantined) {
            (0, 0, 0) => "nothing",
            (0, 0, _) => "refused",
            (0, _, 0) => "refresh",
            _ => "records",
        };
        Self {
            id: row.id,
            connection: row.connection.to_string(),
            delivery_id: row.delivery_id,
            received_at: Time(row.received_at_ms),
            verdict,
            records: row.records,
            changes: row.changes,
            quarantined: row.quarantined,
            refreshes: row.refreshes,
            repeats: row.repeats,
            exchange_url: format!("/v1/exchanges/{}", ExchangeId { page: row.page, no: 0 }),
        }
    }
}

/// The newest deliveries, newest first. A delivery is remembered for a week.
#[utoipa::path(
    get, path = "/v1/inbox", tag = "connections", operation_id = "list_inbox",
    params(
        ("connection" = Option<String>, Query, description = "Only deliveries to this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("before" = Option<i64>, Query, description = "Only deliveries with a lower number", minimum = 1),
        ("limit" = Option<u32>, Query, description = "Deliveries per response; 100 by default", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = ReceivedList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<ReceivedList>, Problem> {
    let connection = params.connection()?;
    let before = params.number("before", 1, i64::MAX)?;
    let limit = params.limit()?;
    params.end()?;
    let rows = state.store.inbox(&caller.tenant, connection.as_ref(), before, limit).await?;
    let next_before = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.id);
    Ok(Json(ReceivedList { data: rows.into_iter().map(Received::of).collect(), next_before }))
}
