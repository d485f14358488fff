//! Steps 3 and 11: headers. Owns which ones a connector may set and which ones of an answer it gets to see.

use http::{HeaderMap, HeaderName, HeaderValue};
use renmen_schema::manifest::Placement;

use crate::EgressError;

/// Headers of one request; far above what vendors need.
const HEADERS_MAX: usize = 100;

/// Set by the host or by the HTTP stack, never by a connector, and why:
/// credentials (`authorization`, `cookie`), routing (`host`), framing (`content-length`, `transfer-encoding`, hop-by-hop), and
/// what would bring answers in pieces or encodings in which no secret can be found (`accept-encoding`, `range`).
const REFUSED: [&str; 19] = [
    "authorization",
    "cookie",
    "cookie2",
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "expect",
    "accept-encoding",
    "range",
    "if-range",
    "http2-settings",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// Of an answer: credentials and challenges, and what describes only the hop.
const HIDDEN: [&str; 13] = [
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "authentication-info",
    "proxy-authenticate",
    "proxy-authentication-info",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "alt-svc",
];

/// Takes a connector's headers.
///
/// # Errors
/// [`EgressError::NotGranted`] for a header that only the host may set, [`EgressError::BadRequest`] for what is no header. A
/// value is never repeated.
pub(crate) fn accept(headers: &[(String, String)], reserved: &[Placement]) -> Result<HeaderMap, EgressError> {
    if headers.len() > HEADERS_MAX {
        return Err(EgressError::BadRequest(format!("{} headers, {HEADERS_MAX} are allowed", headers.len())));
    }
    let mut accepted = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let shown: String = name.chars().take(60).collect();
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| EgressError::BadRequest(format!("`{shown}` is no header name")))?;
        if is_refused(&name, reserved) {
            return Err(EgressError::NotGranted(format!(
                "header `{name}` is set by the gateway alone; name a slot for credentials and leave the header out"
            )));
        }
        let value = HeaderValue::from_str(value).map_err(|_| {
            EgressError::BadRequest(format!("the value of header `{name}` has characters that no header may have"))
        })?;
        accepted.append(name, value);
    }
    Ok(accepted)
}

/// Refuses a query that holds the parameter in which a slot's credential travels.
///
/// # Errors
/// [`EgressError::NotGranted`] naming the parameter.
pub(crate) fn check_query(url: &url::Url, reserved: &[Placement]) -> Result<(), EgressError> {
    for placement in reserved {
        let Placement::Query { name } = placement else { continue };
        if url.query_pairs().any(|(key, _)| key.eq_ignore_ascii_case(name)) {
            return Err(EgressError::NotGranted(format!(
                "query parameter `{name}` is set by the gateway alone; name the slot and leave the parameter out"
            )));
        }
    }
    Ok(())
}

/// What a connector gets to see of an answer's headers: lower-case names, values as text.
pub(crate) fn reveal(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| !HIDDEN.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn is_refused(name: &HeaderName, reserved: &[Placement]) -> bool {
    let name = name.as_str();
    let is_slots = |placement: &Placement| matches!(placement, Placement::Header { name: of, .. } if of.eq_ignore_ascii_case(name));
    REFUSED.contains(&name) || name.starts_with("proxy-") || reserved.iter().any(is_slots)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(name: &str, value: &str) -> Result<HeaderMap, EgressError> {
        let reserved = [
            Placement::Header { name: "X-Acs-Token".into(), prefix: String::new() },
            Placement::Query { name: "access_token".into() },
        ];
        accept(&[(name.into(), value.into())], &reserved)
    }

    #[test]
    fn a_connector_sets_no_credential_routing_or_framing_header() {
        for name in REFUSED.iter().chain(&["Authorization", "PROXY-Authorization", "proxy-anything", "x-acs-token"]) {
            let error = one(name, "v").unwrap_err();
            assert!(matches!(error, EgressError::NotGranted(_)), "{name}: {error}");
        }
        assert_eq!(one("Accept", "application/json").unwrap()["accept"], "application/json");
    }

    #[test]
    fn what_is_no_header_is_refused_without_repeating_its_value() {
        assert!(matches!(one("a b", "v"), Err(EgressError::BadRequest(_))));
        let error = one("x-note", "line\r\nhost: evil").unwrap_err().to_string();
        assert!(error.contains("x-note") && !error.contains("evil"));
        let many = vec![("x-a".to_owned(), "1".to_owned()); HEADERS_MAX + 1];
        assert!(accept(&many, &[]).is_err());
        assert!(accept(&many[1..], &[]).is_ok());
    }

    #[test]
    fn the_slots_query_parameter_is_refused() {
        let reserved = [Placement::Query { name: "access_token".into() }];
        let check = |url: &str| check_query(&url::Url::parse(url).unwrap(), &reserved);
        assert!(check("https://a.test/?x=1").is_ok());
        assert!(check("https://a.test/?x=1&access%5Ftoken=mine").is_err());
        assert!(check("https://a.test/?ACCESS_TOKEN=").is_err());
    }

    #[test]
    fn cookies_and_challenges_are_hidden() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", HeaderValue::from_static("sid=1"));
        headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
        headers.insert("X-Total", HeaderValue::from_static("7"));
        assert_eq!(reveal(&headers), [("x-total".to_owned(), "7".to_owned())]);
    }
}
