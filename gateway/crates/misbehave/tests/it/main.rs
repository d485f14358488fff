//! The server as a client on the wire sees it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use renmen_misbehave::{Fault, Plan, Planned, Server, Source, generated, serve};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn server(rows: usize, faults: &[&str]) -> Server {
    let faults = faults.iter().map(|text| Planned::parse(text).unwrap()).collect();
    serve(Source::Model(Box::new(generated(rows))), Plan::of(faults, 5), 0).await.unwrap()
}

/// What comes until the connection ends, within two seconds.
async fn raw(server: &Server, place: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("GET {place} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut stream = stream.take(1 << 20);
    let _ = tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
    answer
}

async fn ask(server: &Server, place: &str) -> (u16, String, Vec<u8>) {
    let answer = raw(server, place).await;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
    (head[9..12].parse().unwrap(), head, answer[end + 4..].to_vec())
}

async fn page(server: &Server, place: &str) -> (Vec<String>, Option<String>) {
    let (status, head, body) = ask(server, place).await;
    assert_eq!(status, 200, "{head}");
    let body: Value = serde_json::from_slice(&body).unwrap();
    let ids = body["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    (ids, body["next_cursor"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn a_model_is_listed_page_by_page_and_from_a_time_on() {
    let server = server(5, &[]).await;
    let (first, next) = page(&server, "/v1/employees?limit=3").await;
    assert_eq!((first.len(), next.as_deref()), (3, Some("3")));
    let (rest, next) = page(&server, "/v1/employees?limit=3&cursor=3").await;
    assert_eq!((rest.as_slice(), next), (&["emp-0004".to_owned(), "emp-0005".to_owned()][..], None));
    let (since, _) = page(&server, "/v1/employees?limit=9&updated_since=2026-03-02T01%3A00%3A03Z").await;
    assert_eq!(since, rest, "the time itself is included");
    server.model(|model| {
        let rows = model.rows_mut("employees").unwrap();
        let newest = rows.newest_ms();
        rows.touch(0, newest + 1000);
        rows.end(4, newest);
    });
    let (changed, _) = page(&server, "/v1/employees?limit=9&updated_since=2026-03-02T01%3A00%3A04Z").await;
    assert_eq!(changed, ["emp-0001"], "the one that changed moved to the end, the one that ended is not listed");
    assert_eq!(ask(&server, "/v1/elsewhere").await.0, 404);
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_fault_hits_the_requests_of_its_schedule_and_no_others() {
    let server = server(4, &["rate_limited@2x2"]).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&server, "/v1/employees").await.0);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    server.follow(Plan::of(vec![Planned::always(Fault::RateLimited, None)], 0));
    assert!(ask(&server, "/v1/employees").await.1.contains("retry-after: 7"));
}

#[tokio::test]
async fn bodies_are_cut_slow_and_endless_when_asked_for() {
    let cut = server(50, &["cut_body@1"]).await;
    let (_, head, body) = ask(&cut, "/v1/employees").await;
    let stated: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(body.len() < stated && !body.is_empty(), "{} of {stated}", body.len());

    let slow = server(50, &["slow_body@1"]).await;
    let (_, _, body) = ask(&slow, "/v1/employees").await;
    assert!((2..200).contains(&body.len()), "{} bytes in two seconds", body.len());

    let endless = server(1, &["endless_body@1"]).await;
    assert!(raw(&endless, "/v1/employees").await.len() >= 1 << 20);
}

#[tokio::test]
async fn the_same_seed_spoils_the_same_rows() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let server = server(20, &["rows_dropped@1", "rows_duplicated@1", "field_type@1", "invalid_utf8@2"]).await;
        seen.push((ask(&server, "/v1/employees").await.2, ask(&server, "/v1/employees").await.2));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(String::from_utf8(seen[0].1.clone()).is_err(), "the second body holds a byte that is no text");
}

#[tokio::test]
async fn rows_move_between_pages_and_the_clock_is_skewed() {
    let moved = server(6, &["rows_moved@2"]).await;
    let (first, _) = page(&moved, "/v1/employees?limit=3").await;
    let (second, _) = page(&moved, "/v1/employees?limit=3&cursor=3").await;
    assert_eq!(first[0], "emp-0001");
    assert_eq!(second, ["emp-0005", "emp-0006", "emp-0001"], "emp-0004 is in no page of an offset");

    let ahead = server(1, &["clock_ahead"]).await;
    let body = String::from_utf8(ask(&ahead, "/v1/employees").await.2).unwrap();
    assert!(body.contains("2026-03-02T01:10:00Z"), "{body}");
}

#[tokio::test]
async fn an_empty_page_leads_to_itself_so_that_nothing_is_lost() {
    let server = server(3, &["page_empty@2"]).await;
    assert_eq!(page(&server, "/v1/employees?limit=2").await.0.len(), 2);
    assert_eq!(page(&server, "/v1/employees?limit=2&cursor=2").await, (vec![], Some("2".to_owned())));
    assert_eq!(page(&server, "/v1/employees?limit=2&cursor=2").await, (vec!["emp-0003".to_owned()], None));
}

#[tokio::test]
async fn another_server_on_this_machine_is_passed_on_and_spoilt() {
    let behind = server(3, &[]).await;
    let live = Source::live(&behind.url()).unwrap();
    let front = serve(live, Plan::of(vec![Planned::parse("unavailable@2").unwrap()], 0), 0).await.unwrap();
    assert_eq!(page(&front, "/v1/employees?limit=2").await, page(&behind, "/v1/employees?limit=2").await);
    assert_eq!(ask(&front, "/v1/employees").await.0, 503);
    drop(behind);
    assert!(Source::live("http://192.0.2.1:80").is_err(), "only this machine");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = server(1, &[]).await;
    let port = first.url().rsplit(':').next().unwrap().parse().unwrap();
    let error = serve(Source::Model(Box::new(generated(1))), Plan::default(), port).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&format!("port {port}")), "{error}");
}
