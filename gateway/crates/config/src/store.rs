//! `[store]`: where the records are.

use std::fmt;
use std::time::Duration;

use renmen_schema::text;
use url::Url;

use crate::section::{Context, Node, Section};
use crate::{Gateway, limits::within_range};

/// Which database, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// `url`: `sqlite:PATH` (relative to the file) or `postgres://…`. Default: `renmen.db` in the data directory.
    pub url: StoreUrl,
    /// `cache_bytes`: SQLite's page cache. Default `64MiB`.
    pub cache_bytes: u64,
    /// `checkpoint_pages`: pages of the SQLite write-ahead log before a checkpoint. Default 8,000.
    pub checkpoint_pages: u32,
    /// `synchronous`: `"full"` (a commit survives a power cut; default) or `"normal"` (it survives a crash of the process).
    pub synchronous_full: bool,
    /// `readers`: connections for reading; the pool of PostgreSQL. Default 4.
    pub readers: u32,
    /// `disk_free_bytes_min`: below so many free bytes on the disk of the SQLite file the gateway is not ready. Default `64MiB`.
    pub disk_free_bytes_min: u64,
    /// `read_timeout`: a read that takes longer is given up. Default `5s`.
    pub read_timeout: Duration,
}

/// A database URL. It may hold a password, so it shows itself without.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The whole URL. For the store alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Is it PostgreSQL?
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        !self.0.starts_with("sqlite:")
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_postgres() {
            return f.write_str(&self.0);
        }
        let Ok(url) = Url::parse(&self.0) else { return f.write_str("postgres://[redacted]") };
        // Parameters may hold a password too (`?password=`), so only the place is shown.
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or(""), url.path())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Store {
    pub(crate) fn read(section: Option<Section<'_>>, context: &Context<'_>, gateway: &Gateway) -> Self {
        let mut store = Self {
            url: StoreUrl(format!("sqlite:{}", gateway.data_dir.join("renmen.db").display())),
            cache_bytes: 64 << 20,
            checkpoint_pages: 8_000,
            synchronous_full: true,
            readers: 4,
            disk_free_bytes_min: 64 << 20,
            read_timeout: Duration::from_secs(5),
        };
        let Some(mut section) = section else { return store };
        if let Some(url) = section.get("url").and_then(|node| read_url(&node, context)) {
            store.url = url;
        }
        let cache = section.get("cache_bytes").and_then(|node| within_range::bytes(&node, 1_u64 << 20, 64 << 30));
        store.cache_bytes = cache.unwrap_or(store.cache_bytes);
        let pages = section.get("checkpoint_pages").and_then(|node| within_range::count(&node, 100_u32, 10_000_000));
        store.checkpoint_pages = pages.unwrap_or(store.checkpoint_pages);
        let synchronous = |text: &str| match text {
            "full" => Ok(true),
            "normal" => Ok(false),
            _ => Err(text!("is neither \"full\" nor \"normal\"", "既不是 \"full\" 也不是 \"normal\"")),
        };
        let meaning = text!(
            "\"full\" survives a power cut, \"normal\" survives a crash of the process",
            "\"full\" 可经受断电，\"normal\" 可经受进程崩溃"
        );
        let full = section.get("synchronous").and_then(|node| node.parsed(synchronous, meaning));
        store.synchronous_full = full.unwrap_or(store.synchronous_full);
        let readers = section.get("readers").and_then(|node| within_range::count(&node, 1_u32, 256));
        store.readers = readers.unwrap_or(store.readers);
        let free = section.get("disk_free_bytes_min").and_then(|node| within_range::bytes(&node, 0_u64, 1 << 50));
        store.disk_free_bytes_min = free.unwrap_or(store.disk_free_bytes_min);
        let timeout = section
            .get("read_timeout")
            .and_then(|node| within_range::duration(&node, Duration::from_millis(10), Duration::from_secs(600)));
        store.read_timeout = timeout.unwrap_or(store.read_timeout);
        section.finish();
        store
    }
}

fn read_url(node: &Node<'_>, context: &Context<'_>) -> Option<StoreUrl> {
    let text = node.filled()?;
    if let Some(path) = text.value.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            node.problem(
                text!("this names no file", "没有写明文件"),
                text!(
                    "write `sqlite:.renmen/renmen.db`: records must survive a restart",
                    "请写 `sqlite:.renmen/renmen.db`：记录必须在重启后仍在"
                ),
            );
            return None;
        }
        return Some(StoreUrl(format!("sqlite:{}", context.path(path).display())));
    }
    let parsed = Url::parse(&text.value).ok().filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if parsed.is_none() {
        node.problem(
            text!("this is not a database URL", "不是数据库 URL"),
            text!(
                "write `sqlite:PATH` or `postgres://user:${{RENMEN_DB_PASSWORD}}@host/database`",
                "请写 `sqlite:PATH` 或 `postgres://user:${{RENMEN_DB_PASSWORD}}@host/database`"
            ),
        );
        return None;
    }
    if holds_password_in_clear(&text.raw) && !context.dev() {
        node.problem(
            text!("a password stands in clear in this file", "此文件中有明文密码"),
            text!("take it from the environment: `postgres://user:${{RENMEN_DB_PASSWORD}}@host/database` (or start with --dev)", "请从环境变量读取：`postgres://user:${{RENMEN_DB_PASSWORD}}@host/database`（或以 --dev 启动）"),
        );
        return None;
    }
    Some(StoreUrl(text.value))
}

/// Looks at the URL as it stands in the file: a variable somewhere else in it does not hide a password.
fn holds_password_in_clear(raw: &str) -> bool {
    let in_clear = |password: &str| !password.is_empty() && !password.contains("${");
    // A URL that is a variable as a whole has no scheme in the file.
    let Some((_, rest)) = raw.split_once("://") else { return false };
    let before_host = rest.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    let mut parameters = rest.split(['?', '&']).skip(1).filter_map(|parameter| parameter.strip_prefix("password="));
    before_host.is_some_and(|(_, password)| in_clear(password)) || parameters.any(in_clear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_clear_unless_it_is_a_variable_itself() {
        for raw in ["postgres://u:hush@h/db", "postgres://u:hush@${HOST}/db", "postgres://u@h/${DB}?a=b&password=hush"]
        {
            assert!(holds_password_in_clear(raw), "{raw}");
        }
        for raw in [
            "postgres://u:${P}@h/db",
            "${URL}",
            "postgres://u@h:5432/db",
            "postgres://u:@h/db",
            "postgres://u@h/db?password=${P}",
        ] {
            assert!(!holds_password_in_clear(raw), "{raw}");
        }
    }
}
