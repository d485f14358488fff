//! The score card in its three forms.

use renmen_kit::conformance::{CATALOGUE, CheckOutcome, CheckVerdict, FIXTURES, ScoreCard, StreamCard};

fn card() -> ScoreCard {
    let outcome = |at: usize, verdict| CheckOutcome { id: CATALOGUE[at].id, proves: CATALOGUE[at].proves, verdict };
    let failed = CheckVerdict::Failed {
        seen: "2 of 8 records are missing: employee emp-7 & <others>".into(),
        change: "follow the pages".into(),
    };
    let checks = vec![
        outcome(0, CheckVerdict::Passed),
        outcome(1, failed),
        outcome(2, CheckVerdict::Skipped { why: "`pages.complete` failed".into() }),
    ];
    ScoreCard {
        plugin: "hr-example".into(),
        version: "0.1.0".into(),
        digest: "sha256:00".into(),
        fixtures: vec![],
        lines: vec![],
        streams: vec![StreamCard { stream: "employees".into(), checks }],
        untested: vec!["stream jobs is in the manifest and not under `streams` of conformance.toml".into()],
    }
}

#[test]
fn people_read_text() {
    insta::assert_snapshot!(card().text());
}

#[test]
fn programs_read_json() {
    insta::assert_json_snapshot!(card());
}

#[test]
fn build_servers_read_junit() {
    // The report's own number is another in each run.
    let junit = card().junit();
    insta::assert_snapshot!(junit);
}

#[test]
fn what_the_fixtures_became_stands_before_the_streams_and_counts() {
    let mut card = card();
    let failed = CheckVerdict::Failed { seen: "record 1 (`a`) differs".into(), change: "mend the mapping".into() };
    card.fixtures = vec![CheckOutcome { id: FIXTURES[0].id, proves: FIXTURES[0].proves, verdict: failed }];
    card.lines = vec!["employees: `/nmae` of mapping.toml met nothing in 2 records".into()];
    assert_eq!(card.score(), (1, 2, 1));
    let text = card.text();
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(at("FAIL  fixtures.records") < at("`/nmae`") && at("`/nmae`") < at("stream employees"), "{text}");
    assert!(card.junit().contains("<testsuite name=\"fixtures\""), "{}", card.junit());
}

#[test]
fn a_card_passes_when_something_held_and_nothing_failed() {
    let mut card = card();
    assert_eq!((card.score(), card.passed(), card.failures("employees")), ((1, 1, 1), false, vec![CATALOGUE[1].id]));
    card.streams[0].checks.remove(1);
    assert!(card.passed());
    card.streams[0].checks.remove(0);
    assert!(!card.passed(), "what was only skipped proved nothing");
}

#[test]
fn each_check_has_an_id_of_its_own_and_comes_after_what_it_needs() {
    for (at, facts) in CATALOGUE.iter().enumerate() {
        assert!(CATALOGUE[..at].iter().all(|before| before.id != facts.id), "{} stands twice", facts.id);
        assert!(facts.proves.ends_with('.'), "{} proves no sentence", facts.id);
        for need in facts.needs {
            let place = CATALOGUE.iter().position(|other| other.id == *need);
            assert!(
                place.is_some_and(|place| place < at),
                "{} needs `{need}`, which comes later or not at all",
                facts.id
            );
        }
    }
}

#[test]
fn the_reference_lists_every_check_with_its_sentence() {
    let reference = include_str!("../../../../../docs/conformance.md");
    for facts in CATALOGUE.iter().chain(FIXTURES) {
        let line = format!("| `{}` | {} |", facts.id, facts.proves);
        assert!(reference.contains(&line), "docs/conformance.md lacks this line:\n{line}");
    }
}
