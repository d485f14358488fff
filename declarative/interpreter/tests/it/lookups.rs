//! Items that are asked for by their ids.

use renmen_plugin::testing::Host;
use renmen_plugin::{FailureKind, Pull};
use serde_json::{Value, json};

use crate::world::{Declared, config, ids, map, pull_all, row, staff};

const LIST: &str = "https://hr.example/v1/staff";
const QUERY: &str = "https://hr.example/v1/query";

fn batched(missing: &str) -> String {
    staff(&format!(
        "request = {{ path = '/staff' }}\nitems = '/ids'\nlookup = {{ request = {{ path = '/query', json = {{ ids = '{{ids}}' }} }}, listed = '', batch = 2, items = '/data', missing = '{missing}' }}"
    ))
}

fn answer(rows: &[&str]) -> String {
    json!({ "data": rows.iter().map(|id| row(id)).collect::<Vec<_>>() }).to_string()
}

#[test]
fn ids_are_asked_for_in_batches_and_records_point_into_their_answer() {
    map(&batched("unknown"));
    let host = Host::new()
        .answer("GET", LIST, 200, r#"{"ids":["1",2,"3"]}"#)
        .answer("POST", QUERY, 200, answer(&["1", "2"]))
        .answer("POST", QUERY, 200, answer(&["3"]));
    let run = pull_all(&host, "staff", None).unwrap();
    let told: Vec<(&str, u32, &str)> =
        run.records.iter().map(|r| (r.external_id.as_str(), r.exchange, r.pointer.as_str())).collect();
    assert_eq!(told, [("1", 1, "/data/0"), ("2", 1, "/data/1"), ("3", 2, "/data/0")]);
    let asked: Value = serde_json::from_slice(&host.request_body(1).unwrap()).unwrap();
    assert_eq!(asked, json!({ "ids": ["1", "2"] }));
}

#[test]
fn what_an_answer_lacks_is_told_and_not_taken_for_gone() {
    map(&batched("unknown"));
    let host = Host::new().answer("GET", LIST, 200, r#"{"ids":["1","2"]}"#).answer("POST", QUERY, 200, answer(&["1"]));
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!(ids(&run.records), ["1"]);
    assert_eq!((run.omissions[0].rule.as_str(), run.omissions[0].count), ("lookup", 1));
    assert_eq!(run.omissions[0].places, ["/ids/1"]);
}

fn named(host: &Host, only: &[&str]) -> Result<renmen_plugin::Page, renmen_plugin::Failure> {
    let only = only.iter().map(ToString::to_string).collect();
    host.pull::<Declared>(&config(), Pull { stream: "staff".into(), only, max_records: 100, ..Pull::default() })
}

#[test]
fn records_that_an_event_names_are_read_and_what_is_not_there_is_gone_where_the_mapping_says_so() {
    for (missing, gone) in [("gone", vec![("1", false), ("2", true)]), ("unknown", vec![("1", false)])] {
        map(&batched(missing));
        let page = named(&Host::new().answer("POST", QUERY, 200, answer(&["1"])), &["1", "2"]).unwrap();
        let told: Vec<(&str, bool)> = page.records.iter().map(|r| (r.external_id.as_str(), r.deleted)).collect();
        assert_eq!(told, gone, "{missing}");
        assert_eq!((page.has_more, page.next), (false, None), "the cursor is left alone");
    }
}

#[test]
fn one_by_one_an_answer_that_means_gone_is_a_deletion_and_a_fault_is_none() {
    let rule = "\n[[api.errors]]\nstatus = [404]\nwhen = { '/code' = 'NotFound' }\nis = 'gone'\n";
    let one = "request = { path = '/staff' }\nitems = '/data'\nlookup = { request = { path = '/staff/{id}' }, item = '/data' }";
    map(&(staff(one) + rule));
    let found = json!({ "data": row("a/b") }).to_string();
    let host = Host::new().answer("GET", &format!("{LIST}/a%2Fb"), 200, found).answer(
        "GET",
        &format!("{LIST}/2"),
        404,
        r#"{"code":"NotFound"}"#,
    );
    let page = named(&host, &["a/b", "2"]).unwrap();
    let told: Vec<(&str, bool, &str)> =
        page.records.iter().map(|r| (r.external_id.as_str(), r.deleted, r.pointer.as_str())).collect();
    assert_eq!(told, [("a/b", false, "/data"), ("2", true, "")]);
    for (status, body) in [(404, "{}"), (500, r#"{"code":"NotFound"}"#), (200, "{}")] {
        assert!(named(&Host::new().answer("GET", &format!("{LIST}/2"), status, body), &["2"]).is_err(), "{status}");
    }
    let failure = named(&Host::new(), &[".."]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput, "an id cannot leave its place in the path");
}
