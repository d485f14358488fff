//! The envelope of callbacks, from the vendor's side: as the official library dingtalk-callback-Crypto makes and opens it.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

/// What a company enters in the vendor's console.
#[derive(Debug, Clone)]
pub struct Keys {
    pub token: String,
    /// 43 letters and digits.
    pub aes_key: String,
    /// The app's key.
    pub owner: String,
}

impl Keys {
    /// The query and the body with which a message is sent.
    pub fn close(&self, message: &str, timestamp_ms: i64) -> (String, Value) {
        let salt: [u8; 16] = rand::random();
        let head = [salt.as_slice(), &(message.len() as u32).to_be_bytes()].concat();
        let mut text = [head.as_slice(), message.as_bytes(), self.owner.as_bytes()].concat();
        let pad = 32 - text.len() % 32;
        text.resize(text.len() + pad, pad as u8);
        let (key, iv) = self.key();
        let mut mode = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
        for block in text.chunks_exact_mut(16) {
            let block: &mut Block<Aes256> = block.try_into().unwrap();
            mode.encrypt_block(block);
        }
        let encrypt = STANDARD.encode(text);
        let nonce = format!("{:08x}", rand::random::<u32>());
        let signature = self.sign(&timestamp_ms.to_string(), &nonce, &encrypt);
        // Both names are seen; the newer one here.
        let query = format!("msg_signature={signature}&timestamp={timestamp_ms}&nonce={nonce}");
        (query, json!({ "encrypt": encrypt }))
    }

    /// The message of an answer, if it is signed and encrypted as it must be.
    pub fn open(&self, answer: &Value) -> Option<String> {
        let part = |name: &str| answer[name].as_str();
        let encrypt = part("encrypt")?;
        if part("msg_signature")? != self.sign(part("timeStamp")?, part("nonce")?, encrypt) {
            return None;
        }
        let mut text = STANDARD.decode(encrypt).ok()?;
        let (key, iv) = self.key();
        let mut mode = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
        for block in text.chunks_exact_mut(16) {
            let block: &mut Block<Aes256> = block.try_into().unwrap();
            mode.decrypt_block(block);
        }
        let pad = usize::from(*text.last()?);
        text.truncate(text.len().checked_sub(pad)?);
        let length = u32::from_be_bytes(text.get(16..20)?.try_into().ok()?) as usize;
        let (message, owner) = text[20..].split_at_checked(length)?;
        (owner == self.owner.as_bytes()).then(|| String::from_utf8_lossy(message).into_owned())
    }

    fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, encrypt];
        parts.sort_unstable();
        hex::encode(Sha1::digest(parts.concat()))
    }

    fn key(&self) -> ([u8; 32], [u8; 16]) {
        let key: [u8; 32] = STANDARD.decode(format!("{}=", self.aes_key)).unwrap().try_into().unwrap();
        (key, key[..16].try_into().unwrap())
    }
}
