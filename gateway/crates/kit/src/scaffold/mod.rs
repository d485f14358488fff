//! `renmen plugin new`: a connector that builds and passes, from the template that this binary carries.
//!
//! A connector without code is a few files and nothing else. For one in Rust nothing of ours is published to a registry, so the SDK comes along as `sdk/`: its sources, as a workspace of their own.
//! A path dependency keeps builds reproducible and works without a network once cargo has the few crates below it, whose
//! versions come along too (`Cargo.lock`).

mod name;
mod shape;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

use std::fs;
use std::path::{Path, PathBuf};

pub use name::PluginName;
use renmen_plugin_host::CONTRACT;
use renmen_schema::text;
pub use shape::Shape;

use crate::{KitError, declared};

/// Where the SDK's copy stands below a connector.
const SDK_FOLDER: &str = "sdk";

/// What to write.
#[derive(Debug, Clone)]
pub struct Scaffold {
    /// Its name.
    pub name: PluginName,
    /// What kind of API it is for.
    pub shape: Shape,
    /// The folder, which must not be there or be empty.
    pub folder: PathBuf,
    /// A folder with `renmen-plugin` to use instead of a copy of our own.
    pub sdk: Option<PathBuf>,
}

impl Scaffold {
    /// Writes the connector; gives the paths of its own files (those of the SDK's copy are not listed).
    ///
    /// # Errors
    /// [`KitError::Usage`] when the folder holds something or the SDK is not where it was said to be; [`KitError::File`] when
    /// a file cannot be written.
    pub fn write(&self) -> Result<Vec<PathBuf>, KitError> {
        refuse_full(&self.folder)?;
        let sdk = match &self.sdk {
            None => format!("{SDK_FOLDER}/renmen-plugin"),
            Some(_) if !self.shape.has_code() => return Err(needs_no_sdk()),
            Some(path) => foreign_sdk(path)?,
        };
        let mut written = Vec::new();
        for (path, text) in embedded::TEMPLATE {
            let Some(path) = self.shape.path(path) else { continue };
            let path = self.folder.join(target(path));
            write(&path, &self.fill(text, &sdk))?;
            written.push(path);
        }
        if self.sdk.is_none() && self.shape.has_code() {
            write_sdk(&self.folder)?;
            // The versions that the SDK was tested with; cargo takes out what this connector does not use.
            write(&self.folder.join("Cargo.lock"), embedded::LOCK)?;
        }
        Ok(written)
    }

    fn fill(&self, text: &str, sdk: &str) -> String {
        text.replace("@name@", self.name.as_str())
            .replace("@crate@", &self.name.library())
            .replace("@type@", &self.name.type_name())
            .replace("@sdk@", sdk)
            .replace("@contract@", CONTRACT)
            .replace("@rust@", env!("CARGO_PKG_RUST_VERSION"))
            .replace("@toolchain@", embedded::TOOLCHAIN)
    }
}

/// Writes this release's SDK into a connector's `sdk/`, in the place of the one that is there. Gives its folder.
///
/// # Errors
/// [`KitError::Usage`] when something else stands there; [`KitError::File`] when a file cannot be written.
pub fn write_sdk(connector: &Path) -> Result<PathBuf, KitError> {
    if declared::is_declared(connector) {
        return Err(needs_no_sdk());
    }
    let sdk = connector.join(SDK_FOLDER);
    if sdk.exists() {
        let ours = sdk.join("renmen-plugin/Cargo.toml").is_file() && sdk.join("renmen-schema/Cargo.toml").is_file();
        if !ours {
            let shown = sdk.display();
            return Err(KitError::Usage(text!(
                "{shown} exists and is not a copy of the SDK: move it away first",
                "{shown} 已存在且不是 SDK 的副本：请先移走"
            )));
        }
        fs::remove_dir_all(&sdk).map_err(|source| KitError::file(&sdk, source))?;
    }
    for (path, text) in embedded::SDK {
        write(&sdk.join(path), text)?;
    }
    Ok(sdk)
}

fn needs_no_sdk() -> KitError {
    KitError::Usage(text!("a connector without code needs no SDK", "无代码连接器不需要 SDK"))
}

/// Names that cargo or git would take for their own while they stand in our repository end in `.in` there.
fn target(path: &str) -> String {
    match path.strip_suffix(".in") {
        Some("gitignore") => ".gitignore".to_owned(),
        Some(name) => name.to_owned(),
        None => path.to_owned(),
    }
}

fn refuse_full(folder: &Path) -> Result<(), KitError> {
    let shown = folder.display();
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(KitError::Usage(text!(
                "{shown} is not empty: give another --dir, or take its files away",
                "{shown} 不为空：请用 --dir 指定其他目录，或清空该目录"
            ))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(KitError::Usage(text!("{shown} cannot be used: {error}", "无法使用 {shown}：{error}"))),
    }
}

/// The path as it goes into `Cargo.toml`: absolute, so that the connector may stand anywhere.
fn foreign_sdk(path: &Path) -> Result<String, KitError> {
    let manifest = path.join("Cargo.toml");
    let is_sdk = fs::read_to_string(&manifest).is_ok_and(|text| text.contains("name = \"renmen-plugin\""));
    if !is_sdk {
        let shown = path.display();
        return Err(KitError::Usage(text!(
            "--sdk {shown}: no Cargo.toml of renmen-plugin found: name the folder that holds it",
            "--sdk {shown}：没有找到 renmen-plugin 的 Cargo.toml：请指定其所在目录"
        )));
    }
    let path = path.canonicalize().map_err(|source| KitError::file(path, source))?;
    // Cargo.toml is TOML: a backslash or a quote in the path must not end its string.
    Ok(path.to_string_lossy().replace('\\', "/").replace('"', "\\\""))
}

