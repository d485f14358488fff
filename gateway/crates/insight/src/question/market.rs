//! What does the market pay, and where does an amount stand in it?
//!
//! Distributions of different surveys are shown side by side, the newest first, and are not pooled: percentiles of different
//! samples do not add up to percentiles of all.

use renmen_schema::entity::{MarketPay, MarketSource, Percentiles};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Currency, Decimal, Incomparable, Money, PayInterval};
use rust_decimal::Decimal as Exact;

use super::known::Known;

/// What the market pays, survey by survey.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketReport {
    /// The newest first.
    pub surveys: Vec<Survey>,
    /// The lowest and the highest median among them.
    pub medians: Option<(Decimal, Decimal)>,
    /// Records in another currency or for another time, which are not converted.
    pub not_comparable: Vec<RecordId>,
}

/// One survey.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The record.
    pub record: RecordId,
    /// The connection that it came from.
    pub connection: String,
    /// Who published it, and when.
    pub source: MarketSource,
    /// The distribution.
    pub stat: Percentiles,
    /// From how many employees, where that is known.
    pub n: Option<u32>,
}

/// Where an amount stands in a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketPlace {
    /// Below the lowest percentile that is known, which is this one.
    Below(u8),
    /// At this percentile, by a straight line between the two that are known.
    At(Decimal),
    /// Above the highest percentile that is known, which is this one.
    Above(u8),
}

/// The surveys that can be compared with amounts of this currency and time.
#[must_use]
pub fn market_pay(records: &[Known<'_, MarketPay>], currency: Currency, per: PayInterval) -> MarketReport {
    let comparable = |stat: &Percentiles| stat.currency == currency && stat.per == per;
    let (mut surveys, mut not_comparable) = (Vec::new(), Vec::new());
    for record in records {
        if !comparable(&record.value.stat) {
            not_comparable.push(record.id);
            continue;
        }
        surveys.push(Survey {
            record: record.id,
            connection: record.connection.to_owned(),
            source: record.value.source.clone(),
            stat: record.value.stat.clone(),
            n: record.value.sample.as_ref().and_then(|sample| sample.employees),
        });
    }
    surveys.sort_by(|a, b| b.source.published_on.cmp(&a.source.published_on).then(a.record.cmp(&b.record)));
    not_comparable.sort_unstable();
    let medians = || surveys.iter().filter_map(|survey| survey.stat.p50);
    let medians = medians().min().zip(medians().max());
    MarketReport { surveys, medians, not_comparable }
}

/// The place of an amount.
///
/// # Errors
/// [`Incomparable`] when currency or interval differ.
pub fn place_in(stat: &Percentiles, money: &Money, per: PayInterval) -> Result<Option<MarketPlace>, Incomparable> {
    if money.currency != stat.currency {
        return Err(Incomparable::Currency);
    }
    if per != stat.per || per == PayInterval::Other {
        return Err(Incomparable::Interval);
    }
    let all = [(10, stat.p10), (25, stat.p25), (50, stat.p50), (75, stat.p75), (90, stat.p90)];
    let known: Vec<(u8, Exact)> = all.into_iter().filter_map(|(at, amount)| Some((at, amount?.value()))).collect();
    let amount = money.amount.value();
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Ok(None) };
    if amount < first.1 {
        return Ok(Some(MarketPlace::Below(first.0)));
    }
    if amount > last.1 {
        return Ok(Some(MarketPlace::Above(last.0)));
    }
    // The first pair that reaches the amount; where several percentiles are the same amount, the lowest of them.
    let pair = known.windows(2).find(|pair| amount <= pair[1].1);
    let at = pair.map_or(Some(Exact::from(last.0)), |pair| between(pair[0], pair[1], amount));
    Ok(at.and_then(|at| Decimal::rounded(at, 2)).map(MarketPlace::At))
}

fn between(low: (u8, Exact), high: (u8, Exact), amount: Exact) -> Option<Exact> {
    if amount == low.1 {
        return Some(Exact::from(low.0));
    }
    let part = (amount - low.1).checked_div(high.1 - low.1)?;
    Some(Exact::from(low.0) + part * Exact::from(high.0 - low.0))
}
