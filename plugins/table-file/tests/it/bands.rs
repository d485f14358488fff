//! Pay bands from a workbook: merged headers and cells, ranges with their units.

use rust_xlsxwriter::Format;
use serde_json::json;

use crate::world::{Drop, ids, payload, xlsx};

fn bands() -> Vec<u8> {
    xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.set_name("带宽").unwrap();
        let plain = Format::new();
        sheet.merge_range(0, 0, 0, 4, "薪酬带宽表（内部）", &plain).unwrap();
        sheet.merge_range(1, 0, 2, 0, "职位族", &plain).unwrap();
        sheet.merge_range(1, 1, 2, 1, "职级", &plain).unwrap();
        sheet.merge_range(1, 2, 1, 3, "月薪", &plain).unwrap();
        sheet.write(2, 2, "范围").unwrap();
        sheet.write(2, 3, "生效日").unwrap();
        sheet.merge_range(3, 0, 4, 0, "研发", &plain).unwrap();
        for (row, level, range, from) in [
            (3, "P5", "8-10K", 45_658),
            (4, "P6", "１０k～1.3万", 45_658),
            (5, "P7", "15-18", 45_658),
            (6, "P8", "20K以上", 45_658),
        ] {
            sheet.write(row, 1, level).unwrap();
            sheet.write(row, 2, range).unwrap();
            sheet.write(row, 3, from).unwrap();
        }
        sheet.write(5, 0, "销售").unwrap();
        sheet.write(6, 0, "销售").unwrap();
        sheet.write(8, 0, "合计").unwrap();
        sheet.write(8, 1, 4).unwrap();
    })
}

fn config(unit: Option<&str>) -> serde_json::Value {
    let mut range = json!({"as": "range", "currency": "CNY", "per": "MONTH"});
    if let Some(unit) = unit {
        range["unit"] = json!(unit);
    }
    json!({"streams": {"pay_bands": {
        "files": "bands*.xlsx", "sheet": "带宽", "skip_rows": 1, "header_rows": 2, "key": ["职位族", "职级"],
        "total_rows": ["合计"], "snapshot": true,
        "set": {"/status": "ACTIVE", "/visibility": "VENDOR_MATCH_ONLY"},
        "columns": [
            {"column": "职位族", "to": "/key/job_family"},
            {"column": "职级", "to": "/key/level"},
            {"column": "月薪/范围", "to": "/range", "parse": range},
            {"column": "生效日", "to": "/validity/valid_from", "parse": {"as": "date", "serials": true}},
        ],
    }}})
}

#[test]
fn bands_are_read_through_merged_headers_with_their_written_units_r04() {
    let drop = Drop::default().with("bands-2025.xlsx", bands());
    let run = drop.run(&config(None), "pay_bands", None).unwrap();
    assert_eq!(ids(&run), ["研发|P5", "研发|P6", "销售|P8"]);
    assert_eq!(payload(&run, 0)["range"], json!({"min": "8000", "max": "10000", "currency": "CNY", "per": "MONTH"}));
    assert_eq!(payload(&run, 1)["range"]["max"], "13000");
    assert_eq!(payload(&run, 1)["key"]["job_family"], "研发", "a merged cell counts for every row that it covers");
    assert_eq!(payload(&run, 2)["range"].get("max"), None);
    assert_eq!(payload(&run, 0)["validity"]["valid_from"], "2025-01-01");
    assert_eq!(run.records[0].pointer, "带宽!4");
}

#[test]
fn a_range_with_no_unit_is_rejected_by_its_cell_and_taken_once_the_unit_is_declared_r04() {
    let drop = Drop::default().with("bands-2025.xlsx", bands());
    let run = drop.run(&config(None), "pay_bands", None).unwrap();
    let reject = &run.rejects[0];
    assert_eq!((reject.pointer.as_str(), reject.external_id.as_deref()), ("带宽!C6", Some("销售|P7")));
    assert!(reject.reason.contains("unit") && !reject.reason.contains("15"), "{}", reject.reason);
    let run = drop.run(&config(Some("K")), "pay_bands", None).unwrap();
    assert!(run.rejects.is_empty());
    assert_eq!(payload(&run, 2)["range"]["min"], "15000");
}

#[test]
fn a_snapshot_covers_everything_and_a_plain_file_only_changes() {
    let drop = Drop::default().with("bands-2025.xlsx", bands());
    let whole = drop.run(&config(None), "pay_bands", None).unwrap();
    assert_eq!(whole.coverage, renmen_plugin::Coverage::Everything);
    let mut config = config(None);
    config["streams"]["pay_bands"]["snapshot"] = json!(false);
    assert_eq!(drop.run(&config, "pay_bands", None).unwrap().coverage, renmen_plugin::Coverage::Changes);
}

#[test]
fn a_range_without_currency_or_time_is_rejected() {
    for missing in ["currency", "per"] {
        let mut config = config(Some("K"));
        config["streams"]["pay_bands"]["columns"][2]["parse"].as_object_mut().unwrap().remove(missing);
        let run = Drop::default().with("bands.xlsx", bands()).run(&config, "pay_bands", None).unwrap();
        assert_eq!((run.records.len(), run.rejects.len()), (0, 4));
        assert!(run.rejects[0].reason.contains(missing), "{}", run.rejects[0].reason);
    }
}
