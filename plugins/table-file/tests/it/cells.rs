//! Cells that do not hold what they seem to: formulas, merged and hidden ones.

use serde_json::{Value, json};

use crate::world::{
    book_of, ids, number, ooxml, payload, person, refused, rejects, run_slips, slips, slips_with, text,
};

fn row(id: &str, bonus: &str) -> String {
    format!("{}{}{}{bonus}", person(id), number("9000", 0), number("8000", 0))
}

fn of_rows(config: &Value, settings: &str, rows: &[String], after: &str) -> renmen_plugin::testing::Run {
    run_slips(config, book_of(settings, &[], &rows.iter().map(String::as_str).collect::<Vec<_>>(), after))
}

#[test]
fn a_formula_without_its_result_keeps_the_row_out_and_an_empty_result_is_blank() {
    let rows = [
        row("E1", "<c><f>A1*2</f><v/></c>"),
        row("E2", "<c><f>A1*2</f></c>"),
        row("E3", r#"<c t="str"><f>IF(A1,"","")</f><v></v></c>"#),
        row("E4", "<c><f>A1*2</f><v>500</v></c>"),
        row("E5", r#"<c t="str"><f>A1</f></c>"#),
    ];
    let run = of_rows(&slips(), "", &rows, "");
    assert_eq!(ids(&run), ["2025-03|E3", "2025-03|E4"]);
    assert_eq!(payload(&run, 0).get("lines"), None);
    assert_eq!(payload(&run, 1)["lines"][0]["amount"]["amount"], "500");
    let places: Vec<_> = rejects(&run).iter().map(|(place, _)| *place).collect();
    assert_eq!(places, ["工资!E2", "工资!E3", "工资!E6"]);
    assert!(rejects(&run)[0].1.contains("a formula without its result"), "{:?}", rejects(&run));
}

#[test]
fn the_zero_of_a_formula_that_was_never_calculated_is_refused_or_read_as_declared() {
    let unsaved = r#"<calcPr fullCalcOnLoad="1"/>"#;
    let rows = [
        row("E1", "<c><f>A1*2</f><v>0</v></c>"),
        row("E2", "<c><f>A1*2</f><v>7</v></c>"),
        row("E3", "<c><v>0</v></c>"),
    ];
    let run = of_rows(&slips(), unsaved, &rows, "");
    assert_eq!(ids(&run), ["2025-03|E2", "2025-03|E3"]);
    assert!(rejects(&run)[0].1.contains("uncalculated = \"read\""), "{:?}", rejects(&run));
    assert_eq!(of_rows(&slips(), "", &rows, "").records.len(), 3, "a spreadsheet that has calculated says nothing");
    let declared = slips_with(None, "uncalculated", json!("read"));
    assert_eq!(of_rows(&declared, unsaved, &rows, "").records.len(), 3);
}

#[test]
fn error_cells_keep_the_row_out_in_a_workbook_and_in_a_text() {
    let run = of_rows(&slips(), "", &[row("E1", r#"<c t="e"><v>#N/A</v></c>"#), row("E2", &number("1", 0))], "");
    assert_eq!((ids(&run), rejects(&run)[0].0), (vec!["2025-03|E2"], "工资!E2"));
    let run = run_slips(
        &slips(),
        "期间,工号,应发,实发,奖金\n2025-03,E1,1,1,#DIV/0!\n2025-03,E2,1,1,####\n2025-03,E3,1,1,1\n2025-03,Err:502,1,1,1\n",
    );
    assert_eq!((ids(&run).len(), run.rejects.len()), (1, 3));
}

#[test]
fn an_amount_in_merged_cells_is_refused_on_each_row_or_read_as_declared() {
    let rows = [row("E1", &number("6000", 0)), row("E2", ""), row("E3", ""), row("E4", &number("5", 0))];
    let merged = r#"<mergeCells><mergeCell ref="E2:E4"/></mergeCells>"#;
    let run = of_rows(&slips(), "", &rows, merged);
    assert_eq!(ids(&run), ["2025-03|E4"]);
    assert_eq!(run.rejects.len(), 3);
    assert!(rejects(&run)[0].1.contains("merged = \"read\""), "{:?}", rejects(&run));
    for config in [slips_with(None, "merged", json!("read")), slips_with(Some("奖金"), "merged", json!("read"))] {
        let run = of_rows(&config, "", &rows, merged);
        assert_eq!((run.records.len(), run.rejects.len()), (4, 0));
    }
}

#[test]
fn texts_in_merged_cells_count_for_every_row() {
    let mut rows = [row("E1", &number("1", 0)), row("E2", &number("1", 0))];
    rows[1] = rows[1].replacen(&text("2025-03"), "<c/>", 1);
    let run = of_rows(&slips(), "", &rows, r#"<mergeCells><mergeCell ref="A2:A3"/></mergeCells>"#);
    assert_eq!(ids(&run), ["2025-03|E1", "2025-03|E2"]);
}

#[test]
fn hidden_rows_are_refused_or_read_as_declared() {
    let rows = [row("E1", &number("1", 0)), format!("hidden {}", row("E2", &number("1", 0)))];
    let run = of_rows(&slips(), "", &rows, "");
    assert_eq!((ids(&run), rejects(&run)[0].0), (vec!["2025-03|E1"], "工资!3"));
    assert!(rejects(&run)[0].1.contains("hidden = \"read\""), "{:?}", rejects(&run));
    assert_eq!(of_rows(&slips_with(None, "hidden", json!("read")), "", &rows, "").records.len(), 2);
}

#[test]
fn a_row_without_height_is_hidden() {
    let titles: String = ["期间", "工号", "应发", "实发", "奖金"].map(text).concat();
    let row = |height: &str, id: &str| format!(r#"<row customHeight="1" ht="{height}">{}</row>"#, row(id, ""));
    let xml = format!("<sheetData><row>{titles}</row>{}{}</sheetData>", row("0", "E1"), row("0.5", "E2"));
    assert_eq!(ids(&run_slips(&slips(), ooxml("", &[], &[(r#"name="工资""#, &xml)]))), ["2025-03|E2"]);
}

fn sheet(id: &str) -> String {
    let titles: String = ["期间", "工号", "应发", "实发", "奖金"].map(text).concat();
    format!("<sheetData><row>{titles}</row><row>{}</row></sheetData>", row(id, ""))
}

#[test]
fn the_first_sheet_that_people_see_is_read_and_a_hidden_one_only_by_its_name() {
    let (old, new) = (sheet("OLD"), sheet("NEW"));
    let book = |first: &str, second: &str| ooxml("", &[], &[(first, &old), (second, &new)]);
    for state in ["hidden", "veryHidden"] {
        let first = format!(r#"name="二月" state="{state}""#);
        let file = book(&first, r#"name="三月" state="visible""#);
        assert_eq!(ids(&run_slips(&slips(), file.clone())), ["2025-03|NEW"]);
        assert_eq!(ids(&run_slips(&slips_with(None, "sheet", json!("二月")), file)), ["2025-03|OLD"]);
    }
    let none = book(r#"name="a" state="hidden""#, r#"name="b" state="hidden""#);
    assert!(refused(&slips(), "pay", none).contains("without a visible sheet"));
}

#[test]
fn texts_are_read_with_entities_parts_and_without_reading_aids() {
    let rich = r#"<c t="inlineStr"><is><r><t>A&amp;</t></r><r><t xml:space="preserve">&#x42;_x0043_ </t></r><rPh><t>ko</t></rPh></is></c>"#;
    let rows = [format!("{}{rich}{}{}", text("2025-03"), number("1", 0), number("1", 0))];
    assert_eq!(ids(&of_rows(&slips(), "", &rows, "")), ["2025-03|A&BC"]);
}
