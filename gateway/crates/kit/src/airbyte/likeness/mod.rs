//! What a vendor's names are like in the canonical schema.
//!
//! Owns the words: which names of streams are which entity, which names of members are which field. Only what is sure is taken over; the rest is
//! proposed. Knows words of HR, and no vendor.

mod entity;
mod fields;
mod property;

pub(super) use entity::{Alike, entity, named};
pub(super) use fields::{Mapped, fields};
pub(super) use property::{Origin, Property, properties};

/// A name in small letters with `_` between its words: `firstName`, `First Name` and `first-name` are `first_name`.
pub(super) fn words(name: &str) -> String {
    let (mut out, mut before) = (String::new(), '_');
    let chars: Vec<char> = name.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let next_is_small = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = c.is_uppercase()
            && (before.is_lowercase() || before.is_ascii_digit() || before.is_uppercase() && next_is_small);
        if begins && !out.ends_with('_') {
            out.push('_');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') {
            out.push('_');
        }
        before = c;
    }
    out.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_of_all_styles_become_the_same_words() {
        for name in ["firstName", "First Name", "first-name", "FIRST_NAME", "first_name", " first  name "] {
            assert_eq!(words(name), "first_name", "{name}");
        }
        assert_eq!(words("externalURLId"), "external_url_id");
    }
}
