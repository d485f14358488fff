//! Amounts: their currency, their decimal mark, their tail.

use serde_json::{Value, json};

use crate::world::{book_of, number, payload, person, rejects, run_slips, slips, slips_with, text};

/// The gross of each row of a CSV with these amounts, or the reason why it was refused.
fn gross(config: &Value, amounts: &[&str], delimiter: char) -> Vec<Result<String, String>> {
    let mut csv = ["期间", "工号", "应发", "实发", "奖金"].join(&delimiter.to_string()) + "\n";
    for (index, amount) in amounts.iter().enumerate() {
        let amount = format!("\"{amount}\"");
        csv.push_str(&(["2025-03", &format!("E{index}"), &amount, "1", ""].join(&delimiter.to_string()) + "\n"));
    }
    let run = run_slips(config, csv);
    let mut all: Vec<(String, Result<String, String>)> = Vec::new();
    for index in 0..run.records.len() {
        let amount = payload(&run, index)["gross"]["amount"].as_str().unwrap().to_owned();
        all.push((run.records[index].external_id.clone(), Ok(amount)));
    }
    for reject in &run.rejects {
        all.push((reject.external_id.clone().unwrap(), Err(reject.reason.clone())));
    }
    all.sort();
    all.into_iter().map(|(_, result)| result).collect()
}

/// The gross of one number cell.
fn cell(config: &Value, value: &str, format: &str) -> Result<String, String> {
    let row = format!("{}{}{}", person("E1"), number(value, 1), number("1", 0));
    let run = run_slips(config, book_of("", &[format], &[&row], ""));
    match rejects(&run).first() {
        Some((_, reason)) => Err((*reason).to_owned()),
        None => Ok(payload(&run, 0)["gross"]["amount"].as_str().unwrap().to_owned()),
    }
}

fn in_currency(currency: &str) -> Value {
    slips_with(Some("应发"), "parse", json!({"as": "money", "currency": currency}))
}

#[test]
fn a_currency_sign_that_is_not_of_the_declared_currency_is_refused() {
    for (currency, fits, foreign) in [
        ("CNY", ["¥80", "￥80", "RMB 80", "80元", "CNY80"], ["$80", "US$80", "€80", "80美元", "USD 80"]),
        ("USD", ["$80", "US$80", "80美元", "USD80", "-$80"], ["HK$80", "¥80", "80元", "£80", "CNY 80"]),
        ("JPY", ["¥80", "80円", "80日元", "JPY 80", "(¥80)"], ["$80", "RMB80", "80元", "₩80", "80 EUR"]),
    ] {
        for (text, good) in fits.map(|text| (text, true)).into_iter().chain(foreign.map(|text| (text, false))) {
            let found = gross(&in_currency(currency), &[text], ',').remove(0);
            assert_eq!(found.is_ok(), good, "{currency} {text}: {found:?}");
            if let Err(reason) = found {
                assert!(reason.contains(currency) && !reason.contains("80"), "{reason}");
            }
        }
    }
    assert!(gross(&in_currency("CNY"), &["¥80美元"], ',')[0].is_err(), "two signs that contradict each other");
    assert_eq!(
        gross(&in_currency("USD"), &["-$80", "($80)", "$-80"], ','),
        ["-80", "-80", "-80"].map(|a| Ok(a.to_owned()))
    );
}

#[test]
fn a_currency_sign_in_the_cells_format_counts_as_one_in_the_text() {
    for (format, good) in [
        ("[$¥-804]#,##0.00", true),
        ("\"¥\"#,##0.00", true),
        ("#,##0.00\\ \"元\"", true),
        ("id 44", true),
        ("[$$-409]#,##0.00", false),
        ("[$€-407] #,##0.00", false),
        ("\"US$\"#,##0", false),
        ("0\"万\"", false),
        ("0%", false),
        ("[h]:mm", false),
        ("yyyy-mm-dd", false),
    ] {
        let found = cell(&slips(), "3000", format);
        assert_eq!(found.is_ok(), good, "{format}: {found:?}");
    }
}

