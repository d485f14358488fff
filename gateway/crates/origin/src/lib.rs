//! Origins (`https://api.example.com`) and the patterns by which a manifest asks for them and an operator grants them.
//!
//! Owns: the one grammar of both, what a pattern covers, what two of them have in common, and which names belong to everybody
//! (the public suffix list). Must not know: who asks or grants, names and addresses on a network, secrets.
//!
//! In reading order: [`Origin`], [`Pattern`], [`within`], [`mod@suffix`].

mod origin;
mod pattern;
mod suffix;

pub use origin::Origin;
pub use pattern::{Pattern, check, read_all, within};

/// The text of a configuration key, without a slash at its end so that `{base_url}/token` reads well.
#[must_use]
pub fn config_text(config: &serde_json::Value, key: &str) -> Option<String> {
    config.get(key)?.as_str().map(|text| text.trim_end_matches('/').to_owned())
}
