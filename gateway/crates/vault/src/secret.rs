//! A secret value, and every way in which it could escape closed by its type.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The largest secret that is taken from any source, in bytes. A PEM key with its chain fits; a file named by mistake does not.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// A secret value: wiped from memory when dropped, shown as `[redacted]`, equal in constant time.
///
/// A slot that needs several values holds a JSON object; which of its members are secret is the user's question, not the vault's:
///
/// ```
/// use renmen_vault::Secret;
/// let app = Secret::new(r#"{"client_id":"ding-made-up","client_secret":"not-a-real-one"}"#.to_owned());
/// assert_eq!(format!("{app:?}"), "[redacted]");
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
}
