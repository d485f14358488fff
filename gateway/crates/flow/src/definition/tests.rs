#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::{Catalogue, DestinationEntry};
use crate::destination::{ActionInfo, Destination, Failure, Push, Receipt};

struct Desk;

#[async_trait]
impl Destination for Desk {
    fn actions(&self) -> std::collections::BTreeMap<String, ActionInfo> {
        let input_schema = json!({
            "type": "object", "additionalProperties": false, "required": ["number"],
            "properties": {
                "number": { "type": "string" }, "title": { "type": "string" },
                "template": { "enum": ["interview_reminder", "interview_feedback"] },
            },
        });
        [("staff.upsert".to_owned(), ActionInfo { input_schema: Some(input_schema), ..ActionInfo::default() })].into()
    }

    async fn push(&self, _push: Push) -> Result<Receipt, Failure> {
        Ok(Receipt::default())
    }
}

fn catalogue(scoring: bool) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let withhold = Fields::parse(["/work/cost_center"]).unwrap();
    catalogue.add(
        ConnectionName::new("desk").unwrap(),
        DestinationEntry { scoring, withhold, ..DestinationEntry::new(Arc::new(Desk)) },
    );
    catalogue
}

fn good() -> Value {
    json!({
        "when": { "entity": "employee", "change": ["created", "updated"], "if": "record.number != ''" },
        "fields": ["/number", "/work/title"],
        "to": { "connection": "desk", "action": "staff.upsert" },
        "map": { "number": "record.number", "title": "has(record.work) ? record.work.title : ''" },
        "delay": { "field": "/work/hire_date", "offset": "-5m" },
        "deadline": "10m", "attempts": 5, "backoff": { "base": "1s", "max": "1m" }, "patience": "1d",
        "on_failure": "dead-letter",
    })
}

/// The definition with one place changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut source = good();
    let (above, key) = pointer.rsplit_once('/').unwrap();
    source.pointer_mut(above).unwrap()[key] = value;
    source
}

