//! What the vendor's errors mean. The code decides and not the status: an error may come with HTTP 200, the same refusal with
//! 400 or 429, and 500 stands for a wrong id as well as for a fault of the vendor's own.
//!
//! Codes are those of the pages "服务端错误码说明" and "频控策略" and of each API's page; 1002201 to 1002205 those of a list of Hire's
//! codes on an integrator's page (jijyun.cn, "飞书（第三方应用）常见问题").

use renmen_plugin::Failure;
use renmen_plugin::http::Response;
use serde::Deserialize;

/// The wait when the vendor throttles without saying for how long. Milliseconds.
const THROTTLE_MS: u64 = 1_000;
/// A month's quota of calls is used up: asked again each day. Milliseconds.
const QUOTA_MS: u64 = 24 * 3_600_000;

#[derive(Deserialize)]
struct Envelope {
    code: Option<i64>,
}

fn code_of(response: &Response) -> Option<i64> {
    serde_json::from_slice::<Envelope>(response.body()).ok()?.code
}

/// The failure in an answer; none when its code is 0, or when only its status can tell.
pub(super) fn of(response: &Response) -> Option<Failure> {
    let code = code_of(response).filter(|&code| code != 0)?;
    let failure = match code {
        99_991_400 | 11_232 | 230_020 | 1_161_604 => {
            Failure::rate_limited("the vendor throttles this interface").after_ms(asked_wait_ms(response))
        }
        99_991_403 => {
            Failure::rate_limited("the monthly quota of calls is used up: raise it with the vendor").after_ms(QUOTA_MS)
        }
        99_991_661 | 99_991_663 | 99_991_664 | 99_991_665 | 99_991_668 => {
            Failure::auth_required("the vendor does not take the token")
        }
        99_991_672 | 99_991_679 | 1_160_103 => Failure::not_granted(
            "the app may not do this: give it the permission, and the range of data, in the vendor's console, and publish it",
        ),
        99_991_662 => Failure::not_granted("the app is switched off in the vendor's console"),
        99_991_401 => {
            Failure::not_granted("the vendor does not allow this address: add it to the app's list of addresses")
        }
        230_002 | 230_013 => Failure::not_granted(
            "the app's bot cannot reach the receiver: add it to the group, or the receiver to the app's range",
        ),
        1_220_005 | 1_160_035 => Failure::not_granted(
            "the app may not see this person's attendance or leave: widen its range of data in the vendor's console",
        ),
        1_390_009 => Failure::not_granted("the app may not act on this approval: see the form's permissions"),
        1_390_015 | 1_390_002 => Failure::bad_config(
            "the vendor does not know the approval form, or it is switched off: check `approval_forms`",
        ),
        60_012 => Failure::upstream_changed("the vendor made an approval of this `uuid` before"),
        1_390_003 => Failure::upstream_changed("the vendor has no such approval"),
        1_002_102 | 1_002_054 | 1_002_064 => Failure::upstream_changed("the vendor has no such record"),
        1_002_201..=1_002_204 => Failure::upstream_changed("the vendor has no such application, process or stage"),
        1_002_205 => Failure::upstream_changed(
            "the vendor does not move this application: look at it in Hire, whether it is locked by another application of the \
             candidate, held by a rule of the process, or wants an approved offer",
        ),
        1_220_001 | 1_220_004 | 1_160_016 | 1_390_001 | 1_390_004 | 1_390_013 => {
            Failure::upstream_changed("the vendor refuses a parameter")
        }
        1_225_000 | 1_227_500 | 1_160_012 | 1_160_015 | 1_169_999 | 1_395_001 => {
            Failure::upstream_unavailable("the vendor has a fault of its own")
        }
        1_000_001 | 1_002_002 | 1_002_003 | 1_160_102 | 9_499 | 10_001 | 10_003 | 230_001 => {
            Failure::upstream_changed("the vendor refuses a parameter")
        }
        1_002_001 | 1_161_204 | 1_500 | 2_200 | 5_000 => {
            Failure::upstream_unavailable("the vendor has a fault of its own")
        }
        _ => return Some(of_status(response).with_code(code.to_string())),
    };
    Some(failure.with_code(code.to_string()))
}

