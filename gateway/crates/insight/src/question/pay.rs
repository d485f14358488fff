//! What to offer, and which level: from the band, how well the person matches, what they earned before and what the market pays.
//!
//! The rule, in exact decimals. The match has a place between the lowest that counts and a full match; the range is one part of the
//! band around that place. There is a point only where something besides the band speaks for one: it is the middle of the range's
//! centre, prior pay with a raise, and the market's median, kept within the range. Nothing is converted: another currency or
//! another pay interval is refused. Each input stands in the suggestion with its source.

use std::fmt;

use renmen_schema::code::{BandStatus, PayInputReason, PaySuggestionInput};
use renmen_schema::entity::{Application, MarketPay, PayBand, PaySuggestion, SuggestionInput};
use renmen_schema::types::{Decimal, Incomparable, Money, PayRange, PayRate, Ref, Score};
use renmen_schema::{Text, text};
use rust_decimal::Decimal as Exact;

pub use super::known::Known;

/// How a suggestion is made.
#[derive(Debug, Clone, PartialEq)]
pub struct PayRule {
    /// Its name and version, which each suggestion states.
    pub version: String,
    /// A match from here down stands at the lower end of the band, 0 to 1.
    pub match_low: Exact,
    /// A match from here up stands at the upper end, 0 to 1.
    pub match_high: Exact,
    /// In how many parts the band is divided: the range is one part wide.
    pub parts: u32,
    /// How much more than before a change of job pays: 0.15. None where the law forbids to ask what someone earned: then prior
    /// pay is not used, even if it is known.
    pub raise: Option<Exact>,
    /// Amounts are rounded to a multiple of this: 100.
    pub round_to: Exact,
}

impl Default for PayRule {
    fn default() -> Self {
        Self {
            version: "band-match-1".to_owned(),
            match_low: Exact::new(70, 2),
            match_high: Exact::ONE,
            parts: 3,
            raise: Some(Exact::new(15, 2)),
            round_to: Exact::ONE_HUNDRED,
        }
    }
}

/// What a suggestion is made from.
#[derive(Debug, Clone, Copy)]
pub struct PayAsk<'a> {
    /// The level of the requisition, which the band is for.
    pub level: &'a str,
    /// The band.
    pub band: Known<'a, PayBand>,
    /// How well the person matches.
    pub matching: Known<'a, Score>,
    /// What they earned before, where they said so.
    pub prior: Option<Known<'a, PayRate>>,
    /// What the market pays.
    pub market: Option<Known<'a, MarketPay>>,
}

/// Why nothing can be suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayFault {
    /// The band is not active.
    NotActive,
    /// The band is open at one end.
    OpenBand,
    /// The match is outside of its scale.
    NoMatch,
    /// An amount is in another currency than the band.
    Currency(PaySuggestionInput),
    /// An amount is for another time than the band.
    Interval(PaySuggestionInput),
    /// An amount does not fit, or the rule has no sense.
    Arithmetic,
}

impl PayFault {
    /// Why, and what to do, for people.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::NotActive => {
                text!("the pay band is not active; choose an active one", "薪资带未生效；请选择有效的薪资带")
            }
            Self::OpenBand => {
                text!("the pay band has no lower or no upper end; complete it", "薪资带缺少下限或上限；请补全")
            }
            Self::NoMatch => text!("the match is outside of its scale", "匹配度超出其量表"),
            Self::Currency(input) => text!(
                "{input} is in another currency than the band; give it in the band's currency",
                "{input} 与薪资带的币种不同；请以薪资带的币种给出"
            ),
            Self::Interval(input) => text!(
                "{input} is for another pay interval than the band; give it for the band's interval",
                "{input} 与薪资带的计薪周期不同；请按薪资带的周期给出"
            ),
            Self::Arithmetic => {
                text!("an amount does not fit, or the rule is contradictory", "金额超出范围，或规则自相矛盾")
            }
        }
    }
}

impl fmt::Display for PayFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for PayFault {}

impl PayRule {
    /// What to offer for an application.
    ///
    /// # Errors
    /// [`PayFault`] where the inputs cannot be compared.
    pub fn suggest(&self, application: Ref<Application>, ask: &PayAsk<'_>) -> Result<PaySuggestion, PayFault> {
        let band = ask.band.value;
        if band.status != BandStatus::Active {
            return Err(PayFault::NotActive);
        }
        let (Some(min), Some(max)) = (band.range.min, band.range.max) else { return Err(PayFault::OpenBand) };
        let place = self.place(ask.matching.value.norm().ok_or(PayFault::NoMatch)?.value())?;
        let (low, high) = self.within(min.value(), max.value(), place).ok_or(PayFault::Arithmetic)?;
        let center = (low + high) / Exact::TWO;
        let mut anchors = vec![center];
        anchors.extend(self.prior(ask, &band.range)?);
        anchors.extend(market(ask, &band.range)?);
        let point = (anchors.len() > 1).then(|| self.rounded(middle(anchors)).clamp(low, high));
        let decimal = |value: Exact| Decimal::try_from(value.normalize()).map_err(|_| PayFault::Arithmetic);
        let range = PayRange { min: Some(decimal(low)?), mid: None, max: Some(decimal(high)?), ..band.range.clone() };
        Ok(PaySuggestion {
            point: point.map(decimal).transpose()?,
            level: Some(ask.level.to_owned()),
            inputs: self.inputs(ask),
            ..PaySuggestion::new(application, range, self.version.clone())
        })
    }

