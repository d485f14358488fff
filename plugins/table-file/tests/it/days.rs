//! Days and months: by the cell's format or a text, never by a bare number.

use serde_json::{Value, json};

use crate::world::{Drop, book_of, ids, number, payload, rejects, text};

fn months(parse: &Value, cells: &[String]) -> (Vec<String>, Vec<String>) {
    let config = json!({"streams": {"payroll_runs": {
        "files": "*", "key": ["期间"], "set": {"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}},
        "columns": [{"column": "期间", "to": "/period", "parse": parse}],
    }}});
    let rows: Vec<&str> = cells.iter().map(String::as_str).collect();
    let formats = [
        "id 2",
        "id 57",
        "id 31",
        "yyyy\"年\"m\"月\"",
        "id 14",
        "[h]:mm",
        "h:mm",
        "#,##0",
        "[DBNum1][$-804]yyyy\"年\"m\"月\"",
    ];
    let run = Drop::default().with("f", book_of("", &formats, &rows, "")).run(&config, "payroll_runs", None).unwrap();
    let ids = ids(&run).into_iter().map(str::to_owned).collect();
    (ids, run.rejects.into_iter().map(|reject| reject.reason).collect())
}

#[test]
fn a_month_typed_as_a_number_is_refused_and_told_how_to_write_it() {
    let cells = ["2025.1", "2025.01", "2025.11", "2025.3", "2025"].map(|value| number(value, 1));
    let (ids, reasons) = months(&json!({"as": "month", "serials": true}), &cells);
    assert_eq!((ids.len(), reasons.len()), (0, 5));
    assert!(reasons.iter().all(|reason| reason.contains("write 2025-10")), "{reasons:?}");
    let (ids, reasons) =
        months(&json!({"as": "month"}), &[text("2025.10"), text("2025.3"), text("2025.1"), number("202511", 0)]);
    assert_eq!(ids, ["2025-10", "2025-03", "2025-11"]);
    assert!(reasons[0].contains("January or October"), "{reasons:?}");
}

#[test]
fn the_built_in_formats_of_a_chinese_spreadsheet_are_dates() {
    for style in [2, 3, 4, 5, 9] {
        let (ids, reasons) = months(&json!({"as": "month"}), &[number("45717", style)]);
        assert_eq!((ids, reasons), (vec!["2025-03".to_owned()], vec![]), "style {style}");
    }
}

#[test]
fn a_bare_number_is_a_day_only_where_that_is_declared() {
    let cells = [number("45717", 0)];
    assert!(months(&json!({"as": "month"}), &cells).1[0].contains("serials = true"));
    assert_eq!(months(&json!({"as": "month", "serials": true}), &cells).0, ["2025-03"]);
}

#[test]
fn times_durations_and_date_cells_without_a_day_are_refused() {
    let cells =
        [number("1.5", 6), number("0.5", 7), number("0", 5), number("60", 5), number("-1", 5), number("20250301", 5)];
    let (ids, reasons) = months(&json!({"as": "month"}), &cells);
    assert_eq!((ids.len(), reasons.len()), (0, 6), "{reasons:?}");
    assert!(reasons[0].contains("duration") && reasons[2].contains("not a day"), "{reasons:?}");
}

#[test]
fn cells_of_iso_dates_are_days_and_those_that_do_not_exist_are_refused() {
    let iso = |value: &str| format!(r#"<c t="d"><v>{value}</v></c>"#);
    let (ids, reasons) = months(&json!({"as": "month"}), &[iso("2025-03-31T00:00:00"), iso("2025-02-30")]);
    assert_eq!((ids, reasons.len()), (vec!["2025-03".to_owned()], 1));
}

#[test]
fn a_month_in_three_notations_is_one_key_and_the_reference_to_it_agrees() {
    let run = |stream: &str, parse: Value, to: &str| {
        let config = json!({"streams": {stream: {
            "files": "*", "key": ["期间"], "set": if stream == "payroll_runs" {
                json!({"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}})
            } else { json!({"/employee": {"external": {"value": "E1"}}, "/gross": {"amount": "1", "currency": "CNY"},
                    "/net": {"amount": "1", "currency": "CNY"}}) },
            "columns": [{"column": "期间", "to": to, "parse": parse}],
        }}});
        let files = ["2025-03", "202503", "2025年3月", "2025/3/15"];
        let mut drop = Drop::default();
        for (index, month) in files.iter().enumerate() {
            drop = drop.with(&format!("f{index}"), format!("期间\n{month}\n"));
        }
        drop.run(&config, stream, None).unwrap()
    };
    let runs = run("payroll_runs", json!({"as": "month"}), "/period");
    assert_eq!(ids(&runs), ["2025-03"; 4]);
    let slips = run("payroll_records", json!({"as": "ref", "of": "month"}), "/run");
    for index in 0..4 {
        assert_eq!(payload(&slips, index)["run"]["external"]["value"], "2025-03");
    }
    let plain = run("payroll_records", json!({"as": "ref"}), "/run");
    assert_eq!(payload(&plain, 1)["run"]["external"]["value"], "202503", "what is not declared a month stays a text");
}

#[test]
fn days_outside_the_declared_years_are_refused() {
    let run = |years: Value, day: &str| {
        let mut config = json!({"streams": {"payroll_runs": {
            "files": "*", "key": ["期间"], "set": {"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}},
            "columns": [{"column": "期间", "to": "/period", "parse": {"as": "month"}}],
        }}});
        if !years.is_null() {
            config["years"] = years;
        }
        let run = Drop::default().with("f", format!("期间\n{day}\n")).run(&config, "payroll_runs", None).unwrap();
        rejects(&run).first().map(|reject| reject.1.to_owned())
    };
    for day in ["1950-01-01", "2100-12-31", "195001", "2100年12月"] {
        assert_eq!(run(Value::Null, day), None, "{day}");
    }
    for day in ["1949-12-31", "2101-01-01", "194912", "2101年1月"] {
        assert!(run(Value::Null, day).unwrap().contains("1950 to 2100"), "{day}");
    }
    assert_eq!(run(json!({"first": 1900}), "1949-12-31"), None);
    assert!(run(json!({"last": 2024}), "2025-03").unwrap().contains("1950 to 2024"));
}

#[test]
fn a_day_with_anything_but_a_time_behind_it_is_refused() {
    let config = json!({"streams": {"payroll_runs": {
        "files": "*", "key": ["期间"], "set": {"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}},
        "columns": [{"column": "期间", "to": "/period", "parse": {"as": "month"}}],
    }}});
    let csv = "期间\n2025-03-01 08:00:00\n2025-04-01T08:00:00.000+08:00\n2025-05-01 - 2025-06-30\n2025-06-01 起\n";
    let run = Drop::default().with("f", csv).run(&config, "payroll_runs", None).unwrap();
    assert_eq!((ids(&run), run.rejects.len()), (vec!["2025-03", "2025-04"], 2));
}
