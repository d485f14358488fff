//! Connectors without code: the folder's two files, read for their author, and the component that they make with the interpreter that this
//! binary carries. No compiler and no network are needed.

use std::path::{Path, PathBuf};

use renmen_declarative::author::{self, Checked, Made, Wrong};
use renmen_schema::manifest::Manifest;
use renmen_schema::{Text, text};

use crate::{KitError, component};

/// The file that makes a folder a connector without code.
pub const MAPPING: &str = "mapping.toml";

/// Is this the folder of a connector without code?
#[must_use]
pub fn is_declared(folder: &Path) -> bool {
    folder.join(MAPPING).is_file()
}

/// The two files of a connector without code, read and checked.
pub(crate) struct Declared {
    /// Where `plugin.toml` is.
    pub(crate) sheet: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// What it says; lineage is not in it.
    pub(crate) manifest: Manifest,
    /// What the mapping says.
    pub(crate) checked: Checked,
}

/// A mapping as it was read: what it says, or all that is wrong with it.
pub(crate) struct Mapping {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// What it says.
    pub(crate) read: Result<Checked, Vec<Wrong>>,
}

/// Reads and checks the two files.
///
/// # Errors
/// [`KitError::Usage`] with all that is wrong: file, line, column, key, the line itself, and the word that was most likely meant.
pub(crate) fn read(folder: &Path) -> Result<Declared, KitError> {
    let sheet = folder.join("plugin.toml");
    let text = component::read_text(&sheet)?;
    let manifest = crate::manifest::parse(&sheet, &text).map_err(|why| KitError::Usage(Text::verbatim(why)))?;
    let mapping = Mapping::read(folder, &manifest)?;
    match mapping.read {
        Ok(checked) => Ok(Declared { sheet, text, manifest, checked }),
        Err(wrong) => {
            let told: Vec<String> = wrong.iter().map(|wrong| told(&mapping.file, &mapping.text, wrong)).collect();
            Err(KitError::Usage(Text::verbatim(told.join("\n"))))
        }
    }
}

impl Mapping {
    /// Reads and checks the mapping against the manifest.
    ///
    /// # Errors
    /// [`KitError`] when the file cannot be read, or stands next to code.
    pub(crate) fn read(folder: &Path, manifest: &Manifest) -> Result<Self, KitError> {
        if folder.join("Cargo.toml").is_file() {
            return Err(KitError::Usage(text!(
                "{} has a Cargo.toml and a {MAPPING}: a connector is code or a mapping; take one of them out",
                "{} 同时含有 Cargo.toml 与 {MAPPING}：连接器只能是代码或映射之一，请移走其中一个",
                folder.display()
            )));
        }
        let file = folder.join(MAPPING);
        let text = component::read_text(&file)?;
        let read = author::read(&text, Some(manifest));
        Ok(Self { file, text, read })
    }
}

impl Declared {
    /// Module and manifest, ready to be made a component.
    ///
    /// # Errors
    /// [`KitError::Usage`] when they cannot be put together: a mapping that is too big.
    pub(crate) fn made(&self) -> Result<Made, KitError> {
        author::make(renmen_interpreter::MODULE, &self.text, &self.checked)
            .map_err(|why| KitError::Usage(Text::verbatim(format!("{}: {why}", self.sheet.display()))))
    }
}

/// One thing that is wrong: the file with line and column, the key, what it is, and the line itself.
fn told(file: &Path, text: &str, wrong: &Wrong) -> String {
    let mut told = format!("{}:{wrong}", file.display());
    let line = text.lines().nth(wrong.line.saturating_sub(1)).unwrap_or_default();
    if !line.trim().is_empty() {
        told.push_str(&format!("\n  {line}\n  {}^", " ".repeat(wrong.column.saturating_sub(1))));
    }
    told
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::build::Build;
    use crate::scaffold::{PluginName, Scaffold, Shape};

    fn new(folder: &Path) {
        let name = PluginName::new("acme-hr").unwrap();
        Scaffold { name, shape: Shape::Declarative, folder: folder.to_owned(), sdk: None }.write().unwrap();
    }

    fn build(folder: &Path) -> Result<crate::build::Built, KitError> {
        Build { folder: folder.to_owned(), out: None, offline: true }.run()
    }

    #[test]
    fn two_files_become_a_component_without_a_compiler_and_the_same_files_the_same_one() {
        let dir = tempfile::tempdir().unwrap();
        new(dir.path());
        let built = build(dir.path()).unwrap();
        assert_eq!(built.path, dir.path().join("acme-hr.wasm"));
        assert_eq!(built.inspection.manifest.name, "acme-hr");
        assert!(built.inspection.manifest.lineage["employee"].contains_key("/person/names/formatted"));
        assert_eq!(build(dir.path()).unwrap().inspection.digest, built.inspection.digest);
    }

    #[test]
    fn what_is_wrong_has_file_line_key_and_the_line_itself() {
        let dir = tempfile::tempdir().unwrap();
        new(dir.path());
        let file = dir.path().join(MAPPING);
        let text = std::fs::read_to_string(&file).unwrap();
        let bad = text.replace("entity = \"employee\"", "entity = \"employe\"").replace("{page/size}", "{pge/size}");
        assert_ne!(text, bad);
        std::fs::write(&file, &bad).unwrap();
        let told = build(dir.path()).unwrap_err().to_string();
        for (piece, meant) in [("{pge/size}", "`page`"), ("entity = \"employe\"", "`employee`")] {
            let line = bad.lines().position(|line| line.contains(piece)).unwrap() + 1;
            let place = format!("{}:{line}:", file.display());
            let found = told.lines().find(|told| told.starts_with(&place)).unwrap_or_else(|| panic!("{place} {told}"));
            assert!(
                found.contains(": streams.employees.") && found.contains(&format!("did you mean {meant}?")),
                "{found}"
            );
        }
        assert!(told.contains('^'), "{told}");
    }

    #[test]
    fn a_folder_with_code_and_a_mapping_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        new(dir.path());
        std::fs::write(dir.path().join("Cargo.toml"), "").unwrap();
        assert!(build(dir.path()).unwrap_err().to_string().contains("code or a mapping"));
    }
}