    /// Where a match stands in the band, 0 to 1.
    fn place(&self, matching: Exact) -> Result<Exact, PayFault> {
        let extent = self.match_high - self.match_low;
        if extent <= Exact::ZERO || self.parts == 0 || self.round_to <= Exact::ZERO {
            return Err(PayFault::Arithmetic);
        }
        Ok(((matching - self.match_low) / extent).clamp(Exact::ZERO, Exact::ONE))
    }

    /// One part of the band around a place of it, moved in where it would stand out.
    fn within(&self, min: Exact, max: Exact, place: Exact) -> Option<(Exact, Exact)> {
        let extent = max.checked_sub(min)?;
        let width = extent / Exact::from(self.parts);
        let center = min.checked_add(extent.checked_mul(place)?)?;
        let low = self.rounded((center - width / Exact::TWO).clamp(min, max - width)).clamp(min, max);
        let high = self.rounded(low + width).clamp(low, max);
        Some((low, high))
    }

    fn rounded(&self, amount: Exact) -> Exact {
        (amount / self.round_to).round() * self.round_to
    }

    fn prior(&self, ask: &PayAsk<'_>, range: &PayRange) -> Result<Option<Exact>, PayFault> {
        let (Some(prior), Some(raise)) = (ask.prior, self.raise) else { return Ok(None) };
        comparable(range, &prior.value.money, prior.value, PaySuggestionInput::PriorPay)?;
        let raised = prior.value.money.amount.value().checked_mul(Exact::ONE + raise);
        raised.map(Some).ok_or(PayFault::Arithmetic)
    }

    fn inputs(&self, ask: &PayAsk<'_>) -> Vec<SuggestionInput> {
        let band = SuggestionInput {
            band: Some(Ref::to(ask.band.id)),
            reference: Some(ask.band.reference()),
            provenance: Some(ask.band.connection.to_owned()),
            reason: Some(PayInputReason::LimitsRange),
            ..SuggestionInput::new(PaySuggestionInput::Band)
        };
        let level = SuggestionInput {
            value: Some(ask.level.to_owned()),
            reason: Some(PayInputReason::SelectsBand),
            ..SuggestionInput::new(PaySuggestionInput::Level)
        };
        let norm = ask.matching.value.norm().map(|norm| norm.to_string());
        let reason = PayInputReason::PlacesRange;
        let matching = SuggestionInput { value: norm, ..named(PaySuggestionInput::Match, &ask.matching, reason) };
        let prior = ask.prior.filter(|_| self.raise.is_some()).map(|prior| {
            let rate = Some(prior.value.clone());
            SuggestionInput { rate, ..named(PaySuggestionInput::PriorPay, &prior, PayInputReason::AnchorsPoint) }
        });
        let market = ask.market.map(|market| {
            let source = &market.value.source;
            let value = market.value.stat.p50.map(|p50| p50.to_string());
            let provenance = Some(format!("{}, {}", source.publisher, source.published_on));
            let reason = PayInputReason::AnchorsPoint;
            SuggestionInput { value, provenance, ..named(PaySuggestionInput::Market, &market, reason) }
        });
        [band, level, matching].into_iter().chain(prior).chain(market).collect()
    }
}

fn named<T>(kind: PaySuggestionInput, known: &Known<'_, T>, reason: PayInputReason) -> SuggestionInput {
    let (reference, provenance) = (Some(known.reference()), Some(known.connection.to_owned()));
    SuggestionInput { reference, provenance, reason: Some(reason), ..SuggestionInput::new(kind) }
}

fn market(ask: &PayAsk<'_>, range: &PayRange) -> Result<Option<Exact>, PayFault> {
    let Some(market) = ask.market else { return Ok(None) };
    let stat = &market.value.stat;
    let Some(p50) = stat.p50 else { return Ok(None) };
    if stat.currency != range.currency {
        return Err(PayFault::Currency(PaySuggestionInput::Market));
    }
    if stat.per != range.per {
        return Err(PayFault::Interval(PaySuggestionInput::Market));
    }
    Ok(Some(p50.value()))
}

fn comparable(range: &PayRange, money: &Money, rate: &PayRate, input: PaySuggestionInput) -> Result<(), PayFault> {
    match range.contains(money, rate.per) {
        Ok(_) => Ok(()),
        Err(Incomparable::Currency) => Err(PayFault::Currency(input)),
        Err(Incomparable::Interval) => Err(PayFault::Interval(input)),
    }
}

/// The one in the middle, or the mean of the two that are.
fn middle(mut amounts: Vec<Exact>) -> Exact {
    amounts.sort_unstable();
    let (below, above) = (amounts[(amounts.len() - 1) / 2], amounts[amounts.len() / 2]);
    (below + above) / Exact::TWO
}
