//! The steps of a request, in their order. Each is a function elsewhere; here is only what follows what.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method};
use renmen_origin::Origin;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use crate::budget::Charge;
use crate::credential::{Credential, Recipe, Slot};
use crate::memory::{CallMemory, Held};
use crate::prefetch::Prefetched;
use crate::recipe::Moment;
use crate::resolve::ResolveError;
use crate::shown::shown;
use crate::target::Target;
use crate::token::{Token, TokenEndpoint, is_stale};
use crate::wire::{self, Answer, Beyond, Caps, Fault, Outgoing, WayOut};
use crate::{Connection, EgressError, Exchange, Request, RequestKey, Response, Tape, headers, redirect, retry, target};

/// Token answers are short. Bytes.
const TOKEN_ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of a place and of an error in one line of the log. What a connector asks for may be long; the log is not its.
const PLACE_SHOWN_MAX: usize = 200;
const ERROR_SHOWN_MAX: usize = 400;

/// A request that passed every check.
pub(crate) struct Checked<'c> {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
    pub(crate) slot: Option<&'c Slot>,
}

/// A checked request to a host.
pub(crate) struct Order<'c> {
    pub(crate) outgoing: Outgoing,
    pub(crate) origin: Origin,
    pub(crate) slot: Option<&'c Slot>,
}

impl Connection {
    /// Sends a request through all the steps, or answers it from the tape.
    ///
    /// # Errors
    /// [`EgressError`], by what the caller can do. No text holds a secret.
    pub async fn send(&self, request: Request, tape: &dyn Tape) -> Result<Arc<Exchange>, EgressError> {
        self.send_within(request, tape, &CallMemory::new(&self.parts.memory, u64::MAX)).await
    }

    /// The same, with the account of the call that it is sent for: what the exchange holds is reserved there before it is read,
    /// and stays reserved for as long as the account is there.
    ///
    /// # Errors
    /// As [`Connection::send`]; [`EgressError::Limit`] beyond the call's `memory_bytes_max`, [`EgressError::OutOfMemory`] where the
    /// process has none left.
    pub async fn send_within(
        &self,
        request: Request,
        tape: &dyn Tape,
        memory: &Arc<CallMemory>,
    ) -> Result<Arc<Exchange>, EgressError> {
        let checked = self.check(&request).inspect_err(|error| self.audit_refused(&request, error))?;
        let mut asked = memory.room();
        asked.fit(bytes_of(&request)).await?;
        let key = Exchange::key_of(&request);
        if let Some(known) = tape.recall_for(&request, key) {
            let bytes = bytes_of(&request) + bytes_of_answer(&known.response);
            asked.fit(bytes).await?;
            asked.keep(bytes);
            return Ok(known);
        }
        if tape.sealed() {
            return Err(EgressError::NotRecorded(format!("{} {}", checked.method, place_of(&checked.target))));
        }
        if let Some(exchange) = prefetched(tape, key, memory).await? {
            tape.record(key, exchange.clone());
            return Ok(exchange);
        }
        let started = Instant::now();
        let outcome = match &checked.target {
            Target::Drop(name) => self.read_drop(name.as_deref(), memory).await,
            Target::Http { .. } => match self.fetch(&request, checked, memory).await {
                Ok((answer, _copy)) => Ok(self.reveal(answer)),
                Err(error) => Err(error),
            },
        };
        let exchange = self.exchange(request, outcome, started)?;
        asked.keep(bytes_of_request(&exchange));
        tape.record(key, exchange.clone());
        Ok(exchange)
    }

    /// Begins to fetch the answer to a request that is to be sent later, if the tape has a place for it and the request may be sent
    /// ahead. What stands in its way is counted there and told when the request is sent.
    ///
    /// What is never asked for is not recorded: only a request that changes nothing may be sent so.
    pub fn prefetch(self: &Arc<Self>, request: Request, tape: &dyn Tape, memory_bytes_max: u64) {
        let Some(prefetcher) = tape.prefetcher() else { return };
        if let Err(error) = self.check_ahead(&request) {
            self.audit_refused(&request, &error);
            prefetcher.refuse();
            return;
        }
        let memory = CallMemory::new(&self.parts.memory, memory_bytes_max);
        let key = Exchange::key_of(&request);
        let fetch = Arc::clone(self).fetch_ahead(request, memory);
        prefetcher.begin(key, fetch.in_current_span().with_current_subscriber());
    }

