//! What lies in a drop directory: exported tables.

use connector_table_file::config::{Limits, Mark, Stream, Years};
use connector_table_file::sheet;
use renmen_vocabulary::{cell, day, number};

use crate::target;

fn limits() -> Limits {
    Limits {
        rows_max: 1_000,
        columns_max: 100,
        cell_bytes_max: 4 << 10,
        unpacked_bytes_max: 1 << 20,
        files_max: 10,
        ..Limits::default()
    }
}

fn stream() -> Stream {
    serde_json::from_value(serde_json::json!({
        "files": "*", "sheet": null, "key": ["id"], "delimiter": null, "columns": [],
    }))
    .unwrap_or_else(|error| panic!("the stream of this target does not fit the connector any more: {error}"))
}

#[test]
fn table_as_text() {
    let (limits, stream) = (limits(), stream());
    target("csv", |bytes| {
        if let Ok(table) = sheet::open("staff.csv", bytes, &stream, &limits) {
            let _ = table.column("id");
        }
    });
}

#[test]
fn workbook() {
    let (limits, stream) = (limits(), stream());
    target("xlsx", |bytes| {
        if let Ok(table) = sheet::open("staff.xlsx", bytes, &stream, &limits) {
            let _ = table.column("id");
        }
    });
}

#[test]
fn amounts_ranges_and_days() {
    target("cells", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        for mark in [Mark::Point, Mark::Comma] {
            let _ = number::quantity(&text, mark);
            let _ = number::range(&text, None, mark);
        }
        let cell = cell::Cell::of_text(&text);
        let days = day::Days { serials: true, from_1904: true, years: Years::default() };
        let _ = day::day(&cell, &["%Y年%m月%d日".to_owned()], days);
        let _ = day::month(&cell, days);
        let _ = cell.id();
    });
}
