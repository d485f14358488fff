//! The steps of one interview for its candidate's screen: a token that is good for it alone, and the steps as they happen.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::{Extension, Json};
use futures_util::stream::{self, Stream};
use renmen_interview::{ScreenNode, ScreenStage, ScreenToken, ScreenView};
use renmen_schema::EntityKind;
use renmen_schema::id::RecordId;
use renmen_store::{EXTERNAL_ID_BYTES_MAX, RecordQuery};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::changes::place;
use crate::caller::Caller;
use crate::guard::look_up;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::pool::Permit;
use crate::problem::{Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::AppState;

/// How often a stream looks for itself; the feed wakes it earlier.
const LOOK: Duration = Duration::from_millis(500);
/// Between two looks, so that a busy feed does not keep the store busy for screens.
const BREATH: Duration = Duration::from_millis(100);

/// A token for one interview.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScreenToken)]
pub(crate) struct TokenView {
    /// Shown once: give it to the candidate's screen.
    token: String,
    /// Until when it is good.
    expires_at: Time,
    /// Where the screen reads with it.
    stream_url: String,
}

/// One event of the stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an event in the OpenAPI document")]
pub(crate) struct ScreenEvent {
    /// The step's id; `stage` has none.
    id: Option<String>,
    /// `stage` or `node`.
    event: String,
    /// The stage's word, or the step as JSON.
    data: String,
}

/// One step as a candidate sees it.
#[derive(Debug, Serialize)]
struct StepView {
    node: String,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u32>,
}

/// Makes a token with which a candidate's screen can follow this interview, and nothing else.
///
/// A key with the role `vendor` makes tokens for interviews of its own connection.
#[utoipa::path(
    post, path = "/v1/interviews/{id}/screen-tokens", tag = "interviews", operation_id = "make_screen_token",
    params(("id" = String, Path, max_length = 1024, description = "The interview's id; with a vendor's key, also the vendor's own id")),
    responses((status = 201, body = TokenView)),
)]
pub(crate) async fn issue(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<(StatusCode, Json<TokenView>), Problem> {
    params.end()?;
    let id = interview(&state, &caller, &id).await?;
    let ScreenToken { token, expires_at_ms } = state.interviews.screen_token(&caller.tenant, id).await?;
    let view =
        TokenView { token, expires_at: Time(expires_at_ms), stream_url: format!("/v1/interviews/{id}/nodes/stream") };
    Ok((StatusCode::CREATED, Json(view)))
}

/// The interview that a key may make tokens for: its tenant's, or, with a vendor's key, one of its own connection, which
/// may be named by the vendor's own id: vendors do not know ours.
async fn interview(state: &AppState, caller: &Caller, id: &str) -> Result<RecordId, Problem> {
    let absent = || Problem::not_found("interview", "面试");
    let Some(connection) = caller.role.connection() else { return path_id(id, "interview", "面试") };
    if id.len() > EXTERNAL_ID_BYTES_MAX || id.contains('\0') {
        return Err(absent());
    }
    let query = RecordQuery {
        entity: Some(EntityKind::Interview.name().to_owned()),
        connection: Some(connection.clone()),
        external_id: Some(id.to_owned()),
        limit: 1,
        ..RecordQuery::default()
    };
    if let Some(row) = state.store.records(&caller.tenant, &query).await?.items.pop() {
        return Ok(row.id);
    }
    let ours: RecordId = id.parse().map_err(|_| absent())?;
    let row = state.store.record(&caller.tenant, ours).await?;
    row.filter(|row| row.connection == *connection).map(|row| row.id).ok_or_else(absent)
}

/// The steps of one interview as server-sent events, for its candidate's screen.
///
/// It needs no API key but `token`, which is good for this interview alone. Events: `stage` with `waiting`, `in_progress`
/// or `done`; `node` with `{"node", "at", "done", "of"}`, the earlier ones first. A screen that reconnects receives all
/// steps again; each has the same `id`.
#[utoipa::path(
    get, path = "/v1/interviews/{id}/nodes/stream", tag = "interviews", operation_id = "stream_nodes",
    params(
        ("id" = String, Path, format = "uuid", description = "The interview's id"),
        ("token" = String, Query, description = "From `POST /v1/interviews/{id}/screen-tokens`", pattern = "^rs_[0-9a-f]{64}$"),
    ),
    responses((status = 200, body = ScreenEvent, content_type = "text/event-stream", description = "Events, as they happen; the schema is that of one event")),
    security(()),
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    Path(id): Path<String>,
    mut params: Params,
    request: Request,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let token = params.text("token")?;
    params.end()?;
    let token = token.ok_or_else(unauthorized)?;
    // Who holds no good token learns nothing, not even whether there is such an interview.
    let interview: RecordId = id.parse().map_err(|_| unauthorized())?;
    let sender = Sender::of_request(&request, &state.options.proxies);
    drop(request);
    let first = look_up(&state, sender, state.interviews.screen(&token, interview)).await?.ok_or_else(unauthorized)?;
    let heartbeat = state.options.heartbeat;
    // The screens of one interview share as one key does.
    let place = place(&state, &first.tenant, &format!("screen {interview}"))?;
    let mut screen = Screen {
        place,
        feed: state.store.watch(&first.tenant),
        until: Instant::now() + state.options.stream_life_max,
        told: HashSet::new(),
        stage: None,
        waiting: VecDeque::new(),
        ended: false,
        state,
        token,
        interview,
    };
    screen.take(first);
    let events = stream::unfold(screen, |mut screen| async {
        let event = screen.next().await?;
        Some((Ok(event), screen))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(heartbeat)))
}

