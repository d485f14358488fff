//! Errors as clients meet them.

use axum::http::StatusCode;

use crate::rig::{Rig, settled};

#[tokio::test]
async fn a_problem_is_told_in_the_language_that_was_asked_for() {
    let rig = Rig::new().await;
    let english = rig.get("/v1/employees?limit=0").await;
    let chinese = rig.ask("GET", "/v1/employees?limit=0", &[("accept-language", "zh-CN,zh;q=0.9")]).await;
    // R84
    assert_eq!(chinese.headers["content-language"], "zh-CN");
    insta::assert_json_snapshot!("problem_in_english", settled(english.problem("invalid_parameter")));
    insta::assert_json_snapshot!("problem_in_chinese", settled(chinese.problem("invalid_parameter")));
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_by_name_on_every_operation_that_reads() {
    let rig = Rig::new().await;
    let document = renmen_api::document();
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/") || item.get("get").is_none() {
            continue;
        }
        let path = path.replace("{connection}", "hr").replace("{entity}", "employee").replace("{id}", "1");
        let path = path.replace("{question}", "funnel");
        let answer = rig.get_where_allowed(&format!("{path}?updatd_since=x")).await;
        assert_eq!(answer.problem("unknown_parameter")["parameter"], "updatd_since", "{path}");
    }
}

#[tokio::test]
async fn a_wrong_value_names_its_parameter_and_is_not_repeated() {
    let rig = Rig::new().await;
    for (query, name) in [
        ("limit=many", "limit"),
        ("deleted=yes", "deleted"),
        ("updated_since=yesterday", "updated_since"),
        ("updated_since=2026-01-31", "updated_since"),
        ("connection=Not%20One", "connection"),
        ("external_id=a%00b", "external_id"),
        ("limit=1&limit=2", "limit"),
    ] {
        let answer = rig.get(&format!("/v1/employees?{query}")).await;
        assert_eq!(answer.problem("invalid_parameter")["parameter"], name, "{query}");
        assert!(!answer.text.contains("yesterday") && !answer.text.contains("many"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_refused() {
    let rig = Rig::new().await;
    for bad in ["x", "AAAA", "%F0%9F%98%80", "9999999999999999999999"] {
        rig.get(&format!("/v1/employees?cursor={bad}")).await.problem("invalid_cursor");
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems_too() {
    let rig = Rig::new().await;
    rig.get("/v1/staff-members").await.problem("unknown_path");
    rig.get("/").await.problem("unknown_path");
    let wrong = rig.ask("PUT", "/v1/employees", &[]).await;
    wrong.problem("method_not_allowed");
    assert!(wrong.headers["allow"].to_str().unwrap().contains("GET"));
    assert_eq!(rig.ask("HEAD", "/v1/employees", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_keeps_its_own_id_when_that_is_harmless() {
    let rig = Rig::new().await;
    let kept = rig.ask("GET", "/v1/runs?x=1", &[("x-request-id", "abc-1")]).await;
    assert_eq!(kept.problem("unknown_parameter")["request_id"], "abc-1");
    let ours = rig.ask("GET", "/v1/runs?x=1", &[("x-request-id", "a b")]).await;
    assert_ne!(ours.headers["x-request-id"], "a b");
    ours.problem("unknown_parameter");
}

#[tokio::test]
async fn an_exchange_that_cannot_be_opened_is_a_fault_without_its_cause() {
    let rig = Rig::new().await;
    rig.commit(Vec::new(), Vec::new()).await;
    rig.commit_read(Vec::new(), Vec::new(), b"torn").await;
    assert_eq!(rig.get("/v1/exchanges/1-0").await.status, StatusCode::OK);
    let torn = rig.get("/v1/exchanges/2-0").await;
    torn.problem("internal");
    assert!(!torn.text.contains("frame"), "{}", torn.text);
}
