//! OAuth 2.0 client credentials (RFC 6749, 4.4): one form sent over our own way out, and the answer read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use renmen_vault::Secret;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::Token;
use super::member::{member_text, members};
use super::oauth2_answer::{self, Fault};
use crate::EgressError;
use crate::wire::{Answer, Outgoing, WayOut};

pub(super) async fn fetch(
    url: &Url,
    scopes: &[String],
    secret: &Secret,
    way: &dyn WayOut,
) -> Result<Token, EgressError> {
    let answer = way.send(request(url, scopes, secret)?).await?;
    token_of(&answer)
}

fn request(url: &Url, scopes: &[String], secret: &Secret) -> Result<Outgoing, EgressError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !scopes.is_empty() {
        form.append_pair("scope", &scopes.join(" "));
    }
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(AUTHORIZATION, credentials(secret)?);
    Ok(Outgoing { method: Method::POST, url: url.clone(), headers, body: Some(Bytes::from(form.finish())) })
}

/// RFC 6749, 2.3.1: id and secret are form-encoded before they are joined as HTTP Basic wants it.
fn credentials(secret: &Secret) -> Result<HeaderValue, EgressError> {
    let members = members(secret)?;
    let encoded = |name: &str| {
        let text = member_text(&members, name)
            .ok_or_else(|| EgressError::Auth(format!("the slot's secret has no text member `{name}`")))?;
        Ok::<_, EgressError>(Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()))
    };
    let pair = Zeroizing::new(format!("{}:{}", *encoded("client_id")?, *encoded("client_secret")?));
    let header = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut header = HeaderValue::from_str(&header)
        .map_err(|_| EgressError::Auth("the token request cannot be written; check the secret".into()))?;
    header.set_sensitive(true);
    Ok(header)
}

fn token_of(answer: &Answer) -> Result<Token, EgressError> {
    let status = answer.status;
    if status >= 500 {
        return Err(EgressError::Unavailable(format!("the token endpoint answers status {status}")));
    }
    let granted = (200..300).contains(&status);
    match oauth2_answer::read(&answer.body) {
        // A refusal with a status that says otherwise is told by the answer itself; an answer that grants something with the status
        // of a refusal is not believed.
        Some(Err(Fault::Refused(code))) => Err(refused(&code)),
        Some(Err(Fault::Form(why))) if granted => Err(EgressError::Auth(format!("the token endpoint's answer {why}"))),
        Some(Ok(grant)) if granted => Ok(Token::new(grant.token, grant.life)),
        None if granted => {
            Err(EgressError::Auth("the token endpoint's answer is not a JSON object; check token_url".into()))
        }
        _ => Err(EgressError::Auth(format!(
            "the token endpoint answers status {status} and not with an OAuth 2.0 error; check token_url and the secret"
        ))),
    }
}

/// RFC 6749, 5.2: the code is one word; anything else could be an echo of what was sent.
fn refused(code: &str) -> EgressError {
    let word = code.len() <= 40 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let code = if word { code } else { "a code that is not a token error code" };
    EgressError::Auth(format!("the token endpoint refuses the slot's secret: {code}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(secret: &str, scopes: &[&str]) -> Outgoing {
        let url = Url::parse("https://vendor.example/token?tenant=1").unwrap();
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        request(&url, &scopes, &Secret::new(secret.to_owned())).unwrap()
    }

    #[test]
    fn the_request_is_the_one_that_rfc_6749_shows() {
        // The credentials of the RFC's own example (2.3.1).
        let sent = asked(r#"{"client_id":"s6BhdRkqt3","client_secret":"gX1fBat3bV"}"#, &["read", "staff:list"]);
        assert_eq!(sent.headers[AUTHORIZATION], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
        assert!(sent.headers[AUTHORIZATION].is_sensitive());
        assert_eq!(sent.headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
        assert_eq!((sent.method, sent.url.query()), (Method::POST, Some("tenant=1")));
        assert_eq!(sent.body.unwrap(), "grant_type=client_credentials&scope=read+staff%3Alist");
        assert_eq!(
            asked(r#"{"client_id":"a","client_secret":"b"}"#, &[]).body.unwrap(),
            "grant_type=client_credentials"
        );
    }

    #[test]
    fn an_id_with_a_colon_does_not_end_where_the_secret_begins() {
        let sent = asked(r#"{"client_id":"a:b","client_secret":"c d+é"}"#, &[]);
        let header = sent.headers[AUTHORIZATION].to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(STANDARD.decode(header).unwrap(), b"a%3Ab:c+d%2B%C3%A9");
    }
}
