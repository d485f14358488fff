//! The month's budget of a connection: how many requests a vendor answers in a calendar month. Owns the count, what counts, the
//! warning at 80 % and the refusal at the end. It must not know where the count is kept: who does takes what is new
//! ([`Budget::take`]) and says what all gateways together have sent ([`Budget::settle`]).

mod book;
mod charge;
mod month;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::CallBudget;

use crate::EgressError;
pub(crate) use book::BudgetBook;
pub(crate) use charge::Charge;
use month::{Calendar, Month};

/// The machine's clock, or a test's: milliseconds since the epoch.
pub type ClockMs = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The requests of one connection in this month. It outlives a reload of the plugin.
pub struct Budget {
    tenant: TenantId,
    connection: ConnectionName,
    clock: ClockMs,
    state: Mutex<State>,
}

struct State {
    calls_max: u64,
    except: Vec<String>,
    calendar: Calendar,
    /// By month, `2026-11`: this one, and those of which something is still to be written.
    counts: BTreeMap<String, Count>,
    /// What the log was told of, and of which month.
    told: Option<(String, Stand)>,
}

/// Requests of one month.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// As it is kept, other gateways' included.
    kept: i64,
    /// Taken to be written.
    taken: i64,
    /// Not taken yet; below zero where a request that was taken turned out not to have left.
    fresh: i64,
}

impl Count {
    fn used(self) -> u64 {
        u64::try_from(self.kept + self.taken + self.fresh).unwrap_or(0)
    }
}

/// How far a month's budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stand {
    Well,
    /// 80 %.
    Near,
    Out,
}

impl Stand {
    fn of(used: u64, max: u64) -> Self {
        match used {
            used if used >= max => Self::Out,
            used if used.saturating_mul(10) >= max.saturating_mul(8) => Self::Near,
            _ => Self::Well,
        }
    }
}

/// How a budget stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFigures {
    /// The tenant that owns the connection.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionName,
    /// Requests of this month that count.
    pub used: u64,
    /// How many there may be.
    pub max: u64,
    /// `2026-11`.
    pub month: String,
    /// What to do, from 80 % on.
    pub message: Option<String>,
}

impl Budget {
    fn new(key: (TenantId, ConnectionName), clock: ClockMs, rule: &CallBudget) -> Result<Self, EgressError> {
        let state = State {
            calls_max: rule.calls,
            except: rule.except.clone(),
            calendar: Calendar::in_zone(&rule.zone)?,
            counts: BTreeMap::new(),
            told: None,
        };
        Ok(Self { tenant: key.0, connection: key.1, clock, state: Mutex::new(state) })
    }

    /// From now on by this rule; what was counted stays.
    fn follow(&self, rule: &CallBudget) -> Result<(), EgressError> {
        let calendar = Calendar::in_zone(&rule.zone)?;
        let mut state = self.state.lock();
        (state.calls_max, state.except, state.calendar) = (rule.calls, rule.except.clone(), calendar);
        Ok(())
    }

