//! Proving and opening what a vendor sends, as `[webhook.proof]` of the manifest says. Everything that is hashed or
//! decrypted here comes from the delivery, from places that the manifest names: a connector has no say in it, and sees
//! what was opened and proved.
//!
//! A sender that is not the vendor gets the same answer at every step, and nothing is decrypted for it: the signature
//! comes first. The one exception is a question that a vendor encrypts and does not sign. It is answered only when it
//! opens, has exactly the form that the manifest names, and asks for a short word to be repeated; and the work is the
//! same whether its padding was right or wrong.

use percent_encoding::percent_decode_str;
use renmen_origin::config_text;
use renmen_schema::manifest::{
    OpenManifest, Place, ProofManifest, QuestionManifest, SealKind, SignedPart, TokenManifest,
};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::{Seal, cipher, digest, member, shape};
use crate::EgressError;
use crate::template::fill;

/// Bytes of a question's cipher text.
const QUESTION_BYTES_MAX: usize = 4 << 10;
/// Characters of what a question asks to be repeated.
const REPEATED_MAX: usize = 128;
/// What stands before the text in a frame: 16 random bytes and the length.
pub(super) const FRAME_RANDOM: usize = 16;
const FRAME_HEAD: usize = FRAME_RANDOM + 4;

const SIGNING: &[SealKind] = &[SealKind::Hmac, SealKind::Digest, SealKind::SortedDigest];
const OPENING: &[SealKind] = &[SealKind::Cbc, SealKind::CbcKeyIv];

/// A delivery, as much of it as a proof needs.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// With its query: `/hooks/people?timestamp=1`.
    pub path_and_query: &'a str,
    /// As they came.
    pub headers: &'a [(String, String)],
    /// As it came.
    pub body: &'a [u8],
    /// Milliseconds since the epoch.
    pub received_at_ms: i64,
    /// How far the vendor's time may lie from ours, either way, in milliseconds.
    pub window_ms: u64,
}

/// What a delivery turned out to be.
#[derive(Clone, PartialEq, Eq)]
pub enum Proved {
    /// The vendor's, with its plain text where it was encrypted.
    Delivery {
        /// None: it came in clear.
        opened: Option<Vec<u8>>,
    },
    /// A question that is answered with this JSON, and of which nothing is kept.
    Question {
        /// The answer's body.
        answer: Vec<u8>,
    },
}

/// One text for everything that is not the vendor's: to know which check failed would help only an attacker.
fn refused() -> EgressError {
    EgressError::Auth(
        "the delivery is not the vendor's: its signature, its time or its encryption does not fit; check the slots that \
         [webhook.proof] names against the vendor's console"
            .into(),
    )
}

impl Seal {
    /// Proves a delivery, and opens it.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for what is not the vendor's and for an empty slot, [`EgressError::Unopened`] for what the
    /// vendor signed but the gateway cannot open, [`EgressError::BadRequest`] for an `owner` that names a configuration
    /// key which is not set.
    pub fn prove(&self, proof: &ProofManifest, config: &Value, incoming: &Incoming<'_>) -> Result<Proved, EgressError> {
        let (seal, key) = self.host(&proof.slot, SIGNING)?;
        let Some(signature) = text_at(&proof.signature, incoming) else {
            let asked = proof.open.as_ref().and_then(|open| Some((open, open.question.as_ref()?)));
            let (open, question) = asked.ok_or_else(refused)?;
            return self.answer_question(open, question, incoming);
        };
        let signature = hex::decode(signature.trim()).map_err(|_| refused())?;
        let signed = Signed::read(proof, self.cipher_kind(proof), incoming).ok_or_else(refused)?;
        let expected = digest::of_pieces(seal.scheme, key, &signed.pieces(proof, key, incoming.body))?;
        if !bool::from(expected.as_slice().ct_eq(&signature)) {
            return Err(refused());
        }
        // Proved to be the vendor's own time by now.
        if signed.time_ms.is_some_and(|time| incoming.received_at_ms.abs_diff(time) > incoming.window_ms) {
            return Err(refused());
        }
        if seal.scheme.kind() != SealKind::Hmac && !member::is_json(incoming.body) {
            // To a plain digest bytes can be appended by who knows a signature and no key; to a JSON text they cannot.
            return Err(refused());
        }
        let opened = match &proof.open {
            // The very text that was proved, where it was signed as a piece of its own.
            Some(open) => Some(self.open(open, config, signed.cipher.or_else(|| cipher_text(incoming.body, open)))?),
            None => None,
        };
        Ok(Proved::Delivery { opened })
    }

