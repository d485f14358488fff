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
        ("record.overall.value >=", Some(23), "not valid CEL"),
        ("1 +\n  )", Some(6), "not valid CEL"),
        ("recrod.overall", Some(0), "`recrod` is not known; there are record, before, change, now"),
        ("change.kin == 'created'", Some(6), "`change` has no `kin`"),
        ("1 == 1 && lower(record.a)", None, "unknown function `lower`"),
        ("Person{name: 'x'}", None, "unknown type `Person`"),
    ] {
        let bad = Expression::parse(text).unwrap_err();
        assert!(bad.message.english().contains(part), "{text}: {}", bad.message);
        assert!(at.is_none() || bad.at == at, "{text}: {:?}", bad.at);
    }
    let text = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
    assert!(Expression::parse(&text(EXPRESSION_BYTES_MAX)).is_ok());
    assert!(Expression::parse(&text(EXPRESSION_BYTES_MAX + 1)).unwrap_err().message.english().contains("4096"));
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
    assert!(fault.message.english().contains("10000 turns") && !fault.absent, "{}", fault.message);
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
        assert!(!fault.message.english().contains("example.com"), "{text}: {}", fault.message);
    }
    assert!(value("record.nothing.at.all").unwrap_err().absent);
}

fn reviews() -> RecordTypes {
    let kind = |name: &str| renmen_schema::EntityKind::from_name(name).unwrap();
    let related = [("person", (kind("employee"), false)), ("scores", (kind("dimension_score"), true))];
    let related = related.map(|(name, what)| (name.to_owned(), what)).into();
    RecordTypes { record: kind("performance_review"), related }
}

fn clashes(text: &str) -> Vec<TypeClash> {
    Expression::parse_with(text, &["person", "scores"]).unwrap().types(&reviews()).1
}

#[test]
fn a_decimal_compared_with_a_number_is_refused_with_what_to_write() {
    let found = clashes("record.rating.value < 60");
    assert_eq!(found.len(), 1);
    assert!(found[0].at.is_some_and(|at| at < 20));
    assert_eq!(
        found[0].message.english(),
        "`record.rating.value` is a text and `60` is a number: they cannot be compared"
    );
    assert!(found[0].help.english().contains("`double(record.rating.value)`"), "{}", found[0].help);
}

#[test]
fn types_that_do_not_go_together_are_refused_and_those_that_do_or_may_are_not() {
    for text in [
        "record.rating.value == 60",
        "60.0 >= record.rating.value",
        "record.calibrated == 'true'",
        "record.rating > 3",
        "record.ext.any.thing == 5",
        "record.reviewee == 'E1'",
        "record.rating.value + 1",
        "record.rating.value - 1 > 0",
        "-record.rating.value == 1",
        "!record.stage",
        "record.stage && true",
        "record.stage ? 1 : 2",
        "'a' in record.stage",
        "record.calibrated.startsWith('x')",
        "ms(record.calibrated) > 0",
        "double(record.rating) > 1.0",
        "record.stage.exists(s, s == 'x')",
        "record.items.exists(i, i.score.value > 3)",
        "scores.exists(s, s.score.value > 80)",
        "person.number == 7",
        "change.seq == 'x'",
        "now > 5",
        "before.rating.value < 60",
        "{'a': record.rating.value < 1}",
    ] {
        assert_eq!(clashes(text).len(), 1, "{text}: {:?}", clashes(text));
    }
    for text in [
        "double(record.rating.value) < 60.0",
        "record.rating.value == '60'",
        "record.rating.value > '5' && record.calibrated",
        "has(record.rating) && record.calibrated == true",
        "record.stage in ['a', 'b']",
        "record.ext.any.thing.value == '5'",
        "record.comment['zh-CN'].contains('x')",
        "before == null || before.stage != record.stage",
        "change.revision > 1 && change.kind == 'updated'",
        "ms(record.completed_at) - ms(now) > 0",
        "'n: ' + string(change.seq)",
        "record.items.filter(i, has(i.score)).map(i, double(i.score.value)).size() > 0",
        "size(record.items) > 2 ? 'many' : 'few'",
        "person.number == 'E7'",
        "scores.map(s, double(s.score.value)).exists(v, v > 80.0)",
        "dyn(record.rating.value) < 60",
    ] {
        assert_eq!(clashes(text), [], "{text}");
    }
}

/// What the walk refuses for certain must fail or be false when it is worked out, and what it lets pass must not fail for its types.
#[test]
fn the_types_that_are_refused_are_those_that_the_evaluation_cannot_use() {
    let review = json!({
        "rating": { "value": "81.5" }, "stage": "final", "calibrated": true, "items": [{ "name": { "en": "a" } }],
        "reviewee": { "external": { "value": "E1" } }, "cycle": { "name": { "en": "2026" } },
    });
    let scope = Scope { record: review, ..scope() };
    let operands =
        ["record.rating.value", "record.calibrated", "record.items", "record.rating", "60", "60.5", "'x'", "true"];
    for operator in ["<", ">=", "==", "+", "-", "&&"] {
        for (left, right) in operands.iter().flat_map(|left| operands.map(|right| (*left, right))) {
            let text = format!("{left} {operator} {right}");
            let expression = Expression::parse(&text).unwrap();
            let refused = !expression.types(&reviews()).1.is_empty();
            let worked = expression.evaluate(&scope, &ExpressionLimits::default());
            if refused {
                let useless = worked.as_ref().map_or(true, |value| *value == json!(false));
                assert!(useless, "`{text}` gives {worked:?} and was refused");
            } else if left.starts_with("record")
                && !right.starts_with("record")
                && left != "record.items"
                && left != "record.rating"
            {
                // Lists and objects of the same kind are not told apart further; numbers count as one.
                assert!(worked.is_ok(), "`{text}` was let pass and gives {worked:?}");
            }
        }
    }
}
