//! `[plugins]`: trusted keys.

use crate::{read, read_dev, refused};

const KEY: &str = "RWTfXIUzQD+xUygb+Gu8ZOeY5nRjzqQ0KP5pyEXBwDCb+A4FendUI9L3";

#[test]
fn nobody_is_trusted_and_nothing_required_by_default() {
    let plugins = read_dev("").plugins;
    assert!(plugins.trusted_keys.is_empty() && !plugins.require_signature);
}

#[test]
fn keys_have_names() {
    let text = format!("[plugins]\nrequire_signature = true\ntrusted_keys = {{ acme = \"{KEY}\" }}\n");
    let plugins = read(&text, false).unwrap().plugins;
    assert_eq!(plugins.trusted_keys["acme"], KEY);
    assert!(plugins.require_signature);
}

#[test]
fn what_is_no_key_has_its_line_and_the_form_of_one() {
    let error = refused("[plugins]\ntrusted_keys = { acme = \"RWQ\" }\n");
    assert!(error.contains("connectors.toml:2:") && error.contains("56 characters that begin with RW"), "{error}");
    let error = refused("[plugins]\nrequire_signature = true\n");
    assert!(error.contains("no key is trusted"), "{error}");
    let error = refused("[plugins]\nrequire_signatur = true\n");
    assert!(error.contains("did you mean `require_signature`"), "{error}");
}
