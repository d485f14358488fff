//! How many clicks and how much waiting does each node cost, and do people who waited long finish less often?

use renmen_schema::code::NodeCode;

use super::steps::{Board, Measured, Path, Way};
use crate::figure::{Figure, LeftOut, Method, PValue};
use crate::model::{Need, Overflow, Question, Row};
use crate::stats::{Correction, adjusted, fisher_exact, two_proportions};

/// The question.
#[derive(Debug)]
pub struct Friction {
    board: Board,
    slow_ms: u32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FrictionReport {
    /// From how long a wait on it counts as slow, in milliseconds.
    pub slow_ms: u32,
    /// Nodes with a wait or clicks, in the order of the path.
    pub nodes: Vec<NodeFriction>,
    /// What is not counted.
    pub left_out: LeftOut,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeFriction {
    /// Which.
    pub node: NodeCode,
    /// Clicks: median
    pub clicks: Figure,
    /// and the 90th percentile.
    pub clicks_p90: Figure,
    /// Wait in milliseconds: median
    pub wait_ms: Figure,
    /// and the 90th percentile.
    pub wait_p90_ms: Figure,
    /// The share of slow waits.
    pub slow: Figure,
    /// The share of those who waited less that reached the end of the path, less the share of those who waited long.
    pub lost_by_waiting: Option<Figure>,
}

impl Friction {
    /// Along a path. A wait of `slow_ms` or more is slow: 120,000 is two minutes.
    #[must_use]
    pub fn new(path: Path, slow_ms: u32) -> Self {
        Self { board: Board::new(path), slow_ms }
    }
}

impl Question for Friction {
    type Answer = FrictionReport;

    fn needs(&self) -> &'static [Need] {
        Board::NEEDS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.board.take(row);
    }

    fn answer(self) -> Result<FrictionReport, Overflow> {
        let (path, measured, slow_ms) = (&self.board.path, self.board.measured(), f64::from(self.slow_ms));
        let last = measured.last().copied().unwrap_or(0);
        let (began, left_out) = self.board.began()?;
        let told = |at: &usize| began.iter().any(|(_, cells)| cells[*at].clicks().or(cells[*at].wait_ms()).is_some());
        let told = measured.iter().copied().filter(told);
        let mut nodes: Vec<NodeFriction> = told.map(|at| at_node(path, at, last, slow_ms, &began)).collect();
        let alone: Vec<f64> = nodes.iter_mut().filter_map(|node| p_of(node).map(|p| p.alone)).collect();
        let corrected = adjusted(Correction::Holm, &alone);
        for (p, adjusted) in nodes.iter_mut().filter_map(p_of).zip(corrected) {
            p.adjusted = adjusted;
        }
        Ok(FrictionReport { slow_ms: self.slow_ms, nodes, left_out })
    }
}

fn p_of(node: &mut NodeFriction) -> Option<&mut PValue> {
    node.lost_by_waiting.as_mut()?.p.as_mut()
}

fn at_node(path: &Path, at: usize, last: usize, slow_ms: f64, began: &[Way<'_>]) -> NodeFriction {
    let (mut clicks, mut waits) = (Measured::new(path), Measured::new(path));
    let mut waited = path.ids();
    // Of those who waited long and of the others: how many finished, and how many there are.
    let (mut slow, mut quick) = ((0, 0), (0, 0));
    for (entry, cells) in began {
        clicks.add(entry.application, cells[at].clicks());
        waits.add(entry.application, cells[at].wait_ms());
        let Some(wait) = cells[at].wait_ms() else { continue };
        waited.add(entry.application);
        let side = if wait >= slow_ms { &mut slow } else { &mut quick };
        side.1 += 1;
        side.0 += u64::from(entry.furthest >= last);
    }
    let [clicks, clicks_p90] = clicks.figures(path);
    let [wait_ms, wait_p90_ms] = waits.figures(path);
    let slow_share = path.share(slow.1, &waited);
    let lost_by_waiting = two_proportions(quick, slow, path.confidence).and_then(|compared| {
        let alone = fisher_exact(quick.0, quick.1 - quick.0, slow.0, slow.1 - slow.0)?;
        let basis = path.basis(Method::TwoShares, waited.total(), &waited);
        let p = Some(PValue { alone, adjusted: alone });
        Some(Figure { value: Some(compared.difference), interval: Some(compared.interval), p, basis })
    });
    NodeFriction { node: path.nodes[at], clicks, clicks_p90, wait_ms, wait_p90_ms, slow: slow_share, lost_by_waiting }
}
