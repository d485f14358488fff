//! The example deployment: every record about someone stands on one person, whichever system told it, and people decide the rest. On both
//! databases.

use std::collections::{BTreeMap, BTreeSet};

use renmen_tests::{dingtalk, feishu, interview_vendor};
use serde_json::{Value, json};

use crate::api::Api;
use crate::cluster::Database;
use crate::example::{example, with_dingtalk, with_feishu, with_interviews};
use crate::harness::{Home, Running, said};

/// Members of the company, in DingTalk and in Feishu.
const EMPLOYEES: usize = 60;
/// Candidates in Hire.
const CANDIDATES: usize = 24;
/// Candidates whom the interview vendor knows.
const INTERVIEWED: usize = 16;
/// Former members: of these DingTalk tells the employment, and no longer who they were.
const LEAVERS: usize = EMPLOYEES / 10;
/// Candidates who were hired: of the last stage, and not ended.
const HIRED: [usize; 3] = [5, 11, 17];

/// What is about an employee, with the reference that says whose it is.
const OF_EMPLOYEES: [(&str, &str); 6] = [
    ("payroll-records", "employee"),
    ("compensations", "employee"),
    ("performance-metrics", "employee"),
    ("performance-reviews", "reviewee"),
    ("employments", "employee"),
    ("assignments", "employee"),
];

async fn home(database: Option<&Database>) -> Home {
    let home = with_dingtalk(example().await, &dingtalk::company(EMPLOYEES)).await;
    let home = with_feishu(home, &feishu::tenant(EMPLOYEES, CANDIDATES)).await;
    let who = |n| feishu::candidate_person(n, EMPLOYEES, CANDIDATES);
    let vendor = interview_vendor::vendor_for(INTERVIEWED, feishu::application_id, who);
    let home = with_interviews(home, &vendor, "feishu").await;
    if let Some(database) = database {
        let text = include_str!("../../../connectors.toml");
        let text = text.replacen("\n[store]\n", &format!("\n[store]\nurl = \"{}\"\n", database.url()), 1);
        home.configure(&text);
    }
    home
}

/// A gateway that has pulled everything and has looked at all of it.
async fn settled(home: &Home) -> (Running, Api) {
    let pulled = home.run(&["sync", "--dev"]).await;
    // One record of the payroll department's file is unreadable.
    assert!([Some(0), Some(3)].contains(&pulled.status.code()), "{}", said(&pulled));
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    api.until("/v1/health", |health| {
        let identity = &health["identity"];
        let idle =
            identity["passed_at"].is_string() && identity["pass"].is_null() && identity["behind_since"].is_null();
        (idle && identity["waiting"] == 0).then_some(())
    })
    .await;
    (gateway, api)
}

/// All of a list.
async fn all(api: &Api, path: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}{cursor}")).await;
        found.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Of each record, the person.
fn by_record(people: &[Value]) -> BTreeMap<String, &Value> {
    let records =
        people.iter().flat_map(|person| person["records"].as_array().unwrap().iter().map(move |one| (one, person)));
    records.map(|(record, person)| (record["id"].as_str().unwrap().to_owned(), person)).collect()
}

fn connections(person: &Value) -> BTreeSet<&str> {
    person["records"].as_array().unwrap().iter().map(|record| record["connection"].as_str().unwrap()).collect()
}

/// Each of a collection with the record that a reference of it means; every one must mean one, except for the employments of leavers.
async fn meant(api: &Api, collection: &str, name: &str, filter: &str) -> Vec<(Value, Value)> {
    let path = format!("/v1/{collection}?limit=500&expand={name}{filter}");
    let page = api.get(&path).await;
    assert!(page["next_cursor"].is_null() && page["expanded_truncated"] == false, "{path}");
    let records = page["data"].as_array().unwrap();
    assert!(!records.is_empty(), "{path}");
    let id = |record: &Value| record["external_ids"][0]["value"].as_str().unwrap().to_owned();
    let (left, there): (Vec<&Value>, Vec<&Value>) = records.iter().partition(|record| id(record).starts_with("left"));
    assert!(left.is_empty() || (collection == "employments" && left.len() == LEAVERS), "{collection}");
    assert!(left.iter().all(|record| record["references"][0]["state"] == "waiting"), "{left:?}");
    let one = |record: &Value| {
        let reference = &record["references"][0];
        assert_eq!(reference["state"], "linked", "{collection}: {record}");
        (record.clone(), page["expanded"][reference["id"].as_str().unwrap()].clone())
    };
    there.into_iter().map(one).collect()
}

