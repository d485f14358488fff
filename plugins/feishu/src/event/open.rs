//! Proves that a delivery is the vendor's, and decrypts it. Page "步骤三：接收事件".
//!
//! Only encrypted deliveries are taken: without an Encrypt Key the vendor signs nothing, and its verification token travels in
//! clear. Everything but the one question about the address must bear a signature over the body as it came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_plugin::seal::{self, Part};
use renmen_plugin::{Delivery, Failure, FailureKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::Config;

/// The slot of the Encrypt Key.
const KEY: &str = "encrypt_key";
/// The slot of the verification token.
const TOKEN: &str = "verification_token";

/// What a delivery turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The vendor asks whether this address is ours: the answer repeats the text.
    Challenge(String),
    /// Something happened.
    Event(Event),
}

/// Something that happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The vendor's id of it, the same each time that it is sent.
    pub(super) id: String,
    /// `hire.application.stage_changed_v1`.
    pub(super) kind: String,
    /// When it was made, in milliseconds.
    pub(super) created_ms: Option<i64>,
    /// JSON of what it is about.
    pub(super) about: String,
}

#[derive(Deserialize)]
struct Sealed {
    encrypt: String,
}

#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    challenge: Option<String>,
    token: Option<String>,
    header: Option<Header>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Header {
    event_id: String,
    event_type: String,
    token: Option<String>,
    #[serde(default, deserialize_with = "crate::api::loose::whole")]
    create_time: Option<i64>,
}

/// One answer for whatever is not the vendor's: which of the checks failed helps only those who try.
fn refused() -> Failure {
    Failure::auth_required(
        "this is no delivery of the vendor's: its signature, time, token or encryption does not fit; \
         check the slot `encrypt_key` against the Encrypt Key of the app's console",
    )
}

/// # Errors
/// `AuthRequired` for what is not the vendor's, `UpstreamChanged` for an event of an unknown shape.
pub(super) fn open(config: &Config, delivery: &Delivery) -> Result<Opened, Failure> {
    let Ok(Sealed { encrypt }) = serde_json::from_slice(&delivery.body) else {
        return Err(Failure::auth_required(
            "a delivery that is not encrypted: set an Encrypt Key in the app's console, and the same in the slot `encrypt_key`",
        ));
    };
    let signed = match delivery.header("x-lark-signature") {
        Some(signature) => {
            check_signature(delivery, signature)?;
            true
        }
        None => false,
    };
    let cipher = STANDARD.decode(encrypt.as_bytes()).map_err(|_| refused())?;
    let plain = seal::decrypt(KEY, "aes-256-cbc:sha256", &cipher).map_err(without_detail)?;
    let Ok(plain) = serde_json::from_slice::<Plain<'_>>(&plain) else {
        return Err(if signed { Failure::upstream_changed("an event that is no JSON object") } else { refused() });
    };
    if plain.kind.as_deref() == Some("url_verification") {
        check_token(config, plain.token.as_deref())?;
        return plain.challenge.map(Opened::Challenge).ok_or_else(refused);
    }
    if !signed {
        return Err(refused());
    }
    let Some(header) = plain.header else {
        return Err(Failure::upstream_changed("an event without a header: only events of version 2.0 are known here"));
    };
    check_token(config, header.token.as_deref())?;
    Ok(Opened::Event(Event {
        id: header.event_id,
        kind: header.event_type,
        created_ms: header.create_time,
        about: plain.event.map_or_else(|| "null".to_owned(), |event| event.get().to_owned()),
    }))
}

/// Hex SHA-256 of time, nonce, key and the body as it came.
fn check_signature(delivery: &Delivery, signature: &str) -> Result<(), Failure> {
    let time = delivery.header("x-lark-request-timestamp").unwrap_or_default();
    let nonce = delivery.header("x-lark-request-nonce").unwrap_or_default();
    let signature = hex::decode(signature.trim()).map_err(|_| refused())?;
    let parts = [Part::Bytes(time.as_bytes()), Part::Bytes(nonce.as_bytes()), Part::Key, Part::Bytes(&delivery.body)];
    if !seal::verify(KEY, "sha256", &parts, &signature)? {
        return Err(refused());
    }
    // Proven to be the vendor's own time by now.
    let seconds: i64 = time.trim().parse().map_err(|_| refused())?;
    delivery.check_age(seconds.saturating_mul(1_000))
}

/// The token is compared without this connector knowing it: a digest of both is.
fn check_token(config: &Config, token: Option<&str>) -> Result<(), Failure> {
    if !config.check_verification_token {
        return Ok(());
    }
    const SALT: &[u8] = b"verification token:";
    let expected = Sha256::new().chain_update(SALT).chain_update(token.unwrap_or_default()).finalize();
    let same = seal::verify(TOKEN, "sha256", &[Part::Bytes(SALT), Part::Key], &expected)?;
    if same { Ok(()) } else { Err(refused()) }
}

/// An empty slot is for the operator. Anything else is a text that this key did not make, and how far it was off is nobody's
/// business.
fn without_detail(failure: Failure) -> Failure {
    if failure.kind == FailureKind::AuthRequired { failure } else { refused() }
}
