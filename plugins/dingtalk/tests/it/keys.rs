//! Plays `seal` for callbacks, with the vendor's published keys or others.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use renmen_plugin::Failure;
use renmen_plugin::testing::{Host, SealCall};
use sha1::Digest as _;

/// The vendor's keys are 43 characters without padding, and their last bits need not be zero.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) token: &'static str,
    pub(crate) aes: &'static str,
}

impl Keys {
    pub(crate) fn host(self) -> Host {
        Host::new().on_seal(move |call| self.play(call))
    }

    fn play(self, call: &SealCall) -> Result<Vec<u8>, Failure> {
        let key = self.key();
        match (call.function, call.slot.as_str(), call.scheme.as_str()) {
            ("sign", "callback_token", "sha1-sorted") => {
                let mut parts: Vec<Vec<u8>> =
                    call.parts.iter().map(|part| part.clone().unwrap_or_else(|| self.token.into())).collect();
                parts.sort();
                Ok(sha1::Sha1::digest(parts.concat()).to_vec())
            }
            ("sign", "callback_key", "hmac-sha256:base64") => {
                let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
                call.parts.iter().flatten().for_each(|part| mac.update(part));
                Ok(mac.finalize().into_bytes().to_vec())
            }
            ("encrypt", "callback_key", "aes-256-cbc-key-iv:base64") => Ok(self.encrypt(&plain(call))),
            ("decrypt", "callback_key", "aes-256-cbc-key-iv:base64") => {
                self.decrypt(&plain(call)).ok_or_else(|| Failure::invalid_input("not of this key"))
            }
            other => panic!("{other:?} is not asked for"),
        }
    }

    fn key(self) -> [u8; 32] {
        LENIENT.decode(format!("{}=", self.aes)).unwrap().try_into().unwrap()
    }

    fn encrypt(self, plain: &[u8]) -> Vec<u8> {
        let key = self.key();
        let pad = 32 - plain.len() % 32;
        let mut text = [plain, &vec![pad as u8; pad]].concat();
        let iv: [u8; 16] = key[..16].try_into().unwrap();
        let mut mode = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
        for block in text.chunks_exact_mut(16) {
            let block: &mut Block<Aes256> = block.try_into().unwrap();
            mode.encrypt_block(block);
        }
        text
    }

    fn decrypt(self, cipher: &[u8]) -> Option<Vec<u8>> {
        let key = self.key();
        let iv: [u8; 16] = key[..16].try_into().unwrap();
        let mut mode = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
        let mut text = cipher.to_vec();
        for block in text.chunks_exact_mut(16) {
            let block: &mut Block<Aes256> = block.try_into().unwrap();
            mode.decrypt_block(block);
        }
        let pad = usize::from(*text.last()?);
        text.truncate(text.len().checked_sub(pad).filter(|_| (1..=32).contains(&pad))?);
        Some(text)
    }

    /// The message in an envelope of the vendor's, or in one of ours.
    pub(crate) fn open(self, encrypt: &str, owner: &str) -> String {
        let plain = self.decrypt(&base64::engine::general_purpose::STANDARD.decode(encrypt).unwrap()).unwrap();
        let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
        assert_eq!(&plain[20 + length..], owner.as_bytes());
        String::from_utf8(plain[20..20 + length].to_vec()).unwrap()
    }

    /// An envelope as the vendor makes one: query and body.
    pub(crate) fn close(self, message: &str, owner: &str, timestamp: &str) -> (String, String) {
        let head = [b"0123456789abcdef".as_slice(), &(message.len() as u32).to_be_bytes()].concat();
        let plain = [head.as_slice(), message.as_bytes(), owner.as_bytes()].concat();
        let encrypt = base64::engine::general_purpose::STANDARD.encode(self.encrypt(&plain));
        let signature = self.sign(timestamp, "n0nce", &encrypt);
        let query = format!("?msg_signature={signature}&timestamp={timestamp}&nonce=n0nce");
        (query, serde_json::json!({ "encrypt": encrypt }).to_string())
    }

    pub(crate) fn sign(self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut parts = [self.token, timestamp, nonce, encrypt];
        parts.sort_unstable();
        hex::encode(sha1::Sha1::digest(parts.concat()))
    }
}

fn plain(call: &SealCall) -> Vec<u8> {
    call.parts.iter().flatten().flatten().copied().collect()
}
