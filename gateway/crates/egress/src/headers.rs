//! Steps 3 and 11: headers. Owns which ones a connector may set and which ones of an answer it gets to see.

use http::{HeaderMap, HeaderName, HeaderValue};
use renmen_schema::manifest::Placement;

use crate::EgressError;
use crate::shown::shown;

/// Bytes of a name in an error.
const NAME_SHOWN_MAX: usize = 60;

/// Headers of one request; far above what vendors need.
const HEADERS_MAX: usize = 100;

/// Set by the host or by the HTTP stack, never by a connector, and why:
/// credentials (`authorization`, `cookie`), routing (`host`), framing (`content-length`, `transfer-encoding`, hop-by-hop), what
/// would bring answers in pieces or encodings in which no secret can be found (`accept-encoding`, `range`), and what would hide
/// one in a request (`content-encoding`).
///
/// And what makes a proxy or a framework in front of the vendor act as if another URL, method, host or client had been asked: the
/// grant is for what the request says. Those are names by custom, so this is a list of what is known to be obeyed, with its
/// families in [`REFUSED_PREFIXES`]. A list of what is allowed instead would have to know each vendor's own headers
/// (`idempotency-key` and the like), or let the manifest's author write it.
const REFUSED: [&str; 48] = [
    "content-encoding",
    "content-transfer-encoding",
    "forwarded",
    "via",
    "true-client-ip",
    "client-ip",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-remote-user",
    "remote-user",
    "x-custom-ip-authorization",
    "x-originating-ip",
    "x-host",
    "x-backend-host",
    "x-server-name",
    "x-url-scheme",
    "x-scheme",
    "x-proto",
    "front-end-https",
    "request-uri",
    "x-request-uri",
    "x-request-url",
    "x-uri",
    "x-url",
    "x-path",
    "x-method",
    "base-url",
    "destination",
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
    "x-method-override",
];

/// Beginnings of such names.
const REFUSED_PREFIXES: [&str; 19] = [
    "proxy-",
    "sec-",
    "cf-",
    "fastly-",
    "x-forwarded",
    "x-original",
    "x-rewrite",
    "x-override",
    "x-http-",
    "x-accel-",
    "x-envoy-",
    "x-ms-original",
    "x-arr-",
    "x-appengine-",
    "x-middleware-",
    "x-nextjs-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-ssl-",
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
/// [`EgressError::NotGranted`] for a header that only the host may set, [`EgressError::BadRequest`] for an invalid
/// header. The error never repeats a value.
pub(crate) fn accept(headers: &[(String, String)], reserved: &[Placement]) -> Result<HeaderMap, EgressError> {
    if headers.len() > HEADERS_MAX {
        return Err(EgressError::BadRequest(format!("{} headers, {HEADERS_MAX} are allowed", headers.len())));
    }
    let mut accepted = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| EgressError::BadRequest(format!("`{}` is not a header name", shown(name, NAME_SHOWN_MAX))))?;
        if is_refused(&name, reserved) {
            return Err(EgressError::NotGranted(format!(
                "header `{}` is set by the gateway alone; name a slot for credentials and leave the header out",
                shown(name.as_str(), NAME_SHOWN_MAX)
            )));
        }
        let value = HeaderValue::from_str(value).map_err(|_| {
            let name = shown(name.as_str(), NAME_SHOWN_MAX);
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
    // Frameworks that came from CGI take both for one name.
    let same = name.replace('_', "-");
    let is_slots = |placement: &Placement| matches!(placement, Placement::Header { name: of, .. } if of.replace('_', "-").eq_ignore_ascii_case(&same));
    REFUSED.contains(&same.as_str())
        || REFUSED_PREFIXES.iter().any(|prefix| same.starts_with(prefix))
        || reserved.iter().any(is_slots)
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
    fn a_connector_sets_no_header_that_sends_a_request_elsewhere() {
        for name in [
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Prefix",
            "Forwarded",
            "X-HTTP-Method-Override",
            "X-HTTP-Host-Override",
            "X-Method-Override",
            "X_Original_URL",
            "x_forwarded_host",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Host",
            "Content-Encoding",
            "Via",
            "X-Middleware-Subrequest",
            "X-Accel-Internal",
            "Sec-WebSocket-Key",
            "X-Envoy-Original-Path",
            "Destination",
        ] {
            assert!(matches!(one(name, "/admin"), Err(EgressError::NotGranted(_))), "{name}");
        }
    }

    #[test]
    fn a_connector_sets_what_vendors_ask_for() {
        for name in [
            "Accept",
            "Accept-Language",
            "Content-Type",
            "Content-MD5",
            "If-None-Match",
            "If-Modified-Since",
            "Prefer",
            "Idempotency-Key",
            "X-Idempotency-Key",
            "X-Request-Id",
            "X-Correlation-Id",
            "traceparent",
            "User-Agent",
            "X-Api-Version",
            "Stripe-Version",
            "Notion-Version",
            "OData-Version",
            "X-Acs-Signature-Nonce",
            "X-Lark-Request-Nonce",
            "X-Tenant-Id",
            "X-Workday-Client",
            "SOAPAction",
            "X-Csrf-Token",
            "X-Shopify-Topic",
            "X-GitHub-Api-Version",
            "X-Restli-Protocol-Version",
            "X-Timezone",
            "x-ms-version",
            "Depth",
            "Origin",
            "Referer",
        ] {
            assert!(one(name, "1").is_ok(), "{name}");
        }
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
