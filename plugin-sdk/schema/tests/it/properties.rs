//! Properties of the shared types and of every entity.

use proptest::prelude::*;
use renmen_schema::code::EmploymentType;
use renmen_schema::entity::Employee;
use renmen_schema::types::{Coded, Decimal, Instant, LocalDate, Money, PayInterval, PayRange, Score, Weight};
use renmen_schema::{Entity, EntityKind, canonicalize};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::generate::body;

/// Semantic rules may refuse what the schema allows; reading it may not fail.
const READING: &[&str] =
    &["not_json", "wrong_type", "unknown_field", "bad_value", "bad_name", "bad_decimal", "bad_date"];

fn round_trip<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> bool {
    let json = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&json).unwrap();
    back == *value && serde_json::to_string(&back).unwrap() == json
}

fn decimal() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,6})?"
        .prop_filter("no signed zero", |t| !t.starts_with('-') || t.contains(|c: char| ('1'..='9').contains(&c)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decimal_is_exact(text in decimal()) {
        let value = Decimal::parse(&text).unwrap();
        prop_assert_eq!(value.to_string(), text);
        prop_assert!(round_trip(&value));
    }

    #[test]
    fn sums_of_decimals_are_exact(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
        let sum = Decimal::from_minor(a, 2).unwrap().checked_add(Decimal::from_minor(b, 2).unwrap()).unwrap();
        prop_assert_eq!(sum, Decimal::from_minor(a + b, 2).unwrap());
    }

    #[test]
    fn any_text_is_a_decimal_or_refused_and_never_a_panic(text in "\\PC{0,30}") {
        if let Ok(value) = Decimal::parse(&text) {
            prop_assert!(Decimal::parse(&value.to_string()).is_ok());
        }
        if let Ok(date) = LocalDate::parse(&text) {
            prop_assert_eq!(date.to_string(), text.clone());
        }
        if let Ok(instant) = Instant::parse(&text) {
            prop_assert_eq!(Instant::parse(&instant.to_string()).unwrap(), instant);
        }
    }

    #[test]
    fn a_date_is_taken_exactly_when_the_day_exists(year in 1_i16..=9999, month in 0_i8..=13, day in 0_i8..=32) {
        let text = format!("{year:04}-{month:02}-{day:02}");
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month { 1 | 3 | 5 | 7 | 8 | 10 | 12 => 31, 4 | 6 | 9 | 11 => 30, 2 if leap => 29, 2 => 28, _ => 0 };
        prop_assert_eq!(LocalDate::parse(&text).is_ok(), (1..=days).contains(&day));
    }

    #[test]
    fn an_instant_keeps_its_milliseconds(ms in -62_135_596_800_000_i64..253_402_300_800_000) {
        let instant = Instant::from_epoch_ms(ms).unwrap();
        prop_assert_eq!(Instant::parse(&instant.to_string()).unwrap().epoch_ms(), ms);
        prop_assert!(round_trip(&instant));
    }

    #[test]
    fn a_date_at_midnight_of_any_zone_is_that_date(days in -700_000_i64..2_900_000, offset in -1080_i32..=1080) {
        let midnight_ms = days * 86_400_000 - i64::from(offset) * 60_000;
        let utc = LocalDate::from_epoch_ms_at_offset(days * 86_400_000, 0).unwrap();
        prop_assert_eq!(LocalDate::from_epoch_ms_at_offset(midnight_ms, offset).unwrap(), utc);
    }

    #[test]
    fn an_unknown_code_keeps_its_text(code in "[A-Z_]{1,20}", raw in proptest::option::of("\\PC{1,20}")) {
        let json = serde_json::json!({ "code": code, "raw": raw });
        let read: Coded<EmploymentType> = serde_json::from_value(json).unwrap();
        match EmploymentType::from_code(&code) {
            Some(known) => prop_assert_eq!((read.code, &read.raw), (known, &raw)),
            None => {
                prop_assert_eq!(read.code, EmploymentType::Other);
                prop_assert_eq!(read.raw.clone(), raw.or(Some(code)));
            }
        }
        prop_assert!(round_trip(&read));
    }

    #[test]
    fn weights_add_up_exactly(parts in proptest::collection::vec(0_u16..=10_000, 0..20)) {
        let weights: Vec<_> = parts.iter().map(|bp| Weight::new(*bp)).collect();
        let sum = Weight::sum(&weights);
        let wanted: u64 = parts.iter().map(|bp| u64::from(*bp)).sum();
        prop_assert_eq!((sum.bp, sum.complete), (wanted, wanted == 10_000));
    }

    #[test]
    fn a_range_with_no_unit_is_refused(min in 0_i32..1000, drop_currency: bool) {
        let mut range = serde_json::json!({ "min": min.to_string(), "currency": "CNY", "per": "MONTH" });
        prop_assert!(serde_json::from_value::<PayRange>(range.clone()).is_ok());
        range.as_object_mut().unwrap().remove(if drop_currency { "currency" } else { "per" });
        prop_assert!(serde_json::from_value::<PayRange>(range).is_err());
    }

    #[test]
    fn a_range_contains_its_ends_and_nothing_beyond(a in 0_i32..100_000, b in 0_i32..100_000) {
        let (min, max) = (a.min(b), a.max(b));
        let range = PayRange::between(&min.to_string(), &max.to_string(), "CNY", PayInterval::Month).unwrap();
        let inside = |amount: i32| range.contains(&Money::new(&amount.to_string(), "CNY").unwrap(), PayInterval::Month).unwrap();
        prop_assert!(inside(min) && inside(max) && !inside(min - 1) && !inside(max + 1));
        prop_assert!(round_trip(&range));
    }

    #[test]
    fn a_norm_is_between_nought_and_one(min in -1000_i32..1000, extent in 1_i32..1000, part in 0_i32..=1000) {
        let value = min + extent * part / 1000;
        let score = Score::raw(&value.to_string(), &min.to_string(), &(min + extent).to_string()).unwrap();
        let norm = score.norm().unwrap();
        prop_assert!(norm >= Decimal::ZERO && norm <= Decimal::from(1));
        prop_assert!(round_trip(&score));
    }

    #[test]
    fn what_is_canonical_stays_as_it_is_for_every_entity(index in 0..EntityKind::ALL.len(), seed: [u8; 32]) {
        let kind = EntityKind::ALL[index];
        let payload = body(kind, seed).to_string();
        match canonicalize(kind, payload.as_bytes()) {
            Ok(canonical) => prop_assert_eq!(canonicalize(kind, &canonical).unwrap(), canonical),
            Err(defects) => {
                let unread = defects.iter().find(|d| READING.contains(&d.code));
                prop_assert!(unread.is_none(), "{kind}: {unread:?} in {payload}");
            }
        }
    }

    #[test]
    fn any_bytes_are_an_answer_and_never_a_panic(index in 0..EntityKind::ALL.len(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(canonicalize(EntityKind::ALL[index], &bytes).is_err());
    }

    #[test]
    fn what_a_connector_serializes_is_canonical(name in "\\PC{1,20}", number in proptest::option::of("[0-9]{1,8}")) {
        let mut employee = Employee::new(renmen_schema::entity::PersonDetails::named(format!("x{name}")));
        employee.number = number;
        let payload = employee.to_payload();
        prop_assert_eq!(canonicalize(EntityKind::Employee, &payload).unwrap(), payload);
    }
}

#[test]
fn every_entity_is_accepted_by_some_generated_body() {
    for &kind in EntityKind::ALL {
        let accepted = (0_u32..3000).any(|n| {
            let mut seed = [7_u8; 32];
            seed[..4].copy_from_slice(&n.to_le_bytes());
            canonicalize(kind, body(kind, seed).to_string().as_bytes()).is_ok()
        });
        assert!(accepted, "{kind}: not one of 3000 bodies made from its schema is accepted");
    }
}
