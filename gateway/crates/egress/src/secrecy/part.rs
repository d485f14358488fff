//! Which texts of a slot's secret are secret. Owns that question alone; where they are looked for is `search`'s business.

use renmen_schema::manifest::AuthRecipe;
use zeroize::Zeroizing;

/// Shorter texts are not looked for: they would be found everywhere (`true`, `admin`). Bytes.
pub(crate) const SECRET_BYTES_MIN: usize = 6;

/// One text that must not be seen.
pub(crate) struct Part {
    /// Where in a secret that is JSON: `client_secret`, `app/keys/0`. None for the secret as a whole.
    pub(crate) member: Option<String>,
    pub(crate) text: Zeroizing<String>,
}

/// What a slot's secret amounts to. Not `Debug`: it is the plain text.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) secret: Vec<Part>,
    /// Texts that the operator says are identifiers: no piece of them is looked for, even if it is also a piece of a
    /// secret.
    pub(crate) public: Vec<Zeroizing<String>>,
    /// Members and secrets too short to be looked for.
    pub(crate) too_short: usize,
}

/// The parts of a slot's secret.
///
/// - Of a JSON object or list every text and number at any depth, except for the members that `public` names. The JSON
///   around them is not secret. Nothing is guessed from a member's name: the manifest's author names the members, so it
///   would be the author's guess.
/// - Of `user:password` (recipe `basic`) the whole and the password. A user's name is in the vendor's own data, and
///   it is not enough to log in.
/// - Of anything else the whole.
///
/// # Errors
/// A name in `public` that the secret does not have, with the names that it has.
pub(crate) fn parts(secret: &str, recipe: Option<&AuthRecipe>, public: &[String]) -> Result<Parts, String> {
    // A secret from a file ends in a line break, which is not sent and so not looked for.
    let secret = secret.trim();
    let mut parts = Parts::default();
    let json = secret.starts_with(['{', '[']).then(|| serde_json::from_str::<serde_json::Value>(secret).ok()).flatten();
    match json {
        Some(json) => {
            check_public(&json, public)?;
            leaves(&json, "", public, &mut parts);
        }
        None if !public.is_empty() => {
            return Err("`public` names members of a secret that is a JSON object; this one is a plain text".to_owned());
        }
        None => {
            parts.add(None, secret);
            if let (Some(AuthRecipe::Basic {}), Some((user, password))) = (recipe, secret.split_once(':')) {
                parts.add(Some("password".to_owned()), password);
                parts.public.push(Zeroizing::new(user.to_owned()));
            }
        }
    }
    Ok(parts)
}

impl Parts {
    fn add(&mut self, member: Option<String>, text: &str) {
        let text = text.trim();
        if text.len() >= SECRET_BYTES_MIN {
            self.secret.push(Part { member, text: Zeroizing::new(text.to_owned()) });
        } else if !text.is_empty() {
            self.too_short += 1;
        }
    }
}

/// A name is of the outermost object, or a JSON Pointer: `client_id`, `/app/id`.
fn check_public(json: &serde_json::Value, public: &[String]) -> Result<(), String> {
    for name in public {
        let found = if name.starts_with('/') { json.pointer(name) } else { json.get(name) };
        if found.is_none() {
            let known = json
                .as_object()
                .map_or_else(String::new, |members| members.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
            return Err(format!("`public` names `{name}`, which the secret does not have; it has: {known}"));
        }
    }
    Ok(())
}

fn leaves(value: &serde_json::Value, path: &str, public: &[String], parts: &mut Parts) {
    if public.iter().any(|name| path.strip_prefix('/') == Some(name) || path == name) {
        publish(value, &mut parts.public);
        return;
    }
    let member = || Some(path.trim_start_matches('/').to_owned());
    match value {
        serde_json::Value::String(text) => parts.add(member(), text),
        serde_json::Value::Number(number) => parts.add(member(), &number.to_string()),
        serde_json::Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}/{at}"), public, parts);
            }
        }
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                // As RFC 6901 writes it, so that a slash in a name is not one between two.
                let name = renmen_schema::pointer::escape(name);
                leaves(value, &format!("{path}/{name}"), public, parts);
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

