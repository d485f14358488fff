//! What the shipped deployment's files say about people is linked to those people by employee number, in any
//! connection.

use renmen_tests::dingtalk;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_dingtalk};
use crate::harness::said;

/// The collections whose records belong to a person, with the member that says to whom, and how many the example's
/// files bring.
const SOMEBODYS: [(&str, &str, usize); 4] = [
    ("payroll-records", "/employee", 80),
    ("compensations", "/employee", 40),
    ("performance-metrics", "/employee", 80),
    ("performance-reviews", "/reviewee", 40),
];

/// A payslip's employee is looked up.
fn with_employee() -> Value {
    json!({
        "when": { "entity": "payroll_record", "connection": "payroll" },
        "with": { "employee": { "ref": "/employee", "fields": ["/person/names"] } },
        "to": { "connection": "dingtalk", "action": "message.send" },
        "map": { "to": ["'user00001'"], "text": "employee.person.names.formatted" },
        "enabled": false,
    })
}

/// What the flow would do with the last payslips: how many it sends, and why it does not send the others.
async fn dry_run(api: &Api) -> (usize, Vec<String>) {
    let (status, dry) = api.ask(Method::POST, "/v1/flows/slips/dry-run?last=80", None).await;
    assert_eq!(status, StatusCode::OK, "{dry}");
    let entries = dry["data"].as_array().unwrap();
    let sent = entries.iter().filter(|entry| entry["sends"]["input"]["text"].is_string()).count();
    let mut why: Vec<String> = entries.iter().filter_map(|entry| Some(entry["reason"].as_str()?.to_owned())).collect();
    assert!(entries.iter().all(|entry| entry["fault"] == false), "{dry}");
    why.sort();
    why.dedup();
    (sent, why)
}

/// The employee that the record at a path belongs to: the state of the reference, and the employee's id in DingTalk.
async fn owner(api: &Api, path: &str, member: &str) -> (String, String) {
    let detail = api.get(&format!("{path}?include=references")).await;
    let references = detail["references"].as_array().unwrap();
    let reference = references.iter().find(|reference| reference["path"] == member).unwrap();
    let number = detail["body"].pointer(member).unwrap()["key"]["value"].as_str().unwrap().to_owned();
    if reference["state"] == "linked" {
        assert_eq!(reference["connection"], "dingtalk");
        let id = reference["external_id"].as_str().unwrap();
        assert_eq!(id.trim_start_matches("user"), number.trim_start_matches('E'), "it is the one with this number");
    }
    (reference["state"].as_str().unwrap().to_owned(), number)
}

async fn unresolved(api: &Api) -> Value {
    api.get("/v1/health").await["unresolved_references"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payslip_metric_review_and_compensation_of_the_example_reaches_its_dingtalk_employee() {
    let company = dingtalk::company(60);
    let home = with_dingtalk(example().await, &company).await;
    // The files come before the people that they are about.
    let pulled = home.run(&["sync", "payroll", "--dev"]).await;
    assert!(pulled.status.success(), "{}", said(&pulled));
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    api.until("/v1/health", |health| (health["unresolved_references"] == json!([])).then_some(())).await;
    let mut reached = 0;
    for (collection, member, wanted) in SOMEBODYS {
        let page = api.get(&format!("/v1/{collection}?limit=200")).await;
        let rows = page["data"].as_array().unwrap();
        assert_eq!(rows.len(), wanted, "{collection}");
        for row in rows {
            let path = format!("/v1/{collection}/{}", row["id"].as_str().unwrap());
            assert_eq!(owner(&api, &path, member).await.0, "linked", "{path}");
            reached += 1;
        }
    }
    assert_eq!(reached, 240);
    assert_eq!(api.ask(Method::PUT, "/v1/flows/slips", Some(&with_employee())).await.0, StatusCode::OK);
    assert_eq!(dry_run(&api).await, (80, vec![]));

    // Two people with one number, and a number that no one has: what refers to them waits, and is counted.
    {
        let mut company = company.lock().unwrap();
        company.users[7].job_number = "E00008".into();
    }
    let start = "/v1/connections/dingtalk/streams/users/runs";
    assert!(api.ask(Method::POST, start, None).await.0.is_success());
    let two = |health: &Value| (health["unresolved_references"].as_array().unwrap().len() == 2).then_some(());
    api.until("/v1/health", two).await;
    let told = unresolved(&api).await;
    let state = |name: &str| told.as_array().unwrap().iter().find(|one| one["state"] == name).unwrap();
    // Of each: two payslips, two metrics, one review and one compensation.
    for (name, matches) in [("ambiguous", json!(2)), ("waiting", Value::Null)] {
        let one = state(name);
        assert_eq!((&one["scheme"], &one["references"]), (&json!("employee_number"), &json!(6)), "{one}");
        assert_eq!((&one["values"], &one["matches_max"]), (&json!(1), &matches), "{one}");
    }
    assert!(!told.to_string().contains("E0000"), "never with the value: {told}");
    let checked = said(&home.run(&["check", "--dev", "--wide"]).await);
    for told in
        ["6 references to employee by employee_number mean none", "6 references to employee by employee_number wait"]
    {
        assert!(checked.contains(told) && !checked.contains("E0000"), "{checked}");
    }
    let (sent, why) = dry_run(&api).await;
    assert_eq!((sent, why.len()), (76, 2), "{why:?}");
    assert!(why.iter().any(|why| why.contains("2 records of kind employee have the employee_number")), "{why:?}");
    assert!(why.iter().any(|why| why.contains("no record of kind employee has the employee_number")), "{why:?}");
    let metrics = api.text("/metrics").await;
    assert!(metrics.contains("renmen_references_waiting{"), "{metrics}");
}
