//! The values behind the names of a recipe's texts. Errors name a place and never a value.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use renmen_origin::config_text;
use renmen_schema::manifest::{Expression, ExpressionPiece, ValueDigest, ValueFunction};
use renmen_vault::Secret;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::member::{member_text, members};
use crate::EgressError;
use crate::wire::Outgoing;

/// How deep values may name each other: the manifest's check finds circles, this ends what got past it.
const DEPTH_MAX: usize = 16;

/// Bytes of a nonce; it is sent in hexadecimal digits.
const NONCE_BYTES: usize = 16;

/// Vendors give keys with and without padding, and with last bits that are not zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

type Bytes = Zeroizing<Vec<u8>>;

/// The time and the random text of one attempt.
pub(crate) struct Moment {
    pub(crate) now_ms: i64,
    pub(crate) nonce: String,
}

impl Moment {
    pub(crate) fn at(now_ms: i64) -> Self {
        Self { now_ms, nonce: hex::encode(rand::random::<[u8; NONCE_BYTES]>()) }
    }
}

/// What names stand for.
pub(crate) struct Values<'v> {
    secret: &'v Secret,
    members: BTreeMap<String, serde_json::Value>,
    with: Option<&'v BTreeMap<String, Expression>>,
    config: &'v serde_json::Value,
    moment: &'v Moment,
    request: Option<&'v Outgoing>,
}

impl<'v> Values<'v> {
    pub(crate) fn new(secret: &'v Secret, config: &'v serde_json::Value, moment: &'v Moment) -> Self {
        // A secret that is a plain text has no members; which are wanted is told when one is missing.
        let members = members(secret).unwrap_or_default();
        Self { secret, members, with: None, config, moment, request: None }
    }

    /// With named values.
    pub(crate) fn with(self, with: &'v BTreeMap<String, Expression>) -> Self {
        Self { with: Some(with), ..self }
    }

    /// With the parts of a request.
    pub(crate) fn of_request(self, request: &'v Outgoing) -> Self {
        Self { request: Some(request), ..self }
    }

    /// The text of a member of the slot's secret.
    ///
    /// # Errors
    /// [`EgressError::Auth`] where there is none.
    pub(crate) fn member(&self, name: &str) -> Result<Zeroizing<String>, EgressError> {
        let text = member_text(&self.members, name);
        text.map(Zeroizing::new)
            .ok_or_else(|| EgressError::Auth(format!("the slot's secret has no text member `{name}`")))
    }

    /// The text, filled.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for a name that stands for nothing, and for bytes that are not text.
    pub(crate) fn text(&self, expression: &Expression) -> Result<Zeroizing<String>, EgressError> {
        let bytes = self.bytes(expression, 0)?;
        String::from_utf8(bytes.to_vec()).map(Zeroizing::new).map_err(|_| {
            EgressError::Auth(
                "a value of the recipe is bytes and no text: add `hex` or `base64` to it in plugin.toml".into(),
            )
        })
    }

    fn bytes(&self, expression: &Expression, depth: usize) -> Result<Bytes, EgressError> {
        let mut filled = Zeroizing::new(Vec::new());
        for piece in &expression.pieces {
            match piece {
                ExpressionPiece::Text(text) => filled.extend_from_slice(text.as_bytes()),
                ExpressionPiece::Value(name, functions) => {
                    let mut value = self.named(name, depth)?;
                    for function in functions {
                        value = self.apply(function, &value, name, depth)?;
                    }
                    filled.extend_from_slice(&value);
                }
            }
        }
        Ok(filled)
    }

    fn named(&self, name: &str, depth: usize) -> Result<Bytes, EgressError> {
        if let Some(expression) = self.with.and_then(|with| with.get(name)) {
            if depth == DEPTH_MAX {
                return Err(EgressError::Auth(format!("value `{name}` of the recipe is made from itself")));
            }
            return self.bytes(expression, depth + 1);
        }
        if let Some(key) = name.strip_prefix("config/") {
            let text = config_text(self.config, key).or_else(|| Some(self.config.get(key)?.as_i64()?.to_string()));
            let text =
                text.ok_or_else(|| EgressError::Auth(format!("configuration key `{key}` is not set to a text")))?;
            return Ok(Zeroizing::new(text.into_bytes()));
        }
        let plain = match name {
            "secret" => self.secret.expose().trim().to_owned(),
            "nonce" => self.moment.nonce.clone(),
            "time_ms" => self.moment.now_ms.to_string(),
            "time_s" => self.moment.now_ms.div_euclid(1000).to_string(),
            "time_iso" => jiff::Timestamp::from_millisecond(self.moment.now_ms)
                .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
                .unwrap_or_default(),
            _ => match self.request.and_then(|request| part_of(request, name)) {
                Some(part) => return Ok(Zeroizing::new(part)),
                None => return self.member(name).map(|text| Zeroizing::new(text.as_bytes().to_vec())),
            },
        };
        Ok(Zeroizing::new(plain.into_bytes()))
    }

