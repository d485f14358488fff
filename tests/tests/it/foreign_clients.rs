//! What other people wrote, against what we wrote: the vendors' own libraries hear our simulators, and a server that is not ours feeds our
//! connector. A simulator alone proves that we agree with ourselves.
//!
//! Python and Node with those libraries are made by `cargo xtask test --all`, which names them; elsewhere each test says that it was left out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};

use renmen_tests::salesforce::{self, Org};
use renmen_tests::successfactors::{self, Tenant};
use renmen_tests::{assertion, kingdee, office, yonyou};
use serde_json::{Value, json};

use crate::declared::Trial;
use crate::harness::{said, serve};

/// The Python with the vendors' libraries.
const CLIENTS: &str = "RENMEN_TEST_CLIENTS";
/// The Node with them.
const NODE: &str = "RENMEN_TEST_NODE";

/// A command that runs a script of `tests/official`; none where the program is not named.
#[allow(clippy::print_stderr, reason = "why nothing was tested")]
fn script(program: &str, name: &str) -> Option<Command> {
    let Some(path) = std::env::var_os(program) else {
        eprintln!("{program} is not set: {name} is not run; run `cargo xtask test --all`");
        return None;
    };
    let mut command = Command::new(path);
    command.arg(format!("{}/official/{name}", env!("CARGO_MANIFEST_DIR"))).env("NO_PROXY", "127.0.0.1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// Runs a client to its end, with something on its standard input: what it says, in one line of JSON.
async fn answer(mut command: Command, input: impl Into<String>) -> Value {
    let input = input.into();
    let run = move || -> Output {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next_back().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("{}", said(&output)))
}

/// Lines that balance, of accounts that there are.
fn voucher() -> Value {
    let number = |code: &str| json!({ "FNumber": code });
    let line = |account: &str, debit: f64, credit: f64| {
        json!({ "FEXPLANATION": "Pay", "FACCOUNTID": number(account), "FCURRENCYID": number("PRE001"), "FEXCHANGERATETYPE": number("HLTX01_SYS"),
                "FAMOUNTFOR": debit + credit, "FDEBIT": debit, "FCREDIT": credit })
    };
    json!({
        "FAccountBookID": number("001"), "FDate": "2025-11-30", "FYEAR": 2025, "FPERIOD": 11, "FVOUCHERGROUPID": number("PRE001"), "FVOUCHERGROUPNO": "",
        "FEntity": [line("6602.01", 12000.1, 0.0), line("2211.01", 0.0, 12000.1)],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn kingdees_own_sdk_reads_keeps_and_audits_and_is_refused_with_another_secret() {
    let tenant = kingdee::tenant(3);
    let url = format!("{}/k3cloud", serve(kingdee::router(tenant.clone())).await);
    let ask = |acct: &str, secret: &str| {
        let mut command = script(CLIENTS, "kingdee_client.py")?;
        command.args([&url, acct, kingdee::USER, kingdee::APP_ID, secret, &voucher().to_string()]);
        Some(command)
    };
    let Some(command) = ask(kingdee::ACCT_ID, kingdee::APP_SECRET) else { return };
    let heard = answer(command, "").await;
    assert_eq!(heard["cells"], json!([["E00000", "员工0"], ["E00001", "员工1"], ["E00002", "员工2"]]), "{heard}");
    assert_eq!(heard["objects"][2], json!({ "FNumber": "E00002", "FName": "员工2" }));
    let good = |id: u32| json!({ "good": true, "code": 0, "ids": [id] });
    assert_eq!((&heard["draft"], &heard["saved"]), (&good(100_001), &good(100_002)));
    assert_eq!((&heard["submitted"], &heard["audited"]), (&good(100_002), &good(100_002)));
    assert_eq!((&heard["unbalanced"]["code"], &heard["too_early"]["code"]), (&json!(11), &json!(12)), "{heard}");
    assert_eq!(heard["vouchers"], json!([["draft-1", "Z"], ["saved-1", "C"]]));
    let heard = answer(ask(kingdee::ACCT_ID, "another-secret").unwrap(), "").await;
    assert_eq!(heard, json!({ "refused": 1 }));
    let output = ask("another-account", kingdee::APP_SECRET).unwrap().output().unwrap();
    assert!(!output.status.success() && said(&output).contains("Fail to verify thirty passport"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn yonyous_own_sdk_signs_for_a_token_and_reads_and_is_refused_with_another_secret() {
    let tenant = yonyou::tenant(3);
    tenant.lock().unwrap().pay("2025-11", 2);
    let url = serve(yonyou::router(tenant.clone())).await;
    let ask = |secret: &str| {
        let mut command = script(CLIENTS, "yonyou_client.py")?;
        command.args([&url, yonyou::APP_KEY, secret]);
        Some(command)
    };
    let Some(command) = ask(yonyou::APP_SECRET) else { return };
    let heard = answer(command, "").await;
    assert_eq!(heard["expire"], 7200, "{heard}");
    let page = &heard["staff"]["data"];
    assert_eq!((&page["recordCount"], &page["recordList"][1]["code"]), (&json!(3), &json!("S00001")), "{heard}");
    assert_eq!(heard["made_up"]["code"], "310036");
    assert_eq!(heard["pay"]["data"]["payNums"], 2);
    assert_eq!(tenant.lock().unwrap().tokens, 1, "the SDK keeps its token");
    let heard = answer(ask("another-secret").unwrap(), "").await;
    assert!(heard["refused"].as_str().unwrap().contains("签名错误"), "{heard}");
}

/// An organisation with more cases than one answer holds, one of them deleted a moment ago.
async fn organisation() -> (office::Shared<Org>, String, String) {
    let mut org = Org::of(450);
    let now = salesforce::stamp(jiff::Timestamp::now().as_millisecond());
    org.change(7, &json!({ "IsDeleted": true }), &now);
    let office = office::open(org);
    let url = serve(office::router(office.clone())).await;
    (office, url, salesforce::id("500", 7))
}

#[tokio::test(flavor = "multi_thread")]
async fn simple_salesforce_logs_in_reads_in_batches_and_upserts() {
    let (office, url, deleted) = organisation().await;
    let Some(mut command) = script(CLIENTS, "salesforce_client.py") else { return };
    command.args([&url, salesforce::CLIENT_ID, salesforce::USER]);
    let heard = answer(command, assertion::KEY).await;
    assert_eq!((&heard["refused"], &heard["batches"]), (&json!("invalid_grant"), &json!([200, 200, 449])), "{heard}");
    assert_eq!((&heard["by_locator"], &heard["upserts"]), (&json!(200), &json!([201, 200])), "{heard}");
    assert_eq!((&heard["deleted_by_query"], &heard["deleted"]), (&json!([deleted]), &json!([deleted])), "{heard}");
    let refusals = [("no_field", "INVALID_FIELD"), ("no_date", "INVALID_FIELD"), ("no_external_id", "NOT_FOUND")];
    for (name, code) in refusals {
        assert_eq!(heard[name], code, "{name}: {heard}");
    }
    let cases = office.lock().unwrap().vendor.objects["Case"].clone();
    assert_eq!((cases.len(), &cases[450]["Subject"]), (451, &json!("two")));
}

#[tokio::test(flavor = "multi_thread")]
async fn jsforce_authorises_reads_in_batches_and_upserts() {
    let (office, url, deleted) = organisation().await;
    let Some(mut command) = script(NODE, "jsforce_client.js") else { return };
    command.args([&url, salesforce::CLIENT_ID, salesforce::USER]);
    let heard = answer(command, assertion::KEY).await;
    assert_eq!((&heard["refused"], &heard["batches"]), (&json!("invalid_grant"), &json!([200, 200, 449])), "{heard}");
    assert_eq!((&heard["all"], &heard["live"]), (&json!(450), &json!(449)), "{heard}");
    assert_eq!(heard["deleted"], json!([deleted]), "{heard}");
    let created = |at: usize| (&heard["upserts"][at]["success"], &heard["upserts"][at]["created"]);
    assert_eq!((created(0), created(1)), ((&json!(true), &json!(true)), (&json!(true), &json!(false))), "{heard}");
    assert_eq!(heard["no_field"], "INVALID_FIELD", "{heard}");
    assert_eq!(heard["no_priority"], "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "{heard}");
    assert_eq!(office.lock().unwrap().vendor.objects["Case"].len(), 451);
}

#[tokio::test(flavor = "multi_thread")]
async fn pyodata_reads_the_metadata_and_the_entities() {
    let mut tenant = Tenant::of(7);
    tenant.tokens = 1;
    let url = serve(office::router(office::open(tenant))).await;
    let Some(mut command) = script(CLIENTS, "successfactors_client.py") else { return };
    command.args([&url, &format!("{}1", successfactors::TOKEN)]);
    let heard = answer(command, "").await;
    assert_eq!(heard["sets"].as_array().unwrap().len(), 12, "{heard}");
    assert_eq!(heard["ids"], json!(["1", "2", "3", "4", "5", "6", "7"]), "{heard}");
    let times = (&heard["hired"], &heard["changed"]);
    assert_eq!(times, (&json!("2025-12-31T00:00:00+00:00"), &json!("2026-01-01T00:00:00+00:00")), "{heard}");
    assert_eq!(heard["count"], json!([1, 7]), "{heard}");
    assert_eq!((&heard["by_key"], &heard["job"]), (&json!("Candidate 3"), &json!(["Engineer", 1, 1.0])), "{heard}");
    assert_eq!(heard["refused"], 400, "{heard}");
}

/// What the gateway signs is judged by libraries that verify signatures for others, and not by our own reading of the rules.
#[tokio::test(flavor = "multi_thread")]
async fn assertions_that_the_gateway_signs_hold_for_others() {
    let Some(mut command) = script(CLIENTS, "assertion_verifier.py") else { return };
    let (tenant, trial) = crate::successfactors::tenant(1).await;
    trial.counts("jobs").await;
    let (org, trial) = crate::salesforce::org(1).await;
    trial.counts("queues").await;
    let sent = |asked: &[office::Ask]| asked.iter().find_map(|ask| Some(ask.body["assertion"].as_str()?.to_owned()));
    let saml = sent(&tenant.lock().unwrap().asked).unwrap();
    let jwt = sent(&org.lock().unwrap().asked).unwrap();
    command.arg(successfactors::USER);
    let heard = answer(command, json!({ "key": assertion::KEY, "saml": saml, "jwt": jwt }).to_string()).await;
    assert_eq!(heard["saml"], json!([true, false]), "with another user in it the signature no longer holds: {heard}");
    assert_eq!((&heard["claims"]["sub"], &heard["forged"]), (&json!(salesforce::USER), &json!("refused")), "{heard}");
}

/// A process that is ended with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Our connector pulls from an OData 2 server that is not ours: numbers as texts, days before 1970, its own pages, its own addresses.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_odata_server_feeds_the_connector_of_successfactors() {
    let Some(mut command) = script(NODE, "successfactors_odata.js") else { return };
    let mut server = Server(command.arg("3").stderr(Stdio::inherit()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the server did not start: {line}"));
    let config = format!("{{ base_url = {}, company_id = \"madeup\", user = \"robot\" }}", ready["url"]);
    let secret = json!({ "client_id": "key", "private_key": assertion::KEY }).to_string();
    let expected: [(&str, u64); 10] = [
        ("departments", 2),
        ("workers", 7),
        ("assignments", 14),
        ("compensation", 7),
        ("jobs", 1),
        ("positions", 7),
        ("requisitions", 7),
        ("candidates", 7),
        ("applications", 6),
        ("reviews", 6),
    ];
    let streams = expected.map(|(stream, _)| stream);
    let trial = Trial::new("sap-successfactors", &config, &[("app", secret.as_str())], &streams);
    for (stream, created) in expected {
        assert_eq!(trial.counts(stream).await, [created, 0, 0], "{stream}");
    }
    assert_eq!(trial.counts("assignments").await, [0, 0, 0], "the same rows again");
    let worker = &trial.bodies("employees").await["5"];
    assert_eq!(
        (&worker["work"]["status"]["code"], &worker["work"]["hire_date"]),
        (&json!("TERMINATED"), &json!("2025-12-31"))
    );
    assert_eq!(worker["work"]["manager"]["external"]["value"], "1");
    let slices = trial.bodies("assignments").await;
    let (old, new) = (&slices["2-1969-07-20-1"], &slices["2-2026-01-01-2"]);
    assert_eq!(old["validity"], json!({ "valid_from": "1969-07-20", "valid_to": "2025-12-31" }), "{old}");
    assert_eq!(
        (&new["validity"], &new["fte"], &new["weekly_hours"]),
        (&json!({ "valid_from": "2026-01-01" }), &json!("0.5"), &json!("37.5"))
    );
    let pay = trial.bodies("compensations").await;
    assert_eq!(pay["7-2026-01-01-1-BASE"]["rate"]["money"], json!({ "amount": "8007.55", "currency": "CNY" }));
    assert_eq!(trial.bodies("jobs").await["3"]["title"]["und"], "Engineer 3");
    let reviews = trial.bodies("performance-reviews").await;
    assert_eq!((&reviews["1"]["rating"]["value"], reviews["2"].get("rating")), (&json!("4.25"), None));
}
