//! The vendor's limit of calls a second, for each interface.
//!
//! Contract: official page 附录B 如何处理钉钉服务端API限流 (2026-01-22): in the standard edition an app may call an interface 20
//! times a second. Beyond that the old generation answers 90018, plain or wrapped in 88, and the new one 403 with
//! `Forbidden.AccessDenied.QpsLimitForAppkeyAndApi`; after a second it answers again.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{old_error, old_refusal};

/// What the standard edition allows.
pub const A_SECOND: usize = 20;

/// The vendor's words for it.
const TOO_OFTEN: &str = "应用调用该接口次数过多，超出了该接口承受的最大qps";

/// Counts the calls of each interface, where a test asks for it.
#[derive(Debug, Default)]
pub struct Pace {
    /// How many calls of one interface are answered within a second; all of them unless a test says so.
    pub a_second: Option<usize>,
    /// Is 90018 wrapped in 88?
    pub wrapped: bool,
    /// Calls that were refused.
    pub refused: u64,
    calls: HashMap<String, VecDeque<Instant>>,
}

impl Pace {
    /// Is this call one too many? One that is refused does not count.
    pub(super) fn refuses(&mut self, interface: &str, now: Instant) -> bool {
        let Some(most) = self.a_second else { return false };
        let calls = self.calls.entry(interface.to_owned()).or_default();
        while calls.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            calls.pop_front();
        }
        if calls.len() >= most {
            self.refused += 1;
            return true;
        }
        calls.push_back(now);
        false
    }
}

/// The answer to one call too many.
pub(super) fn refusal(is_new: bool, wrapped: bool) -> Response {
    match (is_new, wrapped) {
        (true, _) => {
            let code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi";
            let body = json!({ "code": code, "message": TOO_OFTEN, "requestid": "sim" });
            (StatusCode::FORBIDDEN, Json(body)).into_response()
        }
        (false, true) => old_refusal(90018, TOO_OFTEN).into_response(),
        (false, false) => old_error(90018, TOO_OFTEN).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_21st_call_of_an_interface_within_a_second_is_refused_and_others_are_not() {
        let mut pace = Pace { a_second: Some(A_SECOND), ..Pace::default() };
        let began = Instant::now();
        for call in 0..20 {
            assert!(!pace.refuses("/list", began + Duration::from_millis(call * 49)));
        }
        assert!(pace.refuses("/list", began + Duration::from_millis(999)));
        assert!(!pace.refuses("/get", began + Duration::from_millis(999)), "another interface");
        assert!(!pace.refuses("/list", began + Duration::from_millis(1_000)), "a second after the first");
        assert_eq!(pace.refused, 1);
    }

    #[test]
    fn nothing_is_refused_unless_a_test_asks_for_it() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert!((0..100).all(|_| !pace.refuses("/list", now)));
    }
}
