//! How many questions are allowed: from one caller in a minute; from all callers together, about one interview and
//! about one candidate; and from one connection, about one band.
//!
//! What answers can tell at all is decided by their grid. These counts keep what is asked to what interviews need, and
//! make plain who asks for more. A question that was answered before is answered again and counts for nothing.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::Parent;

use super::grid::Cell;

/// The window of the rate.
const MINUTE_MS: i64 = 60_000;
/// The window of a band.
const DAY_MS: i64 = 86_400_000;
/// Interviews, and candidates, remembered at once; beyond it a new one waits until older ones are forgotten.
const REMEMBERED_MAX: usize = 200_000;
/// Callers counted at once.
const CALLERS_MAX: usize = 10_000;

/// How many questions are allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) asks_per_minute: u32,
    pub(super) amounts_per_interview: usize,
    pub(super) asks_per_candidate: usize,
    pub(super) asks_per_band: usize,
    /// Of interviews and candidates; bands are counted by the day.
    pub(super) window_ms: i64,
}

/// What a question counts for.
pub(super) struct Counted<'a> {
    pub(super) tenant: &'a TenantId,
    /// Who asks.
    pub(super) connection: &'a ConnectionName,
    pub(super) case: &'a Parent,
    pub(super) candidate: &'a Parent,
    pub(super) bands: &'a [(RecordId, i64)],
    /// The step that it leaves, so that none is counted twice.
    pub(super) step: u128,
}

impl Counted<'_> {
    /// Each connection has a count of its own: none of them can use up another's.
    fn of_band(&self, band: RecordId) -> (TenantId, ConnectionName, RecordId) {
        (self.tenant.clone(), self.connection.clone(), band)
    }
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    Caller,
    Interview,
    Candidate,
    Band,
    /// No place to remember one more interview or candidate.
    Memory,
}

/// A question that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) limit: Limit,
    /// Seconds until it may be asked.
    pub(super) after_s: u32,
    /// The first since a minute: worth telling the operator.
    pub(super) first: bool,
}

/// The result of counting a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// It is new, and was counted.
    New,
    /// It was answered before.
    Again,
}

/// The counts.
pub(super) struct Ledger {
    rates: Rates,
    state: Mutex<State>,
}

type Key = (TenantId, Parent);

/// One question of an interview.
struct Asked {
    at_ms: i64,
    /// None for one of another process.
    cell: Option<Cell>,
    step: u128,
}

#[derive(Default)]
struct State {
    callers: HashMap<String, (i64, u32)>,
    cases: HashMap<Key, VecDeque<Asked>>,
    candidates: HashMap<Key, VecDeque<i64>>,
    bands: HashMap<(TenantId, ConnectionName, RecordId), VecDeque<i64>>,
    told: HashMap<Limit, i64>,
}

impl Limit {
    /// The word of the metric.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Interview => "interview",
            Self::Candidate => "candidate",
            Self::Band => "band",
            Self::Memory => "memory",
        }
    }

    /// What the operator may do when those who ask are honest.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Caller => "raise interview.match_asks_per_minute",
            Self::Interview => "raise interview.match_amounts_per_interview",
            Self::Candidate => "raise interview.match_asks_per_candidate",
            Self::Band => "raise interview.match_asks_per_band",
            Self::Memory => "shorten interview.match_window",
        }
    }
}

impl Ledger {
    pub(super) fn new(rates: Rates) -> Self {
        Self { rates, state: Mutex::default() }
    }

    /// Counts a question of a caller, whether it is answered or not.
    pub(super) fn count_caller(&self, caller: &str, now_ms: i64) -> Result<(), Full> {
        let mut state = self.state.lock();
        let counted = state.count_caller(caller, now_ms, self.rates.asks_per_minute);
        counted.map_err(|after_ms| state.full(Limit::Caller, after_ms, now_ms))
    }

    /// Was this asked in this interview before? An error when it was not, and the interview may ask about nothing more.
    pub(super) fn knows(&self, tenant: &TenantId, case: &Parent, cell: Cell, now_ms: i64) -> Result<bool, Full> {
        let mut state = self.state.lock();
        let known = state.knows(&(tenant.clone(), case.clone()), cell, now_ms, &self.rates);
        known.map_err(|(limit, after_ms)| state.full(limit, after_ms, now_ms))
    }

    /// Counts a question for its interview, its candidate and each of its bands: for all of them or for none.
    pub(super) fn count(&self, asked: &Counted<'_>, cell: Cell, now_ms: i64) -> Result<Count, Full> {
        let mut state = self.state.lock();
        let counted = state.count(asked, cell, now_ms, &self.rates);
        counted.map_err(|(limit, after_ms)| state.full(limit, after_ms, now_ms))
    }

    /// Counts a question that was answered by an earlier process, or by another one that is running now; no limit
    /// applies to it.
    pub(super) fn recall(&self, asked: &Counted<'_>, at_ms: i64) {
        self.state.lock().note(asked, None, at_ms);
    }
}

