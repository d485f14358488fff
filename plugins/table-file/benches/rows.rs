//! Payslips of 200,000 rows, read to the end in pages of the gateway's default size, natively: rows a second of processor
//! time, and peak memory. `cargo bench -p connector-table-file --bench rows` makes the files and then reads each in a process of its own.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use connector_table_file::TableFile;
use renmen_plugin::Pull;
use renmen_plugin::http::Response;
use renmen_plugin::testing::Host;
use serde_json::json;
use sha2::{Digest, Sha256};

const ROWS: u32 = 200_000;
const PAGE: u32 = 10_000;
const TITLES: [&str; 7] = ["期间", "工号", "应发", "实发", "奖金", "个税", "备注"];

fn main() {
    match std::env::args().skip(1).find(|argument| !argument.starts_with("--")) {
        Some(file) => read(Path::new(&file)),
        None => {
            let folder = std::env::temp_dir().join(format!("rows-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            for file in make(&folder) {
                Command::new(std::env::current_exe().unwrap()).arg(&file).status().unwrap();
            }
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}

fn make(folder: &Path) -> [PathBuf; 2] {
    let [csv, xlsx] = ["pay.csv", "pay.xlsx"].map(|name| folder.join(name));
    let mut text = TITLES.join(",");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let money = rust_xlsxwriter::Format::new().set_num_format("#,##0.00");
    sheet.write_row(0, 0, TITLES).unwrap();
    for row in 1..=ROWS {
        let (gross, bonus, tax) = (f64::from(row % 20_000) + 5_000.25, f64::from(row % 900), f64::from(row % 700));
        let id = format!("E{row:07}");
        text.push_str(&format!("\n2025-03,{id},{gross:.2},{:.2},{bonus:.2},{tax:.2},备注{}", gross - tax, row % 50));
        sheet.write(row, 0, "2025-03").unwrap();
        sheet.write(row, 1, id).unwrap();
        for (column, value) in [(2, gross), (3, gross - tax), (4, bonus), (5, tax)] {
            sheet.write_with_format(row, column, value, &money).unwrap();
        }
        sheet.write(row, 6, format!("备注{}", row % 50)).unwrap();
    }
    text.push('\n');
    std::fs::write(&csv, text).unwrap();
    book.save(&xlsx).unwrap();
    [csv, xlsx]
}

fn read(file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let listing = json!([{ "name": "pay", "bytes": bytes.len(), "modified_ms": 1, "sha256": hex::encode(Sha256::digest(&bytes)) }]);
    let host = Host::new().answer("GET", "drop:///", 200, listing.to_string()).answer_with(
        "GET",
        "drop:///pay",
        Response::from_parts(200, Vec::new(), bytes),
    );
    let cny = json!({"as": "money", "currency": "CNY"});
    let line = |title: &str, kind: &str| json!({"column": title, "to": "/lines/-", "parse": cny, "line": {"kind": kind, "code": "OTHER"}});
    let config = json!({
        "limits": {"rows_max": ROWS + 1, "unpacked_bytes_max": 1_u64 << 30},
        "streams": {"payroll_records": {"files": "*", "key": ["期间", "工号"], "columns": [
            {"column": "期间", "to": "/run", "parse": {"as": "ref"}},
            {"column": "工号", "to": "/employee", "parse": {"as": "ref"}},
            {"column": "应发", "to": "/gross", "parse": cny},
            {"column": "实发", "to": "/net", "parse": cny},
            line("奖金", "EARNING"), line("个税", "TAX"),
            {"column": "备注", "to": "/note"},
        ]}},
    });
    let (begun, mut cursor, mut rows, mut pages) = (Instant::now(), None, 0, 0);
    loop {
        let pull = Pull { stream: "payroll_records".into(), cursor, only: Vec::new(), max_records: PAGE };
        let page = host.pull::<TableFile>(&config, pull).unwrap();
        (rows, pages) = (rows + page.records.len(), pages + 1);
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(rows, ROWS as usize);
    let took = begun.elapsed().as_secs_f64();
    // The time on a processor: other work on the machine does not count.
    let spent = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let spent = spent.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(took, |ns| ns / 1e9);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned();
    let name = file.extension().unwrap().to_string_lossy();
    println!(
        "{name}: {rows} rows in {pages} pages, {spent:.2} s of {took:.2} s, {:.0} rows/s, peak {peak}",
        rows as f64 / spent
    );
}
