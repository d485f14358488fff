//! The ordinary way of a request, and what the checks keep from leaving.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::{EgressError, NoTape};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::support::{
    Memory, Vendor, connect, get, ok, post, raw, read_request, reply, spec, static_slot, to, with_slot,
};

#[tokio::test]
async fn a_request_carries_the_credential_and_the_exchange_does_not() {
    let vendor = Vendor::start(vec![reply(201, "x-total: 7\r\nset-cookie: sid=1\r\n", "[1]")]).await;
    let mut spec = spec(&[vendor.url("")]);
    spec.slots.insert(crate::support::slot("app"), static_slot("s3cret-value", "x-api-key"));
    let tape = Memory::default();
    let request = with_slot(post(vendor.url("/staff?page=2#top"), "{}"), "app");
    let exchange = connect(spec).send(request, &tape).await.unwrap();

    let seen = vendor.requests.lock()[0].clone();
    assert!(
        seen.starts_with("POST /staff?page=2 HTTP/1.1\r\n") && seen.contains("x-api-key: s3cret-value\r\n"),
        "{seen}"
    );
    assert_eq!((exchange.response.status, &exchange.response.body[..]), (201, &b"[1]"[..]));
    assert!(exchange.response.headers.contains(&("x-total".into(), "7".into())));
    assert!(!format!("{exchange:?}").contains("s3cret") && !format!("{exchange:?}").contains("sid=1"));
    assert_eq!(tape.recorded.lock().len(), 1);
    assert!(exchange.at_ms > 1_600_000_000_000);
}

#[tokio::test]
async fn a_query_credential_is_sent_and_never_kept() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let mut spec = spec(&[vendor.url("")]);
    let mut query = static_slot("tok&en-value", "x");
    query.auth = Some(renmen_schema::manifest::AuthRecipe::Static {
        place: renmen_schema::manifest::Placement::Query { name: "access_token".into() },
    });
    spec.slots.insert(crate::support::slot("app"), query);
    let exchange = connect(spec).send(with_slot(get(vendor.url("/x?a=1")), "app"), &NoTape).await.unwrap();
    assert!(vendor.requests.lock()[0].starts_with("GET /x?a=1&access_token=tok%26en-value HTTP/1.1"));
    assert_eq!(exchange.url, vendor.url("/x?a=1"));
}

#[tokio::test]
async fn what_is_not_granted_sends_nothing() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let other = Vendor::start(vec![ok("{}")]).await;
    let connection = to(&vendor);
    let mut delete = get(vendor.url("/"));
    delete.method = "DELETE".into();
    let mut authorized = get(vendor.url("/"));
    authorized.headers.push(("Authorization".into(), "Bearer mine".into()));
    for request in [get(other.url("/")), delete, authorized, with_slot(get(vendor.url("/")), "unknown")] {
        let error = connection.send(request, &NoTape).await.unwrap_err();
        assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    }
    assert!(connection.send(get(vendor.url("/")), &NoTape).await.is_ok());
    assert_eq!((vendor.hits(), other.connected()), (1, 0));
}

#[tokio::test]
async fn an_empty_slot_fails_before_anything_is_sent() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let mut spec = spec(&[vendor.url("")]);
    spec.slots
        .insert(crate::support::slot("app"), renmen_egress::SlotSpec { secret: None, ..static_slot("x", "x-key") });
    let error = connect(spec).send(with_slot(get(vendor.url("/")), "app"), &NoTape).await.unwrap_err();
    assert!(matches!(&error, EgressError::Auth(message) if message.contains("`app`")), "{error}");
    assert_eq!(vendor.connected(), 0);
}

#[tokio::test]
async fn a_request_has_a_size_limit_on_both_sides() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let connection = to(&vendor);
    let url = vendor.url("/");
    let fits = "x".repeat(10_000 - "POST".len() - url.len());
    assert!(connection.send(post(&url, &fits), &NoTape).await.is_ok());
    let error = connection.send(post(&url, &format!("{fits}x")), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::Limit { limit: "request_bytes_max", .. }));
    assert_eq!(vendor.hits(), 1);
}

