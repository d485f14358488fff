//! Payroll to the ledger, with the real binary: a run is read from a file, posted once even if the gateway is killed between the posting and
//! its receipt, on both stores, and refused where it does not balance.

use std::time::Duration;

use renmen_tests::ledger::{self, Books};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;
use crate::cluster::Database;
use crate::harness::{Home, Running, plugin, said, serve};

const SERVE: [&str; 6] = ["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--pull-first"];
const RUN: &str = "payroll-runs/payroll/2025-03";

const SLIPS: &str = "month,number,base,pension,tax,employer,gross,net\n\
    2025-03,E1,10000.00,800.00,156.35,1600.00,10000.00,9043.65\n\
    2025-03,E2,8000.10,640.01,0.00,1280.02,8000.10,7360.09\n";

async fn home(slips: &str, store: Option<&str>) -> (Books, Home) {
    let books = Books::default();
    let url = serve(ledger::router(books.clone())).await;
    let store = store.map(|url| format!("[store]\nurl = \"{url}\"\n")).unwrap_or_default();
    let config = format!(
        r#"
{store}
[connections.payroll]
plugin = "{table}"
grant = {{ drop = "inbox", entities = ["payroll_run", "payroll_record"] }}
streams.payroll_runs = {{ manual = true }}
streams.payroll_records = {{ manual = true }}

[connections.payroll.config.streams.payroll_runs]
files = "payroll-*.csv"
key = ["month"]
distinct = true
set = {{ "/kind" = {{ code = "REGULAR" }}, "/state" = {{ code = "APPROVED" }} }}
columns = [{{ column = "month", to = "/period", parse = {{ as = "month" }} }}]

[connections.payroll.config.streams.payroll_records]
files = "payroll-*.csv"
key = ["month", "number"]
columns = [
    {{ column = "month", to = "/run", parse = {{ as = "ref", of = "month" }} }},
    {{ column = "number", to = "/employee", parse = {{ as = "ref", scheme = "employee_number" }} }},
    {{ column = "gross", to = "/gross", parse = {{ as = "money", currency = "CNY" }} }},
    {{ column = "net", to = "/net", parse = {{ as = "money", currency = "CNY" }} }},
    {{ column = "base", to = "/lines/-", parse = {{ as = "money", currency = "CNY" }}, line = {{ kind = "EARNING", code = "BASE" }} }},
    {{ column = "pension", to = "/lines/-", parse = {{ as = "money", currency = "CNY" }}, line = {{ kind = "DEDUCTION", code = "PENSION" }} }},
    {{ column = "tax", to = "/lines/-", parse = {{ as = "money", currency = "CNY" }}, line = {{ kind = "TAX", code = "INDIVIDUAL_INCOME_TAX" }} }},
    {{ column = "employer", to = "/lines/-", parse = {{ as = "money", currency = "CNY" }}, line = {{ kind = "EMPLOYER_CONTRIBUTION", code = "PENSION" }} }},
]

[connections.finance]
plugin = "{http}"
config = {{ base_url = "{url}" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.key = {{ env = "LEDGER_KEY" }}

[journals.payroll]
connection = "finance"
ledger = "001"
runs = "payroll"
net = {{ account = "2211.01" }}

[journals.payroll.items]
wages = {{ kind = "EARNING", codes = ["BASE"], debit = "6602.01" }}
social = {{ kind = "DEDUCTION", credit = "2241.01" }}
tax = {{ kind = "TAX", credit = "2221.01" }}
pension = {{ kind = "EMPLOYER_CONTRIBUTION", debit = "6602.05", credit = "2211.05" }}
"#,
        table = plugin("table-file").display(),
        http = plugin("journal-http").display(),
    );
    let home = Home::new(&config).env("LEDGER_KEY", ledger::TOKEN);
    let inbox = home.path().join("inbox");
    std::fs::create_dir(&inbox).unwrap();
    std::fs::write(inbox.join("payroll-2025-03.csv"), slips).unwrap();
    // A file that was written this very moment may still be growing.
    tokio::time::sleep(Duration::from_millis(700)).await;
    (books, home)
}

async fn start(home: &Home) -> (Running, Api) {
    let mut gateway = home.spawn(&SERVE);
    let api = Api::of(&mut gateway).await;
    (gateway, api)
}

async fn run_id(api: &Api) -> String {
    let found = api.get("/v1/payroll-runs?connection=payroll").await;
    found["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
}

fn request(run: &str, dry_run: bool) -> Value {
    json!({ "journal": "payroll", "run": run, "reason": "March is approved", "dry_run": dry_run })
}

async fn killed_between_posting_and_receipt(store: Option<&str>) {
    let (books, home) = home(SLIPS, store).await;
    books.lock().unwrap().wait = Duration::from_secs(600);
    let (mut gateway, api) = start(&home).await;
    let run = run_id(&api).await;
    let (status, answer) = api.ask(Method::POST, "/v1/journals", Some(&request(&run, false))).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let posting = answer["journals"][0]["posting"]["id"].clone();
    for _ in 0..1_000 {
        if books.lock().unwrap().journals.len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(books.lock().unwrap().journals.len(), 1, "it was written");
    assert!(api.get("/v1/journals").await["data"][0]["document"].is_null(), "and nothing was answered");
    gateway.0.kill().unwrap();
    gateway.0.wait().unwrap();

    books.lock().unwrap().wait = Duration::ZERO;
    let (_gateway, api) = start(&home).await;
    let delivered = |answer: &Value| (answer["state"] == "delivered").then(|| answer.clone());
    let path = format!("/v1/journals/{posting}");
    let shown = api.until(&path, delivered).await;
    assert_eq!(shown["document"], "001/2025/000001");
    assert_eq!((&shown["total"], &shown["reason"]), (&json!("20880.12"), &json!("March is approved")));
    let (status, again) = api.ask(Method::POST, "/v1/journals", Some(&request(&run, false))).await;
    assert_eq!((status, &again["journals"][0]["posting"]["id"]), (StatusCode::OK, &posting));
    let books = books.lock().unwrap();
    assert_eq!(books.journals.len(), 1, "the run stands in the books once");
    assert!(books.looked_up >= 2, "it was looked up before it was written again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_between_the_posting_and_its_receipt_posts_a_run_once_s16() {
    killed_between_posting_and_receipt(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_between_the_posting_and_its_receipt_posts_a_run_once_on_postgresql_s17() {
    let Some(database) = Database::new().await else { return };
    killed_between_posting_and_receipt(Some(&database.url())).await;
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_makes_no_second_document_and_the_command_shows_the_first() {
    let (books, home) = home(SLIPS, None).await;
    books.lock().unwrap().lose = 1;
    let preview = home.run(&["journal", "preview", "payroll", "--run", RUN, "--dev"]).await;
    assert!(!preview.status.success(), "nothing was pulled yet: {}", said(&preview));
    assert!(home.run(&["sync", "--dev"]).await.status.success());
    let preview = home.json(&["journal", "preview", "payroll", "--run", RUN, "--dev"]).await;
    assert_eq!((&preview["payslips"], &preview["faults"]), (&json!(2), &json!([])));
    assert_eq!(preview["journals"][0]["debit"], "20880.12");
    let posted = home
        .json(&["journal", "post", "payroll", "--run", RUN, "--reason", "approved", "--person", "Li Na", "--dev"])
        .await;
    assert_eq!(posted["journals"][0]["new"], true);
    let (_gateway, api) = start(&home).await;
    let path = format!("/v1/journals/{}", posted["journals"][0]["posting"]["id"]);
    api.until(&path, |answer| answer["document"].as_str().map(|_| ())).await;
    let listed = home.json(&["journal", "list", "--dev"]).await;
    assert_eq!((&listed[0]["document"], &listed[0]["by"]), (&json!("001/2025/000001"), &json!("Li Na")));
    let again = home
        .json(&["journal", "post", "payroll", "--run", RUN, "--reason", "again", "--person", "Li Na", "--dev"])
        .await;
    assert_eq!(
        (&again["journals"][0]["new"], &again["journals"][0]["posting"]["document"]),
        (&json!(false), &json!("001/2025/000001"))
    );
    assert_eq!(books.lock().unwrap().journals.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_does_not_balance_is_refused_over_the_api_and_by_the_command() {
    let wrong = SLIPS.replace("9043.65", "9043.66");
    let (books, home) = home(&wrong, None).await;
    let (_gateway, api) = start(&home).await;
    let run = run_id(&api).await;
    let (status, answer) = api.ask(Method::POST, "/v1/journals", Some(&request(&run, true))).await;
    assert_eq!((status, &answer["faults"][0]["code"]), (StatusCode::OK, &json!("unbalanced")), "{answer}");
    assert_eq!(answer["journals"][0]["difference"], "-0.01");
    assert!(answer["faults"][0]["message"].as_str().unwrap().contains("2025-03|E1 -0.01"), "{answer}");
    let (status, answer) = api.ask(Method::POST, "/v1/journals", Some(&request(&run, false))).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("refused")));
    assert!(answer["detail"].as_str().unwrap().contains("differ by -0.01"), "{answer}");
    let post = ["journal", "post", "payroll", "--run", RUN, "--reason", "r", "--person", "p", "--dev"];
    let output = home.run(&post).await;
    assert!(!output.status.success() && said(&output).contains("differ by -0.01"), "{}", said(&output));
    let (status, made) = api.ask(Method::POST, "/v1/keys", Some(&json!({ "role": "consumer", "label": "BI" }))).await;
    assert_eq!(status, StatusCode::CREATED);
    let consumer = api.with_key(made["key"].as_str().unwrap());
    for (method, path) in [(Method::GET, "/v1/journals"), (Method::POST, "/v1/journals")] {
        let body = (method == Method::POST).then(|| request(&run, true));
        assert_eq!(consumer.ask(method, path, body.as_ref()).await.0, StatusCode::FORBIDDEN);
    }
    assert!(books.lock().unwrap().journals.is_empty());
}

#[tokio::test]
async fn a_table_that_makes_no_sense_is_refused_with_its_lines() {
    let (_, home) = home(SLIPS, None).await;
    let config = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    for (from, to, told) in [
        ("debit = \"6602.05\", credit", "credit", "needs `debit`"),
        ("kind = \"TAX\", credit", "kind = \"TAX\", debit = \"1\", credit", "has no `debit`"),
        (
            "wages = {",
            "pay = { kind = \"EARNING\", codes = [\"BASE\"], debit = \"1\" }\nwages = {",
            "are for EARNING BASE",
        ),
        ("debit = \"6602.01\"", "debit = \"6602.01\", debit_dimensions = [\"centre\"]", "no dimension `centre`"),
        ("connection = \"finance\"", "connection = \"payroll\"", "no action `journal.post`"),
        ("runs = \"payroll\"", "runs = [\"pay\"]", "no connection `pay`"),
        ("ledger = \"001\"", "ledger = \"001\"\nledgers = 1", "did you mean `ledger`"),
        ("ledger = \"001\"", "ledger = \"001\"\nlines_max = 1", "out of range"),
    ] {
        assert!(config.contains(from), "{from}");
        home.configure(&config.replace(from, to));
        let output = home.run(&["check", "--dev"]).await;
        let said = said(&output);
        assert!(!output.status.success() && said.contains(told) && said.contains("connectors.toml:"), "{told}: {said}");
    }
}
