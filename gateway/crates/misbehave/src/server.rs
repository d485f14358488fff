//! The server: counts requests, asks its source, spoils the answer as the plan says, and sends it in the manner that is due.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::Future as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use crate::answer::{Answer, Manner};
use crate::ask::Ask;
use crate::fault::Fault;
use crate::model::{Model, Rows};
use crate::plan::Plan;
use crate::source::{Source, unknown};
use crate::spoil;

/// The most bytes of a request.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Between two bytes of a slow body.
const SLOW_PAUSE: Duration = Duration::from_millis(100);
/// A slow body ends after so many pauses: a minute.
const SLOW_PAUSES_MAX: usize = 600;
/// Ten minutes.
const SKEW_MS: i64 = 600_000;
/// Requests that are remembered, newest last.
const REMEMBERED_MAX: usize = 10_000;

/// What the server is and has seen; to be changed while it serves.
#[derive(Debug)]
struct State {
    source: Source,
    plan: Plan,
    /// Data requests so far, in all and by path.
    number: u64,
    by_path: HashMap<String, u64>,
    seen: VecDeque<Ask>,
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// Serves a source on loopback; port 0 takes a free one.
///
/// # Errors
/// When the port cannot be had; it is named.
pub async fn serve(source: Source, plan: Plan, port: u16) -> std::io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener =
        listener.map_err(|error| std::io::Error::new(error.kind(), format!("port {port} cannot be had: {error}")))?;
    let address = listener.local_addr()?;
    let state = State { source, plan, number: 0, by_path: HashMap::new(), seen: VecDeque::new() };
    let state = Arc::new(Mutex::new(state));
    let task = tokio::spawn(accept(listener, state.clone()));
    Ok(Server { address, state, task })
}

impl Server {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Another plan; requests are counted from the beginning again.
    pub fn follow(&self, plan: Plan) {
        let mut state = lock(&self.state);
        state.plan = plan;
        state.number = 0;
        state.by_path.clear();
        if let Source::Model(model) = &mut state.source {
            (model.skew_ms, model.by_creation) = (0, false);
        }
    }

    /// Another source; requests are counted from the beginning again.
    pub fn play(&self, source: Source) {
        let mut state = lock(&self.state);
        state.source = source;
        state.number = 0;
        state.by_path.clear();
        state.seen.clear();
    }

    /// Reads or changes the model; none if the source is another one.
    pub fn model<R>(&self, work: impl FnOnce(&mut Model) -> R) -> Option<R> {
        match &mut lock(&self.state).source {
            Source::Model(model) => Some(work(model)),
            Source::Recorded(_) | Source::Live(_) => None,
        }
    }

