//! No failure, finding or reason of a reject repeats what is in a file.

use renmen_plugin::testing::CANARIES;
use rust_xlsxwriter::Workbook;

use crate::world::{Drop, slips, slips_with, xlsx};

const TITLES: [&str; 5] = ["期间", "工号", "应发", "实发", "奖金"];
const ROWS: [[&str; 5]; 3] = [
    ["2025-03", "E001", "8000", "8500", "500"],
    ["2025-03", "E002", "9000", "9000", "0"],
    ["2025-03", "合计", "17000", "17500", "500"],
];

/// The table with a text in one cell, row 0 being the titles.
fn table(row: usize, column: usize, text: &str) -> Vec<Vec<String>> {
    let all = std::iter::once(TITLES).chain(ROWS);
    let mut all: Vec<Vec<String>> = all.map(|row| row.map(str::to_owned).to_vec()).collect();
    all[row][column] = text.to_owned();
    all
}

fn csv(table: &[Vec<String>]) -> Vec<u8> {
    table.iter().map(|row| row.join(",") + "\n").collect::<String>().into_bytes()
}

fn workbook(table: &[Vec<String>]) -> Vec<u8> {
    xlsx(|book: &mut Workbook| {
        let sheet = book.add_worksheet();
        for (row, cells) in (0..).zip(table) {
            for (column, cell) in (0..).zip(cells) {
                sheet.write(row, column, cell).unwrap();
            }
        }
    })
}

/// Every text that a run of this file reports, except the copy of the row itself.
fn told(config: &serde_json::Value, file: Vec<u8>) -> Vec<String> {
    let run = match Drop::default().with("pay", file).run(config, "payroll_records", None) {
        Ok(run) => run,
        Err(failure) => return vec![failure.to_string()],
    };
    let findings = run.findings.iter().map(|finding| format!("{} {} {}", finding.part, finding.code, finding.message));
    let rejects = run.rejects.iter().map(|reject| format!("{} {}", reject.pointer, reject.reason));
    let omissions = run.omissions.iter().map(|omission| format!("{omission:?}"));
    findings.chain(rejects).chain(omissions).collect()
}

#[test]
fn no_failure_finding_or_reject_quotes_a_cell_a_title_or_the_bytes_of_a_file() {
    let plain = slips();
    let totals = slips_with(None, "total_rows", serde_json::json!(["合计"]));
    let mut checked = totals.clone();
    checked["streams"]["payroll_records"]["totals"] = "check".into();
    let (mut ways, mut words) = (0, 0);
    for canary in CANARIES {
        let mut files = vec![canary.as_bytes().to_vec(), format!("{canary},{canary}\n{canary}").into_bytes()];
        for (row, column) in (0..=ROWS.len()).flat_map(|row| (0..TITLES.len()).map(move |column| (row, column))) {
            for text in [canary.to_owned(), format!("{canary},1"), format!("\"{canary}"), format!("US${canary}")] {
                let table = table(row, column, &text);
                files.extend([csv(&table), workbook(&table)]);
            }
        }
        for (config, file) in
            [&plain, &totals, &checked].into_iter().flat_map(|config| files.iter().map(move |file| (config, file)))
        {
            ways += 1;
            for line in told(config, file.clone()) {
                words += 1;
                assert!(!line.contains(canary), "{line}");
            }
        }
    }
    assert!(ways > 2_000 && words > 1_000, "{ways} ways, {words} words: it must have something to find");
}
