//! Lists, targeted reads, and what is not taken.

use connector_feishu::Feishu;
use renmen_plugin::testing::{Host, NOW_MS, readable};
use renmen_plugin::{Coverage, FailureKind, Page, Pull};

use crate::{BASE, config, fixtures, payload};

fn only(host: &Host, stream: &str, ids: &[&str]) -> Page {
    let ids = ids.iter().map(|&id| id.to_owned()).collect();
    let pull = Pull { stream: stream.into(), only: ids, max_records: 1000, ..Pull::default() };
    host.pull::<Feishu>(&config(), pull).unwrap()
}

#[test]
fn departments_are_listed_whole_and_one_without_a_name_is_set_aside() {
    let run = fixtures().pull_all::<Feishu>(&config(), "departments", None).unwrap();
    assert_eq!((run.pages, run.coverage), (2, Coverage::Everything));
    assert_eq!(run.rejects.len(), 1);
    assert_eq!(run.rejects[0].external_id.as_deref(), Some("od-3"));
    insta::assert_json_snapshot!(readable(&run.records));
}

#[test]
fn an_employee_is_three_records_and_a_granted_leaving_is_part_of_them() {
    let host = fixtures();
    let run = host.pull_all::<Feishu>(&config(), "employees", None).unwrap();
    assert_eq!(run.records.len(), 9, "three people; the fourth has a day that does not exist");
    assert_eq!(run.rejects[0].external_id.as_deref(), Some("7000000000000000003"));
    insta::assert_json_snapshot!(readable(&run.records));
    let asked: serde_json::Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    for private in ["national_id", "bank", "address_list", "religion", "marital", "dependent"] {
        assert!(!asked.to_string().contains(private), "{private} is not asked for");
    }
}

#[test]
fn hiring_comes_as_jobs_candidates_applications_offers_and_interviews() {
    let host = fixtures();
    let mut records = Vec::new();
    for stream in ["jobs", "candidates", "applications", "offers", "interviews"] {
        let run = host.pull_all::<Feishu>(&config(), stream, None).unwrap();
        assert_eq!(run.coverage, Coverage::Changes, "{stream}");
        assert_eq!(run.rejects.len(), usize::from(stream == "jobs"), "{stream}");
        records.extend(run.records);
    }
    let text = readable(&records).to_string();
    assert!(!text.contains("证件号"), "identity documents are not taken");
    insta::assert_json_snapshot!(readable(&records));
}

