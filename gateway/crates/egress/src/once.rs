//! One attempt, for a caller that keeps its own times for repeating: a delivery is tried again over a day, not within a call.
//! The steps are those of `send` (grant, headers, secrets, rate, addresses, credential) without tape, redirects and retries;
//! a redirect is an answer like any other.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::credential::Recipe;
use crate::memory::CallMemory;
use crate::send::Order;
use crate::target::Target;
use crate::token::{Token, is_stale};
use crate::wire::{Beyond, Fault, Outgoing};
use crate::{Connection, EgressError, Request, Response, retry};

/// What one attempt brought.
#[derive(Debug, Clone)]
pub struct Reply {
    /// As [`Connection::send`] gives it, but the body is cut where it passes `response_bytes_max`.
    pub response: Response,
    /// How long the receiver asked to wait, in milliseconds: `Retry-After` and its like.
    pub retry_after_ms: Option<u64>,
}

impl Connection {
    /// Sends a request once. Every status is an answer.
    ///
    /// # Errors
    /// [`EgressError`] as of [`Connection::send`], but never `RateLimited` for a status. No text holds a secret.
    pub async fn send_once(&self, request: Request) -> Result<Reply, EgressError> {
        let checked = self.check(&request)?;
        let Target::Http { url, origin } = checked.target else {
            return Err(EgressError::BadRequest("the drop directory takes no messages".into()));
        };
        let outgoing = Outgoing { method: checked.method, url, headers: checked.headers, body: request.body.clone() };
        let order = Order { outgoing, origin, slot: checked.slot };
        let started = Instant::now();
        let outcome = self.attempt_once(&order).await;
        let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let (outcome, retry_after_ms) = match outcome {
            Ok((response, asked)) => (Ok(response), asked),
            Err(error) => (Err(error), None),
        };
        self.audit(&request, &outcome, took_ms);
        Ok(Reply { response: outcome?, retry_after_ms })
    }

    async fn attempt_once(&self, order: &Order<'_>) -> Result<(Response, Option<u64>), EgressError> {
        let used = parking_lot::Mutex::new(None);
        let memory = CallMemory::new(&self.parts.memory, u64::MAX);
        let answer = self.attempt(order, Beyond::Cut, &used, &memory).await.map_err(|fault| match fault {
            Fault::Final(error) => error,
            Fault::NotSent(why) | Fault::Lost(why) => EgressError::Unavailable(why),
        })?;
        let token: Option<Arc<Token>> = used.into_inner();
        if let (Some(token), Some(Recipe::Token { endpoint, cell, .. })) =
            (token, order.slot.and_then(|slot| slot.recipe.as_ref()))
            && is_stale(&answer, endpoint.stale.as_ref())
        {
            // The caller's next attempt gets a new one.
            cell.forget(&token).await;
        }
        let asked = retry::asked_pause(&answer.headers, &self.parts.retry.headers, SystemTime::now());
        let asked_ms = asked.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        Ok((self.reveal(answer), asked_ms))
    }
}
