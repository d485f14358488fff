//! `[gateway]`: the process itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use renmen_schema::{Text, id::TenantId, text};
use url::{Host, Url};

use crate::limits::{GatewayLimits, within_range};
use crate::section::{Context, Node, Section};
use crate::sharing::Sharing;

/// The shortest and the longest lease: below, a busy moment would cost a gateway its streams; above, a dead one would keep them.
const LEASE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3_600));

/// The shortest and the longest memory of deliveries: vendors try again for a day or so.
const INBOX_AGE: (Duration, Duration) = (Duration::from_secs(3_600), Duration::from_secs(366 * 24 * 3_600));

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Callers with an API key, and only the part of their own tenant.
    Key,
    /// Also any program on this machine, and then everything.
    Loopback,
    /// No one: it is switched off.
    Off,
}

/// The smallest and the largest memory budget, in bytes.
const MEMORY: (u64, u64) = (64 << 20, 1 << 40);

/// Where the gateway listens and keeps its things.
#[derive(Debug, Clone, PartialEq)]
pub struct Gateway {
    /// `listen`: address and port of the API. Default `127.0.0.1:7300`: reachable from this machine only, unless
    /// configured otherwise.
    pub listen: SocketAddr,
    /// `allow_plaintext`: may `listen` be an address that other machines reach? The gateway speaks HTTP without TLS, so keys and
    /// records cross the network in clear. Default false: a proxy with TLS on this machine stands in front.
    pub allow_plaintext: bool,
    /// `public_url`: the address at which people reach this gateway, without a slash at its end. Links to decisions begin with it;
    /// without it there are none. Default none.
    pub public_url: Option<String>,
    /// `proxies`: addresses of proxies in front, whose `X-Forwarded-For` is believed. Default none.
    pub proxies: Vec<IpNet>,
    /// `metrics`: who may read `/metrics`. Default `"key"`.
    pub metrics: MetricsAccess,
    /// `limits`: what the API takes from outside.
    pub limits: GatewayLimits,
    /// `data_dir`: database, spool and caches. Default `.renmen` next to the file.
    pub data_dir: PathBuf,
    /// `data_dir_parents`: `check` (default) refuses a data directory that another user could replace by way of a
    /// directory above it; `trust` skips this check, for places that no other user can get to.
    pub data_dir_parents_trusted: bool,
    /// `cache_dir`: compiled plugins; may be deleted at any time. Default `cache` in the data directory.
    pub cache_dir: PathBuf,
    /// `tenant`: the tenant of the connections that name none. Default `default`.
    pub tenant: TenantId,
    /// `shutdown_wait`: how long running pages may take to end after a stop was asked for. Default `30s`.
    pub shutdown_wait: Duration,
    /// `lease`: how long a gateway may show no sign of life before another one takes its streams over; it shows one four times as
    /// often, however long a call takes. Default `12s`: with the time to notice it, a stream goes on within 15 s.
    pub lease: Duration,
    /// `spool_age_max`: how long a page that was fetched and not committed may be used again after a crash. Default `1h`.
    pub spool_age_max: Duration,
    /// `keep_exchanges`: are recorded exchanges kept? Without them there is no lineage down to the vendor's bytes, and no
    /// replay. Default true.
    pub keep_exchanges: bool,
    /// `inbox_age`: how long a vendor's delivery is remembered, so that the same one changes nothing when it comes again. Longer
    /// than any vendor tries again. Default `7d`.
    pub inbox_age: Duration,
    /// How connections share the process.
    pub sharing: Sharing,
    /// `memory_bytes_max`: what all calls of plugins together may hold, in the plugins and for them. Default: half of the memory
    /// that the machine or its container has, at most `1GiB`.
    pub memory_bytes_max: Option<u64>,
}

