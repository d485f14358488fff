//! Which of our two languages a client asked for.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

/// The languages that problems are told in. English is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    /// The first of the languages with the highest weight that we speak (RFC 9110, 12.5.4). Only the first 16 are looked at.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        let text = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0_f32, Self::English);
        for item in text.split(',').take(16) {
            let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let Some(language) = Self::of_tag(tag.trim()) else { continue };
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()).unwrap_or(0.0_f32);
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    fn of_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// For `Content-Language`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(text: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, text.parse().unwrap());
        Language::asked(&headers)
    }

    #[test]
    fn the_heaviest_language_that_we_speak_is_taken() {
        assert_eq!(asked("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(asked("en-GB, zh;q=0.5"), Language::English);
        assert_eq!(asked("fr, zh;q=0.2, en;q=0.1"), Language::Chinese);
    }

    #[test]
    fn without_one_that_we_speak_it_is_english() {
        for other in ["", "*", "fr", "zh;q=0", "zh;q=NaN", ";;;,,,", "zh;q=abc"] {
            assert_eq!(asked(other), Language::English, "{other}");
        }
        assert_eq!(Language::asked(&HeaderMap::new()), Language::English);
    }
}
