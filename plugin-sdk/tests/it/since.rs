//! The modified-since cursor against a small vendor that behaves like real ones: inclusive, sorted, with ties, and with
//! offsets for page cursors.

use std::collections::BTreeMap;

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::{Since, Window};
use renmen_plugin::{Page, testing};
use serde_json::json;

/// The first second of the vendor's times.
const FROM_S: i64 = 1_772_413_200;
/// Long after all the times that the vendor has.
const LATER_MS: i64 = (FROM_S + 86_400) * 1000;
const WINDOW: Window = Window { overlap_ms: 10_000, skew_ms: 60_000 };

/// Id to time in seconds.
struct Vendor(BTreeMap<String, i64>);

impl Vendor {
    fn with(count: usize, per_second: usize) -> Self {
        Self((0..count).map(|n| (format!("e{n:03}"), FROM_S + (n / per_second) as i64)).collect())
    }

    fn list(&self, from: Option<&str>, cursor: Option<&str>, limit: usize) -> (Vec<(String, i64)>, Option<String>) {
        let from: i64 = from.map_or(0, |text| text.parse().unwrap());
        let mut rows: Vec<(String, i64)> =
            self.0.iter().map(|(id, at)| (id.clone(), *at)).filter(|row| row.1 >= from).collect();
        rows.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        let start: usize = cursor.map_or(0, |text| text.parse().unwrap());
        let more = rows.len() > start + limit;
        (rows.into_iter().skip(start).take(limit).collect(), more.then(|| (start + limit).to_string()))
    }
}

/// One page: the ids that it hands on, and its cursor.
fn pull(vendor: &Vendor, cursor: Option<&str>, limit: usize, now_ms: i64) -> (Vec<String>, Page) {
    testing::Host::new().at_ms(now_ms).run(|| {
        let mut since = Since::resume_within(cursor, WINDOW).unwrap();
        let (rows, next) = vendor.list(since.from(), since.page(), limit);
        let fresh = rows
            .iter()
            .filter(|(id, at)| since.is_new(&at.to_string(), at * 1000, id))
            .map(|row| row.0.clone())
            .collect();
        (fresh, since.finish(Page::new(), next).unwrap())
    })
}

fn run(vendor: &Vendor, mut cursor: Option<String>, limit: usize, now_ms: i64) -> (Vec<String>, Option<String>) {
    let mut all = Vec::new();
    for _ in 0..1000 {
        let (ids, page) = pull(vendor, cursor.as_deref(), limit, now_ms);
        all.extend(ids);
        cursor = page.next;
        if !page.has_more {
            return (all, cursor);
        }
    }
    panic!("no end");
}

#[test]
fn every_record_comes_once_whatever_the_ties_and_the_page_size() {
    for (per_second, limit) in [(1, 7), (4, 10), (4, 4), (4, 3), (50, 7), (200, 9), (3, 500), (3, 1)] {
        let vendor = Vendor::with(200, per_second);
        let (mut ids, _) = run(&vendor, None, limit, LATER_MS);
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), count), (200, 200), "{per_second} a second, {limit} a page");
    }
}

/// As [`pull`], over a host that says which requests were named ahead.
fn pull_naming_ahead(host: &testing::Host, vendor: &Vendor, cursor: Option<&str>, limit: usize) -> Page {
    #[derive(serde::Deserialize)]
    struct Row {
        id: String,
        at: i64,
    }
    let ask = |since: &Since| {
        Request::get("https://v.test/").query_some("since", since.from()).query_some("cursor", since.page())
    };
    host.run(|| {
        let mut since = Since::resume_within(cursor, WINDOW).unwrap();
        let _kept_by_the_host = ask(&since).send();
        let (rows, next) = vendor.list(since.from(), since.page(), limit);
        let rows: Vec<_> = rows.iter().map(|(id, at)| json!({ "id": id, "at": at })).collect();
        let body = json!({ "data": rows, "next": next }).to_string();
        let answer = Response::from_parts(200, Vec::new(), body.into_bytes());
        since.prefetch(&answer, ("/data", "/next"), |row: &Row| Some((row.at.to_string(), row.at * 1000)), ask);
        for row in rows {
            let row: Row = serde_json::from_value(row).unwrap();
            since.is_new(&row.at.to_string(), row.at * 1000, &row.id);
        }
        since.finish(Page::new(), next).unwrap()
    })
}

