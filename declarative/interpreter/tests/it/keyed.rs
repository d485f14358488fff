//! Lists that are objects: each member is an item, and has its name at the place that `keyed` says.

use renmen_plugin::testing::Host;
use renmen_plugin::{Coverage, FailureKind};
use serde_json::json;

use crate::world::{body, ids, map, page, pull_all, staff};

const URL: &str = "https://hr.example/v1/staff";

fn all(body: &str) -> Host {
    Host::new().answer("GET", URL, 200, body)
}

#[test]
fn every_member_is_an_item_in_the_vendors_order_with_its_name_and_its_place() {
    map(&staff("request = { path = '/staff' }\nitems = '/staff'\nkeyed = '/id'"));
    // The name counts, not the member of the same name; and it is escaped in the place.
    let answer = r#"{"staff":{"30":{"name":"A","id":"other"},"4":{"name":"B"},"x/y":{"name":"C"},"name":{"name":"D"}},"code":0}"#;
    let run = pull_all(&all(answer), "staff", None).unwrap();
    let found: Vec<_> =
        run.records.iter().map(|record| (record.external_id.as_str(), record.pointer.as_str())).collect();
    let wanted = [("30", "/staff/30"), ("4", "/staff/4"), ("x/y", "/staff/x~1y"), ("name", "/staff/name")];
    assert_eq!((found, run.coverage), (wanted.to_vec(), Coverage::Everything));
    let (mut cursor, mut seen) = (None, Vec::new());
    for _ in 0..10 {
        let page = page(&all(answer), "staff", cursor, 3).unwrap();
        seen.extend(page.records.iter().map(|record| record.external_id.clone()));
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["30", "4", "x/y", "name"], "by and by");
    map(&staff("request = { path = '/staff' }\nkeyed = '/id'").replace("[api]", "[api]\ncode = '/code'"));
    let run = pull_all(&all(r#"{"7":{"name":"A"},"code":{"name":"B"}}"#), "staff", None).unwrap();
    assert_eq!(ids(&run.records), ["7", "code"], "the whole answer, where a member has the name of the vendor's code");
}

#[test]
fn only_an_object_stands_for_such_a_list_and_null_or_an_empty_list_for_an_empty_one() {
    map(&staff("request = { path = '/staff' }\nitems = '/staff'\nkeyed = '/id'"));
    for empty in [r#"{"staff":{}}"#, r#"{"staff":[]}"#, r#"{"staff":null}"#] {
        assert!(pull_all(&all(empty), "staff", None).unwrap().records.is_empty(), "{empty}");
    }
    for (other, told) in [
        (r#"{"staff":[{"id":"1","name":"A"}]}"#, "a list at /staff of the answer; expected an object"),
        (r#"{"staff":7}"#, "a number at /staff"),
        (
            r#"{"staff":{"2":{"name":"B"},"total":1}}"#,
            "a number as a member of /staff; expected an object for each item",
        ),
        ("{}", "nothing at /staff"),
    ] {
        let failure = pull_all(&all(other), "staff", None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UpstreamChanged, "{other}");
        assert!(failure.message.contains(told), "{failure}");
    }
    map(&staff("request = { path = '/staff' }\nitems = '/staff'"));
    let failure = pull_all(&all(r#"{"staff":{"7":{"id":"7","name":"A"}}}"#), "staff", None).unwrap_err();
    assert!(failure.message.contains("an object at /staff of the answer; expected a list"), "{failure}");
}

#[test]
fn a_member_that_cannot_be_taken_in_is_set_aside_alone_with_the_vendors_bytes() {
    map(&staff("request = { path = '/staff' }\nitems = '/staff'\nkeyed = '/id'"));
    let run = pull_all(&all(r#"{"staff":{"2":{"name":"B"}, "3":{"nick" : 1}}}"#), "staff", None).unwrap();
    assert_eq!(ids(&run.records), ["2"]);
    let told: Vec<_> = run.rejects.iter().map(|r| (r.pointer.as_str(), std::str::from_utf8(&r.raw).unwrap())).collect();
    assert_eq!(told, [("/staff/3", r#"{"nick" : 1}"#)]);
}

#[test]
fn what_changed_is_looked_up_by_its_name_and_what_is_not_there_is_told_with_its_place() {
    let rule = "\n[[api.errors]]\nstatus = [404]\nis = 'gone'\n";
    map(&(staff(
        "request = { path = '/changed', query = { since = '{since}' } }\nitems = '/staff'\nkeyed = '/key'\nwhen = { '/action' = ['Inserted', 'Updated'] }\nchanges = { by = 'time', modified = '/at', overlap = '0s' }\nlookup = { request = { path = '/staff/{id}' }, listed = '/key' }",
    ) + rule));
    let changed = json!({ "staff": {
        "7": { "action": "Updated", "at": "2025-12-31T10:00:00Z" },
        "8": { "action": "Deleted", "at": "2025-12-31T12:00:00Z" },
        "9": { "action": "Inserted", "at": "2025-12-31T11:00:00Z" },
    } });
    let host = Host::new()
        .answer("GET", "https://hr.example/v1/changed", 200, changed.to_string())
        .answer("GET", &format!("{URL}/7"), 200, r#"{"id":"7","name":"A"}"#)
        .answer("GET", &format!("{URL}/9"), 404, "{}");
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!((ids(&run.records), &run.omissions[0].places), (vec!["7"], &vec!["/staff/9".to_owned()]));
    let next = "https://hr.example/v1/changed?since=2025-12-31T11%3A00%3A00Z";
    let host = Host::new().answer("GET", next, 200, r#"{"staff":[]}"#);
    assert!(pull_all(&host, "staff", run.next).unwrap().records.is_empty(), "what was left out moves no time");
}

#[test]
fn rows_below_a_member_know_its_name_and_a_list_may_be_read_for_each_member() {
    let mapping = "[api]\nbase = \"{config/base_url}\"\n[streams.staff]\nrequest = { path = '/staff' }\nitems = '/staff'\nkeyed = '/id'\nrecords = [{ entity = 'assignment', each = '/rows', id = '{outer/id}-{/date}', fields = { '/employee' = { text = '{outer/id}', as = 'ref' }, '/title' = '/title' } }]\n[streams.below]\nrequest = { path = '/staff/{parent/id}/rows' }\nfor_each = { stream = 'staff' }\nrecords = [{ entity = 'assignment', id = '{parent/id}-{/date}', fields = { '/employee' = { text = '{parent/id}', as = 'ref' } } }]\n";
    map(mapping);
    let staff = r#"{"staff":{"7":{"rows":[{"date":"2025-01-01","title":"A"},{"date":"2025-02-01","title":"B"}]},"8":{"rows":[]}}}"#;
    let run = pull_all(&all(staff), "staff", None).unwrap();
    assert_eq!(ids(&run.records), ["7-2025-01-01", "7-2025-02-01"]);
    assert_eq!((run.records[1].pointer.as_str(), &body(&run.records[1])["title"]), ("/staff/7/rows/1", &json!("B")));
    let host = all(staff).answer("GET", &format!("{URL}/7/rows"), 200, r#"[{"date":"2025-01-01"}]"#).answer(
        "GET",
        &format!("{URL}/8/rows"),
        200,
        "[]",
    );
    assert_eq!(ids(&pull_all(&host, "below", None).unwrap().records), ["7-2025-01-01"]);
}