fn publish(value: &serde_json::Value, public: &mut Vec<Zeroizing<String>>) {
    match value {
        serde_json::Value::String(text) => public.push(Zeroizing::new(text.clone())),
        serde_json::Value::Number(number) => public.push(Zeroizing::new(number.to_string())),
        serde_json::Value::Array(items) => items.iter().for_each(|item| publish(item, public)),
        serde_json::Value::Object(members) => members.values().for_each(|member| publish(member, public)),
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(secret: &str, recipe: Option<&AuthRecipe>, public: &[&str]) -> Vec<(String, String)> {
        let public: Vec<String> = public.iter().map(ToString::to_string).collect();
        let parts = parts(secret, recipe, &public).unwrap();
        let pairs = parts.secret.iter().map(|part| (part.member.clone().unwrap_or_default(), part.text.to_string()));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort();
        pairs
    }

    fn pair(member: &str, text: &str) -> (String, String) {
        (member.to_owned(), text.to_owned())
    }

    #[test]
    fn every_member_is_secret_whatever_it_is_called() {
        let secret = r#"{"secret_id":"role-secret-1","client_id":"app-123456","pin":12345678,"on":true,"none":null}"#;
        assert_eq!(
            found(secret, None, &[]),
            [pair("client_id", "app-123456"), pair("pin", "12345678"), pair("secret_id", "role-secret-1")]
        );
    }

    #[test]
    fn nested_members_and_lists_are_secret() {
        let secret = r#"{"app":{"keys":["key-number-1",{"b/c":"key-number-2"}]}}"#;
        assert_eq!(
            found(secret, None, &[]),
            [pair("app/keys/0", "key-number-1"), pair("app/keys/1/b~1c", "key-number-2")]
        );
        assert_eq!(found(r#"["in-a-list-1"]"#, None, &[]), [pair("0", "in-a-list-1")]);
    }

    #[test]
    fn what_the_operator_calls_public_is_not_secret_and_nothing_else() {
        let secret = r#"{"client_id":"app-123456","client_secret":"s3cret-value","app":{"id":"also-public","key":"not-public"}}"#;
        assert_eq!(
            found(secret, None, &["client_id", "/app/id"]),
            [pair("app/key", "not-public"), pair("client_secret", "s3cret-value")]
        );
        // A whole branch.
        assert_eq!(found(secret, None, &["app", "client_id"]), [pair("client_secret", "s3cret-value")]);
    }

    #[test]
    fn a_public_member_that_is_not_there_is_told_with_those_that_are() {
        let refused = |secret: &str, name: &str| parts(secret, None, &[name.to_owned()]).err().unwrap();
        let error = refused(r#"{"client_id":"app-123456","client_secret":"s3cret-value"}"#, "clientid");
        assert!(error.contains("`clientid`") && error.contains("client_id, client_secret"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
        assert!(refused("plain-text-secret", "client_id").contains("plain text"));
    }

    #[test]
    fn of_user_and_password_the_password_is_secret_and_the_name_is_not() {
        let basic = found("service:pass-word-9", Some(&AuthRecipe::Basic {}), &[]);
        assert_eq!(basic, [pair("", "service:pass-word-9"), pair("password", "pass-word-9")]);
        assert_eq!(found("service:pass-word-9", None, &[]), [pair("", "service:pass-word-9")]);
    }

    #[test]
    fn short_texts_are_counted_and_not_looked_for() {
        assert!(found("12345", None, &[]).is_empty());
        assert_eq!(found("123456\n", None, &[]), [pair("", "123456")]);
        let parts = parts(r#"{"a":"short","b":"long-enough"}"#, None, &[]).unwrap();
        assert_eq!((parts.secret.len(), parts.too_short), (1, 1));
    }

    #[test]
    fn what_only_looks_like_json_is_a_text() {
        assert_eq!(found("{not json}", None, &[]), [pair("", "{not json}")]);
    }
}