async fn stands_on_one_person(database: Option<&Database>) {
    let home = home(database).await;
    let (_gateway, api) = settled(&home).await;
    let people = all(&api, "/v1/people?limit=50").await;
    assert_eq!(people.len(), EMPLOYEES + CANDIDATES - HIRED.len());
    let of = by_record(&people);

    // Everyone who works here is in DingTalk and in Feishu, and everything that the payroll department says is about them.
    let mut counted = BTreeMap::new();
    for (collection, name) in OF_EMPLOYEES {
        for (_, employee) in meant(&api, collection, name, "").await {
            let person = of[employee["id"].as_str().unwrap()];
            assert!(connections(person).is_superset(&["dingtalk", "feishu"].into()), "{collection}: {person}");
            *counted.entry(collection).or_insert(0) += 1;
        }
    }
    let of_payroll = ["payroll-records", "compensations", "performance-metrics", "performance-reviews"];
    assert_eq!(of_payroll.iter().map(|collection| counted[collection]).sum::<usize>(), 240);

    // Everyone who was interviewed is the candidate in Hire; everyone who was hired is the employee as well.
    for (application, candidate) in meant(&api, "applications", "candidate", "").await {
        let person = of[candidate["id"].as_str().unwrap()];
        let n: usize = application["external_ids"][0]["value"].as_str().unwrap()[2..].parse().unwrap();
        let mut wanted = BTreeSet::from(["feishu"]);
        wanted.extend((n < INTERVIEWED).then_some("interview"));
        wanted.extend(HIRED.contains(&n).then_some("dingtalk"));
        assert_eq!(connections(person), wanted, "{n}: {person}");
    }
    let mut interviews = 0;
    for (_, application) in meant(&api, "interviews", "application", "&connection=interview").await {
        let candidate = application["body"]["candidate"]["external"]["value"].as_str().unwrap();
        let candidate = api.get(&format!("/v1/candidates?connection=feishu&external_id={candidate}")).await;
        let person = of[candidate["data"][0]["id"].as_str().unwrap()];
        assert!(connections(person).is_superset(&["feishu", "interview"].into()), "{person}");
        interviews += 1;
    }
    assert_eq!(interviews, (0..INTERVIEWED).filter(|n| n % 3 != 2).count());

    explained(&api, &people).await;
    same_by_command(&home, &people).await;
    decided(&home, &api).await;
}

/// One who was hired: what each system says side by side, why it is one person, and the way from the application to the first day.
async fn explained(api: &Api, people: &[Value]) {
    let hired = people.iter().find(|person| connections(person).len() == 3).unwrap();
    let id = hired["id"].as_str().unwrap();
    let person = api.get(&format!("/v1/people/{id}")).await;
    let links = person["links"].as_array().unwrap();
    assert_eq!(links.len(), person["records"].as_array().unwrap().len() - 1, "{person}");
    for link in links {
        let because = link["because"].as_str().unwrap();
        assert!(because.contains("(rule ") && because.contains(" of 100"), "{because}");
        assert!(link["score"].as_i64() >= Some(100) && link["since"].is_string(), "{link}");
    }
    let rules: BTreeSet<&str> = links
        .iter()
        .flat_map(|link| link["evidence"].as_array().unwrap())
        .map(|evidence| evidence["rule"].as_str().unwrap())
        .collect();
    assert!(rules.contains("work_mail") && rules.contains("application"), "{rules:?}");
    let names = person["fields"].as_array().unwrap().iter().find(|field| field["name"] == "person.names").unwrap();
    assert!(names["values"].as_array().unwrap().len() >= 3 && names["because"].is_string(), "{names}");
    let steps: Vec<&str> =
        person["timeline"].as_array().unwrap().iter().filter_map(|one| one["step"].as_str()).collect();
    assert!(steps.contains(&"applied") && steps.contains(&"joined"), "{steps:?}");
    assert_eq!(person["withheld"], 0);
    // Any of the records leads here.
    for record in person["records"].as_array().unwrap() {
        let same = api.get(&format!("/v1/people/{}", record["id"].as_str().unwrap())).await;
        assert_eq!(same["id"], person["id"]);
    }
}