fn told(source: &Value, scoring: bool) -> String {
    let defects = match Definition::parse(source) {
        Err(defects) => defects,
        Ok(definition) => definition.check(&catalogue(scoring)),
    };
    defects.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_good_flow_is_taken() {
    assert_eq!(told(&good(), false), "");
    let definition = Definition::parse(&good()).unwrap();
    assert_eq!(definition.retries.attempts_max, 5);
    assert_eq!(definition.delay, Some(Delay::Field { pointer: "/work/hire_date".into(), offset_ms: -300_000 }));
    assert_eq!(definition.patience, Duration::from_secs(86_400));
}

#[test]
fn what_is_wrong_is_told_with_its_key_and_the_way_out() {
    for (pointer, value, parts) in [
        ("/when/entity", json!("employe"), &["when.entity", "unknown entity `employe`"][..]),
        ("/when/change", json!(["made"]), &["when.change", "\"created\""]),
        ("/when/if", json!("record.nummer == 1"), &["when.if", "employee has no `nummer`", "at character"]),
        ("/when/if", json!("record.number =="), &["when.if", "not valid CEL", "at character"]),
        ("/fields", json!(["/nope"]), &["fields[0]", "employee has no `nope`"]),
        ("/fields", json!(["number"]), &["fields[0]", "begin with `/`"]),
        (
            "/map/number",
            json!("record.number + record.work.level"),
            &["map.number", "`/work/level` is not among `fields`"],
        ),
        ("/map/colour", json!("'red'"), &["map.colour", "takes no `colour`", "number, template, title"]),
        ("/map", json!({ "title": "'x'" }), &["map", "needs `number`"]),
        ("/to/connection", json!("desc"), &["to.connection", "no connection `desc`", "there are desk"]),
        ("/to/action", json!("staff.remove"), &["to.action", "no action `staff.remove`", "staff.upsert"]),
        ("/on_failure", json!({ "connection": "desk", "action": "x" }), &["on_failure.action"]),
        ("/delay", json!("soon"), &["delay", "not a duration"]),
        ("/delay/offset", json!("five"), &["delay.offset", "not a duration"]),
        ("/delay/field", json!("/nope"), &["delay.field", "no `nope`"]),
        ("/deadline", json!("100d"), &["deadline", "are taken"]),
        ("/attempts", json!(0), &["attempts", "from 1 to 1000"]),
        ("/backoff/max", json!("100ms"), &["backoff.max", "less than"]),
        ("/when/wen", json!(1), &["when.wen", "unknown key", "entity, change, connection, if"]),
        ("/enabled", json!("yes"), &["enabled", "true or false"]),
        ("/start", json!("soon"), &["start", "\"beginning\""]),
        (
            "/fields",
            json!(["/number", "/work/title", "/work/cost_center"]),
            &["fields[2]", "withheld from connection `desk`"],
        ),
    ] {
        let told = told(&with(pointer, value.clone()), false);
        for part in parts {
            assert!(told.contains(part), "{pointer} = {value}: `{part}` is not in: {told}");
        }
    }
    let all = told(&json!({ "colour": 1 }), false);
    for part in ["`when` is missing", "`to` is missing", "`map` is missing", "unknown key `colour`"] {
        assert!(all.contains(part), "{all}");
    }
    assert!(told(&json!([1]), false).contains("a table is wanted"));
    let long = with("/map/title", json!(format!("'{}'", "x".repeat(DEFINITION_BYTES_MAX))));
    assert!(told(&long, false).contains("at most"));
}

#[test]
fn what_is_wrong_with_a_record_that_is_looked_up_is_told() {
    let of = |with: Value| self::with("/with", with);
    let one = |key: &str, value: Value| {
        let mut one = json!({ "ref": "/work/manager", "fields": ["/number"] });
        one[key] = value;
        of(json!({ "boss": one }))
    };
    let mut sees = one("ref", json!("/work/manager"));
    sees["map"]["title"] = json!("boss.number");
    assert_eq!(told(&sees, false), "");
    let mut asks = sees.clone();
    asks["when"]["if"] = json!("boss.number == '1'");
    let mut more = sees.clone();
    more["map"]["title"] = json!("boss.work.title");
    let mut none = sees.clone();
    none["map"]["title"] = json!("boss.nummer");
    let mut unknown = sees;
    unknown["map"]["title"] = json!("bos.number");
    let round = json!({ "a": { "of": "b", "ref": "/work/manager" }, "b": { "of": "a", "ref": "/work/manager" } });
    let many: serde_json::Map<String, Value> =
        (0..=WITH_MAX).map(|n| (format!("r{n}"), json!({ "ref": "/work/manager" }))).collect();
    for (source, parts) in [
        (asks, &["when.if", "`boss` is not known"][..]),
        (more, &["map.title", "`/work/title` is not among `with.boss.fields`"]),
        (none, &["map.title", "employee has no `nummer`"]),
        (unknown, &["map.title", "`bos` is not known; there are record, before, change, now, boss"]),
        (
            one("ref", json!("/number")),
            &["with.boss.ref", "`/number` is not a reference of employee", "renmen schema employee"],
        ),
        (one("fields", json!(["/nope"])), &["with.boss.fields[0]", "employee has no `nope`"]),
        (one("fields", json!(["/work/cost_center"])), &["with.boss.fields[0]", "withheld from connection `desk`"]),
        (one("fild", json!(1)), &["with.boss.fild", "unknown key"]),
        (of(json!({ "boss": { "fields": ["/number"] } })), &["with.boss", "`ref` is missing"]),
        (of(json!({ "record": { "ref": "/work/manager" } })), &["with.record", "not a name for a record"]),
        (of(json!({ "Boss": { "ref": "/work/manager" } })), &["with.Boss", "not a name for a record"]),
        (
            of(json!({ "a": { "of": "b", "ref": "/work/manager" } })),
            &["with.a.of", "`b` is not one of the other names"],
        ),
        (of(round), &["with.a.of", "does not come from this one itself"]),
        (of(Value::Object(many)), &["with", "at most 8 records"]),
        (of(json!("boss")), &["with", "a table is wanted"]),
    ] {
        let told = told(&source, false);
        for part in parts {
            assert!(told.contains(part), "{}: `{part}` is not in: {told}", source["with"]);
        }
    }
}

#[test]
fn what_is_wrong_with_a_list_is_told() {
    let of = |change: &dyn Fn(&mut Value)| {
        let mut source = json!({
            "when": { "entity": "decision" }, "fields": ["/outcome"],
            "with": {
                "interview": { "ref": "/interview" },
                "scores": { "list": "dimension_score", "of": "interview", "fields": ["/score"], "least": 0, "most": 200 },
            },
            "sequence": "/interview",
            "to": { "connection": "desk", "action": "staff.upsert" },
            "map": { "number": "scores.map(one, one.score.value)", "title": "scores[0].score.max" },
        });
        change(&mut source);
        told(&source, false)
    };
    assert_eq!(of(&|_| {}), "");
    for (pointer, value, parts) in [
        ("/with/scores/list", json!("dimension"), &["with.scores.list", "unknown entity `dimension`"][..]),
        (
            "/with/scores/list",
            json!("pay_band"),
            &["with.scores.list", "pay_band do not belong to a record of interview"],
        ),
        ("/with/scores/of", json!("other"), &["with.scores.of", "`other` is not one of the other names"]),
        ("/with/scores/ref", json!("/interview"), &["with.scores.list", "either a record (`ref`) or a list"]),
        ("/with/scores/most", json!(201), &["with.scores.most", "from 1 to 200"]),
        ("/with/scores/least", json!(201), &["with.scores.least", "from 1 to 200"]),
        ("/with/first", json!({ "of": "scores", "ref": "/profile" }), &["with.first.of", "is a single record"]),
        ("/map/title", json!("scores.score.value"), &["map.title", "`scores` is a list", "scores.map("]),
        ("/map/title", json!("scores[0].explanation"), &["`/explanation` is not among `with.scores.fields`"]),
        ("/map/title", json!("scores.map(one, one.weight)"), &["map.title", "dimension_score has no `weight`"]),
        ("/with/scores/wait", json!("5m"), &["with.scores.wait", "nothing to wait for"]),
        ("/sequence", json!("/interwiew"), &["sequence", "decision has no `interwiew`"]),
        ("/delay", json!("5m"), &["sequence", "take one of the two away"]),
    ] {
        let told = of(&|source| {
            let (above, key) = pointer.rsplit_once('/').unwrap();
            source.pointer_mut(above).unwrap()[key] = value.clone();
        });
        for part in parts {
            assert!(told.contains(part), "{pointer}: `{part}` is not in: {told}");
        }
    }
    let turned = of(&|source| {
        source["with"]["scores"]["least"] = json!(3);
        source["with"]["scores"]["most"] = json!(2);
    });
    assert!(turned.contains("with.scores.least") && turned.contains("more than `most`"), "{turned}");
}

#[test]
fn a_scoring_vendor_may_not_even_be_chosen_by_what_it_must_not_know() {
    for (pointer, value) in [
        ("/fields", json!(["/number", "/work/title", "/person/gender"])),
        ("/when/if", json!("record.person.gender.code == 'FEMALE'")),
    ] {
        let source = with(pointer, value);
        assert_eq!(told(&source, false), "", "{pointer}");
        assert!(told(&source, true).contains("/person/gender"), "{pointer}");
    }
}

#[test]
fn a_word_that_the_action_does_not_take_is_refused_with_those_that_it_does() {
    let of = |template: &str| told(&with("/map/template", json!(template)), false);
    for good in
        ["'interview_reminder'", "record.number == '' ? 'interview_reminder' : 'interview_feedback'", "record.number"]
    {
        assert_eq!(of(good), "", "{good}");
    }
    for wrong in ["'interview-reminder'", "record.number == '' ? 'interview_reminder' : 'interview-reminder'"] {
        let told = of(wrong);
        for part in
            ["map.template", "there is no `interview-reminder`", "there are interview_reminder, interview_feedback"]
        {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
