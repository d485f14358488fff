//! The modified-since cursor and vendors that cannot be trusted: late records, clocks that are off, lists in another order,
//! an empty text as the end.

use std::collections::BTreeMap;

use renmen_plugin::paging::{Since, Window};
use renmen_plugin::{Failure, FailureKind, Page, testing};

const NOW_MS: i64 = testing::NOW_MS;
const MINUTE_MS: i64 = 60_000;
const IN_2062_MS: i64 = 2_914_000_000_000;

/// A page of these records, asked for with this cursor.
fn page(cursor: Option<&str>, now_ms: i64, rows: &[(&str, i64)], next: Option<&str>) -> Result<Page, Failure> {
    testing::Host::new().at_ms(now_ms).run(|| {
        let mut since = Since::resume(cursor)?;
        for (id, at_ms) in rows {
            since.is_new(&at_ms.to_string(), *at_ms, id);
        }
        since.finish(Page::new(), next.map(str::to_owned))
    })
}

/// Where the next request asks.
fn asks(cursor: Option<&str>, now_ms: i64) -> (Option<i64>, Option<String>) {
    testing::Host::new().at_ms(now_ms).run(|| {
        let since = Since::resume(cursor).unwrap();
        (since.from_ms(), since.page().map(str::to_owned))
    })
}

#[test]
fn a_record_in_the_future_comes_in_and_moves_nothing_past_now() {
    let rows = [("a", NOW_MS - 5_000), ("b", IN_2062_MS)];
    let done = page(None, NOW_MS, &rows, None).unwrap();
    let (from_ms, _) = asks(done.next.as_deref(), NOW_MS);
    assert_eq!(from_ms, Some(NOW_MS - 5_000 - 10 * MINUTE_MS));
    // With more behind it, the vendor's cursor leads past it and the time stays.
    let more = page(None, NOW_MS, &rows, Some("p2")).unwrap();
    assert_eq!(asks(more.next.as_deref(), NOW_MS), (None, Some("p2".to_owned())));
    let done = page(more.next.as_deref(), NOW_MS, &[("c", IN_2062_MS)], None).unwrap();
    assert_eq!(asks(done.next.as_deref(), NOW_MS), (from_ms, None));
}

#[test]
fn a_time_within_the_skew_moves_the_cursor_and_one_beyond_does_not() {
    let from_ms =
        |ahead_ms| asks(page(None, NOW_MS, &[("a", NOW_MS + ahead_ms)], None).unwrap().next.as_deref(), NOW_MS).0;
    // No further than an overlap before this run began.
    assert_eq!(from_ms(10 * MINUTE_MS), Some(NOW_MS - 10 * MINUTE_MS));
    assert_eq!(from_ms(15 * MINUTE_MS), Some(NOW_MS - 10 * MINUTE_MS));
    assert_eq!(from_ms(15 * MINUTE_MS + 1), None);
}

#[test]
fn a_cursor_in_the_future_is_given_up_and_it_is_said() {
    let cursor = format!(r#"{{"from":{{"text":"2062-11-01T08:00:00.000Z","at_ms":{IN_2062_MS}}}}}"#);
    let host = testing::Host::new().at_ms(NOW_MS);
    host.run(|| assert_eq!(Since::resume(Some(&cursor)).unwrap().from(), None));
    let logs = host.logs();
    assert_eq!(logs.len(), 1);
    assert!(logs[0].1.contains("ahead of the gateway's clock"), "{}", logs[0].1);
    assert_eq!(asks(Some(&cursor), IN_2062_MS).0, Some(IN_2062_MS), "when its time has come it is one like any other");
}

#[test]
fn a_list_in_another_order_is_refused_in_words_and_without_values() {
    let newest_first = [("a", NOW_MS - 1_000), ("b", NOW_MS - 2_000)];
    for next in [Some("p2"), None] {
        let failure = page(None, NOW_MS, &newest_first, next).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UpstreamChanged);
        assert!(failure.message.contains("not in the order that the connector asks for"), "{}", failure.message);
        assert!(failure.message.contains("record 2 of the page"), "{}", failure.message);
    }
    let tied = [("a", NOW_MS - 1_000), ("b", NOW_MS - 1_000)];
    assert!(page(None, NOW_MS, &tied, None).is_ok(), "ties are in order");
}

#[test]
fn a_first_page_that_is_all_of_one_time_proves_no_order() {
    // Newest first, and a whole page was changed in one second: only the next page shows it.
    let tied = [("a", NOW_MS - 90_000), ("b", NOW_MS - 90_000)];
    let first = page(None, NOW_MS, &tied, Some("p2")).unwrap();
    assert_eq!(asks(first.next.as_deref(), NOW_MS), (None, Some("p2".to_owned())));
    let failure = page(first.next.as_deref(), NOW_MS, &[("c", NOW_MS - 95_000)], None).unwrap_err();
    assert!(failure.message.contains("before the end of the page in front of it"), "{}", failure.message);
    // In order, the run goes on from the time that is full, and what was looked at comes then.
    let looked = page(first.next.as_deref(), NOW_MS, &[("c", NOW_MS - 80_000)], None).unwrap();
    assert!(looked.has_more);
    assert_eq!(asks(looked.next.as_deref(), NOW_MS), (Some(NOW_MS - 90_000), None));
    // Once proved it is proved, for the runs to come as well.
    let done = page(looked.next.as_deref(), NOW_MS, &[("a", NOW_MS - 90_000), ("c", NOW_MS - 80_000)], None).unwrap();
    let next = page(done.next.as_deref(), NOW_MS, &[("d", NOW_MS), ("e", NOW_MS)], Some("p2")).unwrap();
    assert_eq!(asks(next.next.as_deref(), NOW_MS), (Some(NOW_MS), None));
}