impl Gateway {
    /// What cannot be read is noted and keeps its default, so that the sections after this one can be read too: a file
    /// with a problem gives no [`Config`](crate::Config) in the end.
    pub(crate) fn read(section: Option<Section<'_>>, context: &Context<'_>) -> Self {
        let data_dir = context.path(".renmen");
        let mut gateway = Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7300)),
            allow_plaintext: false,
            public_url: None,
            proxies: Vec::new(),
            metrics: MetricsAccess::Key,
            limits: GatewayLimits::default(),
            cache_dir: data_dir.join("cache"),
            data_dir,
            data_dir_parents_trusted: false,
            tenant: TenantId::new("default").expect("`default` is well formed"),
            shutdown_wait: Duration::from_secs(30),
            lease: Duration::from_secs(12),
            spool_age_max: Duration::from_secs(60 * 60),
            keep_exchanges: true,
            inbox_age: Duration::from_secs(7 * 24 * 3_600),
            sharing: Sharing::default(),
            memory_bytes_max: None,
        };
        let Some(mut section) = section else { return gateway };
        let address = |text: &str| text.parse().map_err(|_| text!("is not an address with a port", "不是带端口的地址"));
        let like = text!(
            "write an IP address and a port, such as \"127.0.0.1:7300\" or \"[::]:7300\"",
            "请写 IP 地址与端口，例如 \"127.0.0.1:7300\" 或 \"[::]:7300\""
        );
        if let Some(allowed) = section.get("allow_plaintext").and_then(|node| node.flag()) {
            gateway.allow_plaintext = allowed;
        }
        if let Some(node) = section.get("listen")
            && let Some(listen) = node.parsed(address, like)
        {
            gateway.listen = listen;
            if let Err(refusal) = gateway.may_listen(listen, context.dev()) {
                node.problem(refusal.why, refusal.help);
            }
        }
        let like = text!(
            "write the address that a browser shows, such as \"https://renmen.example.com\"",
            "请写浏览器中显示的地址，例如 \"https://renmen.example.com\""
        );
        gateway.public_url = section.get("public_url").and_then(|node| node.parsed(public_url, like));
        if let Some(nodes) = section.get("proxies").and_then(|node| node.list()) {
            gateway.proxies = nodes.iter().filter_map(range).collect();
        }
        if let Some(access) = section.get("metrics").and_then(|node| node.parsed(metrics_access, Text::default())) {
            gateway.metrics = access;
        }
        if let Some(limits) = section.table("limits") {
            gateway.limits = GatewayLimits::read(limits, &GatewayLimits::default());
        }
        if let Some(path) = section.get("data_dir").and_then(|node| node.path()) {
            gateway.cache_dir = path.join("cache");
            gateway.data_dir = path;
        }
        let parents = |text: &str| match text {
            "check" => Ok(false),
            "trust" => Ok(true),
            _ => Err(text!("is neither \"check\" nor \"trust\"", "既不是 \"check\" 也不是 \"trust\"")),
        };
        let meaning = text!(
            "\"check\" looks at the directories above `data_dir`, \"trust\" does not",
            "\"check\" 检查 `data_dir` 的上级目录，\"trust\" 不检查"
        );
        if let Some(trusted) = section.get("data_dir_parents").and_then(|node| node.parsed(parents, meaning)) {
            gateway.data_dir_parents_trusted = trusted;
        }
        if let Some(path) = section.get("cache_dir").and_then(|node| node.path()) {
            gateway.cache_dir = path;
        }
        if let Some(tenant) = section.get("tenant").and_then(|node| node.named()) {
            gateway.tenant = tenant;
        }
        if let Some(wait) = section.get("shutdown_wait").and_then(|node| node.duration()) {
            gateway.shutdown_wait = wait;
        }
        if let Some(lease) = section.get("lease").and_then(|node| within_range::duration(&node, LEASE.0, LEASE.1)) {
            gateway.lease = lease;
        }
        if let Some(age) = section.get("spool_age_max").and_then(|node| node.duration()) {
            gateway.spool_age_max = age;
        }
        if let Some(keep) = section.get("keep_exchanges").and_then(|node| node.flag()) {
            gateway.keep_exchanges = keep;
        }
        if let Some(age) =
            section.get("inbox_age").and_then(|node| within_range::duration(&node, INBOX_AGE.0, INBOX_AGE.1))
        {
            gateway.inbox_age = age;
        }
        gateway.sharing = Sharing::read(&mut section);
        let memory = section.get("memory_bytes_max");
        gateway.memory_bytes_max = memory.and_then(|node| within_range::bytes(&node, MEMORY.0, MEMORY.1));
        section.finish();
        gateway
    }

    /// May the API listen there?
    ///
    /// # Errors
    /// [`ListenRefusal`]: other machines reach the address, and plaintext was not allowed; with `--dev` it cannot be
    /// allowed.
    pub fn may_listen(&self, listen: SocketAddr, dev: bool) -> Result<(), ListenRefusal> {
        if listen.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        if dev {
            let why = text!(
                "`{listen}` can be reached from other machines, and `--dev` is for this one alone",
                "`{listen}` 可从其他机器访问，而 `--dev` 只用于本机"
            );
            return Err(ListenRefusal {
                why,
                help: text!("listen on 127.0.0.1, or run without `--dev`", "请监听 127.0.0.1，或不带 `--dev` 运行"),
            });
        }
        if self.allow_plaintext {
            return Ok(());
        }
        let why = text!(
            "`{listen}` can be reached from other machines, and API keys and records would cross the network in clear",
            "`{listen}` 可从其他机器访问，API 密钥与记录将在网络上以明文传输"
        );
        Err(ListenRefusal { why, help: plaintext_help() })
    }
}

