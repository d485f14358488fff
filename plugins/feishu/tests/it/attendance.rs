//! Attendance, leave and balances.

use connector_feishu::Feishu;
use renmen_plugin::testing::{Host, Run};
use renmen_plugin::{FailureKind, Pull};
use renmen_schema::{EntityKind, canonicalize};
use serde_json::{Value, json};

use crate::{BASE, config, payload};

/// 2025-12-30T00:00 in China, in seconds.
const DAY_S: i64 = 1_767_024_000;
const HOUR_S: i64 = 3_600;

fn search(size: u32) -> String {
    format!(
        "{BASE}/open-apis/corehr/v2/employees/search?user_id_type=people_corehr_id&department_id_type=open_department_id&page_size={size}"
    )
}

fn tasks_url() -> String {
    format!("{BASE}/open-apis/attendance/v1/user_tasks/query?employee_type=employee_no&ignore_invalid_users=true")
}

fn group_url(id: &str) -> String {
    format!("{BASE}/open-apis/attendance/v1/groups/{id}?employee_type=employee_no&dept_type=open_id")
}

/// Two who are employed, one who left, and one without a number.
fn people(size: u32) -> Host {
    let employee = |id: &str, number: Value, status: &str| json!({ "employment_id": id, "employee_number": number, "employment_status": { "enum_name": status } });
    let items = [
        employee("70", json!("F1"), "hired"),
        employee("71", json!("F2"), "hired"),
        employee("72", json!("F3"), "terminated"),
        employee("73", Value::Null, "hired"),
    ];
    let body = json!({ "code": 0, "data": { "items": items, "has_more": false } });
    let zone = json!({ "code": 0, "data": { "time_zone": "Asia/Bangkok" } });
    Host::new().answer("POST", &search(size), 200, body.to_string()).answer(
        "GET",
        &group_url("67"),
        200,
        zone.to_string(),
    )
}

/// A record of a day: begin and end in hours after its midnight, each with its word and whether it was punched.
fn record(begin: (i64, &str, bool), end: (i64, &str, bool)) -> Value {
    let flow = |hour: i64, punched: bool| {
        punched.then(|| json!({ "check_time": (DAY_S + hour * HOUR_S + 60).to_string(), "type": 5, "location_name": "示例园区" }))
    };
    json!({
        "check_in_record": flow(begin.0, begin.2), "check_out_record": flow(end.0, end.2), "check_in_result": begin.1,
        "check_out_result": end.1, "check_in_result_supplement": "None", "check_out_result_supplement": "None",
        "check_in_shift_time": (DAY_S + begin.0 * HOUR_S).to_string(), "check_out_shift_time": (DAY_S + end.0 * HOUR_S).to_string(),
        "task_shift_type": 0,
    })
}

fn task(number: &str, records: &[Value]) -> Value {
    json!({ "result_id": "r1", "user_id": number, "employee_name": "x", "day": 20_251_230, "group_id": "67", "shift_id": "9", "records": records })
}

fn tasks(list: &[Value], unauthorized: &[&str]) -> String {
    json!({ "code": 0, "data": { "user_task_results": list, "invalid_user_ids": [], "unauthorized_user_ids": unauthorized } }).to_string()
}

fn read(host: &Host) -> Run {
    host.pull_all::<Feishu>(&config(), "attendance", None).unwrap()
}

fn one_day(records: &[Value]) -> Value {
    let host = people(50).answer("POST", &tasks_url(), 200, tasks(&[task("F1", records)], &[]));
    let run = read(&host);
    assert_eq!((run.records.len(), run.rejects.len()), (1, 0), "{:?}", run.rejects);
    canonicalize(EntityKind::Attendance, &run.records[0].payload).unwrap();
    payload(&run.records[0])
}

