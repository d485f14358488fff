//! Files that are not what they should be: each with a clear message that says what to do, and none quoted.

use connector_table_file::TableFile;
use connector_table_file::files::fits;
use renmen_plugin::http::Response;
use renmen_plugin::testing::Host;
use renmen_plugin::{FailureKind, PageFinding};
use serde_json::{Value, json};

use crate::world::{Drop, ids, xlsx};

fn config() -> Value {
    json!({"streams": {"payroll_runs": {
        "files": "*", "key": ["期间"], "set": {"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}},
        "columns": [{"column": "期间", "to": "/period", "parse": {"as": "month"}}],
    }}})
}

fn with(pointer: &str, value: Value) -> Value {
    let mut config = config();
    match pointer.strip_prefix("/limits/") {
        Some(limit) => config["limits"][limit] = value,
        None => config["streams"]["payroll_runs"][pointer] = value,
    }
    config
}

fn failure(config: &Value, bytes: impl Into<Vec<u8>>) -> PageFinding {
    let run = Drop::default().with("f", bytes).run(config, "payroll_runs", None).unwrap();
    assert!(run.records.is_empty() && run.findings[0].missing);
    run.findings[0].clone()
}

#[test]
fn every_limit_refuses_what_is_over_it_and_takes_what_is_at_it() {
    let csv = "期间,备注\n2025-01,xxxxxxxx\n2025-02,x\n";
    for (limit, at, over) in [("rows_max", 3, 2), ("columns_max", 2, 1), ("cell_bytes_max", 8, 7)] {
        let run =
            Drop::default().with("f", csv).run(&with(&format!("/limits/{limit}"), json!(at)), "payroll_runs", None);
        assert_eq!(run.unwrap().records.len(), 2, "{limit}");
        assert!(failure(&with(&format!("/limits/{limit}"), json!(over)), csv).message.contains(limit), "{limit}");
    }
}

fn workbook() -> Vec<u8> {
    xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.write_row(0, 0, ["期间", "备注"]).unwrap();
        sheet.write_row(1, 0, ["2025-01", "xxxxxxxx"]).unwrap();
        sheet.write_row(2, 0, ["2025-02", "x"]).unwrap();
    })
}

#[test]
fn every_limit_holds_for_a_workbook_too() {
    for (limit, at, over) in [("rows_max", 3, 2), ("columns_max", 2, 1), ("cell_bytes_max", 8, 7)] {
        let run = Drop::default().with("f", workbook()).run(
            &with(&format!("/limits/{limit}"), json!(at)),
            "payroll_runs",
            None,
        );
        assert_eq!(run.unwrap().records.len(), 2, "{limit}");
        assert!(
            failure(&with(&format!("/limits/{limit}"), json!(over)), workbook()).message.contains(limit),
            "{limit}"
        );
    }
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_refused_by_what_really_comes_out() {
    let bomb = xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "期间").unwrap();
        for row in 1..2_000 {
            sheet.write(row, 0, "0".repeat(2_000)).unwrap();
        }
    });
    assert!(bomb.len() < 100_000, "it is small outside: {}", bomb.len());
    let refused = failure(&with("/limits/unpacked_bytes_max", json!(40_000)), bomb.clone());
    assert!(refused.message.contains("unpacked_bytes_max"), "{refused:?}");
    let mut lying = bomb;
    // What the archive says of its parts' unpacked sizes is set to one byte.
    for at in 0..lying.len() - 4 {
        if lying[at..].starts_with(b"PK\x01\x02") {
            lying[at + 24..at + 28].copy_from_slice(&1_u32.to_le_bytes());
        }
    }
    failure(&with("/limits/unpacked_bytes_max", json!(40_000)), lying);
    assert_eq!(Drop::default().with("f", workbook()).run(&config(), "payroll_runs", None).unwrap().records.len(), 2);
}

#[test]
fn damaged_and_foreign_files_are_told_apart() {
    let mut cut = workbook();
    cut.truncate(cut.len() / 2);
    assert!(failure(&config(), cut).message.contains("damaged"));
    assert!(
        failure(&with("encoding", json!("utf-8")), b"\xc6\xda\xbc\xe4\n2025-01\n".as_slice())
            .message
            .contains("encoding")
    );
    assert!(failure(&with("sheet", json!("无")), workbook()).message.contains("no sheet"));
}

#[test]
fn a_column_that_is_missing_or_ambiguous_is_told_by_its_own_title_and_the_number_of_the_others() {
    let missing = failure(&config(), "期 间x,备注\n2025-01,\n").message;
    assert!(missing.starts_with("f: no column `期间` among the 2 of the header"), "{missing}");
    assert!(failure(&config(), "期间,期间\n2025-01,\n").message.contains("2 columns"));
    let spaced = Drop::default().with("f", "\"期\n间\" \n2025-01\n").run(&config(), "payroll_runs", None).unwrap();
    assert_eq!(ids(&spaced), ["2025-01"], "blanks and line breaks in a title do not count");
}

#[test]
fn the_delimiter_is_found_in_the_first_line_or_declared() {
    for csv in ["期间;备注\n2025-01;a,b,c\n", "期间\t备注\n2025-01\ta,b\n", "\"a,b,c\";期间\nx;2025-01\n"] {
        let run = Drop::default().with("f", csv).run(&config(), "payroll_runs", None).unwrap();
        assert_eq!(ids(&run), ["2025-01"], "{csv}");
    }
    let run =
        Drop::default().with("f", "期间|备注\n2025-01|,,,\n").run(&with("delimiter", json!("|")), "payroll_runs", None);
    assert_eq!(ids(&run.unwrap()), ["2025-01"]);
}

