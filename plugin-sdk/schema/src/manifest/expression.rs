//! Texts of a recipe with places that the gateway fills: `{client_id}`, `{text | hmac-sha256 app_secret | base64}`. Owns the syntax and
//! which names and functions there are; what stands behind a name, and the cryptography, is the gateway's.

use std::collections::{BTreeMap, BTreeSet};

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// What it is made of, in order.
    pub pieces: Vec<ExpressionPiece>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionPiece {
    /// As it is.
    Text(String),
    /// A named value, and what is done to it, in order.
    Value(String, Vec<ValueFunction>),
}

/// What is done to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueFunction {
    /// Small hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
    /// What base64 stands for; padding may be missing.
    Unbase64,
    /// A digest.
    Digest(ValueDigest),
    /// A keyed digest (RFC 2104); the key is the named value.
    Hmac(ValueDigest, String),
    /// Each byte with the one of this text, which is repeated.
    Xor(String),
    /// What stands before the first of this text; all of it where there is none.
    Before(String),
    /// What stands after the first of this text; nothing where there is none.
    After(String),
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
    /// Percent-encoding of everything but letters, digits and `-._~` (RFC 3986).
    Encode,
    /// Every one of the first text becomes the second.
    Replace(String, String),
}

/// A digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueDigest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Names that every recipe knows.
const OF_THE_CLOCK: &[&str] = &["time_s", "time_ms", "time_iso", "nonce"];
/// Names that stand for parts of the request that is signed.
const OF_THE_REQUEST: &[&str] = &["method", "path", "query", "sorted_query", "sorted_pairs", "body", "host"];
/// The slot's secret as a whole.
const SECRET: &str = "secret";
/// Before the name of a configuration key.
const CONFIG: &str = "config/";

const FUNCTIONS: &str = "hex, base64, unbase64, sha1, sha256, sha512, hmac-sha1, hmac-sha256, hmac-sha512, xor, before, after, lower, upper, \
                         encode, replace";

impl Expression {
    /// Reads a text with places; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// What is wrong, and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err("a `}` that closes nothing; write }} for a brace".to_owned());
            }
            let (inside, after) = rest.split_once('}').ok_or("a `{` that is not closed; write {{ for a brace")?;
            if !plain.is_empty() {
                pieces.push(ExpressionPiece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(value(inside)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(ExpressionPiece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// Every name in it, keys of keyed digests included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().flat_map(|piece| {
            let (own, functions) = match piece {
                ExpressionPiece::Text(_) => (None, [].as_slice()),
                ExpressionPiece::Value(name, functions) => (Some(name.as_str()), functions.as_slice()),
            };
            own.into_iter().chain(functions.iter().filter_map(|function| match function {
                ValueFunction::Hmac(_, key) => Some(key.as_str()),
                _ => None,
            }))
        })
    }
}

