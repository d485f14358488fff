//! Leave and its balances, counted in hundredths.

use connector_dingtalk::DingTalk;
use renmen_plugin::testing::{Host, Run};
use renmen_plugin::{FailureKind, Pull};
use renmen_schema::{EntityKind, canonicalize};
use serde_json::{Value, json};

const ON_JOB: &str = "https://oapi.dingtalk.test/topapi/smartwork/hrm/employee/queryonjob";
const LEAVE: &str = "https://oapi.dingtalk.test/topapi/attendance/getleavestatus";
const TYPES: &str = "https://oapi.dingtalk.test/topapi/attendance/vacation/type/list";
const QUOTAS: &str = "https://oapi.dingtalk.test/topapi/attendance/vacation/quota/list";
/// 2025-12-30T00:00 in China.
const DAY: i64 = 1_767_024_000_000;
const HOUR: i64 = 3_600_000;

fn config() -> Value {
    let mut config = crate::config();
    config["attendance_operator"] = json!("admin");
    config["leave_days"] = json!(90);
    config
}

fn host() -> Host {
    let types = json!({ "errcode": 0, "success": true, "result": [
        { "leave_code": "lc-annual", "leave_name": "年假", "leave_view_unit": "day", "biz_type": "general_leave" },
        { "leave_code": "lc-lieu", "leave_name": "加班换休", "leave_view_unit": "hour", "biz_type": "lieu_leave" },
        { "leave_code": "lc-own", "leave_name": "生日福利", "leave_view_unit": "halfDay", "biz_type": "general_leave" },
    ] });
    let people = json!({ "errcode": 0, "result": { "data_list": ["u1", "u2"] } });
    Host::new().answer("POST", ON_JOB, 200, people.to_string()).answer("POST", TYPES, 200, types.to_string())
}

fn leave(code: &str, hours: (i64, i64), amount: i64, unit: &str) -> Value {
    json!({ "userid": "u1", "leave_code": code, "start_time": DAY + hours.0 * HOUR, "end_time": DAY + hours.1 * HOUR,
            "duration_percent": amount, "duration_unit": unit })
}

fn listed(rows: &[Value], more: bool) -> String {
    json!({ "errcode": 0, "success": true, "result": { "has_more": more, "leave_status": rows } }).to_string()
}

fn read(host: &Host, stream: &str, kind: EntityKind) -> (Run, Vec<Value>) {
    let run = host.pull_all::<DingTalk>(&config(), stream, None).unwrap();
    let bodies = run.records.iter().map(|record| {
        canonicalize(kind, &record.payload).unwrap();
        serde_json::from_slice(&record.payload).unwrap()
    });
    let bodies = bodies.collect();
    (run, bodies)
}

fn only_leave(row: Value) -> Value {
    let host = host().answer("POST", LEAVE, 200, listed(&[row], false));
    read(&host, "leave", EntityKind::Leave).1.remove(0)
}

fn body_of(host: &Host, index: usize) -> Value {
    serde_json::from_slice(&host.request_body(index).unwrap()).unwrap()
}

#[test]
fn leave_by_the_hour_has_its_times_and_an_exact_amount_s18() {
    let body = only_leave(leave("lc-lieu", (14, 40), 650, "percent_hour"));
    assert_eq!(body["kind"], json!({ "code": "COMPENSATORY", "raw": "加班换休" }));
    assert_eq!((&body["first_day"], &body["last_day"]), (&json!("2025-12-30"), &json!("2025-12-31")));
    assert_eq!(body["amount"], json!({ "value": "6.50", "unit": "HOUR" }));
    assert_eq!(body["start"]["utc"], "2025-12-30T06:00:00.000Z");
    assert_eq!((&body["start"]["offset"], &body["status"]["code"]), (&json!("+08:00"), &json!("APPROVED")));
    let until_midnight = only_leave(leave("lc-lieu", (14, 24), 1_000, "percent_hour"));
    assert_eq!(until_midnight["last_day"], "2025-12-30");
}

