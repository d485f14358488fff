//! The change feed: everything that happened to records, in one order, without gaps that fill later. Read by pages,
//! waited for by long poll, or followed as an event stream (`change_stream`).

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use renmen_schema::EntityKind;
use renmen_schema::id::TenantId;
use renmen_store::ChangeRow;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::change_events::{ChangeEvent, ChangeEvents, wanted_as_events};
use super::change_records::{wants_records, with_records};
use super::change_view::{Change, Wanted};
use super::position::{Position, known};
use super::schema::EntityName;
use crate::access::is_unseen;
use crate::auth::require_still_good;
use crate::caller::Caller;
use crate::guard::within;
use crate::limit::Limit;
use crate::params::Params;
use crate::pool::{Owner, Permit};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Longest `wait` that a client may ask for; the operator's `wait_max` may end it earlier. Seconds.
const WAIT_S_MAX: u64 = 60;

/// A piece of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeList {
    /// Changes in feed order.
    data: Vec<Change>,
    /// Pass it as `after` to go on. Always there: the feed has no end.
    next_cursor: String,
}

/// One event of the stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an event in the OpenAPI document")]
pub(crate) struct ChangeStreamEvent {
    /// The change's position; the last event, `closed`, has none.
    id: Option<String>,
    /// What happened: a change's kind, or `closed` with a problem's code in `data`.
    event: String,
    /// The change as JSON.
    data: String,
}

/// `after`: a position, or `latest` for changes yet to come.
pub(crate) async fn after(params: &mut Params, state: &AppState, tenant: &TenantId) -> Result<Option<i64>, Problem> {
    let Some(text) = params.text("after")? else { return Ok(None) };
    if text == "latest" {
        return Ok(Some(*state.store.watch(tenant).borrow()));
    }
    known(state, tenant, &text).await.map(Some)
}

/// `entity`: one that we know.
pub(crate) fn entity(params: &mut Params) -> Result<Option<&'static str>, Problem> {
    let Some(text) = params.text("entity")? else { return Ok(None) };
    match EntityKind::from_name(&text) {
        Some(kind) if kind.is_for_audits_only() => Err(Problem::new(ProblemCode::Forbidden).detail(
            format!("only a key with the role `auditor` reads {kind}: `GET /v1/{}`", kind.collection()),
            format!("只有角色为 `auditor` 的密钥可以读取 {kind}：`GET /v1/{}`", kind.collection()),
        )),
        Some(kind) => Ok(Some(kind.name())),
        None => Err(Problem::parameter(
            "entity",
            "an entity of `/v1/schema`, like `employee`",
            " `/v1/schema` 中的实体名，例如 `employee`",
        )),
    }
}

/// Reads what is there now: the changes, and the position to go on from. When fewer than `limit` were found, everything
/// up to the feed's end was looked at: with a filter, the next read need not look at it again.
pub(crate) async fn read(state: &AppState, wanted: &Wanted) -> Result<(Vec<ChangeRow>, i64), Problem> {
    // Taken before the read: a commit in between is found by the next one.
    let end = *state.store.watch(&wanted.tenant).borrow();
    let read = state.store.changes(&wanted.tenant, wanted.after, wanted.entity, wanted.limit);
    let mut rows = within(state.options.deadline, read).await?;
    let last = rows.last().map_or(wanted.after, |row| row.seq);
    let full = rows.len() >= wanted.limit as usize;
    let next = if full { last } else { last.max(end) };
    rows.retain(|row| !is_unseen(&row.entity));
    Ok((rows, next))
}

