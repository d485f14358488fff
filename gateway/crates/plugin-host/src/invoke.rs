//! One call: a fresh store, three budgets, a verdict, and the store thrown away.
//!
//! The three budgets do not replace one another. Fuel is work, and waiting costs none. The epoch only makes a busy guest
//! yield every tick, so that others get their turn and the timer is looked at. The timer is wall clock, and ends a wait
//! inside a host function as well. When it ends a call, the future is dropped with the guest in the middle of something;
//! the store is never entered again.

use std::time::Instant;

use tracing::Instrument;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::bindings::renmen::connector::types::Failure;
use crate::call::Call;
use crate::convert;
use crate::failure::CallError;
use crate::plugin::Plugin;
use crate::span::CallSpan;
use crate::state::CallState;
use crate::usage::Usage;
use crate::verdict;

/// An export with its arguments.
pub(crate) trait Export: Sync {
    /// For the span: `source.pull`.
    const NAME: &'static str;
    /// The number of the call's first exchange: above 0 where what the guest was given counts as one.
    const FIRST_EXCHANGE: u32 = 0;
    /// What the guest answers.
    type Answer: Send;
    /// What is made of it.
    type Outcome;

    /// Enters the guest.
    fn enter(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> impl Future<Output = wasmtime::Result<Result<Self::Answer, Failure>>> + Send;

    /// Checks and turns the answer into ours; `usage` may be completed.
    fn leave(&self, answer: Self::Answer, state: CallState, usage: Usage) -> Result<Self::Outcome, CallError>;

    /// The figures after [`Export::leave`], for the span.
    fn usage(outcome: &Self::Outcome) -> &Usage;
}

/// Makes the call.
pub(crate) async fn invoke<E: Export>(plugin: &Plugin, call: &Call, export: &E) -> Result<E::Outcome, CallError> {
    let span = CallSpan::begin(plugin, E::NAME, &call.connection);
    let result = guarded(plugin, call, export).instrument(span.span()).await;
    match &result {
        Ok(outcome) => span.end("ok", E::usage(outcome)),
        Err(error) => span.end(&error.outcome(), error.usage()),
    }
    result
}

async fn guarded<E: Export>(plugin: &Plugin, call: &Call, export: &E) -> Result<E::Outcome, CallError> {
    // Before the clock runs, and dropped after the store.
    let _place = plugin.place().await;
    let started = Instant::now();
    let mut state = CallState::new(plugin.name(), call);
    state.http.first_number = E::FIRST_EXCHANGE;
    let mut store = plugin.store(state);
    let entered = tokio::time::timeout(call.limits.wall_clock, async {
        let instance = plugin.instance_pre().instantiate_async(&mut store).await?;
        export.enter(&mut store, &instance).await
    })
    .await;
    let usage = measure(&store, started);
    match entered {
        Err(_elapsed) => Err(verdict::late(store.data(), usage)),
        Ok(Err(error)) => Err(verdict::over(&error, store.data(), usage)),
        Ok(Ok(Err(failure))) => Err(convert::failure(store.data(), &failure, usage)),
        Ok(Ok(Ok(answer))) => export.leave(answer, store.into_data(), usage),
    }
}

fn measure(store: &Store<CallState>, started: Instant) -> Usage {
    let state = store.data();
    let left = store.get_fuel().expect("fuel is switched on for the whole engine");
    Usage {
        fuel: state.limits.fuel_max.saturating_sub(left),
        wall_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        memory_peak_bytes: state.memory.peak(),
        http_calls: state.http.calls,
        bytes_in: state.http.bytes_in,
        bytes_out: state.http.bytes_out,
        records: 0,
        log_lines: state.log.lines,
        log_lines_dropped: state.log.dropped,
    }
}
