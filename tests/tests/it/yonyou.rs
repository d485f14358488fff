//! Yonyou YonBIP through the real gateway: signed tokens in the query, a tree of departments, what changed by local time, pay slips of the
//! pay files of the last months, a journal as one voucher.

use renmen_tests::yonyou::{self, Tenant};
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, plugin, said, serve};

const STREAMS: [&str; 7] =
    ["departments", "positions", "staff", "candidates", "payroll_runs", "payslips", "attendance"];

async fn home(tenant: &Tenant, secret: &str) -> Home {
    let url = serve(yonyou::router(tenant.clone())).await;
    let streams: String = STREAMS.iter().map(|stream| format!("streams.{stream} = {{ manual = true }}\n")).collect();
    let config = format!(
        r#"
[connections.yonbip]
plugin = "{}"
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "YONBIP_APP" }}
{streams}
limits = {{ retries_max = 1, retry_wait_max = "2s" }}

[connections.yonbip.config]
base_url = "{url}/gateway"
token_url = "{url}/iuap-api-auth/open-auth/selfAppAuth/getAccessToken"
org_ids = ["{}"]
attendance_scheme = "{}"
maker_email = "{}"
"#,
        plugin("yonyou-yonbip").display(),
        yonyou::ORG,
        yonyou::SCHEME,
        yonyou::MAKER,
    );
    let app = json!({ "app_key": yonyou::APP_KEY, "app_secret": secret }).to_string();
    Home::new(&config).env("YONBIP_APP", &app)
}

