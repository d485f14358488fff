//! `[gateway]`: the process itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use renmen_schema::id::TenantId;

use crate::limits::within_range;
use crate::section::{Context, Section};
use crate::sharing::Sharing;

/// The shortest and the longest lease: below, a slow page would lose its stream; above, a dead gateway would keep it.
const LEASE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 3_600));

/// The shortest and the longest memory of deliveries: vendors try again for a day or so.
const INBOX_AGE: (Duration, Duration) = (Duration::from_secs(3_600), Duration::from_secs(366 * 24 * 3_600));

/// Where the gateway listens and keeps its things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// `listen`: address and port of the API. Default `127.0.0.1:7300`: nothing but this machine, until somebody decides
    /// otherwise.
    pub listen: SocketAddr,
    /// `data_dir`: database, spool and caches. Default `.renmen` beside the file.
    pub data_dir: PathBuf,
    /// `data_dir_parents`: `check` (default) refuses a data directory that another user could exchange, because of a directory
    /// above it; `trust` does not look, for where nobody else can get there.
    pub data_dir_parents_trusted: bool,
    /// `cache_dir`: compiled plugins; may be deleted at any time. Default `cache` in the data directory.
    pub cache_dir: PathBuf,
    /// `tenant`: whose the connections are that name none. Default `default`.
    pub tenant: TenantId,
    /// `shutdown_wait`: how long running pages may take to end after a stop was asked for. Default `30s`.
    pub shutdown_wait: Duration,
    /// `lease`: how long a run may be without a commit until another gateway may take its stream over. Longer than the
    /// longest call of a plugin. Default `5m`.
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
}

impl Gateway {
    /// What cannot be read is noted and keeps its default, so that the sections after this one can be read too: a file
    /// with a problem gives no [`Config`](crate::Config) in the end.
    pub(crate) fn read(section: Option<Section<'_>>, context: &Context<'_>) -> Self {
        let data_dir = context.path(".renmen");
        let mut gateway = Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7300)),
            cache_dir: data_dir.join("cache"),
            data_dir,
            data_dir_parents_trusted: false,
            tenant: TenantId::new("default").expect("`default` is well formed"),
            shutdown_wait: Duration::from_secs(30),
            lease: Duration::from_secs(5 * 60),
            spool_age_max: Duration::from_secs(60 * 60),
            keep_exchanges: true,
            inbox_age: Duration::from_secs(7 * 24 * 3_600),
            sharing: Sharing::default(),
        };
        let Some(mut section) = section else { return gateway };
        let address = |text: &str| text.parse().map_err(|_| "is no address with a port".to_owned());
        let like = "write an IP address and a port, such as \"127.0.0.1:7300\" or \"[::]:7300\"";
        if let Some(listen) = section.get("listen").and_then(|node| node.parsed(address, like)) {
            gateway.listen = listen;
        }
        if let Some(path) = section.get("data_dir").and_then(|node| node.path()) {
            gateway.cache_dir = path.join("cache");
            gateway.data_dir = path;
        }
        let parents = |text: &str| match text {
            "check" => Ok(false),
            "trust" => Ok(true),
            _ => Err("is neither \"check\" nor \"trust\"".to_owned()),
        };
        let meaning = "\"check\" looks at the directories above `data_dir`, \"trust\" does not";
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
        section.finish();
        gateway
    }
}
