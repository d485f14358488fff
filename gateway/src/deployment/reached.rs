//! How far a connection reaches, as `renmen check` tells it: what manifest and operator have in common, and what of it an
//! operator may want to think over again.

use std::collections::BTreeMap;

use renmen_config::Connection;
use renmen_egress::metadata_addresses;
use renmen_schema::id::SlotName;
use renmen_schema::{Text, text};
use renmen_sync::BoundPlugin;
use serde::Serialize;

use crate::command::reach::{how, sealed};

/// One connection's reach.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reached {
    /// The origins that its requests may go to.
    pub(crate) hosts: Vec<String>,
    /// By which methods.
    pub(crate) methods: Vec<String>,
    /// The slots that hold a secret.
    pub(crate) slots: BTreeMap<SlotName, SlotReached>,
    /// Its event connection, where it is switched on.
    pub(crate) event_socket: Option<SocketReached>,
    /// What an operator may want to think over again.
    pub(crate) warnings: Vec<Text>,
}

/// One slot.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SlotReached {
    /// Where its credential goes; empty for a slot whose secret is never sent.
    pub(crate) to: Vec<String>,
    /// How it is made and where on a request it stands.
    pub(crate) how: Option<Text>,
    /// Where the secret itself goes to get a token.
    pub(crate) token_url: Option<String>,
    /// What a secret that is never sent is a key for.
    pub(crate) sealed: Option<Text>,
}

/// An event connection.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SocketReached {
    /// Where it is asked for, with the secret of the slot.
    pub(crate) open_url: String,
    /// The slot.
    pub(crate) slot: SlotName,
    /// Where it may lead to.
    pub(crate) hosts: Vec<String>,
}

impl Reached {
    pub(super) fn of(bound: &BoundPlugin, connection: &Connection) -> Self {
        let (manifest, reach) = (bound.plugin.manifest(), bound.egress.reach());
        let slots = manifest.slots.iter().filter_map(|(name, wish)| {
            let sent = reach.slots.get(name);
            let given = connection.slots.contains_key(name)
                || wish.same_as.as_ref().is_some_and(|other| connection.slots.contains_key(other));
            let reached = SlotReached {
                to: sent.map(|sent| sent.to.clone()).unwrap_or_default(),
                how: wish.auth.as_ref().map(how),
                token_url: sent.and_then(|sent| sent.token_url.clone()),
                sealed: wish.auth.is_none().then(|| sealed(wish.seal.as_ref())),
            };
            given.then(|| (name.clone(), reached))
        });
        let socket = manifest.webhook.as_ref().and_then(|webhook| webhook.socket.as_ref());
        let event_socket = socket.filter(|_| connection.event_socket).and_then(|wish| {
            let reached = bound.egress.event_reach(wish).ok()?;
            Some(SocketReached { open_url: reached.open_url, slot: wish.slot.clone(), hosts: reached.hosts })
        });
        Self {
            hosts: reach.hosts,
            methods: reach.methods,
            slots: slots.collect(),
            event_socket,
            warnings: warnings(connection),
        }
    }
}

fn warnings(connection: &Connection) -> Vec<Text> {
    let open = metadata_addresses(&connection.grant.addresses);
    let one = |address: &std::net::IpAddr| {
        text!(
            "`grant.addresses` opens {address}, where clouds serve their machines' credentials: the author of this plugin could \
             read those of this machine; remove it unless the connection is meant for that",
            "`grant.addresses` 放行了 {address}，云平台在此提供机器凭据：该插件的作者可以读取本机的凭据；除非连接就是为此而设，否则请删除"
        )
    };
    open.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use renmen_config::{Config, LoadOptions};

    use super::*;

    fn warned(addresses: &str) -> anyhow::Result<Vec<String>> {
        let text = format!("[connections.a]\nplugin = \"p.wasm\"\ngrant = {{ addresses = [{addresses}] }}\n");
        let config = Config::parse(&text, Path::new("connectors.toml"), LoadOptions { dev: true, env: &|_| None })?;
        Ok(config.connections.values().flat_map(warnings).map(|warning| warning.to_string()).collect())
    }

    #[test]
    fn an_open_metadata_address_is_warned_of_and_a_range_opens_none() -> anyhow::Result<()> {
        assert!(warned("\"169.254.169.254\"")?[0].contains("169.254.169.254"));
        assert_eq!(warned("\"100.100.100.200/32\", \"fd00:ec2::254\"")?.len(), 2);
        assert_eq!(warned("\"169.254.0.0/16\", \"100.64.0.0/10\", \"fd00::/8\", \"127.0.0.0/8\"")?, [""; 0]);
        Ok(())
    }
}
