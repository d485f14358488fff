//! What is tested: a component with what is known of its source.

use std::path::{Path, PathBuf};

use renmen_plugin_host::Plugin;
use serde_json::Value;

use super::description::{Against, fill, read_toml};
use super::fixtures::{self, Recording};
use super::{ConformanceError, Description};

/// The biggest component that is read, in bytes.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// The name of a description.
pub(crate) const FILE_NAME: &str = "conformance.toml";

/// A component with what is known of its source.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The bytes of the component.
    pub component: Vec<u8>,
    /// What is known.
    pub source: Known,
    /// What was recorded of it.
    pub(super) recording: Option<Recording>,
}

/// What is known of a source.
#[derive(Debug, Clone)]
pub enum Known {
    /// Everything: it is played after a description.
    Described(Description),
    /// Where it runs.
    Running {
        /// On this machine: `http://127.0.0.1:4040`.
        url: String,
        /// How to connect.
        against: Against,
    },
}

impl Subject {
    /// A connector's folder, or a component. The description lies in `described`, or next to the component.
    ///
    /// # Errors
    /// A file that is not there, with where it was looked for.
    pub fn described(path: &Path, described: Option<&Path>) -> Result<Self, ConformanceError> {
        let component = component(path)?;
        let beside = if path.is_dir() { path } else { path.parent().unwrap_or_else(|| Path::new(".")) };
        let folder = described.unwrap_or(beside);
        // The fixtures' own folder is a natural answer too.
        let places = [folder.join(FILE_NAME), folder.join("..").join(FILE_NAME)];
        let file = places.iter().find(|place| place.is_file()).ok_or_else(|| {
            ConformanceError::Usage(format!(
                "there is no {}: describe the vendor there (docs/conformance.md), or name its folder with --fixtures",
                places[0].display()
            ))
        })?;
        let description = Description::read(file)?;
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        let recording = Some(fixtures::beside(folder, &description.fixtures, &description.config));
        Ok(Self { component: read(&component)?, source: Known::Described(description), recording })
    }

    /// A component against a source that runs.
    ///
    /// # Errors
    /// A file that is missing or malformed.
    pub fn running(path: &Path, url: &str, against: &Path) -> Result<Self, ConformanceError> {
        let component = read(&component(path)?)?;
        let source = Known::Running { url: url.to_owned(), against: read_toml(against)? };
        Ok(Self { component, source, recording: None })
    }

    /// The streams to test.
    pub(super) fn streams(&self, plugin: &Plugin) -> Result<Vec<String>, ConformanceError> {
        let declared: Vec<String> = plugin.manifest().streams.keys().map(|name| name.as_str().to_owned()).collect();
        let asked: Vec<String> = match &self.source {
            Known::Described(description) => description.streams.keys().cloned().collect(),
            Known::Running { against, .. } if against.streams.is_empty() => declared.clone(),
            Known::Running { against, .. } => against.streams.clone(),
        };
        if let Some(stray) = asked.iter().find(|name| !declared.contains(name)) {
            let known = declared.join(", ");
            return Err(ConformanceError::Usage(format!("the manifest has no stream `{stray}`; it has: {known}")));
        }
        Ok(asked)
    }

    /// The parts of the connector that are not tested, and why: what goes unmentioned is easily taken for proved.
    pub(super) fn untested(&self, plugin: &Plugin) -> Result<Vec<String>, ConformanceError> {
        let (manifest, asked) = (plugin.manifest(), self.streams(plugin)?);
        let described = match &self.source {
            Known::Described(_) => format!("is in the manifest and not under `streams` of {FILE_NAME}"),
            Known::Running { .. } => "is in the manifest and not among `streams` of the file of --connect".to_owned(),
        };
        let streams = manifest.streams.keys().filter(|name| !asked.iter().any(|one| one == name.as_str()));
        let streams = streams.map(|name| format!("stream {name} {described}"));
        let (called, delivered) = self.recording.as_ref().map(Recording::covers).transpose()?.unwrap_or_default();
        let actions = manifest.actions.keys().filter(|name| !called.contains(name));
        let actions = actions.map(|name| format!("action {name} is not in fixtures/calls.json"));
        let webhook = manifest.webhook.iter().filter(|_| !delivered);
        let webhook = webhook.map(|_| "deliveries: none is in fixtures/calls.json".to_owned());
        Ok(streams.chain(actions).chain(webhook).collect())
    }

    /// The connection's configuration with the address and the canary filled in.
    pub(super) fn config(&self, url: &str, canary: &str) -> Value {
        let mut config = match &self.source {
            Known::Described(description) => description.config.clone(),
            Known::Running { against, .. } => against.config.clone(),
        };
        if config.is_null() {
            config = Value::Object(serde_json::Map::new());
        }
        fill(&mut config, url, canary);
        config
    }
}

/// A folder's component is the one that `renmen plugin build` leaves there, no matter what else is in the folder; in a
/// folder whose plugin.toml names none, the only one.
fn component(path: &Path) -> Result<PathBuf, ConformanceError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    // A plugin.toml that cannot be read names none: what is wrong with it is for `build` and `check` to say.
    let built = crate::manifest::read(&path.join("plugin.toml")).map(|found| path.join(format!("{}.wasm", found.name)));
    if let Some(built) = built.ok().filter(|file| file.is_file()) {
        return Ok(built);
    }
    let failed = |source| ConformanceError::File { path: path.to_owned(), source };
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(failed)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(ConformanceError::Usage(format!(
            "{} holds no component: run `renmen plugin build` there",
            path.display()
        ))),
        (Some(_), false) => {
            Err(ConformanceError::Usage(format!("{} holds several components: name one of them", path.display())))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConformanceError> {
    let failed = |source| ConformanceError::File { path: path.to_owned(), source };
    let bytes = path.metadata().map_err(failed)?.len();
    if bytes > COMPONENT_BYTES_MAX {
        let path = path.display();
        return Err(ConformanceError::Usage(format!("{path} has {bytes} bytes, more than {COMPONENT_BYTES_MAX}")));
    }
    std::fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scaffold::{PluginName, Scaffold, Shape};

    #[test]
    fn a_second_component_beside_the_built_one_is_not_meant() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("acme-hr");
        Scaffold { name: PluginName::new("acme-hr").unwrap(), shape: Shape::Cursor, folder: folder.clone(), sdk: None }
            .write()
            .unwrap();
        std::fs::write(folder.join("acme-hr-before.wasm"), "").unwrap();
        std::fs::write(folder.join("acme-hr.wasm"), "").unwrap();
        assert_eq!(component(&folder).unwrap(), folder.join("acme-hr.wasm"));
    }

    #[test]
    fn of_several_components_that_nothing_names_one_must_be_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(component(dir.path()).unwrap_err().to_string().contains("renmen plugin build"));
        std::fs::write(dir.path().join("one.wasm"), "").unwrap();
        assert_eq!(component(dir.path()).unwrap(), dir.path().join("one.wasm"));
        std::fs::write(dir.path().join("two.wasm"), "").unwrap();
        assert!(component(dir.path()).unwrap_err().to_string().contains("name one of them"));
    }
}
