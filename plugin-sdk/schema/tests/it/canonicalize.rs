//! What is refused, where, with which words, and what is never said.

use renmen_schema::{Defect, EntityKind, Limits, canonicalize, canonicalize_into};
use serde_json::{Value, json};

const EMPLOYEE: &str = r#"{"person":{"names":{"formatted":"张三"},"birth_date":"1990-02-28"},"number":"7"}"#;

fn refused(kind: EntityKind, body: &Value) -> Vec<Defect> {
    canonicalize(kind, body.to_string().as_bytes()).unwrap_err()
}

fn first(kind: EntityKind, body: &Value) -> (String, &'static str, String) {
    let defect = refused(kind, body).remove(0);
    (defect.path, defect.code, defect.message.to_string())
}

#[test]
fn a_good_body_is_accepted_and_blanks_and_order_do_not_matter() {
    let spaced = r#" { "number" : "7", "person": {"birth_date":"1990-02-28", "names":{"formatted":"\u5f20三"}}, "work": null } "#;
    let canonical = canonicalize(EntityKind::Employee, spaced.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(canonical).unwrap(), EMPLOYEE);
}

#[test]
fn a_missing_field_names_where_it_belongs() {
    let record = json!({
        "run": {"external": {"value": "r"}}, "employee": {"external": {"value": "e"}},
        "gross": {"amount": "5"}, "net": {"amount": "5", "currency": "CNY"},
    });
    let (path, code, _) = first(EntityKind::PayrollRecord, &record);
    assert_eq!((path.as_str(), code), ("/gross/currency", "missing_field"));
    assert_eq!(first(EntityKind::Employee, &json!({})).0, "/person");
}

#[test]
fn an_unknown_field_is_refused_with_its_name() {
    let (path, code, message) = first(EntityKind::Employee, &json!({"person": {"nick": "x"}}));
    assert_eq!((path.as_str(), code), ("/person/nick", "unknown_field"), "{message}");
    assert!(message.contains("`nick`") && message.contains("names"), "{message}");
}

#[test]
fn a_value_that_cannot_be_read_is_found_through_lists_and_maps() {
    let wrong = |body: Value| {
        let (path, code, _) = first(EntityKind::Employee, &body);
        (path, code)
    };
    let mails = json!({"person": {"emails": [{"address": "a@b.example"}, {"address": 7}]}});
    assert_eq!(wrong(mails), ("/person/emails/1/address".into(), "wrong_type"));
    let custom = json!({"person": {}, "ext": {"a/b": {"k": {"kind": "TEXT", "value": 7}}}});
    assert_eq!(wrong(custom), ("/ext/a~1b/k/value".into(), "wrong_type"));
    let coded = json!({"person": {}, "work": {"status": {"code": 7}}});
    assert_eq!(wrong(coded), ("/work/status/code".into(), "wrong_type"));
    let list = json!({"person": [{}]});
    assert_eq!(wrong(list), ("/person".into(), "wrong_type"), "an object is not read from a list");
}

#[test]
fn a_personal_value_is_in_no_message() {
    let secret = "SECRET-1990-02-31";
    for body in [
        json!({"person": {"birth_date": secret}}),
        json!({"person": {"names": secret}}),
        json!({"person": {"names": {"formatted": [secret]}}}),
        json!({"person": {"emails": [{"address": {"a": secret}}]}}),
        json!({"person": {"national_ids": [{"kind": {"code": "ID_CARD"}, "value": "1", "country": [secret]}]}}),
        json!({"person": {"SECRET-1990-02-31@example.com": 1}}),
        json!({"person": {"phones": [{"number": "1", "e164": secret}]}}),
        json!({"person": {}, "ext": {"v": {"k": {"kind": "DATE", "value": secret}}}}),
        json!({"person": {}, "same_person": {"external": {"value": "1", "connection": "SECRET 1990"}}}),
    ] {
        for defect in refused(EntityKind::Employee, &body) {
            assert!(!defect.message.english().contains("1990"), "{body}: {defect}");
        }
    }
}

#[test]
fn a_plain_value_is_shown_so_that_it_can_be_found() {
    let band = json!({
        "key": {"level": "P5"}, "range": {"min": "8", "currency": "CNY", "per": "MONTH"}, "status": "LIVE", "visibility": "INTERNAL",
    });
    let (path, code, message) = first(EntityKind::PayBand, &band);
    assert_eq!((path.as_str(), code), ("/status", "unknown_code"));
    assert!(message.starts_with("`LIVE`: ") && message.contains("DRAFT, ACTIVE, RETIRED"), "{message}");
    let (path, code, message) =
        first(EntityKind::Employee, &json!({"person": {}, "work": {"hire_date": "2025-02-31"}}));
    assert_eq!((path.as_str(), code), ("/work/hire_date", "bad_date"));
    assert!(message.contains("2025-02-31"), "{message}");
}

