//! A vendor on a bad day: each fault has a clear end, the rest goes on, nothing is lost (F06, F07).

use renmen_tests::dingtalk::{self, Company, Fault};
use serde_json::{Value, json};

use crate::harness::{Home, plugin, said, serve};

async fn people(n: usize) -> (Company, Home) {
    people_at(n, r#"limits = { retries_max = 1, retry_wait_max = "10ms", rate = { requests = 10000, per = "1s", burst = 1000 } }"#)
        .await
}

async fn people_at(n: usize, limits: &str) -> (Company, Home) {
    let company = dingtalk::company(n);
    let url = serve(dingtalk::router(company.clone())).await;
    let config = format!(
        r#"
[connections.people]
plugin = "{}"
config = {{ api_url = "{url}", oapi_url = "{url}", agent_id = {agent} }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "DINGTALK_APP" }}
streams.departments = {{ manual = true }}
streams.users = {{ manual = true }}
streams.roster = {{ manual = true }}
streams.leavers = {{ manual = true }}
{limits}
"#,
        plugin("dingtalk").display(),
        agent = dingtalk::messages::AGENT,
    );
    let app = json!({ "client_id": dingtalk::APP_KEY, "client_secret": dingtalk::APP_SECRET }).to_string();
    (company, Home::new(&config).env("DINGTALK_APP", &app))
}

