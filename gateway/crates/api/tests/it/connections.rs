//! What a client may do to a connection, and what to a gateway with many of them.

use std::time::Duration;

use renmen_api::ApiOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::listening::{Served, exchange, rest, until};
use crate::rig::Rig;
use crate::scripted_control::ScriptedControl;

const SOON: Duration = Duration::from_millis(60);
const NEVER: Duration = Duration::from_secs(300);

async fn rig(options: ApiOptions) -> (Rig, Served) {
    let rig = Rig::with(options, ScriptedControl { off: None, ..ScriptedControl::default() }).await;
    let served = Served::start(rig.state()).await;
    (rig, served)
}

fn patient() -> ApiOptions {
    ApiOptions { head_timeout: NEVER, idle_timeout: NEVER, write_timeout: NEVER, ..ApiOptions::default() }
}

async fn is_well(served: &Served) -> bool {
    exchange(served.at, "GET /healthz HTTP/1.1").await.starts_with("HTTP/1.1 200")
}

#[tokio::test]
async fn half_a_head_is_closed_when_its_time_is_over_however_it_dribbles() {
    let (_rig, served) = rig(ApiOptions { head_timeout: SOON, ..patient() }).await;
    for half in ["", "G", "GET /healthz HTTP/1.1\r\nhost: x\r\n", "\r\n\r\n\r\n"] {
        assert_eq!(rest(served.says(half).await).await, "", "{half:?}");
    }
    let mut dribbling = served.says("GET /healthz HTTP/1.1\r\nx: ").await;
    let mut byte = [0];
    // A byte now and then buys no time: the write fails or the read ends, and the test with it.
    while dribbling.write_all(b"a").await.is_ok() {
        if !matches!(tokio::time::timeout(Duration::from_millis(5), dribbling.read(&mut byte)).await, Err(_elapsed)) {
            break;
        }
    }
    assert!(is_well(&served).await);
}

