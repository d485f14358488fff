//! OAuth 2.0 client credentials (RFC 6749, 4.4): one form sent over our own way out, and the answer read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use renmen_vault::Secret;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::Token;
use super::oauth2_form;
use crate::EgressError;
use crate::recipe::{member_text, members};
use crate::wire::{Outgoing, WayOut};

pub(super) async fn fetch(
    url: &Url,
    scopes: &[String],
    secret: &Secret,
    way: &dyn WayOut,
) -> Result<Token, EgressError> {
    let answer = way.send(request(url, scopes, secret)?).await?;
    oauth2_form::token_of(&answer)
}

fn request(url: &Url, scopes: &[String], secret: &Secret) -> Result<Outgoing, EgressError> {
    let mut form = vec![("grant_type", "client_credentials".to_owned())];
    if !scopes.is_empty() {
        form.push(("scope", scopes.join(" ")));
    }
    let mut outgoing = oauth2_form::request(url, &form);
    outgoing.headers.insert(AUTHORIZATION, credentials(secret)?);
    Ok(outgoing)
}

/// RFC 6749, 2.3.1: id and secret are form-encoded before they are joined as HTTP Basic wants it.
pub(super) fn credentials(secret: &Secret) -> Result<HeaderValue, EgressError> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::Method;
    use http::header::CONTENT_TYPE;

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
