//! `http`: counts, numbers and hands over; grant, credential and recording are egress's business.

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use renmen_egress::{EgressError, Exchange, Request as EgressRequest};
use renmen_schema::id::SlotName;

use super::failure::{failure, told};
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
        // All at once: how many really go side by side, and how fast, is the connection's limit.
        let sent = join_all(requests.into_iter().map(|request| outside.send(request))).await;
        let mut answers = Vec::with_capacity(sent.len());
        for answer in sent {
            answers.push(match answer {
                Ok(Ok(exchange)) => Ok(self.number(exchange)?),
                Ok(Err(error)) => Err(told(self, error)?),
                Err(failure) => Err(failure),
            });
        }
        Ok(answers)
    }
}

impl Outside {
    /// Boxed, because the compiler gives up on the nested future's lifetimes otherwise.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Result<Arc<Exchange>, EgressError>, Failure>> {
        Box::pin(async move {
            let request = for_egress(request)?;
            Ok(self.egress.send(request, &*self.tape).await)
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
    fn number(&mut self, exchange: Arc<Exchange>) -> wasmtime::Result<Response> {
        self.http.bytes_in += exchange.response.body.len() as u64;
        // What the host holds for a call is bounded as what the guest holds: many calls with big answers are no way around.
        if self.http.bytes_in > self.limits.memory_bytes_max {
            let (held, allowed) = (self.http.bytes_in, self.limits.memory_bytes_max);
            let message = format!("the answers of one call hold {held} bytes, allowed are {allowed}");
            return Err(self.stop("memory_bytes_max", message));
        }
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
        Ok(response)
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
