//! SCRAM (RFC 5802) as brokers ask for it: the password is proved and never sent, and the broker proves that it knows it too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::EgressError;

/// Rounds of hashing that a broker may ask for: fewer protect nothing, more are an attack on this side.
const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=200_000;
/// Bytes of the nonce.
const NONCE_BYTES: usize = 24;

/// A digest that SCRAM may be done with.
trait Hash {
    fn hmac(key: &[u8], message: &[&[u8]]) -> Vec<u8>;
    fn digest(message: &[u8]) -> Vec<u8>;
}

struct With256;
struct With512;

impl Hash for With256 {
    fn hmac(key: &[u8], message: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        message.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }

    fn digest(message: &[u8]) -> Vec<u8> {
        Sha256::digest(message).to_vec()
    }
}

impl Hash for With512 {
    fn hmac(key: &[u8], message: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
        message.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }

    fn digest(message: &[u8]) -> Vec<u8> {
        Sha512::digest(message).to_vec()
    }
}

/// One sign-in.
pub(super) struct Scram {
    sha512: bool,
    nonce: String,
    first_bare: String,
}

/// What is said last, and what the broker must answer.
pub(super) struct Proof {
    pub(super) said: Vec<u8>,
    signature: Vec<u8>,
}

impl Scram {
    pub(super) fn new(sha512: bool, user: &str) -> Self {
        Self::with_nonce(sha512, user, &STANDARD.encode(rand::random::<[u8; NONCE_BYTES]>()))
    }

    fn with_nonce(sha512: bool, user: &str, nonce: &str) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self { sha512, nonce: nonce.to_owned(), first_bare: format!("n={user},r={nonce}") }
    }

    /// What is said first.
    pub(super) fn first(&self) -> Vec<u8> {
        format!("n,,{}", self.first_bare).into_bytes()
    }

    /// The proof that the broker's answer asks for.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for an answer that is not one to what was said first, or asks for too many or too few rounds.
    pub(super) fn prove(&self, password: &str, answer: &[u8]) -> Result<Proof, EgressError> {
        let bad = |why: &str| EgressError::Auth(format!("the broker's part of SCRAM cannot be used: {why}"));
        let answer = std::str::from_utf8(answer).map_err(|_| bad("it is not text"))?;
        let member = |name: &str| answer.split(',').find_map(|part| part.strip_prefix(name));
        let nonce = member("r=").filter(|nonce| nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce));
        let nonce = nonce.ok_or_else(|| bad("its nonce does not go on from ours"))?;
        let salt = member("s=").and_then(|salt| STANDARD.decode(salt).ok()).ok_or_else(|| bad("it has no salt"))?;
        let rounds = member("i=").and_then(|rounds| rounds.parse().ok()).filter(|rounds| ROUNDS.contains(rounds));
        let (least, most) = ROUNDS.into_inner();
        let rounds: u32 = rounds.ok_or_else(|| bad(&format!("it does not ask for {least} to {most} rounds")))?;
        let last = format!("c={},r={nonce}", STANDARD.encode("n,,"));
        let message = format!("{},{answer},{last}", self.first_bare);
        let (proof, signature) = renmen_turns::aside(|| match self.sha512 {
            false => proof::<With256>(password, &salt, rounds, &message),
            true => proof::<With512>(password, &salt, rounds, &message),
        });
        Ok(Proof { said: format!("{last},p={}", STANDARD.encode(proof)).into_bytes(), signature })
    }
}

impl Proof {
    /// Does the broker know the password too?
    pub(super) fn is_answered_by(&self, answer: &[u8]) -> bool {
        let signature = answer.strip_prefix(b"v=").and_then(|rest| rest.split(|byte| *byte == b',').next());
        let signature = signature.and_then(|text| STANDARD.decode(text).ok());
        signature.is_some_and(|signature| signature.ct_eq(&self.signature).into())
    }
}

/// The proof, and the signature that the broker must give.
fn proof<H: Hash>(password: &str, salt: &[u8], rounds: u32, message: &str) -> (Vec<u8>, Vec<u8>) {
    let salted = salted::<H>(password.as_bytes(), salt, rounds);
    let client = H::hmac(&salted, &[b"Client Key"]);
    let mut proof = H::hmac(&H::digest(&client), &[message.as_bytes()]);
    proof.iter_mut().zip(&client).for_each(|(one, other)| *one ^= other);
    let server = H::hmac(&salted, &[b"Server Key"]);
    (proof, H::hmac(&server, &[message.as_bytes()]))
}

fn salted<H: Hash>(password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let mut last = H::hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut all = last.clone();
    for _ in 1..rounds {
        last = H::hmac(password, &[&last]);
        all.iter_mut().zip(&last).for_each(|(one, other)| *one ^= other);
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_is_proved_and_its_answer_taken() {
        let scram = Scram::with_nonce(false, "user", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let answer = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = scram.prove("pencil", answer).unwrap();
        let said = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(std::str::from_utf8(&proof.said).unwrap(), said);
        assert!(proof.is_answered_by(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!proof.is_answered_by(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), "another knows it not");
    }

    #[test]
    fn an_answer_that_goes_on_from_another_nonce_or_asks_for_the_wrong_work_is_refused() {
        let scram = Scram::with_nonce(true, "a=b,c", "abc");
        assert_eq!(scram.first(), b"n,,n=a=3Db=2Cc,r=abc");
        for bad in [
            "r=abc,s=AAAA,i=4096",
            "r=xabc1,s=AAAA,i=4096",
            "r=abc1,s=AAAA,i=4095",
            "r=abc1,s=AAAA,i=200001",
            "r=abc1,s=!,i=4096",
            "r=abc1,i=4096",
        ] {
            assert!(scram.prove("p", bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(scram.prove("p", b"r=abc1,s=AAAA,i=4096").is_ok());
    }
}
