//! What changed: by time, by token, and what the vendor takes back.

use renmen_plugin::testing::{Host, NOW_MS};
use renmen_plugin::{Coverage, FailureKind};
use serde_json::{Value, json};

use crate::world::{ids, map, pull_all, staff};

const URL: &str = "https://hr.example/v1/staff";

fn rows(rows: &[(&str, &str)], more: Value) -> String {
    let rows: Vec<Value> = rows.iter().map(|(id, at)| json!({ "id": id, "name": "A", "updated": at })).collect();
    let mut body = json!({ "data": rows });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

#[test]
fn the_next_run_asks_from_before_the_newest_time_and_both_ends_are_sent() {
    map(&staff(
        "request = { path = '/staff', query = { updated_at = 'gte|{since}|lte|{until | time}' } }\nitems = '/data'\nchanges = { by = 'time', modified = '/updated', overlap = '1h' }",
    ));
    let host = Host::new().answer(
        "GET",
        URL,
        200,
        rows(&[("2", "2025-12-31T10:00:00Z"), ("1", "2025-12-31T12:00:00Z")], json!({})),
    );
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["2", "1"], Coverage::Changes));
    let asked = format!("{URL}?updated_at=gte%7C2025-12-31T11%3A00%3A00Z%7Clte%7C2026-01-01T00%3A00%3A00.000Z");
    let host = Host::new().answer("GET", &asked, 200, rows(&[], json!({})));
    let again = pull_all(&host, "staff", run.next).unwrap();
    assert_eq!((again.records.len(), host.requests().len()), (0, 1));
}

#[test]
fn the_first_run_begins_where_the_mapping_says_and_the_next_where_it_ended() {
    map(&staff(
        "request = { path = '/staff', query = { from = \"{since | format '%Y%m%d'}\" } }\nitems = '/data'\nchanges = { by = 'time', modified = '/updated', overlap = '0s', start = '{config/from}' }",
    ));
    let pull = |host: &Host, from: Value, cursor| {
        let mut config = crate::world::config();
        config["from"] = from;
        host.pull_all::<crate::world::Declared>(&config, "staff", cursor)
    };
    let host = Host::new().answer(
        "GET",
        &format!("{URL}?from=20250201"),
        200,
        rows(&[("1", "2025-12-31T12:00:00Z")], json!({})),
    );
    let run = pull(&host, json!("2025-02-01"), None).unwrap();
    assert_eq!(ids(&run.records), ["1"]);
    let host = Host::new().answer("GET", &format!("{URL}?from=20251231"), 200, rows(&[], json!({})));
    pull(&host, json!("2025-02-01"), run.next).unwrap();
    // Without a value in the configuration it reads all, and what is not a time is told.
    let host = Host::new().answer("GET", URL, 200, rows(&[], json!({})));
    pull(&host, Value::Null, None).unwrap();
    let failure = pull(&Host::new(), json!("soon"), None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadConfig);
    assert!(failure.message.contains("changes.start"), "{}", failure.message);
}

#[test]
fn the_upper_end_stays_while_a_run_goes_on() {
    map(&staff(
        "request = { path = '/staff', query = { to = '{until | seconds}', cursor = '{page/token}' } }\nitems = '/data'\npaging = { by = 'token', next = '/next' }\nchanges = { by = 'time', modified = '/updated' }",
    ));
    let at = "2025-12-31T10:00:00Z";
    let first =
        Host::new().answer("GET", &format!("{URL}?to=1767225600"), 200, rows(&[("1", at)], json!({ "next": "n" })));
    let page = crate::world::page(&first, "staff", None, 10).unwrap();
    let later = Host::new().at_ms(NOW_MS + 60_000).answer(
        "GET",
        &format!("{URL}?cursor=n&to=1767225600"),
        200,
        rows(&[], json!({})),
    );
    assert!(pull_all(&later, "staff", page.next).is_ok());
}

