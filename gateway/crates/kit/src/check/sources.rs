//! What was written after the component was built: a check looks at the component and cannot see the code that is missing in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Lints;

/// What a Rust connector is built of, in its folder. `plugin.toml` is compared by what it says and not by its time.
const SOURCES: [&str; 5] = ["Cargo.toml", "Cargo.lock", "build.rs", "src", "sdk"];
/// Folders that are looked into below each other.
const DEPTH_MAX: u32 = 16;

/// Warns when a source is newer than the component.
pub(super) fn check(folder: &Path, component: &Path, lints: &mut Lints) {
    // Without a Cargo.toml it is a connector in another language: what it is made of is for its own build to know.
    if !folder.join("Cargo.toml").is_file() {
        return;
    }
    let Some(built) = written(component) else { return };
    let newest = SOURCES.iter().filter_map(|name| newest(&folder.join(name), DEPTH_MAX)).max();
    if let Some((at, source)) = newest
        && at > built
    {
        let message = format!(
            "it was changed after {} was built, which is the one that was looked at: run `renmen plugin build`",
            component.display()
        );
        lints.warning("stale", source.display().to_string(), message);
    }
}

/// The file that was written last, in a folder or the file itself. Links lead out of the connector and are not followed.
fn newest(path: &Path, depth: u32) -> Option<(SystemTime, PathBuf)> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    if kind.is_file() {
        return Some((written(path)?, path.to_owned()));
    }
    let named = path.file_name().is_some_and(|name| name == "target" || name.to_string_lossy().starts_with('.'));
    if !kind.is_dir() || named || depth == 0 {
        return None;
    }
    let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
    entries.filter_map(|entry| newest(&entry.path(), depth - 1)).max()
}

fn written(file: &Path) -> Option<SystemTime> {
    file.metadata().ok()?.modified().ok()
}
