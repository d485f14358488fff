//! Kingdee Cloud Galaxy through the real gateway: signed requests, rows of cells, changes by local time, a journal kept as a draft once.

use renmen_tests::kingdee::{self, Tenant};
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, plugin, said, serve};

const STREAMS: [&str; 4] = ["organisations", "departments", "posts", "employees"];

async fn home(tenant: &Tenant, secret: &str) -> Home {
    let url = serve(kingdee::router(tenant.clone())).await;
    let streams: String = STREAMS.iter().map(|stream| format!("streams.{stream} = {{ manual = true }}\n")).collect();
    let config = format!(
        r#"
[connections.galaxy]
plugin = "{}"
config = {{ base_url = "{url}/k3cloud", acct_id = "{}", user = "{}", org_number = "0" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "GALAXY_APP" }}
{streams}
limits = {{ retries_max = 1, retry_wait_max = "2s" }}
"#,
        plugin("kingdee-galaxy").display(),
        kingdee::ACCT_ID,
        kingdee::USER,
    );
    let app = json!({ "app_id": kingdee::APP_ID, "app_secret": secret }).to_string();
    Home::new(&config).env("GALAXY_APP", &app)
}

async fn pull(home: &Home, stream: &str) -> Value {
    let output = home.run(&["sync", "galaxy", stream, "--dev", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    report[0].clone()
}

async fn records(home: &Home, collection: &str) -> Vec<Value> {
    let records = home.json(&["records", collection, "--dev", "--limit", "1000"]).await;
    records.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_everything_comes_in_signed_and_what_changed_comes_again() {
    let tenant = kingdee::tenant(2_300);
    let home = home(&tenant, kingdee::APP_SECRET).await;
    for stream in STREAMS {
        let run = pull(&home, stream).await;
        assert_eq!((&run["failure"], &run["quarantined"]), (&Value::Null, &0.into()), "{run}");
    }
    for (collection, many) in [("org-units", 4), ("jobs", 2)] {
        assert_eq!(records(&home, collection).await.len(), many, "{collection}");
    }
    let run = pull(&home, "employees").await;
    assert_eq!((&run["created"], &run["updated"]), (&0.into(), &0.into()), "{run}");
    let (requests, nonces) = {
        let galaxy = tenant.lock().unwrap();
        (galaxy.requests, galaxy.nonces.len() as u64)
    };
    assert_eq!(requests, nonces, "each request has a nonce of its own");

    tenant.lock().unwrap().touch(7, "FEmail", json!("new@example.test"));
    tenant.lock().unwrap().touch(8, "FForbidStatus", json!("B"));
    let run = pull(&home, "employees").await;
    assert_eq!((&run["created"], &run["updated"]), (&0.into(), &2.into()), "{run}");
    tenant.lock().unwrap().form("BD_Department").pop();
    assert_eq!(pull(&home, "departments").await["deleted"], 1);
    assert!(tenant.lock().unwrap().requests - requests < 6, "only what changed is asked for");
    for (path, bytes) in home.every_byte() {
        assert!(memchr::memmem::find(&bytes, kingdee::APP_SECRET.as_bytes()).is_none(), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_galaxy_does_not_take_and_its_faults_have_their_ends() {
    let tenant = kingdee::tenant(3);
    let wrong = home(&tenant, "another-secret-0123456789").await;
    let run = pull(&wrong, "departments").await;
    assert_eq!(run["failure"]["code"], "auth-required", "{run}");
    assert_eq!(tenant.lock().unwrap().requests, 0);
    let home = home(&tenant, kingdee::APP_SECRET).await;
    for (code, kind) in [
        (1, "auth-required"),
        (15, "not-granted"),
        (14, "rate-limited"),
        (6, "upstream-unavailable"),
        (4, "upstream-changed"),
    ] {
        tenant.lock().unwrap().faults.push(code);
        let run = pull(&home, "departments").await;
        let message = run["failure"]["message"].as_str().unwrap_or_default();
        assert_eq!(run["failure"]["code"], kind, "{run}");
        assert!(message.ends_with(&format!("[{code}]")), "the vendor's code is told: {message}");
    }
    assert_eq!(pull(&home, "departments").await["failure"], Value::Null);
}

fn journal(id: &str, account: &str) -> Value {
    let dimensions = json!({ "FDETAILID__FFLEX5": "BM000101" });
    json!({
        "id": id, "ledger": "001", "date": "2025-11-30", "currency": "CNY", "text": "Pay 2025-11", "period": { "year": 2025, "month": 11 },
        "lines": [
            { "number": 1, "side": "DEBIT", "account": account, "amount": "12000.10", "debit": "12000.10", "text": "Wages", "dimensions": dimensions },
            { "number": 2, "side": "CREDIT", "account": "2211.01", "amount": "10000.05", "credit": "10000.05", "text": "Net pay", "dimensions": {} },
            { "number": 3, "side": "CREDIT", "account": "2221.05", "amount": "2000.05", "credit": "2000.05", "text": "Tax", "dimensions": {} },
        ],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_a_journal_becomes_one_draft_even_where_its_answer_was_lost() {
    let tenant = kingdee::tenant(1);
    let home = home(&tenant, kingdee::APP_SECRET).await;
    pull(&home, "employees").await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let record = api.get("/v1/employees").await["data"][0]["id"].clone();
    let act = |input: Value| json!({ "record": record, "connection": "galaxy", "action": "journal.post", "input": input, "reason": "r", "dry_run": false });
    tenant.lock().unwrap().lose = 1;
    let id = "0123456789abcdef0123456789abcdef";
    let (status, sent) = api.post("/v1/actions", &act(journal(id, "6602.01"))).await;
    assert!(status < 300, "{sent}");
    let delivered = |page: &Value| {
        let row = page["data"].as_array().unwrap().iter().find(|row| row["state"] == "delivered")?;
        Some(row.clone())
    };
    let row = api.until("/v1/deliveries?connection=galaxy", delivered).await;
    assert_eq!(row["receipt"]["reference"], "100001", "{row}");
    let vouchers = tenant.lock().unwrap().vouchers.clone();
    assert_eq!(vouchers.len(), 1);
    let voucher = &vouchers[0];
    assert_eq!((&voucher["FBillNo"], &voucher["FYEAR"], &voucher["FPERIOD"]), (&json!(id), &json!(2025), &json!(11)));
    let line = &voucher["FEntity"][0];
    assert_eq!((&line["FDEBIT"], &line["FCREDIT"]), (&json!(12000.10), &json!(0)));
    assert_eq!(line["FDetailID"], json!({ "FDETAILID__FFLEX5": { "FNumber": "BM000101" } }));

    // An account that there is not: told, and not tried again.
    api.post("/v1/actions", &act(journal(&id.replace('0', "f"), "9999"))).await;
    let dead = |page: &Value| {
        let row = page["data"].as_array().unwrap().iter().find(|row| row["state"] == "dead")?;
        Some(row.clone())
    };
    let row = api.until("/v1/deliveries?connection=galaxy", dead).await;
    assert!(row.to_string().contains("Galaxy refuses the voucher"), "{row}");
    assert_eq!(tenant.lock().unwrap().vouchers.len(), 1);
}
