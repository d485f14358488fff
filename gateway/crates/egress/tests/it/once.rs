//! One attempt: every status is an answer, nothing is repeated or followed, and a body that goes on is cut.

use renmen_egress::EgressError;

use crate::support::{Act, Vendor, connect, ok, post, raw, reply, spec, to};

#[tokio::test]
async fn every_status_is_an_answer_and_nothing_is_repeated() {
    for status in [200, 204, 301, 404, 410, 429, 500, 503] {
        let vendor = Vendor::start(vec![reply(status, "location: /b\r\nretry-after: 7\r\n", "")]).await;
        let reply = to(&vendor).send_once(post(vendor.url("/a"), "{}")).await.unwrap();
        assert_eq!((reply.response.status, reply.retry_after_ms, vendor.hits()), (status, Some(7_000), 1));
    }
}

#[tokio::test]
async fn a_lost_answer_is_not_asked_for_again() {
    let vendor = Vendor::start(vec![Act::Reset]).await;
    let error = to(&vendor).send_once(post(vendor.url("/a"), "{}")).await.unwrap_err();
    assert!(matches!(error, EgressError::Unavailable(_)), "{error}");
    assert_eq!(vendor.hits(), 1);
}

#[tokio::test]
async fn a_body_beyond_the_cap_is_cut_and_its_status_still_counts() {
    let long = "x".repeat(100_001);
    let endless = Act::Cut(raw(200, "", &[b'y'; 300_000]));
    let vendor = Vendor::start(vec![ok(&long), ok(&long[1..]), endless]).await;
    for _ in 0..3 {
        let reply = to(&vendor).send_once(post(vendor.url("/a"), "{}")).await.unwrap();
        assert_eq!((reply.response.status, reply.response.body.len()), (200, 100_000));
    }
    let packed = Vendor::start(vec![reply(200, "content-encoding: br\r\n", "????")]).await;
    let reply = to(&packed).send_once(post(packed.url("/a"), "{}")).await.unwrap();
    assert_eq!((reply.response.status, reply.response.body.len()), (200, 0));
}

#[tokio::test]
async fn the_grant_and_the_addresses_hold_here_too_f13() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let elsewhere = connect(spec(&["https://a.test".into()]));
    let error = elsewhere.send_once(post(vendor.url("/a"), "{}")).await.unwrap_err();
    assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    let mut closed = spec(&[vendor.url("")]);
    closed.grant.addresses = vec![];
    let error = connect(closed).send_once(post(vendor.url("/a"), "{}")).await.unwrap_err();
    assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    assert_eq!(vendor.connected(), 0);
}