    fn check_ahead(&self, request: &Request) -> Result<(), EgressError> {
        let checked = self.check(request)?;
        match (&checked.method, &checked.target) {
            (&Method::GET, Target::Http { .. }) => Ok(()),
            _ => Err(EgressError::NotGranted("only a GET request to a host may be sent ahead".into())),
        }
    }

    /// As [`Connection::send_within`] does without a tape, for a task of the reactor.
    async fn fetch_ahead(
        self: Arc<Self>,
        request: Request,
        memory: Arc<CallMemory>,
    ) -> Result<Prefetched, EgressError> {
        let checked = self.check(&request)?;
        let mut asked = memory.room();
        asked.fit(bytes_of(&request)).await?;
        let started = Instant::now();
        let outcome = match self.fetch(&request, checked, &memory).await {
            Ok((answer, _copy)) => Ok(self.reveal_aside(answer).await),
            Err(error) => Err(error),
        };
        let exchange = self.exchange(request, outcome, started)?;
        asked.keep(bytes_of_request(&exchange));
        Ok(Prefetched { exchange, memory })
    }

    /// A request with its answer; one line for the audit, of a failed one too.
    fn exchange(
        &self,
        request: Request,
        outcome: Result<Response, EgressError>,
        started: Instant,
    ) -> Result<Arc<Exchange>, EgressError> {
        let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        self.audit(&request, &outcome, took_ms);
        Ok(Arc::new(Exchange {
            method: request.method,
            url: request.url,
            request_headers: request.headers,
            request_body: request.body,
            response: outcome?,
            at_ms: renmen_clock::now_ms(),
            took_ms,
        }))
    }

