//! Where the store is and what it may use.

use std::path::PathBuf;

use crate::StoreError;

/// Where the store is and what it may use. Build it from [`StoreOptions::at`] and change what must differ.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// SQLite page cache, bytes; half of it is the writer's, the readers share the rest.
    pub cache_bytes: u64,
    /// SQLite: pages (16 KiB each) of the WAL before a checkpoint.
    pub checkpoint_pages: u32,
    /// SQLite: `FULL` (a commit survives a power cut) or `NORMAL` (a power cut may lose the last commits, cursor included, so
    /// they are pulled again; the end of the process alone loses nothing in either).
    pub synchronous_full: bool,
    /// Readers (SQLite connections, PostgreSQL pool size).
    pub readers: u32,
    /// SQLite: a disk with fewer free bytes counts as full, and the store as not ready.
    pub disk_free_bytes_min: u64,
    /// A read that takes longer is given up with `Unavailable`.
    pub read_timeout_ms: u64,
    /// SQLite, for tests with a paused clock: a call that waits for the writer does so on a blocking thread. Tokio's clock leaps while
    /// nothing of its own runs, and of the writer's thread it knows nothing: a slow disk would make days of moments.
    pub holds_paused_clock: bool,
}

// A PostgreSQL URL may hold a password.
impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.url.starts_with("sqlite:") { self.url.as_str() } else { "postgres://[redacted]" };
        f.debug_struct("StoreOptions")
            .field("url", &kind)
            .field("cache_bytes", &self.cache_bytes)
            .field("checkpoint_pages", &self.checkpoint_pages)
            .field("synchronous_full", &self.synchronous_full)
            .field("readers", &self.readers)
            .field("disk_free_bytes_min", &self.disk_free_bytes_min)
            .field("read_timeout_ms", &self.read_timeout_ms)
            .finish()
    }
}

/// Which backend, and where.
#[derive(Debug)]
pub(crate) enum StoreLocation {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<tokio_postgres::Config>),
}

impl StoreOptions {
    /// The defaults for a place: 64 MiB of cache, a checkpoint every 8,000 pages, `FULL`, 4 readers, 5 s a read.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            cache_bytes: 64 << 20,
            checkpoint_pages: 8_000,
            synchronous_full: true,
            readers: 4,
            disk_free_bytes_min: 64 << 20,
            read_timeout_ms: 5_000,
            holds_paused_clock: false,
        }
    }

    /// Reads the URL and checks the figures.
    pub(crate) fn location(&self) -> Result<StoreLocation, StoreError> {
        if self.readers == 0 || self.checkpoint_pages == 0 || self.read_timeout_ms == 0 {
            return Err(StoreError::BadInput("readers, checkpoint pages and read timeout must be at least 1".into()));
        }
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            // `sqlite://PATH` is what other tools write; both name the same file.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') {
                return Err(StoreError::BadInput("`sqlite:` needs the path of a file: `sqlite:data/renmen.db`".into()));
            }
            return Ok(StoreLocation::Sqlite(PathBuf::from(path)));
        }
        if self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            // The parser's error may quote the URL, which may hold a password.
            return self.url.parse().map(|config| StoreLocation::Postgres(Box::new(config))).map_err(|_| {
                StoreError::BadInput("the PostgreSQL URL is invalid: write `postgres://USER@HOST:PORT/DATABASE`".into())
            });
        }
        Err(StoreError::BadInput("the store's URL begins neither with `sqlite:` nor with `postgres://`".into()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_url_names_its_backend() {
        for url in ["sqlite:data/r.db", "sqlite://data/r.db"] {
            assert!(
                matches!(StoreOptions::at(url).location(), Ok(StoreLocation::Sqlite(path)) if path == std::path::Path::new("data/r.db"))
            );
        }
        assert!(matches!(StoreOptions::at("postgres://u@h/d").location(), Ok(StoreLocation::Postgres(_))));
    }

    #[test]
    fn an_invalid_location_is_refused_without_repeating_its_password() {
        for url in ["", "mysql://x", "sqlite:", "sqlite::memory:", "postgres://u:hush@h:notaport/d"] {
            let error = StoreOptions::at(url).location().unwrap_err();
            assert!(matches!(error, StoreError::BadInput(_)), "{url}");
            assert!(!error.to_string().contains("hush"));
        }
        assert!(!format!("{:?}", StoreOptions::at("postgres://u:hush@h/d")).contains("hush"));
    }

    #[test]
    fn figures_of_zero_are_refused() {
        let mut options = StoreOptions::at("sqlite:a.db");
        options.readers = 0;
        assert!(matches!(options.location(), Err(StoreError::BadInput(_))));
    }
}