/// The command line shows the same.
async fn same_by_command(home: &Home, people: &[Value]) {
    let listed = home.json(&["people", "list", "--limit", "1000", "--dev"]).await;
    let ids = |people: &[Value]| people.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(listed.as_array().unwrap()), ids(people));
    let shown = home.json(&["people", "show", people[0]["id"].as_str().unwrap(), "--dev"]).await;
    assert_eq!(shown["records"], people[0]["records"]);
    let table = home.run(&["people", "show", people[0]["id"].as_str().unwrap(), "--dev"]).await;
    assert!(said(&table).contains("(rule ") && said(&table).contains("dingtalk"), "{}", said(&table));
    let slips = home.json(&["records", "payroll-records", "--expand=employee", "--limit", "500", "--dev"]).await;
    let slips = slips["data"].as_array().unwrap();
    assert!(slips.len() == 80 && slips.iter().all(|slip| slip["references"][0]["state"] == "linked"));
    let wrong = home.run(&["records", "payroll-records", "--expand=employe", "--dev"]).await;
    assert!(wrong.status.code() == Some(2) && said(&wrong).contains("`employee`"), "{}", said(&wrong));
}

/// Units of one name are proposed; a steward decides, undoes, and everyone sees who and why.
async fn decided(home: &Home, api: &Api) {
    let proposals = api.get("/v1/units/proposals").await;
    let proposal = &proposals["data"][0];
    assert!(proposal["because"].as_str().unwrap().contains("unit_name"), "{proposals}");
    let [one, other] = [&proposal["one"], &proposal["other"]].map(|id| id.as_str().unwrap().to_owned());
    let key = async |role: &str| {
        let made = api.post("/v1/keys", &json!({ "role": role, "label": format!("the {role}") })).await;
        api.with_key(made.1["key"].as_str().unwrap())
    };
    let (consumer, steward) = (key("consumer").await, key("steward").await);
    let ask = json!({ "act": "link", "records": [one, other], "reason": "One department" });
    assert_eq!(consumer.post("/v1/units/decisions", &ask).await.0, 403);
    let (status, decision) = steward.post_keyed("/v1/units/decisions", &ask, "first").await;
    assert_eq!((status, &decision["in_force"]), (201, &json!(true)), "{decision}");
    let (status, again) = steward.post_keyed("/v1/units/decisions", &ask, "first").await;
    assert_eq!((status, &again["number"]), (200, &decision["number"]), "once, however often it is asked");
    let unit = consumer.get(&format!("/v1/units/{other}")).await;
    assert_eq!((&unit["id"], unit["records"].as_array().unwrap().len()), (&json!(one), 2));
    assert_eq!(unit["decisions"][0]["person"], "the steward");
    assert_eq!(unit["links"][0]["decision"], decision["number"]);
    let (status, refused) = steward.post("/v1/connections/dingtalk/streams/users/runs", &json!({})).await;
    assert_eq!(status, 403, "a steward does nothing else: {refused}");

    let number = decision["number"].to_string();
    let undone = home.json(&["people", "undo", &number, "--reason", "They are two", "--person", "Li", "--dev"]).await;
    assert_eq!(undone["number"], decision["number"]);
    let unit = api.get(&format!("/v1/units/{other}")).await;
    assert_eq!((&unit["id"], unit["links"].as_array().unwrap().len()), (&json!(other), 0));
    assert_eq!(unit["past_links"].as_array().unwrap().len(), 1);
    let kept = api.get("/v1/people/decisions").await;
    assert_eq!(kept["data"][0]["undone"]["person"], "Li", "{kept}");

    let never =
        home.json(&["people", "never", &one, &other, "--reason", "Two companies", "--person", "Li", "--dev"]).await;
    assert_eq!(never["in_force"], true);
    let gone = api.get("/v1/units/proposals").await;
    assert!(gone["data"].as_array().unwrap().iter().all(|left| left["one"] != one.as_str()), "{gone}");
    let (status, refused) =
        steward.post("/v1/people/decisions", &json!({ "act": "link", "records": [one], "reason": "r" })).await;
    assert_eq!(status, 422, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_the_example_stands_on_one_person_and_people_decide_the_rest() {
    stands_on_one_person(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_the_example_stands_on_one_person_on_postgresql() {
    let Some(database) = Database::new().await else { return };
    stands_on_one_person(Some(&database)).await;
    database.end().await;
}
