#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn scope() -> Scope {
    Scope {
        record: json!({
            "overall": { "value": "81.5" }, "deadline": "2026-03-02T01:00:00.000Z",
            "emails": [{ "address": "a@example.com" }, { "address": "b@example.com", "primary": true }],
            "title": { "zh-CN": "会计", "en": "Accountant" },
            "numbers": (0..200).collect::<Vec<_>>(),
        }),
        before: Value::Null,
        change: json!({ "kind": "created", "seq": 7 }),
        related: BTreeMap::new(),
        now: "2026-03-02T00:30:00.000Z".to_owned(),
        links: None,
    }
}

fn value(text: &str) -> Result<Value, EvaluationFault> {
    Expression::parse(text).unwrap().evaluate(&scope(), &ExpressionLimits::default())
}

#[test]
fn conditions_and_maps_are_worked_out() {
    for (text, wanted) in [
        ("double(record.overall.value) >= 80.0", json!(true)),
        ("before == null && change.kind == 'created'", json!(true)),
        ("has(record.missing) ? record.missing : 'none'", json!("none")),
        ("record.emails.filter(e, has(e.primary)).map(e, e.address)", json!(["b@example.com"])),
        ("record.emails.exists(e, e.address.startsWith('b'))", json!(true)),
        ("{'id': change.seq, 'first': record.emails[0].address}", json!({ "id": 7, "first": "a@example.com" })),
        ("ms(record.deadline) - ms(now)", json!(1_800_000)),
        ("record.deadline > now", json!(true)),
        ("text(record.title, 'zh-HK')", json!("会计")),
        ("text(record.title, 'fr')", json!("Accountant")),
        ("record.overall.value.matches('^8[0-9]')", json!(true)),
    ] {
        assert_eq!(value(text).unwrap(), wanted, "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, at, part) in [
        ("record.overall.value >=", Some(23), "no CEL"),
        ("1 +\n  )", Some(6), "no CEL"),
        ("recrod.overall", Some(0), "`recrod` is not known; there are record, before, change, now"),
        ("change.kin == 'created'", Some(6), "`change` has no `kin`"),
        ("1 == 1 && lower(record.a)", None, "no function `lower`"),
        ("Person{name: 'x'}", None, "no type `Person`"),
    ] {
        let bad = Expression::parse(text).unwrap_err();
        assert!(bad.message.contains(part), "{text}: {}", bad.message);
        assert!(at.is_none() || bad.at == at, "{text}: {:?}", bad.at);
    }
    let text = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
    assert!(Expression::parse(&text(EXPRESSION_BYTES_MAX)).is_ok());
    assert!(Expression::parse(&text(EXPRESSION_BYTES_MAX + 1)).unwrap_err().message.contains("4096"));
    assert!(Expression::parse(&format!("{}1{}", "(".repeat(500), ")".repeat(500))).is_err(), "too deep");
}

#[test]
fn the_fields_that_an_expression_names_are_known() {
    let text = "record.a.b == before.c[0].d && record.list.exists(x, x.y == record['k-1'].z) && has(record.h)";
    let parsed = Expression::parse(text).unwrap();
    let mut names: Vec<String> =
        parsed.named().fields.iter().map(|name| format!("{}/{}", name.variable, name.path.join("/"))).collect();
    names.sort();
    assert_eq!(names, ["before/c/*/d", "record/a/b", "record/h", "record/k-1/z", "record/list", "record/list/*/y"]);
    assert_eq!(Expression::parse("record").unwrap().named().fields[0].path, Vec::<String>::new());
}

#[test]
fn what_runs_on_is_ended_and_what_fits_is_not() {
    let nested = "record.numbers.map(a, record.numbers.map(b, record.numbers.map(c, a + b + c)))";
    let fault = value(nested).unwrap_err();
    assert!(fault.message.contains("10000 turns") && !fault.absent, "{}", fault.message);
    assert!(value("record.numbers.map(a, record.numbers.filter(b, b < 10).size())").is_err());
    assert_eq!(
        value("record.numbers.filter(a, a < 40).map(a, record.numbers.exists(b, b > 100)).size()").unwrap(),
        json!(40)
    );
    let limits = ExpressionLimits { steps_max: 3, ..ExpressionLimits::default() };
    let of = |text: &str| Expression::parse(text).unwrap().evaluate(&scope(), &limits);
    assert!(of("[1, 2, 3].map(x, x)").is_ok());
    assert!(of("[1, 2, 3, 4].map(x, x)").is_err());
    assert!(of("[1, 2, 3, 4].all(x, x > 0)").is_err(), "a fold cannot hide its turns");
    let limits = ExpressionLimits { time_max: std::time::Duration::ZERO, ..ExpressionLimits::default() };
    assert!(Expression::parse("[1].map(x, x)").unwrap().evaluate(&scope(), &limits).is_err());
}

#[test]
fn a_fault_never_shows_a_value() {
    for text in [
        "int(record.emails[0].address) > 1",
        "record.emails[0].address + 1",
        "record[record.emails[0].address]",
        "ms(record.emails[0].address)",
        "record.emails[9].address",
        "-record.emails[0].address == 1",
        "record.emails[0].address < 3",
        "{record.emails[0]: 1}",
        "record.emails[0].address.size(1)",
    ] {
        let fault = value(text).unwrap_err();
        assert!(!fault.message.contains("example.com"), "{text}: {}", fault.message);
    }
    assert!(value("record.nothing.at.all").unwrap_err().absent);
}
