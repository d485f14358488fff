//! Reading from a disk.

use std::fs;
use std::path::Path;

use renmen_config::{CONNECTIONS_MAX, Config, ConfigError, FILE_BYTES_MAX, LoadOptions};

fn load(path: &Path) -> Result<Config, ConfigError> {
    Config::load(path, LoadOptions { dev: true, env: &|_| None })
}

#[test]
fn paths_are_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("connectors.toml");
    fs::write(&path, "\u{feff}[connections.a]\nplugin = \"./sub/../p.wasm\"\n").unwrap();
    let config = load(&path).unwrap();
    assert!(config.connections.first_key_value().unwrap().1.plugin.starts_with(dir.path()));
    assert_eq!(config.path, path);
}

#[test]
fn what_cannot_be_read_is_told_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent.toml");
    let error = load(&absent).unwrap_err().to_string();
    assert!(error.contains("absent.toml") && error.contains("--config"), "{error}");
    let binary = dir.path().join("binary.toml");
    fs::write(&binary, [b'a', 0xff]).unwrap();
    assert!(load(&binary).unwrap_err().to_string().contains("UTF-8 text (at byte 1)"));
    assert!(load(dir.path()).is_err());
}

#[test]
fn a_file_has_a_largest_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("connectors.toml");
    let size = usize::try_from(FILE_BYTES_MAX).unwrap();
    fs::write(&path, format!("#{}", "x".repeat(size - 1))).unwrap();
    assert!(load(&path).is_ok());
    fs::write(&path, format!("#{}", "x".repeat(size))).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("more than 1048576 bytes"));
}

#[test]
fn a_file_has_a_largest_number_of_connections() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("connectors.toml");
    let mut text: String =
        (0..CONNECTIONS_MAX).map(|number| format!("[connections.c{number}]\nplugin = \"p.wasm\"\n")).collect();
    fs::write(&path, &text).unwrap();
    assert_eq!(load(&path).unwrap().connections.len(), CONNECTIONS_MAX);
    text.push_str("[connections.last]\nplugin = \"p.wasm\"\n");
    fs::write(&path, &text).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("more than 1000 connections"));
}

#[test]
fn deep_nesting_and_nonsense_are_refused_without_harm() {
    for text in [
        "a = ".to_owned() + &"[".repeat(5_000),
        "[a]\n".repeat(3),
        "\0".to_owned(),
        "=".repeat(1000),
        "a.b.c.".repeat(2_000),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("connectors.toml");
        fs::write(&path, &text).unwrap();
        assert!(!load(&path).unwrap_err().problems.is_empty());
    }
}

#[test]
fn the_example_deployment_of_this_repository_is_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../connectors.toml");
    let config = load(&path).unwrap_or_else(|error| panic!("{error}"));
    assert!(config.connections.contains_key(&"dingtalk".parse().unwrap()));
    for (name, connection) in &config.connections {
        assert!(!connection.streams.is_empty(), "{name} pulls nothing");
    }
    let production = Config::load(&path, LoadOptions { dev: false, env: &|_| None }).unwrap_err();
    let all_about_digests =
        production.problems.iter().all(|problem| problem.message.english().contains("`digest` is missing"));
    assert!(all_about_digests, "only the digests are missing for production: {production}");
    let on = config.connections.values().filter(|connection| connection.enabled).count();
    assert_eq!(production.problems.len(), on, "what is off is not loaded and needs none: {production}");
}
