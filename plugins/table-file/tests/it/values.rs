//! What a declared column takes, and what it refuses.

use rust_xlsxwriter::{ExcelDateTime, Format};
use serde_json::{Value, json};

use crate::world::{Drop, payload, xlsx};

/// Reads one cell's text through a column with this parse and gives what it became at `/value`, or the reject's reason.
fn through(parse: &Value, to: &str, cell: &str) -> Result<Value, String> {
    let csv = format!("工号,值\nE1,\"{cell}\"\n");
    let mut set = json!({
        "/metric/code": "m", "/metric/name": {"en": "M"}, "/metric/objective": true,
        "/period": {"start": "2025-01-01", "end": "2025-03-31"},
    });
    if to != "/value" {
        set["/value"] = json!("1");
    }
    let config = json!({"streams": {"performance_metrics": {
        "files": "*", "key": ["工号"], "set": set,
        "columns": [{"column": "工号", "to": "/employee", "parse": {"as": "ref"}}, {"column": "值", "to": to, "parse": parse}],
    }}});
    let run = Drop::default().with("m.csv", csv).run(&config, "performance_metrics", None).unwrap();
    match run.rejects.first() {
        Some(reject) => Err(reject.reason.clone()),
        None => Ok(payload(&run, 0).pointer(to).cloned().unwrap_or_default()),
    }
}

#[test]
fn numbers_are_taken_as_people_write_them() {
    let parse = json!({"as": "decimal"});
    for (cell, value) in [
        ("12,345.60", "12345.6"),
        ("１，２３４．５", "1234.5"),
        ("(500)", "-500"),
        (" 7 ", "7"),
        ("1.2万", "12000"),
        ("-0.5", "-0.5"),
        ("8k", "8000"),
    ] {
        assert_eq!(through(&parse, "/value", cell), Ok(json!(value)), "{cell}");
    }
    for cell in ["1.2.3", "1e5", "abc", "5%", "--5", "1-2", "."] {
        let reason = through(&parse, "/value", cell).unwrap_err();
        assert!(reason.contains("a text that is not a number"), "{cell}: {reason}");
    }
    let reason = through(&parse, "/value", "7654321x").unwrap_err();
    assert!(!reason.contains("7654321"), "a value is never quoted: {reason}");
}

#[test]
fn a_number_that_the_schema_cannot_hold_is_rejected_and_not_rounded() {
    assert!(through(&json!({"as": "decimal"}), "/value", "0.1234567").is_err());
    assert!(through(&json!({"as": "decimal"}), "/value", "1234567890123456").is_err());
}

#[test]
fn percentages_say_whether_they_are_parts_of_one() {
    assert_eq!(through(&json!({"as": "percent"}), "/value", "85%"), Ok(json!("85")));
    assert_eq!(through(&json!({"as": "percent"}), "/value", "85"), Ok(json!("85")));
    assert_eq!(through(&json!({"as": "percent", "of_one": true}), "/value", "0.85"), Ok(json!("85")));
    assert_eq!(through(&json!({"as": "percent", "of_one": true}), "/value", "85%"), Ok(json!("85")));
    assert!(through(&json!({"as": "percent"}), "/value", "8K").is_err());
}

#[test]
fn months_become_the_span_of_their_days() {
    let config = json!({"streams": {"payroll_runs": {
        "files": "*", "key": ["期间"], "set": {"/kind": {"code": "REGULAR"}, "/state": {"code": "PAID"}},
        "columns": [{"column": "期间", "to": "/period", "parse": {"as": "month"}}],
    }}});
    let csv = "期间\n2024-02\n202403\n2024年4月\n2024/5/17\n2024-13\n";
    let run = Drop::default().with("m.csv", csv).run(&config, "payroll_runs", None).unwrap();
    let ends: Vec<Value> = (0..run.records.len()).map(|index| payload(&run, index)["period"]["end"].clone()).collect();
    assert_eq!(ends, ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]);
    assert_eq!(run.rejects[0].pointer, "csv!A6");
}

fn dates(parse: &Value, file: Vec<u8>) -> (Vec<Value>, usize) {
    let config = json!({"streams": {"compensation": {
        "files": "*", "key": ["工号"], "set": {"/component": {"code": "BASE"}},
        "columns": [
            {"column": "工号", "to": "/employee", "parse": {"as": "ref"}},
            {"column": "日期", "to": "/validity/valid_from", "parse": parse},
            {"column": "月薪", "to": "/rate", "parse": {"as": "rate", "currency": "CNY", "per": "MONTH"}},
        ],
    }}});
    let run = Drop::default().with("c", file).run(&config, "compensation", None).unwrap();
    let all = (0..run.records.len()).map(|index| payload(&run, index)["validity"]["valid_from"].clone()).collect();
    (all, run.rejects.len())
}

