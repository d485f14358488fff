//! One call: a fresh store, three budgets, a verdict, and the store thrown away.
//!
//! The three budgets do not replace one another. Fuel is work, and waiting costs none. The epoch only makes a busy guest
//! yield every tick, so that others get their turn and the timer is looked at. The timer is wall clock, and ends a wait
//! inside a host function as well. When it ends a call, the future is dropped with the guest in the middle of something;
//! the store is never entered again.
//!
//! All of it happens on the host's own threads, in the turns of the call's connection; who asked only waits.

use std::sync::Arc;
use std::time::Instant;

use renmen_turns::{Account, Bounds, Class, Place, Who};
use tracing::Instrument;
use tracing::instrument::WithSubscriber;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::renmen::connector::types::Failure;
use crate::call::Call;
use crate::failure::CallError;
use crate::plugin::Plugin;
use crate::span::CallSpan;
use crate::state::CallState;
use crate::usage::Usage;
use crate::{convert, engine, verdict};

/// An export with its arguments.
pub(crate) trait Export: Send + Sync + 'static {
    /// For the span: `source.pull`.
    const NAME: &'static str;
    /// Whether the vendor or a user waits for the answer.
    const CLASS: Class;
    /// The number of the call's first exchange: above 0 where what the guest was given counts as one.
    const FIRST_EXCHANGE: u32 = 0;
    /// What the guest answers.
    type Answer: Send;
    /// What is made of it.
    type Outcome: Send + 'static;

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
pub(crate) async fn invoke<E: Export>(plugin: &Plugin, call: Call, export: E) -> Result<E::Outcome, CallError> {
    let span = CallSpan::begin(plugin, E::NAME, &call.connection);
    let result = guarded(plugin, call, export).instrument(span.span()).await;
    match &result {
        Ok(outcome) => span.end("ok", E::usage(outcome)),
        Err(error) => span.end(&error.outcome(), error.usage()),
    }
    result
}

/// Takes a place among the calls under way, and has the call made on the host's threads.
async fn guarded<E: Export>(plugin: &Plugin, call: Call, export: E) -> Result<E::Outcome, CallError> {
    let account = Account::of(call.connection.as_str());
    account.allow(call.limits.cpu, plugin.threads.turns());
    // Before the clock runs.
    let place = plugin.places.take(&who::<E>(&call), bounds(&call)).await;
    let mut state = CallState::new(plugin.name(), &call);
    state.http.first_number = E::FIRST_EXCHANGE;
    let made = make(plugin.pre.clone(), state, export, Arc::clone(&account), place);
    let made = plugin.threads.run(&account, E::CLASS, made.in_current_span().with_current_subscriber()).await;
    made.unwrap_or_else(|_| Err(stopped()))
}

async fn make<E: Export>(
    pre: InstancePre<CallState>,
    state: CallState,
    export: E,
    account: Arc<Account>,
    place: Place,
) -> Result<E::Outcome, CallError> {
    // Given back after the store is gone: a pool holds no more stores than there are places.
    let _place = place;
    let started = Instant::now();
    let wall_clock = state.limits.wall_clock;
    let mut store = engine::store(pre.engine(), state);
    let entered = tokio::time::timeout(wall_clock, async {
        let instance = pre.instantiate_async(&mut store).await?;
        export.enter(&mut store, &instance).await
    })
    .await;
    let usage = measure(&store, started);
    match entered {
        Err(_elapsed) => Err(verdict::late(store.data(), usage, account.held_back_since().is_some())),
        Ok(Err(error)) => Err(verdict::over(&error, store.data(), usage)),
        Ok(Ok(Err(failure))) => Err(convert::failure(store.data(), &failure, usage)),
        Ok(Ok(Ok(answer))) => export.leave(answer, store.into_data(), usage),
    }
}

fn who<E: Export>(call: &Call) -> Who {
    let kind = match E::CLASS {
        Class::Urgent => "urgent",
        Class::Bulk => "bulk",
    };
    Who::new(call.egress.tenant().as_str(), call.connection.as_str(), kind)
}

/// A connection's pulls leave its deliveries and actions a quarter of its places, and the other way round.
fn bounds(call: &Call) -> Bounds {
    Bounds { connection: call.limits.calls_max as usize, shared: true }
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

fn stopped() -> CallError {
    CallError::Crashed { message: "the gateway is stopping".to_owned(), usage: Usage::default() }
}
