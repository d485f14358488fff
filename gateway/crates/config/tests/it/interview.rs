//! `[interview]` and its rules.

use std::time::Duration;

use renmen_config::Interview;

use crate::{read_dev, refused};

#[test]
fn what_is_not_said_keeps_its_default() {
    assert_eq!(read_dev("").interview, Interview::default());
    let said = read_dev("[interview]\nremind_before = \"30m\"\nmatch_digits = 2\n").interview;
    assert_eq!((said.remind_before, said.match_digits), (Duration::from_secs(1_800), 2));
    assert_eq!(said.no_show_after, Duration::from_secs(600));
}

#[test]
fn a_rule_has_a_pass_line_and_may_have_a_border() {
    let text = "[interview.rules.default]\npass = 80\nborder = [75, 80]\n\n\
                [interview.rules.backend]\nposition = \"pos-0\"\nprofile_version = 3\npass = 82.5\n";
    let rules = read_dev(text).interview.rules;
    assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["backend", "default"]);
    assert_eq!((rules[0].pass.to_string().as_str(), rules[0].profile_version), ("82.5", Some(3)));
    assert_eq!(
        rules[1].border.map(|(from, below)| (from.to_string(), below.to_string())),
        Some(("75".into(), "80".into()))
    );
}

#[test]
fn vendors_are_names_of_connections() {
    let vendors = read_dev("[interview]\nvendors = [\"interview\", \"vcv\"]\n").interview.vendors;
    assert_eq!(vendors.iter().map(ToString::to_string).collect::<Vec<_>>(), ["interview", "vcv"]);
    assert!(refused("[interview]\nvendors = [\"In View\"]\n").contains("is not a valid name"));
}

#[test]
fn both_ends_of_every_number_are_kept() {
    for good in ["remind_before = \"1s\"", "remind_before = \"24h\"", "catch_up = \"31d\"", "match_digits = 15"] {
        read_dev(&format!("[interview]\n{good}\n"));
    }
    for bad in ["remind_before = \"0s\"", "remind_before = \"25h\"", "catch_up = \"32d\"", "match_digits = 0"] {
        assert!(refused(&format!("[interview]\n{bad}\n")).contains("out of range"), "{bad}");
    }
}

#[test]
fn adjust_instructions_wait_for_a_time_and_are_approved_by_another_person_unless_it_is_said() {
    for (value, good) in [("0s", false), ("1s", true), ("31d", true), ("32d", false)] {
        let text = format!("[interview]\nadjust_wait = \"{value}\"\n");
        assert_eq!(crate::read(&text, false).is_ok(), good, "{text}");
    }
    assert!(!read_dev("").interview.adjust_self_approval);
    assert!(read_dev("[interview]\nadjust_self_approval = true\n").interview.adjust_self_approval);
    assert!(crate::read("[interview]\nadjust_self_approval = \"yes\"\n", false).is_err());
}

#[test]
fn another_gateway_goes_on_after_seconds_or_minutes() {
    for (value, good) in [("3s", false), ("4s", true), ("10m", true), ("11m", false)] {
        let text = format!("[interview]\ntakeover_after = \"{value}\"\n");
        assert_eq!(crate::read(&text, false).is_ok(), good, "{text}");
    }
    assert_eq!(read_dev("").interview.takeover_after.as_secs(), 15);
}

#[test]
fn both_ends_of_every_limit_of_the_band_match_are_kept() {
    for (key, least, most) in [
        ("match_asks_per_minute", 1, 1_000_000),
        ("match_amounts_per_interview", 1, 100),
        ("match_asks_per_candidate", 1, 1_000),
        ("match_asks_per_band", 1, 1_000_000),
        ("match_digits", 1, 15),
    ] {
        for (value, good) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let text = format!("[interview]\n{key} = {value}\n");
            assert_eq!(crate::read(&text, false).is_ok(), good, "{text}");
        }
    }
    for (value, good) in [("0s", false), ("1s", true), ("366d", true), ("367d", false)] {
        let text = format!("[interview]\nmatch_window = \"{value}\"\n");
        assert_eq!(crate::read(&text, false).is_ok(), good, "{text}");
    }
    let said = read_dev("[interview]\nmatch_asks_per_candidate = 9\nmatch_asks_per_band = 50\nmatch_window = \"7d\"\n");
    let said = said.interview;
    assert_eq!((said.match_asks_per_candidate, said.match_asks_per_band), (9, 50));
    assert_eq!(said.match_window, Duration::from_secs(7 * 86_400));
}

#[test]
fn a_rule_that_cannot_decide_is_refused_with_its_line() {
    for (rule, says) in [
        ("border = [75, 80]", "`pass` is missing"),
        ("pass = 101", "not a percentage"),
        ("pass = 80\nborder = [80, 75]", "band is empty"),
        ("pass = 80\nborder = [80]", "two ends"),
        ("pass = 80\nposition = \"\"", "empty"),
        ("pass = 80\nline = 3", "unknown key `line`"),
    ] {
        let error = refused(&format!("[interview.rules.x]\n{rule}\n"));
        assert!(error.contains(says) && error.contains("connectors.toml:"), "{rule}: {error}");
    }
}

#[test]
fn the_gateways_own_connection_cannot_be_taken() {
    for section in [
        "[connections.renmen]\nplugin = \"p.wasm\"\n",
        "[channels.renmen]\nkind = \"mail\"\nhost = \"h\"\nfrom = \"a@b.c\"\n",
        "[endpoints.renmen]\nurl = \"https://h.example/\"\nentities = [\"employee\"]\nslots.secret = { env = \"X\" }\n",
    ] {
        let error = refused(section);
        assert!(error.contains("`renmen` is the gateway itself"), "{error}");
    }
}

#[test]
fn whose_records_count_beside_a_connections_own_is_said_by_name() {
    let text =
        "[interview]\npay_bands = [\"payroll\"]\nchildren_max = 500\nsources = { interview = [\"proctoring\"] }\n";
    let said = read_dev(text).interview;
    let (of, beside) = said.sources.first_key_value().unwrap();
    assert_eq!((of.as_str(), beside[0].as_str()), ("interview", "proctoring"));
    assert_eq!((said.pay_bands[0].as_str(), said.children_max), ("payroll", 500));
    for bad in
        ["sources = { \"In View\" = [] }", "sources = { a = [\"In View\"] }", "sources = [\"a\"]", "pay_bands = [1]"]
    {
        refused(&format!("[interview]\n{bad}\n"));
    }
    for (value, good) in [(99, false), (100, true), (1_000_000, true), (1_000_001, false)] {
        assert_eq!(crate::read(&format!("[interview]\nchildren_max = {value}\n"), false).is_ok(), good, "{value}");
    }
}

#[test]
fn links_to_decisions_have_a_life_and_one_place_for_their_key() {
    let said = read_dev("").interview;
    assert_eq!((said.decision_link_life, said.decision_link_key), (Duration::from_secs(72 * 3_600), None));
    for good in ["decision_link_life = \"5m\"", "decision_link_life = \"31d\"", "decision_link_key_env = \"KEY\""] {
        read_dev(&format!("[interview]\n{good}\n"));
    }
    for bad in ["decision_link_life = \"4m\"", "decision_link_life = \"32d\""] {
        assert!(refused(&format!("[interview]\n{bad}\n")).contains("out of range"), "{bad}");
    }
    let both = refused("[interview]\ndecision_link_key_env = \"KEY\"\ndecision_link_key_file = \"k\"\n");
    assert!(both.contains("exclude each other"), "{both}");
}
