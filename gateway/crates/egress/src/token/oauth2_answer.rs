//! The answer of an OAuth 2.0 token endpoint as vendors really write it. RFC 6749 wants a `token_type`, a whole number of seconds
//! and one text of scopes; a token can be used without the first and the last, and its lifetime is read in every form.
//!
//! What is wrong with an answer is a [`Fault`] in our own words: a parser's would quote the answer.

use std::time::Duration;

use serde_json::{Map, Value};

use super::life;

/// A token and how long it is good for, where the endpoint says.
pub(super) struct Grant {
    pub(super) token: String,
    pub(super) life: Option<Duration>,
    /// With which the next one is asked for.
    pub(super) refresh: Option<String>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// An error, with any status. Holds the code, as it came.
    Refused(String),
    /// What is wrong, as words that follow "the token endpoint's answer".
    Form(String),
}

/// The answer of a token endpoint; none when it is not a JSON object. The kind of the token is not looked at: the recipe says where it
/// goes. Nor are its scopes: the API tells what they are good for.
pub(super) fn read(body: &[u8]) -> Option<Result<Grant, Fault>> {
    let mut members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let (token, missing) = match members.remove("access_token") {
        Some(Value::String(token)) if !token.trim().is_empty() => (token, None),
        Some(Value::Null) | None => (String::new(), Some("has no `access_token`; check token_url")),
        Some(_) => (String::new(), Some("has an `access_token` that is not a text, or an empty one")),
    };
    let refused = members.remove("error").filter(|error| !error.is_null()).map(|error| match error {
        Value::String(code) => code,
        _ => String::new(),
    });
    let refresh = match members.remove("refresh_token") {
        Some(Value::String(token)) if !token.trim().is_empty() => Some(token),
        _ => None,
    };
    Some(match (refused, missing, life::of(members.get("expires_in"))) {
        (Some(code), Some(_), _) => Err(Fault::Refused(code)),
        (_, Some(missing), _) => Err(Fault::Form(missing.to_owned())),
        (_, None, Ok(life)) => Ok(Grant { token, life, refresh }),
        (_, None, Err(why)) => Err(Fault::Form(format!("cannot be used: `expires_in` {why}"))),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<Grant, Fault> {
        super::read(json.as_bytes()).unwrap()
    }

    fn fault(json: &str) -> Fault {
        read(json).err().unwrap()
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
            let grant = read(&format!(r#"{{"access_token":"t-1",{rest}}}"#)).ok().unwrap();
            assert_eq!((grant.token.as_str(), grant.life.unwrap().as_secs()), ("t-1", 3600), "{rest}");
        }
        assert_eq!(read(r#"{"access_token":"t-1"}"#).ok().unwrap().life, None);
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_named_and_never_repeated() {
        let form = |json: &str| match fault(json) {
            Fault::Form(why) => why,
            refused => panic!("{refused:?}"),
        };
        assert_eq!(form(r#"{"access_token":"canary","expires_in":-1}"#), "cannot be used: `expires_in` is negative");
        let why = form(r#"{"access_token":"canary","expires_in":"soon"}"#);
        assert_eq!(why, "cannot be used: `expires_in` is not a number of seconds");
        assert_eq!(form(r#"{"data":{"access_token":"canary"}}"#), "has no `access_token`; check token_url");
        assert!(form(r#"{"access_token":["canary"]}"#).starts_with("has an `access_token` that is not a text"));
        assert!(form(r#"{"access_token":" "}"#).ends_with("or an empty one"));
        assert_eq!(fault(r#"{"error":"invalid_client"}"#), Fault::Refused("invalid_client".into()));
        for other in ["<html>", "7", r#""t-1""#, r#"["t-1"]"#] {
            assert!(super::read(other.as_bytes()).is_none(), "{other}");
        }
    }
}
