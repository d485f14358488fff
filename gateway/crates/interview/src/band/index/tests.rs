#![allow(clippy::unwrap_used)]
use renmen_schema::types::{ExternalId, Localized, PayRange, Validity};

use super::*;

fn id(n: u64) -> RecordId {
    format!("0190a5d0-7b2c-7000-8000-{n:012}").parse().unwrap()
}

fn band(key: BandKey, min: &str, max: &str) -> PayBand {
    let range = PayRange::between(min, max, "CNY", PayInterval::Month).unwrap();
    PayBand::new(key, range, BandStatus::Active, BandVisibility::VendorMatchOnly)
}

fn of(family: &str, level: Option<&str>) -> BandKey {
    BandKey { job_family: Some(family.into()), level: level.map(Into::into), ..BandKey::new() }
}

fn position(reference: Ref<Job>) -> BandKey {
    BandKey { position: Some(reference), ..BandKey::new() }
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

fn job(family: &str, levels: &[&str]) -> JobFacts {
    let levels = levels.iter().map(|&level| level.into()).collect();
    JobFacts { known: true, family: Some(family.into()), levels, ..JobFacts::default() }
}

fn cny(amount: &str) -> Money {
    Money::new(amount, "CNY").unwrap()
}

fn said(index: &BandIndex, job: &JobFacts, amount: &str) -> Verdict {
    index.answer(job, (&cny(amount), PayInterval::Month), 2, today()).verdict
}

const NO_BAND: Verdict = Verdict::Unknown(Unknown::NoBand);

#[test]
fn r05_of_8_to_10_thousand_9500_is_in_and_13000_is_out() {
    let index = index(vec![band(of("研发", None), "8000", "10000")]);
    assert_eq!(said(&index, &job("研发", &[]), "9500"), Verdict::In);
    assert_eq!(said(&index, &job(" 研发 ", &["P5"]), "10000"), Verdict::In);
    assert_eq!(said(&index, &job("研发", &[]), "13000"), Verdict::Out);
    assert_eq!(said(&index, &job("研发", &[]), "10049.99"), Verdict::Out);
    assert_eq!(said(&index, &job("研发", &[]), "7999.99"), Verdict::Out);
    assert_eq!(said(&index, &job("销售", &[]), "9500"), NO_BAND);
}

#[test]
fn the_band_that_names_most_decides_and_one_that_names_something_else_never_does() {
    let index = index(vec![band(of("研发", None), "8000", "10000"), band(of("研发", Some("P6")), "15000", "18000")]);
    assert_eq!(said(&index, &job("研发", &["p6"]), "16000"), Verdict::In);
    assert_eq!(said(&index, &job("研发", &["P6"]), "9000"), Verdict::Out);
    assert_eq!(said(&index, &job("研发", &["P5"]), "9000"), Verdict::In);
    let decided = index.answer(&job("研发", &["P6"]), (&cny("9000"), PayInterval::Month), 2, today());
    assert_eq!(decided.bands, [(id(2), 1)]);
}

#[test]
fn a_job_of_two_levels_is_paid_from_the_lowest_to_the_highest_and_needs_a_band_for_each() {
    let bands = [("P4", "8000", "10000"), ("P5", "10000", "13000"), ("P6", "13000", "16000")];
    let bands = bands.map(|(level, min, max)| band(of("研发", Some(level)), min, max));
    let index = index(bands.into());
    let both = job("研发", &["P4", "P6"]);
    for (amount, verdict) in [
        ("7900", Verdict::Out),
        ("8000", Verdict::In),
        ("11000", Verdict::In),
        ("16000", Verdict::In),
        ("17000", Verdict::Out),
    ] {
        assert_eq!(said(&index, &both, amount), verdict, "{amount}");
    }
    let decided = index.answer(&both, (&cny("9000"), PayInterval::Month), 2, today());
    assert_eq!(decided.bands, [(id(1), 1), (id(3), 1)]);
    for levels in [&["P6", "P7"][..], &[], &["P9"]] {
        assert_eq!(said(&index, &job("研发", levels), "13000"), NO_BAND, "{levels:?}");
    }
}

#[test]
fn a_place_narrows_a_band_and_a_job_at_two_places_may_be_paid_as_at_either() {
    let at = |place: &str| BandKey { location: Some(place.into()), ..of("销售", None) };
    let index = index(vec![band(at("上海"), "9000", "12000"), band(at("成都"), "6000", "8000")]);
    let of_places = |places: &[&str]| JobFacts {
        locations: places.iter().map(|&place| place.into()).collect(),
        ..job("销售", &[])
    };
    assert_eq!(said(&index, &of_places(&["上海"]), "7000"), Verdict::Out);
    assert_eq!(said(&index, &of_places(&["成都"]), "7000"), Verdict::In);
    assert_eq!(said(&index, &of_places(&["上海", "成都"]), "7000"), Verdict::In);
    assert_eq!(said(&index, &of_places(&["上海", "北京"]), "10000"), NO_BAND);
    assert_eq!(said(&index, &of_places(&[]), "10000"), NO_BAND);
}

#[test]
fn another_unit_is_not_converted() {
    let index = index(vec![band(of("研发", None), "8000", "10000")]);
    let mismatch = Verdict::Unknown(Unknown::UnitMismatch);
    let ask = |money: Money, per| index.answer(&job("研发", &[]), (&money, per), 2, today()).verdict;
    assert_eq!(ask(cny("9500"), PayInterval::Year), mismatch);
    assert_eq!(ask(Money::new("9500", "USD").unwrap(), PayInterval::Month), mismatch);
}

#[test]
fn an_internal_a_retired_and_an_expired_band_are_as_if_they_were_not() {
    let plain = || band(of("研发", None), "8000", "10000");
    let hidden = PayBand { visibility: BandVisibility::Internal, ..plain() };
    let retired = PayBand { status: BandStatus::Retired, ..plain() };
    let past = Validity {
        valid_to: Some(LocalDate::of(2026, 3, 1).unwrap()),
        ..Validity::new(LocalDate::of(2025, 1, 1).unwrap())
    };
    let expired = PayBand { validity: Some(past.clone()), ..plain() };
    for unseen in [hidden, retired, expired] {
        let own = JobFacts { own: Some(vec![id(1)]), ..job("研发", &[]) };
        let index = index(vec![unseen]);
        assert_eq!(said(&index, &job("研发", &[]), "9500"), NO_BAND);
        assert_eq!(said(&index, &own, "9500"), NO_BAND, "even when the job names it");
    }
    let last_day = Validity { valid_to: Some(today()), ..past };
    let index = index(vec![PayBand { validity: Some(last_day), ..plain() }]);
    assert_eq!(said(&index, &job("研发", &[]), "9500"), Verdict::In);
}

#[test]
fn bands_that_contradict_each_other_answer_no_amount_and_those_that_look_alike_do() {
    let two =
        |min: &str, max: &str| index(vec![band(of("研发", None), "8000", "10000"), band(of("研发", None), min, max)]);
    for amount in ["5000", "9500", "11000", "13000"] {
        assert_eq!(said(&two("9000", "12000"), &job("研发", &[]), amount), Verdict::Unknown(Unknown::Ambiguous));
    }
    assert_eq!(said(&two("7950", "10500"), &job("研发", &[]), "9500"), Verdict::In, "the same to two digits");
}

#[test]
fn a_band_that_answers_cannot_show_is_said_to_be_too_narrow() {
    let index = index(vec![band(of("研发", None), "12100", "12400")]);
    for amount in ["12000", "12300", "13000"] {
        assert_eq!(said(&index, &job("研发", &[]), amount), Verdict::Unknown(Unknown::TooNarrow));
    }
}

#[test]
fn a_newer_revision_takes_the_place_of_the_older_one() {
    let mut index = index(vec![band(of("研发", None), "8000", "10000")]);
    index.put(id(1), 2, band(of("销售", None), "5000", "6000"));
    assert_eq!(said(&index, &job("研发", &[]), "9500"), NO_BAND);
    assert_eq!(said(&index, &job("销售", &[]), "5500"), Verdict::In);
    index.put(id(1), 3, PayBand { visibility: BandVisibility::Internal, ..band(of("销售", None), "5000", "6000") });
    assert!(index.is_empty() && index.anchors.is_empty());
}

#[test]
fn a_job_is_found_by_its_id_its_code_its_name_or_its_own_word_of_the_band() {
    let hr = ConnectionName::new("hr").unwrap();
    let facts = JobFacts {
        known: true,
        ids: vec![JobId { record: Some(id(77)), external: Some((hr.clone(), "67001".into())) }],
        codes: vec!["A001".into()],
        titles: vec!["后端工程师".into(), "Backend engineer".into()],
        ..JobFacts::default()
    };
    let of_hr = |value: &str, connection: &ConnectionName| {
        Ref::by(ExternalId { connection: Some(connection.clone()), ..ExternalId::of(value) })
    };
    let other = ConnectionName::new("other").unwrap();
    let name = |name: &str| BandKey { position_name: Some(name.into()), ..BandKey::new() };
    for (key, is_found) in [
        (position(Ref::external("67001")), true),
        (position(Ref::external("a001")), true),
        (position(of_hr("67001", &hr)), true),
        (position(Ref::to(id(77))), true),
        (name("backend engineer "), true),
        (name("后端工程师"), true),
        (position(of_hr("67001", &other)), false),
        (position(of_hr("A001", &other)), false),
        (position(Ref::external("67002")), false),
        (position(Ref::to(id(78))), false),
        (name("后端"), false),
        (BandKey { grade: Some("10".into()), ..name("后端工程师") }, false),
    ] {
        let said = said(&index(vec![band(key.clone(), "8000", "10000")]), &facts, "9500");
        assert_eq!(said, if is_found { Verdict::In } else { NO_BAND }, "{key:?}");
    }
    let index = index(vec![band(of("研发", None), "8000", "10000"), band(of("其他", None), "5000", "6000")]);
    let own = |ids: &[u64]| JobFacts { own: Some(ids.iter().copied().map(id).collect()), ..job("研发", &[]) };
    assert_eq!(said(&index, &own(&[2]), "5500"), Verdict::In, "regardless of its family");
    assert_eq!(said(&index, &own(&[]), "9500"), NO_BAND, "no other is looked for");
}

#[test]
fn a_job_that_is_not_known_may_have_a_band_by_its_id_alone_and_else_is_said_to_be_unknown() {
    let hr = ConnectionName::new("hr").unwrap();
    let named =
        JobFacts { ids: vec![JobId { record: None, external: Some((hr, "67001".into())) }], ..JobFacts::default() };
    let index = index(vec![band(position(Ref::external("67001")), "8000", "10000")]);
    assert_eq!(said(&index, &named, "9500"), Verdict::In);
    assert_eq!(said(&index, &JobFacts::default(), "9500"), Verdict::Unknown(Unknown::NoJob));
}

#[test]
fn what_a_posting_leaves_out_its_job_says() {
    let mut facts = JobFacts::default();
    let posting = Job {
        min_level: Some("P4".into()),
        ..Job::new(renmen_schema::code::JobKind::Posting.into(), Localized::en("a"))
    };
    let above = Job {
        job_family: Some("研发".into()),
        min_level: Some("P1".into()),
        max_level: Some("P9".into()),
        ..Job::new(renmen_schema::code::JobKind::Job.into(), Localized::en("b"))
    };
    facts.add(&posting);
    facts.add(&above);
    assert_eq!((facts.family.as_deref(), facts.levels.as_slice()), (Some("研发"), &["P4".to_owned()][..]));
    assert_eq!(facts.titles, ["a", "b"]);
}
