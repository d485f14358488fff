//! A vault that another process changed: noticed within seconds, and what its secrets are used for takes them. connectors.toml and the plugins
//! are not read again for it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Running;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often what was refused is tried again although the file did not change: the cause may lie elsewhere.
const RETRY_EVERY: Duration = Duration::from_secs(10);

/// What tells one state of the file from another without reading it: a change puts another file in its place.
type Stamp = Option<(u64, u64, Option<SystemTime>)>;

/// Goes on for as long as it is polled.
pub(crate) async fn watch(running: Arc<Running>) {
    // Which file it is cannot change while the gateway runs.
    let Some(path) = running.current().deployment.config.vault.as_ref().map(|vault| vault.path.clone()) else { return };
    // What was there at the start is compared with what is in use, too.
    let mut seen: Option<Stamp> = None;
    let mut refused: Option<Instant> = None;
    loop {
        let now = stamp(&path);
        if seen != Some(now) || refused.is_some_and(|at| at.elapsed() >= RETRY_EVERY) {
            let running = Arc::clone(&running);
            // In a task of its own, so that a shutdown does not leave it half done.
            let taken = tokio::spawn(async move { running.take_secrets().await }).await;
            refused = (!matches!(taken, Ok(Ok(_)))).then(Instant::now);
            seen = Some(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some((file.ino(), file.len(), file.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_the_place_of_another_is_told_from_it_and_so_is_none() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("vault.json");
        assert_eq!(stamp(&path), None);
        std::fs::write(&path, "one")?;
        let first = stamp(&path);
        assert!(first.is_some() && first == stamp(&path));
        let draft = folder.path().join("draft");
        std::fs::write(&draft, "two")?;
        std::fs::rename(&draft, &path)?;
        assert_ne!(stamp(&path), first);
        Ok(())
    }
}
