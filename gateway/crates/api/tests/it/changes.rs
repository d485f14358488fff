//! The change feed: pages, long poll, event stream.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt;
use renmen_api::ApiOptions;
use serde_json::json;

use crate::rig::{Answer, Rig, gone, settled};
use crate::scripted_control::ScriptedControl;

#[tokio::test]
async fn the_feed_tells_what_happened_in_order_and_goes_on_from_a_cursor() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    rig.employees(&[("u1", "002")]).await;
    rig.commit(vec![gone("u1")], Vec::new()).await;
    let all = rig.get("/v1/changes").await.json();
    insta::assert_json_snapshot!("changes", settled(all.clone()));
    let first = all["data"][0]["cursor"].as_str().unwrap();
    let rest = rig.get(&format!("/v1/changes?after={first}&limit=1")).await.json();
    assert_eq!(rest["data"][0]["kind"], "updated");
    assert_eq!(rest["next_cursor"], rest["data"][0]["cursor"]);
    let end = rig.get(&format!("/v1/changes?after={}", all["next_cursor"].as_str().unwrap())).await.json();
    assert_eq!(end["data"], json!([]));
    assert_eq!(end["next_cursor"], all["next_cursor"]);
}

#[tokio::test]
async fn the_feed_brings_the_records_with_it_when_asked_within_the_bytes_of_one_answer() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001"), ("u2", "002")]).await;
    rig.employees(&[("u1", "003")]).await;
    rig.commit(vec![gone("u2")], Vec::new()).await;
    let plain = rig.get("/v1/changes").await.json();
    assert!(plain["data"][0].get("record").is_none(), "only when asked");
    let all = rig.get("/v1/changes?include=record").await.json();
    assert_eq!((all["data"].as_array().unwrap().len(), &all["next_cursor"]), (4, &plain["next_cursor"]));
    let record = &all["data"][0]["record"];
    assert_eq!((&record["revision"], &record["body"]["number"]), (&json!(2), &json!("003")), "as it is now");
    let tombstone = &all["data"][3]["record"];
    assert!(tombstone["deletion"].is_object() && tombstone["body"]["number"] == "002", "{tombstone}");
    let alone = rig.get(record_url(&all["data"][0])).await.json();
    assert_eq!(&alone, record, "the same as read alone");

    let tight = Rig::with(ApiOptions { page_bytes_max: 1, ..ApiOptions::default() }, ScriptedControl::default()).await;
    tight.employees(&[("u1", "001"), ("u2", "002"), ("u3", "003")]).await;
    let (mut after, mut seen) = ("0".to_owned(), Vec::new());
    for _ in 0..3 {
        let page = tight.get(&format!("/v1/changes?include=record&after={after}")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), 1, "one always fits");
        seen.push(page["data"][0]["external_id"].clone());
        after = page["next_cursor"].as_str().unwrap().to_owned();
    }
    assert_eq!(seen, [json!("u1"), json!("u2"), json!("u3")], "each once");
    rig.get("/v1/changes?include=lineage").await.problem("invalid_parameter");
    let accept = [("accept", "application/cloudevents-batch+json")];
    let both = Answer::read(rig.send("GET", "/v1/changes?include=record", Some(&rig.key), &accept).await).await;
    both.problem("invalid_parameter");
}

fn record_url(change: &serde_json::Value) -> &str {
    change["record_url"].as_str().unwrap()
}

/// The feed as events after a position, and where it goes on.
async fn cloud_events(rig: &Rig, query: &str) -> (Vec<serde_json::Value>, String) {
    let accept = [("accept", "application/cloudevents-batch+json, application/json;q=0.5")];
    let answer = Answer::read(rig.send("GET", &format!("/v1/changes{query}"), Some(&rig.key), &accept).await).await;
    assert_eq!(answer.headers["content-type"], "application/cloudevents-batch+json");
    let link = answer.headers["link"].to_str().unwrap();
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    (answer.json().as_array().unwrap().clone(), next)
}

#[tokio::test]
async fn the_feed_can_be_read_as_cloudevents_with_the_same_order_and_position() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001"), ("u2", "002")]).await;
    rig.commit(vec![gone("u1")], Vec::new()).await;
    let plain = rig.get("/v1/changes").await.json();
    let (all, next) = cloud_events(&rig, "").await;
    assert_eq!(next, format!("/v1/changes?after={}", plain["next_cursor"].as_str().unwrap()));
    for (event, change) in all.iter().zip(plain["data"].as_array().unwrap()) {
        assert_eq!(&event["data"], change);
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["source"], "/tenants/acme/connections/hr");
        assert_eq!(event["type"], format!("cn.renmen.employee.{}", change["kind"].as_str().unwrap()));
        let id = format!("{}-{}", change["record_id"].as_str().unwrap(), change["revision"]);
        assert_eq!((&event["id"], &event["time"]), (&json!(id), &change["at"]));
    }
    assert_eq!(all.len(), 3);
    assert!(all.windows(2).all(|pair| pair[0]["sequence"].as_str() < pair[1]["sequence"].as_str()));
    // An event's sequence is a position: the feed goes on behind it.
    let (rest, _) = cloud_events(&rig, &format!("?after={}&limit=1", all[0]["sequence"].as_str().unwrap())).await;
    assert_eq!(rest, all[1..2]);
    let (none, same) = cloud_events(&rig, "?after=latest&entity=employee").await;
    assert!(none.is_empty() && same.ends_with("&entity=employee"), "{same}");
    assert!(rig.get("/v1/changes").await.json()["data"].is_array(), "plain JSON unless it is asked for");
}

