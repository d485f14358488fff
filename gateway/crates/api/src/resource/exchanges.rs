//! A recorded HTTP exchange: the end of every line of lineage. Secrets were taken out before it was recorded.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use renmen_schema::id::ExchangeId;
use serde::Serialize;
use utoipa::ToSchema;

use super::bytes::Bytes;
use crate::caller::Caller;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// One recorded request with its response.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Exchange {
    /// The page that it belongs to, and its number within it: `812-0`.
    id: String,
    /// The run that made it.
    run: i64,
    /// Through which connection.
    connection: String,
    /// The stream.
    stream: String,
    /// When the answer was complete.
    at: Time,
    /// From the first byte sent to the last byte read, in milliseconds.
    took_ms: u32,
    /// The request.
    request: ExchangeRequest,
    /// The response.
    response: ExchangeResponse,
}

/// A recorded request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeRequest {
    /// Method.
    method: String,
    /// URL without its credential.
    url: String,
    /// The connector's headers.
    headers: Vec<Header>,
    /// Null: none was sent.
    body: Option<Bytes>,
}

/// A recorded response.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeResponse {
    /// HTTP status.
    status: u16,
    /// Lower-case names.
    headers: Vec<Header>,
    /// As the connector saw it.
    body: Bytes,
    /// BLAKE3 of the whole body, in hexadecimal.
    body_hash: String,
}

/// A header.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Header {
    /// Name.
    name: String,
    /// Value.
    value: String,
}

/// One recorded exchange.
#[utoipa::path(
    get, path = "/v1/exchanges/{id}", tag = "lineage", operation_id = "get_exchange",
    params(("id" = String, Path, description = "The exchange's id, as in lineage: `812-0`", pattern = "^[0-9]+-[0-9]+$", max_length = 40)),
    responses((status = 200, body = Exchange)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Exchange>, Problem> {
    params.end()?;
    let id: ExchangeId = path_id(&id, "exchange", "交换记录")?;
    let row = state.store.exchange(&caller.tenant, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("exchange", "交换记录"))?;
    let opened = state.control.open_exchange(&row.exchange.packed)?;
    let max = state.options.exchange_body_bytes_max;
    Ok(Json(Exchange {
        id: row.id.to_string(),
        run: row.run.0,
        connection: row.connection.to_string(),
        stream: row.stream.to_string(),
        at: Time(row.exchange.at_ms),
        took_ms: opened.took_ms,
        request: ExchangeRequest {
            method: row.exchange.method,
            url: row.exchange.url,
            headers: headers(opened.request_headers),
            body: opened.request_body.map(|body| Bytes::shown(&body, max)),
        },
        response: ExchangeResponse {
            status: row.exchange.status,
            headers: headers(opened.response_headers),
            body: Bytes::shown(&opened.response_body, max),
            body_hash: hex::encode(row.exchange.body_hash),
        },
    }))
}

fn headers(pairs: Vec<(String, String)>) -> Vec<Header> {
    pairs.into_iter().map(|(name, value)| Header { name, value }).collect()
}
