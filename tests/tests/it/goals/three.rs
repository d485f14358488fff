//! Three gateways on one PostgreSQL database against one, pulling from a vendor that answers after 200 ms: what many gateways are for where
//! the vendor is slow.
//!
//! `RENMEN_BIN=target/release/renmen RENMEN_TEST_POSTGRES=postgres://… cargo nextest run --workspace --run-ignored only -E 'test(three_gateways_pull)' --no-capture`
//!
//! `RENMEN_GOAL_CONNECTIONS` (48), `RENMEN_GOAL_PAGES` (40).

use std::time::{Duration, Instant};

use renmen_tests::staff_api;
use serde_json::Value;

use super::number;
use crate::api::Api;
use crate::cluster::Database;
use crate::harness::{Home, Running, plugin, serve};

const WAIT: Duration = Duration::from_millis(200);
const PAGE: usize = 50;

fn config(connections: usize, store: &str, url: &str) -> String {
    let connection = |n: usize| {
        format!(
            r#"
[connections.staff-{n}]
plugin = "{}"
config = {{ base_url = "{url}/v1" }}
grant = {{ hosts = ["{{base_url}}"], methods = ["GET"], entities = ["employee"], plaintext = true, addresses = ["127.0.0.0/8"] }}
streams.employees = {{ every = "1h" }}
limits = {{ page_records_max = {PAGE} }}
"#,
            plugin("staff-api").display()
        )
    };
    let connections: String = (0..connections).map(connection).collect();
    format!("[store]\nurl = \"{store}\"\n{connections}")
}

/// Seconds from the first request to the vendor until every stream is pulled.
async fn pulled(gateways: usize, connections: usize, pages: usize) -> Option<f64> {
    let database = Database::new().await?;
    let source = staff_api::source(PAGE * pages);
    source.lock().unwrap().wait = WAIT;
    let url = serve(staff_api::router(source.clone())).await;
    let text = config(connections, &database.url(), &url);
    let homes: Vec<Home> = (0..gateways).map(|_| Home::new(&text)).collect();
    let mut running: Vec<Running> =
        homes.iter().map(|home| home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"])).collect();
    while source.lock().unwrap().requests == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    let api = Api::of(&mut running[0]).await;
    let done = |health: &Value| {
        let all = health["connections"].as_array().unwrap();
        all.iter().all(|one| one["streams"][0]["last_success_at"].is_string()).then_some(())
    };
    while done(&api.get("/v1/health").await).is_none() {
        assert!(began.elapsed() < Duration::from_secs(600), "not pulled within ten minutes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    // What is fetched ahead of a run that gives its place to another is fetched again.
    let (read, wanted) = (source.lock().unwrap().records, (connections * PAGE * pages) as u64);
    assert!((wanted..wanted + wanted / 10).contains(&read), "{read} records were read for {wanted}");
    drop(running);
    database.end().await;
    Some(seconds)
}

#[ignore = "measures; see the head of this file"]
#[allow(clippy::print_stderr, reason = "figures for whoever asked for them")]
#[tokio::test(flavor = "multi_thread")]
async fn three_gateways_pull_from_a_slow_vendor() {
    let (connections, pages) = (number("RENMEN_GOAL_CONNECTIONS", 48), number("RENMEN_GOAL_PAGES", 40));
    let Some(one) = pulled(1, connections, pages).await else { return };
    let Some(three) = pulled(3, connections, pages).await else { return };
    eprintln!(
        "{connections} streams of {pages} pages: one gateway {one:.1} s, three {three:.1} s, {:.2} times",
        one / three
    );
}
