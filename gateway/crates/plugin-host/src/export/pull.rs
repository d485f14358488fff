//! `source.pull`: one page.

use renmen_turns::Class;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::Bound;
use crate::bindings::exports::renmen::connector::source;
use crate::bindings::renmen::connector::types::Failure;
use crate::convert;
use crate::failure::CallError;
use crate::invoke::Export;
use crate::page::Page;
use crate::scan;
use crate::state::CallState;
use crate::usage::Usage;

pub(crate) struct PullExport {
    pub(crate) indices: source::GuestIndices,
    pub(crate) request: source::PullRequest,
}

impl Export for PullExport {
    const NAME: &'static str = "source.pull";
    const CLASS: Class = Class::Bulk;
    type Answer = source::Page;
    type Outcome = Page;

    async fn enter(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<source::Page, Failure>> {
        let guest = self.indices.load(&mut *store, instance)?;
        guest.call_pull(store, &self.request).await
    }

    fn leave(&self, page: source::Page, mut state: CallState, mut usage: Usage) -> Result<Page, CallError> {
        let items = page.records.len() + page.rejects.len();
        usage.records = u32::try_from(items).unwrap_or(u32::MAX);
        let records_max = state.limits.page_records_max;
        if usage.records > records_max {
            let message = format!("the page holds {items} records, asked for were no more than {records_max}");
            return Err(CallError::Budget { budget: "page_records_max", message, usage });
        }
        let bytes = convert::items_bytes(&page.records, &page.rejects);
        let bytes = bytes + page.next.as_ref().map_or(0, String::len) as u64;
        let bytes = bytes + convert::told_bytes(&page.findings, &page.omissions);
        let allowed = state.limits.page_bytes_max;
        Bound { budget: "page_bytes_max", what: "the page holds", unit: "bytes", allowed }.check(bytes, &usage)?;
        let memory = state.settle(bytes, &usage)?;
        scan::told(&state, "the page's cursor", page.next.iter().map(String::as_bytes), &usage)?;
        let (records, rejects) = scan::items(&state, page.records, page.rejects);
        Ok(Page {
            records,
            rejects,
            findings: page.findings.iter().map(|finding| convert::page_finding(&state, finding)).collect(),
            omissions: page.omissions.iter().map(|omission| convert::omission(&state, omission)).collect(),
            total: page.total,
            next: page.next,
            has_more: page.has_more,
            coverage: convert::coverage(page.coverage),
            exchanges: std::mem::take(&mut state.http.exchanges),
            memory,
            usage,
        })
    }

    fn usage(page: &Page) -> &Usage {
        &page.usage
    }
}
