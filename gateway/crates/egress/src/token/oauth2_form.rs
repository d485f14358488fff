//! What every OAuth 2.0 grant has in common: a form to the token endpoint, and what its answer means.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use renmen_schema::manifest::Expression;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::Token;
use super::oauth2_answer::{self, Fault};
use crate::EgressError;
use crate::recipe::Values;
use crate::wire::{Answer, Outgoing, WayOut};

/// A request for a token.
pub(super) fn request<N: AsRef<str>, V: AsRef<str>>(url: &Url, form: &[(N, V)]) -> Outgoing {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    Outgoing { method: Method::POST, url: url.clone(), headers, body: Some(Bytes::from(form)) }
}

/// The token for an assertion (RFC 7521, 4.1), with what else the recipe puts into the form.
///
/// # Errors
/// As [`token_of`]; what the way out and the recipe's texts say.
pub(super) async fn token_for_assertion(
    url: &Url,
    (grant, assertion): (&str, String),
    fields: &BTreeMap<String, Expression>,
    values: &Values<'_>,
    way: &dyn WayOut,
) -> Result<Token, EgressError> {
    let mut form = vec![("grant_type", Zeroizing::new(grant.to_owned())), ("assertion", Zeroizing::new(assertion))];
    for (name, expression) in fields {
        form.push((name.as_str(), values.text(expression)?));
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    token_of(&way.send(request(url, &form)).await?)
}

/// The token in an answer.
///
/// # Errors
/// [`EgressError::Auth`] for a refusal and for an answer that cannot be used, [`EgressError::Unavailable`] for an endpoint that is down.
pub(super) fn token_of(answer: &Answer) -> Result<Token, EgressError> {
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
        Some(Ok(grant)) if granted => Ok(Token::new(grant.token, grant.life).with_refresh(grant.refresh)),
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
