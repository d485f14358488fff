//! Offers. Amounts come as texts; one without its currency is refused.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{OfferStatus, OutcomeReason, PayComponent};
use renmen_plugin::schema::entity::{Offer, OfferPart};
use renmen_plugin::schema::types::{Coded, Decimal, Money, PayInterval, PayRate, Ref};
use serde_json::Value;

use super::{day, instant};
use crate::api::hire::{self, BasicSalary, SalaryPlan};
use crate::api::loose::filled;
use crate::api::text::Named;

/// `offer_status`: the candidate declined.
pub(crate) const DECLINED: i64 = 8;

/// An offer. The vendor gives no reason with one that was declined: those of its application are its reasons.
///
/// # Errors
/// [`Unfit`] for an amount without currency or period, and for a day or number that is not valid.
pub(crate) fn offer(from: &hire::Offer, declined_for: Vec<Coded<OutcomeReason>>) -> Result<Offer, Unfit> {
    let basic = from.basic_info.as_ref();
    let offer =
        Offer::new(Ref::external(from.application_id.as_str()), status_of(from.offer_status.unwrap_or_default()));
    Ok(Offer {
        start_date: day("basic_info.onboard_date", basic.and_then(|basic| basic.onboard_date.as_ref()))?,
        level: basic.and_then(|basic| basic.level.as_ref()).and_then(Named::best).map(str::to_owned),
        probation_months: basic.and_then(|basic| basic.probation_month).and_then(|n| u32::try_from(n).ok()),
        expires_at: instant("basic_info.expire_time", basic.and_then(|basic| basic.expire_time))?,
        pay: from.salary_plan.as_ref().map(pay).transpose()?.unwrap_or_default(),
        decline_reasons: declined_for,
        ..offer
    })
}

fn status_of(status: i64) -> Coded<OfferStatus> {
    Coded::from_raw(&status.to_string(), |_| match status {
        1 | 10 => Some(OfferStatus::Draft),
        2 => Some(OfferStatus::InApproval),
        3 => Some(OfferStatus::Withdrawn),
        4 => Some(OfferStatus::Approved),
        6 => Some(OfferStatus::Sent),
        7 => Some(OfferStatus::Accepted),
        DECLINED => Some(OfferStatus::Declined),
        9 => Some(OfferStatus::Expired),
        _ => None,
    })
}

fn pay(plan: &SalaryPlan) -> Result<Vec<OfferPart>, Unfit> {
    let mut parts = Vec::new();
    if let Some(text) = filled(plan.basic_salary.as_ref()) {
        let salary: BasicSalary = renmen_plugin::locate::parse(text.as_bytes())
            .map_err(|fault| Unfit::field("salary_plan.basic_salary", fault))?;
        let amount = match &salary.amount {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(Unfit::field("salary_plan.basic_salary", "an amount that is neither text nor number")),
        };
        let per = match salary.period {
            Some(1) => PayInterval::Day,
            Some(2) => PayInterval::Month,
            _ => {
                return Err(Unfit::field("salary_plan.basic_salary", "a period that is neither day (1) nor month (2)"));
            }
        };
        let probation = filled(plan.probation_salary_percentage.as_ref()).map(|text| decimal("probation", text));
        parts.push(OfferPart {
            probation_percent: probation.transpose()?,
            ..OfferPart::new(PayComponent::Base.into(), rate(plan, &amount, per, months(plan)?)?)
        });
    }
    for (amount, per) in [(&plan.quarterly_bonus, PayInterval::Quarter), (&plan.half_year_bonus, PayInterval::HalfYear)]
    {
        let Some(amount) = filled(amount.as_ref()) else { continue };
        let rate = rate(plan, amount, per, None)?;
        if rate.money.amount > Decimal::ZERO {
            parts.push(OfferPart::new(PayComponent::BonusTarget.into(), rate));
        }
    }
    Ok(parts)
}

fn rate(plan: &SalaryPlan, amount: &str, per: PayInterval, months: Option<Decimal>) -> Result<PayRate, Unfit> {
    let currency = filled(plan.currency.as_ref())
        .ok_or_else(|| Unfit::field("salary_plan.currency", "absent: an amount without its currency is refused"))?;
    let money = Money::new(amount, currency).map_err(|e| Unfit::field("salary_plan", e))?;
    Ok(PayRate { months_per_year: months, ..PayRate::new(money, per) })
}

/// Twelve months and those of the bonus at the end of the year.
fn months(plan: &SalaryPlan) -> Result<Option<Decimal>, Unfit> {
    let Some(bonus) = filled(plan.award_salary_multiple.as_ref()) else { return Ok(None) };
    let bonus = decimal("award_salary_multiple", bonus)?;
    if bonus <= Decimal::ZERO {
        return Ok(None);
    }
    Ok(bonus.checked_add(Decimal::from(12)))
}

fn decimal(field: &str, text: &str) -> Result<Decimal, Unfit> {
    Decimal::parse(text.trim_end_matches('%')).map_err(|e| Unfit::field(&format!("salary_plan.{field}"), e))
}