#[test]
fn a_band_with_an_unknown_unit_is_refused_r04() {
    let band =
        |range: Value| json!({"key": {"level": "P5"}, "range": range, "status": "ACTIVE", "visibility": "INTERNAL"});
    assert!(
        canonicalize(
            EntityKind::PayBand,
            band(json!({"min": "8000", "currency": "CNY", "per": "MONTH"})).to_string().as_bytes()
        )
        .is_ok()
    );
    for (range, path) in [
        (json!({"min": "8", "currency": "CNY"}), "/range/per"),
        (json!({"min": "8", "per": "MONTH"}), "/range/currency"),
        (json!({"min": "8", "currency": "K", "per": "MONTH"}), "/range/currency"),
        (json!({"min": 8, "currency": "CNY", "per": "MONTH"}), "/range/min"),
    ] {
        assert_eq!(first(EntityKind::PayBand, &band(range.clone())).0, path, "{range}");
    }
}

#[test]
fn all_defects_of_a_readable_body_come_at_once() {
    let band = json!({
        "key": {}, "range": {"min": "10", "max": "8", "currency": "CNY", "per": "MONTH"},
        "validity": {"valid_from": "2025-02-01", "valid_to": "2025-01-01"}, "status": "ACTIVE", "visibility": "INTERNAL",
    });
    let found: Vec<_> = refused(EntityKind::PayBand, &band).into_iter().map(|d| (d.path, d.code)).collect();
    let wanted = [("/key", "empty_key"), ("/range/max", "bad_range"), ("/validity/valid_to", "bad_period")];
    assert_eq!(found, wanted.map(|(path, code)| (path.to_owned(), code)));
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    let twice = br#"{"person":{},"number":"1","number":"2"}"#;
    let defect = canonicalize(EntityKind::Employee, twice).unwrap_err().remove(0);
    assert_eq!((defect.path.as_str(), defect.code), ("/number", "duplicate_field"));
}

#[test]
fn what_is_no_json_says_where_it_stops() {
    for bytes in [&b""[..], b"{", b"<html>", b"{\"person\":{}} x", b"{\"person\":{},}", b"\xff\xfe"] {
        let defect = &canonicalize(EntityKind::Employee, bytes).unwrap_err()[0];
        assert_eq!(defect.code, "not_json", "{defect}");
    }
    let bad_utf8 = b"{\"person\":{},\"number\":\"\xff\"}";
    assert!(canonicalize(EntityKind::Employee, bad_utf8).is_err());
}

#[test]
fn every_limit_has_two_sides() {
    let limits = Limits { body_bytes_max: 60, string_bytes_max: 10, nesting_max: 3 };
    let code = |body: &str| {
        let mut out = b"kept".to_vec();
        let code = canonicalize_into(EntityKind::Employee, body.as_bytes(), &limits, &mut out).err().map(|d| d[0].code);
        assert_eq!(code.is_some(), out == b"kept", "{body}");
        code
    };
    assert_eq!(code(r#"{"person":{},"number":"1234567890"}"#), None);
    assert_eq!(code(r#"{"person":{},"number":"12345678901"}"#), Some("string_too_long"));
    let blanks = |n: usize| format!(r#"{{"person":{{}}{}}}"#, " ".repeat(n - 13));
    assert_eq!(code(&blanks(60)), None);
    assert_eq!(code(&blanks(61)), Some("body_too_large"));
    assert_eq!(code(r#"{"person":{"names":{"formatted":"x"}}}"#), None);
    assert_eq!(code(r#"{"person":{"emails":[{"address":"x"}]}}"#), Some("nesting_too_deep"));
}

#[test]
fn a_nul_character_is_refused_and_an_escaped_backslash_before_u0000_is_not() {
    let body = |number: &str| format!(r#"{{"person":{{}},"number":"{number}"}}"#);
    let code = |number: &str| canonicalize(EntityKind::Employee, body(number).as_bytes()).err().map(|d| d[0].code);
    assert_eq!(code(r"a\u0000b"), Some("nul_character"));
    assert_eq!(code(r"a\\u0000b"), None);
    assert_eq!(code(r#"a\"b"#), None);
    let deep = "[".repeat(100_000);
    assert_eq!(canonicalize(EntityKind::Employee, deep.as_bytes()).unwrap_err()[0].code, "nesting_too_deep");
}