async fn pull(home: &Home, stream: &str) -> Value {
    let output = home.run(&["sync", "yonbip", stream, "--dev", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    report[0].clone()
}

async fn records(home: &Home, collection: &str) -> Vec<Value> {
    let records = home.json(&["records", collection, "--dev", "--limit", "1000"]).await;
    records.as_array().unwrap().clone()
}

/// Months that are asked for now, and days of the last weeks.
fn fill(tenant: &Tenant) {
    let mut yonbip = tenant.lock().unwrap();
    let now = jiff::Timestamp::now();
    let month = now.strftime("%Y-%m").to_string();
    let last = (now - jiff::SignedDuration::from_hours(24 * 31)).strftime("%Y-%m").to_string();
    yonbip.pay(&month, 2);
    yonbip.pay(&last, 3);
    if last != month {
        // Two files of one month come as a list.
        let again = json!({ "id": "f-again", "busiOrg": yonyou::ORG, "schemeName": "奖金", "payPeriodName": last, "totals": 1 });
        yonbip.pay_files.get_mut(&last).unwrap().push(again);
    }
    let midnight = (now.as_millisecond() + 28_800_000).div_euclid(86_400_000) * 86_400_000 - 28_800_000;
    for back in [1_i64, 2, 10, 20] {
        let (normal, late) = (back != 2, i64::from(back == 2));
        yonbip.attendance.push(json!({ "staffId": "s0", "calendar": midnight - back * 86_400_000, "shiftName": "白班", "actualworkhours": 8,
            "isnormal": normal, "isleave": false, "isabsent": false, "latecount": late, "earlycount": 0, "pubts": "2026-01-01 00:00:00" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_everything_comes_in_and_what_changed_comes_again() {
    let tenant = yonyou::tenant(1_100);
    fill(&tenant);
    let home = home(&tenant, yonyou::APP_SECRET).await;
    for stream in STREAMS {
        let run = pull(&home, stream).await;
        assert_eq!((&run["failure"], &run["quarantined"]), (&Value::Null, &0.into()), "{stream}: {run}");
    }
    let files = tenant.lock().unwrap().pay_files.values().flatten().count();
    let found = [
        ("org-units", 4),
        ("jobs", 3),
        ("candidates", 2),
        ("payroll-runs", files),
        ("payroll-records", 5),
        ("attendance", 4),
    ];
    for (collection, many) in found {
        assert_eq!(records(&home, collection).await.len(), many, "{collection}");
    }
    let status: Vec<String> = records(&home, "attendance")
        .await
        .iter()
        .map(|record| record["body"]["status"]["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(status.iter().filter(|status| *status == "LATE").count(), 1, "{status:?}");

    tenant.lock().unwrap().touch(7, "email", json!("new@example.test"));
    let run = pull(&home, "staff").await;
    assert_eq!((&run["created"], &run["updated"]), (&0.into(), &1.into()), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_marked_deleted_is_gone_and_a_department_that_is_not_listed_too() {
    let tenant = yonyou::tenant(1);
    let home = home(&tenant, yonyou::APP_SECRET).await;
    for stream in ["positions", "departments"] {
        assert_eq!(pull(&home, stream).await["failure"], Value::Null);
    }
    {
        let mut yonbip = tenant.lock().unwrap();
        yonbip.positions[1]["dr"] = json!(1);
        yonbip.positions[1]["pubts"] = json!("2025-11-04 00:00:00");
        yonbip.departments.pop();
    }
    for stream in ["positions", "departments"] {
        let run = pull(&home, stream).await;
        assert_eq!((&run["failure"], &run["deleted"]), (&Value::Null, &1.into()), "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_taken_back_is_renewed_and_bad_answers_have_their_ends() {
    let tenant = yonyou::tenant(3);
    let wrong = home(&tenant, "another-secret").await;
    let run = pull(&wrong, "staff").await;
    assert_eq!(run["failure"]["code"], "auth-required", "{run}");
    let counts = {
        let yonbip = tenant.lock().unwrap();
        (yonbip.tokens, yonbip.requests)
    };
    assert_eq!(counts, (0, 0));

    let home = home(&tenant, yonyou::APP_SECRET).await;
    assert_eq!(pull(&home, "staff").await["failure"], Value::Null);
    for (code, kind) in
        [("310078", "upstream-unavailable"), ("999", "upstream-unavailable"), ("1002", "upstream-changed")]
    {
        tenant.lock().unwrap().faults.push(code);
        let run = pull(&home, "staff").await;
        let message = run["failure"]["message"].as_str().unwrap_or_default();
        assert_eq!(run["failure"]["code"], kind, "{run}");
        assert!(message.ends_with(&format!("[{code}]")), "the vendor's code is told: {message}");
    }
    for (path, bytes) in home.every_byte() {
        for canary in [yonyou::APP_SECRET, "canary-yonbip-token"] {
            assert!(memchr::memmem::find(&bytes, canary.as_bytes()).is_none(), "{canary} in {}", path.display());
        }
    }
}

fn journal(id: &str, account: &str) -> Value {
    json!({
        "id": id, "ledger": "book-1", "date": "2025-03-31", "currency": "CNY", "text": "Pay 2025-03", "period": { "year": 2025, "month": 3 },
        "lines": [
            { "number": 1, "side": "DEBIT", "account": account, "amount": "12000.10", "debit": "12000.10", "text": "Wages", "dimensions": { "0003": "D01" } },
            { "number": 2, "side": "CREDIT", "account": "2211.01", "amount": "10000.05", "credit": "10000.05", "text": "Net pay", "dimensions": {} },
            { "number": 3, "side": "CREDIT", "account": "2221.05", "amount": "2000.05", "credit": "2000.05", "text": "Tax", "dimensions": {} },
        ],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_a_journal_becomes_one_voucher_even_where_its_answer_was_lost() {
    let tenant = yonyou::tenant(1);
    let home = home(&tenant, yonyou::APP_SECRET).await;
    pull(&home, "staff").await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let record = api.get("/v1/employees").await["data"][0]["id"].clone();
    let act = |input: Value| json!({ "record": record, "connection": "yonbip", "action": "journal.post", "input": input, "reason": "r", "dry_run": false });
    tenant.lock().unwrap().lose = 1;
    // While the gateway runs a token is taken back as well.
    tenant.lock().unwrap().forget_token();
    let id = "0123456789abcdef0123456789abcdef";
    let (status, sent) = api.post("/v1/actions", &act(journal(id, "6602.01"))).await;
    assert!(status < 300, "{sent}");
    let of = |state: &'static str| {
        move |page: &Value| page["data"].as_array().unwrap().iter().find(|row| row["state"] == state).cloned()
    };
    let row = api.until("/v1/deliveries?connection=yonbip", of("delivered")).await;
    assert_eq!(row["receipt"]["reference"], "V-0001", "{row}");
    let vouchers = tenant.lock().unwrap().vouchers.clone();
    assert_eq!(vouchers.len(), 1);
    assert_eq!((&vouchers[0]["businessId"], &vouchers[0]["period"]), (&json!(id), &json!("2025-03")));
    let line = &vouchers[0]["bodies"][0];
    assert_eq!((&line["debitOriginal"], &line["creditOriginal"]), (&json!(12000.10), &Value::Null));
    assert_eq!(line["clientAuxiliaryList"], json!([{ "filedCode": "0003", "valueCode": "D01" }]));

    api.post("/v1/actions", &act(journal(&id.replace('0', "f"), "9999"))).await;
    let row = api.until("/v1/deliveries?connection=yonbip", of("dead")).await;
    assert!(row.to_string().contains("YonBIP refuses the voucher"), "{row}");
    assert_eq!(tenant.lock().unwrap().vouchers.len(), 1);
}