impl State {
    fn full(&mut self, limit: Limit, after_ms: i64, now_ms: i64) -> Full {
        let first = self.told.get(&limit).is_none_or(|at| now_ms - *at >= MINUTE_MS);
        if first {
            self.told.insert(limit, now_ms);
        }
        let after_s = u32::try_from((after_ms + 999) / 1000).unwrap_or(1).max(1);
        Full { limit, after_s, first }
    }

    fn count_caller(&mut self, caller: &str, now_ms: i64, max: u32) -> Result<(), i64> {
        if !self.callers.contains_key(caller) && self.callers.len() >= CALLERS_MAX {
            self.callers.retain(|_, (since, _)| now_ms - *since < MINUTE_MS);
            if self.callers.len() >= CALLERS_MAX {
                return Err(MINUTE_MS);
            }
        }
        let (since, count) = self.callers.entry(caller.to_owned()).or_insert((now_ms, 0));
        if now_ms - *since >= MINUTE_MS {
            (*since, *count) = (now_ms, 0);
        }
        if *count >= max {
            return Err(*since + MINUTE_MS - now_ms);
        }
        *count += 1;
        Ok(())
    }

    fn knows(&mut self, case: &Key, cell: Cell, now_ms: i64, rates: &Rates) -> Result<bool, (Limit, i64)> {
        let Some(asked) = self.cases.get_mut(case) else { return Ok(false) };
        asked.retain(|one| one.at_ms > now_ms - rates.window_ms);
        if asked.iter().any(|one| one.cell == Some(cell)) {
            return Ok(true);
        }
        let times = asked.iter().map(|one| one.at_ms);
        is_below(times, rates.amounts_per_interview, rates.window_ms, now_ms)
            .map_err(|after_ms| (Limit::Interview, after_ms))?;
        Ok(false)
    }

    fn count(&mut self, asked: &Counted<'_>, cell: Cell, now_ms: i64, rates: &Rates) -> Result<Count, (Limit, i64)> {
        let case = (asked.tenant.clone(), asked.case.clone());
        let candidate = (asked.tenant.clone(), asked.candidate.clone());
        let oldest = now_ms - rates.window_ms;
        has_room(&mut self.cases, &case, |one| one.at_ms > oldest)?;
        has_room(&mut self.candidates, &candidate, |at| *at > oldest)?;
        if self.knows(&case, cell, now_ms, rates)? {
            return Ok(Count::Again);
        }
        if let Some(times) = self.candidates.get_mut(&candidate) {
            times.retain(|at| *at > oldest);
            is_below(times.iter().copied(), rates.asks_per_candidate, rates.window_ms, now_ms)
                .map_err(|after_ms| (Limit::Candidate, after_ms))?;
        }
        for (band, _) in asked.bands {
            let Some(times) = self.bands.get_mut(&asked.of_band(*band)) else { continue };
            times.retain(|at| *at > now_ms - DAY_MS);
            is_below(times.iter().copied(), rates.asks_per_band, DAY_MS, now_ms)
                .map_err(|after_ms| (Limit::Band, after_ms))?;
        }
        self.note(asked, Some(cell), now_ms);
        Ok(Count::New)
    }

    fn note(&mut self, asked: &Counted<'_>, cell: Option<Cell>, at_ms: i64) {
        let key = |of: &Parent| (asked.tenant.clone(), of.clone());
        let of_case = self.cases.entry(key(asked.case)).or_default();
        if of_case.iter().any(|one| one.step == asked.step) {
            return;
        }
        of_case.push_back(Asked { at_ms, cell, step: asked.step });
        self.candidates.entry(key(asked.candidate)).or_default().push_back(at_ms);
        for (band, _) in asked.bands {
            self.bands.entry(asked.of_band(*band)).or_default().push_back(at_ms);
        }
    }
}

/// Refuses one more than are remembered; what is over is forgotten first.
fn has_room<K: Eq + Hash, T>(
    of: &mut HashMap<K, VecDeque<T>>,
    key: &K,
    is_kept: impl Fn(&T) -> bool,
) -> Result<(), (Limit, i64)> {
    if of.len() < REMEMBERED_MAX || of.contains_key(key) {
        return Ok(());
    }
    of.retain(|_, asked| asked.iter().any(&is_kept));
    if of.len() < REMEMBERED_MAX { Ok(()) } else { Err((Limit::Memory, MINUTE_MS)) }
}

/// Fewer than may be; else in how many milliseconds the oldest of them is over.
fn is_below(times: impl Iterator<Item = i64>, max: usize, window_ms: i64, now_ms: i64) -> Result<(), i64> {
    let mut times: Vec<i64> = times.collect();
    if times.len() < max {
        return Ok(());
    }
    times.sort_unstable();
    Err(times[times.len() - max] + window_ms - now_ms)
}

#[cfg(test)]
mod tests;
