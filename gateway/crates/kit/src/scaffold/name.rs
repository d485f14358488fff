//! The name of a connector, which is also that of its folder, its package and its component.

use renmen_schema::text;

use crate::KitError;

/// Characters of a name. A package's name may be as long; a folder's too.
const NAME_LENGTH_MAX: usize = 63;
/// Names that the connector's own crates have already, and words that cargo or Rust keep for themselves.
const TAKEN: [&str; 14] = [
    "renmen-plugin",
    "renmen-schema",
    "renmen",
    "serde",
    "serde-json",
    "test",
    "core",
    "std",
    "alloc",
    "build",
    "self",
    "super",
    "crate",
    "type",
];

/// A checked name: `acme-hr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginName(String);

impl PluginName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`KitError::Usage`] that says what is allowed.
    pub fn new(text: &str) -> Result<Self, KitError> {
        let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let allowed = letters && first && text.len() <= NAME_LENGTH_MAX && !text.ends_with('-') && !text.contains("--");
        if !allowed {
            let shown: String = text.chars().take(80).collect();
            return Err(KitError::Usage(text!(
                "`{}` cannot name a connector: 1 to {NAME_LENGTH_MAX} of a-z, 0-9 and single `-` between them, beginning with a letter, as acme-hr",
                "`{}` 不能用作连接器名称：1 到 {NAME_LENGTH_MAX} 个字符，a-z、0-9 与其间的单个 `-`，以字母开头，例如 acme-hr",
                shown.escape_debug()
            )));
        }
        if TAKEN.contains(&text) {
            return Err(KitError::Usage(text!(
                "`{text}` is taken by a crate or a word of Rust: try `{text}-connector`",
                "`{text}` 与某个 crate 或 Rust 关键字重名：可改为 `{text}-connector`"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// `acme-hr`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As Rust writes the library: `acme_hr`.
    #[must_use]
    pub fn library(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As Rust writes the type: `AcmeHr`.
    #[must_use]
    pub fn type_name(&self) -> String {
        let mut name = String::with_capacity(self.0.len());
        for part in self.0.split('-') {
            let mut letters = part.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.push_str(letters.as_str());
        }
        // These are the names of the template's other types.
        if matches!(name.as_str(), "Config" | "Row" | "Source" | "Page" | "Pull" | "Failure" | "Finding" | "Employee") {
            name.push_str("Connector");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_gives_its_library_and_its_type() {
        let name = PluginName::new("acme-hr-2").unwrap();
        assert_eq!((name.library().as_str(), name.type_name().as_str()), ("acme_hr_2", "AcmeHr2"));
        assert_eq!(PluginName::new("page").unwrap().type_name(), "PageConnector");
        assert!(PluginName::new(&"a".repeat(63)).is_ok());
    }

    #[test]
    fn what_cannot_be_a_name_is_told_what_can() {
        for bad in ["", "Acme", "acme_hr", "-acme", "acme-", "a--b", "1acme", "人", "../x", "a b", &"a".repeat(64)] {
            let error = PluginName::new(bad).unwrap_err().to_string();
            assert!(error.contains("1 to 63 of a-z, 0-9"), "{bad}: {error}");
        }
        assert!(PluginName::new("serde").unwrap_err().to_string().contains("try `serde-connector`"));
    }
}
