//! What is known of each application's way through the process: when it reached each node of a path, with how many clicks and how
//! long a wait. Funnel, channels and friction are read off it.

use std::collections::HashMap;

use renmen_schema::EntityKind;
use renmen_schema::code::{NodeCode, SourceChannel};
use renmen_schema::types::Instant;

use crate::figure::{Basis, Figure, Ids, LeftOut, Method, Why};
use crate::key::Key;
use crate::model::{ApplicationRow, Held, Limits, Need, Overflow, Row, StepRow, Window};
use crate::stats::{quantile, wilson};

/// Which applications, along which path.
#[derive(Debug, Clone)]
pub struct Path {
    /// Applications that began in this period: with their first step of the path.
    pub window: Window,
    /// Only of this job.
    pub job: Option<Key>,
    /// The nodes in their order.
    pub nodes: Vec<NodeCode>,
    /// Of the intervals: 0.95.
    pub confidence: f64,
    /// How much may be held.
    pub limits: Limits,
}

impl Path {
    /// The way of an AI interview, from the invitation to the end.
    #[must_use]
    pub fn of_interview(window: Window) -> Self {
        let nodes = [
            NodeCode::InviteSent,
            NodeCode::InviteOpened,
            NodeCode::Confirmed,
            NodeCode::Started,
            NodeCode::AnswerSubmitted,
            NodeCode::Completed,
        ];
        Self { window, job: None, nodes: nodes.into(), confidence: 0.95, limits: Limits::default() }
    }
}

/// One application at one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    at_ms: i64,
    clicks: u32,
    wait_ms: u32,
}

const NEVER: i64 = i64::MAX;
const NOT_TOLD: u32 = u32::MAX;
const EMPTY: Cell = Cell { at_ms: NEVER, clicks: NOT_TOLD, wait_ms: NOT_TOLD };

impl Cell {
    pub(super) fn at_ms(self) -> Option<i64> {
        (self.at_ms != NEVER).then_some(self.at_ms)
    }

    pub(super) fn clicks(self) -> Option<f64> {
        (self.clicks != NOT_TOLD).then(|| f64::from(self.clicks))
    }

    pub(super) fn wait_ms(self) -> Option<f64> {
        (self.wait_ms != NOT_TOLD).then(|| f64::from(self.wait_ms))
    }
}

/// Adds to a figure that may not have been told yet. 49 days of waiting are the most that it holds.
fn add(to: &mut u32, more: u64) {
    let before = if *to == NOT_TOLD { 0 } else { u64::from(*to) };
    *to = u32::try_from(before.saturating_add(more)).unwrap_or(NOT_TOLD - 1).min(NOT_TOLD - 1);
}

/// One application.
pub(super) struct Entry {
    pub(super) application: Key,
    pub(super) channel: Option<SourceChannel>,
    /// The furthest node of the path that was reached.
    pub(super) furthest: usize,
}

/// An application with its row of cells.
pub(super) type Way<'b> = (Entry, &'b [Cell]);

/// All applications, a row of cells each.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) path: Path,
    places: HashMap<Key, u32>,
    channels: Vec<Option<SourceChannel>>,
    keys: Vec<Key>,
    cells: Vec<Cell>,
    observed: Vec<u64>,
    pub(super) left_out: LeftOut,
    over: Option<Overflow>,
}

impl Board {
    pub(super) fn new(path: Path) -> Self {
        let observed = vec![0; path.nodes.len() + 1];
        Self {
            path,
            places: HashMap::new(),
            channels: Vec::new(),
            keys: Vec::new(),
            cells: Vec::new(),
            observed,
            left_out: LeftOut::default(),
            over: None,
        }
    }

    /// Cells of a row: one a node, and one for how it ended where it did not go on.
    fn width(&self) -> usize {
        self.path.nodes.len() + 1
    }

    /// The streams that it is made of.
    pub(super) const NEEDS: &'static [Need] = &[Need::Applications, Need::Steps];

    pub(super) fn take(&mut self, row: &Row<'_>) {
        match row {
            Row::Application(row) => self.add_application(row),
            Row::Step(row) => self.add_step(row),
            _ => {}
        }
    }

