//! AES-256-CBC as vendors use it. The key is handed in. CBC proves nothing about who wrote a text: a signature over the cipher
//! text is verified before, and with an IV from the key there is no other way in.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use renmen_schema::manifest::SealKind;
use zeroize::Zeroizing;

/// AES works on this many bytes.
const BLOCK: usize = 16;

/// A cipher text comes in multiples of this many bytes, the IV not counted: to what the plain text is padded.
pub(super) const fn unit(kind: SealKind) -> usize {
    match kind {
        SealKind::CbcKeyIv => 2 * BLOCK,
        _ => BLOCK,
    }
}

/// Encrypts. None for a key of another size than 32 bytes, which no slot has.
pub(super) fn encrypt(kind: SealKind, key: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let key: &[u8; 32] = key.try_into().ok()?;
    let (iv, mut out) = match kind {
        SealKind::CbcKeyIv => (iv_of_key(key), Vec::new()),
        _ => {
            let iv: [u8; BLOCK] = rand::random();
            (iv, iv.to_vec())
        }
    };
    let begin = out.len();
    let pad = unit(kind) - plain.len() % unit(kind);
    out.extend_from_slice(plain);
    out.resize(out.len() + pad, u8::try_from(pad).ok()?);
    let mut mode = cbc::Encryptor::<Aes256>::new(key.into(), &iv.into());
    for block in out[begin..].chunks_exact_mut(BLOCK) {
        let block: &mut Block<Aes256> = block.try_into().ok()?;
        mode.encrypt_block(block);
    }
    Some(out)
}

/// What decrypting gave.
pub(super) struct Decrypted {
    text: Zeroizing<Vec<u8>>,
    /// Where the padding begins; none when it is not a padding.
    end: Option<usize>,
}

impl Decrypted {
    /// The plain text; none when the padding was wrong.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        self.end.map(|end| &self.text[..end])
    }

    /// The plain text, or everything where the padding was wrong: so that the same work follows either way.
    pub(super) fn plain_or_all(&self) -> &[u8] {
        self.plain().unwrap_or(&self.text)
    }
}

/// Decrypts. None for what cannot be a cipher text by its size.
pub(super) fn decrypt(kind: SealKind, key: &[u8], cipher: &[u8]) -> Option<Decrypted> {
    let key: &[u8; 32] = key.try_into().ok()?;
    let (iv, text) = match kind {
        SealKind::CbcKeyIv => (iv_of_key(key), cipher),
        _ => {
            let (iv, text) = cipher.split_first_chunk::<BLOCK>()?;
            (*iv, text)
        }
    };
    if text.is_empty() || text.len() % unit(kind) != 0 {
        return None;
    }
    let mut plain = Zeroizing::new(text.to_vec());
    let mut mode = cbc::Decryptor::<Aes256>::new(key.into(), &iv.into());
    for block in plain.chunks_exact_mut(BLOCK) {
        let block: &mut Block<Aes256> = block.try_into().ok()?;
        mode.decrypt_block(block);
    }
    let pad = usize::from(*plain.last()?);
    let begin = plain.len().checked_sub(pad);
    let valid = (1..=unit(kind)).contains(&pad)
        && begin.is_some_and(|begin| plain[begin..].iter().all(|byte| usize::from(*byte) == pad));
    Some(Decrypted { end: begin.filter(|_| valid), text: plain })
}

fn iv_of_key(key: &[u8; 32]) -> [u8; BLOCK] {
    let mut iv = [0; BLOCK];
    iv.copy_from_slice(&key[..BLOCK]);
    iv
}
