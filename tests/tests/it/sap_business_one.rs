//! SAP Business One through the gateway, by a connector without code: a payroll journal is posted once.

use renmen_tests::office;
use renmen_tests::sap_business_one::{self as b1, Company};
use serde_json::{Value, json};

use crate::declared::Trial;
use crate::harness::serve;

async fn company() -> (office::Shared<Company>, Trial) {
    let office = office::open(Company::default());
    let url = serve(office::router(office.clone())).await;
    let secret = Company::user();
    let config = format!("{{ base_url = \"{url}\" }}");
    let trial = Trial::new("sap-business-one", &config, &[("user", secret.as_str())], &["cost_centers"]);
    (office, trial.with_public("user", &["company_db", "user"]))
}

fn journal(id: &str, date: &str, account: &str) -> Value {
    json!({
        "id": id, "journal": "payroll-cn", "reference": "PR-2025-03", "ledger": "001", "date": date, "period": { "year": 2025, "month": 3 },
        "currency": "CNY", "text": "Payroll 2025-03 PR-2025-03, a text that is longer than the ledger takes", "total": "152300.10", "header": {},
        "lines": [
            { "number": 1, "side": "DEBIT", "account": account, "amount": "152300.10", "debit": "152300.10", "text": "Wages", "dimensions": { "cost_center": "CC10" } },
            { "number": 2, "side": "CREDIT", "account": "2211.01", "amount": "152300.10", "credit": "152300.10", "text": "Net pay", "dimensions": {} },
        ],
    })
}

const ID: &str = "5b1c0f0e9d3a4c6f8e7d6c5b4a392817";

#[tokio::test(flavor = "multi_thread")]
async fn s17_a_journal_is_posted_once_and_one_that_the_ledger_refuses_is_dead_with_its_code() {
    let (office, trial) = company().await;
    office.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("cost_centers").await, [3, 0, 0]);
    let gateway = trial.serve().await;
    let post = async |input: Value, key: &str| gateway.act("org-units", "CC10", "journal.post", input, key).await;
    let posted = post(journal(ID, "2025-03-31", "6602.01"), "one").await;
    assert_eq!((&posted["state"], &posted["receipt"]["reference"]), (&json!("delivered"), &json!("100")), "{posted}");
    // The same delivery again, and another delivery of the same journal.
    assert_eq!(post(journal(ID, "2025-03-31", "6602.01"), "one").await["id"], posted["id"]);
    let again = post(journal(ID, "2025-03-31", "6602.01"), "two").await;
    assert_eq!(again["receipt"]["reference"], "100", "{again}");
    let entries = office.lock().unwrap().vendor.entries.clone();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["Memo"], "Payroll 2025-03 PR-2025-03, a text that is longer");
    let first = &entries[0]["JournalEntryLines"][0];
    assert_eq!(
        (&first["Debit"], &first["Credit"], &first["CostingCode"]),
        (&json!(152_300.1), &json!(0), &json!("CC10"))
    );
    for (id, date, account) in [("a".repeat(32), "2025-03-31", "9999"), ("b".repeat(32), "2024-12-31", "6602.01")] {
        let refused = post(journal(&id, date, account), &id).await;
        assert_eq!(refused["state"], "dead", "{refused}");
    }
    assert_eq!(office.lock().unwrap().vendor.entries.len(), 1);
    trial.keeps(&[b1::PASSWORD, b1::SESSION]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_opens_no_session() {
    let (_office, trial) = company().await;
    let trial = trial
        .secret("user", &json!({ "company_db": b1::COMPANY, "user": b1::USER, "password": "another" }).to_string());
    assert_eq!(trial.failure("cost_centers").await, "auth-required");
}
