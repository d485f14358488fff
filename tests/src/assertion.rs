//! Assertions that a client signs to get a token: JWTs (RFC 7523) and SAML 2.0, judged as a vendor judges them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// The client's private key in these tests; the vendor has the certificate of it.
pub const KEY: &str = include_str!("../../gateway/crates/kit/src/conformance/keys/rsa.pem");

/// The claims of a JWT that is signed with the client's key.
#[must_use]
pub fn jwt(text: &str) -> Option<Value> {
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let rs256 = part(header)?["alg"] == "RS256";
    (rs256 && is_signed(signed, &URL_SAFE_NO_PAD.decode(signature).ok()?)).then(|| part(claims)).flatten()
}

/// What a SAML assertion says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saml {
    pub issuer: String,
    pub name: String,
    pub audience: String,
    pub recipient: String,
    pub not_before: jiff::Timestamp,
    pub not_after: jiff::Timestamp,
}

/// An assertion in base64 that is signed with the client's key: the digest is that of the assertion without its signature, and the
/// signature that of what names the digest.
#[must_use]
pub fn saml(text: &str) -> Option<Saml> {
    let xml = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let signature = between(&xml, "<ds:Signature ", "</ds:Signature>")?;
    let digest = STANDARD.encode(Sha256::digest(xml.replace(signature, "")));
    let signed = between(signature, "<ds:SignedInfo ", "</ds:SignedInfo>")?;
    let value = STANDARD.decode(inner(signature, "<ds:SignatureValue>", "<")?).ok()?;
    if inner(signature, "<ds:DigestValue>", "<")? != digest || !is_signed(signed, &value) {
        return None;
    }
    Some(Saml {
        issuer: inner(&xml, "<saml2:Issuer>", "<")?.to_owned(),
        name: inner(between(&xml, "<saml2:NameID", "</saml2:NameID>")?, ">", "<")?.to_owned(),
        audience: inner(&xml, "<saml2:Audience>", "<")?.to_owned(),
        recipient: inner(&xml, "Recipient=\"", "\"")?.to_owned(),
        not_before: inner(&xml, "NotBefore=\"", "\"")?.parse().ok()?,
        not_after: inner(&xml, "NotOnOrAfter=\"", "\"")?.parse().ok()?,
    })
}

fn is_signed(message: &str, signature: &[u8]) -> bool {
    let Ok(PrivateKeyDer::Pkcs8(der)) = PrivateKeyDer::from_pem_slice(KEY.as_bytes()) else { return false };
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    key.verify(message.as_bytes(), signature).is_ok()
}

/// From the first of two texts to the end of the second.
fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let start = text.find(from)?;
    let length = text[start..].find(to)? + to.len();
    text.get(start..start + length)
}

/// What stands between two texts.
fn inner<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    text.split_once(from)?.1.split_once(to).map(|(inner, _)| inner)
}
