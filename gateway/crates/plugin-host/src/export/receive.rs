//! `webhook.receive`: what a delivery means and what its sender is answered.

use renmen_schema::manifest::WebhookManifest;
use renmen_turns::Class;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::Bound;
use crate::bindings::exports::renmen::connector::webhook;
use crate::bindings::renmen::connector::types::Failure;
use crate::convert;
use crate::delivery::{Answer, ReceivedDelivery, Refresh};
use crate::failure::CallError;
use crate::invoke::Export;
use crate::proof;
use crate::scan;
use crate::state::CallState;
use crate::usage::Usage;

pub(crate) struct ReceiveExport {
    pub(crate) indices: webhook::GuestIndices,
    pub(crate) delivery: webhook::Delivery,
    /// How an answer is sealed. None: the host opened nothing, so none is.
    pub(crate) sealing: Option<WebhookManifest>,
}

impl Export for ReceiveExport {
    const NAME: &'static str = "webhook.receive";
    const CLASS: Class = Class::Urgent;
    /// The delivery itself is exchange 0: what its records point into.
    const FIRST_EXCHANGE: u32 = 1;
    type Answer = webhook::Outcome;
    type Outcome = ReceivedDelivery;

    async fn enter(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<webhook::Outcome, Failure>> {
        let guest = self.indices.load(&mut *store, instance)?;
        guest.call_receive(store, &self.delivery).await
    }

    fn leave(
        &self,
        outcome: webhook::Outcome,
        mut state: CallState,
        mut usage: Usage,
    ) -> Result<ReceivedDelivery, CallError> {
        usage.records = u32::try_from(outcome.records.len() + outcome.rejects.len()).unwrap_or(u32::MAX);
        check_bounds(&outcome, &state, &usage)?;
        let memory = state.settle(convert::items_bytes(&outcome.records, &outcome.rejects), &usage)?;
        let sealed = outcome.answer.sealed;
        let mut answer = answer(&state, outcome.answer)
            .map_err(|why| CallError::unusable("bad_answer", format!("the answer {why}"), usage.clone()))?;
        if sealed {
            answer = self.seal(&answer, &state, &usage)?;
        }
        let ids = outcome.refresh.iter().flat_map(|refresh| refresh.only.iter().chain([&refresh.stream]));
        let ids = ids.chain(&outcome.delivery_id).map(String::as_bytes);
        scan::told(&state, "an id of the delivery, or of what it asks to read again,", ids, &usage)?;
        let (records, rejects) = scan::items(&state, outcome.records, outcome.rejects);
        Ok(ReceivedDelivery {
            answer,
            delivery_id: outcome.delivery_id,
            records,
            rejects,
            refresh: outcome.refresh.into_iter().map(|r| Refresh { stream: r.stream, only: r.only }).collect(),
            question: false,
            exchanges: std::mem::take(&mut state.http.exchanges),
            memory,
            usage,
        })
    }

    fn usage(outcome: &ReceivedDelivery) -> &Usage {
        &outcome.usage
    }
}

impl ReceiveExport {
    /// The answer that the host makes of the connector's text. It is not searched for secrets: a cipher text and a signature of the
    /// host's are what the vendor waits for.
    fn seal(&self, answer: &Answer, state: &CallState, usage: &Usage) -> Result<Answer, CallError> {
        let refused = |why: &str| CallError::unusable("bad_answer", format!("the answer {why}"), usage.clone());
        let webhook =
            self.sealing.as_ref().ok_or_else(|| refused("is to be sealed, but the host opened no delivery"))?;
        let (Some(proof), Some(template)) = (&webhook.proof, &webhook.answer) else {
            return Err(refused("is to be sealed, but the manifest has no [webhook.answer]"));
        };
        let Some(outside) = &state.outside else { return Err(refused("is to be sealed without a connection")) };
        let (seal, config) = (outside.egress.seal(), outside.egress.config());
        let body = seal
            .answer(proof, template, config, &answer.body, state.now_ms)
            .map_err(|error| refused(&format!("cannot be sealed: {error}")))?;
        let bound = Bound {
            budget: "answer_bytes_max",
            what: "the sealed answer holds",
            unit: "bytes",
            allowed: state.limits.answer_bytes_max,
        };
        bound.check(body.len() as u64, usage)?;
        Ok(Answer { status: answer.status, headers: vec![proof::json()], body: body.into() })
    }
}

fn check_bounds(outcome: &webhook::Outcome, state: &CallState, usage: &Usage) -> Result<(), CallError> {
    let limits = &state.limits;
    let bound = |budget, what, unit, allowed| Bound { budget, what, unit, allowed };
    bound("page_records_max", "the delivery holds", "records", u64::from(limits.page_records_max))
        .check(u64::from(usage.records), usage)?;
    let refreshes: usize = outcome.refresh.iter().map(|refresh| refresh.only.len().max(1)).sum();
    bound("refreshes_max", "the delivery asks for", "records to be read again", u64::from(limits.refreshes_max))
        .check(refreshes as u64, usage)?;
    let ids: usize =
        outcome.refresh.iter().map(|r| r.stream.len() + r.only.iter().map(String::len).sum::<usize>()).sum();
    let ids = ids + outcome.delivery_id.as_ref().map_or(0, String::len);
    let bytes = convert::items_bytes(&outcome.records, &outcome.rejects) + ids as u64;
    bound("page_bytes_max", "the delivery holds", "bytes", limits.page_bytes_max).check(bytes, usage)?;
    let headers: usize = outcome.answer.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    let bytes = (headers + outcome.answer.body.len()) as u64;
    bound("answer_bytes_max", "the answer holds", "bytes", limits.answer_bytes_max).check(bytes, usage)
}

/// Refuses what no vendor may be sent.
fn answer(state: &CallState, answer: webhook::Answer) -> Result<Answer, String> {
    if !(200..=599).contains(&answer.status) {
        return Err(format!("has the status {}; expected 200 to 599", answer.status));
    }
    let headers: Vec<_> = answer.headers.into_iter().map(|header| (header.name, header.value)).collect();
    // Only the vendor's signature is known to us, not who reads its answers: a secret leaves in none.
    if let Some(found) = state.secret_in(&answer.body) {
        return Err(format!("carries {found}"));
    }
    if let Some(found) = headers
        .iter()
        .find_map(|(name, value)| state.secret_in(value.as_bytes()).or_else(|| state.secret_in(name.as_bytes())))
    {
        return Err(format!("carries {found} in a header"));
    }
    Ok(Answer { status: answer.status, headers, body: answer.body.into() })
}
