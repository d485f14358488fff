//! Whether an answer is one that a client may get while something is wrong: 503 with `Retry-After`, and in time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use std::sync::Mutex;
use tokio::time::Instant;

/// A request that gets no answer for so long hangs: long enough for a gateway that starts on a machine with other work.
pub(super) const HANG: Duration = Duration::from_secs(30);

/// Everything that clients met.
#[derive(Default)]
pub(super) struct Judge {
    /// Odd while a gateway is stopped: what reached it hangs.
    stops: AtomicU64,
    pub(super) good: AtomicU64,
    /// 503 with `Retry-After`.
    pub(super) later: AtomicU64,
    /// No answer: its gateway was killed, or none was there.
    pub(super) cut: AtomicU64,
    pub(super) slowest: Mutex<Duration>,
    pub(super) faults: Mutex<Vec<String>>,
}

impl Judge {
    /// The answer, where it is good.
    pub(super) async fn ask(&self, what: &str, request: RequestBuilder) -> Option<Response> {
        let stops = self.stops.load(Ordering::SeqCst);
        let begun = Instant::now();
        let answer = request.send().await;
        let is_stopped = stops % 2 == 1 || stops != self.stops.load(Ordering::SeqCst);
        if !is_stopped {
            let mut slowest = self.slowest.lock().unwrap();
            *slowest = begun.elapsed().max(*slowest);
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.cut.fetch_add(1, Ordering::SeqCst);
                if error.is_timeout() && !is_stopped {
                    self.fault(format!("{what}: no answer for {HANG:?}"));
                }
                return None;
            }
        };
        let (status, after) = (answer.status(), answer.headers().get("retry-after").is_some());
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS if after => {
                self.later.fetch_add(1, Ordering::SeqCst);
                None
            }
            status if status.is_success() => {
                self.good.fetch_add(1, Ordering::SeqCst);
                Some(answer)
            }
            status => {
                let said = answer.text().await.unwrap_or_default();
                self.fault(format!("{what}: {status}, retry-after {after}: {said}"));
                None
            }
        }
    }

    /// Was it taken?
    pub(super) async fn took(&self, what: &str, request: RequestBuilder) -> bool {
        self.ask(what, request).await.is_some()
    }

    /// From now on a gateway is stopped, or none is any more.
    pub(super) fn stop(&self) {
        self.stops.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn fault(&self, what: String) {
        let mut faults = self.faults.lock().unwrap();
        if faults.len() < 20 {
            faults.push(what);
        }
    }
}
