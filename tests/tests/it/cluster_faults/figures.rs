//! What the faults cost, for readers of the long form.

use std::fmt;
use std::time::Duration;

/// Counts and times of one play.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) kills: u64,
    pub(super) pauses: u64,
    pub(super) steps: u64,
    pub(super) crashes: u64,
    pub(super) locks: u64,
    pub(super) full_disks: u64,
    /// From the end of the gateway that pulled to the next request of another.
    pub(super) takeovers: Vec<Duration>,
    /// From the return of the database to the first read, webhook and pull.
    pub(super) resumes: Vec<(Duration, Duration, Duration)>,
}

impl Figures {
    pub(super) fn faults(&self) -> u64 {
        self.kills + self.pauses + self.steps + self.crashes + self.locks + self.full_disks
    }

    pub(super) fn longest_resume(&self) -> Duration {
        self.resumes.iter().map(|(reads, hooks, pulls)| *reads.max(hooks).max(pulls)).max().unwrap_or_default()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, pauses, steps, crashes, locks, full_disks, .. } = self;
        writeln!(
            f,
            "{kills} kills, {pauses} stops beyond the lease, {steps} clock steps, {crashes} server crashes, {locks} locks, \
             {full_disks} full disks"
        )?;
        writeln!(f, "taken over after: {}", spread(self.takeovers.iter().copied()))?;
        writeln!(f, "database back, first read: {}", spread(self.resumes.iter().map(|all| all.0)))?;
        writeln!(f, "database back, first webhook: {}", spread(self.resumes.iter().map(|all| all.1)))?;
        write!(f, "database back, first pull: {}", spread(self.resumes.iter().map(|all| all.2)))
    }
}

fn spread(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let Some(longest) = times.last() else { return "never happened".to_owned() };
    let at = |hundredth: usize| times[(times.len() * hundredth).div_ceil(100).max(1) - 1].as_millis();
    format!("p50 {} ms, p99 {} ms, longest {} ms ({} times)", at(50), at(99), longest.as_millis(), times.len())
}
