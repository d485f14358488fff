//! Actions by hand over HTTP: the three forms of a request, the idempotency key, and what each of them sends.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::{Answer, Rig};

/// A rig with one employee and a flow `order` for employees.
async fn rig() -> (Rig, String) {
    let rig = Rig::new().await;
    rig.employees(&[("e1", "1")]).await;
    let id = rig.get("/v1/employees").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let order = json!({
        "when": { "entity": "employee", "if": "false" },
        "fields": ["/number"],
        "map": { "to": "'hr'", "number": "record.number" },
        "to": { "connection": "mail", "action": "message.send" },
    });
    let kept = rig.ask_as(&rig.key, "PUT", "/v1/flows/order", Some(&order)).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text);
    (rig, id)
}

#[tokio::test]
async fn a_request_says_what_to_do_in_one_way() {
    let (rig, id) = rig().await;
    let with = |more: Value| {
        let mut body = json!({ "record": id, "reason": "withdrew", "dry_run": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (to, map) = (json!({ "connection": "mail", "action": "message.send" }), json!({ "number": "record.number" }));
    for (good, input, misses) in [
        (json!({ "flow": "order" }), json!({ "to": "hr", "number": "1" }), false),
        (json!({ "flow": "order", "map": { "number": "'2'" } }), json!({ "to": "hr", "number": "2" }), false),
        (json!({ "input": { "to": "a" } }), json!({ "to": "a" }), false),
        (json!({ "input": {} }), json!({}), true),
        (json!({ "map": map, "fields": ["/number"], "with": {} }), json!({ "number": "1" }), true),
    ] {
        let mut good = good;
        if good.get("flow").is_none() {
            good.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
        }
        let answer = rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&with(good.clone()))).await;
        assert_eq!(answer.status, StatusCode::OK, "{good}: {}", answer.text);
        let answer = answer.json();
        assert_eq!((&answer["dry_run"], &answer["delivery"]), (&json!(true), &Value::Null));
        assert_eq!((&answer["input"], &answer["connection"]), (&input, &json!("mail")), "{good}");
        assert_eq!(answer["defects"].as_array().unwrap().len(), usize::from(misses), "{good}: {answer}");
    }
    for bad in [
        json!({}),
        json!({ "flow": "order", "input": {} }),
        json!({ "flow": "order", "connection": "mail", "action": "message.send" }),
        json!({ "flow": "order", "fields": ["/number"] }),
        json!({ "connection": "mail", "input": {} }),
        json!({ "connection": "mail", "action": "message.send" }),
        json!({ "connection": "mail", "action": "message.send", "input": {}, "map": {} }),
        json!({ "connection": "mail", "action": "message.send", "input": {}, "with": {} }),
    ] {
        let answer = rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&with(bad.clone()))).await;
        assert_eq!(answer.problem("invalid_value")["status"], 422, "{bad}");
    }
    for (bad, code) in [
        (json!({ "record": "e1", "flow": "order" }), "invalid_parameter"),
        (json!({ "connection": "Not A Name", "action": "a", "input": {} }), "invalid_parameter"),
        (json!({ "flow": "Not A Name" }), "invalid_parameter"),
        (json!({ "flow": "order", "reason": " " }), "invalid_body"),
        (json!({ "flow": "order", "person": "boss" }), "invalid_body"),
        (json!({ "connection": "mail", "action": "a", "input": "text" }), "invalid_body"),
        (json!({ "flow": "order", "record": "00000000-0000-7000-8000-000000000000" }), "not_found"),
    ] {
        rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&with(bad))).await.problem(code);
    }
    assert!(rig.get("/v1/deliveries").await.json()["data"].as_array().unwrap().is_empty(), "a dry run sends nothing");

    let done = with(json!({ "flow": "order", "dry_run": false }));
    let done = rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&done)).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.text);
    let by_hand = &done.json()["delivery"]["by_hand"];
    assert_eq!((&by_hand["by"], &by_hand["reason"]), (&json!("test"), &json!("withdrew")), "{by_hand}");
    let unfit = with(json!({ "connection": "mail", "action": "message.send", "input": {}, "dry_run": false }));
    rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&unfit)).await.problem("invalid_definition");
    let nowhere = with(json!({ "connection": "fax", "action": "message.send", "input": {} }));
    rig.ask_as(&rig.key, "POST", "/v1/actions", Some(&nowhere)).await.problem("invalid_definition");
}

#[tokio::test]
async fn the_idempotency_key_is_one_short_visible_text() {
    let (rig, id) = rig().await;
    let body = json!({ "record": id, "reason": "r", "flow": "order" }).to_string();
    let post = |keys: Vec<&str>| {
        let mut request = Request::builder()
            .method("POST")
            .uri("/v1/actions")
            .header("authorization", format!("Bearer {}", rig.key.expose()))
            .header("content-type", "application/json");
        for key in keys {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(body.clone())).unwrap();
        async { Answer::read(rig.router.clone().oneshot(request).await.unwrap()).await }
    };
    let long = "k".repeat(201);
    for (keys, good) in [
        (vec!["click-1"], true),
        (vec![&long[..200]], true),
        (vec![long.as_str()], false),
        (vec![""], false),
        (vec!["two words"], false),
        (vec!["a", "b"], false),
    ] {
        let answer = post(keys.clone()).await;
        if good {
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
            let again = post(keys.clone()).await;
            let number = |answer: &Answer| answer.json()["delivery"]["id"].clone();
            assert_eq!((again.status, number(&again)), (StatusCode::OK, number(&answer)), "done once");
        } else {
            assert_eq!(answer.problem("invalid_parameter")["parameter"], "Idempotency-Key");
        }
    }
}

#[tokio::test]
async fn actions_are_listed_for_all_destinations_or_one() {
    let (rig, _) = rig().await;
    let names = |list: Value| {
        let all = list["data"].as_array().unwrap().clone();
        all.iter().map(|one| format!("{} {}", one["connection"], one["action"]).replace('"', "")).collect::<Vec<_>>()
    };
    let both = |name: &str| [format!("{name} employee.upsert"), format!("{name} message.send")];
    assert_eq!(names(rig.get("/v1/actions").await.json()), [both("hr"), both("mail")].concat());
    assert_eq!(names(rig.get("/v1/actions?connection=mail").await.json()), both("mail"));
    let theirs = rig.ask_as(&rig.other, "GET", "/v1/actions", None).await.json();
    assert_eq!(theirs["data"], json!([]), "another tenant has no destination");
    rig.get("/v1/actions?connection=A").await.problem("invalid_parameter");
}
