//! What tenants and their keys share: one that takes all it can get leaves the others theirs.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use renmen_api::{ApiKey, ApiOptions};
use renmen_store::KeyRole;
use tokio::task::JoinHandle;

use crate::rig::{Answer, Rig};
use crate::scripted_control::ScriptedControl;

/// Waits for something that only other tasks bring about.
async fn wait_until(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..30_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the condition did not hold within a minute");
}

/// Asks until there is a place: a test that looks whether one is left takes it for a moment, and a machine that stands
/// still for seconds makes the store answer "busy".
async fn placed(rig: Arc<Rig>, key: ApiKey, path: &'static str) -> Answer {
    loop {
        let answer = Answer::read(rig.send("GET", path, Some(&key), &[]).await).await;
        let refused = matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if !refused || answer.text.contains("in favour of") {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Has both tenants' keys known to the process: many requests at once with a key that is looked up would meet the limit on that.
async fn known(rig: &Rig) {
    for key in [&rig.key, &rig.other] {
        assert_eq!(rig.send("GET", "/v1/runs", Some(key), &[]).await.status(), StatusCode::OK);
    }
}

/// Waits until no place is left for a further stream of this key.
async fn full(rig: &Rig, key: &ApiKey) {
    wait_until(async || {
        rig.send("GET", "/v1/changes/stream", Some(key), &[]).await.status() == StatusCode::TOO_MANY_REQUESTS
    })
    .await;
}

fn polls(rig: &Arc<Rig>, key: &ApiKey, count: usize) -> Vec<JoinHandle<Answer>> {
    let poll = |_| tokio::spawn(placed(Arc::clone(rig), key.clone(), "/v1/changes?wait=60"));
    (0..count).map(poll).collect()
}

fn waiting(polls: &[JoinHandle<Answer>]) -> usize {
    polls.iter().filter(|poll| !poll.is_finished()).count()
}

#[tokio::test]
async fn a_tenant_with_every_long_poll_gives_them_up_to_the_next_until_both_have_half() {
    let rig = Arc::new(Rig::new().await);
    known(&rig).await;
    let most = ApiOptions::default().streams_max;
    let mut alpha = polls(&rig, &rig.key, most);
    full(&rig, &rig.key).await;
    assert_eq!(waiting(&alpha), most, "who is alone may have them all");
    let refused = rig.get("/v1/changes?wait=60").await;
    let problem = refused.problem("too_many_streams");
    assert!(problem["detail"].as_str().unwrap().contains("gateway.limits.streams_max"), "{problem}");
    assert!(refused.headers.contains_key("retry-after"));

    let beta = polls(&rig, &rig.other, most / 2);
    wait_until(async || waiting(&alpha) == most / 2).await;
    assert_eq!(waiting(&beta), most / 2);
    // The oldest were ended early, with an answer that goes on where they were.
    let ended = alpha.remove(alpha.iter().position(JoinHandle::is_finished).unwrap()).await.unwrap();
    assert_eq!((ended.status, &ended.json()["data"]), (StatusCode::OK, &serde_json::json!([])));
    assert!(ended.json()["next_cursor"].is_string());
    let one_more = Answer::read(rig.send("GET", "/v1/changes?wait=60", Some(&rig.other), &[]).await).await;
    one_more.problem("too_many_streams");
    // Only whose limit it was is told of it.
    let told = rig.get("/v1/health").await.json();
    assert_eq!(told["limits"][0]["key"], "gateway.limits.streams_max");

    rig.employees(&[("u1", "001")]).await;
    let mut told = 0;
    for poll in alpha {
        told += poll.await.unwrap().json()["data"].as_array().map_or(0, Vec::len);
    }
    assert_eq!(told, most / 2, "the others were still waiting");
}

#[tokio::test]
async fn a_key_with_every_stream_gives_some_up_to_another_of_its_tenant() {
    let options = ApiOptions { streams_max: 4, ..ApiOptions::default() };
    let rig = Arc::new(Rig::with(options, ScriptedControl::default()).await);
    known(&rig).await;
    let another = rig.key_of("acme", KeyRole::Consumer).await;
    let greedy = polls(&rig, &rig.key, 4);
    full(&rig, &rig.key).await;
    let stream = rig.send("GET", "/v1/changes/stream", Some(&another), &[]).await;
    assert_eq!(stream.status(), StatusCode::OK);
    wait_until(async || waiting(&greedy) == 3).await;
}

#[tokio::test]
async fn an_event_stream_that_is_given_up_ends_and_goes_on_behind_its_last_event() {
    let options = ApiOptions { streams_max: 2, ..ApiOptions::default() };
    let rig = Arc::new(Rig::with(options, ScriptedControl::default()).await);
    known(&rig).await;
    rig.employees(&[("u1", "001")]).await;
    let first = rig.send("GET", "/v1/changes/stream", Some(&rig.key), &[]).await;
    let _second = rig.send("GET", "/v1/changes/stream", Some(&rig.key), &[]).await;
    let beta = polls(&rig, &rig.other, 1);
    // It ends by itself: otherwise this would wait for ever.
    let told = Answer::read(first).await;
    assert_eq!(waiting(&beta), 1);
    assert!(!told.text.contains("event: closed"), "{}", told.text);
    assert_eq!(rig.get("/v1/changes?after=0").await.json()["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_tenant_with_every_request_under_way_does_not_keep_another_out() {
    let options = ApiOptions { requests_max: 4, ..ApiOptions::default() };
    let control = ScriptedControl { delay: Duration::from_secs(3), ..ScriptedControl::default() };
    let rig = Arc::new(Rig::with(options, control).await);
    known(&rig).await;
    let ask = || tokio::spawn(placed(Arc::clone(&rig), rig.key.clone(), "/v1/connections"));
    let alpha: Vec<_> = (0..4).map(|_| ask()).collect();
    wait_until(async || rig.get("/v1/runs").await.status == StatusCode::SERVICE_UNAVAILABLE).await;
    let beta = rig.send("GET", "/v1/runs", Some(&rig.other), &[]).await;
    assert_eq!(beta.status(), StatusCode::OK);
    let (mut served, mut given_up) = (0, 0);
    for answer in alpha {
        let answer = answer.await.unwrap();
        if answer.status == StatusCode::OK {
            served += 1;
        } else {
            let problem = answer.problem("overloaded");
            assert!(problem["detail"].as_str().unwrap().contains("gateway.limits.requests_max"), "{problem}");
            assert!(answer.headers.contains_key("retry-after"));
            given_up += 1;
        }
    }
    assert_eq!((served, given_up), (3, 1));
}
