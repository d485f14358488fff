//! What is limited, on both sides of each limit; and a store that is away (F03).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use metrics_exporter_prometheus::PrometheusBuilder;
use renmen_api::{ApiKey, ApiOptions, AppState, router};
use renmen_schema::id::TenantId;
use renmen_store::{ApiKeyRow, KeyRole, Store};
use tower::ServiceExt;

use crate::broken_store::BrokenStore;
use crate::parts::parts;
use crate::rig::{Answer, BEGIN_MS, Rig};
use crate::scripted_control::ScriptedControl;

/// A router on a store that is away, and a key that it still knows (`keys`) or cannot look up.
fn away(hangs: bool, keys: bool, options: ApiOptions) -> (Router, ApiKey) {
    let key = ApiKey::generate().unwrap();
    let row = ApiKeyRow::new(key.hash(), "test", TenantId::new("acme").unwrap(), KeyRole::Owner, BEGIN_MS);
    let store: Arc<dyn Store> = Arc::new(BrokenStore { hangs, key: keys.then_some(row) });
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let parts = parts(&store, ScriptedControl::default(), metrics, None);
    (router(AppState::new(parts, options)), key)
}

async fn ask(router: &Router, key: &ApiKey, path: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {}", key.expose()));
    Answer::read(router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await
}

const READS: [&str; 9] = [
    "/v1/employees",
    "/v1/employees/0194d6a0-0000-7000-8000-000000000000",
    "/v1/changes",
    "/v1/changes?wait=60",
    "/v1/runs",
    "/v1/runs/1",
    "/v1/quarantine",
    "/v1/exchanges/1-0",
    "/v1/health",
];

#[tokio::test]
async fn a_store_that_is_away_is_503_with_retry_after_and_without_its_address() {
    for keys in [true, false] {
        let (router, key) = away(false, keys, ApiOptions::default());
        for path in READS.into_iter().chain(["/readyz"]) {
            let answer = ask(&router, &key, path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            answer.problem("store_unavailable");
            assert_eq!(answer.headers["retry-after"], "2", "{path}");
            assert!(!answer.text.contains("10.0.0.5"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_costs_the_deadline_and_no_more() {
    for keys in [true, false] {
        let (router, key) = away(true, keys, ApiOptions::default());
        for path in READS {
            let begun = tokio::time::Instant::now();
            let answer = ask(&router, &key, path).await;
            answer.problem("deadline_exceeded");
            assert!(answer.headers.contains_key("retry-after"));
            // The clock is paused: it moves only from deadline to deadline.
            assert!(begun.elapsed() < Duration::from_secs(6), "{path}: {:?}", begun.elapsed());
        }
        ask(&router, &key, "/readyz").await.problem("deadline_exceeded");
        assert_eq!(ask(&router, &key, "/healthz").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_event_stream_whose_store_goes_away_says_so_and_ends() {
    let (router, key) = away(false, true, ApiOptions::default());
    let answer = ask(&router, &key, "/v1/changes/stream").await;
    assert!(answer.text.contains("event: closed\ndata: store_unavailable"), "{}", answer.text);
}

#[tokio::test]
async fn a_path_with_its_query_has_a_length() {
    let rig = Rig::with(ApiOptions { uri_bytes_max: 60, ..ApiOptions::default() }, ScriptedControl::default()).await;
    let path =
        |bytes: usize| format!("/v1/employees?external_id={}", "x".repeat(bytes - "/v1/employees?external_id=".len()));
    assert_eq!(rig.get(&path(60)).await.status, StatusCode::OK);
    rig.get(&path(61)).await.problem("uri_too_long");
}

#[tokio::test]
async fn a_body_has_a_length() {
    let rig = Rig::with(ApiOptions { body_bytes_max: 10, ..ApiOptions::default() }, ScriptedControl::default()).await;
    let start = "/v1/connections/hr/streams/staff/runs";
    assert_eq!(rig.ask("POST", start, &[("content-length", "10")]).await.status, StatusCode::ACCEPTED);
    rig.ask("POST", start, &[("content-length", "11")]).await.problem("body_too_large");
}

#[tokio::test(start_paused = true)]
async fn one_request_more_than_the_limit_is_turned_away_at_once() {
    let options = ApiOptions { requests_max: 1, ..ApiOptions::default() };
    let control = ScriptedControl { delay: Duration::from_secs(1), ..ScriptedControl::default() };
    let rig = Rig::with(options, control).await;
    rig.get("/v1/runs").await;
    let (slow, turned_away) = tokio::join!(rig.get("/v1/connections"), rig.get("/v1/connections"));
    assert_eq!(slow.status, StatusCode::OK);
    turned_away.problem("overloaded");
    assert_eq!(turned_away.headers["retry-after"], "1");
    assert_eq!(rig.get("/v1/connections").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_recorded_body_is_cut_and_says_so() {
    let rig =
        Rig::with(ApiOptions { exchange_body_bytes_max: 4, ..ApiOptions::default() }, ScriptedControl::default()).await;
    rig.employees(&[("u1", "001")]).await;
    let exchange = rig.get("/v1/exchanges/1-0").await.json();
    assert_eq!(exchange["response"]["body"]["data"], "[{\"n");
    assert_eq!(exchange["response"]["body"]["bytes"], 12);
    assert_eq!(exchange["response"]["body"]["truncated"], true);
}

/// Anyone can have an unknown key looked up, so a sender who tries many waits only for others who do.
#[tokio::test(start_paused = true)]
async fn unknown_keys_are_looked_up_a_few_at_a_time_fairly_by_sender() {
    let (router, key) = away(true, false, ApiOptions { lookups_max: 2, ..ApiOptions::default() });
    let ask = async |peer: &str| {
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        let request = Request::get("/v1/runs").extension(axum::extract::ConnectInfo(peer));
        let request = request.header("authorization", format!("Bearer {}", key.expose())).body(Body::empty()).unwrap();
        Answer::read(router.clone().oneshot(request).await.unwrap()).await
    };
    let stranger = "203.0.113.9:1";
    let (first, second, third, other) =
        tokio::join!(ask(stranger), ask(stranger), ask(stranger), ask("198.51.100.7:1"));
    // The store never answers: who has a place waits for the deadline.
    let code = |answer: &Answer| answer.json()["code"].as_str().unwrap().to_owned();
    assert_eq!([code(&first), code(&second), code(&third)], ["overloaded", "deadline_exceeded", "overloaded"]);
    assert_eq!(code(&other), "deadline_exceeded");
    assert!(
        third.text.contains("gateway.limits.lookups_max") && third.headers.contains_key("retry-after"),
        "{}",
        third.text
    );
    let (alone, beside) = tokio::join!(ask(stranger), ask(stranger));
    assert_eq!([code(&alone), code(&beside)], ["deadline_exceeded", "deadline_exceeded"], "who is alone has both");
}

/// Without a key one may ask for a megabyte, but not have it packed each time.
#[tokio::test]
async fn the_document_is_sent_as_it_lies_there_and_other_answers_are_packed() {
    let rig = Rig::new().await;
    let zipped = [("accept-encoding", "gzip")];
    for (path, packed) in [("/openapi.json", None), ("/v1/schema/employee", Some("gzip"))] {
        let response = rig.send("GET", path, Some(&rig.key), &zipped).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(encoding.as_deref(), packed, "{path}");
        assert!(response.headers().contains_key("x-request-id"), "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
    }
    rig.ask("POST", "/openapi.json", &[]).await.problem("method_not_allowed");
}
