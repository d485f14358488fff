//! A gateway for `cargo test`: plays the four imports natively, from scripted answers or recorded ones.
//!
//! ```
//! use renmen_plugin::{http::Request, testing::Host};
//! let host = Host::new().answer("GET", "https://hr.example/staff?page=1", 200, r#"[{"id":1}]"#);
//! let body = host.run(|| Request::get("https://hr.example/staff").query("page", 1).send()).unwrap();
//! assert_eq!(body.body(), br#"[{"id":1}]"#);
//! ```
//!
//! What a connector does here it does in the sandbox: the same code, the same order of exchanges. What this does not
//! check is what only the gateway decides: grants, credentials, limits. `renmen check` does.

mod fixture;
pub(crate) mod imports;
mod snapshot;
mod spoiled;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::http::{Request, Response};
use crate::log::Level;
use crate::{Action, Delivery, Envelope, Failure, Outcome, Page, Pull, Receipt, Reject, Sink, Source, Webhook};
pub use snapshot::assert_snapshot;
pub use spoiled::CANARIES;

/// The clock of a host that was told no time: 2026-01-01T00:00Z, in milliseconds.
pub const NOW_MS: i64 = 1_767_225_600_000;

/// A run that has not ended after this many pages never will.
const PAGES_MAX: usize = 10_000;

/// One answer that waits for its request.
#[derive(Debug, Clone)]
struct Answer {
    method: String,
    url: String,
    body: Option<serde_json::Value>,
    result: Result<Response, Failure>,
}

/// A call of [`crate::seal`], for [`Host::on_seal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealCall {
    /// `sign` or `verify`: what the test answers to `verify` is compared with the signature.
    pub function: &'static str,
    /// The slot.
    pub slot: String,
    /// The parts in order.
    pub parts: Vec<Vec<u8>>,
}

type Seal = Rc<dyn Fn(&SealCall) -> Result<Vec<u8>, Failure>>;

#[derive(Default)]
struct State {
    answers: Vec<Answer>,
    used: Vec<bool>,
    requests: Vec<Request>,
    /// Requests named ahead, each with how many had been sent before.
    prefetched: Vec<(Request, usize)>,
    logs: Vec<(Level, String)>,
    now_ms: i64,
    exchanges: u32,
    seal: Option<Seal>,
}

