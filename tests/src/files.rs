//! The files of a made-up payroll and performance department, written as such people send them: GB18030, merged
//! headers, thousands separators, full-width digits, total rows, and here and there a row that no one can read.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::routing::get;
use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};

use crate::people::person;

/// Payslips in each payroll file, the unreadable one not counted.
pub const PAYSLIPS: usize = 40;
/// Rows of the pay band table, of which the last has no unit.
pub const BANDS: usize = 9;
/// Rows of the table of figures.
pub const METRICS: usize = 80;
/// Rows of the table of reviews.
pub const REVIEWS: usize = 40;

/// Writes every demo file into a directory, over what is there.
///
/// # Errors
/// What the file system says.
pub fn write_demo_files(dir: &Path) -> anyhow::Result<()> {
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).with_context(|| name.to_owned());
    for month in ["2025-03", "2025-04"] {
        write(&format!("payroll-{month}.csv"), &GB18030.encode(&payroll(month)).0)?;
    }
    write("pay-bands-2025.xlsx", &pay_bands()?)?;
    write("compensation-2025.csv", format!("\u{feff}{}", compensation()).as_bytes())?;
    write("performance-metrics-2025Q1.xlsx", &metrics()?)?;
    write("performance-reviews-2024.csv", &GB18030.encode(&reviews()).0)
}

/// Serves the files of a directory by name, for the connection that fetches instead of watching.
pub fn router(dir: PathBuf) -> Router {
    Router::new().route("/{name}", get(file)).with_state(dir)
}

async fn file(State(dir): State<PathBuf>, Segment(name): Segment<String>) -> Result<Vec<u8>, StatusCode> {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(StatusCode::NOT_FOUND);
    }
    tokio::fs::read(dir.join(name)).await.map_err(|_| StatusCode::NOT_FOUND)
}

/// `12345` as `"12,345.00"`, quoted for the CSV.
fn money(cents: usize) -> String {
    let (whole, cents) = ((cents / 100).to_string(), cents % 100);
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("\"{grouped}.{cents:02}\"")
}

fn full_width(text: &str) -> String {
    text.chars().map(|c| char::from_u32(c as u32 + 0xfee0).filter(|_| c.is_ascii_digit()).unwrap_or(c)).collect()
}

fn payroll(month: &str) -> String {
    let mut csv = String::from(
        "期间,工号,姓名,基本工资,绩效工资,加班费,应发合计,养老保险(个人),医疗保险(个人),失业保险(个人),住房公积金(个人),个人所得税,养老保险(单位),实发工资,备注\r\n",
    );
    let mut gross_all = 0;
    let mut net_all = 0;
    for n in 1..=PAYSLIPS {
        let (base, bonus, overtime) = (800_000 + n * 12_500, 100_000 + n % 7 * 30_000, n % 3 * 45_050);
        let gross = base + bonus + overtime;
        let (pension, medical, unemployment, housing) = (base * 8 / 100, base * 2 / 100, base / 200, base * 7 / 100);
        let tax = (gross - pension - medical - unemployment - housing).saturating_sub(500_000) * 3 / 100;
        let net = gross - pension - medical - unemployment - housing - tax;
        gross_all += gross;
        net_all += net;
        let note = if n.is_multiple_of(10) { "\"含补发\n见附件\"" } else { "" };
        let overtime = if overtime == 0 {
            "-".to_owned()
        } else {
            full_width(&format!("{}.{:02}", overtime / 100, overtime % 100))
        };
        let cells = [pension, medical, unemployment, housing, tax, base * 16 / 100, net].map(money).join(",");
        csv.push_str(&format!(
            "{month},E{n:05} ,{},{},{},{overtime},{},{cells},{note}\r\n",
            person(n).name,
            money(base),
            money(bonus),
            money(gross),
        ));
    }
    csv.push_str(&format!("{month},E09999,待核对,待定,,,待定,,,,,,,待定,新员工\r\n,,,,,,,,,,,,,,\r\n"));
    csv.push_str(&format!("合计,,,,,,{},,,,,,,{},\r\n", money(gross_all), money(net_all)));
    csv
}

