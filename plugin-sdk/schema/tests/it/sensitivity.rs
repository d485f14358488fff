//! The class of every field.

use renmen_schema::types::Sensitivity;
use renmen_schema::{EntityKind, class_of, json_schema, sensitivity};

fn class(kind: EntityKind, pointer: &str) -> Sensitivity {
    class_of(kind, pointer).unwrap_or_else(|| panic!("{kind} has no {pointer}"))
}

#[test]
fn every_leaf_of_every_entity_has_a_class() {
    for &kind in EntityKind::ALL {
        let classes = sensitivity(kind);
        for name in json_schema(kind)["properties"].as_object().unwrap().keys() {
            let pointer = format!("/{name}");
            let below = format!("{pointer}/");
            assert!(classes.keys().any(|p| *p == pointer || p.starts_with(&below)), "{kind} {pointer}");
        }
    }
}

#[test]
fn what_the_law_and_the_customers_ask_to_be_protected_is() {
    use EntityKind as K;
    use Sensitivity::{Personal, Sensitive, Special};
    for (kind, pointer, least) in [
        (K::Employee, "/person/names", Personal),
        (K::Employee, "/person/emails/0/address", Personal),
        (K::Employee, "/person/phones/0/number", Personal),
        (K::Employee, "/person/phones/0/e164", Personal),
        (K::Candidate, "/person/birth_date", Personal),
        (K::Candidate, "/person/national_ids/0/value", Sensitive),
        (K::Candidate, "/person/bank_accounts/0/number", Sensitive),
        (K::Person, "/person/gender", Special),
        (K::Person, "/person/ethnicity", Special),
        (K::Person, "/person/photo/uri", Special),
        (K::Candidate, "/expected_pay/min", Sensitive),
        (K::Candidate, "/prior_pay/money/amount", Sensitive),
        (K::Compensation, "/rate/money/amount", Sensitive),
        (K::PayBand, "/range/max", Sensitive),
        (K::PayrollRecord, "/gross/amount", Sensitive),
        (K::PayrollRecord, "/lines/3/amount/amount", Sensitive),
        (K::Offer, "/pay/0/rate/money/amount", Sensitive),
        (K::PaySuggestion, "/point", Sensitive),
        (K::Interview, "/recording/0/uri", Special),
        (K::Interview, "/transcript/0/text", Sensitive),
        (K::InterviewAnswer, "/observations/0/score/value", Special),
        (K::InterviewAnswer, "/media/0/uri", Special),
        (K::InterviewAnswer, "/answer_text", Sensitive),
        (K::Attendance, "/leave_reason", Special),
        (K::Leave, "/reason", Special),
        (K::Leave, "/kind/code", Special),
        (K::LeaveBalance, "/kind/raw", Special),
        (K::LeaveBalance, "/used", Personal),
        (K::PeerFeedback, "/from/external/value", Personal),
        (K::Employee, "/ext/vendor/salary/value", Sensitive),
    ] {
        assert!(class(kind, pointer) >= least, "{kind} {pointer} is {}", class(kind, pointer));
    }
}

#[test]
fn no_field_with_a_personal_name_is_open() {
    const WORDS: &[&str] =
        &["formatted", "given", "family", "address", "e164", "birth_date", "bank", "holder", "transcript"];
    for &kind in EntityKind::ALL {
        for (pointer, class) in sensitivity(kind) {
            if pointer.split('/').any(|segment| WORDS.contains(&segment)) {
                assert!(*class >= Sensitivity::Personal, "{kind} {pointer} is {class}");
            }
        }
    }
}

#[test]
fn what_is_not_personal_stays_readable() {
    assert_eq!(class(EntityKind::Employee, "/work/title"), Sensitivity::Internal);
    assert_eq!(class(EntityKind::Job, "/advertised_pay/min"), Sensitivity::Public);
    assert_eq!(class(EntityKind::OrgUnit, "/name/zh-CN"), Sensitivity::Internal);
}

#[test]
fn a_place_above_has_the_highest_class_below_and_no_place_has_none() {
    assert_eq!(class(EntityKind::Employee, "/person"), Sensitivity::Special);
    assert_eq!(class(EntityKind::Employee, "/person/emails"), Sensitivity::Personal);
    assert_eq!(class_of(EntityKind::Employee, "/salary"), None);
    assert_eq!(class_of(EntityKind::Employee, "/number/x"), None);
}

#[test]
fn debug_output_hides_what_is_personal() {
    let details = renmen_schema::entity::PersonDetails::named("张三");
    let shown = format!("{details:?}");
    assert!(!shown.contains("张三") && shown.contains("[redacted]"), "{shown}");
}
