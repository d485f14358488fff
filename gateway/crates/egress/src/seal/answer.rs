//! The sealed answer to a delivery, as `[webhook.answer]` of the manifest says. The connector gives the text; frame, padding, time,
//! nonce and signature are made here, and the connector never sees what became of its text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_schema::manifest::{AnswerManifest, ProofManifest, SealKind, SignedPart};
use serde_json::Value;

use super::door::{FRAME_RANDOM, owner};
use super::{Seal, cipher, digest};
use crate::EgressError;

/// Characters of a nonce that is made here: hexadecimal digits.
pub const NONCE_CHARS: usize = 16;

impl Seal {
    /// The answer's body, a JSON object.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for an empty slot, [`EgressError::BadRequest`] for an `owner` that names a configuration key which is
    /// not set, or a manifest that says how nothing is opened.
    pub fn answer(
        &self,
        proof: &ProofManifest,
        answer: &AnswerManifest,
        config: &Value,
        text: &[u8],
        now_ms: i64,
    ) -> Result<Vec<u8>, EgressError> {
        let nothing = || EgressError::BadRequest("[webhook.proof] opens nothing, so no answer can be sealed".into());
        let open = proof.open.as_ref().ok_or_else(nothing)?;
        let (seal, key) = self.host(&open.slot, &[SealKind::Cbc, SealKind::CbcKeyIv])?;
        let plain = framed(text, owner(open, config)?.as_deref())?;
        let sealed = cipher::encrypt(seal.scheme.kind(), key, &plain).ok_or_else(nothing)?;
        let cipher = STANDARD.encode(sealed);
        let nonce = hex::encode(rand::random::<[u8; NONCE_CHARS / 2]>());
        let seconds = proof.signs("time_s");
        let time = if seconds { now_ms.div_euclid(1_000) } else { now_ms }.to_string();

        let (seal, key) = self.host(&proof.slot, &[SealKind::Hmac, SealKind::Digest, SealKind::SortedDigest])?;
        let piece = |part: &SignedPart| match part {
            SignedPart::Key {} => Ok(key),
            SignedPart::TimeMs { .. } | SignedPart::TimeS { .. } => Ok(time.as_bytes()),
            SignedPart::Nonce { .. } => Ok(nonce.as_bytes()),
            SignedPart::Cipher {} => Ok(cipher.as_bytes()),
            // The body of an answer holds its own signature.
            SignedPart::Body {} => Err(EgressError::BadRequest("an answer cannot be signed over its body".into())),
        };
        let pieces = proof.signed.iter().map(piece).collect::<Result<Vec<_>, _>>()?;
        let signature = hex::encode(digest::of_pieces(seal.scheme, key, &pieces)?);
        let filled = |text: &str| {
            let known = [("{cipher}", &cipher), ("{signature}", &signature), ("{time}", &time), ("{nonce}", &nonce)];
            known.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
        };
        let members = answer.body.iter().map(|(name, text)| (name.clone(), Value::from(filled(text))));
        Ok(Value::Object(members.collect()).to_string().into_bytes())
    }
}

/// With random bytes, length and owner where texts are framed.
fn framed(text: &[u8], owner: Option<&str>) -> Result<Vec<u8>, EgressError> {
    let Some(owner) = owner else { return Ok(text.to_vec()) };
    let length = u32::try_from(text.len()).map_err(|_| EgressError::Limit {
        limit: "answer_bytes_max",
        message: format!("an answer of {} bytes cannot be framed", text.len()),
    })?;
    let random: [u8; FRAME_RANDOM] = rand::random();
    Ok([random.as_slice(), &length.to_be_bytes(), text, owner.as_bytes()].concat())
}
