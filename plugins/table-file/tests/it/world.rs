//! A drop directory for the tests, and files to put into it.

use std::io::Write as _;

use connector_table_file::TableFile;
use renmen_plugin::http::Response;
use renmen_plugin::testing::{Host, Run};
use renmen_plugin::{Failure, Page, Pull};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Files with the time of their last change, in milliseconds.
#[derive(Default)]
pub(crate) struct Drop {
    files: Vec<(String, Vec<u8>, i64)>,
}

impl Drop {
    pub(crate) fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let at = self.files.len() as i64;
        self.files.push((name.to_owned(), bytes.into(), at));
        self
    }

    pub(crate) fn host(&self) -> Host {
        let listing: Vec<Value> = self
            .files
            .iter()
            .map(|(name, bytes, at)| {
                json!({"name": name, "bytes": bytes.len(), "modified_ms": at, "sha256": hex::encode(Sha256::digest(bytes))})
            })
            .collect();
        let mut host = Host::new().answer("GET", "drop:///", 200, Value::from(listing).to_string());
        for (name, bytes, _) in &self.files {
            let url = format!("drop:///{name}");
            host = host.answer_with("GET", &url, Response::from_parts(200, Vec::new(), bytes.clone()));
        }
        host
    }

    pub(crate) fn run(&self, config: &Value, stream: &str, cursor: Option<String>) -> Result<Run, Failure> {
        self.host().pull_all::<TableFile>(config, stream, cursor)
    }

    pub(crate) fn page(
        &self,
        config: &Value,
        stream: &str,
        cursor: Option<String>,
        max_records: u32,
    ) -> Result<Page, Failure> {
        let pull = Pull { stream: stream.into(), cursor, only: Vec::new(), max_records };
        self.host().pull::<TableFile>(config, pull)
    }
}

pub(crate) fn xlsx(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().unwrap()
}

pub(crate) fn payload(run: &Run, index: usize) -> Value {
    serde_json::from_slice(&run.records[index].payload).unwrap()
}

pub(crate) fn ids(run: &Run) -> Vec<&str> {
    run.records.iter().map(|record| record.external_id.as_str()).collect()
}

/// Payslips with a bonus, keyed by month and person, from any file.
pub(crate) fn slips() -> Value {
    let cny = json!({"as": "money", "currency": "CNY"});
    json!({"streams": {"payroll_records": {
        "files": "*", "key": ["期间", "工号"],
        "columns": [
            {"column": "期间", "to": "/run", "parse": {"as": "ref"}},
            {"column": "工号", "to": "/employee", "parse": {"as": "ref"}},
            {"column": "应发", "to": "/gross", "parse": cny},
            {"column": "实发", "to": "/net", "parse": cny},
            {"column": "奖金", "to": "/lines/-", "parse": cny, "line": {"kind": "EARNING", "code": "PERFORMANCE_PAY"}},
        ],
    }}})
}

/// The same with one key of the stream, or of its column with this title, set.
pub(crate) fn slips_with(column: Option<&str>, key: &str, value: Value) -> Value {
    let mut config = slips();
    let stream = &mut config["streams"]["payroll_records"];
    match column {
        None => stream[key] = value,
        Some(title) => {
            let columns = stream["columns"].as_array_mut().unwrap();
            columns.iter_mut().find(|column| column["column"] == title).unwrap()[key] = value;
        }
    }
    config
}

/// Runs the payslips of one file.
pub(crate) fn run_slips(config: &Value, file: impl Into<Vec<u8>>) -> Run {
    Drop::default().with("pay", file).run(config, "payroll_records", None).unwrap()
}

/// Why a file of payslips is refused as a whole: a finding that says who can put it right, and nothing of the file comes in.
pub(crate) fn refused(config: &Value, name: &str, file: impl Into<Vec<u8>>) -> String {
    let run = Drop::default().with(name, file).run(config, "payroll_records", None).unwrap();
    assert!(run.records.is_empty() && run.rejects.is_empty(), "{:?}", run.findings);
    let [finding] = &run.findings[..] else { panic!("{:?}", run.findings) };
    assert_eq!((finding.part.as_str(), finding.missing), (name, true));
    finding.message.clone()
}

/// Place and reason of each reject.
pub(crate) fn rejects(run: &Run) -> Vec<(&str, &str)> {
    run.rejects.iter().map(|reject| (reject.pointer.as_str(), reject.reason.as_str())).collect()
}

/// A workbook from its XML: attributes of `workbookPr` and `calcPr` as elements, number formats, and the sheets with the
/// attributes that the workbook gives them.
pub(crate) fn ooxml(settings: &str, formats: &[&str], sheets: &[(&str, &str)]) -> Vec<u8> {
    let (mut names, mut links) = (String::new(), String::new());
    for (index, (attributes, _)) in sheets.iter().enumerate() {
        names.push_str(&format!(r#"<sheet sheetId="{0}" r:id="rId{0}" {attributes}/>"#, index + 1));
        links.push_str(&format!(
            r#"<Relationship Id="rId{0}" Type="http://x/relationships/worksheet" Target="worksheets/sheet{0}.xml"/>"#,
            index + 1
        ));
    }
    let mut own = String::new();
    let mut styles = String::from(r#"<xf numFmtId="0"/>"#);
    for (index, format) in formats.iter().enumerate() {
        let id = match format.strip_prefix("id ") {
            Some(id) => id.parse().unwrap(),
            None => {
                let code = format.replace('&', "&amp;").replace('"', "&quot;");
                own.push_str(&format!(r#"<numFmt numFmtId="{}" formatCode="{code}"/>"#, 170 + index));
                170 + index
            }
        };
        styles.push_str(&format!(r#"<xf numFmtId="{id}"/>"#));
    }
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
        ("xl/workbook.xml".to_owned(), format!("<workbook>{settings}<sheets>{names}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{links}</Relationships>")),
        (
            "xl/styles.xml".to_owned(),
            format!("<styleSheet><numFmts>{own}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"),
        ),
    ];
    for (index, (_, xml)) in sheets.iter().enumerate() {
        parts.push((format!("xl/worksheets/sheet{}.xml", index + 1), format!("<worksheet>{xml}</worksheet>")));
    }
    archive(&parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// A ZIP archive.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Payslips in a workbook: the header, and rows of cells as XML without their places.
pub(crate) fn book_of(settings: &str, formats: &[&str], rows: &[&str], after: &str) -> Vec<u8> {
    let titles: String = ["期间", "工号", "应发", "实发", "奖金"].map(text).concat();
    let mut xml = format!("<sheetData><row>{titles}</row>");
    for row in rows {
        match row.strip_prefix("hidden ") {
            Some(cells) => xml.push_str(&format!(r#"<row hidden="1">{cells}</row>"#)),
            None => xml.push_str(&format!("<row>{row}</row>")),
        }
    }
    ooxml(settings, formats, &[(r#"name="工资""#, &format!("{xml}</sheetData>{after}"))])
}

/// A cell with a text.
pub(crate) fn text(text: &str) -> String {
    format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#)
}

/// A cell with a number, of a style.
pub(crate) fn number(value: &str, style: usize) -> String {
    format!(r#"<c s="{style}"><v>{value}</v></c>"#)
}

/// The beginning of a payslip's row.
pub(crate) fn person(id: &str) -> String {
    format!("{}{}", text("2025-03"), text(id))
}
