//! The other side of a sign-in at a broker: PLAIN, and SCRAM-SHA-256 as a server does it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::kafka_cluster::{In, Out};

const SALT: &[u8] = b"sixteen bytes...";
const ROUNDS: u32 = 4_096;

/// Who may sign in, and how.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) mechanism: &'static str,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    /// The broker does not know the password itself: it cannot prove it.
    pub(crate) is_impostor: bool,
}

/// One connection's sign-in.
pub(crate) struct Session {
    login: Option<Login>,
    said: Vec<String>,
    signed_in: bool,
}

impl Session {
    pub(crate) fn new(login: Option<Login>) -> Self {
        Self { signed_in: login.is_none(), login, said: Vec::new() }
    }

    pub(crate) fn may_ask(&self) -> bool {
        self.signed_in
    }

    pub(crate) fn answer(&mut self, api: i16, mut request: In<'_>) -> Vec<u8> {
        let mut out = Out::default();
        let mechanism = self.login.as_ref().map_or("NONE", |login| login.mechanism);
        if api == 17 {
            let code = if request.text() == mechanism { 0 } else { 33 };
            out.i16(code).i32(1).text(mechanism);
            return out.0;
        }
        let said = request.bytes();
        match self.authenticate(said) {
            Some(answer) => out.i16(0).i16(-1).bytes(answer.as_bytes()),
            None => out.i16(58).text("who are you, zhang?").bytes(b""),
        };
        // Version 1 tells how long the session lives.
        out.i64(0);
        out.0
    }

    fn authenticate(&mut self, said: &[u8]) -> Option<String> {
        let login = self.login.clone()?;
        let said = std::str::from_utf8(said).ok()?.to_owned();
        if login.mechanism == "PLAIN" {
            self.signed_in = said == format!("\0{}\0{}", login.user, login.password);
            return self.signed_in.then(String::new);
        }
        let Some(first) = self.said.first().cloned() else {
            let bare = said.strip_prefix("n,,")?.to_owned();
            let (user, nonce) = bare.strip_prefix("n=")?.split_once(",r=")?;
            if user != login.user {
                return None;
            }
            let answer = format!("r={nonce}more,s={},i={ROUNDS}", STANDARD.encode(SALT));
            self.said = vec![bare, answer.clone()];
            return Some(answer);
        };
        let (bare, proof) = said.split_once(",p=")?;
        let message = format!("{first},{},{bare}", self.said[1]);
        let salted = salted(login.password.as_bytes());
        let stored = Sha256::digest(hmac(&salted, b"Client Key"));
        let signature = hmac(&stored, message.as_bytes());
        let proof = STANDARD.decode(proof).ok()?;
        let key: Vec<u8> = proof.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
        self.signed_in = Sha256::digest(key) == stored;
        let key = hmac(&salted, if login.is_impostor { b"Guessed Key" } else { b"Server Key" });
        self.signed_in.then(|| format!("v={}", STANDARD.encode(hmac(&key, message.as_bytes()))))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn salted(password: &[u8]) -> Vec<u8> {
    let mut last = hmac(password, &[SALT, &[0, 0, 0, 1]].concat());
    let mut all = last.clone();
    for _ in 1..ROUNDS {
        last = hmac(password, &last);
        all.iter_mut().zip(&last).for_each(|(one, other)| *one ^= other);
    }
    all
}