#[test]
fn a_sign_in_a_column_of_plain_numbers_and_in_a_range_must_be_declared_too() {
    let metric = |parse: Value, value: &str| {
        let config = json!({"streams": {"performance_metrics": {
            "files": "*", "key": ["工号"], "set": {"/metric/code": "m", "/metric/name": {"en": "M"}, "/metric/objective": true,
                "/period": {"start": "2025-01-01", "end": "2025-03-31"}},
            "columns": [{"column": "工号", "to": "/employee", "parse": {"as": "ref"}}, {"column": "值", "to": "/value", "parse": parse}],
        }}});
        let csv = format!("工号,值\nE1,{value}\n");
        crate::world::Drop::default().with("f", csv).run(&config, "performance_metrics", None).unwrap().records.len()
    };
    assert_eq!(metric(json!({"as": "decimal"}), "¥8k"), 0);
    assert_eq!(metric(json!({"as": "decimal", "currency": "CNY"}), "¥8k"), 1);
    let band = |range: &str| {
        let config = json!({"streams": {"pay_bands": {
            "files": "*", "key": ["族"], "set": {"/status": "ACTIVE", "/visibility": "VENDOR_MATCH_ONLY"},
            "columns": [{"column": "族", "to": "/key/job_family"},
                {"column": "范围", "to": "/range", "parse": {"as": "range", "currency": "CNY", "per": "MONTH"}}],
        }}});
        let csv = format!("族,范围\n研发,{range}\n");
        crate::world::Drop::default().with("f", csv).run(&config, "pay_bands", None).unwrap().records.len()
    };
    assert_eq!((band("¥8-10K"), band("8-10K元"), band("$8-10K"), band("¥8K-$10K")), (1, 1, 0, 0));
}

#[test]
fn a_column_with_decimal_commas_is_refused_until_its_mark_is_declared() {
    let amounts = ["3.250,50", "4.000", "12,500", "7000"];
    let found = gross(&slips(), &amounts, ';');
    assert_eq!(found[3], Ok("7000".to_owned()), "a number without any mark is the same in both");
    for (amount, found) in amounts.iter().zip(&found).take(3) {
        let reason = found.as_ref().unwrap_err();
        assert!(reason.contains("declare `decimal = \",\"`") && !reason.contains("250"), "{amount}: {reason}");
    }
    for config in [slips_with(None, "decimal", json!(",")), slips_with(Some("应发"), "decimal", json!(","))] {
        assert_eq!(gross(&config, &amounts, ';'), ["3250.5", "4000", "12.5", "7000"].map(|a| Ok(a.to_owned())));
    }
    let point = slips_with(None, "decimal", json!("."));
    let found = gross(&point, &["4.000", "12,500", "3.250,50"], ',');
    assert_eq!(found[..2], ["4", "12500"].map(|a| Ok(a.to_owned())));
    assert!(found[2].is_err());
}

#[test]
fn an_amount_that_may_be_thousands_or_decimals_is_read_by_what_its_column_proves() {
    assert!(gross(&slips(), &["4.000"], ',')[0].as_ref().unwrap_err().contains("declare `decimal`"));
    assert_eq!(gross(&slips(), &["4.000", "12.50"], ',')[0], Ok("4".to_owned()));
    assert_eq!(gross(&slips(), &["12,500"], ',')[0], Ok("12500".to_owned()));
    assert!(gross(&slips(), &["12,500"], ';')[0].is_err(), "a file with semicolons may have decimal commas");
    assert_eq!(gross(&slips(), &["12,500", "1,234.56"], ';')[0], Ok("12500".to_owned()));
    let mixed = gross(&slips(), &["1,234.56", "1.234,56"], ',');
    assert!(mixed.iter().all(Result::is_err), "one mark a column: {mixed:?}");
    assert!(gross(&slips(), &["1234,567.00"], ',')[0].is_err(), "separators that do not part thousands");
}

