//! Reading a connector's `plugin.toml` for its author: a fault has its file, line and column, the line itself, and the word
//! that was most likely meant.

use std::path::Path;

use renmen_schema::Text;
use renmen_schema::distance;
use renmen_schema::manifest::{Manifest, ManifestError};

use crate::{KitError, component};

/// Letters that a word may be away from the one that was meant.
const DISTANCE_MAX: usize = 3;

/// Reads a `plugin.toml`. Contradictions in it are not looked for: that is `renmen plugin check`.
///
/// # Errors
/// [`KitError::Usage`]: no such file, no TOML, an unknown key, a wrong type or a missing key.
pub fn read(file: &Path) -> Result<Manifest, KitError> {
    parse(file, &component::read_text(file)?).map_err(|why| KitError::Usage(Text::verbatim(why)))
}

/// The manifest, or what is wrong with the text.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Manifest, String> {
    Manifest::parse(text).map_err(|error| describe(file, text, &error))
}

fn describe(file: &Path, text: &str, error: &ManifestError) -> String {
    let line = text.lines().nth(error.line - 1).unwrap_or_default();
    let mut told = format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.message.trim_end());
    if let Some(meant) = meant(&error.message) {
        told.push_str(&format!("; did you mean `{meant}`?"));
    }
    if !line.trim().is_empty() {
        told.push_str(&format!("\n  {line}\n  {}^", " ".repeat(error.column.saturating_sub(1))));
    }
    told
}

/// Of ``unknown field `hots`, expected one of `hosts`, `methods` `` the known word that is nearest.
fn meant(message: &str) -> Option<&str> {
    let (found, known) = message.split_once(", expected ")?;
    let found = found.strip_prefix("unknown field ").or_else(|| found.strip_prefix("unknown variant "))?;
    let found = found.trim_matches('`');
    let words = known.split('`').skip(1).step_by(2);
    words
        .map(|word| (distance(found, word), word))
        .filter(|(steps, _)| *steps <= DISTANCE_MAX.min(found.len()))
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plugin.toml");
        std::fs::write(&file, text).unwrap();
        read(&file).unwrap_err().to_string().replace(&dir.path().display().to_string(), "")
    }

    #[test]
    fn an_unknown_key_has_its_place_and_the_word_that_was_meant() {
        let head = "name = \"a\"\nversion = \"1.0.0\"\ndescription = \"\"\ncontract = \"0.2.0\"\n";
        let text = told(&format!("{head}[http]\nhots = []\n"));
        assert!(text.starts_with("/plugin.toml:6:1: unknown field `hots`"), "{text}");
        assert!(text.contains("did you mean `hosts`?"), "{text}");
        assert!(text.ends_with("\n  hots = []\n  ^"), "{text}");
        let text = told(&format!("{head}[streams.people]\ndescription = \"\"\nentities = []\nmode = \"ful\"\n"));
        assert!(text.contains("did you mean `full`?"), "{text}");
    }

    #[test]
    fn a_word_that_is_like_none_gets_no_suggestion() {
        assert_eq!(meant("unknown field `colour`, expected one of `hosts`, `methods`"), None);
        assert_eq!(meant("missing field `name`"), None);
        assert_eq!(meant("unknown field `x`, expected `hosts`"), None);
    }
}
