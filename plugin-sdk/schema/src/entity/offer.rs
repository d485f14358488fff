//! Offers, and suggestions of what to offer.

use super::{Application, PayBand};
use crate::check::Walk;
use crate::code::{OfferStatus, OutcomeReason, PayComponent, PayInputReason, PaySuggestionInput};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{
    Coded, Decimal, Instant, LocalDate, Localized, MediaRef, Money, PayInterval, PayRange, PayRate, Ref,
};

entity! {
    /// An offer to an applicant, with its pay.
    pub struct Offer {
        /// The application that the offer answers.
        pub application: Ref<Application>,
        /// Status.
        pub status: Coded<OfferStatus>,
        /// The first day of work.
        pub start_date: Option<LocalDate>,
        /// The level.
        pub level: Option<String>,
        /// Pay components offered.
        pub pay: Vec<OfferPart> => SENSITIVE,
        /// Months of probation.
        pub probation_months: Option<u32>,
        /// Place in the band: 0 at its lowest, 1 at its highest.
        pub band_position: Option<Decimal> => SENSITIVE,
        /// Why it was declined.
        pub decline_reasons: Vec<Coded<OutcomeReason>>,
        /// When it was sent.
        pub sent_at: Option<Instant>,
        /// When it was accepted, declined or expired.
        pub closed_at: Option<Instant>,
        /// Until when it stands.
        pub expires_at: Option<Instant>,
        /// The letter.
        pub documents: Vec<MediaRef> => SENSITIVE,
    }
}

shape! {
    /// One part of the pay of an offer.
    pub struct OfferPart {
        /// The pay component.
        pub component: Coded<PayComponent>,
        /// Own name.
        pub name: Option<Localized>,
        /// The amount offered.
        pub rate: PayRate => SENSITIVE,
        /// Per cent of it during probation.
        pub probation_percent: Option<Decimal> => SENSITIVE,
    }
}

entity! {
    /// What to offer, and what that was made from.
    pub struct PaySuggestion {
        /// The application.
        pub application: Ref<Application>,
        /// From what to what.
        pub range: PayRange => SENSITIVE,
        /// Just what, in the range's currency and for its time.
        pub point: Option<Decimal> => SENSITIVE,
        /// The level that it is for.
        pub level: Option<String>,
        /// What it was made from.
        pub inputs: Vec<SuggestionInput> => SENSITIVE,
        /// Version of the rule that produced it.
        pub rule_version: String,
    }
    rules suggestion_rules
}

fn suggestion_rules(suggestion: &PaySuggestion, walk: &mut Walk<'_>) {
    let Some(amount) = suggestion.point else { return };
    let point = Money { amount, currency: suggestion.range.currency };
    if suggestion.range.per != PayInterval::Other && suggestion.range.contains(&point, suggestion.range.per) != Ok(true)
    {
        walk.defect_in("point", "bad_range", text!("an amount outside the suggested range", "金额超出建议范围"));
    }
}

shape! {
    /// Something that a suggestion was made from.
    pub struct SuggestionInput {
        /// Kind of input.
        pub kind: PaySuggestionInput,
        /// The band, where it is one.
        pub band: Option<Ref<PayBand>>,
        /// Where else it stands: entity and id.
        pub reference: Option<String>,
        /// What it did to the suggestion.
        pub reason: Option<PayInputReason>,
        /// As a rate.
        pub rate: Option<PayRate> => SENSITIVE,
        /// As a figure or word: 0.85, middle.
        pub value: Option<String> => SENSITIVE,
        /// Source of the input.
        pub provenance: Option<String>,
    }
}
