//! The memory budget: all linear memories and tables of one call together, reserved in the budget of the process as they grow.
//!
//! wasmtime's own `StoreLimits` looks at each memory alone. A denied growth only makes `memory.grow` answer -1, and a Rust
//! guest then aborts with a bare `unreachable`: so the denial is remembered here, and the crash that follows is reported as
//! what it is.

use renmen_egress::{Held, NoMemory, Share};
use wasmtime::ResourceLimiter;

/// What wasmtime keeps for one table element, in bytes.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();
/// A component made by our tools has three or four core instances, one memory and two tables.
const INSTANCES_MAX: usize = 64;
const TABLES_MAX: usize = 32;
const MEMORIES_MAX: usize = 8;

/// Counts and limits.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    bytes_max: usize,
    bytes: usize,
    peak: usize,
    /// What the last permitted growth added: taken back when the growth then fails.
    last_growth: usize,
    denied: Option<Denied>,
    /// The connection's account in the budget of the process; none while a plugin is being loaded.
    share: Option<Share>,
    held: Option<Held>,
}

/// Why a growth was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It would have made so many bytes in all: more than the call may have.
    Call(u64),
    /// The process has none to give.
    Process(NoMemory),
}

impl MemoryMeter {
    pub(crate) fn new(bytes_max: u64, share: Option<Share>) -> Self {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        Self { bytes_max, bytes: 0, peak: 0, last_growth: 0, denied: None, share, held: None }
    }

    /// The most that was held at one time, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak as u64
    }

    /// Why the first denied growth was.
    pub(crate) fn denied(&self) -> Option<Denied> {
        self.denied
    }

    /// The guest is gone: others may have its memory.
    pub(crate) fn give_back(&mut self) {
        self.held = None;
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let growth = desired.saturating_sub(current);
        let total = self.bytes.saturating_add(growth);
        if total > self.bytes_max {
            self.denied.get_or_insert(Denied::Call(total as u64));
            self.last_growth = 0;
            return false;
        }
        if let Err(refused) = self.reserve(growth) {
            self.denied.get_or_insert(Denied::Process(refused));
            self.last_growth = 0;
            return false;
        }
        self.bytes = total;
        self.last_growth = growth;
        self.peak = self.peak.max(total);
        true
    }

    fn reserve(&mut self, growth: usize) -> Result<(), NoMemory> {
        let Some(share) = self.share.as_ref().filter(|_| growth > 0) else { return Ok(()) };
        let more = share.try_take(growth as u64)?;
        match &mut self.held {
            Some(held) => held.join(more),
            None => self.held = Some(more),
        }
        Ok(())
    }

    fn take_back(&mut self) {
        self.bytes -= self.last_growth;
        self.last_growth = 0;
        if let Some(held) = &mut self.held {
            held.shrink_to(self.bytes as u64);
        }
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = |elements: usize| elements.saturating_mul(TABLE_ELEMENT_BYTES);
        Ok(self.grow(bytes(current), bytes(desired)))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn two_memories_share_one_budget() {
        let mut meter = MemoryMeter::new(100, None);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 41, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert_eq!((meter.peak(), meter.denied()), (100, Some(Denied::Call(101))));
    }

    #[test]
    fn a_table_counts_by_its_elements() {
        let mut meter = MemoryMeter::new(80, None);
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert!(!meter.table_growing(10, 11, None).unwrap());
        assert_eq!(meter.denied(), Some(Denied::Call(88)));
    }

    #[test]
    fn a_growth_that_the_system_refused_is_taken_back() {
        let mut meter = MemoryMeter::new(100, None);
        assert!(meter.memory_growing(0, 90, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(meter.memory_growing(0, 100, None).unwrap());
        assert_eq!(meter.denied(), None);
    }

    #[test]
    fn a_guest_grows_within_the_budget_of_the_process_and_gives_back_what_it_had() {
        let budget = renmen_egress::MemoryBudget::new(400);
        let share = budget.share(&"t".parse().unwrap(), "c");
        let mut meter = MemoryMeter::new(1_000, Some(share.clone()));
        assert!(meter.memory_growing(0, 200, None).unwrap());
        assert!(meter.table_growing(0, 1, None).unwrap());
        assert_eq!(share.held(), 208);
        assert!(!meter.memory_growing(200, 400, None).unwrap());
        assert!(matches!(meter.denied(), Some(Denied::Process(_))));
        assert!(meter.memory_growing(200, 250, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert_eq!(share.held(), 208);
        drop(meter);
        assert_eq!(share.held(), 0);
    }

    #[test]
    fn a_denied_growth_takes_nothing_back() {
        let mut meter = MemoryMeter::new(100, None);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(60, 200, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("denied")).unwrap();
        assert!(!meter.memory_growing(60, 101, None).unwrap());
    }

    #[test]
    fn an_absurd_size_is_denied_without_overflow() {
        let mut meter = MemoryMeter::new(100, None);
        assert!(meter.memory_growing(0, 1, None).unwrap());
        assert!(!meter.table_growing(0, usize::MAX, None).unwrap());
    }
}
