//! How the configuration in use stands to its file: since when it differs, and why a reload was refused.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use renmen_config::FILE_BYTES_MAX;
use renmen_schema::Text;
use renmen_store::ContentHash;

use super::super::secrets::SecretsPrint;
use super::super::{Deployment, now_ms};
use super::Difference;

/// For people.
#[derive(Debug, Clone)]
pub(crate) struct ConfigurationState {
    /// When the configuration in use was read. Milliseconds since the epoch.
    pub(crate) loaded_at_ms: i64,
    /// Since when the file says something else; none: it does not.
    pub(crate) differs_since_ms: Option<i64>,
    /// Why the last reload was refused; none: it was not.
    pub(crate) refused: Option<Text>,
    /// Keys whose new values count from the next start on.
    pub(crate) needs_restart: Vec<String>,
    /// When secrets of the vault were taken last. Milliseconds since the epoch.
    pub(crate) secrets_loaded_at_ms: i64,
    /// Why those that the vault holds now are not in use; none: they are.
    pub(crate) secrets_refused: Option<Text>,
}

/// See the module.
pub(in crate::deployment) struct Reloading {
    path: PathBuf,
    /// One reload at a time.
    turn: tokio::sync::Mutex<()>,
    /// The password with which the store was opened, of one that stands in the vault.
    password: Option<SecretsPrint>,
    state: Mutex<State>,
}

struct State {
    loaded_at_ms: i64,
    /// Of what is in use.
    stamp: Stamp,
    refused: Option<Text>,
    needs_restart: Vec<String>,
    /// The vault holds another password than the one that is in use.
    other_password: bool,
    secrets: Secrets,
}

/// The key of the database's password: connections that are open go on without it, so a changed one counts from the next start on.
const PASSWORD: &str = "store.password";

/// Of the vault.
#[derive(Default)]
struct Secrets {
    /// None: not known, so what is there counts as another.
    in_use: Option<SecretsPrint>,
    loaded_at_ms: i64,
    refused: Option<Text>,
}

/// What a file held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(Option<ContentHash>);

impl Reloading {
    pub(in crate::deployment) fn of(deployment: &Deployment, secrets: Option<SecretsPrint>) -> Self {
        let path = deployment.config.path.clone();
        let (stamp, loaded_at_ms) = (stamp_of(&path), now_ms());
        let secrets = Secrets { in_use: secrets, loaded_at_ms, refused: None };
        let state =
            State { loaded_at_ms, stamp, refused: None, needs_restart: Vec::new(), other_password: false, secrets };
        let password = deployment.password_print();
        Self { path, turn: tokio::sync::Mutex::default(), password, state: Mutex::new(state) }
    }

    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Of the file as it is now. Taken before it is read: one that is changed meanwhile differs.
    pub(super) fn stamp_now(&self) -> Stamp {
        stamp_of(&self.path)
    }

    pub(super) fn took(&self, stamp: Stamp, now_ms: i64, difference: &Difference, secrets: Option<SecretsPrint>) {
        let needs_restart = difference.needs_restart.clone();
        let secrets = Secrets { in_use: secrets, loaded_at_ms: now_ms, refused: None };
        let mut state = self.state.lock();
        let other_password = state.other_password;
        *state = State { loaded_at_ms: now_ms, stamp, refused: None, needs_restart, other_password, secrets };
    }

    /// The password that the vault holds now. True when it is news that it is another one.
    pub(super) fn sees_password(&self, now: Option<SecretsPrint>) -> bool {
        let differs = self.password.is_some() && now.is_some() && now != self.password;
        !std::mem::replace(&mut self.state.lock().other_password, differs) && differs
    }

    pub(super) fn uses(&self, secrets: SecretsPrint) -> bool {
        self.state.lock().secrets.in_use == Some(secrets)
    }