/// The change feed, from a position on.
///
/// Without `after` it begins with the first change. With `wait`, an answer that would be empty waits until something
/// happens or the time is over.
#[utoipa::path(
    get, path = "/v1/changes", tag = "changes", operation_id = "list_changes",
    params(
        ("after" = Option<String>, Query, description = "A `cursor` or `next_cursor` of this feed, an event's `sequence`, or `latest` for changes yet to come", pattern = "^([0-9]{1,18}([.][0-9a-f]{8})?|latest)$"),
        ("entity" = Option<EntityName>, Query, description = "Only changes to records of this entity"),
        ("limit" = Option<u32>, Query, description = "Changes per response; 100 by default", minimum = 1, maximum = 1000),
        ("include" = Option<String>, Query, description = "`record`: adds to each change its record as it is now; not available for CloudEvents", pattern = "^record$"),
        ("wait" = Option<u32>, Query, description = "Seconds to wait for a change; 0 by default", minimum = 0, maximum = 60),
        ("Accept" = Option<String>, Header, description = "`application/cloudevents-batch+json` for a list of CloudEvents; the next position is then in the header `link`"),
    ),
    responses((status = 200, content(
        (ChangeList = "application/json"),
        (Vec<ChangeEvent> = "application/cloudevents-batch+json"),
    ))),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let as_events = wanted_as_events(&headers);
    let mut wanted = Wanted {
        tenant: caller.tenant.clone(),
        after: after(&mut params, &state, &caller.tenant).await?.unwrap_or(0),
        entity: entity(&mut params)?,
        limit: params.limit()?,
    };
    let with_record = wants_records(&mut params)?;
    if with_record && as_events {
        return Err(Problem::parameter(
            "include",
            "absent when CloudEvents are requested",
            "空（请求 CloudEvents 时不可设置）",
        ));
    }
    let wait_s = params.number("wait", 0, WAIT_S_MAX)?.unwrap_or(0);
    params.end()?;
    let place = if wait_s > 0 { Some(place(&state, &wanted.tenant, &caller.key.to_string())?) } else { None };
    // An operator may allow less time than the client asks for: then the answer is empty earlier, and the client asks
    // again.
    let until = Instant::now() + Duration::from_secs(wait_s).min(state.options.wait_max);
    let mut feed = state.store.watch(&wanted.tenant);
    loop {
        feed.mark_unchanged();
        let (rows, next) = read(&state, &wanted).await?;
        let given_up = place.as_ref().is_none_or(Permit::is_lost);
        let over = given_up || Instant::now() >= until || state.closing.is_cancelled();
        if !rows.is_empty() || over {
            // The key may have been revoked while the request waited.
            require_still_good(&state, &caller).await?;
            let epoch = within(state.options.deadline, state.store.epoch()).await?;
            if as_events {
                return Ok(ChangeEvents { rows, next, epoch, wanted }.into_response());
            }
            let (data, next) = match with_record {
                true => with_records(&state, &wanted.tenant, rows, epoch, next).await?,
                false => (rows.into_iter().map(|row| Change::of(row, Some(epoch))).collect(), next),
            };
            let next_cursor = Position { seq: next, epoch: Some(epoch) }.to_string();
            return Ok(Json(ChangeList { data, next_cursor }).into_response());
        }
        wanted.after = next;
        tokio::select! {
            // An error means that the store is closing: the next read says so.
            _ = feed.changed() => {}
            () = tokio::time::sleep_until(until) => {}
            () = state.closing.cancelled() => {}
            () = lost(place.as_ref()) => {}
        }
    }
}

async fn lost(place: Option<&Permit>) {
    match place {
        Some(place) => place.lost().await,
        None => std::future::pending().await,
    }
}

/// A place among the readers that wait; given back when it is dropped, and to be given up when it is lost.
pub(crate) fn place(state: &AppState, tenant: &TenantId, who: &str) -> Result<Permit, Problem> {
    let owner = Owner { group: tenant.to_string(), member: who.to_owned() };
    state.streams.take(owner, 1).ok_or_else(|| {
        state.reached.note(Limit::Streams, Some(tenant));
        let (key, max) = (Limit::Streams.key(), state.streams.max());
        Problem::new(ProblemCode::TooManyStreams).detail(
            format!("{max} streams are open, which is the limit ({key}); poll without `wait` instead"),
            format!("已打开 {max} 个（{key}），且此密钥所占不少于其他密钥，请改用分页读取"),
        )
    })
}