    /// Steps 1 to 4: nothing is sent, looked up or fetched before they passed.
    pub(crate) fn check(&self, request: &Request) -> Result<Checked<'_>, EgressError> {
        self.check_size(request)?;
        let (method, target) = target::read(request)?;
        self.parts.grant.check(&method, &target)?;
        let headers = headers::accept(&request.headers, &self.parts.reserved)?;
        let slot = match (&request.slot, &target) {
            (None, _) => None,
            (Some(_), Target::Drop(_)) => {
                return Err(EgressError::BadRequest("the drop directory takes no credential".into()));
            }
            (Some(name), Target::Http { origin, .. }) => {
                let slot = self.parts.slots.get(name);
                let slot = slot.ok_or_else(|| EgressError::NotGranted(format!("the manifest has no slot `{name}`")))?;
                slot.check_audience(origin)?;
                Some(slot)
            }
        };
        if let Target::Http { url, .. } = &target {
            headers::check_query(url, &self.parts.reserved)?;
        }
        self.parts.redactor.check_outgoing(request)?;
        Ok(Checked { method, target, headers, slot })
    }

    fn check_size(&self, request: &Request) -> Result<(), EgressError> {
        let bytes = bytes_of(request);
        let max = self.parts.limits.request_bytes_max;
        if bytes <= max {
            return Ok(());
        }
        Err(EgressError::Limit {
            limit: "request_bytes_max",
            message: format!("the request has {bytes} bytes, {max} are allowed"),
        })
    }

    /// Sends, and follows redirects within the origin: each is a request of its own through all the checks. Gives the answer with
    /// room for a copy of it.
    async fn fetch<'c>(
        &'c self,
        request: &Request,
        first: Checked<'c>,
        memory: &Arc<CallMemory>,
    ) -> Result<(Answer, Held), EgressError> {
        let mut request = request.clone();
        let mut checked = first;
        for _ in 0..=redirect::REDIRECTS_MAX {
            let Target::Http { url, origin } = checked.target else {
                return Err(EgressError::NotGranted("redirect to the drop directory".into()));
            };
            let outgoing =
                Outgoing { method: checked.method, url, headers: checked.headers, body: request.body.clone() };
            let order = Order { outgoing, origin, slot: checked.slot };
            let answer = self.deliver(&order, memory).await?;
            match redirect::next(&order.outgoing.method, &order.outgoing.url, &answer)? {
                None => {
                    // Where a secret is taken out of it, both are there for a moment.
                    let copy = memory.lend(answer.body.len() as u64).await?;
                    return Ok((answer, copy));
                }
                Some(place) => request.url = place.into(),
            }
            checked = self.check(&request)?;
        }
        Err(EgressError::Unavailable(format!("more than {} redirects", redirect::REDIRECTS_MAX)))
    }

    /// Sends until there is an answer; once more with a new token when the vendor no longer takes the old one.
    async fn deliver(&self, order: &Order<'_>, memory: &Arc<CallMemory>) -> Result<Answer, EgressError> {
        let idempotent = order.outgoing.method.is_idempotent();
        let mut refreshed = false;
        loop {
            let used = parking_lot::Mutex::new(None);
            let answer =
                retry::persist(&self.parts.retry, idempotent, || self.attempt(order, Beyond::Refuse, &used, memory))
                    .await?;
            let token: Option<Arc<Token>> = used.into_inner();
            let (Some(token), Some(Recipe::Token { endpoint, cell, .. })) =
                (token, order.slot.and_then(|s| s.recipe.as_ref()))
            else {
                return Ok(answer);
            };
            if refreshed || !is_stale(&answer, endpoint.stale.as_ref()) {
                return Ok(answer);
            }
            cell.forget(&token).await;
            refreshed = true;
        }
    }

    /// Steps 6 to 10, once. Leaves the token that it used in `used`.
    pub(crate) async fn attempt(
        &self,
        order: &Order<'_>,
        beyond: Beyond,
        used: &parking_lot::Mutex<Option<Arc<Token>>>,
        memory: &Arc<CallMemory>,
    ) -> Result<Answer, Fault> {
        // Filled before anything else: an empty slot fails before a packet leaves, a look-up included.
        if let Some(slot) = order.slot {
            slot.secret().map_err(Fault::Final)?;
        }
        let _place = self.parts.parallel.enter().await.map_err(Fault::Final)?;
        let charge = self.charge(&order.outgoing)?;
        self.wait_for_turn().await?;
        self.resolve(&order.origin).await?;
        let mut outgoing = order.outgoing.clone();
        if let Some(slot) = order.slot {
            *used.lock() = self.dress(slot, &mut outgoing).await.map_err(Fault::Final)?;
        }
        let limits = &self.parts.limits;
        let caps = Caps { timeout: limits.request_timeout, body_bytes_max: limits.response_bytes_max, beyond };
        charge.over(wire::exchange(&self.parts.client, outgoing, caps, memory)).await
    }

    /// Counts it in the month's calls, where they are limited.
    fn charge(&self, outgoing: &Outgoing) -> Result<Charge, Fault> {
        match &self.parts.budget {
            Some(budget) => budget.charge(outgoing.url.path()).map_err(Fault::Final),
            None => Ok(Charge::free()),
        }
    }

    async fn wait_for_turn(&self) -> Result<(), Fault> {
        match &self.parts.pace {
            Some(pace) => pace.wait().await.map_err(Fault::Final),
            None => Ok(()),
        }
    }

    async fn resolve(&self, origin: &Origin) -> Result<(), Fault> {
        let looked_up =
            tokio::time::timeout(self.parts.limits.request_timeout, self.parts.addresses.resolve(&origin.host)).await;
        match looked_up {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refused @ ResolveError::Refused { .. })) => {
                Err(Fault::Final(EgressError::NotGranted(refused.to_string())))
            }
            Ok(Err(unknown @ ResolveError::Unknown { .. })) => Err(Fault::NotSent(unknown.to_string())),
            Err(_) => Err(Fault::NotSent(format!("{} could not be resolved in time", origin.host))),
        }
    }

    /// Adds what a slot adds; gives the token that it used.
    async fn dress(&self, slot: &Slot, outgoing: &mut Outgoing) -> Result<Option<Arc<Token>>, EgressError> {
        if let Some(Recipe::Signed(signed)) = &slot.recipe {
            signed.sign(slot.secret()?, &self.parts.config, &Moment::at((self.parts.clock)()), outgoing)?;
            return Ok(None);
        }
        let credential = self.credential(slot).await?;
        credential.inject(outgoing)?;
        Ok(credential.token)
    }

    async fn credential(&self, slot: &Slot) -> Result<Credential, EgressError> {
        if let Some(ready) = slot.ready()? {
            return Ok(ready);
        }
        let Some(Recipe::Token { endpoint, cell, place }) = &slot.recipe else {
            return Err(EgressError::Auth(format!("slot `{}` has no auth recipe", slot.name)));
        };
        let token = cell.get(|| self.fetch_token(slot, endpoint)).await?;
        for text in token.refresh.iter().chain([&token.text]) {
            self.parts.redactor.learn(&slot.name, text.expose())?;
        }
        Ok(Credential::of_token(token, place))
    }

    async fn fetch_token(&self, slot: &Slot, endpoint: &TokenEndpoint) -> Result<Token, EgressError> {
        let started = Instant::now();
        let fetched = endpoint.fetch(slot.secret()?, self).await;
        tracing::info!(
            tenant = %self.parts.tenant, connection = %self.parts.name, slot = %slot.name,
            origin = %Origin::of(&endpoint.url).map(|o| o.to_string()).unwrap_or_default(), ok = fetched.is_ok(),
            took_ms = started.elapsed().as_millis() as u64, "Token fetched"
        );
        fetched
    }

    /// Step 11: what the connector gets to see.
    pub(crate) fn reveal(&self, answer: Answer) -> Response {
        let redactor = &self.parts.redactor;
        let headers = headers::reveal(&answer.headers);
        let headers = headers.into_iter().filter_map(|(name, value)| redactor.redact_header(name, value)).collect();
        Response { status: answer.status, headers, body: redactor.redact_answer(answer.body) }
    }

    /// The same for a task of the reactor.
    async fn reveal_aside(&self, answer: Answer) -> Response {
        let body = self.parts.redactor.redact_answer_aside(answer.body).await;
        let revealed = self.reveal(Answer { body: Bytes::new(), ..answer });
        Response { body, ..revealed }
    }

    async fn read_drop(&self, name: Option<&str>, memory: &Arc<CallMemory>) -> Result<Response, EgressError> {
        let Some(directory) = &self.parts.drop_directory else {
            return Err(EgressError::NotGranted("the connection has no drop directory".into()));
        };
        let mut room = memory.room();
        let (content_type, body) = match name {
            None => ("application/json", directory.list().await?),
            Some(name) => {
                room.fit(directory.bytes(name).await?).await?;
                ("application/octet-stream", directory.read(name).await?)
            }
        };
        room.fit(body.len() as u64).await?;
        room.keep(body.len() as u64);
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Ok(Response { status: 200, headers, body: self.parts.redactor.redact_answer(body) })
    }

    /// A request that was refused is logged too: it shows that it was tried.
    fn audit_refused(&self, request: &Request, error: &EgressError) {
        let Some(more) = self.refusal_line() else { return };
        let place = self.place_for_log(request);
        let (tenant, connection, method) =
            (&self.parts.tenant, &self.parts.name, target::method_shown(&request.method));
        tracing::warn!(%tenant, %connection, method, place, error = self.error_for_log(error), more, "Request refused");
    }

    /// Step 12: one line for each request that left, without query, header values and bodies.
    pub(crate) fn audit(&self, request: &Request, outcome: &Result<Response, EgressError>, took_ms: u32) {
        let place = self.place_for_log(request);
        let slot = request.slot.as_ref().map_or("-", |slot| slot.as_str());
        let (tenant, connection, method) =
            (&self.parts.tenant, &self.parts.name, target::method_shown(&request.method));
        match outcome {
            Ok(response) => tracing::info!(
                %tenant, %connection, method, place, status = response.status, bytes = response.body.len(), slot, took_ms,
                "Request completed"
            ),
            Err(error) => {
                let Some(more) = self.refusal_line() else { return };
                tracing::warn!(
                    %tenant, %connection, method, place, error = self.error_for_log(error), slot, took_ms, more, "Request failed"
                );
            }
        }
    }

    /// May a line tell of this refusal? Answers what to say besides.
    fn refusal_line(&self) -> Option<String> {
        self.parts.refusal_lines.admit().words("refusals_logged_per_minute")
    }

    fn place_for_log(&self, request: &Request) -> String {
        let place = target::read(request).map(|(_, target)| place_of(&target)).unwrap_or_default();
        shown(&self.redact(&place), PLACE_SHOWN_MAX)
    }

    fn error_for_log(&self, error: &EgressError) -> String {
        shown(&self.redact(&error.to_string()), ERROR_SHOWN_MAX)
    }
}

