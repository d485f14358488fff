//! Which plugin serves a path now, and hot reload: compile, try out, swap. Running calls keep the plugin they began with;
//! when the new one does not load, the old one stays and the reason can be seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use parking_lot::{Mutex, RwLock};

use crate::engine::PluginHost;
use crate::load_error::LoadError;
use crate::plugin::Plugin;

/// The plugins of a gateway by the path of their file.
pub struct Registry {
    host: Arc<PluginHost>,
    entries: RwLock<BTreeMap<PathBuf, Arc<Entry>>>,
}

/// What an operator wants to see of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStatus {
    /// Its file.
    pub path: PathBuf,
    /// What serves now; none when it never loaded.
    pub serving: Option<Serving>,
    /// How often another plugin took the place of a loaded one.
    pub reloads: u64,
    /// Why the last attempt to load failed; none after a success.
    pub failure: Option<String>,
}

/// The plugin that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// From its manifest.
    pub name: String,
    /// From its manifest.
    pub version: String,
    /// `sha256:…`
    pub digest: String,
    /// When it was swapped in.
    pub since: SystemTime,
}

#[derive(Default)]
struct Entry {
    plugin: ArcSwapOption<Plugin>,
    /// One attempt at a time, or the slower of two would win over the later.
    loading: tokio::sync::Mutex<()>,
    history: Mutex<History>,
}

#[derive(Default)]
struct History {
    since: Option<SystemTime>,
    reloads: u64,
    failure: Option<String>,
}

impl Registry {
    /// A registry without plugins.
    #[must_use]
    pub fn new(host: Arc<PluginHost>) -> Self {
        Self { host, entries: RwLock::default() }
    }

    /// Loads what lies at the path now and swaps it in. The first load and every reload go this way.
    ///
    /// # Errors
    /// As [`PluginHost::load`]; the plugin that served before goes on serving.
    pub async fn load(&self, path: &Path, digest: Option<&str>) -> Result<Arc<Plugin>, LoadError> {
        let entry = self.entry(path);
        let _turn = entry.loading.lock().await;
        self.load_into(&entry, path, digest).await
    }

    /// The plugin that serves a path, loaded if none with this digest does.
    ///
    /// # Errors
    /// As [`Registry::load`].
    pub async fn get_or_load(&self, path: &Path, digest: Option<&str>) -> Result<Arc<Plugin>, LoadError> {
        let entry = self.entry(path);
        // Connections are loaded side by side: the second of two with one file waits and finds it loaded.
        let _turn = entry.loading.lock().await;
        match entry.plugin.load_full() {
            Some(plugin) if digest.is_none_or(|digest| digest.eq_ignore_ascii_case(plugin.digest())) => Ok(plugin),
            _ => self.load_into(&entry, path, digest).await,
        }
    }

    fn entry(&self, path: &Path) -> Arc<Entry> {
        self.entries.write().entry(path.to_owned()).or_default().clone()
    }

    async fn load_into(&self, entry: &Entry, path: &Path, digest: Option<&str>) -> Result<Arc<Plugin>, LoadError> {
        let loaded = self.host.load(path, digest).await;
        entry.settle(path, &loaded);
        loaded
    }

    /// The plugin that serves a path now.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<Arc<Plugin>> {
        self.entries.read().get(path)?.plugin.load_full()
    }

    /// How every plugin stands, by path.
    #[must_use]
    pub fn statuses(&self) -> Vec<PluginStatus> {
        self.entries.read().iter().map(|(path, entry)| entry.status(path)).collect()
    }
}

impl Entry {
    fn settle(&self, path: &Path, loaded: &Result<Arc<Plugin>, LoadError>) {
        let mut history = self.history.lock();
        match loaded {
            Ok(plugin) => {
                history.reloads += u64::from(self.plugin.swap(Some(plugin.clone())).is_some());
                history.since = Some(SystemTime::now());
                history.failure = None;
                let manifest = plugin.manifest();
                tracing::info!(
                    path = %path.display(),
                    plugin = manifest.name,
                    version = manifest.version,
                    digest = plugin.digest(),
                    "Plugin loaded"
                );
            }
            Err(error) => {
                history.failure = Some(error.to_string());
                let serving = self.plugin.load().is_some();
                tracing::error!(path = %path.display(), serving, %error, "Failed to load a plugin; the previous version, if any, stays active");
            }
        }
    }

    fn status(&self, path: &Path) -> PluginStatus {
        let history = self.history.lock();
        let serving = self.plugin.load_full().zip(history.since).map(|(plugin, since)| Serving {
            name: plugin.manifest().name.clone(),
            version: plugin.manifest().version.clone(),
            digest: plugin.digest().to_owned(),
            since,
        });
        PluginStatus { path: path.to_owned(), serving, reloads: history.reloads, failure: history.failure.clone() }
    }
}
