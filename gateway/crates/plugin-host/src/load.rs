//! From a file to a plugin that can be called: each step has its own error, and nothing is run before everything is checked.

use std::path::Path;
use std::sync::Arc;

use renmen_turns::{Account, Bounds, Class, Who};
use tokio::io::AsyncReadExt;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use crate::engine::{self, PluginHost};
use crate::limits::CallLimits;
use crate::load_error::LoadError;
use crate::plugin::Plugin;
use crate::signature::{SIGNATURE_BYTES_MAX, signature_path};
use crate::state::CallState;
use crate::verdict;

/// The account that the time of a plugin's trial is charged to.
const LOADING: &str = "(loading)";

impl PluginHost {
    /// Reads a file, and its signature where signatures count, and loads it as [`PluginHost::load_bytes`].
    ///
    /// # Errors
    /// One cause each; nothing is loaded in part.
    pub async fn load(&self, path: &Path, digest: Option<&str>) -> Result<Arc<Plugin>, LoadError> {
        let bytes = read(path, self.tuning.plugin_bytes_max).await?;
        let signature = if self.trust.is_used() { read_signature(&signature_path(path)).await? } else { None };
        self.load_signed(bytes, digest, signature).await
    }

    /// Loads bytes that have no signature.
    ///
    /// # Errors
    /// As [`PluginHost::load_signed`].
    pub async fn load_bytes(&self, bytes: Vec<u8>, digest: Option<&str>) -> Result<Arc<Plugin>, LoadError> {
        self.load_signed(bytes, digest, None).await
    }

    /// Checks digest and signature on the bytes that are compiled, reads the manifest, checks the contract, the imports and the
    /// exports, compiles on a thread for blocking work, and starts one instance without network for a trial.
    ///
    /// # Errors
    /// One cause each; nothing is loaded in part.
    pub async fn load_signed(
        &self,
        bytes: Vec<u8>,
        digest: Option<&str>,
        signature: Option<String>,
    ) -> Result<Arc<Plugin>, LoadError> {
        if bytes.len() as u64 > self.tuning.plugin_bytes_max {
            return Err(LoadError::TooBig { bytes_max: self.tuning.plugin_bytes_max });
        }
        let gate = self.gate.clone();
        let (pinned, trust, compiler) = (digest.map(str::to_owned), self.trust.clone(), self.compiler.clone());
        let admitted = tokio::task::spawn_blocking(move || {
            gate.admit(&bytes, pinned.as_deref(), &compiler, |bytes| trust.check(bytes, signature.as_deref()))
        });
        let plugin = match admitted.await {
            Ok(admitted) => admitted?,
            Err(stopped) => return Err(LoadError::Engine { reason: format!("compiling was stopped: {stopped}") }),
        };
        let plugin = Arc::new(plugin);
        self.try_out(&plugin).await?;
        Ok(plugin)
    }

    /// One instance, thrown away: what fails before the first call fails now.
    async fn try_out(&self, plugin: &Arc<Plugin>) -> Result<(), LoadError> {
        let limits = Arc::new(CallLimits {
            wall_clock: self.tuning.trial_wall_clock,
            fuel_max: self.tuning.trial_fuel_max,
            ..CallLimits::default()
        });
        // It belongs to no connection: it does not wait behind a connection's calls or take a connection's time.
        let place = plugin.places.take(&Who::new("", LOADING, plugin.manifest.name.as_str()), Bounds::default()).await;
        let (account, tried) = (Account::of(LOADING), Arc::clone(plugin));
        let trial = async move {
            let _place = place;
            tried.start_once(limits).await
        };
        let trial = trial.in_current_span().with_current_subscriber();
        match plugin.threads.run(&account, Class::Urgent, trial).await {
            Ok(tried) => tried,
            Err(stopped) => Err(LoadError::Engine { reason: stopped.to_string() }),
        }
    }
}

impl Plugin {
    async fn start_once(&self, limits: Arc<CallLimits>) -> Result<(), LoadError> {
        let mut store = engine::store(self.pre.engine(), CallState::trial(self.name(), limits.clone()));
        let started = tokio::time::timeout(limits.wall_clock, self.pre.instantiate_async(&mut store)).await;
        let failed = |reason: String| LoadError::Trial { plugin: self.manifest.name.clone(), reason };
        let instance = match started {
            Ok(Ok(instance)) => instance,
            Ok(Err(error)) => return Err(failed(verdict::over(&error, store.data(), Default::default()).to_string())),
            Err(_elapsed) => return Err(failed(verdict::late(store.data(), Default::default(), false).to_string())),
        };
        // The types of the exports are checked here as well.
        let fits = |result: wasmtime::Result<()>| {
            result.map_err(|error| LoadError::Link { plugin: self.manifest.name.clone(), reason: format!("{error:#}") })
        };
        if let Some(source) = &self.source {
            fits(source.load(&mut store, &instance).map(drop))?;
        }
        if let Some(sink) = &self.sink {
            fits(sink.load(&mut store, &instance).map(drop))?;
        }
        if let Some(webhook) = &self.webhook {
            fits(webhook.load(&mut store, &instance).map(drop))?;
        }
        if let Some(probe) = &self.probe {
            fits(probe.load(&mut store, &instance).map(drop))?;
        }
        Ok(())
    }
}

/// No more of a file is read than may be loaded.
async fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).await.map_err(failed)?;
    Ok(bytes)
}

/// `None` where the file does not exist.
async fn read_signature(path: &Path) -> Result<Option<String>, LoadError> {
    match read(path, SIGNATURE_BYTES_MAX).await {
        Ok(bytes) if bytes.len() as u64 > SIGNATURE_BYTES_MAX => Err(LoadError::SignatureMalformed),
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(LoadError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
