//! What the vendor's errors mean. The same fault comes in several shapes, and the same status for several faults: the code
//! decides, never the status alone.

use renmen_plugin::http::Response;
use renmen_plugin::{Failure, FailureKind};
use serde::Deserialize;

/// A blocked address stays blocked for five minutes.
const BLOCK_MS: u64 = 5 * 60_000;
/// A throttled interface is free again after a moment.
const THROTTLE_MS: u64 = 1_000;
/// Messages to people are counted by the minute.
const MINUTE_MS: u64 = 60_000;
/// A used-up monthly quota: nothing helps before the month ends; asked again each day.
const QUOTA_MS: u64 = 24 * 3_600_000;

/// An error of the old generation. The vendor's gateway wraps its own refusals as `errcode` 88, with the code that counts in
/// `sub_code`: `{"errcode":88,"sub_code":"40014","sub_msg":"…","errmsg":"ding talk error[subcode=40014,submsg=…]"}`. What the
/// interface itself refuses comes plain. Either may carry any code.
#[derive(Deserialize)]
struct OldError {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    sub_code: Option<SubCode>,
    #[serde(default)]
    errmsg: Option<String>,
    /// 1111: the address is blocked. Comes without `errcode`.
    #[serde(default)]
    status: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SubCode {
    Text(String),
    Number(i64),
}

impl OldError {
    /// `errcode` of the vendor's wrapper.
    const WRAPPED: i64 = 88;

    /// The code that counts.
    fn code(&self) -> String {
        if self.errcode != Self::WRAPPED {
            return self.errcode.to_string();
        }
        match &self.sub_code {
            Some(SubCode::Text(code)) if !code.is_empty() => code.clone(),
            Some(SubCode::Number(code)) => code.to_string(),
            _ => between(self.errmsg.as_deref(), "subcode=", [',', ']']).unwrap_or("88").to_owned(),
        }
    }

    /// What is to be granted, where the answer names it: `requiredScopes=[qyapi_get_department_list]`.
    fn scopes(&self) -> Option<&str> {
        between(self.errmsg.as_deref(), "requiredScopes=[", [']', ']']).filter(|scopes| is_scopes(scopes))
    }
}

fn between<'a>(text: Option<&'a str>, begin: &str, ends: [char; 2]) -> Option<&'a str> {
    let (_, rest) = text?.split_once(begin)?;
    Some(&rest[..rest.find(ends)?])
}

/// Names of permissions and nothing else may be shown of the vendor's words.
fn is_scopes(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:-, ".contains(c);
    !text.is_empty() && text.len() <= 200 && text.chars().all(plain)
}

fn no_permission(scopes: Option<&str>) -> Failure {
    Failure::not_granted(scopes.map_or_else(
        || "the app may not call this: give it the permission (权限管理) in the vendor's console".to_owned(),
        |scopes| format!("the app lacks the permission {scopes}: give it (权限管理) in the vendor's console"),
    ))
}

#[derive(Deserialize)]
struct NewError {
    code: String,
}

/// The failure in an answer of the old generation, whose errors are HTTP 200.
pub(super) fn of_old(response: &Response) -> Option<Failure> {
    if let Some(blocked) = blocked(response) {
        return Some(blocked);
    }
    // A body that is not a JSON object is judged by its status and, later, by its shape.
    let error: OldError = serde_json::from_slice(response.body()).ok()?;
    if error.status == Some(1111) {
        return Some(address_blocked("1111"));
    }
    if error.errcode == 0 {
        return None;
    }
    let code = error.code();
    Some(of_old_code(&code, error.scopes()).with_code(code))
}