/// One run of a stream, no matter how it ends.
async fn pull(home: &Home, stream: &str) -> Value {
    let output = home.run(&["sync", "people", stream, "--dev", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    report[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_dingtalks_errors_ends_the_run_with_its_reason_and_the_next_run_goes_on() {
    let (company, home) = people(40).await;
    for (fault, code, class) in [
        (Fault::BlockedHtml, "rate-limited", "wait"),
        (Fault::Blocked1111, "rate-limited", "wait"),
        (Fault::Code90002, "rate-limited", "wait"),
        (Fault::Code90018, "rate-limited", "wait"),
        (Fault::Wrapped90018, "rate-limited", "wait"),
        (Fault::Code60011, "not-granted", "operator"),
        (Fault::Wrapped60011, "not-granted", "operator"),
        (Fault::Wrapped60020, "not-granted", "operator"),
        (Fault::CutJson, "upstream-unavailable", "wait"),
        (Fault::OtherShape, "upstream-changed", "connector"),
        (Fault::InvalidUtf8, "upstream-changed", "connector"),
    ] {
        dingtalk::inject(&company, fault);
        let report = pull(&home, "departments").await;
        assert_eq!(report["failure"]["code"], code, "{fault:?}: {report}");
        assert_eq!(report["failure"]["class"], class, "{fault:?}: {report}");
        assert!(report["failure"]["retry_at_ms"].is_i64(), "{fault:?}: {report}");
    }
    let good = pull(&home, "departments").await;
    assert_eq!((&good["failure"], &good["created"]), (&Value::Null, &9.into()), "{good}");
}

/// The vendor says so with HTTP 200 and `errcode` 88.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_dingtalk_ends_early_is_fetched_again_within_the_run() {
    let (company, home) = people(40).await;
    company.lock().unwrap().expire_at_request = Some(3);
    let run = pull(&home, "departments").await;
    assert_eq!((&run["failure"], &run["created"]), (&Value::Null, &9.into()), "{run}");
    assert_eq!(company.lock().unwrap().token_requests, 2);
}

/// 60 departments more, all below the root, in a vendor that counts calls.
fn counts_calls(company: &Company, wrapped: bool) {
    let mut state = company.lock().unwrap();
    let more = (1_000..1_060).map(|id| dingtalk::Department { id, parent: 1, name: format!("部门{id}") });
    state.departments.extend(more);
    state.pace.a_second = Some(dingtalk::pace::A_SECOND);
    state.pace.wrapped = wrapped;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_of_many_departments_is_read_within_dingtalks_twenty_calls_a_second() {
    let (company, home) = people_at(20, "").await;
    counts_calls(&company, true);
    let mut run = pull(&home, "departments").await;
    if run["failure"]["code"] == "rate-limited" {
        // A machine that stalls sends at once what it held back.
        run = pull(&home, "departments").await;
    }
    assert_eq!(run["failure"], Value::Null, "{run}");
    assert_eq!(home.json(&["records", "org-units", "--dev", "--limit", "1000"]).await.as_array().unwrap().len(), 69);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_too_many_waits_for_the_next_second_whichever_way_dingtalk_says_so() {
    for wrapped in [true, false] {
        let (company, home) = people(20).await;
        counts_calls(&company, wrapped);
        let run = pull(&home, "departments").await;
        assert_eq!(
            (&run["failure"]["code"], &run["failure"]["class"]),
            (&"rate-limited".into(), &"wait".into()),
            "{run}"
        );
        assert!(company.lock().unwrap().pace.refused > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn departments_that_dingtalk_lists_and_refuses_do_not_stop_the_others_and_nobody_is_taken_for_gone() {
    let (company, home) = people(40).await;
    assert_eq!(pull(&home, "users").await["created"], 40);
    {
        let mut state = company.lock().unwrap();
        let school = dingtalk::Department { id: -7, parent: 1, name: "家校通讯录".into() };
        state.departments.push(school);
    }
    // The home-school contacts alone: everybody else is listed, so who left is seen.
    company.lock().unwrap().users.truncate(39);
    let run = pull(&home, "users").await;
    assert_eq!((&run["failure"], &run["deleted"]), (&Value::Null, &1.into()), "{run}");
    // A department out of the app's range hides its people; they are not gone.
    company.lock().unwrap().out_of_range.push(103);
    company.lock().unwrap().users.truncate(38);
    for stream in ["departments", "users"] {
        let run = pull(&home, stream).await;
        assert_eq!((&run["failure"], &run["deleted"]), (&Value::Null, &0.into()), "{run}");
        assert!(run["findings"].as_u64().is_some_and(|findings| findings > 0), "the department is told: {run}");
    }
    company.lock().unwrap().out_of_range.clear();
    assert_eq!(pull(&home, "users").await["deleted"], 1, "seen once all can be read again");
    let units = home.json(&["records", "org-units", "--dev", "--limit", "1000"]).await;
    assert_eq!(units.as_array().unwrap().len(), 9, "and none of them is the home-school contacts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_told_by_the_name_under_which_it_is_granted() {
    let (company, home) = people(20).await;
    dingtalk::inject(&company, Fault::Wrapped60011);
    let run = pull(&home, "departments").await;
    assert!(run["failure"]["message"].as_str().is_some_and(|m| m.contains("qyapi_get_department_list")), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forbidden_means_throttled_or_not_permitted_by_its_code() {
    let (company, home) = people(20).await;
    for (fault, code) in [(Fault::QpsLimit, "rate-limited"), (Fault::NoPermission, "not-granted")] {
        dingtalk::inject(&company, fault);
        assert_eq!(pull(&home, "leavers").await["failure"]["code"], code, "{fault:?}");
    }
    assert_eq!(pull(&home, "leavers").await["failure"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_500_is_retried_within_the_run() {
    let (company, home) = people(20).await;
    dingtalk::inject(&company, Fault::Error500);
    assert_eq!(pull(&home, "leavers").await["failure"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_app_asks_for_one_token_a_generation_however_many_requests_wait() {
    let (company, home) = people(120).await;
    assert_eq!(pull(&home, "users").await["failure"], Value::Null);
    let state = company.lock().unwrap();
    assert_eq!(state.token_requests, 1, "{} requests", state.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_longer_listed_is_gone_only_after_a_complete_run() {
    let (company, home) = people(40).await;
    pull(&home, "users").await;
    company.lock().unwrap().users.truncate(35);
    dingtalk::inject(&company, Fault::Code90002);
    assert_eq!(pull(&home, "users").await["deleted"], 0, "a run that was cut deletes nothing");
    let complete = pull(&home, "users").await;
    assert_eq!((&complete["failure"], &complete["deleted"]), (&Value::Null, &5.into()), "{complete}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_that_fails_does_not_stop_the_others_and_the_end_says_so() {
    let (company, home) = people(20).await;
    company.lock().unwrap().hidden_fields.push("sys01-employeeStatus".into());
    let output = home.run(&["sync", "--dev"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let employees = home.json(&["records", "employees", "--dev", "--limit", "1000"]).await;
    assert_eq!(employees.as_array().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_in_quarantine_is_listed_without_its_values_and_taken_in_once_it_is_good() {
    let (company, home) = people(20).await;
    company.lock().unwrap().departments[3].name = "  ".into();
    let run = pull(&home, "departments").await;
    assert_eq!((&run["quarantined"], &run["created"]), (&1.into(), &8.into()), "{run}");
    let waiting = home.json(&["quarantine", "list", "--dev"]).await;
    assert_eq!((&waiting[0]["code"], &waiting[0]["external_id"]), (&"connector".into(), &"102".into()), "{waiting}");
    let id = waiting[0]["id"].to_string();
    let still = home.run(&["quarantine", "retry", &id, "--dev"]).await;
    assert_eq!(still.status.code(), Some(3), "the same bytes are still bad: {}", said(&still));
    assert!(home.run(&["quarantine", "drop", &id, "--dev"]).await.status.success());
    assert_eq!(home.run(&["quarantine", "drop", &id, "--dev"]).await.status.code(), Some(1), "it is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_end_in_the_middle_of_a_run_are_fetched_again_once() {
    let (company, home) = people(40).await;
    company.lock().unwrap().expire_at_request = Some(3);
    assert_eq!(pull(&home, "users").await["failure"], Value::Null);
    let state = company.lock().unwrap();
    assert!(state.requests > 3, "the run went on after the tokens ended");
    assert_eq!(state.token_requests, 2, "one at the begin, one after the end");
}