    /// Can what the manifest wants be done with the slots and the configuration that there are? Nothing is said while none of the
    /// slots is filled: then no delivery is expected.
    ///
    /// # Errors
    /// [`EgressError::Auth`] naming an empty slot, [`EgressError::BadRequest`] naming a configuration key.
    pub fn check_proof(&self, proof: &ProofManifest, config: &Value) -> Result<(), EgressError> {
        let slots = [Some(&proof.slot), proof.open.as_ref().map(|open| &open.slot)];
        let slots: Vec<_> = slots.into_iter().flatten().collect();
        if !slots.iter().any(|slot| self.is_filled(slot)) {
            return Ok(());
        }
        self.host(&proof.slot, SIGNING)?;
        if let Some(open) = &proof.open {
            self.host(&open.slot, OPENING)?;
            owner(open, config)?;
        }
        Ok(())
    }

    fn cipher_kind(&self, proof: &ProofManifest) -> Option<SealKind> {
        let slot = self.slots.get(&proof.open.as_ref()?.slot)?;
        Some(slot.seal.scheme.kind())
    }

    /// The plain text of a proved body. Who meets these words holds a signature of the vendor's: they are for the operator.
    fn open(&self, open: &OpenManifest, config: &Value, text: Option<String>) -> Result<Vec<u8>, EgressError> {
        let (seal, key) = self.host(&open.slot, OPENING)?;
        let wrong = |what: &str| {
            EgressError::Unopened(format!(
                "the delivery is signed by the vendor, and {what}; check slot `{}` against the vendor's console",
                open.slot
            ))
        };
        let kind = seal.scheme.kind();
        let text = text.and_then(|text| shape::cipher(&text, kind));
        let decrypted = text.and_then(|text| cipher::decrypt(kind, key, &text));
        let plain = decrypted.as_ref().and_then(cipher::Decrypted::plain).ok_or_else(|| wrong("does not open"))?;
        let text = match owner(open, config)? {
            None => plain,
            Some(owner) => {
                let (text, whose) = unframed(plain).ok_or_else(|| wrong("its plain text is not framed"))?;
                if whose != owner.as_bytes() {
                    return Err(wrong("is for another owner than [webhook.proof.open] names"));
                }
                text
            }
        };
        if let Some(token) = &open.token {
            let opened: Option<Value> = serde_json::from_slice(text).ok();
            if !self.token_fits(token, opened.as_ref()) {
                return Err(wrong(&format!("does not carry the text of slot `{}`", token.slot)));
            }
        }
        Ok(text.to_vec())
    }

    /// Is the slot's text in its place? An empty slot asks for nothing.
    fn token_fits(&self, token: &TokenManifest, opened: Option<&Value>) -> bool {
        if !self.is_filled(&token.slot) {
            return true;
        }
        let Ok((_, key)) = self.host(&token.slot, &[SealKind::Equal]) else { return false };
        let found = opened.and_then(|opened| token.at.iter().find_map(|pointer| opened.pointer(pointer)?.as_str()));
        found.unwrap_or_default().as_bytes().ct_eq(key).into()
    }

    fn answer_question(
        &self,
        open: &OpenManifest,
        question: &QuestionManifest,
        incoming: &Incoming<'_>,
    ) -> Result<Proved, EgressError> {
        // With an IV from the key, an unproved text is never decrypted, no matter what a manifest says.
        let (seal, key) = self.host(&open.slot, &[SealKind::Cbc])?;
        let text = cipher_text(incoming.body, open).filter(|text| text.len() <= QUESTION_BYTES_MAX);
        let text = text.and_then(|text| shape::cipher(&text, seal.scheme.kind())).ok_or_else(refused)?;
        let decrypted = cipher::decrypt(seal.scheme.kind(), key, &text).ok_or_else(refused)?;
        let opened: Option<Value> = serde_json::from_slice(decrypted.plain_or_all()).ok();
        let token = open.token.as_ref().is_none_or(|token| self.token_fits(token, opened.as_ref()));
        let answer = opened.as_ref().and_then(|opened| repeated(question, opened));
        match answer {
            Some(answer) if token && decrypted.plain().is_some() => Ok(Proved::Question { answer }),
            _ => Err(refused()),
        }
    }
}

