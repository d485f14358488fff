//! Limits have two sides, and the table tells the truth about both.

use renmen_config::{LIMITS, Limits, limits_table};

use crate::read;

fn limit(name: &str, value: &str) -> Result<Limits, String> {
    read(&format!("[limits]\n{name} = {value}\n"), false).map(|config| config.limits).map_err(|error| error.to_string())
}

/// As it stands in a file: durations and sizes in quotes.
pub(crate) fn literal(unit: &str, shown: &str) -> String {
    match unit {
        "bytes" | "duration" => format!("\"{shown}\""),
        _ => shown.to_owned(),
    }
}

#[test]
fn every_limit_takes_its_default_its_least_and_its_most() {
    for spec in LIMITS.iter().filter(|spec| spec.name != "rate") {
        if spec.default != "the plugin's manifest" {
            let default = literal(spec.unit, &spec.default);
            assert_eq!(limit(spec.name, &default).as_ref(), Ok(&Limits::default()), "{} = {default}", spec.name);
        }
        for edge in [&spec.least, &spec.most] {
            let edge = literal(spec.unit, edge);
            // TOML itself ends at 63 bits; such a limit cannot be exceeded in a file.
            if edge != u64::MAX.to_string() {
                assert!(limit(spec.name, &edge).is_ok(), "{} = {edge}: {:?}", spec.name, limit(spec.name, &edge));
            }
        }
        assert!(spec.meaning.ends_with(['.', '?']), "{}", spec.name);
    }
}

#[test]
fn beyond_its_range_a_limit_is_refused_with_the_range() {
    for (name, value) in [
        ("memory_bytes_max", "\"512KiB\""),
        ("memory_bytes_max", "\"5GiB\""),
        ("wall_clock", "\"1ms\""),
        ("wall_clock", "\"2h\""),
        ("parallel_max", "0"),
        ("cpu_share", "0.001"),
        ("cpu_share", "1.5"),
        ("cpu_window", "\"500ms\""),
        ("calls_max", "5000"),
        ("runs_max", "2000"),
        ("webhooks_parallel_max", "0"),
        ("parallel_max", "257"),
        ("quarantine_ratio_max", "1.01"),
        ("retries_max", "4294967297"),
        ("month_calls_max", "1000000001"),
    ] {
        let error = limit(name, value).unwrap_err();
        assert!(error.contains("out of range") && error.contains("this limit goes from"), "{name} = {value}: {error}");
    }
    assert!(limit("quarantine_ratio_max", "nan").is_err());
    assert!(limit("retries_max", "-1").is_err());
}

#[test]
fn a_months_calls_are_the_manifests_until_a_number_is_written() {
    assert_eq!(Limits::default().month_calls_max, None);
    assert_eq!(limit("month_calls_max", "0").unwrap().month_calls_max, Some(0));
    assert_eq!(limit("month_calls_max", "500000").unwrap().month_calls_max, Some(500_000));
}

#[test]
fn a_rate_needs_both_of_its_numbers() {
    assert!(limit("rate", "{ requests = 20, per = \"1s\" }").unwrap().rate.is_some());
    assert!(limit("rate", "{ requests = 20 }").unwrap_err().contains("`per` is missing"));
    assert!(limit("rate", "{ requests = 0, per = \"1s\" }").unwrap_err().contains("out of range"));
    assert!(limit("rate", "{ requests = 1, per = \"1s\", brust = 2 }").unwrap_err().contains("did you mean `burst`?"));
}

#[test]
fn the_table_for_the_documentation_has_a_row_for_each_limit() {
    insta::assert_snapshot!(limits_table());
}

/// `docs/limits.md` holds the table. `RENMEN_UPDATE_DOCS=1` rewrites it.
#[test]
fn the_page_of_limits_shows_the_table_of_the_code() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("docs/limits.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (head, table) = page.split_once("| limit |").unwrap();
    let tail = table.split_once("|\n\n").map_or("", |(_, tail)| tail);
    let wanted = format!("{head}{}\n{tail}", limits_table());
    if std::env::var_os("RENMEN_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap();
    assert!(found == wanted, "docs/limits.md is out of date: run this test with RENMEN_UPDATE_DOCS=1");
}
