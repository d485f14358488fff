//! The change feed as server-sent events. A reader that is cut off goes on where it was: each event's id is its
//! position, and `Last-Event-ID` asks for what follows it.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream};
use renmen_store::{ChangeKind, ChangeRow};
use tokio::sync::watch;
use tokio::time::Instant;

use super::change_view::{Change, Wanted};
use super::changes::{ChangeStreamEvent, after, entity, place, read};
use super::position::known;
use super::schema::EntityName;
use crate::auth::require_still_good;
use crate::caller::Caller;
use crate::guard::within;
use crate::params::Params;
use crate::pool::Permit;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Changes read from the store at once: bounds what one slow reader holds in memory.
const BATCH: u32 = 100;
/// A position as a header: more cannot be one.
const LAST_EVENT_ID: &str = "last-event-id";

/// The change feed as an event stream.
///
/// Each event has the change's position as `id`, its kind as `event`, and the change as JSON in `data`. Without a position
/// the stream begins with the first change. It is closed from time to time; go on with `Last-Event-ID`.
#[utoipa::path(
    get, path = "/v1/changes/stream", tag = "changes", operation_id = "stream_changes",
    params(
        ("after" = Option<String>, Query, description = "A `cursor` or `next_cursor` of this feed, or `latest`", pattern = "^([0-9]{1,18}([.][0-9a-f]{8})?|latest)$"),
        ("entity" = Option<EntityName>, Query, description = "Only changes to records of this entity"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was read; wins over `after`", pattern = "^[0-9]{1,18}([.][0-9a-f]{8})?$"),
    ),
    responses((status = 200, body = ChangeStreamEvent, content_type = "text/event-stream", description = "Events, as they happen; the schema is that of one event")),
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let asked = after(&mut params, &state).await?;
    let entity = entity(&mut params)?;
    params.end()?;
    let seen = match headers.get(LAST_EVENT_ID) {
        Some(id) => Some(known(&state, id.to_str().unwrap_or_default()).await?),
        None => None,
    };
    let place = place(&state, &caller.tenant, &caller.key.to_string())?;
    let wanted = Wanted { tenant: caller.tenant.clone(), after: seen.or(asked).unwrap_or(0), entity, limit: BATCH };
    let heartbeat = state.options.heartbeat;
    let reader = Reader {
        place,
        feed: state.store.watch(),
        until: Instant::now() + state.options.stream_life_max,
        waiting: VecDeque::new(),
        epoch: 0,
        ended: false,
        state,
        caller,
        wanted,
    };
    let events = stream::unfold(reader, |mut reader| async {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(heartbeat)))
}

/// One reader of the stream.
struct Reader {
    place: Permit,
    state: AppState,
    caller: Caller,
    wanted: Wanted,
    feed: watch::Receiver<i64>,
    until: Instant,
    waiting: VecDeque<ChangeRow>,
    /// Of the store when they were read.
    epoch: u32,
    ended: bool,
}

impl Reader {
    /// The next event; `None` when its time is over, the server closes, or the store is away.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let over = self.place.is_lost() || self.state.closing.is_cancelled() || Instant::now() >= self.until;
            if self.ended || over {
                return None;
            }
            if let Some(row) = self.waiting.pop_front() {
                // The key may have been revoked since the last event.
                return Some(match require_still_good(&self.state, &self.caller).await {
                    Ok(()) => event(row, self.epoch),
                    Err(problem) => self.close(&problem),
                });
            }
            self.feed.mark_unchanged();
            match self.read().await {
                Ok((rows, next, epoch)) => {
                    self.wanted.after = next;
                    self.waiting = rows.into();
                    self.epoch = epoch;
                }
                Err(problem) => return Some(self.close(&problem)),
            }
            if self.waiting.is_empty() {
                self.wait().await;
            }
        }
    }

    async fn read(&self) -> Result<(Vec<ChangeRow>, i64, u32), Problem> {
        let (rows, next) = read(&self.state, &self.wanted).await?;
        let epoch =
            if rows.is_empty() { 0 } else { within(self.state.options.deadline, self.state.store.epoch()).await? };
        Ok((rows, next, epoch))
    }

    /// The last event. The reader comes back by itself with its position; until then it knows that nothing was lost.
    fn close(&mut self, problem: &Problem) -> Event {
        self.ended = true;
        Event::default().event("closed").data(problem.code.name())
    }

    async fn wait(&mut self) {
        tokio::select! {
            changed = self.feed.changed() => self.ended = changed.is_err(),
            () = tokio::time::sleep_until(self.until) => {}
            () = self.state.closing.cancelled() => {}
            () = self.place.lost() => {}
        }
    }
}

fn event(row: ChangeRow, epoch: u32) -> Event {
    let kind = match row.kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Deleted => "deleted",
    };
    let change = Change::of(row, Some(epoch));
    let event = Event::default().id(&change.cursor).event(kind);
    match serde_json::to_string(&change) {
        Ok(json) => event.data(json),
        Err(error) => {
            tracing::error!(%error, "Failed to write a change to the event stream");
            event.data(ProblemCode::Internal.name())
        }
    }
}
