//! Pay, levels, refusals and the market.

use renmen_insight::model::{Limits, OfferRow};
use renmen_insight::question::level::{LevelAnswer, Levels};
use renmen_insight::question::market::{MarketPlace, market_pay, place_in};
use renmen_insight::question::pay::{Known, PayAsk, PayFault, PayRule};
use renmen_insight::question::refusal::{RefusalAsk, Refusals};
use renmen_insight::{Key, Row};
use renmen_schema::EntityKind;
use renmen_schema::code::{BandStatus, BandVisibility, OfferStatus, OutcomeReason, PaySuggestionInput};
use renmen_schema::entity::{BandKey, MarketPay, MarketSource, PayBand, Percentiles};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Currency, Localized, Money, PayInterval, PayRange, PayRate, Ref, Score};

use crate::acceptance::is_valid;
use crate::rows::{ask, at, day, decimal, key, year};

fn id(n: u8) -> RecordId {
    format!("018f3c1e-0000-7000-8000-0000000000{n:02}").parse().unwrap()
}

fn band(level: &str, min: &str, max: &str) -> PayBand {
    let key = BandKey { level: Some(level.to_owned()), ..BandKey::new() };
    let range = PayRange::between(min, max, "CNY", PayInterval::Month).unwrap();
    PayBand::new(key, range, BandStatus::Active, BandVisibility::Internal)
}

fn monthly(amount: &str) -> PayRate {
    PayRate::new(Money::new(amount, "CNY").unwrap(), PayInterval::Month)
}

fn survey(amounts: [Option<&str>; 5]) -> MarketPay {
    let [p10, p25, p50, p75, p90] = amounts.map(|amount| amount.map(decimal));
    let stat = Percentiles { p10, p25, p50, p75, p90, ..Percentiles::new(Currency::CNY, PayInterval::Month) };
    MarketPay::new(Localized::en("Consultant"), MarketSource::new("A survey".into(), day("2025-06-30")), stat)
}

fn matching(band: &PayBand) -> PayAsk<'_> {
    static MATCH: std::sync::LazyLock<Score> = std::sync::LazyLock::new(|| Score::percent("85").unwrap());
    let matching = Known::part(EntityKind::InterviewResult, id(2), &*MATCH, "interviews");
    PayAsk { level: "middle", band: Known::record(id(1), band, "payroll"), matching, prior: None, market: None }
}

fn amounts(range: &PayRange) -> (String, String) {
    (range.min.unwrap().to_string(), range.max.unwrap().to_string())
}

#[test]
fn a_match_of_85_in_10_to_13_is_11_to_12_and_prior_pay_of_10_makes_11_5_r53_r54() {
    let band = band("middle", "10000", "13000");
    let rule = PayRule::default();
    let alone = rule.suggest(Ref::to(id(3)), &matching(&band)).unwrap();
    is_valid(&alone);
    assert_eq!(amounts(&alone.range), ("11000".into(), "12000".into()));
    assert_eq!(alone.point, None, "nothing besides the band speaks for a point");

    let prior = monthly("10000");
    let prior = Some(Known::part(EntityKind::Candidate, id(4), &prior, "hiring"));
    let with_prior = rule.suggest(Ref::to(id(3)), &PayAsk { prior, ..matching(&band) }).unwrap();
    is_valid(&with_prior);
    assert_eq!(amounts(&with_prior.range), ("11000".into(), "12000".into()));
    assert_eq!(with_prior.point.unwrap().to_string(), "11500");
    let kinds: Vec<_> = with_prior.inputs.iter().map(|input| input.kind).collect();
    let [band_input, level, matching_input, prior_input] =
        [PaySuggestionInput::Band, PaySuggestionInput::Level, PaySuggestionInput::Match, PaySuggestionInput::PriorPay];
    assert_eq!(kinds, [band_input, level, matching_input, prior_input]);
    assert_eq!(with_prior.inputs[3].provenance.as_deref(), Some("hiring"));
    assert_eq!(with_prior.inputs[2].value.as_deref(), Some("0.85"));
    let reasons: Vec<_> = with_prior.inputs.iter().map(|input| input.reason.unwrap().as_str()).collect();
    assert_eq!(reasons, ["LIMITS_RANGE", "SELECTS_BAND", "PLACES_RANGE", "ANCHORS_POINT"]);

    // Where the law forbids to ask for prior pay, it is not used and does not stand among the inputs.
    let forbidden = PayRule { raise: None, ..PayRule::default() };
    let without = forbidden.suggest(Ref::to(id(3)), &PayAsk { prior, ..matching(&band) }).unwrap();
    assert_eq!((without.point, without.inputs.len()), (None, 3));
}

