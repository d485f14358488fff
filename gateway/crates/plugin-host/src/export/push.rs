//! `sink.push`: one action and its receipt.

use renmen_turns::Class;
use serde_json::{Map, Value};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::Bound;
use crate::action::Receipt;
use crate::bindings::exports::renmen::connector::sink;
use crate::bindings::renmen::connector::types::Failure;
use crate::failure::CallError;
use crate::guest_text::CODE_BYTES_MAX;
use crate::invoke::Export;
use crate::scan;
use crate::state::CallState;
use crate::usage::Usage;

pub(crate) struct PushExport {
    pub(crate) indices: sink::GuestIndices,
    pub(crate) action: sink::Action,
}

impl Export for PushExport {
    const NAME: &'static str = "sink.push";
    const CLASS: Class = Class::Urgent;
    type Answer = sink::Receipt;
    type Outcome = Receipt;

    async fn enter(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<sink::Receipt, Failure>> {
        let guest = self.indices.load(&mut *store, instance)?;
        guest.call_push(store, &self.action).await
    }

    fn leave(&self, receipt: sink::Receipt, mut state: CallState, usage: Usage) -> Result<Receipt, CallError> {
        let bytes = (receipt.detail.len() + receipt.reference.as_ref().map_or(0, String::len)) as u64;
        let allowed = state.limits.receipt_bytes_max;
        let bound = Bound { budget: "receipt_bytes_max", what: "the receipt holds", unit: "bytes", allowed };
        bound.check(bytes, &usage)?;
        let texts = receipt.reference.iter().map(String::as_bytes).chain([receipt.detail.as_slice()]);
        scan::told(&state, "the receipt", texts, &usage)?;
        let detail = detail(&receipt.detail)
            .map_err(|why| CallError::unusable("bad_receipt", format!("the receipt's detail {why}"), usage.clone()))?;
        Ok(Receipt {
            reference: receipt.reference.map(|reference| state.clean(&reference, CODE_BYTES_MAX)),
            detail,
            confirmed: receipt.confirmed,
            exchanges: std::mem::take(&mut state.http.exchanges),
            usage,
        })
    }

    fn usage(receipt: &Receipt) -> &Usage {
        &receipt.usage
    }
}

fn detail(json: &[u8]) -> Result<Map<String, Value>, String> {
    if json.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(json) {
        Ok(Value::Object(detail)) => Ok(detail),
        Ok(_) => Err("is not a JSON object".to_owned()),
        Err(error) => Err(format!("is not valid JSON (line {}, column {})", error.line(), error.column())),
    }
}