#[test]
fn leave_by_days_has_its_halves_where_it_begins_or_ends_at_noon_s18() {
    let whole = only_leave(leave("lc-annual", (0, 24), 200, "percent_day"));
    assert_eq!((&whole["first_day"], &whole["last_day"]), (&json!("2025-12-30"), &json!("2025-12-31")));
    assert_eq!((whole.get("first_half"), whole.get("start")), (None, None), "its times are marks of days");
    let half = only_leave(leave("lc-own", (12, 23), 50, "percent_day"));
    assert_eq!((&half["first_half"], &half["last_half"]), (&json!("AFTERNOON"), &json!("AFTERNOON")));
    assert_eq!((&half["amount"]["value"], &half["kind"]["code"]), (&json!("0.50"), &json!("OTHER")));
    let morning = only_leave(leave("lc-annual", (0, 12), 50, "percent_day"));
    assert_eq!((&morning["first_half"], &morning["last_half"]), (&json!("MORNING"), &json!("MORNING")));
}

#[test]
fn leave_is_read_page_by_page_of_at_most_180_days_and_a_strange_unit_is_rejected_alone() {
    let first = [leave("lc-annual", (0, 0), 100, "percent_day"), leave("lc-annual", (24, 24), 100, "percent_moon")];
    let host = host().answer("POST", LEAVE, 200, listed(&first, true)).answer(
        "POST",
        LEAVE,
        200,
        listed(&[leave("gone", (48, 48), 100, "percent_day")], false),
    );
    let (run, bodies) = read(&host, "leave", EntityKind::Leave);
    assert_eq!((bodies.len(), run.rejects.len()), (2, 1));
    assert_eq!(run.records[0].external_id, format!("u1:{DAY}:lc-annual"));
    assert_eq!(bodies[1]["kind"], json!({ "code": "OTHER", "raw": "gone" }), "a kind that was deleted keeps its id");
    let asked = body_of(&host, 2);
    let (from, to) = (asked["start_time"].as_i64().unwrap(), asked["end_time"].as_i64().unwrap());
    assert_eq!((to - from) / (24 * HOUR), 180);
    assert_eq!((&asked["userid_list"], &asked["size"]), (&json!("u1,u2"), &json!(20)));
    assert_eq!(body_of(&host, 4)["offset"], 20, "the next page begins where this one had to end");
}

#[test]
fn without_an_operator_leave_is_listed_and_its_kinds_have_no_names() {
    let mut without = config();
    without.as_object_mut().unwrap().remove("attendance_operator");
    let host = host().answer("POST", LEAVE, 200, listed(&[leave("lc-annual", (0, 0), 100, "percent_day")], false));
    let run = host.pull_all::<DingTalk>(&without, "leave", None).unwrap();
    let body: Value = serde_json::from_slice(&run.records[0].payload).unwrap();
    assert_eq!(body["kind"], json!({ "code": "OTHER", "raw": "lc-annual" }));
    let pull = Pull { stream: "leave_balances".into(), max_records: 10, ..Pull::default() };
    assert_eq!(host.pull::<DingTalk>(&without, pull).unwrap_err().kind, FailureKind::BadConfig);
}

fn quota(id: &str, figures: &Value) -> Value {
    let mut quota = json!({ "quota_id": id, "userid": "u1", "leave_code": "x", "quota_cycle": "2026",
                            "start_time": 1_767_196_800_000_i64, "end_time": 1_798_732_799_000_i64 });
    for (name, figure) in figures.as_object().unwrap() {
        quota[name] = figure.clone();
    }
    quota
}

fn quotas(rows: &[Value], more: bool) -> String {
    json!({ "errcode": 0, "success": true, "result": { "has_more": more, "leave_quotas": rows } }).to_string()
}

