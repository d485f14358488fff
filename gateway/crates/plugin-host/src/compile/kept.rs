//! What a child has compiled: the cache entry that holds the code, and a note next to the cache that tells the next
//! start about it.
//!
//! The cache belongs to wasmtime and names its entries itself. A child compiles into a directory of its own, sees which
//! file this made there, and moves it to its place; the note keeps the file's name. A note without its entry has no
//! effect.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use wasmtime::Engine;

use super::CompileLimits;

/// Notes, one file each, below the directory of compiled code.
const NOTES: &str = "compiled";

/// Which code, for which engine, within which limits.
pub(super) struct Key(String);

impl Key {
    pub(super) fn of(engine: &Engine, digest: &str, limits: &CompileLimits) -> Self {
        // Without secrets or randomness: the same in the next process.
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let CompileLimits { functions_max, function_bytes_max, items_max, memory_bytes_max, time_max } = limits;
        (functions_max, function_bytes_max, items_max, memory_bytes_max, time_max).hash(&mut hasher);
        let digest: String = digest.chars().filter(char::is_ascii_alphanumeric).collect();
        Self(format!("{digest}-{:016x}", hasher.finish()))
    }

    /// Is there an entry that a child made within these limits?
    pub(super) fn is_kept(&self, cache_dir: &Path) -> bool {
        let noted = fs::read_to_string(self.note(cache_dir)).unwrap_or_default();
        is_plain(&noted) && cache_dir.join(&noted).is_file()
    }

    /// Notes where a child put it.
    pub(super) fn keep(&self, cache_dir: &Path, entry: &str) -> io::Result<()> {
        if !is_plain(entry) || !cache_dir.join(entry).is_file() {
            return Err(io::Error::other("the compiled code was not kept"));
        }
        fs::create_dir_all(cache_dir.join(NOTES))?;
        let (note, half) = (self.note(cache_dir), self.note(cache_dir).with_extension("half"));
        fs::write(&half, entry)?;
        fs::rename(half, note)
    }

    fn note(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join(NOTES).join(&self.0)
    }
}

/// A path below the cache and nowhere else.
fn is_plain(entry: &str) -> bool {
    !entry.is_empty() && Path::new(entry).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// The cache of one child, below the cache of all.
pub(super) fn own_cache(cache_dir: &Path, child: u32) -> PathBuf {
    cache_dir.join(format!("child-{child}"))
}

/// The one entry of a fresh cache, relative to it.
pub(super) fn only_entry(cache: &Path) -> io::Result<PathBuf> {
    let mut found = Vec::new();
    let modules = cache.join("modules");
    for compiler in fs::read_dir(&modules)? {
        let compiler = compiler?.path();
        for entry in fs::read_dir(&compiler)? {
            let entry = entry?.path();
            // Next to an entry lie statistics of its use, and files that are only half written.
            if entry.is_file() && entry.extension().is_none() {
                found.push(entry);
            }
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([entry]) => entry.strip_prefix(cache).map(Path::to_owned).map_err(io::Error::other),
        Err(found) => Err(io::Error::other(format!("the compiler left {} entries in a fresh cache", found.len()))),
    }
}

/// Moves an entry from a cache of its own to the cache of all.
pub(super) fn move_entry(from: &Path, to: &Path, entry: &Path) -> io::Result<()> {
    let place = to.join(entry);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(from.join(entry), place)
}