/// For a code that is not known here.
fn of_status(response: &Response) -> Failure {
    match response.status() {
        401 => Failure::auth_required("the vendor refuses the app's token"),
        403 => Failure::not_granted("the vendor forbids this to the app"),
        429 => Failure::rate_limited("the vendor throttles").after_ms(asked_wait_ms(response)),
        500..=599 => Failure::upstream_unavailable("the vendor could not answer"),
        _ => Failure::upstream_changed("the vendor answered with an error that is not known here"),
    }
}

/// `x-ogw-ratelimit-reset`: seconds until the window is free again.
fn asked_wait_ms(response: &Response) -> u64 {
    let seconds = response.header("x-ogw-ratelimit-reset").and_then(|text| text.trim().parse::<u64>().ok());
    seconds.map(|seconds| seconds.saturating_mul(1_000)).or_else(|| response.retry_after_ms()).unwrap_or(THROTTLE_MS)
}

/// Does the vendor say that the record does not exist? Only codes that its documentation names are believed: anything
/// else could be a permission that was taken away.
pub(crate) fn is_gone(response: &Response) -> bool {
    matches!(code_of(response), Some(1_002_102 | 1_002_054 | 1_002_064))
}

/// Does the vendor say that there is no approval of that code?
pub(super) fn is_no_approval(response: &Response) -> bool {
    code_of(response) == Some(1_390_003)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use renmen_plugin::FailureKind;

    fn answer(status: u16, code: i64, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Response::from_parts(status, headers, format!(r#"{{"code":{code},"msg":"张三"}}"#).into_bytes())
    }

    #[test]
    fn the_code_decides_whatever_the_status() {
        let cases = [
            (200, 99_991_400, FailureKind::RateLimited),
            (400, 99_991_400, FailureKind::RateLimited),
            (429, 99_991_400, FailureKind::RateLimited),
            (200, 99_991_663, FailureKind::AuthRequired),
            (400, 99_991_672, FailureKind::NotGranted),
            (403, 1_160_103, FailureKind::NotGranted),
            (403, 99_991_401, FailureKind::NotGranted),
            (400, 1_002_002, FailureKind::UpstreamChanged),
            (500, 1_002_001, FailureKind::UpstreamUnavailable),
            (500, 1_002_054, FailureKind::UpstreamChanged),
            (500, 1_002_205, FailureKind::UpstreamChanged),
            (500, 7_777_777, FailureKind::UpstreamUnavailable),
            (401, 7_777_777, FailureKind::AuthRequired),
            (403, 7_777_777, FailureKind::NotGranted),
            (429, 7_777_777, FailureKind::RateLimited),
            (200, 7_777_777, FailureKind::UpstreamChanged),
        ];
        for (status, code, kind) in cases {
            let failure = of(&answer(status, code, &[])).unwrap();
            assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code.to_string().as_str())), "{status}");
            assert!(!failure.message.contains("张三"), "the vendor's text may hold a person's data");
        }
        assert_eq!(of(&answer(200, 0, &[])), None);
        assert_eq!(of(&Response::from_parts(502, Vec::new(), b"<html>".to_vec())), None, "its status tells");
    }

    #[test]
    fn the_wait_is_the_one_that_the_vendor_asks_for() {
        let wait = |headers: &[(&str, &str)]| of(&answer(429, 99_991_400, headers)).unwrap().retry_after_ms;
        assert_eq!(wait(&[("x-ogw-ratelimit-reset", "52")]), Some(52_000));
        assert_eq!(wait(&[("Retry-After", "3")]), Some(3_000));
        assert_eq!(wait(&[("x-ogw-ratelimit-reset", "soon")]), Some(THROTTLE_MS));
        assert_eq!(of(&answer(400, 99_991_403, &[])).unwrap().retry_after_ms, Some(QUOTA_MS));
    }

    #[test]
    fn only_a_documented_code_means_that_a_record_is_gone() {
        assert!(is_gone(&answer(404, 1_002_102, &[])));
        for (status, code) in [(404, 0), (404, 5), (403, 1_160_103), (400, 1_002_002)] {
            assert!(!is_gone(&answer(status, code, &[])), "{status} {code}");
        }
    }
}
