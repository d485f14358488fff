//! AES-256-CBC as vendors use it. The key is handed in. CBC proves nothing about who wrote a text: connectors verify a signature
//! before they decrypt, as the vendors' own rules say.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use super::scheme::CipherScheme;
use crate::EgressError;

/// AES works on this many bytes.
const BLOCK: usize = 16;

pub(super) fn encrypt(scheme: CipherScheme, key: &[u8; 32], plain: &[u8]) -> Result<Vec<u8>, EgressError> {
    let (iv, unit, mut out) = match scheme {
        CipherScheme::Aes256Cbc => {
            let iv: [u8; BLOCK] = rand::random();
            (iv, BLOCK, iv.to_vec())
        }
        CipherScheme::Aes256CbcKeyIv => (iv_of_key(key), 2 * BLOCK, Vec::new()),
    };
    let begin = out.len();
    let pad = unit - plain.len() % unit;
    out.extend_from_slice(plain);
    out.resize(out.len() + pad, u8::try_from(pad).expect("a padding is at most 32"));
    let mut mode = cbc::Encryptor::<Aes256>::new(key.into(), &iv.into());
    for block in out[begin..].chunks_exact_mut(BLOCK) {
        let block: &mut Block<Aes256> = block.try_into().expect("chunks have the size of a block");
        mode.encrypt_block(block);
    }
    Ok(out)
}

pub(super) fn decrypt(scheme: CipherScheme, key: &[u8; 32], cipher: &[u8]) -> Result<Vec<u8>, EgressError> {
    // One text for every cause: which byte of a padding was wrong is nobody's business.
    let bad = || EgressError::BadRequest("this text was not encrypted under this scheme with the slot's key".into());
    let (iv, unit, text) = match scheme {
        CipherScheme::Aes256Cbc => {
            let (iv, text) = cipher.split_first_chunk::<BLOCK>().ok_or_else(bad)?;
            (*iv, BLOCK, text)
        }
        CipherScheme::Aes256CbcKeyIv => (iv_of_key(key), 2 * BLOCK, cipher),
    };
    if text.is_empty() || text.len() % BLOCK != 0 {
        return Err(bad());
    }
    let mut plain = text.to_vec();
    let mut mode = cbc::Decryptor::<Aes256>::new(key.into(), &iv.into());
    for block in plain.chunks_exact_mut(BLOCK) {
        let block: &mut Block<Aes256> = block.try_into().expect("chunks have the size of a block");
        mode.decrypt_block(block);
    }
    let pad = usize::from(*plain.last().ok_or_else(bad)?);
    let valid = (1..=unit).contains(&pad)
        && pad <= plain.len()
        && plain[plain.len() - pad..].iter().all(|b| usize::from(*b) == pad);
    if !valid {
        return Err(bad());
    }
    plain.truncate(plain.len() - pad);
    Ok(plain)
}

fn iv_of_key(key: &[u8; 32]) -> [u8; BLOCK] {
    let mut iv = [0; BLOCK];
    iv.copy_from_slice(&key[..BLOCK]);
    iv
}
