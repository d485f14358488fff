//! The file in which a gateway says where it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use renmen_api::ApiKey;
use renmen_config::Config;
use renmen_schema::text;
use serde::{Deserialize, Serialize};

use crate::exit::Usage;
use crate::ready;

/// In the data directory.
const FILE: &str = "gateway.json";

/// Where a gateway is, and with which key it is asked.
#[derive(Serialize, Deserialize)]
pub(crate) struct Address {
    /// Where it listens, as a process of the same machine reaches it.
    pub(super) listens_on: SocketAddr,
    /// Of its owner; in no store.
    pub(super) key: String,
    /// Which store it holds: two gateways may share a data directory.
    store: String,
}

/// The file while the gateway runs; taken away when dropped.
pub(crate) struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        // One that stays behind is of no use to anybody: its key ended with the process.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Address {
    /// Says where this gateway is. Of several with one data directory, the last one is found.
    pub(crate) fn announce(config: &Config, bound: SocketAddr, key: &ApiKey) -> anyhow::Result<Announced> {
        let store = store_of(config);
        let address = Self { listens_on: from_this_machine(bound), key: key.expose().to_owned(), store };
        let file = config.gateway.data_dir.join(FILE);
        ready::write(&file, &serde_json::to_value(&address)?)?;
        Ok(Announced(file))
    }

    /// The gateway of this configuration, when one left its address.
    pub(super) fn find(config: &Config) -> anyhow::Result<Option<Self>> {
        let found = read(&config.gateway.data_dir.join(FILE))?;
        Ok(found.filter(|address| address.store == store_of(config)))
    }
}

fn read(file: &Path) -> anyhow::Result<Option<Address>> {
    let Ok(meta) = std::fs::metadata(file) else { return Ok(None) };
    if meta.permissions().mode() & 0o077 != 0 {
        let file = file.display();
        return Err(Usage(text!(
            "{file} is open to others, so it is not believed: stop the gateway and remove it",
            "{file} 可被他人访问，因此不予采信：请停止网关并删除该文件"
        ))
        .into());
    }
    let text = std::fs::read(file).map_err(|error| {
        anyhow::anyhow!(text!("{} cannot be read: {error}", "无法读取 {}：{error}", file.display()))
    })?;
    // A gateway writes its file whole: one that cannot be parsed was not written by a gateway, and counts as absent.
    Ok(serde_json::from_slice(&text).ok())
}

/// What tells one store from another. The URL of a server may hold a password, so its digest stands for it.
fn store_of(config: &Config) -> String {
    let url = config.store.url.expose();
    let digest = || format!("server {:032x}", u128::from_be_bytes(renmen_store::ContentHash::of(url.as_bytes()).0));
    url.strip_prefix("sqlite:").map_or_else(digest, str::to_owned)
}

/// A gateway that listens everywhere is reached over loopback.
fn from_this_machine(bound: SocketAddr) -> SocketAddr {
    match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), bound.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), bound.port()),
        _ => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path, text: &str) -> Config {
        let options = renmen_config::LoadOptions { dev: true, env: &|_| None };
        Config::parse(text, &dir.join("connectors.toml"), options).expect("a configuration")
    }

    #[test]
    fn an_address_is_for_its_own_store_and_gone_with_its_gateway() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let own = config(folder.path(), "[gateway]\ndata_dir = \".\"\n");
        let other = config(folder.path(), "[gateway]\ndata_dir = \".\"\n[store]\nurl = \"sqlite:other.db\"\n");
        assert!(Address::find(&own)?.is_none());
        let key = ApiKey::generate()?;
        let announced = Address::announce(&own, "0.0.0.0:7300".parse()?, &key)?;
        let found = Address::find(&own)?.map(|address| (address.listens_on.to_string(), address.key));
        assert_eq!(found, Some(("127.0.0.1:7300".to_owned(), key.expose().to_owned())));
        assert!(Address::find(&other)?.is_none(), "another store is held by another process");
        let file = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644))?;
        assert!(Address::find(&own).is_err(), "open to others");
        drop(announced);
        assert!(!file.exists());
        Ok(())
    }
}
