//! How a list goes on, and where it ends.

use renmen_plugin::http::Response;
use renmen_plugin::testing::Host;
use renmen_plugin::{Coverage, FailureKind};
use serde_json::{Value, json};

use crate::world::{ids, map, page, pull_all, row, staff};

const URL: &str = "https://hr.example/v1/staff";

fn list(rows: &[&str], more: Value) -> String {
    let mut body = json!({ "data": rows.iter().map(|id| row(id)).collect::<Vec<_>>() });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

#[test]
fn a_token_leads_on_until_it_is_empty() {
    map(&staff(
        "request = { path = '/staff', query = { limit = '{page/size}', cursor = '{page/token}' } }\nitems = '/data'\nsize_max = 2\npaging = { by = 'token', next = '/next' }",
    ));
    for end in [json!(null), json!(""), json!(false)] {
        let host = Host::new()
            .answer("GET", &format!("{URL}?cursor=t%2F1&limit=2"), 200, list(&["3"], json!({ "next": end })))
            .answer("GET", &format!("{URL}?limit=2"), 200, list(&["1", "2"], json!({ "next": "t/1" })));
        let run = pull_all(&host, "staff", None).unwrap();
        assert_eq!((ids(&run.records), run.coverage), (vec!["1", "2", "3"], Coverage::Everything));
        assert_eq!(host.prefetched(), [format!("GET {URL}?cursor=t%2F1&limit=2")]);
        assert!(host.prefetched_in_vain().is_empty());
    }
}

#[test]
fn what_says_that_there_is_no_more_counts_above_the_token() {
    map(&staff(
        "request = { path = '/staff', query = { cursor = '{page/token}' } }\nitems = '/data'\npaging = { by = 'token', next = '/next', more = '/more' }",
    ));
    let host = Host::new().answer("GET", URL, 200, list(&["1"], json!({ "next": "t", "more": false })));
    assert_eq!(pull_all(&host, "staff", None).unwrap().records.len(), 1);
    let host = Host::new().answer("GET", URL, 200, list(&["1"], json!({ "more": true })));
    assert_eq!(pull_all(&host, "staff", None).unwrap_err().kind, FailureKind::UpstreamChanged);
}

#[test]
fn a_vendor_that_gives_the_same_page_again_does_not_make_an_endless_run() {
    map(&staff(
        "request = { path = '/staff', query = { cursor = '{page/token}' } }\nitems = '/data'\npaging = { by = 'token', next = '/next' }",
    ));
    let host = Host::new().answer("GET", URL, 200, list(&["1"], json!({ "next": "t" }))).answer(
        "GET",
        &format!("{URL}?cursor=t"),
        200,
        list(&["2"], json!({ "next": "t" })),
    );
    let failure = pull_all(&host, "staff", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamChanged);
    assert!(failure.message.contains("same next page"), "{failure}");
}

#[test]
fn an_address_of_the_vendors_is_followed_without_a_parameter_of_ours() {
    let next = "https://hr.example/v1/staff?cursor=abc";
    map(&staff(
        "request = { path = '/staff', query = { limit = '{page/size}' } }\nitems = '/data'\nsize_max = 50\npaging = { by = 'url', next = '/paging/next' }",
    ));
    let host = Host::new()
        .answer("GET", &format!("{URL}?limit=50"), 200, list(&["1"], json!({ "paging": { "next": next } })))
        .answer("GET", next, 200, list(&["2"], json!({ "paging": {} })));
    assert_eq!(ids(&pull_all(&host, "staff", None).unwrap().records), ["1", "2"]);

    map(&staff(
        "request = { path = '/staff', query = { limit = '{page/size}' } }\nsize_max = 50\npaging = { by = 'link' }",
    ));
    let linked = Response::from_parts(
        200,
        vec![("Link".into(), format!("<{next}>; rel=\"next\""))],
        json!([row("1")]).to_string().into_bytes(),
    );
    let host = Host::new().answer_with("GET", &format!("{URL}?limit=50"), linked).answer(
        "GET",
        next,
        200,
        json!([row("2")]).to_string(),
    );
    assert_eq!(ids(&pull_all(&host, "staff", None).unwrap().records), ["1", "2"]);
}

#[test]
fn pages_by_number_end_by_count_by_word_or_by_a_short_one() {
    for (stop, last) in
        [("pages = '/pages'", json!({ "pages": 2 })), ("more = '/more'", json!({ "more": false })), ("", json!({}))]
    {
        let comma = if stop.is_empty() { "" } else { ", " };
        map(&staff(&format!(
            "request = {{ path = '/staff', query = {{ page = '{{page/number}}' }} }}\nitems = '/data'\nsize_max = 2\npaging = {{ by = 'number'{comma}{stop} }}"
        )));
        let first = list(&["1", "2"], json!({ "pages": 2, "more": true }));
        let host = Host::new().answer("GET", &format!("{URL}?page=1"), 200, first).answer(
            "GET",
            &format!("{URL}?page=2"),
            200,
            list(&["3"], last),
        );
        assert_eq!(ids(&pull_all(&host, "staff", None).unwrap().records), ["1", "2", "3"], "{stop}");
    }
}

#[test]
fn offsets_end_at_the_total_and_the_total_is_told() {
    map(&staff(
        "request = { path = '/staff', query = { offset = '{page/offset}' } }\nitems = '/data'\nsize_max = 2\npaging = { by = 'offset', total = '/total' }",
    ));
    let host = Host::new()
        .answer("GET", &format!("{URL}?offset=0"), 200, list(&["1", "2"], json!({ "total": 3 })))
        .answer("GET", &format!("{URL}?offset=2"), 200, list(&["3"], json!({ "total": 3 })));
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.total), (vec!["1", "2", "3"], Some(3)));
}

