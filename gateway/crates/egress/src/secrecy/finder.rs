//! One secret on its own, looked for as the gateway looks for those of a connection. For a tool that plants a secret
//! and asks where it turns up, so that the forms in which a secret counts as leaked are defined in one place only.

use std::collections::BTreeMap;

use renmen_schema::id::SlotName;
use renmen_vault::Secret;

use super::{Search, Sight, parts};

/// Finds one secret in every form that the gateway takes out of a connection's answers.
pub struct SecretFinder(Search);

impl SecretFinder {
    /// None for a secret that is too short to be looked for.
    #[must_use]
    pub fn new(secret: &Secret) -> Option<Self> {
        let slot = SlotName::new("planted").ok()?;
        let slots = BTreeMap::from([(slot, parts(secret.expose(), None, &[]).ok()?)]);
        Search::new(slots.iter()).ok().flatten().map(Self)
    }

    /// Does the secret, or a piece that is enough to recognise it, stand in these bytes?
    #[must_use]
    pub fn occurs_in(&self, bytes: &[u8]) -> bool {
        self.0.find(bytes, Sight::Kept).is_some()
    }
}

impl std::fmt::Debug for SecretFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretFinder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_found_in_its_forms_and_numbers_of_a_json_secret_too() {
        let finder =
            SecretFinder::new(&Secret::new(r#"{"key":"7GqLwPz0RkTn3vYs","pin":40718265}"#.to_owned())).unwrap();
        for leak in ["x7GqLwPz0RkTn3vYsy", "37 47 71 4c 77 50 7a 30 52 6b 54 6e 33 76 59 73", r#"{"a":40718265}"#] {
            assert!(finder.occurs_in(leak.as_bytes()), "{leak}");
        }
        for honest in ["", "7GqL", r#"{"a":4071826}"#, r#"{"key":"another"}"#] {
            assert!(!finder.occurs_in(honest.as_bytes()), "{honest}");
        }
        assert!(SecretFinder::new(&Secret::new("short".to_owned())).is_none());
        assert_eq!(format!("{finder:?}"), "SecretFinder { .. }");
    }
}
