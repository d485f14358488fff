//! The envelope of a callback: signature, age, cipher, owner; and the answer in the same envelope.
//!
//! As the official library dingtalk-callback-Crypto does it: the signature is the SHA-1 of token, timestamp, nonce and cipher
//! text, sorted; the plain text is 16 random bytes, the length in 4 bytes (big-endian), the message, the owner.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_plugin::seal::{self, Part};
use renmen_plugin::{Answer, Delivery, Failure, FailureKind, clock};
use serde::Deserialize;

use crate::Config;

/// The slot with the token that signs.
const TOKEN: &str = "callback_token";
/// The slot with the AES key of 43 characters.
const KEY: &str = "callback_key";
const SIGN: &str = "sha1-sorted";
const CIPHER: &str = "aes-256-cbc-key-iv:base64";
/// Random bytes before the length.
const SALT: usize = 16;
/// The head of a plain text: salt and length.
const HEAD: usize = SALT + 4;

/// What the vendor wants to read.
const SUCCESS: &[u8] = b"success";

/// The message of a callback, once its signature, its age and its owner are right.
///
/// # Errors
/// [`FailureKind::AuthRequired`](renmen_plugin::FailureKind) for what the vendor did not sign, or signed for somebody else.
pub(super) fn open(config: &Config, delivery: &Delivery) -> Result<Vec<u8>, Failure> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        encrypt: Cow<'a, str>,
    }
    let owner = owner(config)?;
    let query = Query::of(&delivery.path_and_query);
    let signature = query.get(&["msg_signature", "signature"])?;
    let timestamp = query.get(&["timestamp", "timeStamp"])?;
    let nonce = query.get(&["nonce"])?;
    let body: Body<'_> = super::read(&delivery.body)?;

    let signature = unhex(&signature).ok_or_else(|| refused("the signature is no hexadecimal text"))?;
    let parts = [Part::Key, part(&timestamp), part(&nonce), part(&body.encrypt)];
    if !seal::verify(TOKEN, SIGN, &parts, &signature)? {
        return Err(refused("the signature is wrong: check the slot `callback_token` against the vendor's console"));
    }
    delivery.check_age(signed_at_ms(&timestamp)?)?;
    let cipher = STANDARD.decode(body.encrypt.as_bytes()).map_err(|_| refused("the cipher text is no base64"))?;
    let plain = seal::decrypt(KEY, CIPHER, &cipher).map_err(|failure| match failure.kind {
        FailureKind::Internal | FailureKind::InvalidInput => {
            refused("the cipher text is not of this key: check the slot `callback_key`")
        }
        _ => failure,
    })?;
    let (message, whose) = split(&plain)
        .ok_or_else(|| refused("the plain text is not laid out as the vendor does: check `callback_key`"))?;
    if whose != owner.as_bytes() {
        return Err(refused("the event is for another app or company than `callback_owner`"));
    }
    Ok(message.to_vec())
}

/// The encrypted and signed `success` that the vendor waits for. `asked` is the body that it answers.
///
/// # Errors
/// A slot that is not there.
pub(super) fn success(config: &Config, asked: &[u8]) -> Result<Answer, Failure> {
    let timestamp = clock::now_ms().to_string();
    // There are no random numbers in a sandbox. What only the holder of the key can foretell serves as well: every delivery
    // has another body, and what is hidden is the word `success`.
    let chance = seal::sign(KEY, "hmac-sha256:base64", &[part("answer"), part(&timestamp), Part::Bytes(asked)])?;
    let (salt, rest) =
        chance.split_first_chunk::<SALT>().ok_or_else(|| Failure::internal("a digest of 32 bytes is shorter"))?;
    let nonce = hex(&rest[..8]);

    let owner = owner(config)?.as_bytes();
    let length = (SUCCESS.len() as u32).to_be_bytes();
    let plain = [salt.as_slice(), &length, SUCCESS, owner].concat();
    let encrypt = STANDARD.encode(seal::encrypt(KEY, CIPHER, &plain)?);
    let signature = seal::sign(TOKEN, SIGN, &[Part::Key, part(&timestamp), part(&nonce), part(&encrypt)])?;
    let body = serde_json::json!({
        "msg_signature": hex(&signature), "timeStamp": timestamp, "nonce": nonce, "encrypt": encrypt,
    });
    Ok(Answer {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_string().into_bytes(),
    })
}

/// Can both slots be used for what they are for?
///
/// # Errors
/// What is wrong with a slot.
pub fn check_keys() -> Result<(), Failure> {
    seal::sign(TOKEN, SIGN, &[Part::Key, part("probe")])?;
    seal::encrypt(KEY, CIPHER, b"probe").map(drop)
}

fn owner(config: &Config) -> Result<&str, Failure> {
    config.callback_owner.as_deref().ok_or_else(|| {
        Failure::bad_config("`callback_owner` is not set: the app's Client ID, for whom the vendor encrypts")
    })
}

/// When it was signed, in milliseconds. Both units are seen; no callback is from before 1973.
fn signed_at_ms(timestamp: &str) -> Result<i64, Failure> {
    let number: i64 = timestamp.parse().map_err(|_| refused("the timestamp is no number"))?;
    Ok(if number < 100_000_000_000 { number.saturating_mul(1_000) } else { number })
}

/// Message and owner of a plain text.
fn split(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = plain.get(SALT..HEAD)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    plain[HEAD..].split_at_checked(length)
}

fn refused(message: &str) -> Failure {
    Failure::auth_required(format!("a callback was refused: {message}"))
}

fn part(text: &str) -> Part<'_> {
    Part::Bytes(text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// The parameters behind the `?`.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn of(path_and_query: &'a str) -> Self {
        Self(path_and_query.split_once('?').map_or("", |(_, query)| query))
    }

    /// The first parameter that has one of these names: they changed over the years.
    fn get(&self, names: &[&str]) -> Result<String, Failure> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| names.contains(name));
        let (_, value) = found.ok_or_else(|| refused(&format!("the address carries no `{}`", names[0])))?;
        decode(value).ok_or_else(|| refused(&format!("`{}` in the address is no text", names[0])))
    }
}

/// Takes percent-encoding off.
fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (pair, after) = after.split_at_checked(2)?;
            bytes.extend(unhex(std::str::from_utf8(pair).ok()?)?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
