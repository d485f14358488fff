//! Sums: accounts, sides, dimensions, and what a run is refused for.

use renmen_ledger::{Book, Draft, Fault, FaultCode, Journal, Side, Slip, Standing, TotalOf};
use renmen_schema::entity::PayrollRecord;
use renmen_schema::types::Money;
use serde_json::{Value, json};

use crate::world::{book, facts, line, slip};

fn parsed(body: Value) -> PayrollRecord {
    serde_json::from_value(body).unwrap()
}

fn drafted(book: &Book, slips: &[(&str, Value, Standing)]) -> (Vec<Journal>, Vec<Fault>) {
    let mut draft = Draft::new(book);
    for (id, body, standing) in slips {
        let body = parsed(body.clone());
        draft.take(&Slip { external_id: id, body: &body }, standing);
    }
    draft.finish(&facts())
}

fn unit(chain: &[&str]) -> Standing {
    let org_units = chain.iter().map(|code| vec![(*code).to_owned()]).collect();
    Standing { org_units, ..Standing::default() }
}

fn lines(journal: &Journal) -> Vec<String> {
    let shown = |line: &renmen_ledger::JournalLine| {
        let dimensions: Vec<String> = line.dimensions.iter().map(|(name, code)| format!("{name}={code}")).collect();
        format!("{} {} {} {}", line.side.as_str(), line.account, journal.shown(line.amount), dimensions.join(","))
            .trim_end()
            .to_owned()
    };
    journal.lines.iter().map(shown).collect()
}

fn codes(faults: &[Fault]) -> Vec<FaultCode> {
    faults.iter().map(|fault| fault.code).collect()
}

#[test]
fn wages_deductions_taxes_contributions_and_net_pay_balance_to_the_cent_s16_s17() {
    let one = slip(
        "10043.65",
        "12000.00",
        vec![
            line("EARNING", "BASE", "10000.00"),
            line("EARNING", "BONUS", "2000.00"),
            line("DEDUCTION", "PENSION", "960.00"),
            line("DEDUCTION", "HOUSING_FUND", "840.00"),
            line("TAX", "INDIVIDUAL_INCOME_TAX", "156.35"),
            line("EMPLOYER_CONTRIBUTION", "PENSION", "1920.00"),
        ],
    );
    let other = slip(
        "7800.10",
        "8000.10",
        vec![
            line("EARNING", "BASE", "8000.10"),
            // As many sources write what is taken.
            line("DEDUCTION", "PENSION", "-200.00"),
            line("EMPLOYER_CONTRIBUTION", "PENSION", "400.00"),
        ],
    );
    let slips = [("s1", one, unit(&["D-11", "D-10"])), ("s2", other, unit(&["D-20"]))];
    let (journals, faults) = drafted(&book(), &slips);
    assert_eq!(codes(&faults), []);
    assert_eq!(journals.len(), 1);
    assert_eq!(
        lines(&journals[0]),
        [
            "DEBIT 6602.01 12000.00 cost_center=CC10",
            "DEBIT 6602.01 8000.10 cost_center=CC20",
            "DEBIT 6602.05 1920.00 cost_center=CC10",
            "DEBIT 6602.05 400.00 cost_center=CC20",
            "CREDIT 2211.01 17843.75",
            "CREDIT 2211.05 2320.00",
            "CREDIT 2221.01 156.35",
            "CREDIT 2241.01 2000.00",
        ],
        "a unit without a line of its own has that of the unit above it"
    );
    assert_eq!((journals[0].debit, journals[0].credit), ("22320.10".parse().unwrap(), "22320.10".parse().unwrap()));
}

#[test]
fn a_run_that_does_not_balance_is_refused_with_the_difference_and_the_payslips() {
    let good = slip("9000", "10000", vec![line("EARNING", "BASE", "10000"), line("DEDUCTION", "PENSION", "1000")]);
    let bad = slip("9000.01", "10000", vec![line("EARNING", "BASE", "10000"), line("DEDUCTION", "PENSION", "1000")]);
    let (journals, faults) = drafted(&book(), &[("good", good, unit(&["D-10"])), ("bad", bad, unit(&["D-10"]))]);
    assert_eq!(codes(&faults), [FaultCode::Unbalanced]);
    let told = faults[0].message.to_string();
    for part in ["20000.00 CNY", "20000.01 CNY", "differ by -0.01", "1 payslips", "bad -0.01"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("good"));
    assert_eq!(journals[0].debit - journals[0].credit, "-0.01".parse().unwrap());
}

