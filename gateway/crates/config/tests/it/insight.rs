//! `[insight]` and its plans.

use std::time::Duration;

use renmen_config::{Insight, InsightEvery};
use renmen_schema::code::LegalBasis;

use crate::{read, read_dev, refused};

#[test]
fn what_is_not_said_keeps_its_default() {
    assert_eq!(read_dev("").insight, Insight::default());
    let said = read_dev("[insight]\nutc_offset = \"-03:30\"\nsample_min = 50\nwithout_consent = [\"HR_MANAGEMENT\"]\n")
        .insight;
    assert_eq!((said.offset_minutes, said.sample_min), (-210, 50));
    assert_eq!(said.without_consent, [LegalBasis::HrManagement]);
    assert_eq!((said.flag_below, said.small_below), (0.8, 0.02));
}

#[test]
fn a_plan_says_what_is_asked_how_often_and_over_which_days() {
    let text = "[insight.plans.funnel]\nquestion = \"funnel\"\nevery = \"7d\"\nwindow = \"90d\"\n\n\
                [insight.plans.quality]\nquestion = \"predict\"\nevery = \"quarter\"\nparameters = { outcome = \"probation_passed\" }\n\n\
                [insight.plans.fairness]\nquestion = \"fairness\"\nevery = \"month\"\nenabled = false\n";
    let plans = read_dev(text).insight.plans;
    let of = |name: &str| plans.iter().find(|(known, _)| known.as_str() == name).unwrap().1;
    assert_eq!(
        (of("funnel").every, of("funnel").window),
        (InsightEvery::Days(7), Some(Duration::from_secs(90 * 86_400)))
    );
    assert_eq!(of("quality").parameters["outcome"], "probation_passed");
    assert!(of("quality").every == InsightEvery::Quarter && !of("fairness").enabled);
}

#[test]
fn what_cannot_be_is_refused_with_its_place_and_what_to_write() {
    for (line, told) in [
        ("utc_offset = \"8\"", "write `+08:00`"),
        ("utc_offset = \"+15:00\"", "write `+08:00`"),
        ("without_consent = [\"BECAUSE\"]", "HR_MANAGEMENT"),
        ("confidence = 1.0", "0.5 to 0.999"),
        ("flag_below = 1.1", "0.01 to 1"),
        ("sample_mn = 3", "did you mean `sample_min`?"),
        ("plans = { x = { question = \"luck\", every = \"7d\" } }", "use one of funnel"),
        ("plans = { x = { question = \"funnel\", every = \"90m\" } }", "write `quarter`"),
        ("plans = { x = { question = \"funnel\", every = \"367d\" } }", "write `quarter`"),
        ("plans = { x = { question = \"funnel\" } }", "`every` is missing"),
    ] {
        let error = refused(&format!("[insight]\n{line}\n"));
        assert!(error.contains(told) && error.contains(":2:"), "{line}\n{error}");
    }
}

#[test]
fn both_ends_of_every_number_are_kept() {
    for (key, good, bad) in [
        ("window", ["1d", "3660d"], ["23h", "3661d"]),
        ("review_window", ["1d", "3660d"], ["23h", "3661d"]),
        ("slow", ["1s", "24h"], ["500ms", "25h"]),
        ("ask_within", ["1s", "10m"], ["500ms", "11m"]),
    ] {
        let line = |value: &str| format!("[insight]\n{key} = \"{value}\"\n");
        good.iter().for_each(|value| assert!(read(&line(value), false).is_ok(), "{key} {value}"));
        bad.iter().for_each(|value| assert!(read(&line(value), false).is_err(), "{key} {value}"));
    }
    for (key, good, bad) in [
        ("sample_min", ["2", "100000"], ["1", "100001"]),
        ("few", ["2", "100000"], ["1", "100001"]),
        ("pay_round_to", ["1", "1000000"], ["0", "1000001"]),
        ("asks_at_once", ["1", "64"], ["0", "65"]),
        ("entries_max", ["1000", "50000000"], ["999", "50000001"]),
        ("cells_max", ["1000", "500000000"], ["999", "500000001"]),
        ("names_max", ["100", "1000000"], ["99", "1000001"]),
        ("ids_max", ["1", "1000"], ["0", "1001"]),
        ("alpha", ["0.0001", "0.5"], ["0", "0.51"]),
        ("relevant", ["0.01", "0.99"], ["0", "1"]),
        ("top", ["0.01", "0.5"], ["0", "0.6"]),
        ("small_below", ["0", "0.5"], ["0.6", "1"]),
        ("refusals_above", ["0", "1"], ["1.1", "2"]),
        ("step_percent", ["0.01", "100"], ["0", "101"]),
        ("raise", ["0", "1"], ["1.1", "2"]),
        ("match_low", ["0", "0.99"], ["1", "2"]),
    ] {
        let line = |value: &str| format!("[insight]\n{key} = {value}\n");
        good.iter().for_each(|value| assert!(read(&line(value), false).is_ok(), "{key} {value}"));
        bad.iter().for_each(|value| assert!(read(&line(value), false).is_err(), "{key} {value}"));
    }
}
