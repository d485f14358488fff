//! What may be an id: a text, or a whole number that a spreadsheet holds exactly.

use serde_json::json;

use crate::world::{Drop, book_of, ids, number, payload, rejects, run_slips, slips, text};

fn of_text(id: &str) -> Result<String, String> {
    let run = run_slips(&slips(), format!("期间,工号,应发,实发,奖金\n2025-03,{id},1,1,1\n"));
    match run.rejects.first() {
        Some(reject) => Err(reject.reason.clone()),
        None => {
            let payload = payload(&run, 0);
            let reference = payload["employee"]["external"]["value"].as_str().unwrap();
            assert_eq!(run.records[0].external_id, format!("2025-03|{reference}"), "key and reference are made alike");
            Ok(reference.to_owned())
        }
    }
}

fn of_number(value: &str, format: &str) -> Result<String, String> {
    let row = format!("{}{}{}{}", text("2025-03"), number(value, 1), number("1", 0), number("1", 0));
    let run = run_slips(&slips(), book_of("", &[format], &[&row], ""));
    match run.rejects.first() {
        Some(reject) => Err(reject.reason.clone()),
        None => Ok(ids(&run)[0].trim_start_matches("2025-03|").to_owned()),
    }
}

#[test]
fn what_exporters_write_to_keep_zeros_is_undone() {
    for id in ["=\"000123\"", "\"=\"\"000123\"\"\"", "'000123", "\"\t000123\"", "０００１２３", "000123 "] {
        assert_eq!(of_text(id).as_deref(), Ok("000123"), "{id}");
    }
}

#[test]
fn marks_that_nobody_sees_are_taken_out_of_ids() {
    for mark in ["\u{200b}", "\u{200e}", "\u{202a}", "\u{2060}", "\u{feff}", "\u{ad}"] {
        assert_eq!(of_text(&format!("{mark}E0{mark}1{mark}")).as_deref(), Ok("E01"), "{mark:?}");
    }
}

#[test]
fn texts_whose_digits_are_lost_are_no_ids() {
    for id in ["1.10101E+17", "1E+17", "1.1e5", "\"1,1E+17\"", "123.0", "=SUM(A1:A2)", "=T(A1)", "#N/A", "#####"] {
        let reason = of_text(id).unwrap_err();
        assert!(!reason.contains("10101"), "{reason}");
    }
    for id in ["5E12", "E5", "12.3.4", "A-1", "1.5"] {
        assert_eq!(of_text(id).as_deref(), Ok(id), "a text that only looks alike");
    }
}

#[test]
fn whole_numbers_of_at_most_15_digits_are_ids_and_longer_ones_are_refused() {
    for (value, id) in [("123", "123"), ("999999999999999", "999999999999999"), ("1.1E+5", "110000")] {
        assert_eq!(of_number(value, "id 0").as_deref(), Ok(id));
    }
    for value in ["1000000000000000", "110101199003071234", "1.1010119900307e+17", "9007199254740993"] {
        assert!(of_number(value, "id 0").unwrap_err().contains("more than 15 digits"), "{value}");
    }
    assert!(of_number("12.5", "id 0").unwrap_err().contains("fraction"));
    assert!(of_number("12", "id 11").unwrap_err().contains("scientific"));
}

#[test]
fn a_format_that_fills_up_with_zeros_is_applied_and_one_that_adds_words_is_refused() {
    for (format, id) in
        [("000000", "000123"), ("000000_ ", "000123"), ("0_ ", "123"), ("id 49", "123"), ("0", "123"), ("#,##0", "123")]
    {
        assert_eq!(of_number("123", format).as_deref(), Ok(id), "{format}");
    }
    for format in ["\"E\"00000", "000-000", "id 9", "[$¥-804]0", ";;;"] {
        assert!(of_number("123", format).unwrap_err().contains("format adds"), "{format}");
    }
}