#[test]
fn the_market_is_an_input_of_its_own_and_the_point_stays_within_the_range_r54() {
    let band = band("middle", "10000", "13000");
    let rich = survey([None, None, Some("20000"), None, None]);
    let market = Some(Known::record(id(5), &rich, "market"));
    let suggestion = PayRule::default().suggest(Ref::to(id(3)), &PayAsk { market, ..matching(&band) }).unwrap();
    is_valid(&suggestion);
    assert_eq!(suggestion.point.unwrap().to_string(), "12000", "15750 is kept within the range");
    assert_eq!(suggestion.inputs[3].provenance.as_deref(), Some("A survey, 2025-06-30"));
    for (match_percent, range) in [("0", ("10000", "11000")), ("70", ("10000", "11000")), ("100", ("12000", "13000"))] {
        let score = Score::percent(match_percent).unwrap();
        let ask = PayAsk {
            matching: Known::part(EntityKind::InterviewResult, id(2), &score, "interviews"),
            ..matching(&band)
        };
        let found = PayRule::default().suggest(Ref::to(id(3)), &ask).unwrap();
        assert_eq!(amounts(&found.range), (range.0.to_owned(), range.1.to_owned()), "{match_percent}");
    }
}

#[test]
fn what_cannot_be_compared_is_refused_and_not_converted_r54() {
    let rule = PayRule::default();
    let band = band("middle", "10000", "13000");
    let suggest = |ask: &PayAsk<'_>| rule.suggest(Ref::to(id(3)), ask).unwrap_err();
    let dollars = PayRate::new(Money::new("2000", "USD").unwrap(), PayInterval::Month);
    let yearly = PayRate::new(Money::new("120000", "CNY").unwrap(), PayInterval::Year);
    for (rate, fault) in [(&dollars, PayFault::Currency as fn(_) -> _), (&yearly, PayFault::Interval as fn(_) -> _)] {
        let prior = Some(Known::part(EntityKind::Candidate, id(4), rate, "hiring"));
        assert_eq!(suggest(&PayAsk { prior, ..matching(&band) }), fault(PaySuggestionInput::PriorPay));
    }
    let retired = PayBand { status: BandStatus::Retired, ..band.clone() };
    assert_eq!(suggest(&matching(&retired)), PayFault::NotActive);
    let open = PayBand { range: PayRange { max: None, ..band.range.clone() }, ..band.clone() };
    assert_eq!(suggest(&matching(&open)), PayFault::OpenBand);
    let outside = Score { value: decimal("120"), ..Score::percent("85").unwrap() };
    let ask =
        PayAsk { matching: Known::part(EntityKind::InterviewResult, id(2), &outside, "interviews"), ..matching(&band) };
    assert_eq!(suggest(&ask), PayFault::NoMatch);
    let senseless = PayRule { match_high: rule.match_low, ..rule.clone() };
    assert_eq!(senseless.suggest(Ref::to(id(3)), &matching(&band)).unwrap_err(), PayFault::Arithmetic);
}

#[test]
fn assessed_as_senior_the_senior_level_with_15_to_18_is_suggested_r55() {
    let levels = Levels::new(["junior", "middle", "senior"]);
    let (middle, senior) = (band("middle", "12000", "15000"), band("senior", "15000", "18000"));
    let bands = [Known::record(id(1), &middle, "payroll"), Known::record(id(6), &senior, "payroll")];
    let compare = |assessed: &str, bands: &[Known<'_, PayBand>]| {
        let assessed = assessed.to_owned();
        let assessed = Known::part(EntityKind::InterviewResult, id(2), &assessed, "interviews");
        levels.compare(Ref::to(id(3)), "middle", assessed, bands, "level-1")
    };
    let LevelAnswer::Change(suggestion) = compare("senior", &bands) else { panic!("no change") };
    is_valid(&*suggestion);
    assert_eq!(suggestion.level.as_deref(), Some("senior"));
    assert_eq!(amounts(&suggestion.range), ("15000".into(), "18000".into()));
    assert_eq!(suggestion.inputs[2].band.as_ref().unwrap().id, Some(id(6)));
    assert_eq!(compare("middle", &bands), LevelAnswer::Stays);
    assert_eq!(compare("junior", &bands), LevelAnswer::Stays);
    assert_eq!(compare("senior", &bands[..1]), LevelAnswer::NoBand);
    assert_eq!(compare("wizard", &bands), LevelAnswer::UnknownLevel);
}

