//! Vendors that fail: every case ends in an answer after retries or in a typed error.

use std::io::Write;
use std::time::Duration;

use renmen_egress::{EgressError, NoTape, Request};

use crate::support::{Act, Vendor, connect, get, ok, post, raw, reply, spec, to};

async fn status(script: Vec<Act>, post_it: bool) -> (Result<u16, EgressError>, usize) {
    let vendor = Vendor::start(script).await;
    let request: Request = if post_it { post(vendor.url("/"), "{}") } else { get(vendor.url("/")) };
    let outcome = to(&vendor).send(request, &NoTape).await;
    (outcome.map(|exchange| exchange.response.status), vendor.hits())
}

fn cut() -> Act {
    Act::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this".to_vec())
}

#[tokio::test]
async fn a_cut_body_is_read_again_and_then_unavailable_f06() {
    assert!(matches!(status(vec![cut(), ok("{}")], false).await, (Ok(200), 2)));
    assert!(matches!(status(vec![cut()], false).await, (Err(EgressError::Unavailable(_)), 3)));
    // The vendor may have done what a POST asked for.
    assert!(matches!(status(vec![cut(), ok("{}")], true).await, (Err(EgressError::Unavailable(_)), 1)));
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_for_reads_alone_f06() {
    assert!(matches!(status(vec![Act::Reset, ok("{}")], false).await, (Ok(200), 2)));
    assert!(matches!(status(vec![Act::Reset, ok("{}")], true).await, (Err(EgressError::Unavailable(_)), 1)));
}

#[tokio::test]
async fn a_500_is_tried_again_for_reads_and_a_503_or_429_for_all_f06() {
    assert!(matches!(status(vec![reply(500, "", ""), ok("{}")], false).await, (Ok(200), 2)));
    assert!(matches!(status(vec![reply(500, "", ""), ok("{}")], true).await, (Ok(500), 1)));
    assert!(matches!(status(vec![reply(503, "", ""), ok("{}")], true).await, (Ok(200), 2)));
    assert!(matches!(status(vec![reply(429, "retry-after: 0\r\n", ""), ok("{}")], true).await, (Ok(200), 2)));
    assert!(matches!(status(vec![reply(429, "", ""), ok("{}")], true).await, (Ok(200), 2)));
    assert!(matches!(status(vec![reply(502, "", "")], false).await, (Ok(502), 3)));
    assert!(matches!(status(vec![reply(403, "", "")], false).await, (Ok(403), 1)));
}

#[tokio::test]
async fn a_vendor_that_goes_on_asking_to_slow_down_is_a_typed_error_f06() {
    let (outcome, hits) = status(vec![reply(429, "retry-after: 3600\r\n", "")], false).await;
    assert!(matches!(outcome, Err(EgressError::RateLimited { retry_after_ms: Some(3_600_000), .. })));
    assert_eq!(hits, 1);
    assert!(matches!(
        status(vec![reply(429, "", "")], false).await,
        (Err(EgressError::RateLimited { retry_after_ms: None, .. }), 3)
    ));
    assert!(matches!(status(vec![reply(503, "", "")], false).await, (Err(EgressError::Unavailable(_)), 3)));
    let asks = vec![reply(503, "retry-after: 0\r\n", "")];
    assert!(matches!(status(asks, false).await, (Err(EgressError::RateLimited { retry_after_ms: Some(0), .. }), 3)));
}

#[tokio::test]
async fn silence_and_slow_bodies_end_with_the_time_limit_f06() {
    for act in [Act::Hang(vec![]), Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx".to_vec())] {
        let vendor = Vendor::start(vec![act]).await;
        let mut spec = spec(&[vendor.url("")]);
        spec.limits.request_timeout = Duration::from_millis(50);
        let error = connect(spec).send(get(vendor.url("/")), &NoTape).await.unwrap_err();
        assert!(matches!(&error, EgressError::Unavailable(why) if why.contains("request_timeout")), "{error}");
        assert_eq!(vendor.hits(), 3);
    }
}

#[tokio::test]
async fn a_body_has_a_cap_on_both_sides_however_it_comes_f06() {
    let fits = raw(200, "", &vec![b'x'; 100_000]);
    assert!(matches!(status(vec![Act::Reply(fits)], false).await, (Ok(200), 1)));
    let stated = Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n".to_vec());
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..30 {
        endless.extend_from_slice(b"1000\r\n");
        endless.extend_from_slice(&[b'x'; 0x1000]);
        endless.extend_from_slice(b"\r\n");
    }
    for act in [stated, Act::Hang(endless)] {
        let (outcome, hits) = status(vec![act], false).await;
        assert!(matches!(outcome, Err(EgressError::Limit { limit: "response_bytes_max", .. })), "{outcome:?}");
        assert_eq!(hits, 1);
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_gzip_bomb_is_stopped_and_honest_gzip_is_unpacked_f06() {
    let honest = Vendor::start(vec![Act::Reply(raw(200, "content-encoding: gzip\r\n", &gzip(&[b'y'; 90_000])))]).await;
    let exchange = to(&honest).send(get(honest.url("/")), &NoTape).await.unwrap();
    assert_eq!(exchange.response.body, vec![b'y'; 90_000]);
    assert!(honest.requests.lock()[0].to_ascii_lowercase().contains("accept-encoding: gzip"));

    let bomb = gzip(&vec![0; 50_000_000]);
    assert!(bomb.len() < 60_000, "a thousand times smaller: it passes every check of its packed size");
    let (outcome, _) = status(vec![Act::Reply(raw(200, "content-encoding: gzip\r\n", &bomb))], false).await;
    assert!(matches!(outcome, Err(EgressError::Limit { limit: "response_bytes_max", .. })));
}

#[tokio::test]
async fn damaged_or_unasked_encodings_and_nonsense_are_unavailable_f06() {
    let damaged = raw(200, "content-encoding: gzip\r\n", &gzip(b"{}")[..12]);
    let unasked = raw(200, "content-encoding: br\r\n", b"xx");
    for act in [Act::Reply(damaged), Act::Reply(unasked), Act::Cut(b"SSH-2.0-x\r\n".to_vec()), Act::Cut(vec![])] {
        let (outcome, _) = status(vec![act], false).await;
        assert!(matches!(outcome, Err(EgressError::Unavailable(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_unavailable_and_names_no_url() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    // A port that was just free: nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connection = connect(spec(&[format!("http://{free}"), vendor.url("")]));
    let error = connection.send(get(format!("http://{free}/path?q=person")), &NoTape).await.unwrap_err();
    assert!(
        matches!(&error, EgressError::Unavailable(why) if why.contains("refused") && !why.contains("person")),
        "{error}"
    );
}

#[tokio::test]
async fn the_rate_is_kept_and_counts_every_attempt_f06() {
    let vendor = Vendor::start(vec![reply(500, "", ""), ok("{}")]).await;
    let mut spec = spec(&[vendor.url("")]);
    spec.limits.request_timeout = Duration::from_millis(200);
    spec.limits.rate = Some(renmen_schema::manifest::Rate { requests: 1, per_ms: 60_000, burst: Some(2) });
    let connection = connect(spec);
    assert!(connection.send(get(vendor.url("/")), &NoTape).await.is_ok());
    let error = connection.send(get(vendor.url("/")), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::RateLimited { retry_after_ms: Some(_), .. }), "{error}");
    assert_eq!(vendor.hits(), 2);
}