#[test]
fn a_pay_item_without_an_account_is_refused_by_name_and_its_sum_is_told() {
    let lines = vec![
        line("EARNING", "BASE", "10000"),
        json!({ "kind": "EARNING", "code": { "code": "OTHER", "raw": "night-shift" }, "name": { "en": "Night shift" },
                "amount": { "amount": "300", "currency": "CNY" } }),
        line("EMPLOYER_CONTRIBUTION", "MEDICAL", "500"),
    ];
    let (_, faults) = drafted(&book(), &[("s", slip("10300", "10300", lines), unit(&["D-10"]))]);
    assert_eq!(
        codes(&faults),
        [FaultCode::NoAccount, FaultCode::NoAccount],
        "and the sums are not held against each other"
    );
    assert!(
        faults[0]
            .message
            .to_string()
            .contains("EARNING OTHER `night-shift` (Night shift) has no account: 1 lines, 300.00 CNY")
    );
    assert!(faults[1].message.to_string().contains("EMPLOYER_CONTRIBUTION MEDICAL"));
}

#[test]
fn the_sources_own_word_counts_before_the_code_and_that_before_the_kind() {
    let mut book = book();
    book.items[0].words = vec!["1001".to_owned()];
    let item = |code: Value| {
        let code = serde_json::from_value(code).unwrap();
        book.item(renmen_schema::code::PayLineKind::Earning, &code).map(|item| item.name.clone())
    };
    assert_eq!(item(json!({ "code": "OVERTIME", "raw": "1001" })).as_deref(), Some("wages"));
    assert_eq!(item(json!({ "code": "BASE", "raw": "1002" })).as_deref(), Some("wages"));
    assert_eq!(item(json!({ "code": "OVERTIME", "raw": "1002" })), None);
}

#[test]
fn a_unit_that_no_line_is_for_is_named_and_a_default_takes_its_place() {
    let pay = || slip("10000", "10000", vec![line("EARNING", "BASE", "10000")]);
    let (_, faults) = drafted(&book(), &[("s1", pay(), unit(&["D-99"])), ("s2", pay(), Standing::default())]);
    assert_eq!(codes(&faults), [FaultCode::NoDimension, FaultCode::NoDimension]);
    let told: Vec<String> = faults.iter().map(|fault| fault.message.to_string()).collect();
    assert!(told[0].contains("`s2`") && told[0].contains("have no org_unit"), "{told:?}");
    assert!(
        told[1].contains("org_unit `D-99` has no code") && told[1].contains("dimensions.cost_center.map"),
        "{told:?}"
    );
    let mut with_default = book();
    with_default.dimensions.get_mut("cost_center").unwrap().default = Some("CC00".to_owned());
    let (journals, faults) = drafted(&with_default, &[("s1", pay(), unit(&["D-99"]))]);
    assert_eq!((codes(&faults), lines(&journals[0])[0].as_str()), (vec![], "DEBIT 6602.01 10000.00 cost_center=CC00"));
}

#[test]
fn what_is_given_back_stands_on_the_other_side() {
    let refund =
        slip("1100", "1000", vec![line("EARNING", "BASE", "1000"), line("TAX", "INDIVIDUAL_INCOME_TAX", "-100")]);
    let (journals, faults) = drafted(&book(), &[("s", refund, unit(&["D-10"]))]);
    assert_eq!(codes(&faults), []);
    assert_eq!(
        lines(&journals[0]),
        ["DEBIT 2221.01 100.00", "DEBIT 6602.01 1000.00 cost_center=CC10", "CREDIT 2211.01 1100.00"]
    );
    assert!(journals[0].lines.iter().all(|line| line.amount > rust_decimal::Decimal::ZERO));
    assert_eq!(Side::Debit.other(), Side::Credit);
}