fn value(inside: &str) -> Result<ExpressionPiece, String> {
    let mut parts = split(inside).into_iter();
    let name = parts.next().unwrap_or_default().trim().to_owned();
    check_name(&name)?;
    let functions = parts.map(|part| function(part.trim())).collect::<Result<_, _>>()?;
    Ok(ExpressionPiece::Value(name, functions))
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    match !name.is_empty() && name.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{name}` is not a name: letters, digits and _-./")),
    }
}

/// A bar within quotes is part of the text.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in text.chars() {
        quoted ^= c == '\'';
        match c {
            '|' if !quoted => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
}

fn function(text: &str) -> Result<ValueFunction, String> {
    let (name, argument) = text.split_once(' ').map_or((text, ""), |(name, rest)| (name, rest.trim()));
    let quoted = || quoted(name, argument);
    let key =
        || check_name(argument).map(|()| argument.to_owned()).map_err(|why| format!("the key of `{name}`: {why}"));
    let bare = match name {
        "hmac-sha1" => return Ok(ValueFunction::Hmac(ValueDigest::Sha1, key()?)),
        "hmac-sha256" => return Ok(ValueFunction::Hmac(ValueDigest::Sha256, key()?)),
        "hmac-sha512" => return Ok(ValueFunction::Hmac(ValueDigest::Sha512, key()?)),
        "xor" => return quoted()?.filled(name).map(|[text]| ValueFunction::Xor(text)),
        "before" => return quoted()?.filled(name).map(|[text]| ValueFunction::Before(text)),
        "after" => return quoted()?.filled(name).map(|[text]| ValueFunction::After(text)),
        "replace" => return quoted()?.filled(name).map(|[from, to]| ValueFunction::Replace(from, to)),
        "hex" => ValueFunction::Hex,
        "base64" => ValueFunction::Base64,
        "unbase64" => ValueFunction::Unbase64,
        "sha1" => ValueFunction::Digest(ValueDigest::Sha1),
        "sha256" => ValueFunction::Digest(ValueDigest::Sha256),
        "sha512" => ValueFunction::Digest(ValueDigest::Sha512),
        "lower" => ValueFunction::Lower,
        "upper" => ValueFunction::Upper,
        "encode" => ValueFunction::Encode,
        _ => return Err(format!("`{name}` is not a function; there are {FUNCTIONS}")),
    };
    match argument.is_empty() {
        true => Ok(bare),
        false => Err(format!("`{name}` takes nothing behind it")),
    }
}

struct Quoted(Vec<String>);

impl Quoted {
    /// So many texts, of which the first is not empty.
    fn filled<const N: usize>(self, name: &str) -> Result<[String; N], String> {
        let wanted = vec!["'…'"; N].join(" ");
        let found: Option<[String; N]> = self.0.try_into().ok();
        found.filter(|texts| !texts[0].is_empty()).ok_or_else(|| format!("write `{name} {wanted}`"))
    }
}

/// `'a' 'b'`
fn quoted(name: &str, text: &str) -> Result<Quoted, String> {
    let mut texts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let found = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
        let (inside, after) = found.ok_or_else(|| format!("what stands behind `{name}` must be in quotes: '…'"))?;
        texts.push(inside.to_owned());
        rest = after.trim_start();
    }
    Ok(Quoted(texts))
}

/// The texts of a recipe, read together: named ones, and those that are sent.
#[derive(Debug, Clone, Default)]
pub struct Expressions<'m> {
    /// `with`: values that others may name.
    pub with: Option<&'m BTreeMap<String, String>>,
    /// The texts that are sent, by the key where they stand.
    pub sent: Vec<(String, &'m str)>,
    /// May they name parts of the request?
    pub of_request: bool,
}

impl Expressions<'_> {
    /// Everything that is wrong with them, each with its key.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let with = self.with.into_iter().flatten().map(|(name, text)| (format!("with.{name}"), text.as_str()));
        for (key, text) in with.chain(self.sent.iter().map(|(key, text)| (key.clone(), *text))) {
            match Expression::parse(text) {
                Err(why) => faults.push((key, why)),
                Ok(read) => {
                    let strange = read.names().find(|name| !self.of_request && OF_THE_REQUEST.contains(name));
                    if let Some(name) = strange.filter(|name| !self.is_with(name)) {
                        faults.push((key, format!("`{name}` is part of a request, and there is none here")));
                    }
                }
            }
        }
        for name in self.with.into_iter().flat_map(BTreeMap::keys) {
            if reserved(name) {
                faults
                    .push((format!("with.{name}"), "a name that the gateway itself gives; choose another".to_owned()));
            } else if self.is_circle(name) {
                faults.push((format!("with.{name}"), "a value that is made from itself".to_owned()));
            }
        }
        faults
    }

    /// The members of the slot's secret that they name.
    #[must_use]
    pub fn members(&self) -> BTreeSet<String> {
        let with = self.with.into_iter().flat_map(BTreeMap::values).map(String::as_str);
        let read = with.chain(self.sent.iter().map(|(_, text)| *text)).filter_map(|text| Expression::parse(text).ok());
        let names: Vec<String> = read.flat_map(|read| read.names().map(str::to_owned).collect::<Vec<_>>()).collect();
        names.into_iter().filter(|name| !self.is_with(name) && !reserved(name)).collect()
    }

    fn is_with(&self, name: &str) -> bool {
        self.with.is_some_and(|with| with.contains_key(name))
    }

    fn below(&self, name: &str) -> Vec<String> {
        let read = self.with.and_then(|with| Expression::parse(with.get(name)?).ok());
        read.into_iter().flat_map(|read| read.names().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    fn is_circle(&self, name: &str) -> bool {
        let (mut seen, mut waiting) = (BTreeSet::new(), self.below(name));
        while let Some(next) = waiting.pop() {
            if next == name {
                return true;
            }
            if seen.insert(next.clone()) {
                waiting.extend(self.below(&next));
            }
        }
        false
    }
}

fn reserved(name: &str) -> bool {
    OF_THE_CLOCK.contains(&name) || OF_THE_REQUEST.contains(&name) || name == SECRET || name.starts_with(CONFIG)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_functions_and_braces_are_read() {
        let read = Expression::parse("a{{b}}{text | hmac-sha256 app_secret | hex}{id | replace '|' '-'}").unwrap();
        assert_eq!(read.names().collect::<Vec<_>>(), ["text", "app_secret", "id"]);
        let wanted = [
            ExpressionPiece::Text("a{b}".into()),
            ExpressionPiece::Value(
                "text".into(),
                vec![ValueFunction::Hmac(ValueDigest::Sha256, "app_secret".into()), ValueFunction::Hex],
            ),
            ExpressionPiece::Value("id".into(), vec![ValueFunction::Replace("|".into(), "-".into())]),
        ];
        assert_eq!(read.pieces, wanted);
    }

    #[test]
    fn what_cannot_be_read_says_what_is_expected() {
        for (text, said) in [
            ("{a", "not closed"),
            ("a}", "closes nothing"),
            ("{}", "not a name"),
            ("{a | md4}", "there are hex"),
            ("{a | hex 'x'}", "takes nothing"),
            ("{a | xor}", "write `xor '…'`"),
            ("{a | xor ''}", "write `xor '…'`"),
            ("{a | before b}", "in quotes"),
            ("{a | replace 'b'}", "write `replace '…' '…'`"),
            ("{a | hmac-sha256}", "the key of `hmac-sha256`"),
        ] {
            let error = Expression::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn circles_parts_of_requests_and_taken_names_are_faults() {
        let with: BTreeMap<String, String> =
            [("a", "{b}"), ("b", "{c | hmac-sha1 a}"), ("nonce", "x"), ("good", "{app}")]
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into();
        let of = |of_request| Expressions { with: Some(&with), sent: vec![("fields.k".into(), "{path}")], of_request };
        let keys = |faults: Vec<(String, String)>| faults.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(of(false).faults()), ["fields.k", "with.a", "with.b", "with.nonce"]);
        assert_eq!(keys(of(true).faults()), ["with.a", "with.b", "with.nonce"]);
        assert_eq!(of(true).members().into_iter().collect::<Vec<_>>(), ["app", "c"]);
    }
}