#[test]
fn an_unknown_stream_a_foreign_cursor_and_a_mistyped_key_are_told() {
    let drop = Drop::default().with("f", "期间\n2025-01\n");
    assert_eq!(drop.run(&config(), "pay_bands", None).unwrap_err().kind, FailureKind::BadConfig);
    let foreign = drop.run(&config(), "payroll_runs", Some(r#"{"offset":1}"#.into())).unwrap_err();
    assert_eq!(foreign.kind, FailureKind::InvalidInput);
    let mistyped = drop.run(&with("header_row", json!(2)), "payroll_runs", None).unwrap_err();
    assert!(mistyped.message.contains("/streams/payroll_runs/header_row"), "{mistyped}");
}

#[test]
fn a_file_replaced_between_listing_and_reading_is_tried_again() {
    let drop = Drop::default().with("f", "期间\n2025-01\n");
    let listing = drop.host().run(|| renmen_plugin::http::Request::get("drop:///").send()).unwrap();
    let host = Host::new().answer("GET", "drop:///", 200, listing.body().to_vec()).answer(
        "GET",
        "drop:///f",
        200,
        "期间\n2025-02\n",
    );
    let failure = host.pull_all::<TableFile>(&config(), "payroll_runs", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamUnavailable, "tried again soon");
}

#[test]
fn a_file_that_is_being_replaced_does_not_hold_up_a_good_one() {
    let drop = Drop::default().with("f", "期间\n2025-01\n").with("good", "期间\n2025-03\n");
    let listing = drop.host().run(|| renmen_plugin::http::Request::get("drop:///").send()).unwrap();
    let host = Host::new()
        .answer("GET", "drop:///", 200, listing.body().to_vec())
        .answer("GET", "drop:///f", 200, "期间\n2025-02\n")
        .answer("GET", "drop:///good", 200, "期间\n2025-03\n");
    let run = host.pull_all::<TableFile>(&config(), "payroll_runs", None).unwrap();
    assert_eq!((ids(&run), run.findings[0].part.as_str()), (vec!["2025-03"], "f"));
}

#[test]
fn what_a_single_address_gives_fails_the_run_where_it_is_not_a_table() {
    let mut config = config();
    config["url"] = json!("https://files.example/runs.csv");
    let host = Host::new().answer("GET", "https://files.example/runs.csv", 200, "nonsense\n");
    let failure = host.pull_all::<TableFile>(&config, "payroll_runs", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadConfig);
}

#[test]
fn a_file_can_come_from_a_url_and_is_read_again_only_when_it_changed() {
    let mut config = config();
    config["url"] = json!("https://files.example/export/runs.csv?v=1");
    let answer = |body: &str| {
        Host::new().answer_with(
            "GET",
            "https://files.example/export/runs.csv?v=1",
            Response::from_parts(200, Vec::new(), body.into()),
        )
    };
    let first = answer("期间\n2025-01\n").pull_all::<TableFile>(&config, "payroll_runs", None).unwrap();
    assert_eq!(ids(&first), ["2025-01"]);
    let again = answer("期间\n2025-01\n").pull_all::<TableFile>(&config, "payroll_runs", first.next.clone()).unwrap();
    assert!(again.records.is_empty());
    let changed =
        answer("期间\n2025-01\n2025-02\n").pull_all::<TableFile>(&config, "payroll_runs", first.next).unwrap();
    assert_eq!(changed.records.len(), 2);
}

#[test]
fn an_empty_directory_is_a_run_without_records_and_a_finding_of_the_probe() {
    let drop = Drop::default();
    assert!(drop.run(&config(), "payroll_runs", None).unwrap().records.is_empty());
    let findings = drop.host().probe::<TableFile>(&config()).unwrap();
    assert!(!findings[0].ok && findings[0].message.contains("no file fits"));
    let findings = Drop::default().with("f", "x").host().probe::<TableFile>(&config()).unwrap();
    assert!(findings[0].ok);
}

#[test]
fn of_several_snapshots_only_the_newest_counts() {
    let drop = Drop::default().with("old.csv", "期间\n2025-01\n2025-02\n").with("new.csv", "期间\n2025-02\n");
    let run = drop.run(&with("snapshot", json!(true)), "payroll_runs", None).unwrap();
    assert_eq!((ids(&run), run.coverage), (vec!["2025-02"], renmen_plugin::Coverage::Everything));
    let quiet = drop.run(&with("snapshot", json!(true)), "payroll_runs", run.next).unwrap();
    assert_eq!(
        (quiet.records.len(), quiet.coverage),
        (0, renmen_plugin::Coverage::Changes),
        "nothing read says nothing of what is gone"
    );
}

#[test]
fn file_names_are_matched_whole() {
    for (pattern, name, matches) in [
        ("pay*.csv", "payroll-202503.csv", true),
        ("pay*.csv", "payroll.csv.bak", false),
        ("*工资*", "三月工资表.xlsx", true),
        ("m?.csv", "m1.csv", true),
        ("m?.csv", "m.csv", false),
        ("**a*b", "xaybzb", true),
        ("", "", true),
        ("a", "", false),
    ] {
        assert_eq!(fits(pattern, name), matches, "{pattern} {name}");
    }
}
