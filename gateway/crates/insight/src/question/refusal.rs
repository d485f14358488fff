//! Which bands lose people over pay? Offers that were refused for pay flow back into the report of their band.

use std::collections::BTreeMap;

use renmen_schema::EntityKind;
use renmen_schema::code::{OfferStatus, OutcomeReason};

use crate::figure::{Basis, Figure, Ids, LeftOut, Method, PValue, Why};
use crate::key::{Key, Millionths};
use crate::model::{Held, Limits, Need, OfferRow, Overflow, Question, Row, Window};
use crate::stats::{Correction, adjusted, median, rank_sum, wilson};

/// What is asked.
#[derive(Debug, Clone)]
pub struct RefusalAsk {
    /// Offers that were answered in this period.
    pub window: Window,
    /// A band is flagged when it is certain that a larger share than this refuses for pay: 0.2.
    pub flag_above: f64,
    /// A band with fewer answered offers is shown and not judged: 10.
    pub sample_min: u64,
    /// Of the intervals: 0.95.
    pub confidence: f64,
    /// How much may be held.
    pub limits: Limits,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusalReport {
    /// Band by band, by key.
    pub bands: Vec<BandRefusals>,
    /// What is not counted.
    pub left_out: LeftOut,
}

/// One band.
#[derive(Debug, Clone, PartialEq)]
pub struct BandRefusals {
    /// The band.
    pub band: Key,
    /// Offers that were accepted
    pub accepted: u64,
    /// or declined.
    pub declined: u64,
    /// Those that were declined for pay.
    pub refused_for_pay: Ids,
    /// Their share of those that were answered.
    pub share: Figure,
    /// Place in the band of offers that were accepted: median,
    pub accepted_at: Figure,
    /// and of those refused for pay.
    pub refused_at: Figure,
    /// How often an accepted offer was higher in the band than one refused for pay.
    pub superiority: Figure,
    /// Too few answered offers to judge.
    pub too_few: bool,
    /// A larger share than allowed refuses for pay.
    pub flagged: bool,
}

#[derive(Debug)]
struct Offers {
    answered: Ids,
    refused: Ids,
    accepted: u64,
    accepted_at: Vec<Millionths>,
    refused_at: Vec<Millionths>,
}

/// The question.
#[derive(Debug)]
pub struct Refusals {
    ask: RefusalAsk,
    bands: BTreeMap<Key, Offers>,
    held: u64,
    left_out: LeftOut,
}

impl Refusals {
    /// The question asked.
    #[must_use]
    pub fn new(ask: RefusalAsk) -> Self {
        Self { ask, bands: BTreeMap::new(), held: 0, left_out: LeftOut::default() }
    }

    fn add(&mut self, row: &OfferRow<'_>) {
        let Some(accepted) = (match row.status {
            OfferStatus::Accepted => Some(true),
            OfferStatus::Declined => Some(false),
            _ => None,
        }) else {
            self.left_out.add(Why::StillOpen);
            return;
        };
        if !row.closed_at.is_some_and(|at| self.ask.window.has(at)) {
            self.left_out.add(Why::OutsideWindow);
            return;
        }
        let Some(band) = row.band else {
            self.left_out.add(Why::NoParent);
            return;
        };
        self.held += 1;
        if self.held > self.ask.limits.entries_max {
            return;
        }
        let ids = || Ids::new(EntityKind::Offer, self.ask.limits.ids_max);
        let offers = self.bands.entry(band).or_insert_with(|| Offers {
            answered: ids(),
            refused: ids(),
            accepted: 0,
            accepted_at: Vec::new(),
            refused_at: Vec::new(),
        });
        offers.answered.add(row.offer);
        let at = row.band_position.map(Millionths::of);
        if accepted {
            offers.accepted += 1;
            offers.accepted_at.extend(at);
        } else if row.reasons.contains(&OutcomeReason::PayTooLow) {
            offers.refused.add(row.offer);
            offers.refused_at.extend(at);
        }
    }
}

impl Question for Refusals {
    type Answer = RefusalReport;

    fn needs(&self) -> &'static [Need] {
        &[Need::Offers]
    }

    fn take(&mut self, row: &Row<'_>) {
        if let Row::Offer(row) = row {
            self.add(row);
        }
    }

    fn answer(self) -> Result<RefusalReport, Overflow> {
        let limit = self.ask.limits.entries_max;
        if self.held > limit {
            return Err(Overflow { what: Held::Offers, limit });
        }
        let mut bands: Vec<BandRefusals> =
            self.bands.into_iter().map(|(band, offers)| of_band(&self.ask, band, offers)).collect();
        let mut family: Vec<&mut PValue> = bands.iter_mut().filter_map(|band| band.superiority.p.as_mut()).collect();
        let alone: Vec<f64> = family.iter().map(|p| p.alone).collect();
        for (p, adjusted) in family.iter_mut().zip(adjusted(Correction::Holm, &alone)) {
            p.adjusted = adjusted;
        }
        Ok(RefusalReport { bands, left_out: self.left_out })
    }
}

fn of_band(ask: &RefusalAsk, band: Key, offers: Offers) -> BandRefusals {
    let (n, refused) = (offers.answered.total(), offers.refused.total());
    let too_few = n < ask.sample_min;
    let interval = wilson(refused, n, ask.confidence);
    let sorted = |at: Vec<Millionths>| {
        let mut at: Vec<f64> = at.into_iter().map(|at| at.mean(1)).collect();
        at.sort_unstable_by(f64::total_cmp);
        at
    };
    let (accepted_at, refused_at) = (sorted(offers.accepted_at), sorted(offers.refused_at));
    let figure = |method, n: usize, value, source: &Ids| {
        let (window, sources) = (Some(ask.window.span().clone()), vec![source.clone()]);
        Figure { value, interval: None, p: None, basis: Basis { n: n as u64, window, method, sources } }
    };
    let compared = rank_sum(&accepted_at, &refused_at);
    let placed = accepted_at.len() + refused_at.len();
    let p = compared.filter(|_| !too_few).map(|compared| PValue { alone: compared.p, adjusted: compared.p });
    let superiority = compared.map(|compared| compared.superiority);
    let share = figure(Method::Share, n as usize, Some(refused as f64 / n as f64), &offers.answered);
    BandRefusals {
        band,
        accepted: offers.accepted,
        declined: n - offers.accepted,
        share: Figure { interval, ..share },
        accepted_at: figure(Method::Median, accepted_at.len(), median(&accepted_at), &offers.answered),
        refused_at: figure(Method::Median, refused_at.len(), median(&refused_at), &offers.refused),
        superiority: Figure { p, ..figure(Method::RankSum, placed, superiority, &offers.answered) },
        refused_for_pay: offers.refused,
        too_few,
        flagged: !too_few && interval.is_some_and(|interval| interval.low > ask.flag_above),
    }
}