#[test]
fn a_day_is_of_the_employment_in_the_zone_of_its_group_s18() {
    let list = [task("F1", &[record((9, "Normal", true), (18, "Early", true))]), task("F2", &[])];
    let host = people(50).answer("POST", &tasks_url(), 200, tasks(&list, &[]));
    let run = read(&host);
    let ids: Vec<&str> = run.records.iter().map(|record| record.external_id.as_str()).collect();
    assert_eq!(ids, ["70:2025-12-30", "71:2025-12-30"]);
    let day = payload(&run.records[0]);
    assert_eq!((&day["employee"]["external"]["value"], &day["tz"]), (&json!("70"), &json!("Asia/Bangkok")));
    assert_eq!(day["status"], json!({ "code": "EARLY", "raw": "Normal,Early" }));
    assert_eq!(day["shift"]["start"], json!({ "utc": "2025-12-30T01:00:00.000Z", "tz": "Asia/Bangkok" }));
    assert_eq!(
        (&day["punches"][1]["kind"]["code"], &day["punches"][1]["result"]["code"]),
        (&json!("OUT"), &json!("EARLY"))
    );
    assert_eq!(payload(&run.records[1])["status"]["code"], "OTHER", "the vendor says nothing of that day");
    let asked: Value = serde_json::from_slice(&host.request_body(1).unwrap()).unwrap();
    assert_eq!(asked["user_ids"], json!(["F1", "F2"]), "of those who are employed and have a number");
    // Seven days, today in China the last of them.
    assert_eq!(json!([asked["check_date_from"], asked["check_date_to"]]), json!([20_251_226, 20_260_101]));
}

#[test]
fn a_night_shift_a_day_without_punches_and_one_of_leave_are_told_apart_s18() {
    let night = one_day(&[record((22, "Normal", true), (30, "Normal", true))]);
    assert_eq!(
        (&night["work_date"], &night["shift"]["end"]["utc"]),
        (&json!("2025-12-30"), &json!("2025-12-30T22:00:00.000Z"))
    );
    let absent = one_day(&[record((9, "Lack", false), (18, "Lack", false))]);
    assert_eq!((&absent["status"], absent.get("punches")), (&json!({ "code": "ABSENT", "raw": "Lack" }), None));
    let half = one_day(&[record((9, "Lack", false), (18, "Normal", true))]);
    assert_eq!(half["status"]["code"], "MISSING_PUNCH");
    let mut leave = record((9, "NoNeedCheck", false), (18, "NoNeedCheck", false));
    leave["check_in_result_supplement"] = json!("Leave");
    leave["check_out_result_supplement"] = json!("Leave");
    assert_eq!(one_day(&[leave])["status"], json!({ "code": "LEAVE", "raw": "NoNeedCheck,Leave" }));
    let mut rest = record((9, "NoNeedCheck", false), (18, "NoNeedCheck", false));
    rest["check_in_shift_time"] = json!("0");
    rest["check_out_shift_time"] = json!("");
    let rest = one_day(&[rest]);
    assert_eq!((&rest["status"]["code"], rest.get("shift")), (&json!("REST_DAY"), None));
    let open = one_day(&[record((9, "Normal", true), (18, "Todo", false))]);
    assert_eq!(open["status"], json!({ "code": "OTHER", "raw": "Normal,Todo" }), "the day is not over");
}

#[test]
fn two_punches_of_the_same_time_are_kept_end_before_begin_s18() {
    let day = one_day(&[
        record((9, "Normal", true), (12, "Normal", true)),
        record((12, "Normal", true), (18, "Normal", true)),
    ]);
    let kinds: Vec<&Value> = day["punches"].as_array().unwrap().iter().map(|punch| &punch["kind"]["code"]).collect();
    assert_eq!(kinds, ["IN", "OUT", "IN", "OUT"]);
    assert_eq!(day["punches"][1]["at"]["utc"], day["punches"][2]["at"]["utc"]);
}

#[test]
fn who_may_not_be_seen_and_a_zone_that_may_not_be_read_are_told_and_the_rest_comes_in() {
    let denied = r#"{"code":99991672,"msg":"x"}"#;
    let host = people(50).answer("GET", &group_url("68"), 400, denied).answer("POST", &tasks_url(), 200, {
        let mut other = task("F2", &[record((9, "Normal", true), (18, "Normal", true))]);
        other["group_id"] = json!("68");
        tasks(&[other], &["F1"])
    });
    let run = read(&host);
    assert_eq!((run.records.len(), payload(&run.records[0]).get("tz")), (1, None));
    let told: Vec<_> = run.findings.iter().map(|finding| (finding.part.as_str(), finding.missing)).collect();
    assert_eq!(told, [("attendance of 1 people", false), ("zone of attendance group 68", false)]);
}

