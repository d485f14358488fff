//! "Did you mean …?"

use renmen_schema::distance;

/// What people write, and what it is called here: too far apart for a spelling check.
const SYNONYMS: [(&str, &str); 22] = [
    ("interval", "every"),
    ("period", "every"),
    ("frequency", "every"),
    ("schedule", "cron"),
    ("timezone", "zone"),
    ("tz", "zone"),
    ("wasm", "plugin"),
    ("component", "plugin"),
    ("sha256", "digest"),
    ("checksum", "digest"),
    ("settings", "config"),
    ("options", "config"),
    ("allow", "grant"),
    ("permissions", "grant"),
    ("secrets", "slots"),
    ("credentials", "slots"),
    ("environment", "env"),
    ("variable", "env"),
    ("timeout", "request_timeout"),
    ("database", "url"),
    ("bind", "listen"),
    ("path", "file"),
];

/// The known word that was most likely meant.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = given.to_ascii_lowercase().replace('-', "_");
    let synonym = SYNONYMS
        .iter()
        .filter(|(word, _)| *word == given)
        .find_map(|(_, here)| known.iter().find(|word| *word == here));
    if let Some(word) = synonym {
        return Some(word);
    }
    let far = given.chars().count().max(3) / 3;
    known
        .iter()
        .map(|word| (distance(&given, word), *word))
        .filter(|(steps, word)| *steps <= far.min(3) || is_part_of(&given, word))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, word)| word)
}

/// `fuel` of `fuel_max`, and `memory_max` of `memory_bytes_max`: the right words, but not all of them.
fn is_part_of(given: &str, word: &str) -> bool {
    let mut words = word.split('_');
    given.len() >= 4 && (word.contains(given) || given.split('_').all(|part| words.any(|other| other == part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 7] = ["every", "cron", "zone", "manual", "enabled", "fuel_max", "memory_bytes_max"];

    #[test]
    fn slips_and_synonyms_find_the_word() {
        for (given, want) in [
            ("evrey", "every"),
            ("interval", "every"),
            ("Cron", "cron"),
            ("enable", "enabled"),
            ("fuel-max", "fuel_max"),
            ("fuel", "fuel_max"),
            ("memory_max", "memory_bytes_max"),
        ] {
            assert_eq!(nearest(given, &KEYS), Some(want), "{given}");
        }
    }

    #[test]
    fn nothing_is_suggested_for_what_is_far_away() {
        for given in ["colour", "x", "retries"] {
            assert_eq!(nearest(given, &KEYS), None, "{given}");
        }
    }

    #[test]
    fn a_swap_is_one_step() {
        assert_eq!(distance("evrey", "every"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