#[tokio::test]
async fn a_known_answer_comes_from_the_tape_and_a_sealed_tape_sends_nothing() {
    let vendor = Vendor::start(vec![ok("first"), ok("second")]).await;
    let connection = to(&vendor);
    let first = Memory::default();
    connection.send(get(vendor.url("/a")), &first).await.unwrap();

    let replay =
        Memory { known: Mutex::new(std::mem::take(&mut first.recorded.lock())), is_sealed: true, ..Memory::default() };
    let exchange = connection.send(get(vendor.url("/a")), &replay).await.unwrap();
    assert_eq!(exchange.response.body, "first");
    assert!(replay.recorded.lock().is_empty());
    let error = connection.send(get(vendor.url("/a?secret=1")), &replay).await.unwrap_err();
    assert!(matches!(&error, EgressError::NotRecorded(what) if !what.contains("secret")), "{error}");
    // A tape is not a way around the grant.
    let denied = connection.send(get("https://elsewhere.test/"), &replay).await;
    assert!(matches!(denied, Err(EgressError::NotGranted(_))));
    assert_eq!(vendor.hits(), 1);
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_and_a_loop_ends_f06() {
    let vendor = Vendor::start(vec![reply(302, "location: /b?x=1\r\n", ""), ok("there")]).await;
    let exchange = to(&vendor).send(get(vendor.url("/a")), &NoTape).await.unwrap();
    assert_eq!((exchange.response.status, &exchange.response.body[..]), (200, &b"there"[..]));
    assert!(vendor.requests.lock()[1].starts_with("GET /b?x=1 "));
    assert_eq!(exchange.url, vendor.url("/a"));

    let circle = Vendor::start(vec![reply(301, "location: /a\r\n", "")]).await;
    let error = to(&circle).send(get(circle.url("/a")), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::Unavailable(_)), "{error}");
    assert_eq!(circle.hits(), 6);
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_refused_even_if_it_is_granted_f13() {
    let target = Vendor::start(vec![ok("{}")]).await;
    let vendor = Vendor::start(vec![reply(302, &format!("location: {}\r\n", target.url("/")), "")]).await;
    let connection = connect(spec(&[vendor.url(""), target.url("")]));
    let error = connection.send(get(vendor.url("/")), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    assert_eq!(target.connected(), 0);
}

#[tokio::test]
async fn as_many_requests_as_allowed_are_under_way_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (pair, under_way, most) =
        (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(HashSet::new())), Arc::new(Mutex::new(0)));
    let (all, peak) = (under_way.clone(), most.clone());
    tokio::spawn(async move {
        for n in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let (pair, all, peak) = (pair.clone(), all.clone(), peak.clone());
            tokio::spawn(async move {
                while read_request(&mut stream).await.is_some() {
                    {
                        let mut all = all.lock();
                        all.insert(n);
                        let mut peak = peak.lock();
                        *peak = all.len().max(*peak);
                    }
                    // Two must be here at once, or the test hangs and fails by the runner's time limit.
                    pair.wait().await;
                    all.lock().remove(&n);
                    stream.write_all(&raw(200, "", b"{}")).await.unwrap();
                }
            });
        }
    });
    let mut spec = spec(&[format!("http://{address}")]);
    spec.limits.parallel_max = 2;
    let connection = connect(spec);
    let sends = (0..6).map(|n| {
        let connection = connection.clone();
        tokio::spawn(async move { connection.send(get(format!("http://{address}/{n}")), &NoTape).await.is_ok() })
    });
    for sent in sends.collect::<Vec<_>>() {
        assert!(sent.await.unwrap());
    }
    assert_eq!(*most.lock(), 2);
}
