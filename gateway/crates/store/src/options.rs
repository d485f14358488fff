//! Where the store is and what it may use.

use std::path::PathBuf;

use crate::StoreError;
use crate::postgres::PostgresAddress;

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
    /// SQLite: connections that read.
    pub readers: u32,
    /// PostgreSQL: connections at a time.
    pub connections_max: u32,
    /// PostgreSQL: how long a new connection may take.
    pub connect_timeout_ms: u64,
    /// PostgreSQL: how long a call may wait for a connection while all are in use.
    pub acquire_timeout_ms: u64,
    /// PostgreSQL: how long a write, and each of its statements, may take.
    pub statement_timeout_ms: u64,
    /// PostgreSQL: what stands between us and the server.
    pub pooler: Pooler,
    /// PostgreSQL: takes the place of one in the URL.
    pub password: Option<StorePassword>,
    /// SQLite: a disk with fewer free bytes counts as full, and the store as not ready.
    pub disk_free_bytes_min: u64,
    /// A read that takes longer is given up with `Unavailable`.
    pub read_timeout_ms: u64,
    /// Reading the rows of an insight is given up with `Unavailable` when it takes longer.
    pub insight_timeout_ms: u64,
    /// Deliveries that share one commit at most.
    pub intake_group: u32,
    /// PostgreSQL: how long a delivery waits for others to share its commit with, once some come together.
    pub intake_wait_ms: u64,
    /// PostgreSQL: groups that are committed side by side; a tenant's go one after the other.
    pub intake_committers: u32,
    /// How often it is looked for commits of other processes. On PostgreSQL it is the net under the wake-ups between gateways.
    pub poll_ms: u64,
    /// Which of the databases of one installation it is, 0 to 15: no two have a number in common. None: the one that it is, at first 0.
    pub cell: Option<u8>,
    /// Which gateway opens it. Another process of this name has ended: what that had under way is taken back at once. Empty: one that
    /// has no earlier process.
    pub holder: String,
    /// SQLite, for tests with a paused clock: a call that waits for the writer does so on a blocking thread. Tokio's clock leaps while
    /// nothing of its own runs, and of the writer's thread it knows nothing: a slow disk would make days of moments.
    pub holds_paused_clock: bool,
}

/// What stands between a gateway and its PostgreSQL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooler {
    /// Nothing, or a pooler that keeps a client on one connection of the server: what a session holds stays.
    #[default]
    None,
    /// A pooler in transaction mode: each transaction may meet another connection of the server.
    Transaction,
}

/// The password of the database. It is never shown.
#[derive(Clone)]
pub struct StorePassword(String);

impl StorePassword {
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StorePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
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
            .field("connections_max", &self.connections_max)
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("acquire_timeout_ms", &self.acquire_timeout_ms)
            .field("statement_timeout_ms", &self.statement_timeout_ms)
            .field("pooler", &self.pooler)
            .field("password", &self.password)
            .field("disk_free_bytes_min", &self.disk_free_bytes_min)
            .field("read_timeout_ms", &self.read_timeout_ms)
            .field("insight_timeout_ms", &self.insight_timeout_ms)
            .field("intake_group", &self.intake_group)
            .field("intake_wait_ms", &self.intake_wait_ms)
            .field("intake_committers", &self.intake_committers)
            .field("poll_ms", &self.poll_ms)
            .field("cell", &self.cell)
            .finish()
    }
}

/// Which backend, and where.
#[derive(Debug)]
pub(crate) enum StoreLocation {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PostgresAddress>),
}

impl StoreOptions {
    /// The defaults for a place: 64 MiB of cache, a checkpoint every 8,000 pages, `FULL`, 4 readers, 10 connections, 5 s a read.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            cache_bytes: 64 << 20,
            checkpoint_pages: 8_000,
            synchronous_full: true,
            readers: 4,
            connections_max: 10,
            connect_timeout_ms: 3_000,
            acquire_timeout_ms: 5_000,
            statement_timeout_ms: 30_000,
            pooler: Pooler::None,
            password: None,
            disk_free_bytes_min: 64 << 20,
            read_timeout_ms: 5_000,
            insight_timeout_ms: 60_000,
            intake_group: 128,
            intake_wait_ms: 2,
            intake_committers: 4,
            poll_ms: 500,
            cell: None,
            holder: String::new(),
            holds_paused_clock: false,
        }
    }

    /// Reads the URL and checks the figures.
    pub(crate) fn location(&self) -> Result<StoreLocation, StoreError> {
        let counts = [self.readers, self.checkpoint_pages, self.intake_group, self.intake_committers];
        if counts.contains(&0) || self.read_timeout_ms == 0 || self.insight_timeout_ms == 0 || self.poll_ms == 0 {
            return Err(StoreError::BadInput(
                "readers, checkpoint pages, both read timeouts, intake group, committers and poll must be at least 1"
                    .into(),
            ));
        }
        let postgres = [self.connect_timeout_ms, self.acquire_timeout_ms, self.statement_timeout_ms];
        if self.connections_max == 0 || postgres.contains(&0) {
            return Err(StoreError::BadInput("connections and their timeouts must be at least 1".into()));
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
            return Ok(StoreLocation::Postgres(Box::new(PostgresAddress::read(&self.url)?)));
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
            assert!(matches!(error, StoreError::BadInput(_) | StoreError::Configuration(_)), "{url}");
            assert!(!error.to_string().contains("hush"));
        }
        let options =
            StoreOptions { password: Some(StorePassword::new("hush")), ..StoreOptions::at("postgres://u:hush@h/d") };
        assert!(!format!("{options:?}").contains("hush"));
    }

    #[test]
    fn figures_of_zero_are_refused() {
        let mut options = StoreOptions::at("sqlite:a.db");
        options.readers = 0;
        assert!(matches!(options.location(), Err(StoreError::BadInput(_))));
    }
}
