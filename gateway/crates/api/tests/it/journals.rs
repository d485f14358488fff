//! Journals: shown with their faults before they are posted, posted once, listed with their document numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use renmen_api::ApiOptions;
use renmen_flow::{
    ActionInfo, Catalogue, Destination, DestinationEntry, Failure, FlowEngine, FlowOptions, Identity, Push, Receipt,
    SystemClock,
};
use renmen_ledger::{ACTION, Account, Book, Item, Ledger, PostingDate};
use renmen_schema::code::{PayLineKind, PayrollRunState};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{Content, RecordWrite};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::rig::Rig;
use crate::scripted_control::ScriptedControl;

struct Finance;

#[async_trait]
impl Destination for Finance {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        BTreeMap::from([(ACTION.to_owned(), ActionInfo { identity: Identity::Key, ..ActionInfo::default() })])
    }

    async fn push(&self, _push: Push) -> Result<Receipt, Failure> {
        Ok(Receipt { reference: Some("4711".into()), detail: serde_json::Map::new(), confirmed: true })
    }
}

fn book() -> Book {
    let account = |code: &str| Account { code: code.to_owned(), dimensions: Vec::new(), text: code.to_owned() };
    let item = |kind, debit: Option<&str>, credit: Option<&str>| Item {
        name: "item".to_owned(),
        kind,
        codes: Vec::new(),
        words: Vec::new(),
        debit: debit.map(account),
        credit: credit.map(account),
    };
    Book {
        name: "payroll".to_owned(),
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("finance").unwrap(),
        runs: Vec::new(),
        states: vec![PayrollRunState::Approved],
        ledger: "001".to_owned(),
        document_type: None,
        date: PostingDate::PeriodEnd,
        text: "Payroll".to_owned(),
        header: BTreeMap::new(),
        net: account("2211"),
        items: vec![item(PayLineKind::Earning, Some("6602"), None), item(PayLineKind::Tax, None, Some("2221"))],
        dimensions: BTreeMap::new(),
        total: None,
        lines_max: 999,
    }
}

async fn rig() -> (Rig, CancellationToken) {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let rig = Rig::with_parts(ApiOptions::default(), ScriptedControl::default(), |parts| {
        let mut catalogue = Catalogue::default();
        let finance = DestinationEntry::new(Arc::new(Finance) as Arc<dyn Destination>);
        catalogue.add(ConnectionName::new("finance").unwrap(), finance);
        let catalogues = BTreeMap::from([(TenantId::new("acme").unwrap(), catalogue)]);
        let store = Arc::clone(&parts.store);
        let flows = FlowEngine::new(Arc::clone(&store), catalogues, FlowOptions::default(), Arc::new(SystemClock));
        tokio::spawn(Arc::clone(&flows).serve(stop));
        parts.ledger = Ledger::new(store, Arc::clone(&flows), vec![book()]);
        parts.flows = flows;
    })
    .await;
    (rig, cancel)
}

fn slip(net: &str) -> Value {
    let cny = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
    let line = |kind: &str, amount: &str| json!({ "kind": kind, "code": { "code": "OTHER", "raw": "x" }, "name": { "en": "x" }, "amount": cny(amount) });
    json!({
        "run": { "external": { "value": "r1" } }, "employee": { "external": { "value": "e1" } },
        "gross": cny("1000"), "net": cny(net), "lines": [line("EARNING", "1000"), line("TAX", "100")],
    })
}

fn written(entity: &str, id: &str, body: &Value) -> RecordWrite {
    RecordWrite {
        external_id: id.to_owned(),
        content: Content::of(entity, body.to_string().into_bytes()),
        updated_at_ms: None,
        exchange_no: 0,
        pointer: String::new(),
        deleted: None,
    }
}

async fn a_run(rig: &Rig, net: &str) -> String {
    let run = json!({ "period": { "start": "2025-03-01", "end": "2025-03-31" }, "kind": { "code": "REGULAR" }, "state": { "code": "APPROVED" } });
    let records = vec![written("payroll_run", "r1", &run), written("payroll_record", "s1", &slip(net))];
    rig.commit(records, Vec::new()).await;
    rig.get("/v1/payroll-runs").await.json()["data"][0]["id"].as_str().unwrap().to_owned()
}

fn ask(run: &str, dry_run: bool) -> String {
    json!({ "journal": "payroll", "run": run, "reason": "March is approved", "dry_run": dry_run }).to_string()
}

#[tokio::test]
async fn a_run_is_shown_posted_once_and_listed_with_its_document_number_s16() {
    let (rig, cancel) = rig().await;
    let run = a_run(&rig, "900").await;
    let shown = rig.post("/v1/journals", &ask(&run, true)).await;
    assert_eq!((shown.status, shown.json()["faults"].clone()), (StatusCode::OK, json!([])));
    assert_eq!(
        shown.json()["journals"][0]["lines"][0],
        json!({ "side": "DEBIT", "account": "6602", "amount": "1000.00", "text": "6602", "dimensions": {} })
    );
    assert_eq!(rig.get("/v1/journals").await.json()["data"], json!([]));
    let posted = rig.post("/v1/journals", &ask(&run, false)).await;
    assert_eq!(posted.status, StatusCode::CREATED, "{}", posted.text);
    let id = posted.json()["journals"][0]["posting"]["id"].as_i64().unwrap();
    let mut one = Value::Null;
    for _ in 0..500 {
        one = rig.get(&format!("/v1/journals/{id}")).await.json();
        if one["state"] == "delivered" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!((&one["document"], &one["total"], &one["run"]), (&json!("4711"), &json!("1000.00"), &json!(run)));
    assert_eq!(one["input"]["lines"][0]["debit"], "1000.00");
    let again = rig.post("/v1/journals", &ask(&run, false)).await;
    assert_eq!((again.status, &again.json()["journals"][0]["posting"]["document"]), (StatusCode::OK, &json!("4711")));
    let listed = rig.get(&format!("/v1/journals?run={run}&limit=1")).await.json();
    assert_eq!((&listed["data"][0]["id"], &listed["next_cursor"]), (&json!(id), &json!(id.to_string())));
    assert_eq!(rig.get(&format!("/v1/journals?cursor={id}")).await.json()["data"], json!([]));
    rig.get("/v1/journals?limit=101").await.problem("invalid_parameter");
    rig.get("/v1/journals/999").await.problem("not_found");
    cancel.cancel();
}

#[tokio::test]
async fn a_run_that_does_not_balance_is_refused_with_the_difference() {
    let (rig, cancel) = rig().await;
    let run = a_run(&rig, "900.01").await;
    let shown = rig.post("/v1/journals", &ask(&run, true)).await.json();
    assert_eq!(
        (&shown["faults"][0]["code"], &shown["journals"][0]["difference"]),
        (&json!("unbalanced"), &json!("-0.01"))
    );
    let refused = rig.post("/v1/journals", &ask(&run, false)).await;
    assert!(refused.problem("refused")["detail"].as_str().unwrap().contains("differ by -0.01"));
    let other = json!({ "journal": "ledger", "run": run, "reason": "r" }).to_string();
    rig.post("/v1/journals", &other).await.problem("not_found");
    rig.post("/v1/journals", &json!({ "journal": "payroll", "run": "x", "reason": "r" }).to_string())
        .await
        .problem("invalid_parameter");
    cancel.cancel();
}
