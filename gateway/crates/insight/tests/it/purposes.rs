//! Which people's records may be joined.

use renmen_insight::figure::Why;
use renmen_insight::{Purpose, Standing};
use renmen_schema::code::{ConsentStatus, LegalBasis};
use renmen_schema::entity::Consent;
use renmen_schema::types::{Coded, DataPolicy, Ref};

use crate::rows::{at, day};

const NAME: &str = "interview_performance_analysis";

fn purpose() -> Purpose {
    Purpose { name: NAME.to_owned(), without_consent: vec![LegalBasis::HrManagement] }
}

fn consent(status: ConsentStatus, given: &str) -> Consent {
    Consent {
        purpose: vec![NAME.to_owned()],
        given_at: Some(at(given)),
        ..Consent::new(Ref::external("p"), Coded::new(LegalBasis::Consent), status)
    }
}

fn policy(purposes: &[&str], basis: Option<LegalBasis>) -> DataPolicy {
    DataPolicy {
        purpose: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
        legal_basis: basis.map(Coded::new),
        ..DataPolicy::new()
    }
}

fn standing(policies: &[Option<DataPolicy>], consents: &[Consent]) -> Standing {
    purpose().standing(policies.iter().map(Option::as_ref), consents, at("2025-06-01T00:00:00Z"), day("2025-06-01"))
}

#[test]
fn a_consent_that_holds_allows_and_the_latest_one_counts_r42_r75() {
    let given = consent(ConsentStatus::Given, "2025-01-01T00:00:00Z");
    assert_eq!(standing(&[None], std::slice::from_ref(&given)), Standing::Allowed);
    let refused = consent(ConsentStatus::Refused, "2025-02-01T00:00:00Z");
    for consents in [[given.clone(), refused.clone()], [refused.clone(), given.clone()]] {
        assert_eq!(standing(&[None], &consents), Standing::LeftOut(Why::Refused));
    }
    let again = consent(ConsentStatus::Given, "2025-03-01T00:00:00Z");
    assert_eq!(standing(&[None], &[refused, again]), Standing::Allowed);
    let other = Consent { purpose: vec!["marketing".to_owned()], ..given };
    assert_eq!(standing(&[None], &[other]), Standing::LeftOut(Why::NoConsent));
}

#[test]
fn a_consent_that_ended_or_has_not_begun_leaves_out() {
    let given = consent(ConsentStatus::Given, "2025-01-01T00:00:00Z");
    let withdrawn = Consent { withdrawn_at: Some(at("2025-05-01T00:00:00Z")), ..given.clone() };
    let expired = Consent { expires_at: Some(at("2025-06-01T00:00:00Z")), ..given.clone() };
    let holds = Consent { expires_at: Some(at("2025-06-01T00:00:00.001Z")), ..given };
    let later = consent(ConsentStatus::Given, "2025-07-01T00:00:00Z");
    let of = |one: Consent| standing(&[None], &[one]);
    assert_eq!(of(withdrawn), Standing::LeftOut(Why::Withdrawn));
    assert_eq!(of(expired), Standing::LeftOut(Why::Expired));
    assert_eq!(of(holds), Standing::Allowed);
    assert_eq!(of(later), Standing::LeftOut(Why::NoConsent));
}

#[test]
fn without_a_consent_every_record_must_name_the_purpose_on_a_basis_that_needs_none() {
    let named = || Some(policy(&[NAME], Some(LegalBasis::HrManagement)));
    assert_eq!(standing(&[named(), named()], &[]), Standing::Allowed);
    assert_eq!(standing(&[named(), None], &[]), Standing::LeftOut(Why::NoConsent));
    assert_eq!(standing(&[], &[]), Standing::LeftOut(Why::NoConsent));
    let on_consent = Some(policy(&[NAME], Some(LegalBasis::Consent)));
    assert_eq!(standing(&[named(), on_consent], &[]), Standing::LeftOut(Why::NoConsent));
    let other = Some(policy(&["payroll"], Some(LegalBasis::HrManagement)));
    assert_eq!(standing(&[named(), other], &[]), Standing::LeftOut(Why::OtherPurpose));
}

#[test]
fn a_record_that_may_no_longer_be_kept_is_not_joined_even_with_consent_r75() {
    let kept = |until: &str| Some(DataPolicy { retain_until: Some(day(until)), ..policy(&[], None) });
    let given = [consent(ConsentStatus::Given, "2025-01-01T00:00:00Z")];
    assert_eq!(standing(&[kept("2025-05-31")], &given), Standing::LeftOut(Why::RetentionOver));
    assert_eq!(standing(&[kept("2025-06-01")], &given), Standing::Allowed);
}