    fn apply(&self, function: &ValueFunction, value: &[u8], name: &str, depth: usize) -> Result<Bytes, EgressError> {
        let text = || {
            std::str::from_utf8(value)
                .map_err(|_| EgressError::Auth(format!("value `{name}` of the recipe is bytes and no text")))
        };
        Ok(Zeroizing::new(match function {
            ValueFunction::Hex => hex::encode(value).into_bytes(),
            ValueFunction::Base64 => STANDARD.encode(value).into_bytes(),
            ValueFunction::Unbase64 => {
                let bare =
                    Zeroizing::new(value.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>());
                LENIENT
                    .decode(&*bare)
                    .map_err(|_| EgressError::Auth(format!("value `{name}` of the recipe is not base64")))?
            }
            ValueFunction::Digest(digest) => hashed(*digest, value),
            ValueFunction::Hmac(digest, key) => keyed(*digest, &self.named(key, depth)?, value)?,
            ValueFunction::Xor(with) => value.iter().zip(with.bytes().cycle()).map(|(own, with)| own ^ with).collect(),
            ValueFunction::Before(mark) => {
                let text = text()?;
                text.split_once(mark.as_str()).map_or(text, |(before, _)| before).as_bytes().to_vec()
            }
            ValueFunction::After(mark) => {
                text()?.split_once(mark.as_str()).map_or("", |(_, after)| after).as_bytes().to_vec()
            }
            ValueFunction::Lower => text()?.to_lowercase().into_bytes(),
            ValueFunction::Upper => text()?.to_uppercase().into_bytes(),
            ValueFunction::Encode => encoded(value).into_bytes(),
            ValueFunction::Replace(from, to) => text()?.replace(from.as_str(), to).into_bytes(),
        }))
    }
}

/// A part of the request as it goes out.
fn part_of(request: &Outgoing, name: &str) -> Option<Vec<u8>> {
    let pairs = || {
        let mut pairs: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        pairs.sort();
        pairs
    };
    Some(match name {
        "method" => request.method.as_str().as_bytes().to_vec(),
        "path" => request.url.path().as_bytes().to_vec(),
        "query" => request.url.query().unwrap_or_default().as_bytes().to_vec(),
        "sorted_query" => {
            let pair =
                |(key, value): &(String, String)| format!("{}={}", encoded(key.as_bytes()), encoded(value.as_bytes()));
            pairs().iter().map(pair).collect::<Vec<_>>().join("&").into_bytes()
        }
        "sorted_pairs" => pairs().into_iter().flat_map(|(key, value)| [key, value]).collect::<String>().into_bytes(),
        "body" => request.body.as_deref().unwrap_or_default().to_vec(),
        "host" => {
            let port = request.url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", request.url.host_str().unwrap_or_default()).into_bytes()
        }
        _ => return None,
    })
}

/// RFC 3986: everything but unreserved characters.
fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn hashed(digest: ValueDigest, value: &[u8]) -> Vec<u8> {
    match digest {
        ValueDigest::Sha1 => Sha1::digest(value).to_vec(),
        ValueDigest::Sha256 => Sha256::digest(value).to_vec(),
        ValueDigest::Sha512 => Sha512::digest(value).to_vec(),
    }
}

