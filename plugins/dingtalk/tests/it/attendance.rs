//! Days of attendance and planned days, each put together from its rows.

use connector_dingtalk::DingTalk;
use renmen_plugin::testing::{Host, Run};
use renmen_plugin::{FailureKind, Page, Pull};
use renmen_schema::{EntityKind, canonicalize};
use serde_json::{Value, json};

const ON_JOB: &str = "https://oapi.dingtalk.test/topapi/smartwork/hrm/employee/queryonjob";
const RESULTS: &str = "https://oapi.dingtalk.test/attendance/list";
const RAW: &str = "https://oapi.dingtalk.test/attendance/listRecord";
const PLANS: &str = "https://oapi.dingtalk.test/topapi/attendance/schedule/listbyusers";
/// 2025-12-30T00:00 in China.
const DAY: i64 = 1_767_024_000_000;
const HOUR: i64 = 3_600_000;

fn config() -> Value {
    let mut config = crate::config();
    config["attendance_days"] = json!(3);
    config["attendance_operator"] = json!("admin");
    config["schedule_days"] = json!(2);
    config
}

fn people(ids: &[&str]) -> Host {
    Host::new().answer("POST", ON_JOB, 200, json!({ "errcode": 0, "result": { "data_list": ids } }).to_string())
}

/// A planned time of a day, in hours after its midnight, and when it was punched.
fn row(user: &str, kind: &str, planned: i64, punched: Option<i64>, word: &str) -> Value {
    json!({
        "id": 1, "userId": user, "workDate": DAY, "planId": 7, "groupId": 3, "checkType": kind, "locationResult": "Normal",
        "baseCheckTime": DAY + planned * HOUR, "userCheckTime": DAY + punched.unwrap_or(planned) * HOUR,
        "timeResult": word, "sourceType": "ATM",
    })
}

fn results(rows: &[Value], more: bool) -> String {
    json!({ "errcode": 0, "errmsg": "ok", "hasMore": more, "recordresult": rows }).to_string()
}

fn read(host: &Host, config: &Value, stream: &str) -> Run {
    host.pull_all::<DingTalk>(config, stream, None).unwrap()
}

/// The records of a run by their ids; each is one that a gateway takes.
fn bodies(run: &Run, kind: EntityKind) -> Vec<(String, Value)> {
    let of = |record: &renmen_plugin::Envelope| {
        canonicalize(kind, &record.payload).unwrap();
        (record.external_id.clone(), serde_json::from_slice(&record.payload).unwrap())
    };
    run.records.iter().map(of).collect()
}

fn one_day(rows: &[Value]) -> Value {
    let host = people(&["u1"]).answer("POST", RESULTS, 200, results(rows, false));
    let mut days = bodies(&read(&host, &config(), "attendance"), EntityKind::Attendance);
    assert_eq!(days.len(), 1, "{days:?}");
    days.remove(0).1
}

fn body_of(host: &Host, index: usize) -> Value {
    serde_json::from_slice(&host.request_body(index).unwrap()).unwrap()
}

#[test]
fn the_rows_of_a_day_become_one_record_wherever_a_page_ends_s18() {
    let first = [row("u2", "OnDuty", 9, Some(8), "Normal"), row("u1", "OnDuty", 9, Some(10), "Late")];
    let second = [row("u1", "OffDuty", 18, Some(18), "Normal"), row("u2", "OffDuty", 18, None, "NotSigned")];
    let host = people(&["u1", "u2"]).answer("POST", RESULTS, 200, results(&first, true)).answer(
        "POST",
        RESULTS,
        200,
        results(&second, false),
    );
    let run = read(&host, &config(), "attendance");
    let days = bodies(&run, EntityKind::Attendance);
    let told: Vec<(&str, &str)> =
        days.iter().map(|(id, day)| (id.as_str(), day["status"]["code"].as_str().unwrap())).collect();
    assert_eq!(told, [("u1:2025-12-30", "LATE"), ("u2:2025-12-30", "MISSING_PUNCH")]);
    assert_eq!(days[0].1["status"]["raw"], "Late,Normal");
    assert_eq!(days[0].1["work_date"], "2025-12-30");
    assert_eq!(days[0].1["shift"]["start"]["utc"], "2025-12-30T01:00:00.000Z");
    assert_eq!(days[0].1["punches"][0]["at"]["offset"], "+08:00");
    assert_eq!(days[1].1["punches"].as_array().unwrap().len(), 1, "what was not punched is no punch");
    assert_eq!(run.records[0].pointer, "/recordresult/1");
    // Three days up to today in China, whole people, and the second page where the first one ended.
    let asked = body_of(&host, 1);
    let days = json!(["2025-12-30 00:00:00", "2026-01-01 00:00:00"]);
    assert_eq!(json!([asked["workDateFrom"], asked["workDateTo"]]), days);
    assert_eq!((&asked["userIdList"], &asked["limit"]), (&json!(["u1", "u2"]), &json!(50)));
    assert_eq!((&asked["offset"], &body_of(&host, 2)["offset"]), (&json!(0), &json!(50)));
}

