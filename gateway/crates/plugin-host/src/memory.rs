//! The memory budget: all linear memories and tables of one call together.
//!
//! wasmtime's own `StoreLimits` looks at each memory alone. A denied growth only makes `memory.grow` answer -1, and a Rust
//! guest then aborts with a bare `unreachable`: so the denial is remembered here, and the crash that follows is reported as
//! what it is.

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
    denied: Option<usize>,
}

impl MemoryMeter {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        Self { bytes_max, bytes: 0, peak: 0, last_growth: 0, denied: None }
    }

    /// The most that was held at one time, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak as u64
    }

    /// How many bytes in all the first denied growth would have made.
    pub(crate) fn denied(&self) -> Option<u64> {
        self.denied.map(|bytes| bytes as u64)
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let growth = desired.saturating_sub(current);
        let total = self.bytes.saturating_add(growth);
        if total > self.bytes_max {
            self.denied.get_or_insert(total);
            self.last_growth = 0;
            return false;
        }
        self.bytes = total;
        self.last_growth = growth;
        self.peak = self.peak.max(total);
        true
    }

    fn take_back(&mut self) {
        self.bytes -= self.last_growth;
        self.last_growth = 0;
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
        let mut meter = MemoryMeter::new(100);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 41, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert_eq!((meter.peak(), meter.denied()), (100, Some(101)));
    }

    #[test]
    fn a_table_counts_by_its_elements() {
        let mut meter = MemoryMeter::new(80);
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert!(!meter.table_growing(10, 11, None).unwrap());
        assert_eq!(meter.denied(), Some(88));
    }

    #[test]
    fn a_growth_that_the_system_refused_is_taken_back() {
        let mut meter = MemoryMeter::new(100);
        assert!(meter.memory_growing(0, 90, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(meter.memory_growing(0, 100, None).unwrap());
        assert_eq!(meter.denied(), None);
    }

    #[test]
    fn a_denied_growth_takes_nothing_back() {
        let mut meter = MemoryMeter::new(100);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(60, 200, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("denied")).unwrap();
        assert!(!meter.memory_growing(60, 101, None).unwrap());
    }

    #[test]
    fn an_absurd_size_is_denied_without_overflow() {
        let mut meter = MemoryMeter::new(100);
        assert!(meter.memory_growing(0, 1, None).unwrap());
        assert!(!meter.table_growing(0, usize::MAX, None).unwrap());
    }
}
