//! May a person's records be joined for a purpose? Decided from the policies that travel with the records and from the person's
//! consents, once for each person.
//!
//! What forbids comes first: a period of retention that is over, then a consent that was refused or withdrawn. A consent that holds
//! allows. Without a consent, every record must name the purpose on a legal basis that needs none.

use renmen_schema::code::{ConsentStatus, LegalBasis};
use renmen_schema::entity::Consent;
use renmen_schema::types::{DataPolicy, Instant, LocalDate};

use crate::figure::Why;

/// What a person's records may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They may be joined.
    Allowed,
    /// They may not.
    LeftOut(Why),
}

/// The purpose of a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// Its name in policies and consents: `interview_performance_analysis`.
    pub name: String,
    /// Legal bases on which a record that names the purpose needs no consent.
    pub without_consent: Vec<LegalBasis>,
}

impl Purpose {
    /// The standing of a person at a time, from the policies of their records (none for a record without one) and from their
    /// consents.
    pub fn standing<'a>(
        &self,
        policies: impl IntoIterator<Item = Option<&'a DataPolicy>>,
        consents: impl IntoIterator<Item = &'a Consent>,
        at: Instant,
        today: LocalDate,
    ) -> Standing {
        let policies: Vec<Option<&DataPolicy>> = policies.into_iter().collect();
        let over = |policy: &DataPolicy| policy.retain_until.is_some_and(|until| until < today);
        if policies.iter().flatten().any(|policy| over(policy)) {
            return Standing::LeftOut(Why::RetentionOver);
        }
        let covers = |consent: &&Consent| consent.purpose.contains(&self.name);
        let latest = consents.into_iter().filter(covers).max_by_key(|consent| said_at(consent));
        if let Some(consent) = latest {
            return of_consent(consent, at);
        }
        let named = |policy: &DataPolicy| policy.purpose.contains(&self.name);
        if policies.iter().flatten().any(|policy| !policy.purpose.is_empty() && !named(policy)) {
            return Standing::LeftOut(Why::OtherPurpose);
        }
        let basis = |policy: &DataPolicy| policy.legal_basis.as_ref().map(|basis| basis.code);
        let needs_none = |policy: &DataPolicy| basis(policy).is_some_and(|basis| self.without_consent.contains(&basis));
        let all = !policies.is_empty() && policies.iter().all(|p| p.is_some_and(|p| named(p) && needs_none(p)));
        if all { Standing::Allowed } else { Standing::LeftOut(Why::NoConsent) }
    }
}

/// When a consent was last changed. Of two at the same time the one that forbids counts.
fn said_at(consent: &Consent) -> (Option<Instant>, bool) {
    (consent.given_at.max(consent.withdrawn_at), consent.status != ConsentStatus::Given)
}

fn of_consent(consent: &Consent, at: Instant) -> Standing {
    let why = match consent.status {
        ConsentStatus::Refused => Why::Refused,
        ConsentStatus::Withdrawn => Why::Withdrawn,
        ConsentStatus::Expired => Why::Expired,
        ConsentStatus::Given if consent.withdrawn_at.is_some_and(|withdrawn| withdrawn <= at) => Why::Withdrawn,
        ConsentStatus::Given if consent.expires_at.is_some_and(|expires| expires <= at) => Why::Expired,
        ConsentStatus::Given if consent.given_at.is_some_and(|given| given > at) => Why::NoConsent,
        ConsentStatus::Given => return Standing::Allowed,
    };
    Standing::LeftOut(why)
}
