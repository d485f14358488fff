//! What was heard, as the store keeps it: the exchanges that the pointers of records lead to.

use std::collections::HashMap;
use std::sync::Arc;

use renmen_egress::{Exchange, Request, body_at, pack};
use renmen_store::ExchangeWrite;

use crate::spool::{Answer, Reel};

/// A packed body of fewer bytes is kept with each exchange: a row of its own would cost as much as it saves.
const SHARED_BYTES_MIN: usize = 1024;

/// The page's exchanges in the order in which its envelopes number them.
pub(crate) fn exchange_writes(exchanges: &[Arc<Exchange>], reel: Reel) -> Vec<ExchangeWrite> {
    let mut heard: HashMap<*const Exchange, Answer> =
        reel.answers.into_iter().map(|answer| (Arc::as_ptr(&answer.exchange), answer)).collect();
    exchanges
        .iter()
        .zip(0..)
        .map(|(exchange, no)| {
            let answer = heard.remove(&Arc::as_ptr(exchange));
            let key = answer.as_ref().map_or_else(|| key_of(exchange), |answer| answer.key.0);
            let packed = answer.and_then(|answer| answer.packed).unwrap_or_else(|| pack(exchange));
            ExchangeWrite {
                no,
                method: exchange.method.clone(),
                url: exchange.url.clone(),
                status: exchange.response.status,
                key,
                body_hash: *blake3::hash(&exchange.response.body).as_bytes(),
                body_at: shared_from(&packed),
                packed,
                at_ms: exchange.at_ms,
            }
        })
        .collect()
}

/// Where the body begins that an unchanged vendor gives again with the next pull: it is kept once.
fn shared_from(packed: &[u8]) -> Option<u32> {
    let at = body_at(packed).filter(|at| packed.len() - at >= SHARED_BYTES_MIN)?;
    u32::try_from(at).ok()
}

/// The identity of a request whose exchange did not pass through the tape.
fn key_of(exchange: &Exchange) -> [u8; 16] {
    Exchange::key_of(&Request {
        method: exchange.method.clone(),
        url: exchange.url.clone(),
        headers: exchange.request_headers.clone(),
        body: exchange.request_body.clone(),
        slot: None,
    })
    .0
}
