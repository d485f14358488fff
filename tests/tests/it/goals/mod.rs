//! How much whole gateways do: deliveries taken in for many tenants, three gateways against one, and a commit on one gateway until a reader
//! on another has it. With the real binary. Measures and asserts no time, so it is not part of the usual run: docs/benchmarks.md has the
//! commands and what they printed.

mod across;
mod intake;
mod three;

use std::time::Duration;

/// A number that can be set for a longer or a shorter measurement.
fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// p50, p99 and the longest of them.
fn spread(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    format!("p50 {:?}, p99 {:?}, longest {:?}", at(0.5), at(0.99), at(1.0))
}

/// Seconds of a processor that a process has used.
fn processor_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    // Linux counts them in hundredths of a second.
    ticks / 100.0
}