/// Official pages 全局错误码 and 附录B 如何处理钉钉服务端API限流.
fn of_old_code(code: &str, scopes: Option<&str>) -> Failure {
    let throttled = || Failure::rate_limited("the vendor throttles this interface");
    match code {
        "-1" => Failure::upstream_unavailable("the vendor is busy"),
        // Too many calls a second: of all the world, of this app, of a company's app by its supplier.
        "90002" | "90018" | "90019" => throttled().after_ms(THROTTLE_MS),
        "90001" | "90003" | "90004" | "90005" | "90006" | "90007" | "90008" | "90009" | "90010" | "90011" | "90012"
        | "90013" | "90014" => throttled().after_ms(MINUTE_MS),
        "90020" => {
            Failure::rate_limited("the monthly quota of calls is used up: raise it with the vendor").after_ms(QUOTA_MS)
        }
        "40001" | "40014" | "42001" => Failure::auth_required("the vendor does not take the token"),
        "40089" | "40096" => {
            Failure::auth_required("the vendor does not know this app key and secret: check the slot `app`")
        }
        "60011" => no_permission(scopes),
        "50002" | "50004" => Failure::not_granted(
            "this is outside of what the app may see: widen its range of contacts (通讯录权限范围) in the vendor's console",
        ),
        "60020" => {
            Failure::not_granted("the vendor does not allow this address: add it to the app's list of addresses")
        }
        "60003" => Failure::new(FailureKind::UpstreamChanged, "a department is gone that was there a moment ago"),
        "60068" | "400023" | "880011" => Failure::bad_config(
            "the vendor does not take the person of `attendance_operator` for an administrator: name one with rights to \
             attendance (考勤打卡) and approvals (OA 审批)",
        ),
        "400002" => Failure::upstream_changed("the vendor refuses a parameter"),
        "40035" => Failure::invalid_input("the vendor does not know this task or this `agent_id`"),
        "143103" | "143104" | "143203" | "143204" => {
            Failure::rate_limited("the app has sent messages to too many people this minute").after_ms(MINUTE_MS)
        }
        "1430000" => Failure::invalid_input("the vendor found no recipient for the message"),
        "1430002" => Failure::invalid_input("the vendor's filter forbids words of this message"),
        _ => Failure::upstream_changed("the vendor answered with an error that is not known here"),
    }
}

/// The failure in an answer of the new generation. 403 is both "no permission" and "throttled".
pub(super) fn of_new(response: &Response) -> Option<Failure> {
    if let Some(blocked) = blocked(response) {
        return Some(blocked);
    }
    if (200..300).contains(&response.status()) {
        return None;
    }
    let code = serde_json::from_slice::<NewError>(response.body()).ok()?.code;
    let failure = match code.as_str() {
        _ if code.ends_with("ApiCountLimitForOrg") => {
            Failure::rate_limited("the monthly quota of calls is used up: raise it with the vendor").after_ms(QUOTA_MS)
        }
        _ if code.contains("QpsLimit") || code.contains("QpmLimit") || code == "system.busy" => {
            Failure::rate_limited("the vendor throttles this interface").after_ms(THROTTLE_MS)
        }
        "InvalidAuthentication" => Failure::auth_required("the vendor does not take the token"),
        "noPermission" | "Forbidden.AccessDenied.AccessTokenPermissionDenied" => {
            Failure::not_granted("the app may not read this: give it the permission in the vendor's console")
        }
        "Forbidden.AccessDenied.IpNotInWhiteList" => {
            Failure::not_granted("the vendor does not allow this address: add it to the app's list of addresses")
        }
        "systemError" => Failure::upstream_unavailable("the vendor has a fault of its own"),
        "invalidParameter" => Failure::upstream_changed("the vendor refuses a parameter"),
        _ => return None,
    };
    Some(failure.with_code(code))
}

/// Does the old generation say that the user or department does not exist? (official pages 查询用户详情: 33012, 全局错误码: 60121,
/// 60003)
pub(super) fn is_gone(response: &Response) -> bool {
    let gone = |error: OldError| matches!(error.code().as_str(), "33012" | "60121" | "60003");
    serde_json::from_slice(response.body()).is_ok_and(gone)
}

/// Does the new generation say that the approval does not exist?
pub(super) fn is_no_instance(response: &Response) -> bool {
    let none = |error: NewError| matches!(error.code.as_str(), "processInstanceNotExist" | "processInstanceIdError");
    response.status() == 400 && serde_json::from_slice(response.body()).is_ok_and(none)
}