    fn add_application(&mut self, row: &ApplicationRow<'_>) {
        if self.path.job.is_some() && row.job != self.path.job {
            self.left_out.add(Why::OtherScope);
            return;
        }
        let limit = self.path.limits.entries_max;
        if self.keys.len() as u64 >= limit {
            self.over.get_or_insert(Overflow { what: Held::Applications, limit });
            return;
        }
        let Ok(next) = u32::try_from(self.keys.len()) else { return };
        if *self.places.entry(row.application).or_insert(next) == next {
            self.keys.push(row.application);
            self.channels.push(row.channel);
            self.cells.resize(self.cells.len() + self.width(), EMPTY);
        }
    }

    fn add_step(&mut self, row: &StepRow) {
        let ended = matches!(row.node, NodeCode::Dropped | NodeCode::NoShow | NodeCode::Cancelled);
        let on_path = self.path.nodes.iter().position(|node| *node == row.node);
        let Some(node) = on_path.or(ended.then_some(self.path.nodes.len())) else { return };
        let Some(&place) = self.places.get(&row.application) else {
            self.left_out.add(Why::NoParent);
            return;
        };
        let at = place as usize * self.width() + node;
        let cell = &mut self.cells[at];
        if cell.at_ms == NEVER {
            self.observed[node] += 1;
        }
        cell.at_ms = cell.at_ms.min(row.at.epoch_ms());
        if let Some(clicks) = row.clicks {
            add(&mut cell.clicks, u64::from(clicks));
        }
        if let Some(wait) = row.wait_ms {
            add(&mut cell.wait_ms, wait);
        }
    }

    /// Applications that began in the window, in the order of their keys, each with its row of cells; and what is not counted.
    pub(super) fn began(&self) -> Result<(Vec<Way<'_>>, LeftOut), Overflow> {
        self.over.map_or(Ok(()), Err)?;
        let (width, nodes) = (self.width(), self.path.nodes.len());
        let (mut began, mut left_out) = (Vec::new(), self.left_out.clone());
        for (place, row) in self.cells.chunks_exact(width).enumerate() {
            let first = row[..nodes].iter().map(|cell| cell.at_ms).min().filter(|at| *at != NEVER);
            let Some(first) = first.and_then(|ms| Instant::from_epoch_ms(ms).ok()) else { continue };
            if !self.path.window.has(first) {
                left_out.add(Why::OutsideWindow);
                continue;
            }
            let furthest = row[..nodes].iter().rposition(|cell| cell.at_ms != NEVER).unwrap_or(0);
            began.push((Entry { application: self.keys[place], channel: self.channels[place], furthest }, row));
        }
        began.sort_unstable_by_key(|(entry, _)| entry.application);
        Ok((began, left_out))
    }

    /// Places in the path of the nodes that an application was seen at. The others were not measured, and nothing is said about them.
    pub(super) fn measured(&self) -> Vec<usize> {
        (0..self.path.nodes.len()).filter(|node| self.observed[*node] > 0).collect()
    }
}

impl Path {
    /// Where figures of these applications come from.
    pub(super) fn basis(&self, method: Method, n: u64, applications: &Ids) -> Basis {
        Basis { n, window: Some(self.window.span().clone()), method, sources: vec![applications.clone()] }
    }

    pub(super) fn ids(&self) -> Ids {
        Ids::new(EntityKind::Application, self.limits.ids_max)
    }

    /// A share of applications.
    pub(super) fn share(&self, count: u64, applications: &Ids) -> Figure {
        let n = applications.total();
        Figure {
            value: (n > 0).then(|| count as f64 / n as f64),
            interval: wilson(count, n, self.confidence),
            p: None,
            basis: self.basis(Method::Share, n, applications),
        }
    }
}

/// What applications were measured at, and which ones.
pub(super) struct Measured {
    values: Vec<f64>,
    ids: Ids,
}

impl Measured {
    pub(super) fn new(path: &Path) -> Self {
        Self { values: Vec::new(), ids: path.ids() }
    }

    pub(super) fn add(&mut self, application: Key, value: Option<f64>) {
        if let Some(value) = value {
            self.values.push(value);
            self.ids.add(application);
        }
    }

    /// Median and 90th percentile.
    pub(super) fn figures(mut self, path: &Path) -> [Figure; 2] {
        self.values.sort_unstable_by(f64::total_cmp);
        [(0.5, Method::Median), (0.9, Method::Quantile)].map(|(q, method)| Figure {
            value: quantile(&self.values, q),
            interval: None,
            p: None,
            basis: path.basis(method, self.values.len() as u64, &self.ids),
        })
    }
}
