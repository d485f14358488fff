//! `http`: counts, numbers and hands over; grant, credential and recording are egress's business.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use renmen_egress::{EgressError, Exchange, Request as EgressRequest};
use renmen_schema::id::SlotName;

use super::failure::{ends_the_call, failure, told};
use crate::bindings::renmen::connector::http::{Host, Request, Response};
use crate::bindings::renmen::connector::types::{Failure, FailureKind, Header};
use crate::state::{CallState, Outside};

impl Host for CallState {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Failure>> {
        let mut answers = self.send_all(vec![request]).await?;
        Ok(answers.pop().expect("as many answers as requests"))
    }

    async fn send_all(&mut self, requests: Vec<Request>) -> wasmtime::Result<Vec<Result<Response, Failure>>> {
        self.count(&requests)?;
        let Some(outside) = &self.outside else {
            let refused = failure(FailureKind::NotGranted, None, "there is no network while a plugin is being loaded");
            return Ok(requests.iter().map(|_| Err(refused.clone())).collect());
        };
        // All at once: how many really go side by side, and how fast, is the connection's limit. The first that meets a limit of
        // the call ends the others where they are.
        let (memory, count) = (outside.memory.clone(), requests.len());
        self.http.waits_since = Some(Instant::now());
        let sent = outside.send_all(requests).await;
        self.http.waited = self.http.waited();
        self.http.waits_since = None;
        // Each body is copied once more on its way into the guest.
        self.http.lent = None;
        let lent = match sent {
            Ok(sent) => memory.lend(bytes_of(&sent)).await.map(|lent| (sent, lent)),
            Err(limit) => Err(limit),
        };
        let sent = match lent {
            Ok((sent, lent)) => {
                self.http.lent = Some(lent);
                sent
            }
            Err(limit) => return told(self, limit).map(|failure| vec![Err(failure); count]),
        };
        let mut answers = Vec::with_capacity(sent.len());
        for answer in sent {
            answers.push(match answer {
                Ok(Ok(exchange)) => Ok(self.number(exchange)),
                Ok(Err(error)) => Err(told(self, error)?),
                Err(failure) => Err(failure),
            });
        }
        Ok(answers)
    }

    async fn prefetch(&mut self, request: Request) -> wasmtime::Result<()> {
        self.http.named_ahead = self.http.named_ahead.saturating_add(1);
        let (named, allowed) = (self.http.named_ahead, self.limits.http_calls_max);
        if named > allowed {
            let message = format!("the connector named {named} requests ahead in one call, allowed are {allowed}");
            return Err(self.stop("http_calls_max", message));
        }
        // What is wrong with a request is told when it is sent.
        if let (Some(outside), Ok(request)) = (&self.outside, for_egress(request)) {
            outside.egress.prefetch(request, &*outside.tape, self.limits.memory_bytes_max);
        }
        Ok(())
    }
}

/// An answer, an error of a request that was sent on, or the failure of a request that was not.
type Sent = Result<Result<Arc<Exchange>, EgressError>, Failure>;

fn bytes_of(sent: &[Sent]) -> u64 {
    let answers = sent.iter().filter_map(|answer| answer.as_ref().ok()?.as_ref().ok());
    answers.map(|exchange| exchange.response.body.len() as u64).sum()
}

impl Outside {
    /// In the order of the requests.
    ///
    /// # Errors
    /// What ends the call, as soon as one of them meets it.
    async fn send_all(&self, requests: Vec<Request>) -> Result<Vec<Sent>, EgressError> {
        let mut answers: Vec<Option<Sent>> = requests.iter().map(|_| None).collect();
        let numbered = requests.into_iter().zip(0_usize..);
        let mut waiting: FuturesUnordered<_> =
            numbered.map(|(request, at)| self.send(request).map(move |sent| (at, sent))).collect();
        while let Some((at, sent)) = waiting.next().await {
            answers[at] = Some(sent?);
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Boxed, because the compiler gives up on the nested future's lifetimes otherwise.
    ///
    /// # Errors
    /// What ends the call.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Sent, EgressError>> {
        Box::pin(async move {
            let request = match for_egress(request) {
                Ok(request) => request,
                Err(failure) => return Ok(Err(failure)),
            };
            match self.egress.send_within(request, &*self.tape, &self.memory).await {
                Err(error) if ends_the_call(&error) => Err(error),
                sent => Ok(Ok(sent)),
            }
        })
    }
}

impl CallState {
    /// Counts requests before anything is sent.
    fn count(&mut self, requests: &[Request]) -> wasmtime::Result<()> {
        let calls = u32::try_from(requests.len()).unwrap_or(u32::MAX).saturating_add(self.http.calls);
        let allowed = self.limits.http_calls_max;
        if calls > allowed {
            let message = format!("the connector wanted to send request {calls} of one call, allowed are {allowed}");
            return Err(self.stop("http_calls_max", message));
        }
        self.http.calls = calls;
        self.http.bytes_out += requests.iter().filter_map(|r| r.body.as_ref()).map(|b| b.len() as u64).sum::<u64>();
        Ok(())
    }

    /// Keeps an exchange and gives the connector its answer with its number.
    fn number(&mut self, exchange: Arc<Exchange>) -> Response {
        self.http.bytes_in += exchange.response.body.len() as u64;
        let heard = u32::try_from(self.http.exchanges.len()).expect("fewer exchanges than http_calls_max, a u32");
        let number = self.http.first_number.saturating_add(heard);
        let response = Response {
            status: exchange.response.status,
            headers: exchange
                .response
                .headers
                .iter()
                .map(|(name, value)| Header { name: name.clone(), value: value.clone() })
                .collect(),
            body: exchange.response.body.to_vec(),
            exchange: number,
        };
        self.http.exchanges.push(exchange);
        response
    }
}

fn for_egress(request: Request) -> Result<EgressRequest, Failure> {
    let slot = request.slot.as_deref().map(slot_name).transpose()?;
    Ok(EgressRequest {
        method: request.method,
        url: request.url,
        headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        body: request.body.map(Into::into),
        slot,
    })
}

/// A slot as a guest names it.
pub(super) fn slot_name(slot: &str) -> Result<SlotName, Failure> {
    SlotName::new(slot).map_err(|bad| failure(FailureKind::Internal, Some("bad_request"), bad.to_string()))
}
