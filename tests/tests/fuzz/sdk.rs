//! What a vendor answers, as a connector reads it.

use renmen_plugin::http::Response;
use renmen_plugin::paging::{Offset, PageNumber, Since, link_next};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::{Decimal, Instant, LocalDate};
use renmen_plugin::schema::{EntityKind, canonicalize};
use renmen_plugin::{Page, Unfit};
use serde_json::Value;

use crate::target;

#[test]
fn canonical_record() {
    target("canonical", |bytes| {
        for kind in [EntityKind::Employee, EntityKind::InterviewResult, EntityKind::PayBand] {
            let Ok(canonical) = canonicalize(kind, bytes) else { continue };
            let again = canonicalize(kind, &canonical).unwrap();
            assert_eq!(canonical, again, "what is canonical stays as it is");
        }
    });
}

#[test]
fn items_of_a_page() {
    target("page", |bytes| {
        for pointer in ["/data", "", "/result/list"] {
            let response = Response::from_parts(200, Vec::new(), bytes.to_vec());
            let mut page = Page::new();
            let mut items = 0;
            let read = page.map_items::<Employee, Value>(&response, pointer, |item, at| {
                items += 1;
                at.is_about("x");
                match item {
                    Value::Object(_) => Ok(()),
                    _ => Err(Unfit::new("no object")),
                }
            });
            if let Ok(rest) = read {
                assert!(page.rejects.len() <= rest.items, "more rejects than items");
                let _ = rest.get::<Option<String>>("/next_cursor");
                let _ = rest.get::<Option<Value>>("/a/b/0");
            }
        }
    });
}

#[test]
fn cursor() {
    target("cursor", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(since) = Since::resume(Some(&text)) {
            let _ = since.from_ms();
            for next in [Some("next".to_owned()), None] {
                // Words that are not a time cannot be moved back, and that is said.
                let Ok(page) = since.clone().finish(Page::new(), next) else { continue };
                assert!(Since::resume(page.next.as_deref()).is_ok(), "a cursor that we wrote is one that we read");
            }
        }
        if let Ok(offset) = Offset::resume(Some(&text)) {
            drop(offset.finish(Page::new(), 1, 1));
        }
        if let Ok(number) = PageNumber::resume(Some(&text)) {
            drop(number.finish(Page::new(), true));
        }
    });
}

#[test]
fn retry_after_and_link() {
    target("headers", |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        for name in ["Retry-After", "Link"] {
            let response = Response::from_parts(429, vec![(name.to_owned(), text.clone())], Vec::new());
            assert!(response.clone().ok().is_err(), "429 is a failure no matter what the vendor asks");
            let _ = link_next(&response);
        }
    });
}

#[test]
fn values() {
    target("values", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(instant) = Instant::parse(&text) {
            let _ = instant.epoch_ms();
        }
        if let Ok(date) = LocalDate::parse(&text) {
            assert!(LocalDate::parse(&date.to_string()).is_ok(), "{date}");
        }
        if let Ok(decimal) = Decimal::parse(&text) {
            assert!(Decimal::parse(&decimal.to_string()).is_ok(), "{decimal}");
        }
    });
}
