//! A loaded plugin and what can be asked of it.

use std::sync::Arc;

use renmen_schema::manifest::Manifest;
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::exports::renmen::connector::{probe, source};
use crate::bindings::renmen::connector::types::Failure;
use crate::call::{Call, Pull};
use crate::convert;
use crate::engine;
use crate::failure::{CallError, FailureKind};
use crate::invoke::{Export, invoke};
use crate::page::{Finding, Page};
use crate::state::CallState;
use crate::usage::Usage;

/// A loaded plugin; cheap to share; calls run side by side, each in a fresh store.
pub struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Manifest,
    pub(crate) digest: String,
    pub(crate) pre: InstancePre<CallState>,
    /// Of the whole host: how many calls run at the same time.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) source: Option<source::GuestIndices>,
    pub(crate) probe: Option<probe::GuestIndices>,
}

impl Plugin {
    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `sha256:…` of the bytes that were compiled.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Pulls one page.
    ///
    /// Needs a tokio runtime with a timer. Dropping the future stops the guest where it is.
    ///
    /// # Errors
    /// The connector's own failure, the budget that ended the call, or the crash.
    pub async fn pull(&self, call: Call, pull: Pull) -> Result<Page, CallError> {
        let Some(indices) = &self.source else {
            return Err(self.cannot("source", "its manifest names no stream"));
        };
        let request = source::PullRequest {
            config: call.config.to_vec(),
            stream: pull.stream.as_str().to_owned(),
            cursor: pull.cursor,
            only: pull.only,
            max_records: call.limits.page_records_max,
        };
        invoke(self, &call, &PullExport { indices, request }).await
    }

    /// Asks the connector whether its connection works; empty where it has no `probe`.
    ///
    /// # Errors
    /// As [`Plugin::pull`].
    pub async fn probe(&self, call: Call) -> Result<Vec<Finding>, CallError> {
        let Some(indices) = &self.probe else {
            return Ok(Vec::new());
        };
        let config = call.config.to_vec();
        invoke(self, &call, &ProbeExport { indices, config }).await.map(|(findings, _usage)| findings)
    }

    pub(crate) fn name(&self) -> Arc<str> {
        self.name.clone()
    }

    pub(crate) fn instance_pre(&self) -> &InstancePre<CallState> {
        &self.pre
    }

    /// A place to run in. To be given back after the store is gone: a pool holds no more stores than there are places.
    pub(crate) async fn place(&self) -> SemaphorePermit<'_> {
        self.places.acquire().await.expect("the semaphore is never closed")
    }

    /// A fresh store with the budgets of the state's limits.
    pub(crate) fn store(&self, state: CallState) -> Store<CallState> {
        engine::store(self.pre.engine(), state)
    }

    fn cannot(&self, export: &str, because: &str) -> CallError {
        CallError::Failure {
            kind: FailureKind::InvalidInput,
            code: Some("not_exported".to_owned()),
            message: format!("{} has no `{export}`: {because}", self.name),
            retry_after_ms: None,
            usage: Usage::default(),
        }
    }
}

struct PullExport<'a> {
    indices: &'a source::GuestIndices,
    request: source::PullRequest,
}

impl Export for PullExport<'_> {
    const NAME: &'static str = "source.pull";
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
        let (records_max, bytes_max) = (state.limits.page_records_max, state.limits.page_bytes_max);
        if usage.records > records_max {
            let message = format!("the page holds {items} records, asked for were no more than {records_max}");
            return Err(CallError::Budget { budget: "page_records_max", message, usage });
        }
        let bytes = convert::page_bytes(&page);
        if bytes > bytes_max {
            let message = format!("the page holds {bytes} bytes, allowed are {bytes_max}");
            return Err(CallError::Budget { budget: "page_bytes_max", message, usage });
        }
        Ok(Page {
            records: page.records.into_iter().map(convert::envelope).collect(),
            rejects: page.rejects.into_iter().map(|reject| convert::reject(&state, reject)).collect(),
            next: page.next,
            has_more: page.has_more,
            coverage: convert::coverage(page.coverage),
            exchanges: std::mem::take(&mut state.http.exchanges),
            usage,
        })
    }

    fn usage(page: &Page) -> &Usage {
        &page.usage
    }
}

struct ProbeExport<'a> {
    indices: &'a probe::GuestIndices,
    config: Vec<u8>,
}

impl Export for ProbeExport<'_> {
    const NAME: &'static str = "probe.check";
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
