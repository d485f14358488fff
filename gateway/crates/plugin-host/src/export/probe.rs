//! `probe.check`: does the connection work?

use renmen_turns::Class;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::bindings::exports::renmen::connector::probe;
use crate::bindings::renmen::connector::types::Failure;
use crate::convert;
use crate::failure::CallError;
use crate::invoke::Export;
use crate::page::Finding;
use crate::state::CallState;
use crate::usage::Usage;

pub(crate) struct ProbeExport {
    pub(crate) indices: probe::GuestIndices,
    pub(crate) config: Vec<u8>,
}

impl Export for ProbeExport {
    const NAME: &'static str = "probe.check";
    const CLASS: Class = Class::Urgent;
    type Answer = Vec<probe::Finding>;
    type Outcome = (Vec<Finding>, Usage);

    async fn enter(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<probe::Finding>, Failure>> {
        let guest = self.indices.load(&mut *store, instance)?;
        guest.call_check(store, &self.config).await
    }

    fn leave(&self, findings: Self::Answer, state: CallState, usage: Usage) -> Result<Self::Outcome, CallError> {
        // A finding is text to clean and to show: as many as a page may hold are plenty.
        let allowed = state.limits.page_records_max as usize;
        if findings.len() > allowed {
            let message = format!("the probe found {} things, allowed are {allowed}", findings.len());
            return Err(CallError::Budget { budget: "page_records_max", message, usage });
        }
        Ok((findings.iter().map(|finding| convert::finding(&state, finding)).collect(), usage))
    }

    fn usage(outcome: &Self::Outcome) -> &Usage {
        &outcome.1
    }
}