#[test]
fn a_page_asks_for_as_many_people_and_days_as_it_can_hold_and_a_foreign_cursor_is_refused() {
    let host = people(1).answer("POST", &tasks_url(), 200, tasks(&[], &[]));
    let pull = |cursor: Option<&str>| Pull {
        stream: "attendance".into(),
        max_records: 3,
        cursor: cursor.map(str::to_owned),
        ..Pull::default()
    };
    let page = host.pull::<Feishu>(&config(), pull(None)).unwrap();
    let asked: Value = serde_json::from_slice(&host.request_body(1).unwrap()).unwrap();
    assert_eq!((&asked["check_date_to"], page.has_more), (&json!(20_251_228), true));
    for cursor in ["{}", r#"{"day":9,"width":1,"last":8}"#, r#"{"day":1,"width":0,"last":8}"#] {
        let failure = host.pull::<Feishu>(&config(), pull(Some(cursor))).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{cursor}");
    }
}

fn leave_url(size: u32) -> String {
    format!(
        "{BASE}/open-apis/corehr/v1/leaves/leave_request_history?user_id_type=people_corehr_id&leave_end_date_min=2025-12-02&page_size={size}"
    )
}

fn request(start: &str, end: &str, amount: &str, unit: i64, status: i64) -> Value {
    json!({
        "leave_request_id": format!("lr-{status}"), "employment_id": "70", "leave_type_id": "lt",
        "leave_type_name": [{ "lang": "zh-CN", "value": "年假" }, { "lang": "en-US", "value": "Annual Leave" }],
        "start_time": start, "end_time": end, "leave_duration": amount, "leave_duration_unit": unit, "leave_request_status": status,
        "submitted_at": "1767225600", "notes": "家里有事", "time_zone": "Asia/Shanghai",
    })
}

fn leave(list: &[Value]) -> Vec<Value> {
    let body = json!({ "code": 0, "data": { "leave_request_list": list, "has_more": false } });
    let host = Host::new().answer("GET", &leave_url(100), 200, body.to_string());
    let run = host.pull_all::<Feishu>(&config(), "leave", None).unwrap();
    assert_eq!(run.rejects.len(), 0, "{:?}", run.rejects);
    let of = |record: &renmen_plugin::Envelope| {
        canonicalize(EntityKind::Leave, &record.payload).unwrap();
        payload(record)
    };
    run.records.iter().map(of).collect()
}