fn pay_bands() -> anyhow::Result<Vec<u8>> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("薪酬带宽")?;
    let (plain, date) = (Format::new(), Format::new().set_num_format("yyyy/m/d"));
    sheet.merge_range(0, 0, 0, 4, "2025 年薪酬带宽表（内部）", &plain)?;
    for (column, title) in [(0, "职位族"), (1, "职级"), (4, "生效日期")] {
        sheet.merge_range(1, column, 2, column, title, &plain)?;
    }
    sheet.merge_range(1, 2, 1, 3, "月薪", &plain)?;
    sheet.write_row(2, 2, ["范围", "中位"])?;
    let bands = [
        ("研发", "P4", "8-10K", 9000),
        ("研发", "P5", "10-13K", 11_500),
        ("研发", "P6", "1.3～1.6万", 14_500),
        ("研发", "P7", "16k~20k", 18_000),
        ("销售", "S1", "6K-8K", 7000),
        ("销售", "S2", "８-１０K", 9000),
        ("销售", "S3", "10K以上", 13_000),
        ("职能", "F1", "5-7K", 6000),
        ("职能", "F2", "7-9", 8000),
    ];
    for (row, (family, level, range, mid)) in (3_u32..).zip(bands) {
        sheet.write(row, 2, range)?;
        sheet.write(row, 0, family)?;
        sheet.write(row, 1, level)?;
        sheet.write(row, 3, mid)?;
        sheet.write_with_format(row, 4, ExcelDateTime::from_ymd(2025, 1, 1)?, &date)?;
    }
    Ok(book.save_to_buffer()?)
}

fn compensation() -> String {
    let mut csv = String::from("工号,姓名,薪资项目,月薪,生效日期,调整原因\n");
    for n in 1..=PAYSLIPS {
        let day = if n.is_multiple_of(2) { "2025年1月1日" } else { "2025/1/1" };
        csv.push_str(&format!("E{n:05},{},基本工资,{},{day},年度调薪\n", person(n).name, money(800_000 + n * 12_500)));
    }
    csv
}

fn header(sheet: &mut Worksheet, titles: &[&str]) -> anyhow::Result<()> {
    for (column, title) in (0_u16..).zip(titles) {
        sheet.write(0, column, *title)?;
    }
    Ok(())
}

fn metrics() -> anyhow::Result<Vec<u8>> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("指标")?;
    header(sheet, &["工号", "指标编码", "指标名称", "单位", "客观", "开始", "结束", "实际值", "目标值", "排名分位"])?;
    let date = Format::new().set_num_format("yyyy-mm-dd");
    for n in 0..METRICS {
        let row = u32::try_from(n)? + 1;
        let (code, name, unit, objective) =
            if n % 2 == 0 { ("sales", "销售额", "CNY", "是") } else { ("quality", "质量评分", "分", "否") };
        sheet.write(row, 0, format!("E{:05}", n / 2 + 1))?;
        for (column, text) in [(1, code), (2, name), (3, unit), (4, objective)] {
            sheet.write(row, column, text)?;
        }
        sheet.write_with_format(row, 5, ExcelDateTime::from_ymd(2025, 1, 1)?, &date)?;
        // An unformatted serial: 31 March 2025.
        sheet.write(row, 6, 45_747)?;
        sheet.write(row, 7, if n % 2 == 0 { 100_000.1 + 731.3 * n as f64 } else { 3.5 + (n % 15) as f64 / 10.0 })?;
        sheet.write(row, 8, if n % 2 == 0 { 120_000.0 } else { 4.0 })?;
        sheet.write(row, 9, (n % 10) as f64 / 10.0)?;
    }
    Ok(book.save_to_buffer()?)
}