#[test]
fn a_long_tail_is_rounded_to_what_the_cell_shows_or_by_the_declared_rule() {
    assert_eq!(cell(&slips(), "8333.333333333334", "id 4").as_deref(), Ok("8333.33"));
    assert_eq!(cell(&slips(), "8333.333333333334", "[$¥-804]#,##0.0").as_deref(), Ok("8333.3"));
    let reason = cell(&slips(), "8333.333333333334", "id 0").unwrap_err();
    assert!(reason.contains("declare `round`") && !reason.contains("8333"), "{reason}");
    for config in [slips_with(None, "round", json!(2)), slips_with(Some("应发"), "round", json!(2))] {
        assert_eq!(cell(&config, "8333.333333333334", "id 0").as_deref(), Ok("8333.33"));
        assert_eq!(cell(&config, "0.125", "id 0").as_deref(), Ok("0.13"), "half away from zero");
        assert_eq!(cell(&config, "-0.125", "id 0").as_deref(), Ok("-0.13"));
    }
    assert_eq!(cell(&slips(), "8333.125", "id 4").as_deref(), Ok("8333.125"), "what a record can hold stays as it is");
    assert_eq!(cell(&slips(), "0.30000000000000004", "id 0").as_deref(), Ok("0.3"));
}

#[test]
fn percentages_mean_what_their_format_shows() {
    let read = |of_one: bool, value: &str, style: usize| {
        let config = json!({"streams": {"performance_metrics": {
            "files": "*", "key": ["期间"], "set": {"/employee": {"external": {"value": "E"}}, "/metric/code": "m", "/metric/name": {"en": "M"},
                "/metric/objective": true, "/period": {"start": "2025-01-01", "end": "2025-03-31"}},
            "columns": [{"column": "工号", "to": "/value", "parse": {"as": "percent", "of_one": of_one}}],
        }}});
        let row = format!("{}{}", text("K"), number(value, style));
        let run = crate::world::Drop::default()
            .with("f", book_of("", &["0%", "0.00%"], &[&row], ""))
            .run(&config, "performance_metrics", None)
            .unwrap();
        payload(&run, 0)["value"].as_str().unwrap().to_owned()
    };
    assert_eq!((read(false, "0.85", 1), read(true, "0.85", 1)), ("85".to_owned(), "85".to_owned()));
    assert_eq!((read(false, "0.85", 0), read(true, "0.85", 0)), ("0.85".to_owned(), "85".to_owned()));
    assert_eq!(read(false, "0.333333333333333", 2), "33.33");
}

#[test]
fn a_rounded_amount_says_by_which_rule_in_its_lineage() {
    let row =
        |id: &str, style: usize| format!("{}{}{}", person(id), number("8333.33333333333", style), number("8000.5", 0));
    let rows = [row("E1", 1), row("E2", 2)];
    let book = book_of("", &["#,##0.00", "#,##0.0"], &rows.each_ref().map(String::as_str), "");
    let run = run_slips(&slips(), book.clone());
    let pointers: Vec<_> = run.records.iter().map(|record| record.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["工资!2; C2 rounded to 2 digits as the cell shows it", "工资!3; C3 rounded to 1 digits as the cell shows it"]
    );
    let run = run_slips(&slips_with(None, "round", json!(0)), book);
    assert_eq!(run.records[0].pointer, "工资!2; C2 rounded to 0 digits by `round`; D2 rounded to 0 digits by `round`");
    let csv = "期间,工号,应发,实发,奖金\n2025-03,E1,11.0051,1.00,1\n";
    let run = run_slips(&slips_with(None, "round", json!(2)), csv);
    assert_eq!(run.records[0].pointer, "csv!2; C2 rounded to 2 digits by `round`");
}