fn write(path: &Path, text: &str) -> Result<(), KitError> {
    let failed = |source| KitError::file(path, source);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scaffold(folder: &Path) -> Scaffold {
        shaped(folder, Shape::Cursor)
    }

    fn shaped(folder: &Path, shape: Shape) -> Scaffold {
        Scaffold { name: PluginName::new("acme-hr").unwrap(), shape, folder: folder.to_owned(), sdk: None }
    }

    #[test]
    fn every_place_of_the_template_is_filled() {
        for (shape, own) in [
            (
                Shape::Cursor,
                &["src/record.rs", "tests/it/main.rs", "fixtures/employees.http.json", "conformance.toml"][..],
            ),
            (Shape::Offset, &["src/record.rs", "tests/it/main.rs", "fixtures/employees.http.json", "conformance.toml"]),
            (
                Shape::Webhook,
                &["src/record.rs", "tests/it/main.rs", "fixtures/employees.http.json", "conformance.toml"],
            ),
            (Shape::Action, &["tests/it/main.rs"]),
            (
                Shape::Declarative,
                &["mapping.toml", "fixtures/employees.http.json", "fixtures/records.json", "conformance.toml"],
            ),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let folder = dir.path().join("acme-hr");
            let written = shaped(&folder, shape).write().unwrap();
            let common = [".gitignore", "plugin.toml", "README.md"].as_slice();
            let rust: &[&str] =
                if shape.has_code() { &["Cargo.toml", "rust-toolchain.toml", "src/lib.rs"] } else { &[] };
            for file in common.iter().chain(rust).chain(own) {
                assert!(written.contains(&folder.join(file)), "{file}: {written:?}");
            }
            filled(&folder, &written);
        }
    }

    fn filled(folder: &Path, written: &[PathBuf]) {
        for path in written {
            let text = fs::read_to_string(path).unwrap();
            let left = ["@name@", "@crate@", "@type@", "@sdk@", "@contract@", "@rust@", "@toolchain@"]
                .map(|place| text.contains(place));
            assert_eq!(left, [false; 7], "{}", path.display());
        }
        let manifest =
            renmen_schema::manifest::Manifest::parse(&fs::read_to_string(folder.join("plugin.toml")).unwrap());
        assert_eq!(manifest.unwrap().check(), []);
    }

    #[test]
    fn the_sdk_that_comes_along_is_the_one_that_was_tested() {
        let dir = tempfile::tempdir().unwrap();
        scaffold(dir.path()).write().unwrap();
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("plugin-sdk");
        for (copy, original) in [
            ("renmen-plugin/src/lib.rs", "src/lib.rs"),
            ("renmen-plugin/wit/connector.wit", "wit/connector.wit"),
            ("renmen-schema/src/lib.rs", "schema/src/lib.rs"),
        ] {
            let copied = fs::read(dir.path().join("sdk").join(copy)).unwrap();
            assert_eq!(copied, fs::read(sdk.join(original)).unwrap(), "{copy}");
        }
        let workspace: toml::Table = fs::read_to_string(dir.path().join("sdk/Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(workspace["workspace"]["dependencies"]["renmen-schema"]["path"].as_str(), Some("renmen-schema"));
        assert!(workspace["workspace"]["dependencies"].get("wasmtime").is_none());
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine"), "x").unwrap();
        let error = scaffold(dir.path()).write().unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_newer_sdk_takes_the_place_of_the_copy_and_of_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        scaffold(dir.path()).write().unwrap();
        let stale = dir.path().join("sdk/renmen-plugin/src/stale.rs");
        fs::write(&stale, "").unwrap();
        write_sdk(dir.path()).unwrap();
        assert!(!stale.exists());
        fs::remove_file(dir.path().join("sdk/renmen-schema/Cargo.toml")).unwrap();
        assert!(write_sdk(dir.path()).unwrap_err().to_string().contains("is not a copy of the SDK"));
    }

    #[test]
    fn a_connector_without_code_has_no_sdk_and_gets_none() {
        let dir = tempfile::tempdir().unwrap();
        let ask = shaped(dir.path(), Shape::Declarative);
        ask.write().unwrap();
        assert!(!dir.path().join("sdk").exists() && !dir.path().join("Cargo.lock").exists());
        assert!(write_sdk(dir.path()).unwrap_err().to_string().contains("needs no SDK"));
        let ask = Scaffold { sdk: Some(dir.path().to_owned()), folder: dir.path().join("new"), ..ask };
        assert!(ask.write().unwrap_err().to_string().contains("needs no SDK"));
    }

    #[test]
    fn a_path_that_is_no_sdk_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut ask = scaffold(&dir.path().join("new"));
        ask.sdk = Some(dir.path().to_owned());
        assert!(ask.write().unwrap_err().to_string().contains("no Cargo.toml of renmen-plugin"));
        assert!(!ask.folder.exists(), "nothing is written when it cannot work");
    }
}
