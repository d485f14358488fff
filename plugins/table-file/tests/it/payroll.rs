//! A payroll export in GB18030: runs and payslips from the same file.

use encoding_rs::GB18030;
use serde_json::{Value, json};

use crate::world::{Drop, ids, payload, run_slips, slips};

const CSV: &str = "期间,工号,姓名,应发/基本工资,应发/绩效,养老（个人）,个税,应发合计,实发,备注\r\n\
2025-03,E001,甲,\"12,000.00\",３０００,960.00,156.35,\"15,000.00\",\"13,883.65\",\"第一行\n第二行\"\r\n\
2025-03,E002 ,乙,8000,-,640,0,8000,7360,\r\n\
2025-03,,丙,1,,,,1,1,\r\n\
2025-03,E004,丁,abc,,,,1,1,\r\n\
,,,,,,,,,\r\n\
合计,,,20000,3000,1600,156.35,23000,21243.65,\r\n";

fn gb18030(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

fn config() -> Value {
    let cny = json!({"as": "money", "currency": "CNY"});
    let line = |column: &str, kind: &str, code: &str| json!({"column": column, "to": "/lines/-", "parse": cny, "blank": ["-"], "line": {"kind": kind, "code": code}});
    json!({"streams": {
        "payroll_runs": {
            "files": "payroll*.csv", "key": ["期间"], "distinct": true, "total_rows": ["合计"],
            "set": {"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}},
            "columns": [{"column": "期间", "to": "/period", "parse": {"as": "month"}}],
        },
        "payroll_records": {
            "files": "payroll*.csv", "key": ["期间", "工号"], "total_rows": ["合计"],
            "columns": [
                {"column": "期间", "to": "/run", "parse": {"as": "ref"}},
                {"column": "工号", "to": "/employee", "parse": {"as": "ref"}},
                {"column": "应发合计", "to": "/gross", "parse": cny},
                {"column": "实发", "to": "/net", "parse": cny},
                line("应发/基本工资", "EARNING", "BASE"),
                line("应发/绩效", "EARNING", "PERFORMANCE_PAY"),
                line("养老（个人）", "DEDUCTION", "PENSION"),
                line("个税", "TAX", "INDIVIDUAL_INCOME_TAX"),
                {"column": "备注", "to": "/note"},
            ],
        },
    }})
}

fn drop() -> Drop {
    Drop::default().with("payroll-202503.csv", gb18030(CSV))
}

#[test]
fn payslips_come_with_their_lines_out_of_gb18030_separators_and_full_width_digits() {
    let run = drop().run(&config(), "payroll_records", None).unwrap();
    assert_eq!(ids(&run), ["2025-03|E001", "2025-03|E002"]);
    let slip = payload(&run, 0);
    assert_eq!(slip["gross"], json!({"amount": "15000", "currency": "CNY"}));
    assert_eq!(slip["employee"]["external"]["value"], "E001");
    let lines: Vec<_> = slip["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["code"]["code"].clone(), l["amount"]["amount"].clone()))
        .collect();
    assert_eq!(
        lines,
        [("BASE", "12000"), ("PERFORMANCE_PAY", "3000"), ("PENSION", "960"), ("INDIVIDUAL_INCOME_TAX", "156.35")]
            .map(|(code, amount)| (json!(code), json!(amount)))
    );
    assert_eq!(slip["note"], "第一行\n第二行");
    assert_eq!(payload(&run, 1)["lines"].as_array().unwrap().len(), 3, "a dash was declared blank");
}

#[test]
fn a_payslip_adds_up_after_the_mapping() {
    let run = drop().run(&config(), "payroll_records", None).unwrap();
    let slip: renmen_schema::entity::PayrollRecord = serde_json::from_slice(&run.records[0].payload).unwrap();
    assert_eq!(slip.difference(), Some(renmen_schema::types::Decimal::ZERO));
}

#[test]
fn bad_rows_are_named_by_their_cell_and_totals_and_blank_rows_are_no_rows() {
    let run = drop().run(&config(), "payroll_records", None).unwrap();
    let rejects: Vec<_> = run.rejects.iter().map(|r| (r.pointer.as_str(), r.external_id.as_deref())).collect();
    assert_eq!(rejects, [("csv!B4", None), ("csv!D5", Some("2025-03|E004"))]);
    assert!(!run.rejects[1].reason.contains("abc"), "{}", run.rejects[1].reason);
    assert!(String::from_utf8_lossy(&run.rejects[1].raw).contains("abc"), "the original is kept with the reason");
}

#[test]
fn a_run_comes_once_however_many_payslips_name_it_and_across_pages() {
    let run = drop().run(&config(), "payroll_runs", None).unwrap();
    assert_eq!(ids(&run), ["2025-03"]);
    assert_eq!(payload(&run, 0)["period"], json!({"start": "2025-03-01", "end": "2025-03-31"}));
    let (mut cursor, mut records) = (None, 0);
    for _ in 0..20 {
        let page = drop().page(&config(), "payroll_runs", cursor, 1).unwrap();
        records += page.records.len();
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(records, 1);
}

#[test]
fn a_file_is_read_once_and_again_only_when_its_bytes_change() {
    let first = drop().run(&config(), "payroll_records", None).unwrap();
    let again = drop().run(&config(), "payroll_records", first.next.clone()).unwrap();
    assert_eq!((again.records.len(), again.next.clone()), (0, first.next.clone()));
    let more = drop().with("payroll-202504.csv", gb18030(&CSV.replace("2025-03", "2025-04")));
    let next = more.run(&config(), "payroll_records", first.next).unwrap();
    assert_eq!(ids(&next), ["2025-04|E001", "2025-04|E002"]);
    let corrected = Drop::default().with("payroll-202503.csv", gb18030(&CSV.replace("7360", "7361")));
    let corrected = corrected.run(&config(), "payroll_records", next.next).unwrap();
    assert_eq!(corrected.records.len(), 2);
}

#[test]
fn small_pages_bring_the_same_records_as_one_large_page() {
    let whole = drop().run(&config(), "payroll_records", None).unwrap();
    let (mut cursor, mut records, mut rejects) = (None, Vec::new(), 0);
    for _ in 0..20 {
        let page = drop().page(&config(), "payroll_records", cursor, 1).unwrap();
        records.extend(page.records);
        rejects += page.rejects.len();
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(records, whole.records);
    assert_eq!(rejects, whole.rejects.len());
    assert_eq!(cursor, whole.next);
}

#[test]
fn a_file_that_changes_between_two_pages_begins_anew() {
    let page = drop().page(&config(), "payroll_records", None, 1).unwrap();
    let changed = Drop::default().with("payroll-202503.csv", gb18030(&CSV.replace("7360", "7361")));
    let next = changed.page(&config(), "payroll_records", page.next, 1).unwrap();
    assert_eq!(next.records[0].external_id, "2025-03|E001");
}

#[test]
fn utf8_utf16_and_byte_order_marks_give_the_same_records() {
    let expected = drop().run(&config(), "payroll_records", None).unwrap().records;
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(CSV.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [CSV.as_bytes().to_vec(), format!("\u{feff}{CSV}").into_bytes(), utf16] {
        let run = Drop::default().with("payroll.csv", bytes).run(&config(), "payroll_records", None).unwrap();
        assert_eq!(run.records, expected);
    }
}

#[test]
fn the_table_among_the_fixtures_comes_in_to_the_cent() {
    let run = run_slips(&slips(), include_bytes!("../../fixtures/payslips.csv").to_vec());
    assert_eq!((run.rejects.len(), run.findings.len()), (0, 0), "{:?} {:?}", run.rejects, run.findings);
    let gross: Vec<Value> = (0..2).map(|at| payload(&run, at)["gross"]["amount"].clone()).collect();
    assert_eq!(gross, ["12345.6", "8000"]);
}
