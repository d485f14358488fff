//! Pages, good and bad.

use crate::bindings::exports::renmen::connector::source::{Coverage, Page};
use crate::bindings::renmen::connector::types::{Envelope, Failure, FailureKind, Reject};

pub(crate) fn of(records: Vec<Envelope>) -> Page {
    Page {
        records,
        rejects: Vec::new(),
        findings: Vec::new(),
        omissions: Vec::new(),
        total: None,
        next: None,
        has_more: false,
        coverage: Coverage::Changes,
    }
}

pub(crate) fn record(number: u64, payload: &[u8]) -> Envelope {
    Envelope {
        entity: "employee".to_owned(),
        external_id: format!("E{number}"),
        updated_at_ms: Some(1_700_000_000_000),
        deleted: false,
        exchange: 0,
        pointer: format!("/data/{number}"),
        payload: payload.to_vec(),
    }
}

/// Records of about 460 bytes.
pub(crate) fn bulk(records: u32) -> Page {
    let filler = "x".repeat(400);
    let record =
        |n| record(u64::from(n), format!(r#"{{"name":{{"full":"Person {n}"}},"note":"{filler}"}}"#).as_bytes());
    of((0..records).map(record).collect())
}

pub(crate) fn heavy(records: u64, bytes_each: usize) -> Page {
    let payload = vec![b' '; bytes_each];
    of((0..records).map(|n| record(n, &payload)).collect())
}

pub(crate) fn endless() -> Page {
    Page { next: Some("again".to_owned()), has_more: true, ..of(vec![record(1, b"{}")]) }
}

pub(crate) fn one_bad_of_ten() -> Page {
    let payload = |n| if n == 4 { &b"[]"[..] } else { &b"{}"[..] };
    of((0..10).map(|n| record(n, payload(n))).collect())
}

pub(crate) fn with_reject() -> Page {
    let reject = Reject {
        entity: "employee".to_owned(),
        external_id: Some("E2".to_owned()),
        exchange: 0,
        pointer: "/data/2".to_owned(),
        reason: "`hired`: expected a date,\nfound a number".to_owned(),
        raw: b"{\"hired\":7}".to_vec(),
    };
    Page { rejects: vec![reject], ..of(vec![record(1, b"{}")]) }
}

pub(crate) fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure { kind, code: None, message: message.to_owned(), retry_after_ms: None }
}
