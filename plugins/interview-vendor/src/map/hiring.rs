//! Candidates, applications and orders.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{ApplicationStatus, InvitedBy, SourceChannel, StageKind};
use renmen_plugin::schema::entity::{
    Application, Candidate, Email, InterviewOrder, Outcome, PersonDetails, Phone, Source, Stage,
};
use renmen_plugin::schema::types::{
    Coded, Currency, Decimal, ExternalId, Localized, PayBasis, PayInterval, PayRange, Ref,
};

use super::{coded, time, zoned};
use crate::vendor;

/// `candidates`.
///
/// # Errors
/// [`Unfit`] for a pay range without currency or interval, or one that is not a range.
pub fn candidate(from: &vendor::Candidate) -> Result<Candidate, Unfit> {
    let person = PersonDetails {
        emails: from.email.iter().map(|address| Email::new(address.clone())).collect(),
        phones: from.phone.iter().map(|number| phone(number)).collect(),
        ..PersonDetails::named(from.name.clone())
    };
    Ok(Candidate {
        expected_pay: from.expected_pay.as_ref().map(pay).transpose()?,
        external_ids: from.external_id.iter().map(|id| ExternalId::of(id.clone())).collect(),
        ..Candidate::new(person)
    })
}

/// A number that is E.164 already says so.
fn phone(number: &str) -> Phone {
    Phone { e164: number.starts_with('+').then(|| number.to_owned()), ..Phone::new(number.to_owned()) }
}

fn pay(from: &vendor::Pay) -> Result<PayRange, Unfit> {
    let missing =
        |what: &str| Unfit::field("expected_pay", format!("{what} is missing: a range without its unit is refused"));
    let currency = from.currency.as_deref().ok_or_else(|| missing("currency"))?;
    let per = from.per.as_deref().ok_or_else(|| missing("per"))?;
    let interval = PayInterval::from_code(&per.to_ascii_uppercase())
        .ok_or_else(|| Unfit::field("expected_pay.per", "a word that is not a pay interval, such as MONTH"))?;
    let amount = |text: Option<&str>| {
        text.map(|text| Decimal::parse(text).map_err(|e| Unfit::field("expected_pay", e))).transpose()
    };
    let currency = Currency::parse(currency).map_err(|e| Unfit::field("expected_pay.currency", e))?;
    Ok(PayRange {
        min: amount(from.min.as_deref())?,
        max: amount(from.max.as_deref())?,
        basis: Some(PayBasis::Base),
        ..PayRange::new(currency, interval)
    })
}

/// `applications`.
///
/// # Errors
/// [`Unfit`] for a time that is not valid.
pub fn application(from: &vendor::Application) -> Result<Application, Unfit> {
    let stage = from.stage.as_deref().map(|name| {
        let kind: Coded<StageKind> = coded(name);
        Stage::new(Localized::und(name), kind)
    });
    let source = from
        .channel
        .as_deref()
        .map(|channel| Source { detail: Some(channel.to_owned()), ..Source::new(channel_of(channel)) });
    let status: Coded<ApplicationStatus> = coded(&from.status);
    let given = !from.outcome_reasons.is_empty() || from.outcome_note.is_some();
    let outcome = given.then(|| Outcome {
        reasons: from.outcome_reasons.iter().map(|word| coded(word)).collect(),
        note: from.outcome_note.clone(),
        ..Outcome::new(status.clone())
    });
    Ok(Application {
        stage,
        source,
        outcome,
        applied_at: time("applied_at", from.applied_at.as_deref())?,
        external_ids: from.external_id.iter().map(|id| ExternalId::of(id.clone())).collect(),
        ..Application::new(Ref::external(from.candidate_id.as_str()), Ref::external(from.position.id.as_str()), status)
    })
}

/// Vendors name channels as they like; the common ones are known, and the word is kept.
fn channel_of(word: &str) -> Coded<SourceChannel> {
    Coded::from_raw(word, |word| match word {
        "boss" | "liepin" | "zhaopin" | "51job" | "job_board" => Some(SourceChannel::JobBoard),
        "referral" => Some(SourceChannel::Referral),
        "campus" => Some(SourceChannel::Campus),
        "agency" => Some(SourceChannel::Agency),
        "career_site" => Some(SourceChannel::CareerSite),
        _ => None,
    })
}

/// `orders`.
///
/// # Errors
/// [`Unfit`] for a time or zone that is not valid, or an inviter that is neither vendor nor host.
pub fn order(from: &vendor::Order) -> Result<InterviewOrder, Unfit> {
    let invite_by = match from.invite_by.as_deref() {
        None => None,
        Some("vendor") => Some(InvitedBy::Vendor),
        Some("host") => Some(InvitedBy::Host),
        Some(_) => return Err(Unfit::field("invite_by", "a word that is neither vendor nor host")),
    };
    Ok(InterviewOrder {
        package: from.package.as_ref().map(|package| package.id.clone()),
        profile_version: from.profile_version,
        language: from.language.clone(),
        start: zoned("start_at", from.start_at.as_deref(), from.time_zone.as_deref())?,
        end: zoned("end_at", from.end_at.as_deref(), from.time_zone.as_deref())?,
        deadline: time("deadline", from.deadline.as_deref())?,
        invite_by,
        access_url: from.access_url.clone(),
        ..InterviewOrder::new(Ref::external(from.application_id.as_str()), coded(&from.mode), coded(&from.status))
    })
}
