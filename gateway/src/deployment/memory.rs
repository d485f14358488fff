//! How much memory connections may hold together, where the operator does not say.

use std::path::Path;
use std::time::Duration;

use renmen_egress::{MEMORY_BYTES_DEFAULT, MemoryBudget};

use super::Deployment;

/// Less makes no gateway.
const LEAST: u64 = 64 << 20;
/// Where a container's limit stands: the two versions of control groups.
const LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// How often the figures are renewed.
const FIGURES_EVERY: Duration = Duration::from_secs(2);

/// Tells `/metrics` how the budget stands, for as long as it is polled.
pub(crate) async fn report(memory: MemoryBudget) {
    loop {
        let figures = memory.figures();
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
        for (name, bytes) in [
            ("renmen_memory_bytes_max", figures.bytes_max),
            ("renmen_memory_held_bytes", figures.held),
            ("renmen_memory_peak_bytes", figures.peak),
        ] {
            metrics::gauge!(name).set(bytes as f64);
        }
        metrics::counter!("renmen_memory_waits_total").absolute(figures.waited);
        metrics::counter!("renmen_memory_refusals_total").absolute(figures.refused);
        tokio::time::sleep(FIGURES_EVERY).await;
    }
}

impl Deployment {
    /// What the operator says, or half of what this machine or its container has, up to the usual.
    pub(super) fn memory_bytes_max(&self) -> u64 {
        self.config.gateway.memory_bytes_max.unwrap_or_else(|| of_machine(total(), limits()))
    }
}

fn of_machine(total: Option<u64>, limits: impl IntoIterator<Item = u64>) -> u64 {
    let there = limits.into_iter().chain(total).min();
    there.map_or(MEMORY_BYTES_DEFAULT, |bytes| (bytes / 2).clamp(LEAST, MEMORY_BYTES_DEFAULT))
}

/// Of the machine, in bytes.
fn total() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Of the container. One without a limit has a word, or a number beyond all memory.
fn limits() -> Vec<u64> {
    let read = |path: &&str| std::fs::read_to_string(Path::new(path)).ok()?.trim().parse().ok();
    LIMITS.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_or_container_has_a_small_budget() {
        const GIB: u64 = 1 << 30;
        assert_eq!(of_machine(Some(16 * GIB), []), GIB);
        assert_eq!(of_machine(Some(16 * GIB), [GIB]), GIB / 2);
        assert_eq!(of_machine(Some(GIB), [u64::MAX]), GIB / 2);
        assert_eq!(of_machine(Some(16 * GIB), [1 << 20]), LEAST);
        assert_eq!(of_machine(None, []), GIB);
    }
}
