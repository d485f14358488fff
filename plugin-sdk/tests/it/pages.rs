//! Mapping a list: one pass when all is well, and only the bad record lost when it is not.

use renmen_plugin::http::Response;
use renmen_plugin::schema::code::OrgUnitKind;
use renmen_plugin::schema::entity::{Employee, OrgUnit, PersonDetails};
use renmen_plugin::schema::types::Localized;
use renmen_plugin::{FailureKind, Item, Page, Rest, Unfit};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row<'a> {
    id: u32,
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
}

fn employee(row: Row<'_>, item: &mut Item<'_>) -> Result<(), Unfit> {
    item.is_about(row.id.to_string());
    let unmappable = row.name == "unmappable";
    item.push(row.id.to_string(), None, &Employee::new(PersonDetails::named(row.name)))?;
    if unmappable {
        return Err(Unfit::field("name", "is not wanted"));
    }
    Ok(())
}

fn response(body: impl Into<Vec<u8>>) -> Response {
    Response::from_parts(200, Vec::new(), body.into())
}

fn map<'a>(page: &mut Page, response: &'a Response, pointer: &str) -> Result<Rest<'a>, renmen_plugin::Failure> {
    page.map_items::<Employee, Row<'a>>(response, pointer, employee)
}

#[test]
fn a_good_list_is_mapped_in_order_with_pointers_and_what_stands_beside_it() {
    let body = response(r#"{"total":2,"data":[{"id":1,"name":"A"},{"id":2,"name":"Bé"}],"meta":{"next/cursor":"x9"}}"#);
    let mut page = Page::new();
    let rest = map(&mut page, &body, "/data").unwrap();
    assert_eq!(rest.items, 2);
    assert_eq!(rest.get::<String>("/meta/next~1cursor").unwrap(), "x9");
    assert_eq!(rest.get::<u32>("/total").unwrap(), 2);
    assert_eq!(rest.get::<Option<String>>("/meta/none").unwrap(), None);
    assert_eq!(rest.get::<Option<String>>("/none").unwrap(), None);
    let pointers: Vec<_> = page.records.iter().map(|r| (r.pointer.as_str(), r.external_id.as_str())).collect();
    assert_eq!(pointers, [("/data/0", "1"), ("/data/1", "2")]);
    let payload: Employee = serde_json::from_slice(&page.records[1].payload).unwrap();
    assert_eq!(payload.person.names.unwrap().formatted, "Bé");
}

#[test]
fn what_should_be_beside_the_list_and_is_not_is_a_change_of_the_vendor() {
    let body = response(r#"{"data":[],"next":{"a":1}}"#);
    let mut page = Page::new();
    let rest = map(&mut page, &body, "/data").unwrap();
    assert_eq!(rest.get::<String>("/missing").unwrap_err().kind, FailureKind::UpstreamChanged);
    assert_eq!(rest.get::<String>("/next/a").unwrap_err().kind, FailureKind::UpstreamChanged);
}

#[test]
fn one_bad_record_is_rejected_alone_with_its_bytes_and_its_place() {
    let body = response(
        r#"{"data":[{"id":1,"name":"A"},{"id":"31010119900101","name":"B"},{"id":3,"name":"C"}],"next":null}"#,
    );
    let mut page = Page::new();
    let rest = map(&mut page, &body, "/data").unwrap();
    assert_eq!(rest.items, 3);
    assert_eq!(page.records.iter().map(|r| r.external_id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    let reject = &page.rejects[0];
    assert_eq!((reject.entity.as_str(), reject.pointer.as_str()), ("employee", "/data/1"));
    assert_eq!(reject.raw, br#"{"id":"31010119900101","name":"B"}"#);
    assert!(reject.reason.starts_with("/id: ") && !reject.reason.contains("3101"), "{}", reject.reason);
}

#[test]
fn a_record_that_does_not_map_takes_back_what_it_pushed_and_keeps_its_id() {
    let body = response(r#"[{"id":1,"name":"A"},{"id":2,"name":"unmappable"},{"id":3,"name":"C"}]"#);
    let mut page = Page::new();
    map(&mut page, &body, "").unwrap();
    assert_eq!(page.records.iter().map(|r| r.pointer.as_str()).collect::<Vec<_>>(), ["/0", "/2"]);
    assert_eq!(page.rejects[0].external_id.as_deref(), Some("2"));
    assert_eq!(page.rejects[0].reason, "name: is not wanted");
}

#[test]
fn invalid_utf8_in_one_record_spoils_that_record_only() {
    let mut body = br#"{"data":[{"id":1,"name":"A"},{"id":2,"name":""#.to_vec();
    body.extend(b"\xff\xfe\"},{\"id\":3,\"name\":\"C\"}]}");
    let body = response(body);
    let mut page = Page::new();
    map(&mut page, &body, "/data").unwrap();
    assert_eq!((page.records.len(), page.rejects.len()), (2, 1));
    assert_eq!(page.rejects[0].pointer, "/data/1");
}

#[test]
fn pages_gather_several_lists_and_a_bad_one_leaves_the_earlier_ones_alone() {
    let mut page = Page::new();
    map(&mut page, &response(r#"[{"id":1,"name":"A"}]"#), "").unwrap();
    map(&mut page, &response(r#"[{"id":2,"name":"B"},{"id":null}]"#), "").unwrap();
    assert_eq!((page.records.len(), page.rejects.len()), (2, 1));
}

#[test]
fn null_for_an_empty_list_and_a_byte_order_mark_are_taken() {
    let mut page = Page::new();
    assert_eq!(map(&mut page, &response(r#"{"data":null}"#), "/data").unwrap().items, 0);
    assert_eq!(map(&mut page, &response("\u{feff}[]"), "").unwrap().items, 0);
}

#[test]
fn a_body_without_the_list_is_told_from_a_cut_one() {
    let mut page = Page::new();
    let mut kind = |body: &str| map(&mut page, &response(body), "/data").unwrap_err().kind;
    assert_eq!(kind(r#"{"error":"x"}"#), FailureKind::UpstreamChanged);
    assert_eq!(kind(r#"{"data":{"a":1}}"#), FailureKind::UpstreamChanged);
    assert_eq!(kind("<html></html>"), FailureKind::UpstreamChanged);
    assert_eq!(kind(r#"{"data":[{"id":1,"name":"A"},{"id"#), FailureKind::UpstreamUnavailable);
    assert_eq!(kind(""), FailureKind::UpstreamUnavailable);
    assert!(page.records.is_empty() && page.rejects.is_empty());
}

#[test]
fn one_row_may_make_several_records_and_tell_of_a_deletion() {
    let body = response(r#"[{"id":7,"name":"Sales"}]"#);
    let mut page = Page::new();
    page.map_items::<OrgUnit, Row<'_>>(&body, "", |row, item| {
        item.push_deleted::<Employee>("head-7", Some(5));
        item.push(row.id.to_string(), None, &OrgUnit::new(Localized::en(row.name), OrgUnitKind::Team.into()))
    })
    .unwrap();
    let seen: Vec<_> = page.records.iter().map(|r| (r.entity.as_str(), r.deleted, r.pointer.as_str())).collect();
    assert_eq!(seen, [("employee", true, "/0"), ("org_unit", false, "/0")]);
}

#[test]
fn debug_output_of_a_page_shows_no_payload() {
    let mut page = Page::new();
    map(&mut page, &response(r#"[{"id":1,"name":"Alice"},{"id":2,"name":"unmappable"}]"#), "").unwrap();
    let shown = format!("{page:?}");
    assert!(!shown.contains("Alice") && !shown.contains("unmappable"), "{shown}");
}
