//! Where do applications get lost on their way, and how long does each step take?
//!
//! An application that was seen at a later node has passed the earlier ones, even if their events are missing; how many such
//! there are is said. A node at which no application was seen is not part of the path: it was not measured.

use renmen_schema::code::NodeCode;

pub use super::steps::Path;
use super::steps::{Board, Measured, Way};
use crate::figure::{Figure, Ids, LeftOut};
use crate::model::{Need, Overflow, Question, Row};

/// The question.
#[derive(Debug)]
pub struct Funnel(Board);

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelReport {
    /// Applications that began.
    pub began: u64,
    /// The share that reached the last node.
    pub conversion: Figure,
    /// From each measured node to the next.
    pub steps: Vec<FunnelStep>,
    /// Which of `steps` loses most applications; of equal ones the first. None where none are lost.
    pub bottleneck: Option<usize>,
    /// Nodes of the path without any event.
    pub not_measured: Vec<NodeCode>,
    /// What is not counted.
    pub left_out: LeftOut,
}

/// From one node to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelStep {
    /// From here
    pub from: NodeCode,
    /// to here.
    pub to: NodeCode,
    /// Applications that reached `from`.
    pub entered: u64,
    /// Applications that reached `to`.
    pub passed: u64,
    /// Applications that did not.
    pub lost: Ids,
    /// Of those that entered, applications whose event at `from` is missing.
    pub without_event: u64,
    /// The share that passed.
    pub conversion: Figure,
    /// Seconds from one event to the other: median
    pub duration_s: Figure,
    /// and the 90th percentile.
    pub duration_p90_s: Figure,
    /// Clicks that it took, or that were made before giving up: median
    pub clicks: Figure,
    /// and the 90th percentile.
    pub clicks_p90: Figure,
    /// Milliseconds that it waited, or before giving up: median
    pub wait_ms: Figure,
    /// and the 90th percentile.
    pub wait_p90_ms: Figure,
}

impl Funnel {
    /// Along a path.
    #[must_use]
    pub fn new(path: Path) -> Self {
        Self(Board::new(path))
    }
}

impl FunnelReport {
    /// The step that loses most.
    #[must_use]
    pub fn worst(&self) -> Option<&FunnelStep> {
        self.bottleneck.and_then(|at| self.steps.get(at))
    }
}

impl Question for Funnel {
    type Answer = FunnelReport;

    fn needs(&self) -> &'static [Need] {
        Board::NEEDS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.0.take(row);
    }

    fn answer(self) -> Result<FunnelReport, Overflow> {
        let (path, measured) = (&self.0.path, self.0.measured());
        let (began, left_out) = self.0.began()?;
        let mut all = path.ids();
        began.iter().for_each(|(entry, _)| all.add(entry.application));
        let last = measured.last().copied().unwrap_or(0);
        let finished = began.iter().filter(|(entry, _)| entry.furthest >= last).count() as u64;
        let steps: Vec<FunnelStep> =
            measured.windows(2).map(|pair| step_between(path, pair[0], pair[1], &began)).collect();
        let most = steps.iter().map(|step| step.lost.total()).max().filter(|lost| *lost > 0);
        let bottleneck = most.and_then(|most| steps.iter().position(|step| step.lost.total() == most));
        let not_measured = (0..path.nodes.len()).filter(|at| !measured.contains(at));
        Ok(FunnelReport {
            began: all.total(),
            conversion: path.share(finished, &all),
            bottleneck,
            steps,
            not_measured: not_measured.map(|at| path.nodes[at]).collect(),
            left_out,
        })
    }
}

fn step_between(path: &Path, from: usize, to: usize, began: &[Way<'_>]) -> FunnelStep {
    let (mut entered, mut lost) = (path.ids(), path.ids());
    let [mut durations, mut clicks, mut waits] = [(); 3].map(|()| Measured::new(path));
    let mut without_event = 0;
    for (entry, cells) in began.iter().filter(|(entry, _)| entry.furthest >= from) {
        let id = entry.application;
        entered.add(id);
        without_event += u64::from(cells[from].at_ms().is_none());
        let passed = entry.furthest >= to;
        if !passed {
            lost.add(id);
        }
        // Of one that was lost: the clicks and the wait after which it was given up, where the source tells.
        let told = if passed { cells[to] } else { cells[path.nodes.len()] };
        clicks.add(id, told.clicks());
        waits.add(id, told.wait_ms());
        let took = cells[from].at_ms().zip(cells[to].at_ms()).map(|(from, to)| to - from);
        durations.add(id, took.filter(|ms| *ms >= 0).map(|ms| ms as f64 / 1000.0));
    }
    let passed = entered.total() - lost.total();
    let [duration_s, duration_p90_s] = durations.figures(path);
    let [clicks, clicks_p90] = clicks.figures(path);
    let [wait_ms, wait_p90_ms] = waits.figures(path);
    FunnelStep {
        from: path.nodes[from],
        to: path.nodes[to],
        entered: entered.total(),
        passed,
        without_event,
        conversion: path.share(passed, &entered),
        lost,
        duration_s,
        duration_p90_s,
        clicks,
        clicks_p90,
        wait_ms,
        wait_p90_ms,
    }
}
