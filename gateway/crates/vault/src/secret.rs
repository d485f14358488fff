//! A secret value, and every way in which it could escape closed by its type.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The largest secret that is taken from any source, in bytes. A PEM key with its chain fits; a file named by mistake does not.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// A secret value: wiped from memory when dropped, shown as `[redacted]`, equal in constant time.
///
/// A slot that needs several values holds a JSON object, and each value is a [`member`](Secret::member):
///
/// ```
/// use renmen_vault::Secret;
/// let app = Secret::new(r#"{"client_id":"ding-made-up","client_secret":"not-a-real-one"}"#.to_owned());
/// assert_eq!(format!("{app:?}"), "[redacted]");
/// assert!(app.member("client_secret").is_some());
/// assert!(app.member("tenant").is_none());
/// ```
///
/// It cannot be written to a log, an answer or a file by accident, because it has no way to be serialised:
///
/// ```compile_fail,E0277
/// fn answer<T: serde::Serialize>(_: &T) {}
/// answer(&renmen_vault::Secret::new("not-a-real-one".to_owned()));
/// ```
///
/// nor to be displayed:
///
/// ```compile_fail,E0277
/// let text = format!("{}", renmen_vault::Secret::new("not-a-real-one".to_owned()));
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text as a secret. The text's own buffer is kept or wiped, never left behind.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The plain value. For egress alone, at the moment it builds a credential.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// True for the empty text: a variable that is set to nothing holds no secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// One member of a secret that is a JSON object; a number or a boolean is given as its JSON text.
    /// `None` when the secret is no JSON object, has no such member, or the member is null, an array or an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Secret> {
        self.members().into_iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The names of the members of a secret that is a JSON object, for an error that says what is there; else none.
    #[must_use]
    pub fn member_names(&self) -> Vec<String> {
        self.members().into_iter().map(|(key, _)| key).collect()
    }

    fn members(&self) -> Vec<(String, Secret)> {
        // The cheap look first: most secrets are opaque tokens, and a failed parse would copy parts of them.
        if !self.expose().trim_start().starts_with('{') {
            return Vec::new();
        }
        let Ok(object) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(self.expose()) else {
            return Vec::new();
        };
        let mut members = Vec::with_capacity(object.len());
        for (name, value) in object {
            match value {
                serde_json::Value::String(text) => members.push((name, Secret::new(text))),
                serde_json::Value::Number(number) => members.push((name, Secret::new(number.to_string()))),
                serde_json::Value::Bool(flag) => members.push((name, Secret::new(flag.to_string()))),
                _ => {}
            }
        }
        members
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// In constant time for secrets of one length; that two lengths differ may be learnt.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn debug_shows_nothing_even_inside_other_types() {
        let secret = Secret::new("canary-4711".to_owned());
        assert_eq!(format!("{:?}", Some(vec![secret])), "Some([[redacted]])");
    }

    #[test]
    fn equal_values_are_equal_and_others_are_not() {
        let one = Secret::new("same".to_owned());
        assert_eq!(one, Secret::new("same".to_owned()));
        assert_ne!(one, Secret::new("sane".to_owned()));
        assert_ne!(one, Secret::new("same but longer".to_owned()));
    }

    #[test]
    fn members_of_an_object_are_secrets_of_their_own() {
        let app = Secret::new(r#" {"client_id":"id-1","client_secret":"s\"x","port":8080,"deep":{"a":1}} "#.to_owned());
        assert_eq!(app.member("client_secret").unwrap().expose(), "s\"x");
        assert_eq!(app.member("port").unwrap().expose(), "8080");
        assert!(app.member("deep").is_none());
        assert!(app.member("absent").is_none());
        let mut names = app.member_names();
        names.sort();
        assert_eq!(names, ["client_id", "client_secret", "port"]);
    }

    #[test]
    fn a_secret_that_is_no_object_has_no_members() {
        for text in ["", "token", "{not json", "[1]", "\"x\""] {
            let secret = Secret::new(text.to_owned());
            assert!(secret.member("a").is_none(), "{text}");
            assert!(secret.member_names().is_empty(), "{text}");
        }
    }
}
