#![allow(clippy::unwrap_used)]
use super::*;
use std::sync::Mutex;
use tokio::time::Instant;

const RETRY: Retry = Retry {
    retries_max: 3,
    wait_max: Duration::from_secs(10),
    backoff: Duration::from_millis(250),
    headers: Vec::new(),
};

fn answer(status: u16, headers: &[(&'static str, &str)]) -> Result<Answer, Fault> {
    let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
    Ok(Answer { status, headers, body: "x".into() })
}

/// Runs a script; gives the number of attempts, the time they took, and the outcome.
async fn run(idempotent: bool, script: Vec<Result<Answer, Fault>>) -> (usize, Duration, Result<u16, EgressError>) {
    let start = Instant::now();
    let all = script.len();
    let script = Mutex::new(script.into_iter());
    let outcome = persist(&RETRY, idempotent, || {
        let next = script.lock().unwrap().next().expect("the script is long enough");
        async move { next }
    })
    .await;
    let left = script.into_inner().unwrap().len();
    (all - left, start.elapsed(), outcome.map(|answer| answer.status))
}

#[tokio::test(start_paused = true)]
async fn a_500_then_ok_is_ok_when_repeating_does_no_harm_f06() {
    let script = || vec![answer(500, &[]), answer(200, &[])];
    assert!(matches!(run(true, script()).await, (2, _, Ok(200))));
    assert!(matches!(run(false, script()).await, (1, _, Ok(500))));
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_as_long_as_it_asks_for_any_method_f06() {
    let (asked, took, outcome) = run(false, vec![answer(429, &[("retry-after", "7")]), answer(200, &[])]).await;
    assert!(matches!((asked, outcome), (2, Ok(200))));
    assert!(took >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_allowed_ends_at_once_with_its_length() {
    let (asked, took, outcome) = run(true, vec![answer(429, &[("retry-after", "3600")]), answer(200, &[])]).await;
    assert_eq!((asked, took), (1, Duration::ZERO));
    assert!(matches!(outcome, Err(EgressError::RateLimited { retry_after_ms: Some(3_600_000), .. })));
}

#[tokio::test(start_paused = true)]
async fn used_up_retries_leave_a_typed_error_or_the_last_answer_f06() {
    let four = |status| (0..4).map(|_| answer(status, &[])).collect::<Vec<_>>();
    assert!(matches!(run(true, four(429)).await, (4, _, Err(EgressError::RateLimited { retry_after_ms: None, .. }))));
    assert!(matches!(run(true, four(503)).await, (4, _, Err(EgressError::Unavailable(_)))));
    assert!(matches!(run(true, four(502)).await, (4, _, Ok(502))));
    let (_, took, _) = run(true, four(500)).await;
    assert!(took <= Duration::from_millis(250 + 500 + 1_000), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_tried_again_for_any_method_and_what_was_lost_is_not() {
    let not_sent = || vec![Err(Fault::NotSent("refused".into())), answer(200, &[])];
    assert!(matches!(run(false, not_sent()).await, (2, _, Ok(200))));
    let lost = || vec![Err(Fault::Lost("cut".into())), answer(200, &[])];
    assert!(matches!(run(false, lost()).await, (1, _, Err(EgressError::Unavailable(_)))));
    assert!(matches!(run(true, lost()).await, (2, _, Ok(200))));
    let denied = vec![Err(Fault::Final(EgressError::NotGranted("no".into()))), answer(200, &[])];
    assert!(matches!(run(true, denied).await, (1, _, Err(EgressError::NotGranted(_)))));
}

#[test]
fn a_pause_is_read_as_seconds_or_date_and_nonsense_is_none() {
    let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:30 GMT").unwrap();
    let own = [
        ("x-slow-s", RetryHeaderUnit::Seconds),
        ("X-Slow-Ms", RetryHeaderUnit::Milliseconds),
        ("x-slow-at", RetryHeaderUnit::EpochSeconds),
    ];
    let own = own.map(|(name, unit)| RetryHeader { name: name.to_owned(), unit });
    let pause = |name: &'static str, text: &str| {
        let headers = [(name.parse().unwrap(), text.parse().unwrap())].into_iter().collect();
        asked_pause(&headers, &own, now).map(|p| p.as_secs())
    };
    assert_eq!(pause("retry-after", "120"), Some(120));
    assert_eq!(pause("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
    assert_eq!(pause("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
    assert_eq!(pause("x-slow-s", "3"), Some(3));
    assert_eq!(pause("x-slow-ms", "3500"), Some(3));
    assert_eq!(pause("x-slow-at", "784111777"), Some(7), "1994-11-06T08:49:37Z");
    assert_eq!(pause("x-slow-at", "784111000"), Some(0), "it is over");
    assert_eq!(pause("x-slow-at", "18446744073709551615"), None);
    assert_eq!(pause("x-unknown", "3"), None, "a header that the manifest does not name says nothing");
    assert_eq!(pause("x-slow-s", "soon"), None);
    assert_eq!(pause("retry-after", "soon"), None);
    assert_eq!(pause("retry-after", "-5"), None);
}
