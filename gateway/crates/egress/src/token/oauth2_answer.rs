//! The answer of an OAuth 2.0 token endpoint as vendors really write it. RFC 6749 wants a `token_type`, a whole number of seconds
//! and one text of scopes; what a token is needed for does without the first, and reads the others in every form.
//!
//! Reading never fails for a JSON object: what is wrong with it is kept as a [`Fault`] of our own words, because a parser's words
//! would quote the answer.

use std::time::Duration;

use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::life;

/// The answer. It is never written: everything is left out.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(skip)]
    token: AccessToken,
    #[serde(skip)]
    kind: BasicTokenType,
    #[serde(skip)]
    life: Option<Duration>,
    #[serde(skip)]
    scopes: Option<Vec<Scope>>,
    #[serde(skip)]
    fault: Option<Fault>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// An error with a status that says otherwise. The code, as it came.
    Refused(String),
    /// What is wrong, as words that follow "the token endpoint's answer".
    Form(String),
}

impl Answer {
    /// The answer, if it can be used.
    ///
    /// # Errors
    /// The [`Fault`].
    pub(super) fn sound(self) -> Result<Self, Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self),
        }
    }
}

#[derive(Deserialize)]
struct Members {
    access_token: Option<Value>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    scope: Option<Value>,
    error: Option<Value>,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(from)?;
        let (token, missing) = match &members.access_token {
            Some(Value::String(token)) if !token.trim().is_empty() => (token.clone(), None),
            Some(Value::Null) | None => (String::new(), Some("has no `access_token`; check token_url")),
            Some(_) => (String::new(), Some("has an `access_token` that is not a text, or an empty one")),
        };
        let (life, unread) = match life::of(members.expires_in.as_ref()) {
            Ok(life) => (life, None),
            Err(why) => (None, Some(format!("cannot be used: `expires_in` {why}"))),
        };
        let refused = members.error.filter(|error| !error.is_null()).map(|error| match error {
            Value::String(code) => code,
            _ => String::new(),
        });
        let fault = match (refused, missing, unread) {
            (Some(code), Some(_), _) => Some(Fault::Refused(code)),
            (_, Some(missing), _) => Some(Fault::Form(missing.to_owned())),
            (_, None, unread) => unread.map(Fault::Form),
        };
        Ok(Self {
            token: AccessToken::new(token),
            kind: kind(members.token_type),
            life,
            scopes: scopes(members.scope),
            fault,
        })
    }
}

/// The kind is the recipe's to know, which says where the token goes: one that is not named is a bearer's.
fn kind(named: Option<Value>) -> BasicTokenType {
    match named {
        Some(Value::String(name)) if !name.eq_ignore_ascii_case("bearer") => BasicTokenType::Extension(name),
        _ => BasicTokenType::Bearer,
    }
}

/// One text with spaces or commas between them, or a list.
fn scopes(named: Option<Value>) -> Option<Vec<Scope>> {
    let scope = |name: &str| Scope::new(name.to_owned());
    match named? {
        Value::String(text) => Some(text.split([' ', ',']).filter(|name| !name.is_empty()).map(scope).collect()),
        Value::Array(names) => Some(names.iter().filter_map(Value::as_str).map(scope).collect()),
        _ => None,
    }
}

impl TokenResponse for Answer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.kind
    }

    fn expires_in(&self) -> Option<Duration> {
        self.life
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<Answer, Fault> {
        serde_json::from_str::<Answer>(json).unwrap().sound()
    }

    #[test]
    fn a_token_is_read_with_what_vendors_write_around_it() {
        for rest in [
            r#""token_type":"bearer","expires_in":3600"#,
            r#""expires_in":"3600""#,
            r#""token_type":"BEARER","expires_in":3600.0,"scope":["a","b"]"#,
            r#""token_type":null,"expires_in":3600,"scope":"a b""#,
            r#""token_type":7,"expires_in":3600,"scope":"a,b","error":null"#,
        ] {
            let answer = read(&format!(r#"{{"access_token":"t-1",{rest}}}"#)).unwrap();
            assert_eq!(
                (answer.access_token().secret().as_str(), answer.expires_in().unwrap().as_secs()),
                ("t-1", 3600)
            );
            assert_eq!(answer.token_type(), &BasicTokenType::Bearer, "{rest}");
            assert!(answer.scopes().is_none_or(|scopes| scopes.len() == 2), "{rest}");
        }
        assert_eq!(read(r#"{"access_token":"t-1"}"#).unwrap().expires_in(), None);
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_named_and_never_repeated() {
        let form = |json: &str| match read(json).unwrap_err() {
            Fault::Form(why) => why,
            refused => panic!("{refused:?}"),
        };
        assert_eq!(form(r#"{"access_token":"canary","expires_in":-1}"#), "cannot be used: `expires_in` is negative");
        let why = form(r#"{"access_token":"canary","expires_in":"soon"}"#);
        assert_eq!(why, "cannot be used: `expires_in` is not a number of seconds");
        assert_eq!(form(r#"{"data":{"access_token":"canary"}}"#), "has no `access_token`; check token_url");
        assert!(form(r#"{"access_token":["canary"]}"#).starts_with("has an `access_token` that is not a text"));
        assert!(form(r#"{"access_token":" "}"#).ends_with("or an empty one"));
        assert_eq!(read(r#"{"error":"invalid_client"}"#).unwrap_err(), Fault::Refused("invalid_client".into()));
        let answer = read(r#"{"access_token":"canary"}"#).unwrap();
        assert!(!format!("{answer:?}{}", serde_json::to_string(&answer).unwrap()).contains("canary"));
    }
}