/// The way out for token requests: the same addresses, rate, retries and time; no connector can come here.
#[async_trait::async_trait]
impl WayOut for Connection {
    async fn send(&self, outgoing: Outgoing) -> Result<Answer, EgressError> {
        let origin = Origin::of(&outgoing.url)
            .ok_or_else(|| EgressError::BadRequest("the token endpoint is not an http(s) URL".into()))?;
        let caps = Caps {
            timeout: self.parts.limits.request_timeout,
            body_bytes_max: TOKEN_ANSWER_BYTES_MAX,
            beyond: Beyond::Refuse,
        };
        let memory = CallMemory::new(&self.parts.memory, u64::MAX);
        let (origin, outgoing, memory) = (&origin, &outgoing, &memory);
        retry::persist(&self.parts.retry, true, || async move {
            let charge = self.charge(outgoing)?;
            self.wait_for_turn().await?;
            self.resolve(origin).await?;
            charge.over(wire::exchange(&self.parts.client, outgoing.clone(), caps, memory)).await
        })
        .await
    }
}

/// The answer that was fetched ahead for this request, with its memory on the call's account. None where there is none; and none where a
/// limit stood in its way, which the request then meets itself, with the account of its call.
async fn prefetched(
    tape: &dyn Tape,
    key: RequestKey,
    memory: &CallMemory,
) -> Result<Option<Arc<Exchange>>, EgressError> {
    let Some(ahead) = tape.prefetcher().and_then(|prefetcher| prefetcher.claim(key)) else { return Ok(None) };
    match ahead.answer().await {
        None | Some(Err(EgressError::Limit { .. } | EgressError::OutOfMemory(_))) => Ok(None),
        Some(Err(error)) => Err(error),
        Some(Ok(Prefetched { exchange, memory: reserved })) => {
            memory.take_over(&reserved)?;
            Ok(Some(exchange))
        }
    }
}

fn bytes_of_request(exchange: &Exchange) -> u64 {
    let body = exchange.request_body.as_ref().map_or(0, Bytes::len);
    (exchange.method.len() + exchange.url.len() + bytes_of_headers(&exchange.request_headers) + body) as u64
}

/// What a request holds.
fn bytes_of(request: &Request) -> u64 {
    let body = request.body.as_ref().map_or(0, Bytes::len);
    (request.method.len() + request.url.len() + bytes_of_headers(&request.headers) + body) as u64
}

fn bytes_of_answer(response: &Response) -> u64 {
    (bytes_of_headers(&response.headers) + response.body.len()) as u64
}

fn bytes_of_headers(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// Origin and path: a query may hold a person's data.
fn place_of(target: &Target) -> String {
    match target {
        Target::Http { url, origin } => format!("{origin}{}", url.path()),
        Target::Drop(Some(_)) => "drop:///(file)".into(),
        Target::Drop(None) => "drop:///".into(),
    }
}
