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

#[test]
fn the_bounds_of_compiling_have_defaults_and_two_sides() {
    let plugins = read_dev("").plugins;
    assert_eq!((plugins.functions_max, plugins.function_bytes_max, plugins.items_max), (100_000, 1 << 20, 500_000));
    assert_eq!((plugins.compile_memory_max, plugins.compile_time_max.as_secs()), (2 << 30, 60));
    for (key, least, most) in [
        ("functions_max", "1000", "1000000"),
        ("function_bytes_max", "\"64KiB\"", "\"7MiB\""),
        ("items_max", "1000", "10000000"),
        ("compile_memory_max", "\"512MiB\"", "\"64GiB\""),
        ("compile_time_max", "\"1s\"", "\"1h\""),
    ] {
        for edge in [least, most] {
            assert!(read(&format!("[plugins]\n{key} = {edge}\n"), false).is_ok(), "{key} = {edge}");
        }
    }
    for (key, beyond) in [
        ("functions_max", "999"),
        ("functions_max", "1000001"),
        ("function_bytes_max", "\"63KiB\""),
        ("function_bytes_max", "\"8MiB\""),
        ("items_max", "999"),
        ("items_max", "10000001"),
        ("compile_memory_max", "\"511MiB\""),
        ("compile_memory_max", "\"65GiB\""),
        ("compile_time_max", "\"999ms\""),
        ("compile_time_max", "\"61m\""),
    ] {
        let error = refused(&format!("[plugins]\n{key} = {beyond}\n"));
        assert!(error.contains("out of range"), "{key} = {beyond}: {error}");
    }
}