fn reviews() -> String {
    let mut csv = String::from("周期,类型,工号,评价人,关系,等级,评语\r\n");
    for n in 1..=REVIEWS {
        let kind = if n.is_multiple_of(9) { "试用期" } else { "年度" };
        let level = ["优秀", "良好", "合格", "3.5"][n % 4];
        csv.push_str(&format!(
            "2024年度,{kind},E{n:05},E{:05},上级,{level},\"第一段，完成目标\n第二段\"\r\n",
            n / 10 + 1
        ));
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_written_and_are_the_same_each_time() {
        let read = || {
            let dir = tempfile::tempdir().unwrap();
            write_demo_files(dir.path()).unwrap();
            let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap().to_owned()).collect();
            let texts: Vec<_> = files
                .iter()
                .filter(|path| path.extension().unwrap() == "csv")
                .map(|path| std::fs::read(path).unwrap())
                .collect();
            (names, texts)
        };
        let first = read();
        assert_eq!(first.0.len(), 6);
        assert_eq!(first, read());
    }

    #[test]
    fn a_payslip_adds_up_to_the_cent() {
        let text = payroll("2025-03");
        let cents = |cell: &str| cell.replace([',', '"', '.'], "").parse::<usize>().unwrap();
        let first: Vec<&str> = text.lines().nth(1).unwrap().split("\",\"").collect();
        let deducted: usize = first[2..7].iter().map(|cell| cents(cell)).sum();
        let gross = cents(first[1].rsplit(",\"").next().unwrap());
        assert_eq!(gross - deducted, cents(first[8].split('"').next().unwrap()), "{first:?}");
        assert_eq!(
            (money(123_456_789).as_str(), money(5).as_str(), money(100_000).as_str()),
            ("\"1,234,567.89\"", "\"0.05\"", "\"1,000.00\"")
        );
        assert_eq!(full_width("450.50"), "４５０.５０");
    }

    /// The mapping that the connector's README shows, over the files of the demo.
    fn readme_config() -> serde_json::Value {
        let readme = include_str!("../../plugins/table-file/README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (block, _) = rest.split_once("```").unwrap();
        let all: serde_json::Value = toml::from_str(block).unwrap();
        all["connections"]["payroll"]["config"].clone()
    }

    fn host() -> renmen_plugin::testing::Host {
        let dir = tempfile::tempdir().unwrap();
        write_demo_files(dir.path()).unwrap();
        let mut host = renmen_plugin::testing::Host::new();
        let mut listing = Vec::new();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let entry = entry.unwrap();
            let (name, bytes) = (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
            let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&bytes));
            listing.push(serde_json::json!({ "name": name, "sha256": hash, "modified_ms": 0, "bytes": bytes.len() }));
            host = host.answer("GET", &format!("drop:///{name}"), 200, bytes);
        }
        host.answer("GET", "drop:///", 200, serde_json::Value::from(listing).to_string())
    }

    #[test]
    fn the_mapping_of_the_readme_reads_every_demo_file_and_rejects_only_what_is_meant_to_be() {
        let (config, host) = (readme_config(), host());
        let expected = [
            ("pay_bands", BANDS - 1, 1),
            ("compensation", PAYSLIPS, 0),
            ("payroll_runs", 2, 0),
            ("payroll_records", 2 * PAYSLIPS, 2),
            ("performance_metrics", METRICS, 0),
            ("performance_reviews", REVIEWS, 0),
        ];
        for (stream, records, rejects) in expected {
            let run = host.pull_all::<connector_table_file::TableFile>(&config, stream, None).unwrap();
            let reasons: Vec<_> =
                run.rejects.iter().map(|reject| format!("{} {}", reject.pointer, reject.reason)).collect();
            assert_eq!((run.records.len(), run.rejects.len()), (records, rejects), "{stream}: {reasons:#?}");
        }
    }

    #[test]
    fn every_demo_payslip_adds_up_once_it_is_canonical() {
        let run =
            host().pull_all::<connector_table_file::TableFile>(&readme_config(), "payroll_records", None).unwrap();
        for record in &run.records {
            let body: serde_json::Value = serde_json::from_slice(&record.payload).unwrap();
            let cents = |money: &serde_json::Value| {
                let (whole, part) = money["amount"]
                    .as_str()
                    .unwrap()
                    .split_once('.')
                    .unwrap_or((money["amount"].as_str().unwrap(), ""));
                whole.parse::<i64>().unwrap() * 100 + format!("{part:0<2}").parse::<i64>().unwrap()
            };
            let lines = body["lines"].as_array().unwrap();
            let taken: i64 = lines
                .iter()
                .filter(|l| l["kind"] == "DEDUCTION" || l["kind"] == "TAX")
                .map(|l| cents(&l["amount"]))
                .sum();
            assert_eq!(cents(&body["gross"]) - taken, cents(&body["net"]), "{}", record.external_id);
        }
    }
}