#[test]
fn a_list_by_offset_that_shifts_is_read_again() {
    map(&staff(
        "request = { path = '/staff', query = { offset = '{page/offset}', limit = '{page/size}' } }\nitems = '/data'\nsize_max = 3\npaging = { by = 'offset' }",
    ));
    let first = format!("{URL}?limit=2&offset=0");
    let second = format!("{URL}?limit=3&offset=1");
    let host = Host::new()
        .answer("GET", &first, 200, list(&["1", "2"], json!({})))
        .answer("GET", &second, 200, list(&["3", "4"], json!({})))
        .answer("GET", &first, 200, list(&["1", "3"], json!({})))
        .answer("GET", &second, 200, list(&["3", "4"], json!({})));
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!(ids(&run.records), ["1", "2", "1", "3", "4"]);
}

#[test]
fn an_answer_that_holds_more_than_was_asked_for_is_taken_in_by_and_by() {
    map(&staff("request = { path = '/staff' }\nitems = '/data'"));
    let mut rows: Vec<Value> = ["1", "2", "3", "4", "5"].map(row).into();
    rows.insert(1, json!({ "id": "bad" }));
    let host = Host::new().answer("GET", URL, 200, json!({ "data": rows }).to_string());
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = page(&host, "staff", cursor, 2).unwrap();
        assert!(page.records.len() + page.rejects.len() <= 2, "what is set aside counts too");
        seen.extend(page.records.iter().map(|record| record.external_id.clone()));
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_cursor_of_another_connector_is_refused() {
    map(&staff("request = { path = '/staff' }\nitems = '/data'"));
    for cursor in ["", "7", "{}", r#"{"v":1,"list":4}"#, r#"{"v":9}"#, r#"{"v":1,"of":"another"}"#] {
        let failure = page(&Host::new(), "staff", Some(cursor.into()), 10).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{cursor}");
    }
}

#[test]
fn items_within_items_are_items_too_with_their_own_place() {
    map(&staff("request = { path = '/staff' }\nitems = '/data'\nnested = '/children'"));
    let tree = json!({ "data": [
        { "id": "1", "name": "A", "children": [{ "id": "2", "name": "B", "children": [{ "id": "3", "name": "C" }] }, { "id": "4", "name": "D", "children": null }] },
        { "id": "5", "name": "E", "children": [] },
    ] });
    let host = || Host::new().answer("GET", URL, 200, tree.to_string());
    let run = pull_all(&host(), "staff", None).unwrap();
    let found: Vec<_> =
        run.records.iter().map(|record| (record.external_id.as_str(), record.pointer.as_str())).collect();
    let wanted = [
        ("1", "/data/0"),
        ("2", "/data/0/children/0"),
        ("3", "/data/0/children/0/children/0"),
        ("4", "/data/0/children/1"),
        ("5", "/data/1"),
    ];
    assert_eq!(found, wanted);
    let (mut cursor, mut seen) = (None, Vec::new());
    for _ in 0..10 {
        let page = page(&host(), "staff", cursor, 2).unwrap();
        seen.extend(page.records.iter().map(|record| record.external_id.clone()));
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5"]);
    let odd = Host::new().answer("GET", URL, 200, r#"{"data":[{"id":"1","name":"A","children":7}]}"#);
    let failure = pull_all(&odd, "staff", None).unwrap_err();
    assert!(failure.message.contains("a number at /children of an item"), "{failure}");
}
