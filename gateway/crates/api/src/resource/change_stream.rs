//! The change feed as server-sent events. A reader that is cut off goes on where it was: each event's id is its
//! position, and `Last-Event-ID` asks for what follows it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream};
use tokio::time::Instant;

use super::change_view::Wanted;
use super::changes::{ChangeStreamEvent, after, entity, place, read};
use super::position::known;
use super::schema::EntityName;
use crate::auth::require_still_good;
use crate::caller::Caller;
use crate::fan_out::{Piece, RingEntry, Seat};
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
    let asked = after(&mut params, &state, &caller.tenant).await?;
    let entity = entity(&mut params)?;
    params.end()?;
    let seen = match headers.get(LAST_EVENT_ID) {
        Some(id) => Some(known(&state, &caller.tenant, id.to_str().unwrap_or_default()).await?),
        None => None,
    };
    let place = place(&state, &caller.tenant, &caller.key.to_string())?;
    let wanted = Wanted { tenant: caller.tenant.clone(), after: seen.or(asked).unwrap_or(0), entity, limit: BATCH };
    let heartbeat = state.options.heartbeat;
    let reader = Reader {
        place,
        seat: state.fan_out.join(&caller.tenant),
        until: Instant::now() + state.options.stream_life_max,
        waiting: VecDeque::new(),
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
    seat: Seat,
    until: Instant,
    waiting: VecDeque<Arc<RingEntry>>,
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
            if let Some(entry) = self.waiting.pop_front() {
                // The key may have been revoked since the last event.
                return Some(match require_still_good(&self.state, &self.caller).await {
                    Ok(()) => event(&entry),
                    Err(problem) => self.close(&problem),
                });
            }
            match self.read().await {
                Ok(piece) => {
                    self.wanted.after = piece.up_to;
                    self.waiting = piece.entries.into();
                }
                Err(problem) => return Some(self.close(&problem)),
            }
            if self.waiting.is_empty() {
                self.wait().await;
            }
        }
    }

    /// What comes next: from what the tenant's streams share, or from the store where that does not reach back so far.
    async fn read(&mut self) -> Result<Piece, Problem> {
        if let Some(piece) = self.seat.read(self.wanted.after, self.wanted.entity, BATCH as usize) {
            return Ok(piece);
        }
        metrics::counter!("renmen_change_stream_reads_total", "by" => "stream").increment(1);
        let (rows, up_to) = read(&self.state, &self.wanted).await?;
        let epoch =
            if rows.is_empty() { 0 } else { within(self.state.options.deadline, self.state.store.epoch()).await? };
        Ok(Piece { entries: rows.into_iter().map(|row| Arc::new(RingEntry::of(row, epoch))).collect(), up_to })
    }

    /// The last event. The reader comes back by itself with its position; until then it knows that nothing was lost.
    fn close(&mut self, problem: &Problem) -> Event {
        self.ended = true;
        metrics::counter!("renmen_change_streams_closed_total", "code" => problem.code.name()).increment(1);
        Event::default().event("closed").data(problem.code.name())
    }

    async fn wait(&mut self) {
        tokio::select! {
            goes_on = self.seat.changed() => self.ended = !goes_on,
            () = tokio::time::sleep_until(self.until) => {}
            () = self.state.closing.cancelled() => {}
            () = self.place.lost() => {}
        }
    }
}

fn event(entry: &RingEntry) -> Event {
    let event = Event::default().id(&entry.cursor).event(entry.kind);
    event.data(entry.json.as_deref().unwrap_or_else(|| ProblemCode::Internal.name()))
}