    /// The requests since this was asked last, oldest first; of many the newest 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Ask> {
        lock(&self.state).seen.drain(..).collect()
    }

    /// Waits for ever: the server ends with its process.
    pub async fn run(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let state = state.clone();
        let service = service_fn(move |request| answer(state.clone(), request));
        connections.spawn(async move {
            // A connection that breaks is what this server is for.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Sent>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
        return Ok(send(&Answer::text(413, "text/plain", "the request is too long\n")));
    };
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let place = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let ask = Ask::new(head.method.as_str(), place, headers, body.to_bytes());
    let (number, due, found) = lock(&state).begin(&ask);
    let mut answer = match found {
        Found::Answer(answer) => *answer,
        Found::Ask(upstream) => upstream.answer(&ask).await,
    };
    let (mut dice, echo) = {
        let state = lock(&state);
        (state.plan.dice(number), state.plan.echo)
    };
    for fault in due {
        spoil::spoil(&mut answer, fault, &mut dice);
    }
    if echo {
        spoil::echo(&mut answer, &ask);
    }
    Ok(send(&answer))
}

enum Found {
    Answer(Box<Answer>),
    Ask(crate::live::Upstream),
}

impl State {
    /// Counts the request and gives its number, the faults that are due, and the answer before them.
    fn begin(&mut self, ask: &Ask) -> (u64, Vec<Fault>, Found) {
        if self.seen.len() == REMEMBERED_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(ask.clone());
        let (mut due, mut instead) = (Vec::new(), None);
        if self.source.is_data(ask) {
            self.number += 1;
            let of_path = self.by_path.entry(ask.path.clone()).or_default();
            *of_path += 1;
            due = self.plan.due(self.number, &ask.path, *of_path);
            instead = self.plan.instead_of(&ask.path);
        }
        if let Some(answer) = instead {
            return (self.number, due, Found::Answer(Box::new(answer)));
        }
        let found = match &mut self.source {
            Source::Model(model) => {
                bend(model, &due);
                Found::Answer(Box::new(model.answer(ask).unwrap_or_else(|| unknown(ask))))
            }
            Source::Recorded(recording) => {
                Found::Answer(Box::new(recording.answer(ask).unwrap_or_else(|| unknown(ask))))
            }
            Source::Live(upstream) => Found::Ask(upstream.clone()),
        };
        (self.number, due, found)
    }
}

/// The faults of the source itself, before it answers.
fn bend(model: &mut Model, due: &[Fault]) {
    model.empty = due.contains(&Fault::PageEmpty);
    model.reversed = due.contains(&Fault::WrongOrder);
    model.withholds = due.contains(&Fault::LateRecord);
    for fault in due {
        match fault {
            Fault::CreatedFilter => model.by_creation = true,
            Fault::ClockAhead => model.skew_ms = SKEW_MS,
            Fault::ClockBehind => model.skew_ms = -SKEW_MS,
            Fault::TiesAtEdge => model.streams.values_mut().for_each(Rows::tie),
            Fault::LateRecord => model.streams.values_mut().for_each(Rows::hold_back),
            Fault::FutureTime => model.streams.values_mut().for_each(Rows::date_ahead),
            Fault::RowsMoved => {
                for rows in model.streams.values_mut() {
                    // The oldest row was read with the first page.
                    let oldest = (0..rows.all().len())
                        .filter(|&at| !rows.all()[at].gone)
                        .min_by_key(|&at| rows.all()[at].modified_ms);
                    let at_ms = rows.newest_ms() + 1000;
                    if let Some(oldest) = oldest {
                        rows.touch(oldest, at_ms);
                    }
                }
            }
            _ => {}
        }
    }
}

fn send(answer: &Answer) -> http::Response<Sent> {
    let (body, kind) = answer.encoded();
    let mut response = http::Response::builder().status(answer.status);
    let mut typed = false;
    for (name, value) in &answer.headers {
        // A length that was recorded would be wrong once the body is changed.
        if !name.eq_ignore_ascii_case("content-length") {
            typed |= name.eq_ignore_ascii_case("content-type");
            response = response.header(name, value);
        }
    }
    if let Some(kind) = kind.filter(|_| !typed) {
        response = response.header("content-type", kind);
    }
    if matches!(answer.manner, Manner::Whole | Manner::Cut) {
        response = response.header("content-length", body.len());
    }
    response.body(Sent::new(body, answer.manner)).unwrap_or_else(|error| {
        let mut refused = http::Response::new(Sent::new(format!("{error}\n").into(), Manner::Whole));
        *refused.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        refused
    })
}

/// A body on its way.
struct Sent {
    rest: Bytes,
    manner: Manner,
    pause: Option<Pin<Box<Sleep>>>,
    pauses: usize,
}

impl Sent {
    fn new(body: Bytes, manner: Manner) -> Self {
        Self { rest: body, manner, pause: None, pauses: 0 }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        match this.manner {
            Manner::Whole if this.rest.is_empty() => Poll::Ready(None),
            Manner::Whole => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.rest))))),
            Manner::Cut if this.rest.is_empty() => {
                // The first half must be on its way before the connection ends.
                let pause = this.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(SLOW_PAUSE)));
                std::task::ready!(pause.as_mut().poll(cx));
                Poll::Ready(Some(Err(std::io::Error::other("cut in the middle, as was asked for"))))
            }
            Manner::Cut => {
                let half = this.rest.split_to((this.rest.len() / 2).max(1));
                this.rest.clear();
                Poll::Ready(Some(Ok(Frame::data(half))))
            }
            Manner::Endless => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 64 << 10]))))),
            Manner::Slow if this.rest.is_empty() => Poll::Ready(None),
            Manner::Slow => {
                let pause = this.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(SLOW_PAUSE)));
                std::task::ready!(pause.as_mut().poll(cx));
                this.pause = None;
                this.pauses += 1;
                let bytes = if this.pauses < SLOW_PAUSES_MAX { 1 } else { this.rest.len() };
                Poll::Ready(Some(Ok(Frame::data(this.rest.split_to(bytes)))))
            }
        }
    }
}