#[test]
fn dates_are_taken_from_date_cells_declared_serials_and_texts() {
    let file = xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.write_row(0, 0, ["工号", "日期", "月薪"]).unwrap();
        let format = Format::new().set_num_format("yyyy/m/d");
        sheet.write_with_format(1, 1, ExcelDateTime::from_ymd(2024, 2, 29).unwrap(), &format).unwrap();
        sheet.write(2, 1, 45_351).unwrap();
        sheet.write(3, 1, 20_240_229).unwrap();
        for (row, text) in
            [(4, "2024-02-29"), (5, "2024/2/29"), (6, "2024.2.29"), (7, "2024年2月29日"), (8, "２０２４-２-２９ 08:00")]
        {
            sheet.write(row, 1, text).unwrap();
        }
        for (row, text) in [(9, "2023-02-29"), (10, "29/2/2024"), (11, "24-2-29"), (12, "明天")] {
            sheet.write(row, 1, text).unwrap();
        }
        sheet.write(13, 1, 60).unwrap();
        for row in 1..14 {
            sheet.write(row, 0, format!("E{row}")).unwrap();
            sheet.write(row, 2, 8000.1).unwrap();
        }
    });
    let without = dates(&json!({"as": "date"}), file.clone());
    assert_eq!(without, (vec![json!("2024-02-29"); 7], 6), "a bare number is not a day until that is declared");
    let (dates, rejects) = dates(&json!({"as": "date", "serials": true}), file);
    assert_eq!(dates, vec![json!("2024-02-29"); 8]);
    assert_eq!(rejects, 5, "the day that does not exist, unknown forms, and the spreadsheet's own 29 February 1900");
}

#[test]
fn a_declared_format_is_the_only_one() {
    let csv = "工号,日期,月薪\nE1,29/02/2024,8000\nE2,2024-02-29,8000\n";
    let (dates, rejects) = dates(&json!({"as": "date", "formats": ["%d/%m/%Y"]}), csv.into());
    assert_eq!((dates, rejects), (vec![json!("2024-02-29")], 1));
}

#[test]
fn a_spreadsheet_float_is_the_number_that_people_see() {
    let file = xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.write_row(0, 0, ["工号", "值"]).unwrap();
        for (row, number) in [(1, 0.1 + 0.2), (2, 8000.1), (3, 1e14)] {
            sheet.write(row, 0, f64::from(row)).unwrap();
            sheet.write(row, 1, number).unwrap();
        }
    });
    let config = json!({"streams": {"performance_metrics": {
        "files": "*", "key": ["工号"],
        "set": {"/metric/code": "m", "/metric/name": {"en": "M"}, "/metric/objective": true, "/period": {"start": "2025-01-01", "end": "2025-03-31"}},
        "columns": [{"column": "工号", "to": "/employee", "parse": {"as": "ref"}}, {"column": "值", "to": "/value", "parse": {"as": "decimal"}}],
    }}});
    let run = Drop::default().with("m.xlsx", file).run(&config, "performance_metrics", None).unwrap();
    let values: Vec<Value> = (0..3).map(|index| payload(&run, index)["value"].clone()).collect();
    assert_eq!(values, ["0.3", "8000.1", "100000000000000"]);
    assert_eq!(run.records[0].external_id, "1");
}

#[test]
fn reviews_take_levels_weights_and_codes_as_declared() {
    let config = json!({"streams": {"performance_reviews": {
        "files": "*", "key": ["周期", "工号"],
        "columns": [
            {"column": "周期", "to": "/cycle/name", "parse": {"as": "localized", "lang": "zh-CN"}},
            {"column": "类型", "to": "/cycle/kind", "parse": {"as": "code", "map": {"年度": "ANNUAL", "试用期": "PROBATION"}}},
            {"column": "工号", "to": "/reviewee", "parse": {"as": "ref"}},
            {"column": "等级", "to": "/rating", "parse": {"as": "score", "min": "1", "max": "5", "levels": {"优秀": "5", "合格": "3"}}},
            {"column": "指标", "to": "/items/0/metric", "parse": {"as": "localized", "lang": "zh-CN"}},
            {"column": "权重", "to": "/items/0/weight", "parse": {"as": "weight"}},
            {"column": "校准", "to": "/calibrated", "parse": {"as": "choice", "map": {"是": true, "否": false}}},
        ],
    }}});
    let csv = "周期,类型,工号,等级,指标,权重,校准\n2025,年度,E1,优秀,质量,30%,是\n2025,专项,E2,4.5,质量,12.5%,否\n2025,年度,E3,9,质量,30%,是\n\
               2025,年度,E4,3,质量,30.001%,是\n2025,年度,E5,3,质量,30%,也许\n";
    let run = Drop::default().with("r.csv", csv).run(&config, "performance_reviews", None).unwrap();
    let first = payload(&run, 0);
    assert_eq!(
        (&first["rating"]["value"], &first["items"][0]["weight"]["bp"], &first["calibrated"]),
        (&json!("5"), &json!(3000), &json!(true))
    );
    let second = payload(&run, 1);
    assert_eq!(second["cycle"]["kind"], json!({"code": "OTHER", "raw": "专项"}), "an unknown code keeps its text");
    assert_eq!(second["items"][0]["weight"]["bp"], 1250);
    let places: Vec<_> = run.rejects.iter().map(|reject| reject.pointer.as_str()).collect();
    assert_eq!(places, ["csv!4", "csv!F5", "csv!G6"], "off the scale, no whole basis points, an unknown word");
}
