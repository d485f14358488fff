//! What is refused: defects with their places, references to nothing, records of others, revisions that moved.

use axum::http::StatusCode;
use renmen_store::{Content, RecordWrite};
use serde_json::{Value, json};

use super::{Desk, competency, job, path, profile};
use crate::rig::employee;

fn errors(problem: &Value) -> Vec<(&str, &str)> {
    let each = problem["errors"].as_array().unwrap().iter();
    each.map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn everything_wrong_with_a_body_is_told_at_once_with_its_place() {
    let desk = Desk::new().await;
    desk.made("competencies", "c1", competency("Sales")).await;
    let mut body = profile(1, "c1", None);
    body["competencies"][0]["weight"]["bp"] = json!(9_999);
    body["competencies"][0]["dimensions"][0]["weight"]["bp"] = json!(10_001);
    let problem = desk.post("position-profiles", body.clone()).await.problem("invalid_record");
    // R13: an incomplete sum is said, and nothing is normalised.
    assert_eq!(
        errors(&problem),
        [("/body/competencies/0/dimensions/0/weight/bp", "bad_weight"), ("/body/complete", "wrong_complete")]
    );
    assert!(problem["errors"][1]["detail"].as_str().unwrap().contains("9999 basis points"), "{problem}");
    assert!(desk.rig.get("/v1/position-profiles").await.json()["data"].as_array().unwrap().is_empty());
    body["competencies"][0]["dimensions"][0]["weight"]["bp"] = json!(2_500);
    body["complete"] = json!(false);
    let made = desk.post("position-profiles", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["body"]["competencies"][0]["weight"]["bp"], 9_999);

    let unread = desk.post("competencies", json!({ "name": "Sales" })).await.problem("invalid_record");
    assert_eq!(errors(&unread)[0].0, "/body/name");
    let null =
        desk.post("competencies", json!({ "name": { "en": "S" }, "code": null })).await.problem("invalid_record");
    assert_eq!(errors(&null), [("/body/code", "null_value")]);
    let unknown =
        desk.post("competencies", json!({ "name": { "en": "S" }, "weigth": 1 })).await.problem("invalid_record");
    assert_eq!(errors(&unknown)[0].1, "unknown_field");
}

#[tokio::test]
async fn a_reference_leads_somewhere_or_names_the_connection_that_will_bring_it() {
    let desk = Desk::new().await;
    let mut body = profile(1, "nothing", None);
    let missing = desk.post("position-profiles", body.clone()).await.problem("invalid_record");
    assert_eq!(errors(&missing), [("/body/competencies/0/competency/external", "unknown_reference")]);
    let ours = desk.made("competencies", "c1", competency("Sales")).await;
    body["competencies"][0]["competency"] = json!({ "id": ours["id"] });
    body["position"] = json!({ "external": { "value": "j1" } });
    let here = desk.post("position-profiles", body.clone()).await.problem("invalid_record");
    assert_eq!(errors(&here), [("/body/position/external", "unknown_reference")], "no connection means `renmen`");
    // A record of another kind does not count.
    body["position"] = json!({ "id": ours["id"] });
    let kind = desk.post("position-profiles", body.clone()).await.problem("invalid_record");
    assert_eq!(errors(&kind), [("/body/position/id", "unknown_reference")]);
    body["position"] = job("not-here-yet");
    assert_eq!(desk.post("position-profiles", body.clone()).await.status, StatusCode::CREATED);
    desk.delete(&path("competencies", &ours), 1).await;
    body["position"] = job("another");
    let gone = desk.post("position-profiles", body).await.problem("invalid_record");
    assert_eq!(errors(&gone), [("/body/competencies/0/competency/id", "unknown_reference")]);
}

#[tokio::test]
async fn a_change_names_the_revision_that_was_read_and_the_second_of_two_is_refused() {
    let desk = Desk::new().await;
    let record = desk.made("competencies", "c1", competency("Sales")).await;
    let at = path("competencies", &record);
    let ask = json!({ "reason": "r", "body": competency("Selling") });
    let none = desk.send("PUT", &at, &[], &ask).await;
    assert_eq!(none.status, 428);
    assert!(none.problem("revision_required")["detail"].as_str().unwrap().contains("revision 1"));
    desk.send("DELETE", &format!("{at}?reason=r"), &[], &Value::Null).await.problem("revision_required");
    for bad in ["*", "1", "\"1\", \"2\""] {
        desk.send("PUT", &at, &[("if-match", bad)], &ask).await.problem("invalid_parameter");
    }
    assert_eq!(desk.put(&at, 1, competency("Selling")).await.status, StatusCode::OK);
    let late = desk.put(&at, 1, competency("Sold")).await;
    assert_eq!(late.status, 412);
    assert!(late.problem("revision_changed")["detail"].as_str().unwrap().contains("revision 2"));
    desk.delete(&at, 1).await.problem("revision_changed");
    assert_eq!(desk.rig.get(&at).await.json()["body"]["name"]["en"], "Selling");

    // Of many at once one is taken.
    let mut taken = 0;
    let all = (0..8).map(|n| desk.put(&at, 2, competency(&format!("S{n}"))));
    for answer in futures_util::future::join_all(all).await {
        match answer.status.as_u16() {
            200 => taken += 1,
            412 => drop(answer.problem("revision_changed")),
            _ => panic!("{}", answer.text),
        }
    }
    assert_eq!((taken, &desk.rig.get(&at).await.json()["revision"]), (1, &json!(3)));
}

#[tokio::test]
async fn what_a_connector_brought_is_changed_in_its_own_system() {
    let desk = Desk::new().await;
    let body = competency("Theirs").to_string().into_bytes();
    let theirs = RecordWrite { content: Content::of("competency", body), ..employee("c9", "") };
    desk.rig.commit(vec![theirs], Vec::new()).await;
    let record = desk.rig.get("/v1/competencies").await.json()["data"][0].clone();
    let at = path("competencies", &record);
    for answer in [desk.put(&at, 1, competency("Mine")).await, desk.delete(&at, 1).await] {
        assert!(answer.problem("refused")["detail"].as_str().unwrap().contains("connection `hr`"), "{}", answer.text);
    }
    // Under the same id there can be one of one's own: ids are a connection's.
    desk.made("competencies", "c9", competency("Mine")).await;
    let twice = json!({ "external_id": "c9", "reason": "r", "body": competency("Mine") });
    let refused = desk.send("POST", "/v1/competencies", &[], &twice).await.problem("refused");
    assert!(refused["related"].as_str().unwrap().starts_with("/v1/competencies/"));
}

#[tokio::test]
async fn a_refusal_speaks_the_language_that_was_asked_for() {
    let desk = Desk::new().await;
    let ask = json!({ "reason": "r", "body": profile(2, "c1", Some("2026-01-01T00:00:00.000Z")) });
    desk.made("competencies", "c1", competency("Sales")).await;
    let answer = desk.send("POST", "/v1/position-profiles", &[("accept-language", "zh-CN")], &ask).await;
    let problem = answer.problem("refused");
    assert_eq!(problem["detail"], "版本号逐一递增：该职位画像的下一版是 1，而不是 2");
}

#[tokio::test]
async fn each_error_of_a_body_speaks_the_language_that_was_asked_for() {
    let desk = Desk::new().await;
    let mut body = profile(1, "c1", None);
    body["competencies"][0]["weight"]["bp"] = json!(9_999);
    body["competencies"][0]["dimensions"][0]["weight"]["bp"] = json!(10_001);
    let unknown = json!({ "name": { "en": "S" }, "weigth": 1 });
    let number = json!({ "name": 7 });
    for (collection, body, english, chinese) in [
        ("position-profiles", body, "10001 basis points; expected 0 to 10000", "10001 个基点；应为 0 到 10000"),
        ("competencies", unknown, "the unknown field `weigth`; expected ", "未知的字段 `weigth`；可用的为 `"),
        ("competencies", number, "a number; expected an object of language tags", "数字；应为以语言标签为键的文本对象"),
    ] {
        let ask = json!({ "reason": "r", "body": body });
        for (language, wanted) in [("en", english), ("zh-CN", chinese)] {
            let path = format!("/v1/{collection}");
            let answer = desk.send("POST", &path, &[("accept-language", language)], &ask).await;
            let problem = answer.problem("invalid_record");
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.starts_with(wanted), "{language}: {detail}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_flow_speaks_the_language_that_was_asked_for() {
    let desk = Desk::new().await;
    let flow = json!({ "when": { "entity": "employe" }, "map": { "a": "record.x +" }, "to": { "connection": "hr", "action": "a" } });
    let detail = async |language| {
        let answer = desk.send("PUT", "/v1/flows/new", &[("accept-language", language)], &flow).await;
        answer.problem("invalid_definition")["detail"].as_str().unwrap().to_owned()
    };
    let (english, chinese) = (detail("en").await, detail("zh-CN").await);
    assert!(english.contains("when.entity: unknown entity `employe`; `renmen schema` lists them"), "{english}");
    assert!(chinese.contains("when.entity: 未知的实体 `employe`；`renmen schema` 列出全部实体"), "{chinese}");
    assert!(english.contains("this is not valid CEL") && chinese.contains("不是有效的 CEL："), "{english} {chinese}");
}

#[tokio::test]
async fn a_request_without_why_or_of_another_form_is_refused() {
    let desk = Desk::new().await;
    for body in [
        json!({ "body": competency("S") }),
        json!({ "reason": " ", "body": competency("S") }),
        json!({ "reason": "r" }),
        json!({ "reason": "r", "body": competency("S"), "person": "me" }),
        json!({ "reason": "r", "body": competency("S"), "external_id": "a\nb" }),
        json!({ "reason": "r", "body": competency("S"), "external_id": "x".repeat(129) }),
    ] {
        desk.send("POST", "/v1/competencies", &[], &body).await.problem("invalid_body");
    }
    let longest = json!({ "reason": "r", "body": competency("S"), "external_id": "张".repeat(128) });
    assert_eq!(desk.send("POST", "/v1/competencies", &[], &longest).await.status, 201);
    let record = desk.made("competencies", "c1", competency("Sales")).await;
    let at = path("competencies", &record);
    for query in ["", "?reason=", "?reason=%20", "?reason=a%07b"] {
        let answer = desk.send("DELETE", &format!("{at}{query}"), &[("if-match", "\"1\"")], &Value::Null).await;
        assert_eq!(answer.problem("invalid_parameter")["parameter"], "reason", "{query}");
    }
    desk.delete("/v1/competencies/17", 1).await.problem("not_found");
}
