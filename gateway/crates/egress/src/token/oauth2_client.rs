//! OAuth 2.0 client credentials (RFC 6749, 4.4) through the oauth2 crate, over our own way out.

use std::cell::RefCell;
use std::convert::Infallible;

use bytes::Bytes;
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    Client, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope, StandardRevocableToken,
    SyncHttpClient, TokenResponse, TokenUrl,
};
use renmen_vault::Secret;
use url::Url;

use super::Token;
use super::endpoint::{member_text, members};
use super::oauth2_answer::{self, Fault};
use crate::EgressError;
use crate::wire::{Answer, Outgoing, WayOut};

/// The oauth2 crate writes the request and reads the answer; what lies between is ours. Its own asynchronous way is not used:
/// the future that it gives is `Send` for some lifetimes only, and nobody could spawn what waits for it.
pub(super) async fn fetch(
    url: &Url,
    scopes: &[String],
    secret: &Secret,
    way: &dyn WayOut,
) -> Result<Token, EgressError> {
    let request = written(url, scopes, secret)?;
    let answer = way.send(outgoing(url, request)).await?;
    let status = answer.status;
    let answer = response(&answer)?;
    let read = ask(url, scopes, secret, &|_| Ok::<_, Infallible>(answer.clone()))?;
    match read {
        Ok(found) => match found.sound() {
            Ok(found) => Ok(Token::new(found.access_token().secret().clone(), found.expires_in())),
            Err(Fault::Refused(code)) => Err(refused(&code)),
            Err(Fault::Form(why)) => Err(EgressError::Auth(format!("the token endpoint's answer {why}"))),
        },
        Err(RequestTokenError::ServerResponse(refusal)) => Err(refused(refusal.error().as_ref())),
        Err(_) if answer.status().is_success() => {
            Err(EgressError::Auth("the token endpoint's answer is not a JSON object; check token_url".into()))
        }
        Err(_) => Err(EgressError::Auth(format!(
            "the token endpoint answers status {status} and not with an OAuth 2.0 error; check token_url and the secret"
        ))),
    }
}

/// The request as the oauth2 crate writes it: taken from its hands before anything would be sent.
fn written(url: &Url, scopes: &[String], secret: &Secret) -> Result<HttpRequest, EgressError> {
    let taken = RefCell::new(None);
    let take = |request: HttpRequest| {
        *taken.borrow_mut() = Some(request);
        Err::<HttpResponse, _>(std::fmt::Error)
    };
    // Always fails, with the error of `take`: the request is what is wanted.
    let _ = ask(url, scopes, secret, &take)?;
    taken.into_inner().ok_or_else(|| EgressError::Auth("the token request cannot be written; check the secret".into()))
}

/// The crate's client, with the answer that vendors really give.
type OurClient = Client<
    BasicErrorResponse,
    oauth2_answer::Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// What came of one client credentials request.
type Asked<C> = Result<oauth2_answer::Answer, RequestTokenError<<C as SyncHttpClient>::Error, BasicErrorResponse>>;

fn ask<C: SyncHttpClient>(url: &Url, scopes: &[String], secret: &Secret, over: &C) -> Result<Asked<C>, EgressError> {
    let members = members(secret)?;
    let member = |name: &str| {
        member_text(&members, name)
            .ok_or_else(|| EgressError::Auth(format!("the slot's secret has no text member `{name}`")))
    };
    let client = OurClient::new(ClientId::new(member("client_id")?))
        .set_client_secret(ClientSecret::new(member("client_secret")?))
        .set_token_uri(TokenUrl::from_url(url.clone()));
    let scopes = scopes.iter().cloned().map(Scope::new);
    Ok(client.exchange_client_credentials().add_scopes(scopes).request(over))
}

fn outgoing(url: &Url, request: HttpRequest) -> Outgoing {
    let (parts, body) = request.into_parts();
    let mut headers = parts.headers;
    if let Some(value) = headers.get_mut(http::header::AUTHORIZATION) {
        value.set_sensitive(true);
    }
    Outgoing { method: parts.method, url: url.clone(), headers, body: Some(Bytes::from(body)) }
}

fn response(answer: &Answer) -> Result<HttpResponse, EgressError> {
    if answer.status >= 500 {
        return Err(EgressError::Unavailable(format!("the token endpoint answers status {}", answer.status)));
    }
    // The body says what it is: its headers, the content type among them, are left out, and 201 is as good as 200.
    let mut response = HttpResponse::new(answer.body.to_vec());
    if !(200..300).contains(&answer.status) {
        *response.status_mut() = http::StatusCode::from_u16(answer.status).map_err(|_| {
            EgressError::Unavailable("the token endpoint answers with a status that does not exist".into())
        })?;
    }
    Ok(response)
}

/// RFC 6749, 5.2: the code is one word; anything else could be an echo of what was sent.
fn refused(code: &str) -> EgressError {
    let word = code.len() <= 40 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let code = if word { code } else { "a code that is not a token error code" };
    EgressError::Auth(format!("the token endpoint refuses the slot's secret: {code}"))
}