#[test]
fn a_number_that_lost_digits_is_refused_as_a_text_and_as_an_amount_too() {
    let config = json!({"streams": {"payroll_records": {"files": "*", "key": ["工号"], "columns": [
        {"column": "工号", "to": "/employee", "parse": {"as": "ref"}}, {"column": "期间", "to": "/note"}]}}});
    let row = format!("{}{}", number("110101199003071234", 0), text("E1"));
    let run = Drop::default().with("f", book_of("", &[], &[&row], "")).run(&config, "payroll_records", None).unwrap();
    assert_eq!(rejects(&run)[0].0, "工资!A2");
}

#[test]
fn a_reference_can_be_by_a_key_of_whichever_connection_has_it() {
    let employee = |parse: serde_json::Value, cell: &str| {
        let mut config = slips();
        let columns = config["streams"]["payroll_records"]["columns"].as_array_mut().unwrap();
        columns.iter_mut().find(|column| column["to"] == "/employee").unwrap()["parse"] = parse;
        let sheet = format!("期间,工号,应发,实发,奖金\n2025-03,{cell},1,1,1\n");
        Drop::default().with("s.csv", sheet).run(&config, "payroll_records", None)
    };
    let key = |run: &_| payload(run, 0)["employee"].clone();
    let by_number = employee(json!({ "as": "ref", "scheme": "employee_number" }), " E00123").unwrap();
    assert_eq!(key(&by_number), json!({ "key": { "scheme": "employee_number", "value": "E00123" } }));
    let of_one = employee(json!({ "as": "ref", "scheme": "employee_number", "connection": "hr" }), "E1").unwrap();
    assert_eq!(key(&of_one), json!({ "key": { "scheme": "employee_number", "value": "E1", "connection": "hr" } }));
    let no_number = employee(json!({ "as": "ref", "scheme": "mobile" }), "13800000000").unwrap();
    let (place, reason) = rejects(&no_number).remove(0);
    assert!(reason.contains("E.164") && !reason.contains("138"), "{place}: {reason}");
    let refused = employee(json!({ "as": "ref", "scheme": "shoe_size" }), "43").unwrap_err();
    assert!(refused.message.contains("employee_number, work_email, mobile"), "{refused}");
}

#[test]
fn a_reference_is_of_its_own_connection_or_of_the_one_that_is_named() {
    let employee = |connection: serde_json::Value| {
        let mut config = slips();
        let columns = config["streams"]["payroll_records"]["columns"].as_array_mut().unwrap();
        let column = columns.iter_mut().find(|column| column["to"] == "/employee").unwrap();
        column["parse"]["connection"] = connection;
        let run = Drop::default().with("s.csv", "期间,工号,应发,实发,奖金\n2025-03,E1,1,1,1\n").run(
            &config,
            "payroll_records",
            None,
        );
        run.map(|run| payload(&run, 0)["employee"]["external"].clone())
    };
    assert_eq!(employee(json!(null)).unwrap(), json!({ "value": "E1" }));
    assert_eq!(employee(json!("dingtalk")).unwrap(), json!({ "connection": "dingtalk", "value": "E1" }));
    let refused = employee(json!("Ding Talk")).unwrap_err();
    assert!(refused.message.contains("/streams/payroll_records/columns"), "it says where: {refused}");
}

#[test]
fn a_number_that_only_rounding_makes_whole_is_not_an_id() {
    let rows = ["392122417724625.5", "123.00000000000001", "392122417724625"]
        .map(|id| format!("{}{}{}{}", text("2025-03"), number(id, 0), number("9000", 0), number("8000", 0)));
    let run = run_slips(&slips(), book_of("", &[], &rows.each_ref().map(String::as_str), ""));
    assert_eq!(ids(&run), ["2025-03|392122417724625"]);
    assert!(rejects(&run).iter().all(|(_, reason)| reason.contains("a fraction")), "{:?}", rejects(&run));
}