#[test]
fn a_night_shift_belongs_to_the_day_on_which_it_began_s18() {
    let day = one_day(&[row("u1", "OffDuty", 30, Some(31), "Normal"), row("u1", "OnDuty", 22, Some(22), "Normal")]);
    assert_eq!(day["work_date"], "2025-12-30");
    let shift = json!([day["shift"]["start"]["utc"], day["shift"]["end"]["utc"]]);
    assert_eq!(shift, json!(["2025-12-30T14:00:00.000Z", "2025-12-30T22:00:00.000Z"]));
    let punches: Vec<&Value> = day["punches"].as_array().unwrap().iter().map(|punch| &punch["kind"]["code"]).collect();
    assert_eq!(punches, ["IN", "OUT"]);
    assert_eq!(day["punches"][1]["at"]["utc"], "2025-12-30T23:00:00.000Z", "the morning after in China");
}

#[test]
fn two_punches_of_the_same_time_are_both_kept_end_before_begin_s18() {
    let rows = [
        row("u1", "OnDuty", 9, Some(9), "Normal"),
        row("u1", "OnDuty", 13, Some(12), "Normal"),
        row("u1", "OffDuty", 12, Some(12), "Normal"),
        row("u1", "OffDuty", 18, Some(18), "Early"),
    ];
    let day = one_day(&rows);
    let seen: Vec<_> = day["punches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|punch| format!("{} {}", punch["kind"]["code"].as_str().unwrap(), punch["at"]["utc"].as_str().unwrap()))
        .collect();
    let wanted = ["IN 2025-12-30T01", "OUT 2025-12-30T04", "IN 2025-12-30T04", "OUT 2025-12-30T10"];
    assert!(seen.iter().zip(wanted).all(|(seen, wanted)| seen.starts_with(wanted)) && seen.len() == 4, "{seen:?}");
    assert_eq!(day["status"]["code"], "EARLY");
}

#[test]
fn a_day_on_which_nothing_was_punched_is_one_of_absence_and_a_word_that_is_not_known_is_kept_s18() {
    let day = one_day(&[row("u1", "OnDuty", 9, None, "NotSigned"), row("u1", "OffDuty", 18, None, "NotSigned")]);
    assert_eq!((&day["status"], day.get("punches")), (&json!({ "code": "ABSENT", "raw": "NotSigned" }), None));
    assert!(day["shift"]["end"].is_object(), "the plan is there all the same");
    for (word, code) in [("Absenteeism", "ABSENT"), ("SeriousLate", "LATE"), ("Teleported", "OTHER")] {
        let day = one_day(&[row("u1", "OnDuty", 9, Some(9), word), row("u1", "OffDuty", 18, Some(18), "Normal")]);
        assert_eq!(day["status"], json!({ "code": code, "raw": format!("{word},Normal") }));
    }
}

#[test]
fn raw_punches_tell_the_place_and_what_no_planned_time_took_and_invalid_ones_nothing() {
    let mut with = config();
    with["attendance_punches"] = json!(true);
    let punch = |hour: i64, kind: Option<&str>, invalid: Option<&str>| {
        json!({
            "id": 9, "userId": "u1", "workDate": DAY, "userCheckTime": (DAY + hour * HOUR).to_string(), "checkType": kind,
            "sourceType": "USER", "userAddress": "示例路 1 号", "invalidRecordType": invalid, "isLegal": "N",
        })
    };
    let raw = [punch(9, Some("OnDuty"), None), punch(15, None, None), punch(16, None, Some("Security"))];
    let rows = [row("u1", "OnDuty", 9, Some(9), "Normal"), row("u1", "OffDuty", 18, Some(18), "Normal")];
    let host = people(&["u1"]).answer("POST", RESULTS, 200, results(&rows, false)).answer(
        "POST",
        RAW,
        200,
        results(&raw, false),
    );
    let day = bodies(&read(&host, &with, "attendance"), EntityKind::Attendance).remove(0).1;
    let punches = day["punches"].as_array().unwrap();
    assert_eq!(punches.len(), 3, "{punches:?}");
    assert_eq!((&punches[0]["location"], &punches[0]["result"]["code"]), (&json!("示例路 1 号"), &json!("NORMAL")));
    assert_eq!(punches[1]["kind"], json!({ "code": "OTHER", "raw": "UNKNOWN" }));
    assert_eq!(body_of(&host, 2)["checkDateTo"], "2026-01-01 23:59:59");
}

#[test]
fn a_day_with_a_row_that_cannot_be_read_is_rejected_alone_and_as_a_whole() {
    let mut bad = row("u1", "OffDuty", 18, Some(18), "Normal");
    bad["userCheckTime"] = json!("evening");
    let mut of_no_one = row("u1", "OnDuty", 9, Some(9), "Normal");
    of_no_one["workDate"] = json!(null);
    let rows = [row("u1", "OnDuty", 9, Some(9), "Normal"), bad, of_no_one, row("u2", "OnDuty", 9, Some(9), "Normal")];
    let host = people(&["u1", "u2"]).answer("POST", RESULTS, 200, results(&rows, false));
    let run = read(&host, &config(), "attendance");
    assert_eq!(bodies(&run, EntityKind::Attendance).len(), 1);
    let rejects: Vec<_> =
        run.rejects.iter().map(|reject| (reject.external_id.as_deref(), reject.pointer.as_str())).collect();
    assert_eq!(rejects, [(None, "/recordresult/2"), (Some("u1:2025-12-30"), "/recordresult/0")]);
    let raw: Value = serde_json::from_slice(&run.rejects[1].raw).unwrap();
    assert_eq!(raw.as_array().unwrap().len(), 2, "both rows of the day wait");
    assert!(!run.rejects[1].reason.contains("evening"), "{}", run.rejects[1].reason);
}

#[test]
fn a_page_never_asks_for_more_people_and_days_than_it_can_hold() {
    let host = people(&["u1"]).answer("POST", RESULTS, 200, results(&[], false));
    let pull = Pull { stream: "attendance".into(), max_records: 2, ..Pull::default() };
    let page = host.pull::<DingTalk>(&config(), pull).unwrap();
    assert!(page.has_more, "the third day is still to come");
    assert_eq!(
        (&body_of(&host, 0)["size"], &body_of(&host, 1)["workDateTo"]),
        (&json!(1), &json!("2025-12-31 00:00:00"))
    );
}

#[test]
fn a_list_that_does_not_end_and_one_in_another_shape_are_faults() {
    let host = people(&["u1"]).answer("POST", RESULTS, 200, results(&[], true));
    let pull = || Pull { stream: "attendance".into(), max_records: 100, ..Pull::default() };
    assert_eq!(host.pull::<DingTalk>(&config(), pull()).unwrap_err().kind, FailureKind::UpstreamChanged);
    let host = people(&["u1"]).answer("POST", RESULTS, 200, r#"{"errcode":0,"result":"moved"}"#);
    assert_eq!(host.pull::<DingTalk>(&config(), pull()).unwrap_err().kind, FailureKind::UpstreamChanged);
}

#[test]
fn days_that_an_event_told_about_are_read_by_their_date() {
    let host = Host::new().answer("POST", RESULTS, 200, results(&[row("u1", "OnDuty", 9, Some(9), "Normal")], false));
    let only = ["u1:2025-12-30", "u2:2025-12-30"].map(str::to_owned).to_vec();
    let pull = Pull { stream: "attendance".into(), only, max_records: 100, ..Pull::default() };
    let page: Page = host.pull::<DingTalk>(&config(), pull).unwrap();
    assert_eq!((page.records.len(), host.requests().len()), (1, 1));
    assert!(page.records.iter().all(|record| !record.deleted), "a day without rows is not gone");
    assert_eq!(body_of(&host, 0)["userIdList"], json!(["u1", "u2"]));
}

fn planned(user: &str, kind: &str, time: &str) -> Value {
    json!({
        "id": 1, "userid": user, "check_type": kind, "plan_check_time": time, "group_id": 3, "shift_id": 12, "is_rest": "N",
        "work_date": "2026-01-01 00:00:00",
    })
}

#[test]
fn a_planned_day_has_each_of_its_shifts_and_a_day_of_rest_none_s18() {
    let rest = json!({ "userid": "u2", "work_date": "2026-01-01 00:00:00", "shift_id": 0, "is_rest": "Y", "group_id": 3,
                       "check_type": "OnDuty", "plan_check_time": "2026-01-01 00:00:00", "id": 2 });
    let rows = [
        planned("u1", "OnDuty", "2026-01-01 09:00:00"),
        planned("u1", "OffDuty", "2026-01-01 12:00:00"),
        planned("u1", "OnDuty", "2026-01-01 22:00:00"),
        planned("u1", "OffDuty", "2026-01-02 06:00:00"),
        rest,
    ];
    let host = people(&["u1", "u2"]).answer("POST", PLANS, 200, json!({ "errcode": 0, "result": rows }).to_string());
    let days = bodies(&read(&host, &config(), "schedules"), EntityKind::PlannedShift);
    let spans: Vec<Value> = days[0].1["shifts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shift| json!([shift["code"], shift["start"]["utc"], shift["end"]["utc"]]))
        .collect();
    assert_eq!(spans[0], json!(["12", "2026-01-01T01:00:00.000Z", "2026-01-01T04:00:00.000Z"]));
    assert_eq!(spans[1], json!(["12", "2026-01-01T14:00:00.000Z", "2026-01-01T22:00:00.000Z"]));
    assert_eq!((days[1].0.as_str(), &days[1].1["rest"]), ("u2:2026-01-01", &json!(true)));
    assert_eq!(days[1].1.get("shifts"), None);
    let asked = body_of(&host, 1);
    assert_eq!((&asked["op_user_id"], &asked["userids"]), (&json!("admin"), &json!("u1,u2")));
    let midnights = (1_767_196_800_000_i64, 1_767_283_200_000_i64);
    assert_eq!((&asked["from_date_time"], &asked["to_date_time"]), (&json!(midnights.0), &json!(midnights.1)));
}

#[test]
fn an_end_without_its_begin_is_rejected_and_schedules_need_their_operator() {
    let rows = [planned("u1", "OffDuty", "2026-01-01 18:00:00")];
    let host = people(&["u1"]).answer("POST", PLANS, 200, json!({ "errcode": 0, "result": rows }).to_string());
    let run = read(&host, &config(), "schedules");
    assert_eq!((run.records.len(), run.rejects.len()), (0, 1));
    let mut without = config();
    without.as_object_mut().unwrap().remove("attendance_operator");
    let pull = Pull { stream: "schedules".into(), max_records: 10, ..Pull::default() };
    let host = people(&["u1"]);
    let failure = host.pull::<DingTalk>(&without, pull).unwrap_err();
    assert_eq!((failure.kind, host.requests().len()), (FailureKind::BadConfig, 0));
    assert!(failure.message.contains("attendance_operator"), "{failure}");
}

#[test]
fn no_failure_reject_or_log_line_of_attendance_quotes_an_answer() {
    let host = people(&["u1"])
        .answer("POST", RESULTS, 200, results(&[row("u1", "OnDuty", 9, Some(9), "Normal")], false))
        .answer(
            "POST",
            PLANS,
            200,
            json!({ "errcode": 0, "result": [planned("u1", "OnDuty", "2026-01-01 09:00:00")] }).to_string(),
        );
    let ways = host.assert_quotes_nothing::<DingTalk>(&config(), &["attendance", "schedules"]);
    assert!(ways > 60, "{ways}");
}