    pub(super) fn took_secrets(&self, secrets: Option<SecretsPrint>, now_ms: i64) {
        self.state.lock().secrets = Secrets { in_use: secrets, loaded_at_ms: now_ms, refused: None };
    }

    /// The vault holds what is in use: what was wrong with it was put right.
    pub(super) fn secrets_are_in_use(&self) {
        self.state.lock().secrets.refused = None;
    }

    /// Is that news?
    pub(super) fn refused_secrets(&self, why: Text) -> bool {
        let mut state = self.state.lock();
        let is_news = state.secrets.refused.as_ref().is_none_or(|known| known.to_string() != why.to_string());
        state.secrets.refused = Some(why);
        is_news
    }

    pub(super) fn refused(&self, why: Text) {
        self.state.lock().refused = Some(why);
    }

    pub(super) fn state(&self) -> ConfigurationState {
        let now = self.stamp_now();
        let mut state = self.state.lock();
        let differs = now != state.stamp;
        if !differs {
            // The file was put back.
            state.refused = None;
        }
        let mut needs_restart = state.needs_restart.clone();
        if state.other_password && !needs_restart.iter().any(|key| key == PASSWORD || key == "store") {
            needs_restart.push(PASSWORD.to_owned());
        }
        ConfigurationState {
            loaded_at_ms: state.loaded_at_ms,
            differs_since_ms: differs.then(|| self.changed_at_ms().unwrap_or(state.loaded_at_ms)),
            refused: state.refused.clone(),
            needs_restart,
            secrets_loaded_at_ms: state.secrets.loaded_at_ms,
            secrets_refused: state.secrets.refused.clone(),
        }
    }

    fn changed_at_ms(&self) -> Option<i64> {
        let modified: SystemTime = std::fs::metadata(&self.path).ok()?.modified().ok()?;
        i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    }
}

fn stamp_of(path: &std::path::Path) -> Stamp {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    Stamp(read.is_ok().then(|| ContentHash::of(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reloading(path: PathBuf) -> Reloading {
        let stamp = stamp_of(&path);
        let secrets = Secrets::default();
        let state =
            State { loaded_at_ms: 7, stamp, refused: None, needs_restart: Vec::new(), other_password: false, secrets };
        Reloading { path, turn: tokio::sync::Mutex::default(), password: None, state: Mutex::new(state) }
    }

    #[test]
    fn another_password_of_the_database_is_named_until_the_one_in_use_is_back() {
        let print = |text: &str| Some(SecretsPrint::of(text.as_bytes()));
        let reloading = Reloading { password: print("one"), ..reloading(PathBuf::from("connectors.toml")) };
        assert!(!reloading.sees_password(print("one")) && reloading.state().needs_restart.is_empty());
        assert!(reloading.sees_password(print("two")) && !reloading.sees_password(print("two")), "it is told once");
        assert_eq!(reloading.state().needs_restart, ["store.password"]);
        assert!(!reloading.sees_password(print("one")) && reloading.state().needs_restart.is_empty());
        assert!(!reloading.sees_password(None), "a vault that cannot be read says nothing of it");
    }

    #[test]
    fn it_is_told_since_when_the_file_differs_and_no_more_once_it_is_put_back() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("connectors.toml");
        std::fs::write(&path, "one")?;
        let reloading = reloading(path.clone());
        assert_eq!(reloading.state().differs_since_ms, None);
        std::fs::write(&path, "two")?;
        reloading.refused(Text::verbatim("line 1"));
        let state = reloading.state();
        assert!(state.differs_since_ms.is_some_and(|since| since > 7), "{state:?}");
        assert!(state.refused.is_some());
        std::fs::write(&path, "one")?;
        let state = reloading.state();
        assert!((state.differs_since_ms, state.refused.is_none()) == (None, true));
        std::fs::remove_file(&path)?;
        assert!(reloading.state().differs_since_ms.is_some(), "a file that is gone differs");
        Ok(())
    }
}