fn keyed(digest: ValueDigest, key: &[u8], value: &[u8]) -> Result<Vec<u8>, EgressError> {
    fn of<M: Mac + KeyInit>(key: &[u8], value: &[u8]) -> Result<Vec<u8>, EgressError> {
        let mut mac = <M as KeyInit>::new_from_slice(key)
            .map_err(|_| EgressError::Auth("the slot's key cannot be used for HMAC".into()))?;
        mac.update(value);
        Ok(mac.finalize().into_bytes().to_vec())
    }
    if key.is_empty() {
        return Err(EgressError::Auth("a key of the recipe is empty: check the slot's secret".into()));
    }
    match digest {
        ValueDigest::Sha1 => of::<Hmac<Sha1>>(key, value),
        ValueDigest::Sha256 => of::<Hmac<Sha256>>(key, value),
        ValueDigest::Sha512 => of::<Hmac<Sha512>>(key, value),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const SECRET: &str = r#"{"app_id":"209527_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX","app_key":"k&y","number":7}"#;

    fn outgoing() -> Outgoing {
        Outgoing {
            method: http::Method::POST,
            url: url::Url::parse("https://a.test:8443/v1/a%20b?b=2&a=x%2Fy&a=1").unwrap(),
            headers: http::HeaderMap::new(),
            body: Some("{}".into()),
        }
    }

    fn text(written: &str) -> Result<String, String> {
        let (secret, config) = (Secret::new(SECRET.to_owned()), json!({ "org": "o-1", "lcid": 2052 }));
        let moment = Moment { now_ms: 1_700_000_000_123, nonce: "n-1".into() };
        let with = [("twice", "{app_key}{app_key}"), ("loop", "{loop}")]
            .map(|(name, text)| (name.to_owned(), Expression::parse(text).unwrap()))
            .into();
        let request = outgoing();
        let values = Values::new(&secret, &config, &moment).with(&with).of_request(&request);
        let text = values.text(&Expression::parse(written).unwrap());
        text.map(|text| text.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_stand_for_the_secret_the_clock_the_configuration_and_the_request() {
        for (written, wanted) in [
            ("{app_key}/{number}/{config/org}/{config/lcid}", "k&y/7/o-1/2052"),
            ("{time_s} {time_ms} {time_iso} {nonce}", "1700000000 1700000000123 2023-11-14T22:13:20Z n-1"),
            ("{method} {path} {query} {host}", "POST /v1/a%20b b=2&a=x%2Fy&a=1 a.test:8443"),
            ("{sorted_query}", "a=1&a=x%2Fy&b=2"),
            ("{sorted_pairs}", "a1ax/yb2"),
            ("{twice | encode}", "k%26yk%26y"),
            ("{secret | sha256 | hex | upper | before '0' | lower}", &sha256_of_secret()),
        ] {
            assert_eq!(text(written).as_deref(), Ok(wanted), "{written}");
        }
    }

    fn sha256_of_secret() -> String {
        hex::encode(Sha256::digest(SECRET)).split('0').next().unwrap().to_owned()
    }

    #[test]
    fn digests_are_those_of_their_standards() {
        // RFC 2202 and RFC 4231, test case 2 with the key in a member; FIPS 180 for the empty text.
        let keyed = |digest| hex::encode(super::keyed(digest, b"Jefe", b"what do ya want for nothing?").unwrap());
        assert_eq!(keyed(ValueDigest::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(keyed(ValueDigest::Sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(hex::encode(hashed(ValueDigest::Sha1, b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }

    #[test]
    fn a_key_that_is_made_from_a_part_of_the_secret_is_made_here() {
        let made = "{app_id | after '_' | unbase64 | xor '0054f397c6234378b09ca7d3e5debce7' | base64}";
        assert_eq!(text(made).unwrap(), "MDE3N2I2PzBrPzg4OD45N3IhK3B1InIk");
        assert_eq!(text("{app_id | before '_'}").unwrap(), "209527");
    }

    #[test]
    fn what_stands_for_nothing_is_named_and_nothing_is_repeated() {
        for (written, said) in [
            ("{app_secret}", "no text member `app_secret`"),
            ("{config/none}", "configuration key `none`"),
            ("{app_key | sha256}", "add `hex` or `base64`"),
            ("{app_key | unbase64}", "`app_key` of the recipe is not base64"),
            ("{loop}", "made from itself"),
            ("{app_key | hmac-sha256 none | hex}", "no text member `none`"),
        ] {
            let error = text(written).unwrap_err();
            assert!(error.contains(said) && !error.contains("k&y"), "{written}: {error}");
        }
    }
}