#[test]
fn a_sorted_list_in_another_order_is_refused_and_ties_come_once() {
    map(&staff(
        "request = { path = '/staff', query = { since = '{since}' } }\nitems = '/data'\nchanges = { by = 'time', modified = '/updated', order = 'oldest_first' }",
    ));
    let wrong = rows(&[("2", "2025-12-31T12:00:00Z"), ("1", "2025-12-31T10:00:00Z")], json!({}));
    let failure = pull_all(&Host::new().answer("GET", URL, 200, wrong), "staff", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamChanged);
    let right = rows(&[("1", "2025-12-31T10:00:00Z"), ("2", "2025-12-31T12:00:00Z")], json!({}));
    assert_eq!(pull_all(&Host::new().answer("GET", URL, 200, right), "staff", None).unwrap().records.len(), 2);
}

#[test]
fn an_item_without_its_time_is_set_aside_alone() {
    map(&staff("request = { path = '/staff' }\nitems = '/data'\nchanges = { by = 'time', modified = '/updated' }"));
    let body =
        json!({ "data": [{ "id": "1", "name": "A" }, { "id": "2", "name": "A", "updated": "2025-12-31T12:00:00Z" }] });
    let run = pull_all(&Host::new().answer("GET", URL, 200, body.to_string()), "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.rejects.len()), (vec!["2"], 1));
    assert!(run.rejects[0].reason.contains("/updated"), "{}", run.rejects[0].reason);
    assert_eq!(run.rejects[0].raw, br#"{"id":"1","name":"A"}"#);
}

const SYNC: &str = "request = { path = '/staff', json = { cursor = '{page/token}', syncToken = '{since}' } }\nitems = '/data'\npaging = { by = 'token', next = '/next' }\nchanges = { by = 'sync_token', token = '/syncToken' }";

fn body_of(host: &Host, number: usize) -> Value {
    serde_json::from_slice(&host.request_body(number).unwrap()).unwrap()
}

#[test]
fn the_token_of_the_last_page_is_what_the_next_run_asks_with() {
    map(&staff(SYNC));
    let host = Host::new()
        .answer("POST", URL, 200, rows(&[("1", "")], json!({ "next": "p2", "syncToken": "early" })))
        .answer("POST", URL, 200, rows(&[("2", "")], json!({ "syncToken": "s1" })));
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["1", "2"], Coverage::Everything));
    assert_eq!((body_of(&host, 0), body_of(&host, 1)), (json!({}), json!({ "cursor": "p2" })));
    let host = Host::new().answer("POST", URL, 200, rows(&[("2", "")], json!({ "syncToken": "s2" })));
    let run = pull_all(&host, "staff", run.next).unwrap();
    assert_eq!((body_of(&host, 0), run.coverage), (json!({ "syncToken": "s1" }), Coverage::Changes));
}

