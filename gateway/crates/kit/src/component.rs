//! Components on disk: reading one, and making one of a module and its manifest. The one way in which a component is made,
//! for `renmen plugin build`, for `renmen plugin pack` and by it for `cargo xtask plugins`.

use std::fs;
use std::path::Path;

use renmen_plugin_host::{Inspection, componentize, inspect};
use renmen_schema::{Text, text};

use crate::KitError;

/// Biggest module, component or manifest that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// A whole file of at most [`FILE_BYTES_MAX`] bytes.
///
/// # Errors
/// [`KitError::Usage`] when it is not there or too big, [`KitError::File`] when it cannot be read.
pub fn read(file: &Path) -> Result<Vec<u8>, KitError> {
    let shown = file.display();
    let size = fs::metadata(file).map_err(|error| KitError::Usage(Text::verbatim(format!("{shown}: {error}"))))?.len();
    if size > FILE_BYTES_MAX {
        return Err(KitError::Usage(text!(
            "{shown} has {size} bytes, more than {FILE_BYTES_MAX}",
            "{shown} 有 {size} 字节，超过 {FILE_BYTES_MAX}"
        )));
    }
    fs::read(file).map_err(|source| KitError::file(file, source))
}

/// A whole text file.
///
/// # Errors
/// As [`read`]; [`KitError::Usage`] when it is not UTF-8.
pub fn read_text(file: &Path) -> Result<String, KitError> {
    let shown = file.display();
    String::from_utf8(read(file)?).map_err(|_| {
        KitError::Usage(text!("{shown} is not UTF-8: save it as UTF-8", "{shown} 不是 UTF-8：请存为 UTF-8"))
    })
}

/// Makes the component of the module that cargo wrote and of `plugin.toml`, and writes it to `to`.
///
/// # Errors
/// [`KitError::Component`] with what is wrong with module or manifest; [`KitError::File`] when it cannot be written.
pub fn make(module: &Path, manifest: &Path, to: &Path) -> Result<Inspection, KitError> {
    join(&read(module)?, &read_text(manifest)?, manifest, to)
}

/// The same of what is in memory; `manifest` is the file that its text is of, for errors.
///
/// # Errors
/// As [`make`].
pub(crate) fn join(module: &[u8], text: &str, manifest: &Path, to: &Path) -> Result<Inspection, KitError> {
    let (component, made) = joined(module, text, manifest)?;
    let failed = |source| KitError::file(to, source);
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Through a draft, so that a gateway that reloads never sees half a component.
    let draft = to.with_extension("draft");
    fs::write(&draft, &component).and_then(|()| fs::rename(&draft, to)).map_err(failed)?;
    Ok(made)
}

/// The component alone, and what it says of itself.
///
/// # Errors
/// [`KitError::Component`].
pub(crate) fn joined(module: &[u8], text: &str, manifest: &Path) -> Result<(Vec<u8>, Inspection), KitError> {
    let component = componentize(module, text).map_err(|error| KitError::component(manifest, error))?;
    let made = inspect(&component).map_err(|error| KitError::component(manifest, error))?;
    Ok((component, made))
}
