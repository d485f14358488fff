//! Which components fit the contract, told by their names alone: before anything is compiled.

use crate::inspect::Inspection;
use crate::load_error::LoadError;
use crate::release::{CONTRACT, interface_of};

/// The releases whose lines are served, the current one first. The line before it stands here for as long as its bindings are kept.
const SERVED: &[&str] = &[CONTRACT];

/// What a connector may import. `types` holds no function.
const IMPORTS: [&str; 5] = ["types", "http", "clock", "log", "seal"];

/// Checks versions, imports, the manifest and the exports, in the order in which an author would want to hear of it.
pub(crate) fn check(inspection: &Inspection) -> Result<(), LoadError> {
    let manifest = &inspection.manifest;
    check_version(inspection)?;
    let foreign: Vec<String> = inspection.imports.iter().filter(|name| !may_import(name)).cloned().collect();
    if !foreign.is_empty() {
        return Err(LoadError::ForeignImports { plugin: manifest.name.clone(), names: foreign });
    }
    let found = [manifest.check(), renmen_egress::host_faults(manifest)].concat();
    let faults: Vec<String> = found.iter().map(ToString::to_string).collect();
    if !faults.is_empty() {
        return Err(LoadError::ManifestFaults { plugin: manifest.name.clone(), faults });
    }
    check_promises(inspection)?;
    Ok(())
}

/// What the manifest says and what the code offers must be the same: a promise without code fails at its first call, and
/// code without a promise has no name by which it could be asked for.
fn check_promises(inspection: &Inspection) -> Result<(), LoadError> {
    let manifest = &inspection.manifest;
    let promises = [
        ("source", !manifest.streams.is_empty(), "its manifest names streams", "names a stream"),
        ("sink", !manifest.actions.is_empty(), "its manifest names actions", "names an action"),
        ("webhook", manifest.webhook.is_some(), "its manifest has a [webhook]", "has a [webhook]"),
    ];
    for (export, promised, because, wanted) in promises {
        match (promised, inspection.exports_interface(export)) {
            (true, false) => {
                let because = because.to_owned();
                return Err(LoadError::MissingExport { plugin: manifest.name.clone(), export, because });
            }
            (false, true) => return Err(LoadError::UndeclaredExport { plugin: manifest.name.clone(), export, wanted }),
            (true, true) | (false, false) => {}
        }
    }
    Ok(())
}

fn check_version(inspection: &Inspection) -> Result<(), LoadError> {
    let named = inspection.imports.iter().chain(&inspection.exports).filter_map(|name| interface_of(name)?.1);
    let all = named.chain([inspection.manifest.contract.as_str()]);
    for version in all {
        if !is_served(version, SERVED) {
            let plugin = inspection.manifest.name.clone();
            return Err(LoadError::Contract { plugin, built_for: version.chars().take(80).collect() });
        }
    }
    Ok(())
}

fn is_served(version: &str, served: &[&str]) -> bool {
    line(version).is_some_and(|asked| served.iter().any(|release| line(release) == Some(asked)))
}

fn may_import(name: &str) -> bool {
    interface_of(name).is_some_and(|(interface, _)| IMPORTS.contains(&interface))
}

/// What semantic versioning calls compatible: the major number, or the minor one below 1.0. None for what is not a version.
fn line(version: &str) -> Option<(u64, u64)> {
    let version = semver::Version::parse(version).ok()?;
    Some(if version.major == 0 { (0, version.minor) } else { (version.major, 0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_line_and_the_one_before_it_can_be_served_and_no_other() {
        // Made up: the line before is one that there never was.
        let both = ["0.7.0", "0.6.3"];
        for served in ["0.7.0", "0.7.9", "0.6.0", "0.6.3", "0.6.12"] {
            assert!(is_served(served, &both), "{served}");
        }
        for other in ["0.5.9", "0.8.0", "1.6.0", "0.6", "latest", ""] {
            assert!(!is_served(other, &both), "{other}");
        }
        assert!(is_served(CONTRACT, SERVED));
    }

    #[test]
    fn patch_releases_of_a_line_are_compatible_and_others_are_not() {
        assert_eq!(line("0.1.0"), line("0.1.9"));
        assert_ne!(line("0.1.0"), line("0.2.0"));
        assert_ne!(line("0.1.0"), line("1.1.0"));
        assert_eq!(line("1.1.0"), line("1.7.2"));
        assert_eq!(line("0.1"), None);
        assert_eq!(line("latest"), None);
    }

    #[test]
    fn only_the_interfaces_of_the_contract_may_be_imported() {
        assert!(may_import("renmen:connector/http@0.2.0"));
        assert!(may_import("renmen:connector/types@0.2.0"));
        for name in
            ["wasi:io/poll@0.2.0", "renmen:connector/files@0.2.0", "env", "renmen:connectors/http@0.2.0", "http"]
        {
            assert!(!may_import(name), "{name}");
        }
    }
}