fn unauthorized() -> Problem {
    Problem::new(ProblemCode::Unauthorized).detail(
        "`token` must be a screen token issued for this interview that has not expired",
        "请发送为此面试签发且未过期的 `token`",
    )
}

/// One open screen.
struct Screen {
    place: Permit,
    state: AppState,
    token: String,
    interview: RecordId,
    feed: watch::Receiver<i64>,
    until: Instant,
    told: HashSet<RecordId>,
    stage: Option<&'static str>,
    waiting: VecDeque<Event>,
    ended: bool,
}

impl Screen {
    /// The next event; `None` when the token or the stream's time is over, or the server closes.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let over = self.place.is_lost() || self.state.closing.is_cancelled() || Instant::now() >= self.until;
            if self.ended || over {
                return None;
            }
            self.wait().await;
            match self.state.interviews.screen(&self.token, self.interview).await {
                Ok(Some(view)) => self.take(view),
                // Over; or the store is away, and the screen comes back by itself.
                Ok(None) | Err(_) => self.ended = true,
            }
        }
    }

    fn take(&mut self, view: ScreenView) {
        for step in view.nodes {
            if self.told.insert(step.id) {
                self.waiting.push_back(event(&step));
            }
        }
        let stage = word(view.stage);
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            self.waiting.push_back(Event::default().event("stage").data(stage));
        }
    }

    async fn wait(&mut self) {
        self.feed.mark_unchanged();
        tokio::time::sleep(BREATH).await;
        tokio::select! {
            changed = self.feed.changed() => self.ended = changed.is_err(),
            () = tokio::time::sleep(LOOK) => {}
            () = tokio::time::sleep_until(self.until) => {}
            () = self.state.closing.cancelled() => {}
            () = self.place.lost() => {}
        }
    }
}

fn word(stage: ScreenStage) -> &'static str {
    match stage {
        ScreenStage::Waiting => "waiting",
        ScreenStage::InProgress => "in_progress",
        ScreenStage::Done => "done",
    }
}

fn event(step: &ScreenNode) -> Event {
    let view = StepView { node: step.code.to_owned(), at: Time(step.at_ms), done: step.done, of: step.of };
    let event = Event::default().id(step.id.to_string()).event("node");
    match serde_json::to_string(&view) {
        Ok(json) => event.data(json),
        Err(error) => {
            tracing::error!(%error, "Failed to write an interview step to the screen");
            event.data("{}")
        }
    }
}
