//! Filling `{name}` places of a manifest's texts. Owns the syntax; what stands behind a name is the caller's.

/// Fills every `{name}` of `template` with what `value_of` says.
///
/// # Errors
/// The first name that has no value, or the text of an unclosed brace.
pub(crate) fn fill(template: &str, value_of: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or_else(|| format!("{{{after}"))?;
        filled.push_str(before);
        filled.push_str(&value_of(name).ok_or_else(|| name.to_owned())?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_origin::config_text;

    use super::*;

    #[test]
    fn every_place_is_filled_and_the_rest_stays() {
        let config = serde_json::json!({ "base_url": "https://a.test/", "corp": "c1" });
        let filled = fill("{base_url}/{corp}/token?x=1", |key| config_text(&config, key));
        assert_eq!(filled.unwrap(), "https://a.test/c1/token?x=1");
        assert_eq!(fill("no places", |_| None).unwrap(), "no places");
    }

    #[test]
    fn a_name_without_a_value_is_named() {
        assert_eq!(fill("{gone}/x", |_| None).unwrap_err(), "gone");
        assert_eq!(fill("{open", |_| None).unwrap_err(), "{open");
    }
}