#[test]
fn a_token_that_the_vendor_takes_back_makes_the_run_begin_anew() {
    let rule = "\n[[api.errors]]\nwhen = { '/error' = 'expired' }\nis = 'restart'\n";
    map(&format!("{}{rule}", staff(SYNC)));
    let first = Host::new().answer("POST", URL, 200, rows(&[("1", "")], json!({ "syncToken": "s1" })));
    let run = pull_all(&first, "staff", None).unwrap();
    let host = Host::new().answer("POST", URL, 400, r#"{"error":"expired"}"#).answer(
        "POST",
        URL,
        200,
        rows(&[("1", ""), ("2", "")], json!({ "syncToken": "s2" })),
    );
    let again = pull_all(&host, "staff", run.next).unwrap();
    assert_eq!(ids(&again.records), ["1", "2"]);
    assert_eq!((body_of(&host, 0), body_of(&host, 1)), (json!({ "syncToken": "s1" }), json!({})));
    // Nothing was sent that could be taken back.
    let host = Host::new().answer("POST", URL, 400, r#"{"error":"expired"}"#);
    assert_eq!(pull_all(&host, "staff", None).unwrap_err().kind, FailureKind::UpstreamUnavailable);
}

#[test]
fn several_lists_of_a_stream_are_read_one_after_the_other_and_each_keeps_its_own() {
    map(r#"
[api]
base = "{config/base_url}"

[[streams.staff]]
request = { path = "/staff", query = { since = "{since}" } }
items = "/data"
changes = { by = "time", modified = "/updated", overlap = "0s" }
[[streams.staff.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name" }

[[streams.staff]]
request = { path = "/gone", query = { since = "{since | ms}" } }
items = "/data"
changes = { by = "time", modified = "/at", unit = "ms", overlap = "0s" }
[[streams.staff.records]]
entity = "employee"
id = "/id"
deleted = "always"
"#);
    let gone = "https://hr.example/v1/gone";
    let tombstone = json!({ "data": [{ "id": "9", "at": 1_767_000_000_000_i64 }] }).to_string();
    let host = Host::new()
        .answer("GET", URL, 200, rows(&[("1", "2025-12-31T10:00:00Z")], json!({})))
        .answer("GET", gone, 200, tombstone);
    let run = pull_all(&host, "staff", None).unwrap();
    let told: Vec<(&str, bool)> = run.records.iter().map(|r| (r.external_id.as_str(), r.deleted)).collect();
    assert_eq!((told, run.coverage), (vec![("1", false), ("9", true)], Coverage::Changes));
    let host = Host::new()
        .answer("GET", &format!("{URL}?since=2025-12-31T10%3A00%3A00Z"), 200, rows(&[], json!({})))
        .answer("GET", &format!("{gone}?since=1767000000000"), 200, r#"{"data":[]}"#);
    assert!(pull_all(&host, "staff", run.next).is_ok());
}

#[test]
fn a_time_of_odata_is_asked_back_as_a_time() {
    map(&staff(
        "request = { path = '/staff', query = { since = '{since | time}' } }\nitems = '/data'\nchanges = { by = 'time', modified = '/updated', unit = 'ms' }",
    ));
    let body = rows(&[("1", "/Date(1767175200000+0000)/"), ("2", "/Date(1767168000000)/")], json!({}));
    let run = pull_all(&Host::new().answer("GET", URL, 200, body), "staff", None).unwrap();
    assert_eq!(run.records.len(), 2);
    // The newest time, less the overlap of ten minutes.
    let since = format!("{URL}?since=2025-12-31T09%3A50%3A00.000Z");
    let host = Host::new().answer("GET", &since, 200, rows(&[], json!({})));
    assert_eq!(pull_all(&host, "staff", run.next).unwrap().records, []);
}

/// What changes is the person, and what it becomes stands within.
const WITHIN: &str = r#"
[api]
base = "{config/base_url}"

[streams.staff]
request = { path = "/staff" }
items = "/data"
changes = { by = "time", modified = "/updated", order = "oldest_first" }

[[streams.staff.records]]
entity = "assignment"
each = "/posts"
id = "/post"
fields = { "/employee" = { text = "{outer/id}", as = "ref" } }
"#;

#[test]
fn entries_of_items_that_share_a_time_come_in_and_one_without_an_id_is_set_aside_alone() {
    map(WITHIN);
    let at = "2025-12-31T10:00:00Z";
    let data = json!([
        { "id": "1", "updated": at, "posts": [{ "post": "a" }, { "post": "b" }] },
        { "id": "2", "updated": at, "posts": [] },
        { "id": "3", "updated": at, "posts": [{ "title": "none" }, { "post": "c" }] },
    ]);
    let run =
        pull_all(&Host::new().answer("GET", URL, 200, json!({ "data": data }).to_string()), "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.rejects.len()), (vec!["a", "b", "c"], 1));
    assert_eq!(run.records[2].pointer, "/data/2/posts/1");
}
