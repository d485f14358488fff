//! What a file takes while a page of it is read: the packed cells of its rows, never its unpacked XML nor a block for each cell. Counted by an
//! allocator, so it is the same on a busy machine; alone in its program, so no other test's blocks are counted.
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code, reason = "an allocator that counts is one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use connector_table_file::config::Config;
use connector_table_file::map::{Mapped, Rivals};
use connector_table_file::sheet;
use serde_json::json;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    PEAK.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        more(new_size);
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const TITLES: [&str; 7] = ["期间", "工号", "应发", "实发", "奖金", "个税", "备注"];
/// Of one page.
const PAGE: usize = 1_000;

fn csv(rows: u32) -> Vec<u8> {
    let mut text = TITLES.join(",");
    for row in 1..=rows {
        text.push_str(&format!(
            "\n2025-03,E{row:07},{}.25,{}.25,{}.00,7.00,备注{}",
            5_000 + row,
            4_993 + row,
            row % 900,
            row % 50
        ));
    }
    text.push('\n');
    text.into_bytes()
}

fn xlsx(rows: u32) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let money = rust_xlsxwriter::Format::new().set_num_format("#,##0.00");
    sheet.write_row(0, 0, TITLES).unwrap();
    for row in 1..=rows {
        sheet.write(row, 0, "2025-03").unwrap();
        sheet.write(row, 1, format!("E{row:07}")).unwrap();
        for (column, value) in [(2, row + 5_000), (3, row + 4_993), (4, row % 900), (5, 7)] {
            sheet.write_with_format(row, column, f64::from(value) + 0.25, &money).unwrap();
        }
        sheet.write(row, 6, format!("备注{}", row % 50)).unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn config() -> Config {
    let cny = json!({ "as": "money", "currency": "CNY" });
    let line = |title: &str, kind: &str| json!({ "column": title, "to": "/lines/-", "parse": cny, "line": { "kind": kind, "code": "OTHER" } });
    let columns = json!([
        { "column": "期间", "to": "/run", "parse": { "as": "ref" } },
        { "column": "工号", "to": "/employee", "parse": { "as": "ref" } },
        { "column": "应发", "to": "/gross", "parse": cny },
        { "column": "实发", "to": "/net", "parse": cny },
        line("奖金", "EARNING"),
        line("个税", "TAX"),
        { "column": "备注", "to": "/note" },
    ]);
    let stream = json!({ "files": "*", "key": ["期间", "工号"], "columns": columns });
    serde_json::from_value(json!({ "streams": { "payroll_records": stream } })).unwrap()
}

/// What reading the first page of a file takes besides the file, at most.
fn taken(name: &str, file: &[u8], rows: u32) -> usize {
    let config = config();
    let stream = &config.streams["payroll_records"];
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let table = sheet::open(name, file, stream, &config.limits).unwrap();
    assert_eq!(table.rows.len(), rows as usize);
    let mapped = Mapped::of("payroll_records", stream, &table, name, config.years).unwrap();
    mapped.check_totals().unwrap();
    let page = mapped.page(0, 0..PAGE, &Rivals::new());
    assert_eq!((page.records.len(), page.rejects.len()), (PAGE, 0));
    PEAK.load(Relaxed) - before
}

#[test]
fn a_row_more_in_a_file_takes_the_bytes_of_its_cells_and_little_more() {
    for (name, make, row_bytes_max) in [("pay.csv", csv as fn(u32) -> Vec<u8>, 190), ("pay.xlsx", xlsx, 300)] {
        let of = |rows: u32| taken(name, &make(rows), rows);
        // The lists of rows grow by doubling: both have the same number of rows for each place of their list.
        let (few, many) = (of(10_000), of(40_000));
        let each = (many - few) / 30_000;
        assert!(each <= row_bytes_max, "{name}: {each} bytes for each row more, {few} and {many} in all");
        assert!(each > 50, "{name}: {each} bytes for each row more are fewer than stand in it");
    }
}
