#![allow(clippy::unwrap_used)]
use renmen_schema::types::{PayRange, Validity};

use super::*;

fn id(n: u64) -> RecordId {
    format!("0190a5d0-7b2c-7000-8000-{n:012}").parse().unwrap()
}

fn band(family: &str, level: Option<&str>, min: &str, max: &str) -> PayBand {
    let key = BandKey { job_family: Some(family.into()), level: level.map(Into::into), ..BandKey::new() };
    let range = PayRange::between(min, max, "CNY", PayInterval::Month).unwrap();
    PayBand::new(key, range, BandStatus::Active, BandVisibility::VendorMatchOnly)
}

fn index(bands: Vec<PayBand>) -> BandIndex {
    let mut index = BandIndex::default();
    for (n, band) in bands.into_iter().enumerate() {
        index.put(id(n as u64 + 1), 1, band);
    }
    index
}

fn today() -> LocalDate {
    LocalDate::of(2026, 3, 2).unwrap()
}

fn ask(family: &str, level: Option<&str>, amount: &str) -> BandAsk {
    let key = BandKeyAsk { job_family: Some(family.into()), level: level.map(Into::into), ..BandKeyAsk::default() };
    BandAsk { key, expected: Money::new(amount, "CNY").unwrap(), per: PayInterval::Month }
}

fn said(index: &BandIndex, ask: &BandAsk) -> Verdict {
    index.answer(ask, today()).verdict
}

#[test]
fn r05_of_8_to_10_thousand_9500_is_in_and_13000_is_out() {
    let index = index(vec![band("研发", None, "8000", "10000")]);
    assert_eq!(said(&index, &ask("研发", None, "9500")), Verdict::In);
    assert_eq!(said(&index, &ask(" 研发 ", Some("P5"), "10000")), Verdict::In);
    assert_eq!(said(&index, &ask("研发", None, "13000")), Verdict::Out);
    assert_eq!(said(&index, &ask("销售", None, "9500")), Verdict::Unknown(Unknown::NoBand));
}

#[test]
fn the_band_that_names_most_decides_and_one_that_names_something_else_never_does() {
    let index = index(vec![band("研发", None, "8000", "10000"), band("研发", Some("P6"), "15000", "18000")]);
    assert_eq!(said(&index, &ask("研发", Some("p6"), "16000")), Verdict::In);
    assert_eq!(said(&index, &ask("研发", Some("P6"), "9000")), Verdict::Out);
    assert_eq!(said(&index, &ask("研发", Some("P5"), "9000")), Verdict::In);
    assert_eq!(index.answer(&ask("研发", Some("P6"), "9000"), today()).bands, [(id(2), 1)]);
}

#[test]
fn another_unit_is_not_converted() {
    let index = index(vec![band("研发", None, "8000", "10000")]);
    let yearly = BandAsk { per: PayInterval::Year, ..ask("研发", None, "9500") };
    assert_eq!(said(&index, &yearly), Verdict::Unknown(Unknown::UnitMismatch));
    let dollars = BandAsk { expected: Money::new("9500", "USD").unwrap(), ..ask("研发", None, "1") };
    assert_eq!(said(&index, &dollars), Verdict::Unknown(Unknown::UnitMismatch));
}

#[test]
fn an_internal_a_retired_and_an_expired_band_are_as_if_they_were_not() {
    let hidden = PayBand { visibility: BandVisibility::Internal, ..band("研发", None, "8000", "10000") };
    let retired = PayBand { status: BandStatus::Retired, ..band("研发", None, "8000", "10000") };
    let past = Validity {
        valid_to: Some(LocalDate::of(2026, 3, 1).unwrap()),
        ..Validity::new(LocalDate::of(2025, 1, 1).unwrap())
    };
    let expired = PayBand { validity: Some(past.clone()), ..band("研发", None, "8000", "10000") };
    let no_band = Verdict::Unknown(Unknown::NoBand);
    for unseen in [hidden, retired, expired] {
        assert_eq!(said(&index(vec![unseen]), &ask("研发", None, "9500")), no_band);
    }
    let last_day = Validity { valid_to: Some(today()), ..past };
    let index = index(vec![PayBand { validity: Some(last_day), ..band("研发", None, "8000", "10000") }]);
    assert_eq!(said(&index, &ask("研发", None, "9500")), Verdict::In);
}

#[test]
fn two_bands_alike_must_agree() {
    let index = index(vec![band("研发", None, "8000", "10000"), band("研发", None, "9000", "12000")]);
    assert_eq!(said(&index, &ask("研发", None, "9500")), Verdict::In);
    assert_eq!(said(&index, &ask("研发", None, "11000")), Verdict::Unknown(Unknown::Ambiguous));
    assert_eq!(said(&index, &ask("研发", None, "13000")), Verdict::Out);
}

#[test]
fn a_newer_revision_takes_the_place_of_the_older_one() {
    let mut index = index(vec![band("研发", None, "8000", "10000")]);
    index.put(id(1), 2, band("销售", None, "5000", "6000"));
    assert_eq!(said(&index, &ask("研发", None, "9500")), Verdict::Unknown(Unknown::NoBand));
    assert_eq!(said(&index, &ask("销售", None, "5500")), Verdict::In);
    index.put(id(1), 3, PayBand { visibility: BandVisibility::Internal, ..band("销售", None, "5000", "6000") });
    assert!(index.is_empty() && index.anchors.is_empty());
}

#[test]
fn a_position_is_found_by_its_id_at_the_vendor() {
    let mut of_position = band("研发", None, "8000", "10000");
    of_position.key = BandKey { position: Some(Ref::external("pos-1")), ..BandKey::new() };
    let index = index(vec![of_position]);
    let key = |position: &str| BandKeyAsk { position: Some(position.into()), ..BandKeyAsk::default() };
    assert_eq!(said(&index, &BandAsk { key: key("pos-1"), ..ask("x", None, "9500") }), Verdict::In);
    assert_eq!(
        said(&index, &BandAsk { key: key("pos-2"), ..ask("x", None, "9500") }),
        Verdict::Unknown(Unknown::NoBand)
    );
}