#[test]
fn balances_are_read_kind_by_kind_in_the_unit_of_the_kind_s18() {
    let both = json!({ "quota_num_per_day": 1_050, "used_num_per_day": 250, "quota_num_per_hour": 8_400, "used_num_per_hour": 2_000 });
    let host = host()
        .answer("POST", QUOTAS, 200, quotas(&[quota("q1", &both)], true))
        .answer(
            "POST",
            QUOTAS,
            200,
            quotas(&[quota("q2", &json!({ "quota_num_per_day": 0, "used_num_per_day": 50 }))], false),
        )
        .answer("POST", QUOTAS, 200, quotas(&[quota("q3", &both)], false))
        .answer("POST", QUOTAS, 200, r#"{"errcode":0,"result":{"has_more":false}}"#);
    let (run, bodies) = read(&host, "leave_balances", EntityKind::LeaveBalance);
    let ids: Vec<&str> = run.records.iter().map(|record| record.external_id.as_str()).collect();
    assert_eq!((ids, run.rejects.len(), run.findings.len()), (vec!["q1", "q2", "q3"], 0, 0));
    let figures = |body: &Value| json!([body["unit"], body["granted"], body["used"], body["remaining"]]);
    assert_eq!(figures(&bodies[0]), json!(["DAY", "10.50", "2.50", "8.00"]));
    assert_eq!(figures(&bodies[1]), json!(["DAY", "0.00", "0.50", "-0.50"]), "more was taken than granted");
    assert_eq!(figures(&bodies[2]), json!(["HOUR", "84.00", "20.00", "64.00"]));
    assert_eq!(bodies[0]["period"], json!({ "start": "2026-01-01", "end": "2026-12-31" }));
    let kinds: Vec<String> = (2..6).map(|at| body_of(&host, at)["leave_code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["lc-annual", "lc-annual", "lc-lieu", "lc-own"]);
}

#[test]
fn a_kind_that_cannot_be_read_is_told_and_the_others_come_in() {
    let host = host()
        .answer("POST", QUOTAS, 200, r#"{"errcode":850001,"errmsg":"x"}"#)
        .answer("POST", QUOTAS, 200, quotas(&[quota("q3", &json!({ "quota_num_per_hour": 100 }))], false))
        .answer("POST", QUOTAS, 200, quotas(&[], false));
    let (run, bodies) = read(&host, "leave_balances", EntityKind::LeaveBalance);
    assert_eq!(bodies.len(), 1);
    assert_eq!((bodies[0].get("used"), bodies[0].get("remaining")), (None, None), "what is not said is not computed");
    let told: Vec<_> = run.findings.iter().map(|finding| (finding.part.as_str(), finding.code.as_str())).collect();
    assert_eq!(told, [("balances of 年假", "850001")]);
}

#[test]
fn an_operator_who_is_no_administrator_and_a_missing_permission_are_told_apart() {
    for (answer, kind) in [
        (r#"{"errcode":880011,"errmsg":"x"}"#, FailureKind::BadConfig),
        (
            r#"{"errcode":88,"sub_code":"60011","errmsg":"x, {requiredScopes=[qyapi_holiday_readonly]}"}"#,
            FailureKind::NotGranted,
        ),
    ] {
        let host = host().answer("POST", QUOTAS, 200, answer);
        let pull = Pull { stream: "leave_balances".into(), max_records: 10, ..Pull::default() };
        let failure = host.pull::<DingTalk>(&config(), pull).unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
    }
}

#[test]
fn no_failure_reject_or_log_line_of_leave_quotes_an_answer() {
    let host = host()
        .answer("POST", LEAVE, 200, listed(&[leave("lc-annual", (0, 0), 100, "percent_day")], false))
        .answer("POST", QUOTAS, 200, quotas(&[quota("q1", &json!({ "quota_num_per_day": 100 }))], false));
    let ways = host.assert_quotes_nothing::<DingTalk>(&config(), &["leave", "leave_balances"]);
    assert!(ways > 60, "{ways}");
}
