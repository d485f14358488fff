//! Tables that other programs wrote, of random cells whose meaning their writer noted: each cell is read as just that or
//! refused, and what is plainly good is read.
//!
//! `tests/producers/produce.py` writes them, by openpyxl and xlsxwriter where the Python in `RENMEN_TEST_TABLES` has them
//! (`cargo xtask test` makes one), by hand where it does not, and by LibreOffice where `soffice` is on the machine. Each run
//! has new cells; `RENMEN_TEST_SEED` brings back those of an earlier one.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use renmen_plugin::Page;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::Drop;

/// Cells of a kind by each producer.
const CELLS: &str = "2000";
/// What `cargo xtask test` names a Python with the libraries by.
const PYTHON: &str = "RENMEN_TEST_TABLES";

#[derive(Deserialize)]
struct Produced {
    file: String,
    producer: String,
    kind: String,
    /// What each row means, and whether it must be read.
    cells: Vec<(Option<String>, bool)>,
}

/// The stream, its configuration, and where the value of a kind stands in the record.
fn reading(kind: &str) -> (&'static str, Value, &'static str) {
    let period = json!({"start": "2025-01-01", "end": "2025-03-31"});
    let metric = json!({"code": "m", "name": {"en": "M"}, "objective": true});
    let employee = json!({"external": {"value": "E1"}});
    let cny = json!({"amount": "1", "currency": "CNY"});
    let (stream, set, to, parse, at) = match kind {
        "id" => ("performance_metrics", json!({}), "/employee", json!({"as": "ref"}), "/employee/external/value"),
        "date" => (
            "compensation",
            json!({"/rate": {"money": cny, "per": "MONTH"}}),
            "/validity/valid_from",
            json!({"as": "date"}),
            "/validity/valid_from",
        ),
        "month" => ("payroll_runs", json!({}), "/period", json!({"as": "month"}), "/period/start"),
        "percent" => ("performance_metrics", json!({}), "/value", json!({"as": "percent"}), "/value"),
        "duration" => ("performance_metrics", json!({}), "/value", json!({"as": "decimal"}), "/value"),
        "text" | "merged_text" => {
            ("payroll_records", json!({"/gross": cny, "/net": cny}), "/note", json!({"as": "text"}), "/note")
        }
        "boolean" => (
            "performance_reviews",
            json!({"/cycle/name": {"en": "2025"}, "/cycle/kind": {"code": "ANNUAL"}, "/reviewee": employee}),
            "/calibrated",
            json!({"as": "choice", "map": {"TRUE": true, "FALSE": false}}),
            "/calibrated",
        ),
        "comma" | "undeclared" => {
            let parse = json!({"as": "money", "currency": "EUR"});
            ("payroll_records", json!({"/net": {"amount": "1", "currency": "EUR"}}), "/gross", parse, "/gross/amount")
        }
        _ => {
            let parse = json!({"as": "money", "currency": "CNY"});
            ("payroll_records", json!({"/net": cny}), "/gross", parse, "/gross/amount")
        }
    };
    let mut set = set;
    let mut also = |pointer: &str, value: &Value| set[pointer] = value.clone();
    match stream {
        "performance_metrics" => {
            also("/metric", &metric);
            also("/period", &period);
            if kind == "id" {
                also("/value", &json!("1"));
            } else {
                also("/employee", &employee);
            }
        }
        "compensation" => {
            also("/employee", &employee);
            also("/component", &json!({"code": "BASE"}));
        }
        "payroll_runs" => {
            also("/kind", &json!({"code": "REGULAR"}));
            also("/state", &json!({"code": "PAID"}));
        }
        "payroll_records" => {
            also("/employee", &employee);
            also("/run", &json!({"external": {"value": "2025-03"}}));
        }
        _ => {}
    }
    let mut config = json!({"streams": {stream: {
        "files": "*", "key": ["编号"], "set": set, "columns": [{"column": "值", "to": to, "parse": parse}],
    }}});
    if kind == "comma" {
        config["streams"][stream]["decimal"] = json!(",");
    }
    (stream, config, at)
}