#[tokio::test]
async fn a_connection_is_kept_between_requests_and_closed_when_none_comes() {
    let (_rig, served) = rig(ApiOptions { idle_timeout: SOON, ..patient() }).await;
    let ask = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut socket = served.says(ask).await;
    for _ in 0..3 {
        until(&mut socket, "{\"status\":\"ok\"}").await;
        socket.write_all(ask.as_bytes()).await.unwrap();
    }
    let last = rest(socket).await;
    assert!(last.starts_with("HTTP/1.1 200") && !last.to_lowercase().contains("connection: close"), "{last}");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut() {
    let (_rig, served) = rig(ApiOptions { write_timeout: SOON, ..patient() }).await;
    let small = TcpSocket::new_v4().unwrap();
    small.set_recv_buffer_size(2048).unwrap();
    let mut socket = small.connect(served.at).await.unwrap();
    socket.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // Its descriptor would be readable long before: the peer's end is seen in what it sends when it cuts.
    while socket.try_write(b"x").is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let whole = renmen_api::document().to_string().len();
    let taken = rest(socket).await.len();
    assert!(taken < whole, "{taken} of {whole} bytes");
    // Who takes it gets it all, however long it is.
    assert!(exchange(served.at, "GET /openapi.json HTTP/1.1").await.len() > whole);
}

#[tokio::test]
async fn any_number_of_half_sent_requests_keeps_no_honest_one_out() {
    let (rig, served) = rig(ApiOptions { connections_max: 8, ..patient() }).await;
    let key = rig.key.expose();
    let mut halves = Vec::new();
    for round in 0..5 {
        for _ in 0..8 {
            halves.push(served.says("GET /v1/runs HTTP/1.1\r\nhost: x\r\nx-slow: ").await);
            halves.push(served.says("POST /hooks/people HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{").await);
        }
        assert!(is_well(&served).await, "{round}");
        let answer = exchange(served.at, &format!("GET /v1/runs HTTP/1.1\r\nauthorization: Bearer {key}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{round}: {answer}");
    }
    // The earliest of them made way, and health says which key to raise.
    assert_eq!(rest(halves.remove(0)).await, "");
    let health = rig.get("/v1/health").await.json();
    assert_eq!(
        (&health["status"], &health["limits"][0]["key"]),
        (&"degraded".into(), &"gateway.limits.connections_max".into())
    );
    assert!(health["limits"][0]["times"].as_u64().unwrap() > 20, "{health}");
}

#[tokio::test]
async fn a_connection_that_is_at_work_never_makes_way() {
    let (rig, served) = rig(ApiOptions { connections_max: 8, ..patient() }).await;
    let poll =
        format!("GET /v1/changes?wait=60 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", rig.key.expose());
    let mut polls = Vec::new();
    for _ in 0..8 {
        polls.push(served.says(&poll).await);
    }
    // All of them have come so far when no place is left.
    let mut refused = String::new();
    while refused.is_empty() {
        refused = rest(TcpStream::connect(served.at).await.unwrap()).await;
    }
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
    rig.employees(&[("u1", "001")]).await;
    for mut poll in polls {
        assert!(until(&mut poll, "next_cursor").await.contains("\"external_id\":\"u1\""));
    }
    assert!(is_well(&served).await, "and then there are places again");
}

#[tokio::test]
async fn a_head_has_so_many_headers_and_bytes_and_no_more() {
    let (_rig, served) = rig(ApiOptions { headers_max: 20, head_bytes_max: 16 * 1024, ..patient() }).await;
    let with = |headers: usize, bytes: usize| {
        let headers: String = (0..headers).map(|n| format!("\r\nx-{n}: {}", "a".repeat(bytes))).collect();
        format!("GET /healthz HTTP/1.1{headers}")
    };
    // In addition to `host` and `connection`.
    for (head, status) in
        [(with(18, 1), "200"), (with(19, 1), "431"), (with(2, 7_000), "200"), (with(2, 40_000), "431")]
    {
        let answer = exchange(served.at, &head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

/// What a proxy may read in one way and a server in another: each is refused, or is one request and no more.
#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_or_answered_once() {
    let (_rig, served) = rig(ApiOptions { head_timeout: SOON, idle_timeout: SOON, ..patient() }).await;
    let second = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let posted =
        |headers: &str, body: &str| format!("POST /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n{body}{second}");
    let table = [
        ("a line feed alone", "GET /healthz HTTP/1.1\nhost: x\n\n".to_owned(), &["400"][..]),
        ("one among others", "GET /healthz HTTP/1.1\r\nhost: x\r\na: b\nc: d\r\n\r\n".to_owned(), &["400"]),
        ("at the end of a head", "GET /healthz HTTP/1.1\r\nhost: x\r\n\n".to_owned(), &["400"]),
        ("no host", "GET /healthz HTTP/1.1\r\n\r\n".to_owned(), &["400"]),
        ("two hosts", "GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n".to_owned(), &["400"]),
        ("the same host twice", "GET /healthz HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n".to_owned(), &["400"]),
        ("an empty host", "GET /healthz HTTP/1.1\r\nhost:\r\n\r\n".to_owned(), &["400"]),
        ("a host that is none", "GET /healthz HTTP/1.1\r\nhost: a/b\r\n\r\n".to_owned(), &["400"]),
        ("an old balancer", "GET /healthz HTTP/1.0\r\n\r\n".to_owned(), &["200"]),
        ("two at once", second.repeat(2), &["200"]),
        ("two lengths", posted("content-length: 3\r\ncontent-length: 4", "abc"), &["400"]),
        ("a list of lengths", posted("content-length: 3, 4", "abc"), &["400"]),
        ("a signed length", posted("content-length: +3", "abc"), &["400"]),
        (
            "a length and chunks",
            posted("content-length: 4\r\ntransfer-encoding: chunked", "0\r\n\r\n"),
            &["400", "405"],
        ),
        (
            "chunks and a length",
            posted("transfer-encoding: chunked\r\ncontent-length: 4", "0\r\n\r\n"),
            &["400", "405"],
        ),
        ("chunks, then a request", posted("transfer-encoding: chunked", "0\r\n\r\n"), &["405"]),
        ("not chunked at last", posted("transfer-encoding: chunked, identity", "0\r\n\r\n"), &["400"]),
        ("a strange encoding", posted("transfer-encoding: xchunked", "0\r\n\r\n"), &["400"]),
        ("a space before the colon", posted("content-length : 3", "abc"), &["400"]),
        ("a folded header", "GET /healthz HTTP/1.1\r\nhost: x\r\na: b\r\n c: d\r\n\r\n".to_owned(), &["400"]),
        ("a NUL", "GET /healthz HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n".to_owned(), &["400"]),
        ("HTTP/2 by foreknowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[]),
    ];
    for (name, bytes, wanted) in table {
        let answer = rest(served.says(&bytes).await).await;
        let statuses: Vec<&str> = answer.split("HTTP/1.").skip(1).map(|rest| &rest[2..5]).collect();
        assert!(statuses.len() <= 1, "{name}: {answer}");
        match statuses.first() {
            Some(status) => assert!(wanted.contains(status), "{name}: {answer}"),
            None => assert!(wanted.is_empty(), "{name}: no answer"),
        }
    }
    assert!(is_well(&served).await);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_become_the_next_request() {
    let (_rig, served) = rig(ApiOptions { idle_timeout: SOON, ..patient() }).await;
    let inner = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let length = inner.len();
    let first = format!("POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    let mut socket = served.says(&first).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let _ = socket.write_all(inner.as_bytes()).await;
    let answer = rest(socket).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}
