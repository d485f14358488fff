//! What an operator or an author writes: configuration, manifests, schedules, components and their signatures.

use std::path::Path;

use renmen_config::{Config, LoadOptions};
use renmen_plugin_host::{Trust, TrustedKey, componentize, inspect};
use renmen_schema::manifest::Manifest;
use renmen_sync::Schedule;

use crate::target;

const MANIFEST: &str = "name = \"a\"\nversion = \"1.0.0\"\ndescription = \"\"\ncontract = \"0.2.0\"\n[streams.s]\ndescription = \"\"\nentities = [\"employee\"]\n";
const KEY: &str = "RWTfXIUzQD+xUygb+Gu8ZOeY5nRjzqQ0KP5pyEXBwDCb+A4FendUI9L3";

#[test]
fn plugin_manifest() {
    target("manifest", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        match Manifest::parse(text) {
            Ok(manifest) => assert!(manifest.check().iter().all(|fault| !fault.message.is_empty())),
            Err(error) => assert!(error.line >= 1 && error.column >= 1, "{error}"),
        }
    });
}

#[test]
fn connectors_toml() {
    target("connectors", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let env = |name: &str| (name == "HOME").then(|| "/home/x".to_owned());
        let read = Config::parse(text, Path::new("/etc/renmen/connectors.toml"), LoadOptions { dev: true, env: &env });
        if let Err(error) = read {
            assert!(!error.problems.is_empty());
            let _ = error.to_string();
        }
    });
}

#[test]
fn schedule() {
    target("schedule", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (expression, zone) = text.split_once('|').unwrap_or((&text, "Asia/Shanghai"));
        // A line of an operator's file is short; the configuration refuses longer ones.
        if expression.len() > 200 || zone.len() > 100 {
            return;
        }
        if let Ok(schedule) = Schedule::cron(expression, zone) {
            let now = 1_767_225_600_000;
            if let Some(due) = schedule.due_ms(Some(now), now) {
                assert!(due > now, "{expression} {zone} is due again at once");
            }
        }
    });
}

#[test]
fn component() {
    target("component", |bytes| {
        if let Err(error) = inspect(bytes) {
            assert!(!error.to_string().is_empty());
        }
        let _ = componentize(bytes, MANIFEST);
    });
}

#[test]
fn signature() {
    let trust = Trust { keys: vec![TrustedKey::parse("a", KEY).unwrap()], required: true };
    target("signature", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        assert!(trust.check(b"not what was signed", Some(&text)).is_err(), "a forged signature was taken");
        let _ = TrustedKey::parse("b", &text);
    });
}