#[tokio::test]
async fn a_position_that_the_feed_does_not_have_is_gone_on_every_way_in() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let cursor = rig.get("/v1/changes").await.json()["next_cursor"].as_str().unwrap().to_owned();
    let (seq, epoch) = cursor.split_once('.').unwrap();
    assert_eq!(rig.get(&format!("/v1/changes?after={cursor}")).await.status, StatusCode::OK);
    assert_eq!(rig.get(&format!("/v1/changes?after={seq}")).await.status, StatusCode::OK, "a number alone");
    for gone in ["99".to_owned(), format!("99.{epoch}"), format!("{seq}.{}", "00000000")] {
        let told = rig.get(&format!("/v1/changes?after={gone}")).await;
        assert!(told.problem("cursor_gone")["detail"].as_str().unwrap().contains("read the lists again"), "{gone}");
        rig.get(&format!("/v1/changes/stream?after={gone}")).await.problem("cursor_gone");
        let last = [("last-event-id", gone.as_str())];
        let answer = Answer::read(rig.send("GET", "/v1/changes/stream", Some(&rig.key), &last).await).await;
        assert_eq!(answer.status, StatusCode::GONE, "{gone}");
    }
    rig.get("/v1/changes?after=1.xyz").await.problem("invalid_cursor");
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let theirs = Answer::read(rig.send("GET", "/v1/changes", Some(&rig.other), &[]).await).await.json();
    assert_eq!(theirs["data"], json!([]));
}

#[tokio::test]
async fn a_filtered_reader_does_not_look_at_the_same_changes_again() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let all = rig.get("/v1/changes").await.json();
    let bands = rig.get("/v1/changes?entity=pay_band").await.json();
    assert_eq!(bands["data"], json!([]));
    assert_eq!(bands["next_cursor"], all["next_cursor"]);
}

#[tokio::test]
async fn a_long_poll_is_woken_by_a_commit() {
    let rig = Rig::new().await;
    let (answer, ()) = tokio::join!(rig.get("/v1/changes?after=0&wait=60"), async {
        tokio::task::yield_now().await;
        rig.employees(&[("u1", "001")]).await;
    });
    assert_eq!(answer.json()["data"][0]["external_id"], "u1");
}

#[tokio::test]
async fn without_wait_an_empty_feed_answers_at_once() {
    let rig = Rig::new().await;
    let answer = rig.get("/v1/changes").await;
    assert_eq!(answer.json()["data"], json!([]));
}

#[tokio::test]
async fn wait_has_an_upper_limit() {
    let rig = Rig::new().await;
    rig.get("/v1/changes?wait=61").await.problem("invalid_parameter");
    rig.employees(&[("u1", "001")]).await;
    assert_eq!(rig.get("/v1/changes?wait=60").await.status, StatusCode::OK);
}

/// Reads whole events from a stream until there are as many as asked for.
async fn events(body: Body, count: usize) -> Vec<String> {
    let mut text = String::new();
    let mut frames = body.into_data_stream();
    while text.matches("\n\n").count() < count {
        let Some(frame) = frames.next().await else { break };
        text.push_str(std::str::from_utf8(&frame.unwrap()).unwrap());
    }
    text.split_terminator("\n\n").map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_event_stream_goes_on_behind_the_last_event_that_was_read() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001"), ("u2", "002")]).await;
    let response = rig.send("GET", "/v1/changes/stream", Some(&rig.key), &[]).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let read = events(response.into_body(), 2).await;
    assert!(read[0].contains("event: created") && read[0].contains("\"external_id\":\"u1\""), "{read:?}");
    let id = read[0].lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let response = rig.send("GET", "/v1/changes/stream?after=0", Some(&rig.key), &[("last-event-id", id)]).await;
    let (rest, ()) = tokio::join!(events(response.into_body(), 2), rig.employees(&[("u3", "003")]));
    assert!(rest[0].contains("\"external_id\":\"u2\""), "{rest:?}");
    assert!(rest[1].contains("\"external_id\":\"u3\""), "{rest:?}");
}

#[tokio::test]
async fn an_event_stream_ends_when_its_time_is_over() {
    let options = ApiOptions { stream_life_max: Duration::from_millis(1), ..ApiOptions::default() };
    let rig = Rig::with(options, ScriptedControl::default()).await;
    let response = rig.send("GET", "/v1/changes/stream", Some(&rig.key), &[]).await;
    assert!(events(response.into_body(), 1).await.is_empty());
}

#[tokio::test]
async fn one_stream_more_than_the_limit_is_refused_until_another_closes() {
    let options = ApiOptions { streams_max: 1, ..ApiOptions::default() };
    let rig = Rig::with(options, ScriptedControl::default()).await;
    let open = rig.send("GET", "/v1/changes/stream", Some(&rig.key), &[]).await;
    assert_eq!(open.status(), StatusCode::OK);
    let refused = rig.get("/v1/changes/stream").await;
    refused.problem("too_many_streams");
    assert_eq!(refused.headers["retry-after"], "5");
    rig.get("/v1/changes?wait=1").await.problem("too_many_streams");
    assert_eq!(rig.get("/v1/changes").await.status, StatusCode::OK);
    drop(open);
    let again = rig.send("GET", "/v1/changes/stream", Some(&rig.key), &[]).await;
    assert_eq!(again.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_position_that_is_none_is_refused() {
    let rig = Rig::new().await;
    for bad in ["-1", "x", "", "1e3", "99999999999999999999"] {
        rig.get(&format!("/v1/changes?after={bad}")).await.problem("invalid_cursor");
    }
    rig.ask("GET", "/v1/changes/stream", &[("last-event-id", "x")]).await.problem("invalid_cursor");
    rig.get("/v1/changes?entity=employees").await.problem("invalid_parameter");
}