#[test]
fn leave_has_its_days_halves_and_times_and_an_exact_amount_s18() {
    let found = leave(&[
        request("2026-01-05", "2026-01-06", "2", 1, 1),
        request("2026-01-05 afternoon", "2026-01-06 morning", "1", 1, 2),
        request("2026-01-05 14:00", "2026-01-05 16:30:00", "2.5", 2, 7),
    ]);
    assert_eq!(found[0]["kind"]["code"], "ANNUAL");
    assert_eq!(
        (&found[0]["kind"]["raw"], &found[0]["kind"]["label"]["en-US"]),
        (&json!("年假"), &json!("Annual Leave"))
    );
    assert_eq!((&found[0]["first_day"], &found[0]["last_day"]), (&json!("2026-01-05"), &json!("2026-01-06")));
    assert_eq!(
        (&found[0]["amount"], &found[0]["reason"]),
        (&json!({ "value": "2", "unit": "DAY" }), &json!("家里有事"))
    );
    assert_eq!((&found[1]["first_half"], &found[1]["last_half"]), (&json!("AFTERNOON"), &json!("MORNING")));
    assert_eq!(found[2]["start"]["utc"], "2026-01-05T06:00:00.000Z");
    assert_eq!(
        (&found[2]["end"]["utc"], &found[2]["amount"]["value"]),
        (&json!("2026-01-05T08:30:00.000Z"), &json!("2.5"))
    );
    assert_eq!(found[2]["requested_at"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn leave_keeps_where_it_stands_and_the_vendors_number_s18() {
    let statuses: Vec<Value> = (1..=10).map(|status| request("2026-01-05", "2026-01-05", "1", 1, status)).collect();
    let codes: Vec<String> =
        leave(&statuses).iter().map(|leave| leave["status"]["code"].as_str().unwrap().to_owned()).collect();
    let wanted = [
        "APPROVED",
        "REQUESTED",
        "APPROVED",
        "APPROVED",
        "APPROVED",
        "APPROVED",
        "REJECTED",
        "CANCELLED",
        "WITHDRAWN",
        "OTHER",
    ];
    assert_eq!(codes, wanted);
}

#[test]
fn a_time_on_a_clock_that_is_not_known_here_leaves_the_day_alone() {
    let mut abroad = request("2026-01-05 14:00", "2026-01-05 16:30", "2.5", 2, 1);
    abroad["time_zone"] = json!("America/New_York");
    let found = leave(&[abroad]);
    assert_eq!((&found[0]["first_day"], found[0].get("start")), (&json!("2026-01-05"), None));
    assert_eq!(found[0]["tz"], "America/New_York");
}

#[test]
fn leave_with_an_amount_or_a_day_that_cannot_be_read_is_rejected_alone() {
    let list = [
        request("2026-02-31", "2026-03-01", "1", 1, 1),
        request("2026-01-05", "2026-01-05", "a day", 1, 2),
        request("2026-01-05", "2026-01-05", "1", 9, 3),
        request("2026-01-05", "2026-01-05", "1", 1, 4),
    ];
    let body = json!({ "code": 0, "data": { "leave_request_list": list, "has_more": false } });
    let host = Host::new().answer("GET", &leave_url(100), 200, body.to_string());
    let run = host.pull_all::<Feishu>(&config(), "leave", None).unwrap();
    assert_eq!((run.records.len(), run.rejects.len()), (1, 3));
    assert!(run.rejects.iter().all(|reject| !reject.reason.contains("a day\"")), "{:?}", run.rejects);
}

#[test]
fn balances_of_one_employee_are_a_record_for_each_kind_of_leave_s18() {
    let url = format!("{BASE}/open-apis/corehr/v1/leaves/leave_balances?user_id_type=people_corehr_id&page_size=50");
    let balance = |id: &str, name: &str, unit: i64| {
        json!({ "leave_type_id": id, "leave_type_name": [{ "lang": "zh-CN", "value": name }], "historical_cycles_left": "1.5",
                "this_cycle_total": "10", "this_cycle_taken": "2.25", "leave_balance": "9.25", "leave_duration_unit": unit })
    };
    let list = json!([{ "employment_id": "70", "as_of_date": "2026-01-01", "leave_balance_list": [balance("a", "年假", 1), balance("b", "调休", 2)] }]);
    let body = json!({ "code": 0, "data": { "employment_leave_balance_list": list, "has_more": false } });
    let host = Host::new().answer("GET", &url, 200, body.to_string());
    let run = host.pull_all::<Feishu>(&config(), "leave_balances", None).unwrap();
    let ids: Vec<&str> = run.records.iter().map(|record| record.external_id.as_str()).collect();
    assert_eq!(ids, ["70:a", "70:b"]);
    let body = payload(&run.records[0]);
    canonicalize(EntityKind::LeaveBalance, &run.records[0].payload).unwrap();
    assert_eq!(
        json!([body["unit"], body["granted"], body["used"], body["remaining"]]),
        json!(["DAY", "10", "2.25", "9.25"])
    );
    assert_eq!(payload(&run.records[1])["kind"]["code"], "COMPENSATORY");
}

#[test]
fn an_answer_in_another_shape_is_no_empty_list() {
    for body in
        [r#"{"code":0,"data":{"items":[]}}"#, r#"{"code":0,"data":{"leave_request_list":"moved","has_more":false}}"#]
    {
        let host = Host::new().answer("GET", &leave_url(100), 200, body);
        let pull = Pull { stream: "leave".into(), max_records: 100, ..Pull::default() };
        assert_eq!(host.pull::<Feishu>(&config(), pull).unwrap_err().kind, FailureKind::UpstreamChanged, "{body}");
    }
}

#[test]
fn no_failure_reject_or_log_line_of_attendance_and_leave_quotes_an_answer() {
    let list = json!({ "code": 0, "data": { "leave_request_list": [request("2026-01-05", "2026-01-05", "1", 1, 1)], "has_more": false } });
    let day = task("F1", &[record((9, "Normal", true), (18, "Normal", true))]);
    let host = people(50).answer("POST", &tasks_url(), 200, tasks(&[day], &[])).answer(
        "GET",
        &leave_url(100),
        200,
        list.to_string(),
    );
    let ways = host.assert_quotes_nothing::<Feishu>(&config(), &["attendance", "leave"]);
    assert!(ways > 60, "{ways}");
}