#[test]
fn the_next_run_asks_for_what_changed_since_and_the_vendor_may_answer_without_a_list() {
    let run = fixtures().at_ms(NOW_MS).pull_all::<Feishu>(&config(), "jobs", None).unwrap();
    let url = format!(
        "{BASE}/open-apis/hire/v1/jobs?page_size=20&user_id_type=open_id&department_id_type=open_department_id&update_start_time=1767224700000"
    );
    let host = Host::new().answer("GET", &url, 200, r#"{"code":0,"data":{}}"#);
    let again = host.pull_all::<Feishu>(&config(), "jobs", run.next.clone()).unwrap();
    assert!(again.records.is_empty());
    assert_eq!(again.next, run.next, "nothing new leaves the time where it was");
}

#[test]
fn a_targeted_read_gives_the_same_record_as_the_list() {
    let host = fixtures();
    let listed = host.pull_all::<Feishu>(&config(), "applications", None).unwrap();
    let read = only(&host, "applications", &["6900000000000000002"]);
    assert_eq!(read.records[0].payload, listed.records[1].payload);
    assert_eq!((read.next, read.has_more), (None, false), "the cursor is left alone");
}

#[test]
fn employments_and_persons_are_asked_for_apart_because_the_vendor_looks_at_one_list() {
    let url = format!(
        "{BASE}/open-apis/corehr/v2/employees/batch_get?user_id_type=people_corehr_id&department_id_type=open_department_id"
    );
    let body = r#"{"code":0,"data":{"items":[]}}"#;
    let host = Host::new().answer("POST", &url, 200, body).answer("POST", &url, 200, body);
    only(&host, "employees", &["person/31", "7", "person/32"]);
    let asked = |n: usize| serde_json::from_slice::<serde_json::Value>(&host.request_body(n).unwrap()).unwrap();
    let (first, second) = (asked(0), asked(1));
    assert_eq!((&first["employment_ids"], first.get("person_ids")), (&serde_json::json!(["7"]), None));
    assert_eq!((&second["person_ids"], second.get("employment_ids")), (&serde_json::json!(["31", "32"]), None));
    assert_eq!(first["fields"], second["fields"]);
}

#[test]
fn the_end_of_an_education_is_the_newer_member_where_it_can_be_read_and_else_the_older_one() {
    let url = format!("{BASE}/open-apis/hire/v1/talents/3?user_id_type=open_id");
    let end = |members: &str| {
        let body = format!(
            r#"{{"code":0,"data":{{"talent":{{"id":"3","basic_info":{{"name":"郑浩然"}},"education_list":[
                {{"school":"示例大学","start_time":"2021-09",{members}}}]}}}}}}"#
        );
        let page = only(&Host::new().answer("GET", &url, 200, body.as_str()), "candidates", &["3"]);
        payload(&page.records[0])["educations"][0]["period"]["end"].clone()
    };
    // Midnight in China of the first of July 2025.
    for (members, wanted) in [
        (r#""end_time":"至今","end_time_v2":"1751299200000""#, "2025-07-01"),
        (r#""end_time":"至今","end_time_v2":1751299200000"#, "2025-07-01"),
        (r#""end_time":"2024-06","end_time_v2":"2025-06""#, "2025-06-01"),
        (r#""end_time":"2024-06","end_time_v2":"""#, "2024-06-01"),
        (r#""end_time":"2024-06","end_time_v2":null"#, "2024-06-01"),
        (r#""end_time":"2024-06","end_time_v2":"1751299200""#, "2024-06-01"),
        (r#""end_time":"2024-06","end_time_v2":"至今""#, "2024-06-01"),
    ] {
        assert_eq!(end(members), wanted, "{members}");
    }
    assert!(end(r#""end_time":"至今""#).is_null(), "not known");
}

/// Two people in the search, whose leavers' applications are answered so.
fn with_offboardings(status: u16, body: &str) -> Host {
    let query = "user_id_type=people_corehr_id&department_id_type=open_department_id&page_size=100";
    let people = r#"{"code":0,"data":{"items":[
        {"employment_id":"1","employment_status":{"enum_name":"hired"},"person_info":{"legal_name":"甲"}},
        {"employment_id":"2","employment_status":{"enum_name":"hired"},"person_info":{"legal_name":"乙"}}]}}"#;
    Host::new().answer("POST", &format!("{BASE}/open-apis/corehr/v2/employees/search?{query}"), 200, people).answer(
        "POST",
        &format!("{BASE}/open-apis/corehr/v1/offboardings/search?user_id_type=people_corehr_id&page_size=100"),
        status,
        body,
    )
}

#[test]
fn leavers_applications_that_may_not_be_read_are_told_and_the_employees_come_in() {
    for (status, body, code) in [
        (400, r#"{"code":99991672,"msg":"王小明 has no access"}"#, "99991672"),
        (200, r#"{"code":0,"data":{"items":"moved","has_more":false}}"#, "upstream-changed"),
    ] {
        let run = with_offboardings(status, body).pull_all::<Feishu>(&config(), "employees", None).unwrap();
        assert_eq!((run.records.len(), run.coverage), (6, Coverage::Everything));
        let told: Vec<_> = run.findings.iter().map(|f| (f.part.as_str(), f.code.as_str(), f.missing)).collect();
        assert_eq!(told, [("offboardings", code, false)], "every employee is listed");
        assert!(!run.findings[0].message.contains("王小明"), "{}", run.findings[0].message);
    }
    // What passes is waited for.
    let throttled = with_offboardings(400, r#"{"code":99991400,"msg":"x"}"#);
    let failure = throttled.pull_all::<Feishu>(&config(), "employees", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::RateLimited);
}

#[test]
fn one_that_is_gone_is_told_and_one_that_the_vendor_does_not_take_is_set_aside() {
    let url = |id: &str| format!("{BASE}/open-apis/hire/v1/talents/{id}?user_id_type=open_id");
    let host = Host::new()
        .answer("GET", &url("1"), 404, r#"{"code":1002102,"msg":"Talent not found"}"#)
        .answer("GET", &url("2"), 400, r#"{"code":1002002,"msg":"参数错误"}"#)
        .answer("GET", &url("3"), 200, r#"{"code":0,"data":{"talent":{"id":"3","basic_info":{"name":"郑浩然"}}}}"#);
    let page = only(&host, "candidates", &["1", "2", "3"]);
    assert_eq!((page.records[0].external_id.as_str(), page.records[0].deleted), ("1", true));
    assert_eq!(page.rejects[0].external_id.as_deref(), Some("2"));
    assert_eq!(payload(&page.records[1])["person"]["names"]["formatted"], "郑浩然");
}

#[test]
fn a_permission_that_was_taken_away_ends_the_read_and_deletes_nobody() {
    let url = format!("{BASE}/open-apis/hire/v1/talents/1?user_id_type=open_id");
    let host = Host::new().answer("GET", &url, 400, r#"{"code":99991672,"msg":"Access denied"}"#);
    let pull = Pull { stream: "candidates".into(), only: vec!["1".into()], max_records: 10, ..Pull::default() };
    assert_eq!(host.pull::<Feishu>(&config(), pull).unwrap_err().kind, FailureKind::NotGranted);
}

#[test]
fn an_amount_without_its_currency_is_refused() {
    let url = format!("{BASE}/open-apis/hire/v1/offers/7?user_id_type=open_id&department_id_type=open_department_id");
    let body = r#"{"code":0,"data":{"offer":{"id":"7","application_id":"9","offer_status":1,
        "salary_plan":{"basic_salary":"{\"amount\":\"18000\",\"period\":2}"}}}}"#;
    let page = only(&Host::new().answer("GET", &url, 200, body), "offers", &["7"]);
    assert!(page.records.is_empty());
    assert!(page.rejects[0].reason.contains("currency"), "{}", page.rejects[0].reason);
}

#[test]
fn too_many_ids_at_once_and_unknown_streams_are_refused_before_anything_is_sent() {
    let host = Host::new();
    let ids = |n: usize| (0..n).map(|id| id.to_string()).collect();
    let pull =
        |stream: &str, n: usize| Pull { stream: stream.into(), only: ids(n), max_records: 10, ..Pull::default() };
    for refused in [pull("jobs", 201), pull("persons", 0)] {
        assert_eq!(host.pull::<Feishu>(&config(), refused).unwrap_err().kind, FailureKind::InvalidInput);
    }
    assert!(host.requests().is_empty());
    assert_eq!(host.pull::<Feishu>(&config(), pull("jobs", 200)).unwrap_err().kind, FailureKind::Internal, "it asked");
}

#[test]
fn throttled_the_read_waits_as_long_as_the_vendor_asks() {
    let url = format!("{BASE}/open-apis/hire/v1/applications?page_size=100");
    let headers = vec![("x-ogw-ratelimit-reset".to_owned(), "52".to_owned())];
    let body = br#"{"code":99991400,"msg":"request trigger frequency limit"}"#.to_vec();
    let response = renmen_plugin::http::Response::from_parts(400, headers, body);
    let failure =
        Host::new().answer_with("GET", &url, response).pull_all::<Feishu>(&config(), "applications", None).unwrap_err();
    assert_eq!((failure.kind, failure.retry_after_ms), (FailureKind::RateLimited, Some(52_000)));
}

#[test]
fn an_offer_that_is_refused_alone_is_told_and_what_all_would_meet_fails_the_page() {
    let list = format!("{BASE}/open-apis/hire/v1/applications?page_size=100");
    let application = |id: &str| format!("{BASE}/open-apis/hire/v1/applications/{id}?user_id_type=open_id");
    let offer = |id: &str| {
        format!(
            "{BASE}/open-apis/hire/v1/applications/{id}/offer?user_id_type=open_id&department_id_type=open_department_id"
        )
    };
    let host = |status: u16, refusal: &str| {
        Host::new()
            .answer("GET", &list, 200, r#"{"code":0,"data":{"items":["1","2","3"],"has_more":false}}"#)
            .answer("GET", &application("1"), 400, r#"{"code":1002002,"msg":"王小明"}"#)
            .answer("GET", &application("2"), 200, r#"{"code":0,"data":{"application":{"id":"2","modify_time":"5"}}}"#)
            .answer("GET", &application("3"), 200, r#"{"code":0,"data":{"application":{"id":"3","modify_time":"6"}}}"#)
            .answer("GET", &offer("2"), status, refusal)
            .answer(
                "GET",
                &offer("3"),
                200,
                r#"{"code":0,"data":{"offer":{"id":"7","application_id":"3","offer_status":1}}}"#,
            )
    };
    let run = host(400, r#"{"code":1002002,"msg":"王小明"}"#).pull_all::<Feishu>(&config(), "offers", None).unwrap();
    assert_eq!(run.records.iter().map(|r| r.external_id.as_str()).collect::<Vec<_>>(), ["7"]);
    let told: Vec<_> = run.findings.iter().map(|f| (f.part.as_str(), f.code.as_str(), f.missing)).collect();
    assert_eq!(told, [("offers of application 1 and 1 more", "1002002", true)]);
    assert!(!run.findings[0].message.contains("王小明"));
    let failure =
        host(400, r#"{"code":99991672,"msg":"x"}"#).pull_all::<Feishu>(&config(), "offers", None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotGranted, "the cursor must not pass them");
}

#[test]
fn points_that_cannot_be_read_are_told_and_the_next_run_begins_where_this_one_did() {
    let list = |from_ms: i64| {
        format!("{BASE}/open-apis/hire/v1/interviews?user_id_type=open_id&page_size=25&start_time={from_ms}")
    };
    let interviews = r#"{"code":0,"data":{"items":[{"id":"1","application_id":"9","begin_time":1,"end_time":2,"interview_record_list":[
        {"id":"4","commit_status":1,"conclusion":1,"feedback_submit_time":3}]}]}}"#;
    let forms = format!("{BASE}/open-apis/hire/v2/interview_records?user_id_type=open_id&ids=4");
    let host = |from_ms: i64, status: u16, body: &str| {
        Host::new().answer("GET", &list(from_ms), 200, interviews).answer("GET", &forms, status, body)
    };
    let denied = host(1, 400, r#"{"code":99991672,"msg":"x"}"#);
    let run = denied.pull_all::<Feishu>(&config(), "interviews", None).unwrap();
    assert_eq!(run.records.len(), 2, "the interview and its result");
    let told: Vec<_> = run.findings.iter().map(|f| (f.part.as_str(), f.code.as_str(), f.missing)).collect();
    assert_eq!(told, [("points of interview form 4", "99991672", true)]);
    // Not from the days that are looked back on: from where the points are missing.
    let given = host(1, 200, r#"{"code":0,"data":{"items":[]}}"#);
    let next = given.pull_all::<Feishu>(&config(), "interviews", run.next).unwrap();
    assert!(next.findings.is_empty());
    let later = NOW_MS - 90 * 86_400_000;
    let after = host(later, 200, r#"{"code":0,"data":{"items":[]}}"#);
    assert!(after.pull_all::<Feishu>(&config(), "interviews", next.next).is_ok(), "then as ever");
}
