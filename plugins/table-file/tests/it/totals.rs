//! What a file says its rows come to: compared with what was read, and nothing of the file comes in where it differs.

use renmen_plugin::Remedy;
use serde_json::{Value, json};

use crate::world::{Drop, book_of, ids, number, person, refused, run_slips, slips, slips_with, text};

fn checking() -> Value {
    let mut config = slips_with(None, "totals", json!("check"));
    config["streams"]["payroll_records"]["total_rows"] = json!(["合计", "小计"]);
    config
}

fn csv(rows: &str) -> String {
    format!("期间,工号,应发,实发,奖金\n{rows}\n")
}

const ROWS: &str = "2025-03,E1,100.50,90,5\n2025-03,E2,200.25,180,\n";

#[test]
fn a_total_row_that_agrees_lets_the_file_in_and_is_counted() {
    for total in ["合计,,300.75,270,5", "合计,,300.75,,", "合计,,\"300.75\",270,"] {
        let run = run_slips(&checking(), csv(&format!("{ROWS}{total}")));
        assert_eq!(ids(&run), ["2025-03|E1", "2025-03|E2"], "{:?}", run.findings);
        let omitted = &run.omissions[0];
        assert_eq!((omitted.rule.as_str(), omitted.count, &omitted.places[0][..]), ("total_rows", 1, "csv!4"));
    }
}

#[test]
fn a_total_row_that_differs_refuses_the_file_with_its_column_and_without_amounts() {
    let told = refused(&checking(), "pay.csv", csv(&format!("{ROWS}合计,,300.75,270.01,5")));
    assert!(told.contains("pay.csv") && told.contains("column 实发") && told.contains("csv!D4"), "{told}");
    assert!(!told.contains("270") && !told.contains("90"), "{told}");
    let run = run_slips(&slips_with(None, "total_rows", json!(["合计"])), csv(&format!("{ROWS}合计,,1,1,1")));
    assert_eq!((run.records.len(), run.omissions[0].count), (2, 1), "without `totals` it is left out and counted");
}

#[test]
fn a_file_that_lost_its_total_row_or_a_row_that_cannot_be_read_is_refused() {
    assert!(refused(&checking(), "pay.csv", csv(ROWS)).contains("no row begins with a word of `total_rows`"));
    let told = refused(&checking(), "pay.csv", csv("2025-03,E1,100.50,90,5\n2025-03,E2,oops,180,\n合计,,100.50,270,5"));
    assert!(told.contains("column 应发: 1 of its cells cannot be read"), "{told}");
    assert!(refused(&checking(), "pay.csv", csv(&format!("{ROWS}合计,,many,270,5"))).contains("the total at csv!C4"));
}

#[test]
fn subtotals_count_their_own_rows_and_a_total_counts_all() {
    let rows =
        "2025-03,E1,100,90,\n小计,,100,90,\n2025-03,E2,200,180,\n2025-03,E3,1,1,\n小计,,201,181,\n合计,,301,271,";
    assert_eq!(run_slips(&checking(), csv(rows)).records.len(), 3);
    let wrong = rows.replace("小计,,201", "小计,,202");
    assert!(refused(&checking(), "p", csv(&wrong)).contains("应发"));
    let above = "合计,,300,270,\n2025-03,E1,100,90,\n2025-03,E2,200,180,";
    assert_eq!(run_slips(&checking(), csv(above)).records.len(), 2, "a total may stand above its rows");
}

#[test]
fn the_total_of_calculated_amounts_is_that_of_the_numbers_before_they_were_rounded() {
    let third = |id: &str| format!("{}{}{}", person(id), number("3333.333333333333", 1), number("1", 0));
    let total = |value: &str| format!("{}<c/>{}{}", text("合计"), number(value, 1), number("3", 0));
    let book = |value: &str| {
        let rows = [third("E1"), third("E2"), third("E3"), total(value)];
        book_of("", &["#,##0.00"], &rows.each_ref().map(String::as_str), "")
    };
    for agreed in ["10000", "9999.99"] {
        assert_eq!(run_slips(&checking(), book(agreed)).records.len(), 3, "{agreed}");
    }
    assert!(refused(&checking(), "p", book("10000.01")).contains("应发"));
}

#[test]
fn declared_cells_are_compared_with_the_number_of_rows_and_the_sum_of_a_column() {
    let mut config = slips_with(None, "control", json!({"count": "B1", "sums": {"应发": "D1", "实发": "D2"}}));
    config["streams"]["payroll_records"]["skip_rows"] = json!(2);
    let file = |count: &str, gross: &str, net: &str| format!("人数,{count},合计,{gross}\n,,实发,{net}\n{}", csv(ROWS));
    assert_eq!(run_slips(&config, file("2", "300.75", "270.00")).records.len(), 2);
    let told = refused(&config, "pay.csv", file("3", "300.75", "270"));
    assert!(told.contains("csv!B1") && told.contains("`control.count`"), "{told}");
    let told = refused(&config, "pay.csv", file("2", "300.75", "271"));
    assert!(told.contains("column 实发") && told.contains("csv!D2") && !told.contains("271"), "{told}");
    assert!(refused(&config, "pay.csv", file("", "300.75", "270")).contains("csv!B1"));
    let unknown = slips_with(None, "control", json!({"sums": {"工号": "B1"}}));
    assert!(refused(&unknown, "pay.csv", csv(ROWS)).contains("`control.sums` names `工号`"));
}

#[test]
fn a_file_whose_totals_differ_is_for_the_people_who_keep_it() {
    let good = csv(&format!("{ROWS}合计,,300.75,270,5"));
    let drop = Drop::default().with("bad.csv", csv(&format!("{ROWS}合计,,1,1,1"))).with("good.csv", good);
    let run = drop.run(&checking(), "payroll_records", None).unwrap();
    assert_eq!((run.records.len(), run.findings.len()), (2, 1));
    assert_eq!((run.findings[0].code.as_str(), run.findings[0].needs), ("control_differs", Remedy::Source));
    assert!(refused(&slips(), "x", "a,b\n1,2\n").contains("no column"));
}