    /// The tenant that owns the connection.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &ConnectionName {
        &self.connection
    }

    /// Counts a request that is about to be sent.
    ///
    /// # Errors
    /// [`EgressError::RateLimited`] until the month ends, when there have been as many as there may be.
    pub(crate) fn charge(self: &Arc<Self>, path: &str) -> Result<Charge, EgressError> {
        let mut state = self.state.lock();
        if state.except.iter().any(|beginning| path.starts_with(beginning)) {
            return Ok(Charge::free());
        }
        let now_ms = (self.clock)();
        let month = state.calendar.month(now_ms)?;
        let used = state.used(&month.name);
        if used >= state.calls_max {
            self.tell(&mut state, &month);
            return Err(EgressError::RateLimited {
                message: out_message(used, state.calls_max, &month),
                retry_after_ms: Some(u64::try_from(month.ends_ms - now_ms).unwrap_or(0)),
            });
        }
        state.count(&month.name).fresh += 1;
        self.tell(&mut state, &month);
        Ok(Charge::of(Arc::clone(self), month.name))
    }

    /// The request did not leave after all.
    fn give_back(&self, month: &str) {
        self.state.lock().count(month).fresh -= 1;
    }

    /// What is new since the last time, by month; this month stands there in any case. To be followed by [`Budget::settle`] for
    /// each, or [`Budget::put_back`].
    #[must_use]
    pub fn take(&self) -> Vec<(String, i64)> {
        let mut state = self.state.lock();
        let Ok(month) = state.calendar.month((self.clock)()) else { return Vec::new() };
        state.count(&month.name);
        state.counts.retain(|name, count| *name == month.name || count.taken + count.fresh != 0);
        let take = |(name, count): (&String, &mut Count)| {
            count.taken += std::mem::take(&mut count.fresh);
            (name.clone(), count.taken)
        };
        state.counts.iter_mut().map(take).collect()
    }

    /// It is written: all gateways together have sent so many. `at_start`: the log is not told again of what it knows.
    pub fn settle(&self, month: &str, kept: i64, at_start: bool) {
        let mut state = self.state.lock();
        *state.count(month) = Count { kept, taken: 0, fresh: state.count(month).fresh };
        let Ok(now) = state.calendar.month((self.clock)()) else { return };
        if now.name != month {
            return;
        }
        if at_start {
            state.told = Some((now.name.clone(), Stand::of(state.used(month), state.calls_max)));
        }
        self.tell(&mut state, &now);
    }

    /// It could not be written, and is still to be.
    pub fn put_back(&self, month: &str) {
        let mut state = self.state.lock();
        let count = state.count(month);
        count.fresh += std::mem::take(&mut count.taken);
    }

    /// How it stands.
    #[must_use]
    pub fn figures(&self) -> Option<BudgetFigures> {
        let state = self.state.lock();
        let month = state.calendar.month((self.clock)()).ok()?;
        let (used, max) = (state.used(&month.name), state.calls_max);
        let message = message(used, max, &month);
        let (tenant, connection) = (self.tenant.clone(), self.connection.clone());
        Some(BudgetFigures { tenant, connection, used, max, month: month.name, message })
    }

    /// One line at 80 % and one at the end, once a month.
    fn tell(&self, state: &mut State, month: &Month) {
        let (used, max) = (state.used(&month.name), state.calls_max);
        let stand = Stand::of(used, max);
        let told = state.told.as_ref().filter(|(name, _)| *name == month.name).map_or(Stand::Well, |(_, told)| *told);
        if stand <= told {
            return;
        }
        state.told = Some((month.name.clone(), stand));
        let what = message(used, max, month).unwrap_or_default();
        tracing::warn!(tenant = %self.tenant, connection = %self.connection, month = month.name, used, max, "{what}");
    }
}

impl State {
    fn count(&mut self, month: &str) -> &mut Count {
        self.counts.entry(month.to_owned()).or_default()
    }

    fn used(&self, month: &str) -> u64 {
        self.counts.get(month).copied().unwrap_or_default().used()
    }
}

fn message(used: u64, max: u64, month: &Month) -> Option<String> {
    match Stand::of(used, max) {
        Stand::Well => None,
        Stand::Near => Some(format!(
            "{used} of the {max} calls that the vendor answers in {} are used, 80 % or more: let streams run less often, or get more \
             from the vendor and set `month_calls_max` under the connection's `limits`",
            month.name
        )),
        Stand::Out => Some(out_message(used, max, month)),
    }
}

fn out_message(used: u64, max: u64, month: &Month) -> String {
    format!(
        "the month's calls are used up, {used} of {max} in {}: what counts waits until {}. If the vendor answers more, set \
         `month_calls_max` under the connection's `limits` (0 stops the counting)",
        month.name, month.ends
    )
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (tenant, connection) = (&self.tenant, &self.connection);
        f.debug_struct("Budget").field("tenant", tenant).field("connection", connection).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