/// The pieces of what is signed, once each has its shape.
struct Signed {
    time: Option<String>,
    time_ms: Option<i64>,
    nonce: Option<String>,
    cipher: Option<String>,
}

impl Signed {
    fn read(proof: &ProofManifest, kind: Option<SealKind>, incoming: &Incoming<'_>) -> Option<Self> {
        let mut found = Self { time: None, time_ms: None, nonce: None, cipher: None };
        let beside_cipher = proof.signs("cipher");
        for part in &proof.signed {
            match part {
                SignedPart::Key {} | SignedPart::Body {} => {}
                SignedPart::TimeMs { at } | SignedPart::TimeS { at } => {
                    let text = text_at(at, incoming)?;
                    let ms = matches!(part, SignedPart::TimeMs { .. });
                    found.time_ms = Some(if ms { shape::time_ms(&text) } else { shape::time_s(&text) }?);
                    found.time = Some(text);
                }
                SignedPart::Nonce { at } => {
                    found.nonce = Some(text_at(at, incoming).filter(|text| shape::is_nonce(text, beside_cipher))?);
                }
                SignedPart::Cipher {} => {
                    let text = cipher_text(incoming.body, proof.open.as_ref()?)?;
                    shape::cipher(&text, kind?)?;
                    found.cipher = Some(text);
                }
            }
        }
        Some(found)
    }

    /// In the manifest's order. With a sorted digest the key is put in elsewhere.
    fn pieces<'a>(&'a self, proof: &ProofManifest, key: &'a [u8], body: &'a [u8]) -> Vec<&'a [u8]> {
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default().as_bytes();
        let piece = |part: &SignedPart| match part {
            SignedPart::Key {} => key,
            SignedPart::TimeMs { .. } | SignedPart::TimeS { .. } => text(&self.time),
            SignedPart::Nonce { .. } => text(&self.nonce),
            SignedPart::Cipher {} => text(&self.cipher),
            SignedPart::Body {} => body,
        };
        proof.signed.iter().map(piece).collect()
    }
}

/// The text in a place of a delivery.
fn text_at(place: &Place, incoming: &Incoming<'_>) -> Option<String> {
    match place {
        Place::Header { header } => {
            let found = incoming.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
            found.map(|(_, value)| value.clone())
        }
        Place::Query { query } => {
            let (_, given) = incoming.path_and_query.split_once('?')?;
            let mut pairs = given.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(name, _)| query.iter().any(|known| known == name))?;
            percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
        }
    }
}

fn cipher_text(body: &[u8], open: &OpenManifest) -> Option<String> {
    member::text_at(body, &open.cipher)
}

/// Text and owner of a frame.
fn unframed(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = plain.get(FRAME_RANDOM..FRAME_HEAD)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    plain[FRAME_HEAD..].split_at_checked(length)
}

/// The owner of a frame; none where texts are not framed.
pub(super) fn owner(open: &OpenManifest, config: &Value) -> Result<Option<String>, EgressError> {
    let Some(owner) = &open.owner else { return Ok(None) };
    let filled = fill(owner, |key| config_text(config, key)).map_err(|key| {
        EgressError::BadRequest(format!("`config.{key}` is not set; [webhook.proof.open] takes the owner from it"))
    })?;
    Ok(Some(filled))
}

/// The answer to a question; none when it is not one.
fn repeated(question: &QuestionManifest, opened: &Value) -> Option<Vec<u8>> {
    let told = question.when.iter().all(|(at, text)| opened.pointer(at).and_then(Value::as_str) == Some(text));
    let word = |text: &str| {
        (1..=REPEATED_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+/=".contains(&byte))
    };
    let members = question.answer.iter().map(|(name, at)| {
        let text = opened.pointer(at)?.as_str().filter(|text| word(text))?;
        Some((name.clone(), Value::from(text)))
    });
    let answer: serde_json::Map<String, Value> = members.collect::<Option<_>>()?;
    told.then(|| Value::Object(answer).to_string().into_bytes())
}
