//! Media by reference: never inside a record.

use super::Instant;
use crate::check::Walk;
use crate::shape::shape;
use crate::text;

shape! {
    /// A file kept elsewhere: a recording, a résumé, a report.
    pub struct MediaRef {
        /// Absolute URI. Never `data:`: a record holds no media.
        pub uri: String => PERSONAL,
        /// SHA-256 of the bytes, 64 hexadecimal digits in lower case.
        pub sha256: Option<String>,
        /// Size in bytes.
        pub bytes: Option<u64>,
        /// As video/mp4.
        pub media_type: Option<String>,
        /// Milliseconds.
        pub duration_ms: Option<u64>,
        /// When the URI stops to work.
        pub expires_at: Option<Instant>,
        /// End-to-end encrypted: the gateway relays it and cannot open it.
        pub e2e: Option<bool>,
    }
    rules media_rules
}

fn media_rules(media: &MediaRef, walk: &mut Walk<'_>) {
    let scheme = media.uri.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("data") {
        walk.defect_in(
            "uri",
            "inline_media",
            text!("the media itself; expected a URI under which it is kept", "内嵌的媒体内容；应为其存放的 URI"),
        );
    } else if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    {
        walk.defect_in(
            "uri",
            "bad_uri",
            text!(
                "a text that is not an absolute URI; expected one with a scheme, as https:",
                "文本不是绝对 URI；应带协议，例如 https:"
            ),
        );
    }
    let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !media.sha256.as_deref().is_none_or(digest) {
        walk.defect_in(
            "sha256",
            "bad_digest",
            text!(
                "a text that is not a SHA-256; expected 64 hexadecimal digits in lower case",
                "文本不是 SHA-256；应为 64 位小写十六进制数字"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::MediaRef;
    use crate::check::Walk;

    #[test]
    fn media_stays_outside_the_record_r22() {
        let code = |uri: &str| Walk::over(&MediaRef::new(uri.into())).first().map(|d| d.code);
        assert_eq!(code("https://media.example.com/a.mp4"), None);
        assert_eq!(code("data:video/mp4;base64,AAAA"), Some("inline_media"));
        assert_eq!(code("DATA:,x"), Some("inline_media"));
        assert_eq!(code("a.mp4"), Some("bad_uri"));
    }

    #[test]
    fn a_digest_is_64_digits_in_lower_case() {
        let code = |digest: &str| {
            let media = MediaRef { sha256: Some(digest.into()), ..MediaRef::new("s3://a/b".into()) };
            Walk::over(&media).first().map(|d| d.code)
        };
        assert_eq!(code(&"0f".repeat(32)), None);
        assert_eq!(code(&"0F".repeat(32)), Some("bad_digest"));
        assert_eq!(code("0f"), Some("bad_digest"));
    }
}
