//! `[plugins]`: whose plugins may be loaded.

use std::collections::BTreeMap;

use crate::section::Section;

/// Keys that may be trusted at once.
pub const TRUSTED_KEYS_MAX: usize = 100;

/// Trust in whoever signs plugins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugins {
    /// `trusted_keys`: a name of your choice and the minisign public key, `{ acme = "RWQ…" }`.
    pub trusted_keys: BTreeMap<String, String>,
    /// `require_signature`: a plugin without a good signature of one of them is not loaded. Default false.
    pub require_signature: bool,
}

impl Plugins {
    pub(crate) fn read(section: Option<Section<'_>>) -> Self {
        let mut plugins = Self::default();
        let Some(mut section) = section else { return plugins };
        for (name, node) in section.table("trusted_keys").iter().flat_map(Section::nodes) {
            if plugins.trusted_keys.len() == TRUSTED_KEYS_MAX {
                node.problem(
                    format!("more than {TRUSTED_KEYS_MAX} keys"),
                    "take out those that nobody signs with any more",
                );
                break;
            }
            let like = "write the last line of the .pub file: 56 characters that begin with RW";
            let key = |text: &str| {
                let base64 = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
                let fits = text.len() == 56 && text.starts_with("RW") && base64;
                fits.then(|| text.to_owned()).ok_or_else(|| "is no minisign public key".to_owned())
            };
            if let Some(key) = node.parsed(key, like) {
                plugins.trusted_keys.insert(name.to_owned(), key);
            }
        }
        if let Some(node) = section.get("require_signature") {
            plugins.require_signature = node.flag().unwrap_or(false);
            if plugins.require_signature && plugins.trusted_keys.is_empty() {
                node.problem_at_key(
                    "signatures are required and no key is trusted, so no plugin could be loaded",
                    "name the keys: `trusted_keys = { acme = \"RW…\" }`",
                );
            }
        }
        section.finish();
        plugins
    }
}