/// What is wrong with what was read of a cell, if anything is.
fn fault(kind: &str, meant: &(Option<String>, bool), read: Option<&Value>, refusal: Option<&String>) -> Option<String> {
    let (meant, plain) = (meant.0.as_deref(), meant.1);
    match (read, refusal) {
        (None, Some(reason)) if plain => Some(format!("meant {meant:?}, refused: {reason}")),
        (None, Some(_)) => None,
        (None, None) => Some("neither read nor refused".to_owned()),
        (Some(read), _) => {
            let text = match read {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            let same = match (meant, kind) {
                (None, _) => false,
                (Some(meant), "month") => text.starts_with(meant),
                (Some(meant), "id" | "date" | "text" | "merged_text" | "boolean") => text == meant,
                (Some(meant), _) => meant == text || meant.parse::<Decimal>().ok() == text.parse().ok(),
            };
            (!same).then(|| format!("meant {meant:?}, read as {text:?}"))
        }
    }
}

struct Tally {
    cells: usize,
    plain: usize,
    refused: usize,
    faults: Vec<String>,
}

fn compare(page: &Page, produced: &Produced, at: &str) -> Tally {
    let records: HashMap<&str, Value> = page
        .records
        .iter()
        .map(|record| {
            let body: Value = serde_json::from_slice(&record.payload).unwrap();
            (record.external_id.as_str(), body.pointer(at).cloned().unwrap_or_default())
        })
        .collect();
    let refusals: HashMap<&str, &String> =
        page.rejects.iter().filter_map(|reject| Some((reject.external_id.as_deref()?, &reject.reason))).collect();
    let mut tally = Tally { cells: produced.cells.len(), plain: 0, refused: 0, faults: Vec::new() };
    for (index, meant) in produced.cells.iter().enumerate() {
        let id = format!("R{index}");
        let (read, refusal) = (records.get(id.as_str()), refusals.get(id.as_str()).copied());
        tally.plain += usize::from(meant.1);
        tally.refused += usize::from(refusal.is_some());
        if let Some(what) = fault(&produced.kind, meant, read, refusal) {
            tally.faults.push(format!("{} row {}: {what}", produced.file, index + 2));
        }
    }
    tally
}

fn produce(folder: &Path, seed: u64) -> Option<(Vec<Produced>, bool)> {
    let (python, libraries) =
        std::env::var_os(PYTHON).map_or_else(|| ("python3".into(), false), |python| (python, true));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/producers/produce.py");
    let mut command = Command::new(python);
    command.arg("-B").arg(script).arg(folder).args([&seed.to_string(), CELLS]);
    let office = Command::new("soffice").arg("--version").output().is_ok_and(|output| output.status.success());
    command.args(office.then_some("soffice"));
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    assert!(output.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&output.stderr));
    let meant = std::fs::read(folder.join("meant.json")).unwrap();
    Some((serde_json::from_slice(&meant).unwrap(), libraries))
}

#[test]
#[allow(clippy::print_stderr, reason = "the seed, and who produced nothing")]
fn what_other_programs_write_is_read_as_they_meant_it_or_refused() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("RENMEN_TEST_SEED").map_or(now.subsec_nanos().into(), |seed| seed.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let Some((all, libraries)) = produce(folder.path(), seed) else {
        eprintln!("python3 is not there: no table of another program was read");
        return;
    };
    eprintln!("RENMEN_TEST_SEED={seed}");
    let (mut faults, mut kinds) = (Vec::new(), BTreeMap::<String, (usize, usize)>::new());
    for produced in &all {
        let (stream, config, at) = reading(&produced.kind);
        let bytes = std::fs::read(folder.path().join(&produced.file)).unwrap();
        let page = Drop::default().with(&produced.file, bytes).page(&config, stream, None, 100_000);
        let page = page.unwrap_or_else(|failure| panic!("seed {seed}, {}: {failure}", produced.file));
        let tally = compare(&page, produced, at);
        assert!(tally.cells >= 2000 && (tally.plain == 0 || tally.refused < tally.cells), "{}", produced.file);
        let kind = kinds.entry(produced.kind.clone()).or_default();
        *kind = (kind.0 + tally.cells, kind.1 + tally.plain);
        faults.extend(tally.faults);
    }
    let of = |producer: &str| all.iter().any(|produced| produced.producer == producer);
    assert!(of("raw") && of("csv") && (!libraries || of("openpyxl") && of("xlsxwriter")));
    // A kind of which little must be read would let a reader pass that refuses everything.
    for (kind, (cells, plain)) in &kinds {
        let wanted = if ["error", "undeclared", "duration"].contains(&kind.as_str()) { 0 } else { cells / 10 };
        assert!(*plain >= wanted, "{kind}: {plain} of {cells} must be read");
    }
    let shown = faults.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} cells, RENMEN_TEST_SEED={seed}:\n{shown}", faults.len());
}