#[test]
fn the_request_that_is_named_ahead_is_the_one_that_is_sent_next() {
    for (per_second, limit) in [(1, 7), (4, 10), (4, 4), (4, 3), (50, 7), (200, 9), (3, 500), (3, 1)] {
        let mut vendor = Vendor::with(200, per_second);
        vendor.0.insert("ahead".into(), FROM_S + 40 * 86_400);
        let host = testing::Host::new().at_ms(LATER_MS);
        let (mut cursor, mut pages) = (None, 0);
        loop {
            let page = pull_naming_ahead(&host, &vendor, cursor.as_deref(), limit);
            (cursor, pages) = (page.next, pages + 1);
            if !page.has_more {
                break;
            }
        }
        let none: [String; 0] = [];
        assert_eq!(host.prefetched_in_vain(), none, "{per_second} a second, {limit} a page");
        // After every page but the last, and none twice.
        assert_eq!((host.prefetched().len(), host.requests().len()), (pages - 1, pages), "{per_second}, {limit}");
        assert_eq!(host.prefetched(), host.requests()[1..]);
    }
}

#[test]
fn the_next_run_reads_the_overlap_again_and_nothing_older() {
    let mut vendor = Vendor::with(200, 4);
    let (_, cursor) = run(&vendor, None, 50, LATER_MS);
    let (ids, cursor) = run(&vendor, cursor, 50, LATER_MS);
    // The newest second is 49, the overlap ten seconds.
    assert_eq!((ids.len(), ids.first().unwrap().as_str(), ids.last().unwrap().as_str()), (44, "e156", "e199"));
    vendor.0.insert("in the second that was read".into(), FROM_S + 49);
    vendor.0.insert("ten seconds late".into(), FROM_S + 39);
    vendor.0.insert("later than the overlap".into(), FROM_S + 38);
    vendor.0.insert("e000".into(), FROM_S + 60);
    let (ids, _) = run(&vendor, cursor, 50, LATER_MS);
    let came = |id: &str| ids.iter().any(|known| known == id);
    assert!(came("in the second that was read") && came("ten seconds late") && came("e000"));
    assert!(!came("later than the overlap"), "a window is a window");
}

#[test]
fn a_source_where_nothing_moves_leaves_the_cursor_where_it_is() {
    let vendor = Vendor::with(90, 3);
    let (_, first) = run(&vendor, None, 20, LATER_MS);
    let (ids, second) = run(&vendor, first.clone(), 20, LATER_MS);
    assert_eq!((ids.len(), &second), (33, &first));
    let (again, third) = run(&vendor, second, 20, LATER_MS);
    assert_eq!((again, third), (ids, first));
}

#[test]
fn a_record_that_changes_between_two_pages_pushes_no_other_out_of_sight() {
    let mut vendor = Vendor::with(100, 2);
    let (mut ids, mut page) = pull(&vendor, None, 10, LATER_MS);
    // Ten records that were read move to the end: every offset is now wrong by ten.
    for n in 0..10 {
        vendor.0.insert(format!("e{n:03}"), FROM_S + 500 + n);
    }
    while page.has_more {
        let more;
        (more, page) = pull(&vendor, page.next.as_deref(), 10, LATER_MS);
        ids.extend(more);
    }
    for n in 0..100 {
        assert!(ids.contains(&format!("e{n:03}")), "e{n:03} is lost");
    }
    assert_eq!(ids.iter().filter(|id| *id == "e000").count(), 2, "the changed one comes again");
}

#[test]
fn a_second_that_is_not_over_yet_is_read_again_within_the_run() {
    let vendor = Vendor::with(20, 4);
    // The clock stands in the second that the first page ends with.
    let now_ms = (FROM_S + 2) * 1000;
    let (first, page) = pull(&vendor, None, 10, now_ms);
    let (second, _) = pull(&vendor, page.next.as_deref(), 10, now_ms);
    assert_eq!(first[8..], second[..2]);
}

#[test]
fn more_ties_than_are_remembered_come_again_rather_than_never() {
    let vendor = Vendor::with(150, 75);
    let (mut ids, _) = run(&vendor, None, 80, LATER_MS);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 150);
}

#[test]
fn a_list_in_no_order_moves_the_time_only_at_the_end_of_the_run() {
    let host = testing::Host::new();
    let window = Window { overlap_ms: 4, ..Window::default() };
    host.run(|| {
        let mut since = Since::resume_within(None, window).unwrap();
        assert!(since.is_new("9", 9, "a") && since.is_new("3", 3, "b"));
        let page = since.finish_unsorted(Page::new(), Some("p2".to_owned())).unwrap();
        let mut since = Since::resume_within(page.next.as_deref(), window).unwrap();
        assert_eq!((since.from(), since.page()), (None, Some("p2")));
        assert!(since.is_new("5", 5, "c"));
        let page = since.finish_unsorted(Page::new(), None).unwrap();
        assert!(!page.has_more);
        let since = Since::resume_within(page.next.as_deref(), window).unwrap();
        assert_eq!((since.from(), since.page(), since.from_ms()), (Some("5"), None, Some(5)));
    });
}

#[test]
fn a_cursor_of_another_kind_is_refused() {
    let failure = Since::resume(Some(r#"{"offset":3}"#)).unwrap_err();
    assert_eq!(failure.kind, renmen_plugin::FailureKind::InvalidInput);
}
