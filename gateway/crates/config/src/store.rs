//! `[store]`: where the records are.

use std::fmt;
use std::time::Duration;

use renmen_schema::text;
use url::Url;

use crate::section::{Context, Node, Section};
use crate::{Gateway, SlotSource, limits::within_range};

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
    /// `readers`: SQLite's connections for reading. Default 4.
    pub readers: u32,
    /// `password`: of PostgreSQL, from the environment, a file or the vault.
    pub password: Option<SlotSource>,
    /// `connections_max`: connections to PostgreSQL. Default 10.
    pub connections_max: u32,
    /// `connect_timeout`: how long a new connection to PostgreSQL may take. Default `3s`.
    pub connect_timeout: Duration,
    /// `acquire_timeout`: how long a call waits for a connection while all are in use. Default `5s`.
    pub acquire_timeout: Duration,
    /// `statement_timeout`: a write, and each statement, that takes longer is given up. Default `30s`.
    pub statement_timeout: Duration,
    /// `pooler`: `"none"` (default) or `"transaction"`, for PgBouncer in transaction mode.
    pub pooler_transaction: bool,
    /// `disk_free_bytes_min`: below so many free bytes on the disk of the SQLite file the gateway is not ready. Default `64MiB`.
    pub disk_free_bytes_min: u64,
    /// `read_timeout`: a read that takes longer is given up. Default `5s`.
    pub read_timeout: Duration,
    /// `insight_timeout`: reading the rows of an insight that takes longer is given up. Default `60s`.
    pub insight_timeout: Duration,
    /// `intake_group`: deliveries that share one commit at most. Default 128.
    pub intake_group: u32,
    /// `intake_wait`: PostgreSQL; how long a delivery waits for others to share its commit with. Default `2ms`.
    pub intake_wait: Duration,
    /// `intake_committers`: PostgreSQL; groups that are committed side by side. Default 4.
    pub intake_committers: u32,
    /// `poll`: how often it is looked for commits of other gateways. Default `500ms`.
    pub poll: Duration,
    /// The number of the cell; not set without cells. Not a key: see [`crate::Config::enter`].
    pub cell: Option<u8>,
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
        let Ok(url) = Url::parse(&first_server(&self.0)) else { return f.write_str("postgres://[redacted]") };
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
            password: None,
            connections_max: 10,
            connect_timeout: Duration::from_secs(3),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            pooler_transaction: false,
            disk_free_bytes_min: 64 << 20,
            read_timeout: Duration::from_secs(5),
            insight_timeout: Duration::from_secs(60),
            intake_group: 128,
            intake_wait: Duration::from_millis(2),
            intake_committers: 4,
            poll: Duration::from_millis(500),
            cell: None,
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
        store.read_postgres(&mut section);
        let free = section.get("disk_free_bytes_min").and_then(|node| within_range::bytes(&node, 0_u64, 1 << 50));
        store.disk_free_bytes_min = free.unwrap_or(store.disk_free_bytes_min);
        let timeout = section
            .get("read_timeout")
            .and_then(|node| within_range::duration(&node, Duration::from_millis(10), Duration::from_secs(600)));
        store.read_timeout = timeout.unwrap_or(store.read_timeout);
        let timeout = section
            .get("insight_timeout")
            .and_then(|node| within_range::duration(&node, Duration::from_secs(1), Duration::from_secs(3_600)));
        store.insight_timeout = timeout.unwrap_or(store.insight_timeout);
        store.read_intake(&mut section);
        section.finish();
        store
    }

    /// How deliveries share commits, and how those of other gateways are found.
    fn read_intake(&mut self, section: &mut Section<'_>) {
        let group = section.get("intake_group").and_then(|node| within_range::count(&node, 1_u32, 10_000));
        self.intake_group = group.unwrap_or(self.intake_group);
        let wait = section
            .get("intake_wait")
            .and_then(|node| within_range::duration(&node, Duration::ZERO, Duration::from_millis(100)));
        self.intake_wait = wait.unwrap_or(self.intake_wait);
        let committers = section.get("intake_committers").and_then(|node| within_range::count(&node, 1_u32, 64));
        self.intake_committers = committers.unwrap_or(self.intake_committers);
        let poll = section
            .get("poll")
            .and_then(|node| within_range::duration(&node, Duration::from_millis(10), Duration::from_secs(60)));
        self.poll = poll.unwrap_or(self.poll);
    }

    fn read_postgres(&mut self, section: &mut Section<'_>) {
        if let Some(node) = section.get("password") {
            self.password = SlotSource::read_of_store(&node);
            if Url::parse(&first_server(self.url.expose())).is_ok_and(|url| url.password().is_some()) {
                node.problem_at_key(
                    text!("the URL of the store holds a password already", "store 的 URL 中已有密码"),
                    text!("take one of the two out", "请删除两者之一"),
                );
            }
        }
        let most = section.get("connections_max").and_then(|node| within_range::count(&node, 2_u32, 1_000));
        self.connections_max = most.unwrap_or(self.connections_max);
        for (name, most, timeout) in [
            ("connect_timeout", 60, &mut self.connect_timeout),
            ("acquire_timeout", 60, &mut self.acquire_timeout),
            ("statement_timeout", 3_600, &mut self.statement_timeout),
        ] {
            let (least, most) = (Duration::from_millis(100), Duration::from_secs(most));
            let read = section.get(name).and_then(|node| within_range::duration(&node, least, most));
            *timeout = read.unwrap_or(*timeout);
        }
        let pooler = |text: &str| match text {
            "none" => Ok(false),
            "transaction" => Ok(true),
            _ => Err(text!("is neither \"none\" nor \"transaction\"", "既不是 \"none\" 也不是 \"transaction\"")),
        };
        let meaning = text!(
            "\"transaction\" is for PgBouncer in transaction mode, \"none\" for everything else",
            "\"transaction\" 用于事务模式的 PgBouncer，其他情况用 \"none\""
        );
        let transaction = section.get("pooler").and_then(|node| node.parsed(pooler, meaning));
        self.pooler_transaction = transaction.unwrap_or(self.pooler_transaction);
    }
}

pub(crate) fn read_url(node: &Node<'_>, context: &Context<'_>) -> Option<StoreUrl> {
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
    let parsed =
        Url::parse(&first_server(&text.value)).ok().filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
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

/// A URL that names several servers (`postgres://u@a:1,b:2/db`), which only PostgreSQL knows, with the first of them alone.
fn first_server(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (servers, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = servers.rsplit_once('@').map_or(("", servers), |(user, hosts)| (user, hosts));
    let at = if servers.contains('@') { "@" } else { "" };
    format!("{scheme}://{user}{at}{}{path}", hosts.split(',').next().unwrap_or_default())
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
    fn a_url_of_several_servers_is_read_by_its_first() {
        for (url, first) in [
            ("postgres://u@a:1,b:2/db?x=a,b", "postgres://u@a:1/db?x=a,b"),
            ("postgres://u:p@a,b", "postgres://u:p@a"),
            ("postgres://a:1/db", "postgres://a:1/db"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(first_server(url), first);
        }
        assert_eq!(StoreUrl("postgres://u:hush@a:1,b:2/db".into()).to_string(), "postgres://a:1/db");
    }

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