#[test]
fn a_page_that_is_read_twice_because_of_a_bad_item_is_in_order() {
    let rows = [("a", NOW_MS - 3), ("b", NOW_MS - 2), ("a", NOW_MS - 3), ("b", NOW_MS - 2), ("d", NOW_MS - 1)];
    assert!(page(None, NOW_MS, &rows, None).is_ok());
}

#[test]
fn an_empty_text_is_the_end_of_a_list() {
    let done = page(None, NOW_MS, &[("a", NOW_MS - 2), ("b", NOW_MS - 1)], Some("")).unwrap();
    assert!(!done.has_more);
}

#[test]
fn a_run_that_takes_longer_than_the_overlap_is_followed_from_its_begin() {
    let first = page(None, NOW_MS, &[("a", NOW_MS - 9_000), ("b", NOW_MS - 1_000)], Some("p2")).unwrap();
    let later_ms = NOW_MS + 120 * MINUTE_MS;
    let done = page(first.next.as_deref(), later_ms, &[("b", NOW_MS - 1_000), ("c", later_ms)], None).unwrap();
    assert_eq!(asks(done.next.as_deref(), later_ms).0, Some(NOW_MS - 10 * MINUTE_MS));
}

#[test]
fn times_in_a_form_that_is_not_known_are_refused_instead_of_read_without_an_overlap() {
    let done = |window| {
        testing::Host::new().run(|| {
            let mut since = Since::resume_within(None, window).unwrap();
            since.is_new("yesterday", NOW_MS - 1, "a");
            since.finish(Page::new(), None)
        })
    };
    assert_eq!(done(Window::default()).unwrap_err().kind, FailureKind::Internal);
    assert!(done(Window { overlap_ms: 0, ..Window::default() }).is_ok());
}

/// What the vendor has of a record, and from when on its list shows it.
#[derive(Clone, Copy)]
struct Version {
    at_ms: i64,
    shown_ms: i64,
}

/// A vendor whose commits show up late, whose clock is off, and whose records change while they are read.
struct Unsteady {
    records: BTreeMap<u64, Vec<Version>>,
    seed: u64,
    clock_ahead_ms: i64,
}

impl Unsteady {
    fn roll(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn change(&mut self, now_ms: i64) {
        let id = self.roll(60);
        let late_ms = if self.roll(3) == 0 { self.roll(9 * MINUTE_MS as u64) as i64 } else { 0 };
        // Seconds, so that there are ties.
        let at_ms = (now_ms + self.clock_ahead_ms) / 1000 * 1000;
        let versions = self.records.entry(id).or_default();
        let shown_ms = versions.last().map_or(0, |version| version.shown_ms).max(now_ms + late_ms);
        versions.push(Version { at_ms, shown_ms });
    }

    /// The page at an offset of what is shown now, oldest first.
    fn list(
        &self,
        now_ms: i64,
        from_ms: Option<i64>,
        offset: usize,
        limit: usize,
    ) -> (Vec<(u64, i64)>, Option<String>) {
        let shown = |versions: &Vec<Version>| versions.iter().rev().find(|version| version.shown_ms <= now_ms).copied();
        let mut rows: Vec<(u64, i64)> =
            self.records.iter().filter_map(|(id, versions)| Some((*id, shown(versions)?.at_ms))).collect();
        rows.retain(|(_, at_ms)| from_ms.is_none_or(|from_ms| *at_ms >= from_ms));
        rows.sort_by_key(|(id, at_ms)| (*at_ms, *id));
        let more = rows.len() > offset + limit;
        (rows.into_iter().skip(offset).take(limit).collect(), more.then(|| (offset + limit).to_string()))
    }
}

#[test]
fn nothing_is_lost_against_the_oracle_after_one_overlap_f08() {
    for seed in 0..60 {
        let clock_ahead_ms = [0, 10 * MINUTE_MS, -10 * MINUTE_MS][seed as usize % 3];
        let mut vendor = Unsteady { records: BTreeMap::new(), seed, clock_ahead_ms };
        let (mut now_ms, mut cursor, mut got) = (NOW_MS, None::<String>, BTreeMap::<u64, i64>::new());
        for step in 0..400 {
            let quiet = step >= 390;
            now_ms += if quiet { 10 * MINUTE_MS } else { vendor.roll(40_000) as i64 };
            if !quiet {
                for _ in 0..vendor.roll(4) {
                    vendor.change(now_ms);
                }
            }
            // One page a step, so that much changes between two pages.
            cursor = testing::Host::new().at_ms(now_ms).run(|| {
                let mut since = Since::resume(cursor.as_deref()).unwrap();
                let offset = since.page().map_or(0, |page| page.parse().unwrap());
                let (rows, next) = vendor.list(now_ms, since.from_ms(), offset, 7);
                for (id, at_ms) in rows {
                    if since.is_new(&at_ms.to_string(), at_ms, &id.to_string()) {
                        got.insert(id, at_ms);
                    }
                }
                since.finish(Page::new(), next).unwrap().next
            });
        }
        let newest: BTreeMap<u64, i64> =
            vendor.records.iter().map(|(id, versions)| (*id, versions.last().unwrap().at_ms)).collect();
        assert_eq!(got, newest, "seed {seed}");
    }
}