#[test]
fn a_run_of_two_currencies_makes_a_journal_for_each_with_the_digits_of_its_currency() {
    let yen = json!({ "run": { "external": { "value": "2025-03" } }, "employee": { "external": { "value": "e" } },
        "gross": { "amount": "300000", "currency": "JPY" }, "net": { "amount": "300000", "currency": "JPY" },
        "lines": [{ "kind": "EARNING", "code": { "code": "BASE" }, "name": { "en": "b" }, "amount": { "amount": "300000", "currency": "JPY" } }] });
    let yuan = slip("1000", "1000", vec![line("EARNING", "BASE", "1000")]);
    let (journals, faults) = drafted(&book(), &[("y", yen, unit(&["D-10"])), ("c", yuan, unit(&["D-10"]))]);
    assert_eq!(codes(&faults), []);
    assert_eq!(lines(&journals[0])[1], "CREDIT 2211.01 1000.00");
    assert_eq!(lines(&journals[1])[1], "CREDIT 2211.01 300000");
    let (book, facts) = (book(), facts());
    assert_ne!(journals[0].id(&book, &facts), journals[1].id(&book, &facts));
}

#[test]
fn an_amount_finer_than_its_currency_is_refused_with_its_payslip() {
    let fine = slip("1000.005", "1000.005", vec![line("EARNING", "BASE", "1000.005")]);
    let (_, faults) = drafted(&book(), &[("s", fine, unit(&["D-10"]))]);
    assert_eq!(codes(&faults), [FaultCode::Fraction]);
    assert!(faults[0].message.to_string().contains("s BASE 1000.005 CNY"), "{}", faults[0].message);
}

#[test]
fn the_runs_own_total_shows_whether_payslips_are_missing() {
    let mut book = book();
    book.total = Some(TotalOf::Net);
    let pay = || slip("1000", "1000", vec![line("EARNING", "BASE", "1000")]);
    let finish = |slips: usize| {
        let mut draft = Draft::new(&book);
        for _ in 0..slips {
            let body = parsed(pay());
            draft.take(&Slip { external_id: "s", body: &body }, &unit(&["D-10"]));
        }
        let mut facts = facts();
        facts.totals = vec![Money::new("2000", "CNY").unwrap()];
        draft.finish(&facts).1
    };
    assert_eq!(codes(&finish(2)), []);
    let faults = finish(1);
    assert_eq!(codes(&faults), [FaultCode::Total]);
    assert!(faults[0].message.to_string().contains("net of the 1 payslips is 1000.00 CNY and the run's total 2000.00"));
}

#[test]
fn a_journal_has_so_many_lines_and_no_more() {
    let mut book = book();
    let slips = || {
        let pay = || slip("1000", "1000", vec![line("EARNING", "BASE", "1000")]);
        [("a", pay(), unit(&["D-10"])), ("b", pay(), unit(&["D-20"]))]
    };
    book.lines_max = 3;
    assert_eq!(codes(&drafted(&book, &slips()).1), []);
    book.lines_max = 2;
    assert_eq!(codes(&drafted(&book, &slips()).1), [FaultCode::Lines]);
}

#[test]
fn a_run_without_payslips_is_refused() {
    assert_eq!(codes(&drafted(&book(), &[]).1), [FaultCode::NoPayslips]);
}

#[test]
fn a_payslip_whose_deductions_have_both_signs_is_read_as_it_adds_up() {
    let kept = vec![
        line("EARNING", "BASE", "12000"),
        line("DEDUCTION", "PENSION", "960"),
        line("DEDUCTION", "HOUSING_FUND", "-840"),
    ];
    let (journals, faults) = drafted(&book(), &[("s", slip("10200", "12000", kept), unit(&["D-10"]))]);
    assert_eq!(codes(&faults), []);
    assert!(lines(&journals[0]).contains(&"CREDIT 2241.01 1800.00".to_owned()), "{:?}", lines(&journals[0]));
}

#[test]
fn what_the_employer_bears_of_a_deduction_is_his_contribution() {
    let mut borne = line("DEDUCTION", "PENSION", "500");
    borne["borne_by"] = json!("EMPLOYER");
    let pay = slip("1000", "1000", vec![line("EARNING", "BASE", "1000"), borne]);
    let (journals, faults) = drafted(&book(), &[("s", pay, unit(&["D-10"]))]);
    assert_eq!(codes(&faults), []);
    assert!(lines(&journals[0]).contains(&"DEBIT 6602.05 500.00 cost_center=CC10".to_owned()));
}