/// What the codes of 发起审批实例 mean, in addition to those of every call.
pub(super) fn of_start(response: &Response) -> Option<Failure> {
    if response.status() != 400 {
        return None;
    }
    let code = serde_json::from_slice::<NewError>(response.body()).ok()?.code;
    let failure = match code.as_str() {
        "invalidParameter" | "processInstanceInvalidParameter" => Failure::invalid_input(
            "the vendor refuses the approval: check process code, originator, department and approvers",
        ),
        "formConverterError" | "illegalComponent" | "processFormDataIsNull" => Failure::invalid_input(
            "the vendor refuses the form: check its fields' names and values against the template",
        ),
        "targetSelectApproverMissing" | "targetSelectApproverScopeError" => Failure::invalid_input(
            "the form lets its originator choose approvers, which cannot be done from here: name `approvers`",
        ),
        "processCodeError" | "processGetFailed" | "invalidAgentId" | "processGroupGetFailed" => {
            Failure::bad_config("the vendor does not know the form or the app: check the process code and `agent_id`")
        }
        "needAuth" | "processSetupNoPermission" => {
            Failure::not_granted("the originator may not start this approval: see the form's permissions")
        }
        "autoflowLikeTriggerRateLimited" => {
            Failure::rate_limited("the vendor throttles automatic flows").after_ms(MINUTE_MS)
        }
        _ => return None,
    };
    Some(failure.with_code(code))
}

/// Over the limit of an address (10,000 calls in 20 s) every answer is an HTML page, or JSON with `status` 1111.
fn blocked(response: &Response) -> Option<Failure> {
    let body = response.body().trim_ascii_start();
    let html = response.header("content-type").is_some_and(|kind| kind.contains("html")) || body.starts_with(b"<");
    let status_1111 = body.starts_with(b"{\"status\":1111") || {
        body.len() < 512 && serde_json::from_slice::<OldError>(body).is_ok_and(|error| error.status == Some(1111))
    };
    match (html, status_1111) {
        (true, _) => Some(address_blocked("html")),
        (_, true) => Some(address_blocked("1111")),
        _ => None,
    }
}