#[test]
fn the_market_is_a_distribution_with_source_and_date_r07() {
    let older = survey([Some("8000"), Some("9000"), Some("10000"), Some("12000"), Some("16000")]);
    let mut newer = survey([None, None, Some("11000"), None, None]);
    newer.source.published_on = day("2025-09-30");
    let mut dollars = older.clone();
    dollars.stat.currency = Currency::parse("USD").unwrap();
    let records = [&older, &newer, &dollars];
    let records: Vec<_> = records.iter().zip(1..).map(|(record, n)| Known::record(id(n), *record, "market")).collect();
    let report = market_pay(&records, Currency::CNY, PayInterval::Month);
    assert_eq!(report.surveys.iter().map(|survey| survey.record).collect::<Vec<_>>(), [id(2), id(1)]);
    assert_eq!(report.medians, Some((decimal("10000"), decimal("11000"))));
    assert_eq!(report.not_comparable, [id(3)]);
    let place = |amount: &str| place_in(&older.stat, &Money::new(amount, "CNY").unwrap(), PayInterval::Month).unwrap();
    assert_eq!(place("7999"), Some(MarketPlace::Below(10)));
    assert_eq!(place("8000"), Some(MarketPlace::At(decimal("10"))));
    assert_eq!(place("9500"), Some(MarketPlace::At(decimal("37.5"))));
    assert_eq!(place("16000"), Some(MarketPlace::At(decimal("90"))));
    assert_eq!(place("16001"), Some(MarketPlace::Above(90)));
    assert!(place_in(&older.stat, &Money::new("1", "USD").unwrap(), PayInterval::Month).is_err());
    assert!(place_in(&older.stat, &Money::new("1", "CNY").unwrap(), PayInterval::Year).is_err());
}

#[test]
fn offers_refused_for_pay_flow_back_into_the_report_of_their_band_r56() {
    let offer = |n: u64, band: u64, status, reasons, position: &str| OfferRow {
        offer: key(7, n),
        band: Some(Key(band)),
        band_position: Some(decimal(position)),
        status,
        closed_at: Some(at("2025-05-01T00:00:00Z")),
        reasons,
    };
    let mut rows = Vec::new();
    for n in 0..40 {
        let refused = n < 20;
        let status = if refused { OfferStatus::Declined } else { OfferStatus::Accepted };
        let reasons: &[OutcomeReason] = if refused { &[OutcomeReason::PayTooLow] } else { &[] };
        rows.push(Row::Offer(offer(n, 1, status, reasons, if refused { "0.2" } else { "0.8" })));
    }
    for n in 40..45 {
        rows.push(Row::Offer(offer(n, 2, OfferStatus::Declined, &[OutcomeReason::Location], "0.5")));
    }
    rows.push(Row::Offer(offer(45, 2, OfferStatus::Sent, &[], "0.5")));
    let refusals = Refusals::new(RefusalAsk {
        window: year(),
        flag_above: 0.2,
        sample_min: 10,
        confidence: 0.95,
        limits: Limits::default(),
    });
    let report = ask(refusals, &rows);
    let [first, second] = &report.bands[..] else { panic!("{report:?}") };
    assert_eq!((first.accepted, first.declined, first.refused_for_pay.total()), (20, 20, 20));
    assert_eq!((first.share.value, first.flagged, first.too_few), (Some(0.5), true, false));
    assert_eq!((first.accepted_at.value, first.refused_at.value), (Some(0.8), Some(0.2)));
    assert!(first.superiority.p.unwrap().adjusted < 0.001);
    assert_eq!((second.refused_for_pay.total(), second.flagged, second.too_few), (0, false, true));
    assert_eq!(report.left_out.iter().map(|(why, n)| (why.as_str(), n)).collect::<Vec<_>>(), [("still_open", 1)]);
}
