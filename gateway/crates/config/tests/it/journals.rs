//! `[journals]` and `[exports]`: what is read, its limits on both sides, and what is refused with its place.

use std::time::Duration;

use renmen_config::{ExportTo, JournalDate, JournalTotal, Schedule};
use renmen_schema::code::{PayLineCode, PayLineKind, PayrollRunState};

use crate::{read_dev, refused};

const JOURNAL: &str =
    "[journals.payroll]\nconnection = \"finance\"\nledger = \"001\"\nnet = { account = \"2211.01\" }\n";
const EXPORT: &str = "[exports.bi]\nto = \"out\"\n";

#[test]
fn a_journal_is_read_with_its_items_and_dimensions_s16() {
    let text = format!(
        "{JOURNAL}runs = \"payroll\"\nstates = [\"PAID\"]\ndate = \"pay_date\"\ntotal = \"gross\"\nheader = {{ maker = \"x\" }}\n\
         items.wages = {{ kind = \"EARNING\", codes = [\"BASE\"], words = [\"1001\"], debit = \"6602\", debit_dimensions = [\"centre\"] }}\n\
         dimensions.centre = {{ of = \"org_unit\", name = \"FFLEX5\", map = {{ D-10 = \"CC10\" }}, default = \"CC00\" }}\n"
    );
    let journals = read_dev(&text).journals;
    let journal = journals.values().next().unwrap();
    assert_eq!((journal.runs[0].as_str(), &journal.states[..]), ("payroll", &[PayrollRunState::Paid][..]));
    assert_eq!(
        (journal.date, journal.total, journal.lines_max),
        (JournalDate::PayDate, Some(JournalTotal::Gross), 999)
    );
    let item = journal.items.values().next().unwrap();
    assert_eq!(
        (item.kind, &item.codes[..], item.debit.as_deref()),
        (PayLineKind::Earning, &[PayLineCode::Base][..], Some("6602"))
    );
    let dimension = journal.dimensions.values().next().unwrap();
    assert_eq!(
        (dimension.of.as_str(), dimension.name.as_deref(), dimension.map["D-10"].as_str()),
        ("org_unit", Some("FFLEX5"), "CC10")
    );
    assert_eq!(read_dev(JOURNAL).journals.values().next().unwrap().states.len(), 3);
}

#[test]
fn what_a_journal_lacks_or_has_too_much_of_is_told() {
    for (line, told) in [
        ("states = [\"DONE\"]", "use one of \"DRAFT\""),
        ("items.x = { kind = \"WAGE\" }", "use one of \"EARNING\""),
        ("items.x = { debit = \"1\" }", "`kind` is missing"),
        ("dimensions.x = { of = \"team\" }", "use one of \"org_unit\""),
        ("date = \"today\"", "use one of \"period_end\", \"pay_date\""),
        ("document_type = \"\"", "this is empty"),
        ("net_account = \"1\"", "unknown key `net_account`"),
    ] {
        let error = refused(&format!("{JOURNAL}{line}\n"));
        assert!(error.contains(told) && error.contains("connectors.toml:5:"), "{line}: {error}");
    }
    for key in ["connection", "ledger", "net"] {
        let without: String =
            JOURNAL.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
        assert!(refused(&without).contains(&format!("`{key}` is missing")), "{key}");
    }
}

#[test]
fn an_export_is_read_with_where_it_goes_and_when_s21() {
    let export = |lines: &str| read_dev(&format!("{EXPORT}{lines}\n")).exports.into_values().next().unwrap();
    let plain = export("");
    assert_eq!(
        (&plain.schedule, plain.format.as_str(), plain.classes.len(), plain.keep),
        (&Schedule::Manual, "parquet", 0, 7)
    );
    assert!(matches!(&plain.to, ExportTo::Directory(path) if path.ends_with("out")));
    let daily = export("every = \"1d\"\nformat = \"csv\"\nclasses = [\"PERSONAL\"]\nentities = [\"employee\"]");
    assert_eq!(
        (daily.schedule, daily.entities.len(), daily.classes.len()),
        (Schedule::Every(Duration::from_secs(86_400)), 1, 1)
    );
    let bucket = "[exports.bi]\nto = \"s3://warehouse/a/b/\"\nendpoint = \"https://storage.example.com\"\nslots.key = { env = \"K\" }\n";
    let to = &read_dev(bucket).exports.into_values().next().unwrap().to;
    let expected = ExportTo::Bucket {
        endpoint: "https://storage.example.com".into(),
        region: "us-east-1".into(),
        bucket: "warehouse".into(),
        prefix: "a/b".into(),
    };
    assert_eq!(*to, expected);
}

#[test]
fn what_an_export_cannot_be_is_told() {
    for (lines, told) in [
        ("entities = [\"bias_audit\"]", "read by auditors alone"),
        ("entities = [\"employees\"]", "did you mean `employee`"),
        ("classes = [\"SECRET\"]", "use one of \"PERSONAL\""),
        ("format = \"xlsx\"", "use one of \"parquet\", \"csv\""),
        ("every = \"1d\"\ncron = \"0 2 * * *\"", "exclude each other"),
        ("slots.secret = { env = \"K\" }", "unknown slot `secret`"),
    ] {
        let error = refused(&format!("{EXPORT}{lines}\n"));
        assert!(error.contains(told), "{lines}: {error}");
    }
    for (lines, told) in [
        ("to = \"s3://warehouse\"\nslots.key = { env = \"K\" }", "`endpoint` is missing"),
        ("to = \"s3://warehouse\"\nendpoint = \"https://a.example\"", "the slot `key` is empty"),
        ("to = \"s3://W/x\"\nendpoint = \"https://a.example\"\nslots.key = { env = \"K\" }", "names no bucket"),
        ("to = \"s3://warehouse\"\nendpoint = \"a.example\"\nslots.key = { env = \"K\" }", "is not an address"),
    ] {
        let error = refused(&format!("[exports.bi]\n{lines}\n"));
        assert!(error.contains(told), "{lines}: {error}");
    }
}

#[test]
fn each_limit_holds_on_both_sides() {
    let both = |text: &str, key: &str, good: [&str; 2], bad: [&str; 2]| {
        for value in good {
            read_dev(&format!("{text}{key} = {value}\n"));
        }
        for value in bad {
            let error = refused(&format!("{text}{key} = {value}\n"));
            assert!(error.contains("out of range"), "{key} = {value}: {error}");
        }
    };
    both(JOURNAL, "lines_max", ["2", "10000"], ["1", "10001"]);
    both(EXPORT, "keep", ["1", "10000"], ["0", "10001"]);
    both(EXPORT, "group_rows", ["100", "1000000"], ["99", "1000001"]);
    both(EXPORT, "group_bytes", ["\"64KiB\"", "\"256MiB\""], ["\"63KiB\"", "\"257MiB\""]);
    both(EXPORT, "file_bytes", ["\"64KiB\"", "\"512MiB\""], ["\"63KiB\"", "\"513MiB\""]);
    both(EXPORT, "timeout", ["\"1s\"", "\"1h\""], ["\"999ms\"", "\"61m\""]);
}