fn address_blocked(code: &str) -> Failure {
    Failure::rate_limited("the vendor blocks this address for five minutes: too many calls from it")
        .with_code(code)
        .after_ms(BLOCK_MS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(status: u16, kind: &str, body: &str) -> Response {
        Response::from_parts(status, vec![("content-type".into(), kind.into())], body.as_bytes().to_vec())
    }

    #[test]
    fn the_same_fault_in_every_shape_means_the_same() {
        let json = "application/json";
        let cases = [
            (answer(200, "text/html", "<html>blocked</html>"), FailureKind::RateLimited, Some(BLOCK_MS)),
            (answer(200, json, r#"{"status":1111,"wait":5}"#), FailureKind::RateLimited, Some(BLOCK_MS)),
            (answer(200, json, r#"{"errcode":90002,"errmsg":"x"}"#), FailureKind::RateLimited, Some(THROTTLE_MS)),
            (answer(200, json, r#"{"errcode":90020,"errmsg":"x"}"#), FailureKind::RateLimited, Some(QUOTA_MS)),
            (answer(200, json, r#"{"errcode":60011,"errmsg":"x"}"#), FailureKind::NotGranted, None),
            (answer(200, json, r#"{"errcode":40014,"errmsg":"x"}"#), FailureKind::AuthRequired, None),
            (answer(200, json, r#"{"errcode":-1,"errmsg":"x"}"#), FailureKind::UpstreamUnavailable, None),
        ];
        for (response, kind, wait) in cases {
            let failure = of_old(&response).unwrap();
            assert_eq!((failure.kind, failure.retry_after_ms), (kind, wait));
        }
        assert_eq!(of_old(&answer(200, json, r#"{"errcode":0,"result":[]}"#)), None);
    }

    #[test]
    fn forbidden_is_told_apart_by_its_code() {
        let forbidden = |code: &str| {
            of_new(&answer(403, "application/json", &format!(r#"{{"code":"{code}","message":"x"}}"#))).unwrap()
        };
        assert_eq!(forbidden("Forbidden.AccessDenied.QpsLimitForApi").kind, FailureKind::RateLimited);
        assert_eq!(forbidden("Forbidden.AccessDenied.AccessTokenPermissionDenied").kind, FailureKind::NotGranted);
        assert_eq!(forbidden("Forbidden.AccessDenied.ApiCountLimitForOrg").retry_after_ms, Some(QUOTA_MS));
    }

    /// As the vendor's gateway answers, its words included.
    fn wrapped(code: &str, words: &str) -> Response {
        let body = serde_json::json!({ "errcode": 88, "sub_code": code, "sub_msg": words, "request_id": "x",
                                       "errmsg": format!("ding talk error[subcode={code},submsg={words}]") });
        answer(200, "application/json", &body.to_string())
    }

    #[test]
    fn a_refusal_wrapped_in_88_means_what_its_sub_code_says() {
        for (code, kind, wait) in [
            ("40014", FailureKind::AuthRequired, None),
            ("42001", FailureKind::AuthRequired, None),
            ("60011", FailureKind::NotGranted, None),
            ("60020", FailureKind::NotGranted, None),
            ("50004", FailureKind::NotGranted, None),
            ("90001", FailureKind::RateLimited, Some(MINUTE_MS)),
            ("90002", FailureKind::RateLimited, Some(THROTTLE_MS)),
            ("90006", FailureKind::RateLimited, Some(MINUTE_MS)),
            ("90018", FailureKind::RateLimited, Some(THROTTLE_MS)),
            ("90019", FailureKind::RateLimited, Some(THROTTLE_MS)),
            ("90020", FailureKind::RateLimited, Some(QUOTA_MS)),
            ("143103", FailureKind::RateLimited, Some(MINUTE_MS)),
            ("isv.404", FailureKind::UpstreamChanged, None),
        ] {
            let failure = of_old(&wrapped(code, "x")).unwrap();
            assert_eq!((failure.kind, failure.retry_after_ms, failure.code.as_deref()), (kind, wait, Some(code)));
            if code.starts_with("isv") {
                continue;
            }
            let plain = of_old(&answer(200, "application/json", &format!(r#"{{"errcode":{code}}}"#))).unwrap();
            assert_eq!(plain, failure, "{code} means the same when it comes plain");
        }
        assert!(is_gone(&wrapped("60121", "x")) && !is_gone(&wrapped("60011", "x")));
    }

    #[test]
    fn a_sub_code_is_found_as_a_number_or_in_the_vendors_words() {
        for body in [
            r#"{"errcode":88,"sub_code":90018}"#,
            r#"{"errcode":88,"errmsg":"ding talk error[subcode=90018,submsg=x]"}"#,
        ] {
            let failure = of_old(&answer(200, "application/json", body)).unwrap();
            assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::RateLimited, Some("90018")), "{body}");
        }
        let bare = of_old(&answer(200, "application/json", r#"{"errcode":88,"errmsg":"x"}"#)).unwrap();
        assert_eq!((bare.kind, bare.code.as_deref()), (FailureKind::UpstreamChanged, Some("88")));
    }

    #[test]
    fn a_missing_permission_is_named_and_nothing_else_of_the_vendors_words() {
        let words = "应用尚未开通所需的权限：[qyapi_get_member]，点击链接申请, {requiredScopes=[qyapi_get_member]}";
        let failure = of_old(&wrapped("60011", words)).unwrap();
        assert!(failure.message.contains("the permission qyapi_get_member:"), "{failure}");
        let failure = of_old(&wrapped("60011", "x, {requiredScopes=[张三 13800000000]}")).unwrap();
        assert!(failure.message.contains("give it the permission") && !failure.message.contains("138"), "{failure}");
    }
}