/// Why the API may not listen somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenRefusal {
    /// What is wrong.
    pub why: Text,
    /// What to do.
    pub help: Text,
}

/// What to do about an address that other machines reach.
fn plaintext_help() -> Text {
    text!(
        "listen on 127.0.0.1 and put a proxy with TLS in front (nginx, Caddy, Traefik); where the network \
     between proxy and gateway is your own, set `allow_plaintext = true` in [gateway]",
        "请监听 127.0.0.1，并在前面放置带 TLS 的代理（nginx、Caddy、Traefik）；若代理与网关之间是自有网络，请在 [gateway] 中设置 `allow_plaintext = true`"
    )
}

fn metrics_access(text: &str) -> Result<MetricsAccess, Text> {
    match text {
        "key" => Ok(MetricsAccess::Key),
        "loopback" => Ok(MetricsAccess::Loopback),
        "off" => Ok(MetricsAccess::Off),
        _ => Err(text!("is not one of \"key\", \"loopback\" or \"off\"", "不是 \"key\"、\"loopback\"、\"off\" 之一")),
    }
}

/// An address that people can open: links with which they decide would cross any other network in clear.
pub(crate) fn public_url(text: &str) -> Result<String, Text> {
    let url = Url::parse(text).map_err(|_| text!("is not the URL of a web address", "不是网址"))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => {
            return Err(text!(
                "is not https: anyone who can read the network traffic could decide in someone else's name",
                "不是 https：能读取网络流量的人可以冒用他人名义做决定"
            ));
        }
        _ => return Err(text!("is not the URL of a web address", "不是网址")),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(text!("has more than a host, a port and a path", "含有主机、端口与路径以外的部分"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A range of addresses, or one.
fn range(node: &Node<'_>) -> Option<IpNet> {
    let range = |text: &str| {
        let one = || text.parse::<IpAddr>().map(IpNet::from);
        let range = text
            .parse::<IpNet>()
            .or_else(|_| one())
            .map_err(|_| text!("is not an address or a range", "不是地址或地址段"))?;
        if range.prefix_len() == 0 {
            return Err(text!(
                "holds every address: then anybody could name any address as its own",
                "包含全部地址：任何人都可以冒充任意地址"
            ));
        }
        Ok(range)
    };
    node.parsed(range, text!("write \"10.0.0.5\" or \"10.0.0.0/8\"", "请写 \"10.0.0.5\" 或 \"10.0.0.0/8\""))
}