/// A fake gateway with its script.
#[derive(Clone)]
pub struct Host(Rc<RefCell<State>>);

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host that knows no answer; its clock stands at [`NOW_MS`].
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(State { now_ms: NOW_MS, ..State::default() })))
    }

    /// Answers a request of this method and whole URL. The n-th equal request gets the n-th such answer; the last one
    /// is given again and again.
    #[must_use]
    pub fn answer(self, method: &str, url: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        let response =
            Response::from_parts(status, vec![("content-type".into(), "application/json".into())], body.into());
        self.with(method, url, None, Ok(response))
    }

    /// Answers with a response of your own making.
    #[must_use]
    pub fn answer_with(self, method: &str, url: &str, response: Response) -> Self {
        self.with(method, url, None, Ok(response))
    }

    /// Answers with a failure, as the gateway gives one for what was not granted or could not be reached.
    #[must_use]
    pub fn fail(self, method: &str, url: &str, failure: Failure) -> Self {
        self.with(method, url, None, Err(failure))
    }

    /// Adds every exchange of the `*.http.json` files of a folder, in the order of their names: a JSON list of
    /// `{"request": {"method", "url", "body"?}, "response": {"status", "headers"?, "body"?}}`. A body is JSON, or a
    /// text if it is not JSON; a request body in the fixture must equal the one that is sent.
    ///
    /// # Panics
    /// When the folder or a file cannot be read: a test cannot go on without its fixtures.
    #[must_use]
    pub fn fixtures(mut self, folder: impl AsRef<Path>) -> Self {
        for answer in fixture::read_folder(folder.as_ref()) {
            self = self.with(&answer.method, &answer.url, answer.body, answer.result);
        }
        self
    }

    /// Sets the clock, in milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn at_ms(self, now_ms: i64) -> Self {
        self.0.borrow_mut().now_ms = now_ms;
        self
    }

    /// Plays `seal`: gives the signature of a call's parts. What `[webhook.proof]` proves and opens is not played; a test puts the
    /// plain text into [`Delivery::opened`].
    #[must_use]
    pub fn on_seal(self, seal: impl Fn(&SealCall) -> Result<Vec<u8>, Failure> + 'static) -> Self {
        self.0.borrow_mut().seal = Some(Rc::new(seal));
        self
    }

    fn with(self, method: &str, url: &str, body: Option<serde_json::Value>, result: Result<Response, Failure>) -> Self {
        {
            let mut state = self.0.borrow_mut();
            state.answers.push(Answer { method: method.into(), url: url.into(), body, result });
            state.used.push(false);
        }
        self
    }

    /// Runs code that sends, logs or asks the time. One run is one call of the gateway: exchanges are numbered from 0.
    pub fn run<R>(&self, code: impl FnOnce() -> R) -> R {
        self.0.borrow_mut().exchanges = 0;
        imports::with_host(Rc::clone(&self.0), code)
    }

    /// Pulls one page.
    ///
    /// # Errors
    /// The connector's own; a configuration that cannot be deserialised is one of them.
    pub fn pull<S: Source>(&self, config: &serde_json::Value, pull: Pull) -> Result<Page, Failure> {
        let config = config_of::<S>(config)?;
        self.run(|| S::pull(config, pull))
    }

    /// Pulls a stream from a cursor to the end of the run, as the gateway does.
    ///
    /// # Errors
    /// The connector's own, and a run of over 10,000 pages or one whose cursor stands still.
    pub fn pull_all<S: Source>(
        &self,
        config: &serde_json::Value,
        stream: &str,
        cursor: Option<String>,
    ) -> Result<Run, Failure> {
        let mut run = Run { next: cursor, ..Run::default() };
        for _ in 0..PAGES_MAX {
            let pull = Pull {
                stream: stream.into(),
                cursor: run.next.clone(),
                only: Vec::new(),
                max_records: Run::PAGE_RECORDS,
            };
            let page = self.pull::<S>(config, pull)?;
            run.pages += 1;
            run.coverage = page.coverage;
            run.records.extend(page.records);
            run.rejects.extend(page.rejects);
            run.findings.extend(page.findings);
            run.omissions.extend(page.omissions);
            run.total = page.total.or(run.total);
            if page.has_more && page.next == run.next {
                return Err(Failure::internal("the cursor stands still although the page says that there is more"));
            }
            run.next = page.next;
            if !page.has_more {
                return Ok(run);
            }
        }
        Err(Failure::internal(format!("no end after {PAGES_MAX} pages")))
    }

    /// Does one action.
    ///
    /// # Errors
    /// The connector's own.
    pub fn push<S: Sink>(&self, config: &serde_json::Value, action: Action) -> Result<Receipt, Failure> {
        let config = parse_config(config)?;
        self.run(|| S::push(config, action))
    }

    /// Hands over a delivery. As in the gateway, it is exchange 0 itself, and what is sent meanwhile counts from 1.
    ///
    /// # Errors
    /// The connector's own.
    pub fn receive<W: Webhook>(&self, config: &serde_json::Value, delivery: Delivery) -> Result<Outcome, Failure> {
        let config = parse_config(config)?;
        self.0.borrow_mut().exchanges = 1;
        imports::with_host(Rc::clone(&self.0), || W::receive(config, delivery))
    }

    /// Proves the connection.
    ///
    /// # Errors
    /// The connector's own.
    pub fn probe<S: Source>(&self, config: &serde_json::Value) -> Result<Vec<crate::Finding>, Failure> {
        let config = config_of::<S>(config)?;
        self.run(|| S::probe(config))
    }

    /// Method and URL of everything that was sent, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.0.borrow().requests.iter().map(|request| format!("{} {}", request.method, request.url)).collect()
    }

    /// Method and URL of every request that was named ahead ([`Request::prefetch`]), in order.
    #[must_use]
    pub fn prefetched(&self) -> Vec<String> {
        let state = self.0.borrow();
        state.prefetched.iter().map(|(request, _)| format!("{} {}", request.method, request.url)).collect()
    }

    /// Those of them that were not sent later: each costs the vendor a request for nothing.
    #[must_use]
    pub fn prefetched_in_vain(&self) -> Vec<String> {
        let state = self.0.borrow();
        let in_vain = state.prefetched.iter().filter(|(request, sent)| !state.requests[*sent..].contains(request));
        in_vain.map(|(request, _)| format!("{} {}", request.method, request.url)).collect()
    }

    /// The body of the n-th request, from 0.
    #[must_use]
    pub fn request_body(&self, number: usize) -> Option<Vec<u8>> {
        self.0.borrow().requests.get(number)?.body.clone()
    }

    /// Every line that was logged.
    #[must_use]
    pub fn logs(&self) -> Vec<(Level, String)> {
        self.0.borrow().logs.clone()
    }
}

fn config_of<S: Source>(config: &serde_json::Value) -> Result<S::Config, Failure> {
    parse_config(config)
}

fn parse_config<C: serde::de::DeserializeOwned>(config: &serde_json::Value) -> Result<C, Failure> {
    crate::locate::parse(config.to_string().as_bytes()).map_err(|fault| Failure::bad_config(format!("config: {fault}")))
}

/// What a whole run brought.
#[derive(Debug, Default)]
pub struct Run {
    /// All records in order.
    pub records: Vec<Envelope>,
    /// All rejects in order.
    pub rejects: Vec<Reject>,
    /// All findings in order.
    pub findings: Vec<crate::PageFinding>,
    /// All omissions in order.
    pub omissions: Vec<crate::Omission>,
    /// The newest total that a page stated.
    pub total: Option<u64>,
    /// How many pages it took.
    pub pages: usize,
    /// Where the next run starts.
    pub next: Option<String>,
    /// What the last page said.
    pub coverage: crate::Coverage,
}

impl Run {
    /// The gateway's default for [`Pull::max_records`].
    pub const PAGE_RECORDS: u32 = 1000;
}

/// The records as readable JSON, for a snapshot: envelope and payload.
#[must_use]
pub fn readable(records: &[Envelope]) -> serde_json::Value {
    let one = |envelope: &Envelope| {
        serde_json::json!({
            "entity": envelope.entity,
            "external_id": envelope.external_id,
            "updated_at_ms": envelope.updated_at_ms,
            "deleted": envelope.deleted,
            "exchange": envelope.exchange,
            "pointer": envelope.pointer,
            "payload": serde_json::from_slice::<serde_json::Value>(&envelope.payload).unwrap_or_default(),
        })
    };
    records.iter().map(one).collect()
}

impl SealCall {
    fn new(function: &'static str, slot: &str, parts: &[&[u8]]) -> Self {
        Self { function, slot: slot.into(), parts: parts.iter().map(|part| part.to_vec()).collect() }
    }
}
