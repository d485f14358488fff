//! One file that cannot be read is told, and holds up no other.

use renmen_plugin::{Coverage, Remedy};
use serde_json::json;

use crate::world::{Drop, ids, run_slips, slips, slips_with};

fn good(id: &str) -> String {
    format!("期间,工号,应发,实发,奖金\n2025-03,{id},1,1,1\n")
}

#[test]
fn the_good_files_come_in_and_each_bad_one_is_a_finding() {
    let drop = Drop::default()
        .with("1.xls", b"\xD0\xCF\x11\xE0 old".to_vec())
        .with("2.csv", good("E2"))
        .with("3.csv", "a,b\n110101199003070000,1\n")
        .with("4.csv", good("E4"));
    let run = drop.run(&slips(), "payroll_records", None).unwrap();
    assert_eq!(ids(&run), ["2025-03|E2", "2025-03|E4"]);
    let told: Vec<_> = run.findings.iter().map(|f| (f.part.as_str(), f.code.as_str(), f.needs, f.missing)).collect();
    assert_eq!(
        told,
        [("1.xls", "unreadable_file", Remedy::Source, true), ("3.csv", "unfit_file", Remedy::Operator, true)]
    );
    assert!(!run.findings[1].message.contains("1101"), "{}", run.findings[1].message);
    // The next run says it again, and reads the good ones no more.
    let again = drop.run(&slips(), "payroll_records", run.next.clone()).unwrap();
    assert_eq!((again.records.len(), again.findings.len()), (0, 2));
    // A file that was replaced is read at once.
    let replaced = Drop::default().with("2.csv", good("E2")).with("4.csv", good("E4")).with("1.xls", good("E1"));
    let after = replaced.run(&slips(), "payroll_records", run.next).unwrap();
    assert_eq!((ids(&after), after.findings.len()), (vec!["2025-03|E1"], 0));
}

#[test]
fn a_corrected_configuration_reads_the_file_that_waited() {
    let drop = Drop::default().with("a.csv", good("E1"));
    let run = drop.run(&slips_with(None, "skip_rows", json!(1)), "payroll_records", None).unwrap();
    assert_eq!((run.records.len(), run.findings.len()), (0, 1));
    assert_eq!(drop.run(&slips(), "payroll_records", run.next).unwrap().records.len(), 1);
}

#[test]
fn a_snapshot_that_cannot_be_read_lists_nothing() {
    let config = slips_with(None, "snapshot", json!(true));
    let drop = Drop::default().with("a.csv", good("E1")).with("b.csv", "nonsense\n");
    let run = drop.run(&config, "payroll_records", None).unwrap();
    assert_eq!((run.records.len(), run.findings.len(), run.coverage), (0, 1, Coverage::Changes));
}

#[test]
fn more_bad_files_than_one_page_tells_of_are_all_told() {
    let mut drop = Drop::default();
    for index in 0..120 {
        drop = drop.with(&format!("{index:03}.csv"), "nonsense\n");
    }
    let run = drop.with("good.csv", good("E1")).run(&slips(), "payroll_records", None).unwrap();
    assert_eq!((run.findings.len(), run.records.len(), run.pages), (120, 1, 3));
}

#[test]
fn rows_that_a_rule_leaves_out_are_counted_with_their_places() {
    let config = slips_with(None, "total_rows", json!(["合计"]));
    let run = run_slips(&config, format!("{}合计,,1,1,1\n合计,,2,2,2\n", good("E1")));
    assert_eq!((run.omissions[0].count, &run.omissions[0].places), (2, &vec!["csv!3".to_owned(), "csv!4".to_owned()]));
    let run = run_slips(&slips_with(None, "distinct", json!(true)), format!("{}2025-03,E1,1,1,1\n", good("E1")));
    assert_eq!((run.omissions[0].rule.as_str(), run.omissions[0].count), ("distinct", 1));
}
