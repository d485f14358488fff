//! Bytes that come from outside, inside a JSON answer: as text where they are text, else as base64, and cut.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

/// Bytes as they were received or sent.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Bytes {
    /// How `data` is written.
    encoding: BytesEncoding,
    /// The bytes.
    data: String,
    /// How many there are in all.
    bytes: u64,
    /// True: `data` ends early.
    truncated: bool,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BytesEncoding {
    /// They are UTF-8: as they are.
    Text,
    /// They are not UTF-8: base64 (RFC 4648, 4).
    Base64,
}

impl Bytes {
    /// The first `max` bytes. A character that the cut would split is left out.
    pub(crate) fn shown(all: &[u8], max: usize) -> Self {
        let cut = &all[..all.len().min(max)];
        let truncated = cut.len() < all.len();
        let text = match std::str::from_utf8(cut) {
            Ok(text) => Some(text),
            // No error length: the text ends in the middle of a character, which is the cut's doing.
            Err(error) if truncated && error.error_len().is_none() => {
                std::str::from_utf8(&cut[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        };
        let (encoding, data) = match text {
            Some(text) => (BytesEncoding::Text, text.to_owned()),
            None => (BytesEncoding::Base64, STANDARD.encode(cut)),
        };
        Self { encoding, data, bytes: all.len() as u64, truncated }
    }

    /// The first `max` bytes as base64, even where they are text.
    pub(crate) fn base64(all: &[u8], max: usize) -> Self {
        let cut = &all[..all.len().min(max)];
        Self {
            encoding: BytesEncoding::Base64,
            data: STANDARD.encode(cut),
            bytes: all.len() as u64,
            truncated: cut.len() < all.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(all: &[u8], max: usize) -> (BytesEncoding, String, bool) {
        let bytes = Bytes::shown(all, max);
        assert_eq!(bytes.bytes, all.len() as u64);
        (bytes.encoding, bytes.data, bytes.truncated)
    }

    #[test]
    fn text_stays_text_and_is_cut_between_characters() {
        assert_eq!(shown("张三".as_bytes(), 6), (BytesEncoding::Text, "张三".to_owned(), false));
        assert_eq!(shown("张三".as_bytes(), 5), (BytesEncoding::Text, "张".to_owned(), true));
    }

    #[test]
    fn what_is_not_text_is_base64() {
        assert_eq!(shown(&[0xD5, 0xC5], 9), (BytesEncoding::Base64, "1cU=".to_owned(), false));
        assert_eq!(shown(&[0xD5, 0xC5], 1), (BytesEncoding::Text, String::new(), true));
        assert_eq!(shown(&[0xFF, 0x00, 0x01], 2), (BytesEncoding::Base64, "/wA=".to_owned(), true));
    }
}
