//! What a memory bomb took goes back to the system.

use crate::harness::Bench;

const LIMIT: u64 = 64 << 20;

/// Resident memory of this process, in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn resident_memory_returns_after_memory_bombs() {
    let bench = Bench::new().await;
    bench.assert_healthy().await;
    let before = resident();
    for _ in 0..20 {
        let error = bench.pull("memory", |limits| limits.memory_bytes_max = LIMIT).await.err().unwrap();
        assert_eq!(error.outcome(), "limit:memory_bytes_max");
        assert!(error.usage().memory_peak_bytes > LIMIT / 2, "the bomb failed: {}", error.usage().memory_peak_bytes);
    }
    let after = resident();
    assert!(after < before + LIMIT / 2, "{before} bytes before, {after} after 20 bombs of {LIMIT}");
    bench.assert_healthy().await;
}
