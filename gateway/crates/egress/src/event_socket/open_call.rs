//! How a connection for events is asked for, as the manifest describes it: a request with members of the slot's secret, and an
//! answer with the URL and a ticket.

use http::{HeaderMap, HeaderValue, Method, header};
use renmen_schema::manifest::{SocketOpenManifest, fill_placeholders, placeholders};
use serde_json::Value;
use url::Url;

use crate::credential::Slot;
use crate::recipe::{member_text, members};
use crate::wire::{Answer, Outgoing, WayOut};
use crate::{Connection, EgressError};

/// Characters of a vendor's code that are told.
const CODE_CHARS_MAX: usize = 80;

/// Asks for a connection. Answers the URL with its ticket, which opens one connection and is a secret from then on.
pub(super) async fn ask(
    connection: &Connection,
    slot: &Slot,
    url: Url,
    open: &SocketOpenManifest,
) -> Result<Url, EgressError> {
    let app = members(slot.secret()?)?;
    let missing = placeholders(&open.body).into_iter().find(|name| member_text(&app, name).is_none());
    if let Some(name) = missing {
        return Err(EgressError::Auth(format!("slot `{}` must hold JSON with `{name}`", slot.name)));
    }
    let body = fill_placeholders(&open.body, &|name| member_text(&app, name));
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json.clone()), (header::ACCEPT, json)]);
    let outgoing = Outgoing { method: Method::POST, url, headers, body: Some(body.to_string().into()) };
    let (mut url, ticket) = endpoint_and_ticket(&WayOut::send(connection, outgoing).await?, open)?;
    connection.parts.redactor.learn(&slot.name, &ticket)?;
    url.query_pairs_mut().append_pair(&open.ticket_query, &ticket);
    Ok(url)
}

fn endpoint_and_ticket(answer: &Answer, open: &SocketOpenManifest) -> Result<(Url, String), EgressError> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if !(200..300).contains(&answer.status) {
        return Err(refusal(answer.status, &body, open));
    }
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let shape = || EgressError::Unavailable("the vendor's answer names no event connection".into());
    let (endpoint, ticket) = text(&open.endpoint).zip(text(&open.ticket)).ok_or_else(shape)?;
    Ok((Url::parse(endpoint).map_err(|_| shape())?, ticket.to_owned()))
}

fn refusal(status: u16, body: &Value, open: &SocketOpenManifest) -> EgressError {
    let code = match open.error_code.as_ref().and_then(|pointer| body.pointer(pointer)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || ".-_".contains(*c);
    let code: String = code.chars().filter(is_plain).take(CODE_CHARS_MAX).collect();
    let said = format!("the vendor opens no event connection (status {status}, code `{code}`)");
    match status {
        _ if open.slow_down_codes.iter().any(|part| code.contains(part.as_str())) => {
            EgressError::RateLimited { message: said, retry_after_ms: None }
        }
        400 | 401 | 403 => EgressError::Auth(format!(
            "{said}: is the vendor's app set up to send events this way, and is the slot's secret right?"
        )),
        _ => EgressError::Unavailable(said),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn open() -> SocketOpenManifest {
        SocketOpenManifest {
            body: json!({ "id": "{client_id}" }),
            endpoint: "/endpoint".into(),
            ticket: "/ticket".into(),
            ticket_query: "ticket".into(),
            error_code: Some("/code".into()),
            slow_down_codes: vec!["QpsLimit".into()],
        }
    }

    #[test]
    fn what_the_vendor_refuses_is_told_by_what_can_be_done() {
        let answer =
            |status: u16, body: &str| Answer { status, headers: HeaderMap::new(), body: body.to_owned().into() };
        let refused = |status: u16, code: Value| {
            endpoint_and_ticket(&answer(status, &json!({ "code": code }).to_string()), &open()).unwrap_err()
        };
        assert!(matches!(refused(400, json!("authFailed")), EgressError::Auth(_)));
        assert!(matches!(refused(403, json!("Forbidden.QpsLimitForApi")), EgressError::RateLimited { .. }));
        assert!(matches!(refused(500, json!("systemError")), EgressError::Unavailable(_)));
        assert!(refused(500, json!(4711)).to_string().contains("code `4711`"));
        for body in
            ["{}", r#"{"endpoint":"wss://a.test","ticket":""}"#, r#"{"endpoint":"no url","ticket":"t"}"#, "<html>"]
        {
            let named = endpoint_and_ticket(&answer(200, body), &open());
            assert!(matches!(named, Err(EgressError::Unavailable(_))), "{body}");
        }
        let (url, ticket) =
            endpoint_and_ticket(&answer(200, r#"{"endpoint":"wss://a.test/c","ticket":"t"}"#), &open()).unwrap();
        assert_eq!((url.as_str(), ticket.as_str()), ("wss://a.test/c", "t"));
    }
}
